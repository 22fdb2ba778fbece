import type { Logger } from '#base/log.ts'
import type { KubeClient } from '#kube/client.ts'
import { isConflict, isNotFound } from '#kube/errors.ts'
import type { Informer } from '#kube/informer.ts'
import { keyOf } from '#kube/types.ts'
import type { AddressBook } from './addresses.ts'
import type { RestartBackoffOptions } from './backoff.ts'
import type { EventRecorder } from './events.ts'
import { hostsText, rewriteInPlace } from './hosts.ts'
import { podResource } from './kinds.ts'
import type { Pod, Service } from './kinds.ts'
import { PodWorker } from './pod-worker.ts'
import { namespaceOf } from './runtime.ts'
import type { Runtime } from './runtime.ts'

export interface PodSetOptions {
  readonly client: KubeClient
  readonly runtime: Runtime
  readonly pods: Informer<Pod>
  readonly services: Informer<Service>
  readonly addresses: AddressBook
  readonly events: EventRecorder
  readonly hostIP: string
  readonly backoff: RestartBackoffOptions
  readonly log: Logger
}

/** App of the framework's own servers: they are the last to go. */
const frameworkApp = 'tars'

/** All pods of the node: starts a worker for each, ends it when its pod is to go, keeps the shared hosts file. */
export class PodSet {
  readonly #options: PodSetOptions
  /** By uid, in start order. */
  readonly #workers = new Map<string, PodWorker>()
  readonly #starting = new Set<string>()
  /** Beginnings, ends and removals under way. */
  readonly #tasks = new Set<Promise<void>>()
  readonly #unsubscribe: (() => void)[] = []
  #stopping = false

  constructor(options: PodSetOptions) {
    this.#options = options
  }

  start(): void {
    const { pods, services } = this.#options
    this.#unsubscribe.push(
      asUnsubscribe(pods.onChange((type, pod) => this.#changed(type, pod))),
      asUnsubscribe(services.onChange(() => this.#writeHosts())),
    )
    this.#writeHosts()
  }

  /** Resolves when every pod that was there at the start has a status of this runner. */
  async begun(): Promise<void> {
    await Promise.all(this.#tasks)
    await Promise.all([...this.#workers.values()].map((worker) => worker.begun))
  }

  worker(namespace: string, name: string): PodWorker | undefined {
    return [...this.#workers.values()].findLast(({ pod }) => pod.metadata.name === name && namespaceOf(pod) === namespace)
  }

  /** Ends every pod: business pods together, then the framework's in reverse order of their start. The objects stay. */
  async stop(): Promise<void> {
    this.#stopping = true
    for (const unsubscribe of this.#unsubscribe.splice(0)) unsubscribe()
    const all = [...this.#workers.values()]
    const isFramework = ({ pod, isInProcess }: PodWorker): boolean => isInProcess || pod.metadata.labels?.['tars.io/ServerApp'] === frameworkApp
    await Promise.all(all.filter((worker) => !isFramework(worker)).map((worker) => this.#endQuietly(worker)))
    for (const worker of all.filter(isFramework).toReversed()) await this.#endQuietly(worker)
    await Promise.all(this.#tasks)
  }

  async #endQuietly(worker: PodWorker): Promise<void> {
    await worker.end().catch((error: unknown) => this.#options.log.error('pod not ended well', { pod: keyOf(worker.pod), error }))
  }

  #changed(type: 'added' | 'updated' | 'deleted', pod: Pod): void {
    if (this.#stopping) return
    const uid = pod.metadata.uid ?? ''
    const worker = this.#workers.get(uid)
    if (type === 'deleted') this.#track(this.#vanished(uid, worker))
    else if (pod.metadata.deletionTimestamp !== undefined) this.#track(this.#terminate(pod, worker))
    else if (worker !== undefined) worker.update(pod)
    else if (!isOver(pod)) this.#track(this.#begin(pod))
    this.#writeHosts()
  }

  async #begin(pod: Pod): Promise<void> {
    const { addresses, client, runtime, events, log, hostIP, backoff, pods } = this.#options
    const uid = pod.metadata.uid ?? ''
    if (this.#starting.has(uid)) return
    this.#starting.add(uid)
    try {
      await addresses.reclaim((key) => pods.getByKey(key) !== undefined)
      const podIP = await addresses.addressOf(keyOf(pod))
      const current = pods.getByKey(keyOf(pod))
      if (this.#stopping || current?.metadata.uid !== uid || current.metadata.deletionTimestamp !== undefined) return
      this.#workers.set(uid, new PodWorker({ pod: current, podIP, hostIP, client, runtime, events, log: log.child({ pod: keyOf(pod) }), backoff }))
      this.#writeHosts()
    } finally {
      this.#starting.delete(uid)
    }
  }

  /** Graceful deletion: end, take the files away, let the object go (Kubernetes, "Termination of Pods"). */
  async #terminate(pod: Pod, worker: PodWorker | undefined): Promise<void> {
    worker?.update(pod)
    await worker?.end()
    if (worker !== undefined && this.#workers.get(pod.metadata.uid ?? '') !== worker) return
    await worker?.removeTraces()
    this.#workers.delete(pod.metadata.uid ?? '')
    const { client } = this.#options
    await client.delete(podResource, { namespace: namespaceOf(pod), name: pod.metadata.name }, { gracePeriodSeconds: 0, preconditions: { uid: pod.metadata.uid ?? '' } }).catch((error: unknown) => {
      if (!isNotFound(error) && !isConflict(error)) throw error
    })
  }

  /** Its object is gone already (forced deletion): nothing to be graceful for. */
  async #vanished(uid: string, worker: PodWorker | undefined): Promise<void> {
    if (worker === undefined) return
    this.#workers.delete(uid)
    await worker.end(0)
    await worker.removeTraces()
  }

  #track(work: Promise<void>): void {
    const tracked = work.catch((error: unknown) => this.#options.log.error('pod change failed', { error })).finally(() => this.#tasks.delete(tracked))
    this.#tasks.add(tracked)
  }

  #writeHosts(): void {
    const { runtime, services } = this.#options
    const pods = [...this.#workers.values()].map(({ pod }) => pod).toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
    rewriteInPlace(runtime.layout.hostsFile, hostsText(pods, services.list()))
  }
}

function isOver(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'
}

function asUnsubscribe(value: unknown): () => void {
  return typeof value === 'function' ? (value as () => void) : () => {}
}
