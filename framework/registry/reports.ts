import { setMaxListeners } from 'node:events'
import type { Clock } from '#base/clock.ts'
import type { Logger } from '#base/log.ts'
import { retry } from '#base/retry.ts'
import { isConflict, isNotFound } from '#kube/errors.ts'
import { isOlder } from '#kube/types.ts'
import { conditionsFor, isConfirmed } from './condition.ts'
import type { Directory } from './model/directory.ts'
import { addressesOf, type PodCondition, type PodObject, type ReportedState } from './model/pod-state.ts'

/** Writes conditions into a pod's status; resolves with the pod as it is then. `uid` must still be the pod's. */
export type WriteConditions = (podName: string, uid: string | undefined, conditions: readonly PodCondition[]) => Promise<PodObject>

export interface ReportsOptions {
  readonly directory: Directory<unknown>
  readonly write: WriteConditions
  /** Asks the API server for a pod as it is now; undefined when there is none. */
  readonly fetch: (podName: string) => Promise<PodObject | undefined>
  readonly clock: Clock
  readonly log: Logger
  /** Writes under way at once. Default 16. */
  readonly concurrency?: number
}

interface Entry {
  /** Whose word it is. */
  readonly pod: PodObject
  state: ReportedState
  /** Changes whenever `state` does. */
  revision: number
  /** resourceVersion of the pod that our write made. */
  writtenAs?: string
}

/**
 * What nodes say of their pods: it counts in the read model at once, then goes to the API server, one write a
 * pod at a time and only the latest word, until the watch shows it. Nothing waits for the API server.
 */
export class Reports {
  readonly #options: ReportsOptions
  readonly #entries = new Map<string, Entry>()
  readonly #queue = new Set<string>()
  readonly #writing = new Set<string>()
  readonly #abort = new AbortController()
  #idle: PromiseWithResolvers<void> | undefined

  constructor(options: ReportsOptions) {
    this.#options = options
    setMaxListeners(0, this.#abort.signal)
  }

  /**
   * Takes a checked report over. A report that says what the pod says already costs nothing.
   * @param pod as it was when its node was known by its address
   */
  accept(pod: PodObject, state: ReportedState): void {
    const { directory } = this.#options
    const { name } = pod.metadata
    const entry = this.#entries.get(name)
    const known = directory.pod(name)
    if (entry === undefined && known !== undefined && isSame(known, pod) && isConfirmed(known, state)) return
    if (entry !== undefined && isSame(entry.pod, pod) && sameState(entry.state, state) && this.#isOnItsWay(name, entry)) return
    this.#entries.set(name, { pod, state, revision: (entry?.revision ?? 0) + 1 })
    directory.setReport(name, state)
    this.#queue.add(name)
    this.#pump()
  }

  /** Tells what the watch shows: once it has our write, or a later one, the pod speaks for itself again. */
  observe(pod: PodObject): void {
    const name = pod.metadata.name
    const entry = this.#entries.get(name)
    if (entry === undefined || this.#queue.has(name) || this.#writing.has(name)) return
    const caughtUp = entry.writtenAs !== undefined && !isOlder(pod.metadata.resourceVersion, entry.writtenAs)
    if (caughtUp || isConfirmed(pod, entry.state)) this.#forget(name)
  }

  /** The pod is gone: its node's word dies with it. The word of a later pod of its name stays. */
  observeGone(pod: PodObject): void {
    const { name } = pod.metadata
    const entry = this.#entries.get(name)
    if (entry === undefined || isSame(entry.pod, pod)) this.#forget(name)
    else this.#options.directory.setReport(name, entry.state)
  }

  /** Resolves when nothing is left to write. */
  idle(): Promise<void> {
    if (this.#queue.size === 0 && this.#writing.size === 0) return Promise.resolve()
    this.#idle ??= Promise.withResolvers<void>()
    return this.#idle.promise
  }

  /** Gives up what is not written after `graceMs`. */
  async stop(graceMs = 2000): Promise<void> {
    const giveUp = setTimeout(() => this.#abort.abort(), graceMs)
    await this.idle()
    clearTimeout(giveUp)
  }

  #isOnItsWay(podName: string, entry: Entry): boolean {
    return this.#queue.has(podName) || this.#writing.has(podName) || entry.writtenAs !== undefined
  }

  #forget(podName: string): void {
    this.#entries.delete(podName)
    this.#queue.delete(podName)
    this.#options.directory.setReport(podName, undefined)
  }

  #pump(): void {
    const { concurrency = 16 } = this.#options
    for (const name of this.#queue) {
      if (this.#writing.size >= concurrency) break
      if (this.#writing.has(name)) continue
      this.#queue.delete(name)
      this.#writing.add(name)
      void this.#writeOne(name).finally(() => {
        this.#writing.delete(name)
        this.#settle(name)
        this.#pump()
      })
    }
    if (this.#queue.size > 0 || this.#writing.size > 0) return
    this.#idle?.resolve()
    this.#idle = undefined
  }

  async #writeOne(name: string): Promise<void> {
    const { log } = this.#options
    let sent = this.#entries.get(name)
    try {
      const pod = await retry(
        () => {
          // What was queued meanwhile is what is sent now.
          this.#queue.delete(name)
          sent = this.#entries.get(name)
          return sent === undefined ? Promise.resolve(undefined) : this.#send(sent)
        },
        {
          attempts: Infinity,
          signal: this.#abort.signal,
          onRetry: (error, attempt) => log.info('pod state not written yet', { pod: name, attempt, error }),
        },
      )
      const entry = this.#entries.get(name)
      if (pod?.metadata.resourceVersion !== undefined && entry !== undefined && entry.revision === sent?.revision) entry.writtenAs = pod.metadata.resourceVersion
    } catch (error) {
      if (isConflict(error) && sent !== undefined && (await this.#belongsToNext(sent))) return
      if (isNotFound(error) || isConflict(error)) this.#forget(name)
      log.error('pod state not written', { pod: name, error })
    }
  }

  #send({ pod, state }: Entry): Promise<PodObject> {
    const { directory, write, clock } = this.#options
    const { name, uid } = pod.metadata
    return write(name, uid, conditionsFor(state, directory.pod(name), clock.now()))
  }

  /** The pod is another by now, and its node may be the one that spoke, before the watch had shown it: it has the same address. */
  async #belongsToNext({ pod, state, revision }: Entry): Promise<boolean> {
    const { name } = pod.metadata
    const next = await retry(() => this.#options.fetch(name), { attempts: Infinity, signal: this.#abort.signal }).catch(() => undefined)
    if (next === undefined || !addressesOf(next).some((address) => addressesOf(pod).includes(address))) return false
    const entry = this.#entries.get(name)
    // What it said since is about the same.
    if (entry === undefined || entry.revision === revision) this.accept(next, state)
    else if (!isSame(entry.pod, next)) this.accept(next, entry.state)
    return true
  }

  /** The watch may have shown the write before its answer came. */
  #settle(name: string): void {
    const pod = this.#options.directory.pod(name)
    if (pod !== undefined) this.observe(pod)
  }
}

const isSame = (a: PodObject, b: PodObject): boolean => a.metadata.uid === b.metadata.uid

function sameState(a: ReportedState, b: ReportedState): boolean {
  return a.setting === b.setting && a.present === b.present && a.pid === b.pid && a.message === b.message && a.restarts === b.restarts
}
