import { labels, names } from '#api/names.ts'
import { resources } from '#api/resources.ts'
import type { TEndpoint, TFrameworkConfig, TTemplate } from '#api/types.ts'
import { Lifetime } from '#base/lifecycle.ts'
import type { Logger } from '#base/log.ts'
import type { KubeClient } from '#kube/client.ts'
import { Informer } from '#kube/informer.ts'
import { pods } from '#kube/resources.ts'
import { withoutStatus, type KubeObject } from '#kube/types.ts'
import type { Directory } from './model/directory.ts'
import { essentials, type PodObject } from './model/pod-state.ts'
import type { Reports } from './reports.ts'

/** The watches that the read model lives on. */
export interface Feeds extends Lifetime {
  template(name: string): TTemplate | undefined
  /** Resolves when everything has been listed once. */
  synced(): Promise<void>
  /** Milliseconds since the API server last confirmed the oldest of what is known; Infinity before the first list. */
  ageMs(): number
}

export interface FeedOptions {
  readonly client: KubeClient
  readonly namespace: string
  readonly directory: Directory<unknown>
  readonly reports: Reports
  readonly log: Logger
}

/** Starts to watch TEndpoints, pods of servers, TTemplates and the TFrameworkConfig of one namespace. */
export function startFeeds({ client, namespace, directory, reports, log }: FeedOptions): Feeds {
  const common = { client, namespace, log }
  const endpoints = new Informer<TEndpoint>({ ...common, resource: resources.tendpoints, transform: withoutStatus })
  const servers = new Informer({ ...common, resource: pods, labelSelector: labels.app, transform: (pod) => essentials(pod as KubeObject & PodObject) })
  const templates = new Informer<TTemplate>({ ...common, resource: resources.ttemplates })
  const config = new Informer<TFrameworkConfig>({ ...common, resource: resources.tframeworkconfigs, fieldSelector: `metadata.name=${names.framework}` })

  endpoints.onChange((type, endpoint) => (type === 'deleted' ? directory.removeEndpoint(endpoint) : directory.setEndpoint(endpoint)))
  servers.onChange((type, object) => followPod(type === 'deleted', object as PodObject, directory, reports))
  config.onChange((type, object) => {
    if (object.metadata.name === names.framework) directory.setFrameworkConfig(type === 'deleted' ? undefined : object)
  })

  const informers = [endpoints, servers, templates, config]
  const lifetime = new Lifetime()
  for (const informer of informers) {
    lifetime.onStop(() => informer.stop())
    informer.start()
  }
  return Object.assign(lifetime, {
    template: (name: string) => templates.get(namespace, name),
    synced: async () => void (await Promise.all(informers.map((informer) => informer.synced()))),
    ageMs: () => Math.max(...informers.map((informer) => informer.ageMs())),
  })
}

function followPod(gone: boolean, pod: PodObject, directory: Directory<unknown>, reports: Reports): void {
  if (gone) {
    directory.removePod(pod)
    reports.observeGone(pod.metadata.name)
    return
  }
  directory.setPod(pod)
  reports.observe(pod)
}
