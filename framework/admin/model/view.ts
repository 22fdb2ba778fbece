import { labels, ownerNameOf, serverObjectName } from '#api/names.ts'
import { resources } from '#api/resources.ts'
import { addressesOf, type PodPlace } from '#api/topology.ts'
import type { TEndpoint, TServer } from '#api/types.ts'
import { Lifetime } from '#base/lifecycle.ts'
import type { Logger } from '#base/log.ts'
import type { KubeClient } from '#kube/client.ts'
import { Informer } from '#kube/informer.ts'
import { hasEnded } from '#kube/pod-addresses.ts'
import { pods } from '#kube/resources.ts'
import type { ServerRow } from '../contract.ts'
import type { PodObject } from './pod-row.ts'
import { serverRow } from './server-row.ts'

/** What the API answers from. */
export interface View extends Lifetime {
  /** All servers by name, in order. */
  servers(): readonly ServerRow[]
  /** By the TServer's name or as `App.Server`. */
  server(name: string): ServerRow | undefined
  /** As it is in the cluster. */
  tserver(name: string): TServer | undefined
  /** Resolves as soon as the TServer is known to be as wanted, with true; with false when the time is over. */
  untilServer(name: string, isWanted: (server: TServer) => boolean, timeoutMs: number): Promise<boolean>
  pod(name: string): PodObject | undefined
  /** The pod that has an IP address for itself, so not one on its node's own network. */
  podAt(address: string): PodPlace | undefined
  /** The server that a pod belongs to. */
  serverOfPod(podName: string): ServerRow | undefined
  /** Resolves when everything was listed once. */
  synced(): Promise<void>
  ageMs(): number
}

/** Watches TServers, TEndpoints and their pods in one namespace. */
export function startView({ client, namespace, log }: { readonly client: KubeClient; readonly namespace: string; readonly log: Logger }): View {
  const common = { client, namespace, log }
  const tservers = new Informer<TServer>({ ...common, resource: resources.tservers })
  const tendpoints = new Informer<TEndpoint>({ ...common, resource: resources.tendpoints })
  const allPods = new Informer({ ...common, resource: pods, labelSelector: labels.app })
  const informers = [tservers, tendpoints, allPods]
  const lifetime = new Lifetime()
  for (const informer of informers) {
    lifetime.onStop(() => informer.stop())
    informer.start()
  }
  const findPod = (name: string) => allPods.get(namespace, name) as PodObject | undefined
  const row = (server: TServer) => serverRow(server, tendpoints.get(namespace, server.metadata.name), findPod)
  // Rows are made when they are asked for, and again only after what they tell of has changed.
  const rows = new Map<string, ServerRow>()
  let ordered: readonly ServerRow[] | undefined
  const outdate = (name: string): void => {
    rows.delete(name)
    ordered = undefined
  }
  for (const informer of [tservers, tendpoints]) informer.onChange((_type, { metadata: { name } }) => outdate(name))
  allPods.onChange((_type, pod, old) => [pod, old].forEach((one) => one && outdate(ownerNameOf(one.metadata.labels))))
  const find = (name: string) => {
    const server = tservers.get(namespace, objectName(name))
    if (server === undefined) return undefined
    const known = rows.get(server.metadata.name) ?? row(server)
    rows.set(server.metadata.name, known)
    return known
  }
  return Object.assign(lifetime, {
    servers: () => (ordered ??= tservers.list().flatMap(({ metadata }) => find(metadata.name) ?? []).sort((a, b) => (a.name < b.name ? -1 : 1))),
    server: find,
    tserver: (name: string) => tservers.get(namespace, objectName(name)),
    untilServer: async (name: string, isWanted: (server: TServer) => boolean, timeoutMs: number) => {
      const { promise, resolve } = Promise.withResolvers<boolean>()
      const wanted = objectName(name)
      const overdue = setTimeout(() => resolve(false), timeoutMs)
      const end = tservers.onChange((type, server) => void (server.metadata.name === wanted && type !== 'deleted' && isWanted(server) && resolve(true)))
      return promise.finally(() => (clearTimeout(overdue), end()))
    },
    pod: findPod,
    podAt: (address: string) => allPods.list().find((pod) => !hasEnded(pod) && pod['spec']?.hostNetwork !== true && addressesOf(pod as PodPlace).includes(address)) as PodPlace | undefined,
    serverOfPod(podName: string) {
      return find(ownerNameOf(allPods.get(namespace, podName)?.metadata.labels))
    },
    synced: async () => void (await Promise.all(informers.map((informer) => informer.synced()))),
    ageMs: () => Math.max(...informers.map((informer) => informer.ageMs())),
  })
}

/** `App.Server` → `app-server`; a name of that form stays. */
function objectName(name: string): string {
  const [app = '', server, ...rest] = name.split('.', 3)
  return server === undefined || rest.length > 0 ? name : serverObjectName(app, server)
}
