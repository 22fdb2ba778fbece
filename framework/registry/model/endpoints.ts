// From a server's declaration and its pods to the endpoints of its objects. Pure.
import { groupId, noGroup, type Topology } from '#api/topology.ts'
import { createEndpointF, type EndpointF } from '#tars/protocol/QueryF.ts'
import { instanceOf, type Instance } from '#api/instances.ts'
import { annotations, ownerNameOf, registryPorts, serverObjectName } from '#api/names.ts'
import type { TEndpoint } from '#api/types.ts'
import { comparePods, hostOf, isActivePod, isLostPod, ordinalOf, podName, type PodObject, type ReportedState } from './pod-state.ts'
import type { Entry } from './views.ts'

/** What an object's port looks like, for every pod of its server. */
export type PortSpec = Pick<NonNullable<TEndpoint['spec']['tars']>['servants'][number], 'port' | 'isTcp' | 'timeout' | 'isSsl' | 'auth' | 'qos' | 'weight' | 'weightType'> & { readonly object: string }

export interface PodEntry {
  readonly pod: PodObject
  /** A node's word that the API server has not confirmed yet. */
  readonly reported?: ReportedState | undefined
}

export type HostForm = 'dns' | 'ip'

/** What concerns more than one server. */
export interface Surroundings {
  readonly hostForm: HostForm
  readonly topology: Topology
  /** Weight of a pod by its load (framework-services 1.5); undefined when nothing is known of it. */
  readonly loadWeight: (podName: string) => number | undefined
  /** True for a slave whose master alone is to be found. */
  readonly isHidden: (podName: string) => boolean
}

/** Milliseconds a call to the registry may take, as told to clients with its own endpoints. */
const registryTimeout = 6000

/** The registry's own two objects: they are known even when nothing else is. */
export const registryServer = { app: 'tars', server: 'tarsregistry' } as const
export const registryObjects: readonly PortSpec[] = [
  { object: 'QueryObj', port: registryPorts.query, isTcp: true, timeout: registryTimeout },
  { object: 'RegistryObj', port: registryPorts.registry, isTcp: true, timeout: registryTimeout },
]
const inNoGroup: readonly Instance[] = [{ enableGroup: false }]
const registryService = serverObjectName(registryServer.app, registryServer.server)

/** Milliseconds that a servant has where its TServer does not say. */
const usualTimeout = 60_000

/** The objects a TEndpoint declares: servants, and the ports of a server of subType normal, which callers with another protocol find by name, too (framework-services F.4). */
export function portsOf({ spec: { tars, normal } }: TEndpoint): readonly PortSpec[] {
  const servants = (tars?.servants ?? []).map(({ name, ...port }) => ({ ...port, object: name }))
  const ports = (normal?.ports ?? []).map(({ name, port, isTcp }) => ({ object: name, port, isTcp, timeout: usualTimeout }))
  return [...servants, ...ports]
}

/** Sets that some of a server's pods belong to, whether these are there or not. Backups are in none, as they are in no list. */
export function setsOf(instances: readonly Instance[] = []): readonly string[] {
  return instances.flatMap(({ set, backup }) => (set === undefined || backup === true ? [] : [set]))
}

/** What a server's pods have in common. */
export interface PodsOf {
  /** Name of the TServer and of its Service. */
  readonly service: string
  readonly instances?: readonly Instance[] | undefined
  readonly hostForm?: HostForm | undefined
  readonly pods: readonly PodEntry[]
}

/** The endpoints of one object over all pods, in a stable order. */
export function endpointEntries(spec: PortSpec, { service, instances, hostForm, pods }: PodsOf, around: Surroundings): Entry[] {
  return pods.toSorted((a, b) => comparePods(a.pod, b.pod)).flatMap(({ pod, reported }): Entry[] => {
    const host = hostOf(pod, service, hostForm ?? around.hostForm)
    const own = instanceOf(instances, ordinalOf(pod.metadata.name))
    if (host === undefined || own.backup === true || around.isHidden(pod.metadata.name)) return []
    const paused = own.flow === 'inactive' || pod.metadata.annotations?.[annotations.flow] === 'inactive'
    const real = own.group === undefined ? around.topology.groupOfPod(pod) : groupId(own.group)
    const placed = {
      ...endpoint(spec, host, podName(pod, service)),
      ...weightOf(spec, own.weight, around.loadWeight(pod.metadata.name)),
      grouprealid: real,
      groupworkid: (own.enableGroup ?? around.topology.enabled) ? real : noGroup,
      setId: own.set ?? '',
    }
    const isServing = !paused && isActivePod(pod, reported)
    return [{ endpoint: placed, active: isServing && !isLostPod(pod), isLost: isServing && isLostPod(pod) }]
  })
}

/**
 * The registry's own objects: every ready registry, whichever of its TServers it is of and wherever it and the caller are, so that
 * clients can fail over among them (framework-services 1.1, 1.2, F.3); the Service's name when no pod is known to be ready.
 */
export function registryEntries(spec: PortSpec, pods: readonly PodEntry[], around: Surroundings): Entry[] {
  const services = [...Map.groupBy(pods, ({ pod }) => ownerNameOf(pod.metadata.labels))].sort(([a], [b]) => (a < b ? -1 : 1))
  const entries = services.flatMap(([service, own]) => endpointEntries(spec, { service, instances: inNoGroup, pods: own }, around))
  return entries.some(({ active }) => active) ? entries : [{ endpoint: endpoint(spec, registryService, ''), active: true }, ...entries]
}

/** As native answers for a server without groups and with weight off: -1 in both group fields and in weight. */
export function endpoint({ port, timeout, isTcp, isSsl = false, auth = false, qos = 0 }: Omit<PortSpec, 'object'>, host: string, nodeName: string): EndpointF {
  return createEndpointF({ host, port, timeout, istcp: isTcp ? (isSsl ? 2 : 1) : 0, qos, authType: auth ? 1 : 0, groupworkid: noGroup, grouprealid: noGroup, weight: -1, nodeName })
}

const fullWeight = 100

/** A weight by load is handed out as a static one, which is above 100 where it is one of many; without one, callers go in turn (framework-services 1.2, 1.5). */
function weightOf({ weightType, weight }: PortSpec, own: number | undefined, byLoad: number | undefined): Pick<EndpointF, 'weight' | 'weightType'> {
  const type = weightType ?? (own === undefined && weight === undefined ? 'loop' : 'static')
  const value = type === 'dynamic' ? (byLoad ?? 0) : Math.min(own ?? weight ?? fullWeight, fullWeight)
  return type === 'loop' || (type === 'dynamic' && value <= 0) ? { weight: -1, weightType: 0 } : { weight: value, weightType: 1 }
}
