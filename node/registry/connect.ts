import { readFileSync } from 'node:fs'
import { Failure } from '#base/errors.ts'
import type { Logger } from '#base/log.ts'
import { Communicator, type ClientTls } from '#tars/client.ts'
import { Config, createConfigInfo, type ConfigProxy } from '#tars/protocol/ConfigF.ts'
import { QueryF, type QueryFProxy } from '#tars/protocol/QueryF.ts'
import { Registry, type RegistryProxy, type ServerDescriptor } from '#tars/protocol/Registry.ts'
import type { RegistryAddress, Settings } from '../env.ts'
import type { View } from '../service/supervisor.ts'
import type { DescriptorFile } from './descriptor-file.ts'
import { DescriptorSource } from './descriptor-source.ts'
import type { RegistryLink } from './link.ts'
import { REGISTRY_OBJ, RegistryPresence } from './presence.ts'
import { Notices } from './notices.ts'
import { Reporter } from './reporter.ts'

/** Of a call to the registry or to tarsconfig, milliseconds. */
const CALL_MS = 3_000
/** Longest wait for a word on a caller, who waits for it. */
const CHECK_MS = 1_000
/** Longest message that travels with a state: it ends up in a pod condition. */
const MESSAGE_CHARS = 1_000

export interface ConnectOptions {
  readonly settings: Settings
  readonly address: RegistryAddress
  readonly file: DescriptorFile
  readonly log: Logger
}

/** Connects to the registry that the settings name; connections are made when they are needed. */
export function connectRegistry({ settings, address, file, log }: ConnectOptions): RegistryLink {
  const { app, server, podName, account } = settings
  const tls = trusted(address)
  const at = (port: number): string => `${tls === undefined ? 'tcp' : 'ssl'} -h ${address.host} -p ${port}${address.auth === true ? ' -e 1' : ''}`
  const locator = `tars.tarsregistry.QueryObj@${at(address.queryPort)}`
  const communicator = new Communicator({ locator, timeoutMs: CALL_MS, context: { node_name: settings.listenAddress }, account: () => account, log, ...ownAddress(settings.podIP), ...(tls === undefined ? {} : { tls }) })
  const registry = communicator.proxy<RegistryProxy>(Registry, `${REGISTRY_OBJ}@${at(address.registryPort)}`)
  const source = new DescriptorSource({ fetch: () => fetchDescriptor(registry, app, server), file, log })
  const times = new Times(Date.now)
  const reporter = new Reporter((view) => tellInTime(registry, podName, view, times), log)
  const presence = new RegistryPresence({ host: address.host, port: address.registryPort, tls, account: address.auth === true ? account : undefined, onReturn: () => reporter.resend() })
  const notices = new Notices(communicator, settings, log)
  presence.start()
  return {
    descriptor: (signal) => source.get(signal),
    freshDescriptor: (signal) => source.fresh(signal),
    tryDescriptor: (timeoutMs) => source.try(timeoutMs),
    report: (view) => reporter.report(view),
    notify: (level, text) => notices.tell(level, text),
    loadConfig: async (name) => {
      const info = createConfigInfo({ appname: app, servername: server, filename: name, host: settings.listenAddress, setdivision: file.read()?.setdivision ?? '' })
      const answer = await communicator.proxy<ConfigProxy>(Config, 'tars.tarsconfig.ConfigObj').loadConfigByInfo(info)
      if (answer.return === 0) return answer.config
      throw new Failure('CONFIG_REFUSED', `tarsconfig has no file ${name} for ${app}.${server} (code ${answer.return})`, { remedy: 'add the file to the configuration of the server' })
    },
    checkCaller: (caller) => registry.checkCaller(caller, app, server, { timeoutMs: CHECK_MS }),
    async othersServe(objects) {
      const query = communicator.proxy<QueryFProxy>(QueryF, locator)
      const answers = await Promise.all(objects.map((object) => query.findObjectById(object)))
      return answers.flat().some(({ host, nodeName }) => host !== settings.podIP && ![host, nodeName].includes(settings.listenAddress))
    },
    async close(timeoutMs) {
      await reporter.settled(timeoutMs)
      reporter.stop()
      presence.stop()
      await communicator.close()
    },
  }
}

/** Whom it trusts; undefined where it calls without TLS. */
export function trusted({ tls }: RegistryAddress): ClientTls | undefined {
  if (tls === undefined) return undefined
  const { caFile, name } = tls
  return { ...(caFile === undefined ? {} : { ca: () => readFileSync(caFile, 'utf8') }), name }
}

// The registry takes a pod's state from the pod's own address only. On loopback, which pods of one machine share, the kernel would say 127.0.0.1 for each.
const ownAddress = (podIP: string): { localAddress?: string } => (podIP.startsWith('127.') ? { localAddress: podIP } : {})

/** The request context of updateServerState: PID as the reference sends it, and why and how often for the condition's message. */
const contextOf = (view: View): Readonly<Record<string, string>> => ({
  PID: String(view.pid),
  Message: view.message.slice(0, MESSAGE_CHARS),
  Restarts: String(view.restarts),
})

/** When words are said: of two that came to several registries, the later counts. */
class Times {
  readonly #now: () => number
  #last = 0

  constructor(now: () => number) {
    this.#now = now
  }

  /** Seconds since the epoch, each time later ones. */
  next(): number {
    return (this.#last = Math.max(this.#last + 1, Math.floor(this.#now() / 1000)))
  }

  /**
   * @param time of the latest word that a registry has of the pod, when it was none of this clock: what follows is later
   * @returns whether it is one
   */
  follow(time: string | undefined): boolean {
    if (time === undefined || !/^\d{1,12}$/.test(time)) return false
    this.#last = Math.max(this.#last, Number(time))
    return true
  }
}

/**
 * Tells a state. Who has spoken for the pod before, in a container or a process that is over, may have done so in the same second, or
 * by a clock that was ahead: then it is told again at once, with a later time.
 */
async function tellInTime(registry: RegistryProxy, podName: string, view: View, times: Times): Promise<void> {
  let latest: string | undefined
  const tell = (): Promise<void> =>
    registry.updateServerState(podName, view.setting, view.present, { context: { ...contextOf(view), Time: String(times.next()) }, onResponse: ({ context }) => void (latest = context.get('Time')) })
  try {
    await tell()
  } catch (error) {
    if (!times.follow(latest)) throw error
    await tell()
  }
}

async function fetchDescriptor(registry: RegistryProxy, app: string, server: string): Promise<ServerDescriptor> {
  const answer = await registry.getServerDescriptor(app, server)
  if (answer.return === 0) return answer.descriptor
  throw new Failure('DESCRIPTOR_REFUSED', `the registry has no descriptor for ${app}.${server} (code ${answer.return}): there is no such TServer, or its configuration cannot be made of its profile and templates`, {
    remedy: 'the log of tarsregistry says which; check spec.app, spec.server, spec.tars.profile and spec.tars.template of the TServer',
    temporary: true,
  })
}
