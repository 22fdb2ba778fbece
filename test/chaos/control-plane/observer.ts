import { labels } from '#api/names.ts'
import { silentLogger } from '#base/log.ts'
import type { KubeClient } from '#kube/client.ts'
import { Informer } from '#kube/informer.ts'
import { pods, statefulSets } from '#kube/resources.ts'
import type { AnyObject, Resource } from '#kube/types.ts'
import { digest } from '../../../framework/controller/reconcile/apply.ts'
import { tars } from './space.ts'

/** A pod that ended while it was watched. */
export interface EndedPod {
  readonly uid: string
  readonly name: string
}

/** Sees what no look at the end can show: what was there in between. It has its own way to the API server, which nothing disturbs. */
export class Observer {
  readonly faults: string[] = []
  readonly #informers: readonly Informer[]
  /** Pod templates of a StatefulSet in order, by its UID. */
  readonly #templates = new Map<string, string[]>()
  /** UID of the TServer that each StatefulSet was made for, by its own UID. */
  readonly #servers = new Map<string, string>()
  /** Pods that each TEndpoint has told of, by its UID. */
  readonly #told = new Map<string, Map<string, EndedPod>>()
  readonly #ended = new Set<string>()

  constructor(client: KubeClient) {
    const watch = (resource: Resource): Informer => new Informer({ client, resource, labelSelector: labels.server, log: silentLogger, backoffMs: 50 })
    const [sets, podStore, endpoints] = [watch(statefulSets), watch(pods), watch(tars('tendpoints'))]
    sets.onChange((type, set) => void (type !== 'deleted' && this.#noteSet(set)))
    podStore.onChange((type, pod) => void (type === 'deleted' && this.#ended.add(pod.metadata.uid ?? '')))
    endpoints.onChange((_type, endpoint) => this.#noteEndpoint(endpoint))
    this.#informers = [sets, podStore, endpoints]
  }

  async start(): Promise<void> {
    for (const informer of this.#informers) informer.start()
    await Promise.all(this.#informers.map((informer) => informer.synced()))
  }

  async stop(): Promise<void> {
    await Promise.all(this.#informers.map((informer) => informer.stop()))
  }

  /** How many StatefulSets a TServer has had. */
  setsOf(serverUid: string): number {
    return [...this.#servers.values()].filter((uid) => uid === serverUid).length
  }

  /** Pods that a TEndpoint has told of and that have ended. */
  endedOf(endpointUid: string): readonly EndedPod[] {
    return [...(this.#told.get(endpointUid)?.values() ?? [])].filter(({ uid }) => this.#ended.has(uid))
  }

  #noteSet({ metadata: { uid = '', namespace, name, ownerReferences }, spec }: AnyObject): void {
    const owner = ownerReferences?.find(({ kind }) => kind === 'TServer')
    if (owner !== undefined) this.#servers.set(uid, owner.uid)
    const text = digest(spec.template)
    const seen = this.#templates.get(uid) ?? []
    if (seen.at(-1) === text) return
    // Every change of the workload is new: what comes again was put back by somebody who knew no better, and pods were restarted for it.
    if (seen.includes(text)) this.faults.push(`StatefulSet ${namespace ?? ''}/${name} went back to a pod template that it had left`)
    this.#templates.set(uid, [...seen, text])
  }

  #noteEndpoint({ metadata: { uid = '' }, status }: AnyObject): void {
    const told = this.#told.get(uid) ?? new Map<string, EndedPod>()
    for (const { uid: pod, name } of (status?.pods ?? []) as EndedPod[]) told.set(pod, { uid: pod, name })
    this.#told.set(uid, told)
  }
}
