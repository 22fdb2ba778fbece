import { Failure } from '#base/errors.ts'
import { Config, parseConfig } from '#tars/conf.ts'
import type { AdapterDescriptor, ServerDescriptor } from '#tars/protocol/Registry.ts'
import { expandMacros, macrosOf, nodeValue, type ConfIdentity } from './macros.ts'

export interface RenderedConf {
  /** The whole text of the service's conf file. */
  readonly text: string
  /** Names of the service's adapters. */
  readonly adapters: readonly string[]
  /** A key of /tars/application/server. */
  setting(key: string): string | undefined
  /** A key of /tars/application/client. */
  clientSetting(key: string): string | undefined
}

const SERVER = '/tars/application/server'
const CLIENT = '/tars/application/client'

/**
 * The service's conf from its descriptor, byte for byte as the reference writes it (spec A.5): the heartbeat target,
 * the adapters, then the profile, which wins where both have a key.
 * @throws Failure CONF_PROFILE naming the line of the profile that is wrong
 */
export function renderConf(identity: ConfIdentity, descriptor: ServerDescriptor): RenderedConf {
  const adapters = [...descriptor.adapters.values()].toSorted((a, b) => (a.adapterName < b.adapterName ? -1 : 1))
  const generated = generate(identity, adapters)
  const profile = expandMacros(descriptor.profile, macrosOf(identity, descriptor))
  try {
    const conf = generated.join(parseConfig(profile), true)
    const value = (section: string, key: string): string | undefined => {
      const text = conf.get(`${section}<${key}>`)
      return text === undefined ? undefined : blanks(text)
    }
    return {
      text: blanks(conf.toString()),
      adapters: adapters.map(({ adapterName }) => adapterName),
      setting: (key) => value(SERVER, key),
      clientSetting: (key) => value(CLIENT, key),
    }
  } catch (error) {
    throw new Failure('CONF_PROFILE', `the profile of ${identity.app}.${identity.server} is no valid configuration`, { cause: error, remedy: 'correct the profile of the TServer or its template' })
  }
}

function generate(identity: ConfIdentity, adapters: readonly AdapterDescriptor[]): Config {
  const conf = new Config()
  conf.set(`${SERVER}<node>`, nodeValue(identity))
  for (const adapter of adapters) {
    const keys = {
      allow: '',
      endpoint: adapter.endpoint.replaceAll('${localip}', identity.listenAddress),
      maxconns: adapter.maxConnections,
      protocol: adapter.protocol === '' ? 'tars' : adapter.protocol,
      queuecap: adapter.queuecap,
      queuetimeout: adapter.queuetimeout,
      servant: adapter.servant,
      threads: adapter.threadNum,
    }
    for (const [key, value] of Object.entries(keys)) conf.set(`${SERVER}/${adapter.adapterName}<${key}>`, String(value))
  }
  return conf
}

/** The two characters `\s` stand for a blank, which a value could not begin or end with otherwise. */
const blanks = (text: string): string => text.replaceAll('\\s', ' ')
