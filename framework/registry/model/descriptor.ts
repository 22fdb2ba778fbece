// What a node needs to start its service: adapters and configuration text (framework-services 1.7). Pure.
import type { AdapterDescriptor, ServerDescriptor } from '#tars/protocol/RegistryDescriptor.ts'
import type { TEndpoint, TTemplate } from '#api/types.ts'
import { instanceOf } from '#api/instances.ts'
import { renderProfile } from '#tars/profile.ts'
import { ordinalOf } from './pod-state.ts'

export interface Described {
  readonly descriptor: ServerDescriptor
  /** Why the descriptor is not complete. */
  readonly problem?: string
}

type Servant = NonNullable<TEndpoint['spec']['tars']>['servants'][number]

/**
 * The descriptor of a tars server; partial, with a problem, when its template chain is broken.
 * @param podName whose it is: the set is that of the pod
 */
export function describeServer({ spec }: TEndpoint, templates: (name: string) => TTemplate | undefined, podName = ''): Described {
  const { tars } = spec
  if (tars === undefined) return { descriptor: emptyDescriptor(), problem: `${spec.app}.${spec.server} has subType normal: it is not run by a node` }
  const adapters = new Map<string, AdapterDescriptor>()
  for (const servant of tars.servants) {
    const adapter = adapterOf(`${spec.app}.${spec.server}.${servant.name}`, servant)
    adapters.set(adapter.adapterName, adapter)
  }
  const { text, problem } = renderProfile(tars.profile ?? '', tars.template, templates)
  const setdivision = instanceOf(tars.instances, ordinalOf(podName)).set ?? ''
  const descriptor = { profile: text, asyncThreadNum: tars.asyncThread ?? 3, adapters, setdivision }
  return problem === undefined ? { descriptor } : { descriptor, problem }
}

export function emptyDescriptor(): ServerDescriptor {
  return { profile: '', asyncThreadNum: 0, adapters: new Map(), setdivision: '' }
}

function adapterOf(object: string, { port, isTcp, isSsl = false, auth = false, qos = 0, isTars, timeout, thread, connection, capacity }: Servant): AdapterDescriptor {
  return {
    adapterName: `${object}Adapter`,
    servant: object,
    // The node puts its own address in place of the macro.
    endpoint: `${isTcp ? (isSsl ? 'ssl' : 'tcp') : 'udp'} -h \${localip} -p ${port} -t ${timeout}${qos === 0 ? '' : ` -q ${qos}`}${auth ? ' -e 1' : ''}`,
    threadNum: thread,
    maxConnections: connection,
    allowIp: '',
    queuecap: capacity,
    queuetimeout: timeout,
    protocol: isTars ? 'tars' : 'not_tars',
  }
}
