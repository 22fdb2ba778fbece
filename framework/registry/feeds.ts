import { labels, names } from '#api/names.ts'
import { resources } from '#api/resources.ts'
import type { NodeObject } from '#api/topology.ts'
import type { TEndpoint, TFrameworkConfig, TTemplate } from '#api/types.ts'
import { Lifetime } from '#base/lifecycle.ts'
import type { Logger } from '#base/log.ts'
import type { KubeClient } from '#kube/client.ts'
import { Informer, syncedWithin } from '#kube/informer.ts'
import type { Lease } from '#kube/lease.ts'
import { nodePlaces } from '#kube/node-places.ts'
import { leases, pods } from '#kube/resources.ts'
import type { Informers } from '#kube/snapshot.ts'
import { withoutStatus, type AnyObject, type KubeObject, type Resource } from '#kube/types.ts'
import type { Locks } from './locks.ts'
import type { Directory } from './model/directory.ts'
import { essentials, type PodObject } from './model/pod-state.ts'
import type { Reports } from './reports.ts'

/** The watches that the read model lives on. */
export interface Feeds extends Lifetime {
  template(name: string): TTemplate | undefined
  /** Takes in how a pod is now, ahead of the watch. */
  learnPod(pod: PodObject): void
  /** Resolves when everything has been listed once; nodes only if they may be listed. */
  synced(): Promise<void>
  /** Milliseconds since the API server last confirmed the oldest of what is known; Infinity before the first list. */
  ageMs(): number
  /** What is worth keeping over a restart, and what is beside it, which may not be known. */
  readonly kept: { readonly informers: Informers; readonly beside: Informers }
}

export interface FeedOptions {
  readonly client: KubeClient
  readonly namespace: string
  readonly directory: Directory<unknown>
  readonly reports: Reports
  readonly locks: Locks
  readonly log: Logger
}

/** Milliseconds that nodes are waited for: whoever may not list them has no groups by label, and all else. */
const nodesMs = 3000

/** Milliseconds between two looks for locks that are not used any more. */
const unusedEveryMs = 60_000

/** Starts to watch TEndpoints, pods of servers, TTemplates, locks and the TFrameworkConfig of one namespace, and the nodes. */
export function startFeeds({ client, namespace, directory, reports, locks, log }: FeedOptions): Feeds {
  const common = { client, namespace, log }
  const endpoints = new Informer<TEndpoint>({ ...common, resource: resources.tendpoints, transform: withoutStatus })
  const servers = new Informer({ ...common, resource: pods, labelSelector: labels.app, transform: (pod) => essentials(pod as KubeObject & PodObject) })
  const templates = new Informer<TTemplate>({ ...common, resource: resources.ttemplates })
  const config = new Informer<TFrameworkConfig>({ ...common, resource: resources.tframeworkconfigs, fieldSelector: `metadata.name=${names.framework}` })
  const places = nodePlaces({ client, log })
  const held = new Informer<Lease>({ ...common, resource: leases as Resource<Lease>, labelSelector: labels.app })

  endpoints.onChange((type, endpoint) => (type === 'deleted' ? directory.removeEndpoint(endpoint) : directory.setEndpoint(endpoint)))
  servers.onChange((type, object) => followPod(type === 'deleted', object as PodObject, directory, reports))
  places.onChange((type, node) => (type === 'deleted' ? directory.removeNode(node) : directory.setNode(node as NodeObject)))
  held.onChange((type, lease) => locks.observe(lease, type === 'deleted'))
  config.onChange((type, object) => {
    if (object.metadata.name === names.framework) directory.setFrameworkConfig(type === 'deleted' ? undefined : object)
  })

  const needed = [endpoints, servers, templates, config]
  const lifetime = new Lifetime()
  for (const informer of [...needed, places, held]) {
    lifetime.onStop(() => informer.stop())
    informer.start()
  }
  const unused = setInterval(() => void locks.giveBackUnused(held.ageMs()), unusedEveryMs)
  lifetime.onStop(() => clearInterval(unused))
  const withNodes = async () => {
    await syncedWithin(nodesMs, places, held)
    if (!places.hasSynced) log.error('nodes cannot be listed: groups are by configured address only', { remedy: 'let the ServiceAccount of tarsregistry list and watch nodes' })
  }
  return Object.assign(lifetime, {
    template: (name: string) => templates.get(namespace, name),
    learnPod: (pod: PodObject) => servers.learn(pod as unknown as AnyObject),
    synced: async () => {
      await Promise.all(needed.map((informer) => informer.synced()))
      await withNodes()
    },
    ageMs: () => Math.max(...needed.map((informer) => informer.ageMs())),
    kept: { informers: { endpoints, servers, templates, config } as unknown as Informers, beside: { places, held } as unknown as Informers },
  })
}

/** Takes in what the watch shows of a pod. */
export function followPod(gone: boolean, pod: PodObject, directory: Directory<unknown>, reports: Reports): void {
  if (gone) {
    directory.removePod(pod)
    reports.observeGone(pod)
    return
  }
  directory.setPod(pod)
  reports.observe(pod)
}
