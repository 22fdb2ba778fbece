import type { Running } from '#base/lifecycle.ts'
import type { Logger } from '#base/log.ts'
import { backoff, sleep } from '#base/retry.ts'
import type { KubeClient } from './client.ts'
import { isExpired } from './errors.ts'
import { isOlderVersion, keyOf } from './types.ts'
import type { AnyObject, KubeObject, Resource } from './types.ts'

export type ChangeType = 'added' | 'updated' | 'deleted'

/** `old` is there for `updated`; the object of `deleted` is its last known state. */
export type ChangeHandler<T extends KubeObject> = (type: ChangeType, object: T, old?: T) => unknown

export interface InformerOptions<T extends KubeObject = AnyObject> {
  readonly client: KubeClient
  readonly resource: Resource<T>
  readonly namespace?: string | undefined
  readonly labelSelector?: string | undefined
  readonly fieldSelector?: string | undefined
  readonly log: Logger
  /** Keeps less of each object in memory; runs before handlers see it. `metadata.managedFields`, which nobody reads, are never kept. */
  readonly transform?: (object: T) => T
  /** Milliseconds of silence after which a watch is taken for dead; servers send bookmarks about once a minute. Default 150,000. */
  readonly stallMs?: number
  /** First delay after a failure; doubles up to 30 s. Default 200. */
  readonly backoffMs?: number
}

/**
 * A read model of one collection, kept by list and watch. It never gives up: it goes on from the last
 * resourceVersion after an ended or broken watch, lists again on 410, and backs off with jitter while the server
 * fails. What it knows stays readable meanwhile, and {@link ageMs} says how old it is.
 */
export class Informer<T extends KubeObject = AnyObject> implements Running {
  readonly #options: InformerOptions<T>
  readonly #abort = new AbortController()
  readonly #synced = Promise.withResolvers<void>()
  readonly #handlers = new Set<ChangeHandler<T>>()
  #objects = new Map<string, T>()
  /** Versions of objects that were learned from writes and that the watch has not come to yet. */
  readonly #ahead = new Map<string, string>()
  #resourceVersion = ''
  #hasSynced = false
  #confirmedAt = Number.NEGATIVE_INFINITY
  #failures = 0
  #loop: Promise<void> | undefined

  constructor(options: InformerOptions<T>) {
    this.#options = options
    this.#synced.promise.catch(() => {})
  }

  /**
   * Takes over what was known earlier, e.g. before a restart; the first list replaces it. Does nothing after that list.
   * @param ageMs milliseconds since the server confirmed it
   */
  seed(items: readonly T[], ageMs: number): void {
    if (this.#hasSynced) return
    this.#confirmedAt = performance.now() - ageMs
    for (const item of items) this.#put(item)
  }

  /** Begins; returns at once. Calling it again does nothing. */
  start(): void {
    this.#loop ??= this.#run()
  }

  /** Resolves when the first list has been taken over and its handlers have run; rejects when stopped before. */
  synced(): Promise<void> {
    return this.#synced.promise
  }

  get hasSynced(): boolean {
    return this.#hasSynced
  }

  /** The object, not to be changed by the caller. `namespace` is ignored for cluster-scoped kinds. */
  get(namespace: string | undefined, name: string): T | undefined {
    return this.#objects.get(keyOf({ metadata: { name, ...(this.#options.resource.namespaced && namespace !== undefined ? { namespace } : {}) } }))
  }

  getByKey(key: string): T | undefined {
    return this.#objects.get(key)
  }

  list(): T[] {
    return [...this.#objects.values()]
  }

  get size(): number {
    return this.#objects.size
  }

  /** Version of the last list, event or bookmark taken in. */
  get resourceVersion(): string {
    return this.#resourceVersion
  }

  /**
   * Calls `handler` at every change, in order, after the store has it. What is known already is told as `added`
   * at once. What the handler throws or rejects with is logged and harms nobody else.
   * @returns ends it
   */
  onChange(handler: ChangeHandler<T>): () => void {
    for (const object of this.#objects.values()) this.#call(handler, 'added', object)
    this.#handlers.add(handler)
    return () => this.#handlers.delete(handler)
  }

  /**
   * Takes in what the server answered to a write of ours, ahead of the watch, so that nobody decides on what was before it.
   * An answer that the watch has overtaken changes nothing.
   */
  learn(written: T): void {
    const { resourceVersion = '' } = written.metadata
    const key = keyOf(written)
    if (!isOlderVersion(this.#resourceVersion, resourceVersion) || isOlderVersion(resourceVersion, this.#ahead.get(key))) return
    this.#ahead.set(key, resourceVersion)
    this.#put(this.#kept(written))
  }

  /** Milliseconds since the server last confirmed what is known here; Infinity before the first list. */
  ageMs(): number {
    return performance.now() - this.#confirmedAt
  }

  async stop(): Promise<void> {
    this.#abort.abort()
    this.#synced.reject(new Error(`the informer of ${this.#options.resource.plural} was stopped before it was synced`))
    await this.#loop
  }

  get done(): Promise<void> {
    return this.#loop ?? Promise.resolve()
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort
    while (!signal.aborted) {
      try {
        if (this.#resourceVersion === '') await this.#relist(signal)
        await this.#follow(signal)
      } catch (error) {
        if (!signal.aborted) await this.#recover(error, signal)
      }
    }
  }

  async #recover(error: unknown, signal: AbortSignal): Promise<void> {
    const { log, resource, backoffMs = 200 } = this.#options
    if (isExpired(error)) this.#resourceVersion = ''
    this.#failures++
    const delayMs = backoff(this.#failures, { baseMs: backoffMs, capMs: 30_000 })
    log.info('list-watch interrupted', { resource: resource.plural, error, retryInMs: Math.round(delayMs), relist: this.#resourceVersion === '' })
    // An answer that is no network trouble (403, 404 of a CRD not yet there) may mean the collection changed: list again.
    if ((error as { temporary?: boolean }).temporary !== true) this.#resourceVersion = ''
    await sleep(delayMs, signal).catch(() => {})
  }

  async #relist(signal: AbortSignal): Promise<void> {
    const { client, resource, namespace, labelSelector, fieldSelector } = this.#options
    const answer = await client.list(resource, { namespace, labelSelector, fieldSelector, signal, each: (object) => this.#kept(object) })
    this.#replace(answer.items)
    this.#resourceVersion = answer.metadata.resourceVersion ?? ''
    this.#confirm()
    this.#hasSynced = true
    this.#synced.resolve()
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const { client, resource, namespace, labelSelector, fieldSelector, stallMs = 150_000 } = this.#options
    const watch = client.watch(resource, {
      namespace, labelSelector, fieldSelector, signal, stallMs,
      resourceVersion: this.#resourceVersion,
      timeoutSeconds: Math.round(300 + 300 * Math.random()),
      onOpen: () => (this.#confirmedAt = performance.now()),
    })
    const openedAt = performance.now()
    let events = 0
    for await (const event of watch) {
      events++
      this.#confirm()
      this.#resourceVersion = event.object.metadata.resourceVersion ?? this.#resourceVersion
      if (event.type === 'BOOKMARK' || this.#isOutdated(event.object)) continue
      if (event.type === 'DELETED') this.#remove(this.#kept(event.object))
      else this.#put(this.#kept(event.object))
    }
    // A server that ends watches at once must not be asked in a tight loop.
    if (events === 0 && performance.now() - openedAt < 1000) await sleep(backoff(++this.#failures, { baseMs: 50, capMs: 5000 }), signal)
  }

  #confirm(): void {
    this.#confirmedAt = performance.now()
    this.#failures = 0
  }

  /** Takes a whole list over: what is missing from it was deleted while nobody watched. */
  #replace(items: readonly T[]): void {
    this.#ahead.clear()
    const present = new Set(items.map(keyOf))
    for (const [key, object] of this.#objects) if (!present.has(key)) this.#remove(object)
    for (const item of items) this.#put(item)
  }

  /** True for news of a time before what was learned from a write. */
  #isOutdated({ metadata }: T): boolean {
    const key = keyOf({ metadata })
    if (isOlderVersion(metadata.resourceVersion, this.#ahead.get(key))) return true
    this.#ahead.delete(key)
    return false
  }

  #kept(object: T): T {
    const { managedFields: _, ...metadata } = object.metadata
    const kept = { ...object, metadata }
    return this.#options.transform?.(kept) ?? kept
  }

  #put(object: T): void {
    const key = keyOf(object)
    const old = this.#objects.get(key)
    if (old !== undefined && old.metadata.resourceVersion === object.metadata.resourceVersion && old.metadata.uid === object.metadata.uid) return
    this.#objects.set(key, object)
    // Same name, other uid: the old one was deleted and a new one made while nobody watched.
    if (old !== undefined && old.metadata.uid !== object.metadata.uid) {
      this.#emit('deleted', old)
      this.#emit('added', object)
    } else this.#emit(old === undefined ? 'added' : 'updated', object, old)
  }

  #remove(object: T): void {
    const known = this.#objects.get(keyOf(object))
    if (known === undefined) return
    this.#objects.delete(keyOf(object))
    this.#emit('deleted', object)
  }

  #emit(type: ChangeType, object: T, old?: T): void {
    for (const handler of this.#handlers) this.#call(handler, type, object, old)
  }

  #call(handler: ChangeHandler<T>, ...change: Parameters<ChangeHandler<T>>): void {
    const report = (error: unknown) => this.#options.log.error('change handler failed', { resource: this.#options.resource.plural, change: change[0], key: keyOf(change[1]), error })
    try {
      const result = handler(...change)
      if (result instanceof Promise) result.catch(report)
    } catch (error) {
      report(error)
    }
  }
}

/** Resolves when all of them are synced, or after `ms` milliseconds; rejects when one is stopped before. */
export async function syncedWithin(ms: number, ...informers: readonly Pick<Informer, 'synced'>[]): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, ms)
  await Promise.race([Promise.all(informers.map((informer) => informer.synced())), late]).finally(() => clearTimeout(timer))
}
