// From a server's declaration and its pods to the endpoint lists of its objects. Pure.
import { createEndpointF, type EndpointF } from '#tars/protocol/QueryF.ts'
import type { TEndpoint } from '#api/types.ts'
import { registryPorts, serverObjectName } from '#api/names.ts'
import { comparePods, hostOf, isActivePod, podName, type PodObject, type ReportedState } from './pod-state.ts'

/** Where one object is served. */
export interface ServantView {
  readonly active: readonly EndpointF[]
  readonly inactive: readonly EndpointF[]
}

/** What an object's port looks like, for every pod of its server. */
export interface PortSpec {
  readonly object: string
  readonly port: number
  readonly isTcp: boolean
  /** Milliseconds. */
  readonly timeout: number
}

export interface PodEntry {
  readonly pod: PodObject
  /** A node's word that the API server has not confirmed yet. */
  readonly reported?: ReportedState | undefined
}

export type HostForm = 'dns' | 'ip'

/** Milliseconds a call to the registry may take, as told to clients with its own endpoints. */
const registryTimeout = 6000

/** The registry's own two objects: they are known even when nothing else is. */
export const registryServer = { app: 'tars', server: 'tarsregistry' } as const
const registryObjects: readonly PortSpec[] = [
  { object: 'QueryObj', port: registryPorts.query, isTcp: true, timeout: registryTimeout },
  { object: 'RegistryObj', port: registryPorts.registry, isTcp: true, timeout: registryTimeout },
]

/** The objects a TEndpoint declares; none for subType normal, whose ports are no Tars objects. */
export function portsOf(endpoint: TEndpoint | undefined): readonly PortSpec[] {
  return (endpoint?.spec.tars?.servants ?? []).map(({ name, port, isTcp, timeout }) => ({ object: name, port, isTcp, timeout }))
}

/** The endpoint lists of one object over all pods, in a stable order. */
export function servantView(spec: PortSpec, service: string, entries: Iterable<PodEntry>, form: HostForm): ServantView {
  const active: EndpointF[] = []
  const inactive: EndpointF[] = []
  for (const { pod, reported } of [...entries].sort((a, b) => comparePods(a.pod, b.pod))) {
    const host = hostOf(pod, service, form)
    if (host === undefined) continue
    const list = isActivePod(pod, reported) ? active : inactive
    list.push(endpoint(spec, host, podName(pod, service)))
  }
  return { active, inactive }
}

/**
 * The registry's own objects: every ready registry, so that clients can fail over among them
 * (framework-services 1.1, F.3); the Service's name when no pod of it is known to be ready.
 */
export function registryViews(service: string, entries: Iterable<PodEntry>, form: HostForm): ReadonlyMap<string, ServantView> {
  const views = new Map<string, ServantView>()
  const all = [...entries]
  for (const spec of registryObjects) {
    const view = servantView(spec, service, all, form)
    const active = view.active.length > 0 ? view.active : [endpoint(spec, service, '')]
    views.set(spec.object, { active, inactive: view.inactive })
  }
  return views
}

export const registryService = serverObjectName(registryServer.app, registryServer.server)

/** As native answers for a server without groups and with weight off: -1 in both group fields and in weight. */
export function endpoint(spec: Omit<PortSpec, 'object'>, host: string, nodeName: string): EndpointF {
  return createEndpointF({
    host,
    port: spec.port,
    timeout: spec.timeout,
    istcp: spec.isTcp ? 1 : 0,
    groupworkid: -1,
    grouprealid: -1,
    weight: -1,
    nodeName,
  })
}
