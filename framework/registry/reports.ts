import { addressesOf } from '#api/topology.ts'
import { setMaxListeners } from 'node:events'
import type { Clock } from '#base/clock.ts'
import type { Logger } from '#base/log.ts'
import { Failure } from '#base/errors.ts'
import { retry } from '#base/retry.ts'
import { isConflict, isNotFound } from '#kube/errors.ts'
import { isOlder, isOlderVersion } from '#kube/types.ts'
import { conditionsFor, isConfirmed, shownAt } from './condition.ts'
import { EarlyWords, type Speaker } from './early-words.ts'
import type { Directory } from './model/directory.ts'
import type { PodCondition, PodObject, ReportedState } from './model/pod-state.ts'

/** The API server's clock may be ahead of what is known of it, by the second that it counts in and the way of an answer; seconds. */
const behind = 2

/** Writes conditions into a pod's status; resolves with the pod as it is then. Its uid must still be the one given, and its resourceVersion, too, if it is known. */
export type WriteConditions = (pod: { readonly name: string; readonly uid: string | undefined; readonly resourceVersion?: string | undefined }, conditions: readonly PodCondition[]) => Promise<PodObject>

export interface ReportsOptions {
  readonly directory: Directory<unknown>
  readonly write: WriteConditions
  /** Asks the API server for a pod as it is now; undefined when there is none. */
  readonly fetch: (podName: string) => Promise<PodObject | undefined>
  /** The API server's: it dates pods. */
  readonly clock: Clock
  readonly log: Logger
  /** Writes under way at once. Default 16. */
  readonly concurrency?: number
}

/** What was said, when, and by when it had come here; both by the API server's clock, seconds since the epoch. */
type Told = ReportedState & { readonly saidAt: number; readonly cameBy: number }

/** What the node of a pod said last. */
interface Word {
  /** Whose word it is, as it was seen last. */
  pod: PodObject
  state: Told
  /** Which of all words it is; no other has it, not of another pod of the name either. */
  readonly revision: number
  /** The pod does not say so itself yet. */
  isPending: boolean
  /** resourceVersion of the pod that our write made. */
  writtenAs?: string
}

/**
 * What nodes say of their pods: it counts in the read model at once, then goes to the API server, one write a
 * pod at a time and only the latest word, until the watch shows it. Nothing waits for the API server.
 *
 * A node may speak to several registries, and what one of them could not write for a while, or what was on its way to the API
 * server for a while, is not to come in the place of what another has written since; nor is what comes here late, from before
 * that. So each word has a time, by which the pod shows it, and is taken only when it is the latest. A write is for the pod as it was seen, and when that has changed, the word
 * is written only over an earlier one; and where the watch shows an earlier one, the later is written again.
 */
export class Reports {
  readonly #options: ReportsOptions
  readonly #words = new Map<string, Word>()
  readonly #early = new EarlyWords()
  readonly #queue = new Set<string>()
  readonly #writing = new Set<string>()
  readonly #abort = new AbortController()
  /** Words that were taken over. */
  #taken = 0
  #idle: PromiseWithResolvers<void> | undefined

  constructor(options: ReportsOptions) {
    this.#options = options
    setMaxListeners(0, this.#abort.signal)
  }

  /**
   * Takes a checked report over. A report that says what the pod says already costs nothing. One that does not say its time is the latest.
   * @param pod as it was when its node was known by its address
   * @returns undefined, or the time after which it must be said, seconds since the epoch: it is not taken
   */
  accept(pod: PodObject, told: ReportedState): number | undefined {
    const { directory, clock } = this.#options
    const { name } = pod.metadata
    // What it said before that is over.
    this.#early.take(pod, clock.monotonic())
    const shown = directory.pod(name)
    const word = this.#words.get(name)
    const latest = latestOf(pod, shown, word)
    if (told.saidAt !== undefined && told.saidAt <= latest) return latest
    const now = clock.now() / 1000
    const state = { ...told, saidAt: told.saidAt ?? Math.max(Math.floor(now), latest + 1), cameBy: now + behind }
    const isSaid = shown !== undefined && isSame(shown, pod) && isConfirmed(shown, state)
    if (word?.isPending !== true && isSaid) this.#words.set(name, { pod: shown, state, revision: word?.revision ?? 0, isPending: false })
    else if (word?.isPending === true && isSame(word.pod, pod) && sameState(word.state, state) && this.#isOnItsWay(name, word)) word.state = state
    else this.#take(pod, state)
    return undefined
  }

  /**
   * Keeps a checked report until the watch shows the pod with the address that it came from. Then it is of the time when it came here:
   * another registry may have taken a later word. Of two of the same second, told to two registries, Activating is the first.
   */
  keep(speaker: Speaker, told: ReportedState): void {
    const { clock } = this.#options
    this.#early.keep(speaker, { ...told, saidAt: Math.floor(clock.now() / 1000) - (told.present === 'Activating' ? 1 : 0) }, clock.monotonic())
    this.#lookAgain(speaker.podName)
  }

  #take(pod: PodObject, state: Told): void {
    const { name } = pod.metadata
    this.#words.set(name, { pod, state, revision: ++this.#taken, isPending: true })
    this.#options.directory.setReport(name, state)
    this.#queue.add(name)
    this.#pump()
  }

  /** Tells what the watch shows: once it has our write, or a later one, the pod speaks for itself again. */
  observe(pod: PodObject): void {
    const name = pod.metadata.name
    const early = this.#early.take(pod, this.#options.clock.monotonic())
    if (early !== undefined) this.accept(pod, early)
    const word = this.#words.get(name)
    if (word === undefined) return
    if (!isSame(word.pod, pod)) return this.#observeOther(pod, word)
    if (word.isPending && this.#isBeingWritten(name)) return
    const isSaid = isConfirmed(pod, word.state)
    const hasCaughtUp = word.writtenAs !== undefined && !isOlder(pod.metadata.resourceVersion, word.writtenAs)
    if (word.isPending && !hasCaughtUp && !isSaid) return
    if (!isSaid && isEarlier(pod, word)) this.#take(pod, word.state)
    else this.#settle(word, pod)
  }

  /** A pod of the name that is not whose word it was taken for: one from before, or one whose word it may be. */
  #observeOther(pod: PodObject, word: Word): void {
    const { name, resourceVersion } = pod.metadata
    if (isOlderVersion(resourceVersion, word.pod.metadata.resourceVersion)) return
    const isIts = word.isPending && maySay(pod, word)
    if (isIts === true) return this.#take(pod, word.state)
    // It may be that of a pod after this one, too: the write tells.
    const isOpen = isIts === undefined || (word.isPending && cameSince(pod, word) && this.#isBeingWritten(name))
    if (isOpen) this.#options.directory.setReport(name, undefined)
    else this.#forget(name)
  }

  /**
   * The pod is gone: its node's word dies with it. The word of a later pod of its name stays, and so does one on its way, which may be
   * that of a later one: of that one's node, before the watch has shown it. The answer to the write, or the watch, tells.
   */
  observeGone(pod: PodObject): void {
    const { name } = pod.metadata
    const word = this.#words.get(name)
    const stays = word?.isPending === true && (!isSame(word.pod, pod) || word.writtenAs === undefined)
    if (stays) this.#options.directory.setReport(name, word.state)
    else this.#forget(name)
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

  #isOnItsWay(podName: string, word: Word): boolean {
    return this.#isBeingWritten(podName) || word.writtenAs !== undefined
  }

  #isBeingWritten(podName: string): boolean {
    return this.#queue.has(podName) || this.#writing.has(podName)
  }

  #settle(word: Word, pod: PodObject): void {
    const { name } = pod.metadata
    if (isSame(word.pod, pod)) word.pod = pod
    if (!word.isPending) return
    word.isPending = false
    delete word.writtenAs
    this.#options.directory.setReport(name, undefined)
  }

  #forget(podName: string): void {
    this.#words.delete(podName)
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
        this.#lookAgain(name)
        this.#pump()
      })
    }
    if (this.#queue.size > 0 || this.#writing.size > 0) return
    this.#idle?.resolve()
    this.#idle = undefined
  }

  async #writeOne(name: string): Promise<void> {
    const { log } = this.#options
    let sent: Word | undefined
    try {
      const pod = await retry(
        (attempt) => {
          // What was queued meanwhile is what is sent now.
          this.#queue.delete(name)
          sent = this.#pending(name)
          return sent === undefined ? Promise.resolve(undefined) : this.#send(sent, attempt > 1)
        },
        {
          attempts: Infinity,
          signal: this.#abort.signal,
          onRetry: (error, attempt) => log.info('pod state not written yet', { pod: name, attempt, error }),
        },
      )
      const word = this.#pending(name)
      if (pod?.metadata.resourceVersion !== undefined && word !== undefined && word.revision === sent?.revision) word.writtenAs = pod.metadata.resourceVersion
    } catch (error) {
      if (isConflict(error) && sent !== undefined && (await this.#belongsToNext(sent))) return
      const isOver = isNotFound(error) || isConflict(error)
      if (isOver && this.#pending(name)?.revision === sent?.revision) this.#forget(name)
      log.error('pod state not written', { pod: name, error })
    }
  }

  #pending(name: string): Word | undefined {
    const word = this.#words.get(name)
    return word?.isPending === true ? word : undefined
  }

  /** @param isLate it was put off: others may have written meanwhile, and what the watch shows may be old */
  async #send({ pod, state }: Word, isLate: boolean): Promise<PodObject> {
    const { directory, write, fetch, clock } = this.#options
    const { name, uid } = pod.metadata
    const now = isLate ? await fetch(name) : directory.pod(name)
    const own = now !== undefined && isSame(now, pod) ? now : isLate ? undefined : pod
    if (own !== undefined && (shownAt(own) ?? 0) >= state.saidAt) return own
    try {
      return await write({ name, uid, resourceVersion: own?.metadata.resourceVersion }, conditionsFor(state, own, clock.now()))
    } catch (error) {
      throw own !== undefined && isConflict(error) ? new Failure('POD_CHANGED', `pod ${name} was written by somebody else`, { cause: error, temporary: true }) : error
    }
  }

  /** The pod is another by now, and its node may be the one that spoke, before the watch had shown it: it has the same address. */
  async #belongsToNext(sent: Word): Promise<boolean> {
    const { pod, state, revision } = sent
    const { name } = pod.metadata
    const next = await retry(() => this.#options.fetch(name), { attempts: Infinity, signal: this.#abort.signal }).catch(() => undefined)
    const isIts = next !== undefined && maySay(next, sent)
    // As long as that is not known it waits for the watch to show the address.
    if (isIts !== true) return isIts === undefined
    const word = this.#pending(name)
    // What it said since is about the same.
    if (word === undefined || word.revision === revision) this.#take(next, state)
    else if (isOlderVersion(word.pod.metadata.resourceVersion, next.metadata.resourceVersion) && !isSame(word.pod, next)) this.#take(next, word.state)
    return true
  }

  /** The watch may have shown the write before its answer came. */
  #lookAgain(name: string): void {
    const pod = this.#options.directory.pod(name)
    if (pod !== undefined) this.observe(pod)
  }
}

/** Whether a word came when the next pod of the name was there, and that has not told another registry more since. */
const cameSince = (next: PodObject, { state }: Word): boolean => state.cameBy >= madeAt(next) && (shownAt(next) ?? 0) < state.saidAt

/** Whether a word may be that of the next pod of the name, which has the same address. Undefined as long as that has no address. */
function maySay(next: PodObject, word: Word): boolean | undefined {
  if (!cameSince(next, word)) return false
  const addresses = addressesOf(next)
  return addresses.length === 0 ? undefined : addresses.some((address) => addressesOf(word.pod).includes(address))
}

/** An earlier word was written since. What others than registries change has the time that was there before. */
function isEarlier(pod: PodObject, word: Word): boolean {
  const at = shownAt(pod)
  return at !== undefined && at !== shownAt(word.pod) && at < word.state.saidAt
}

/** After what time a word of a pod is the latest of all that pods of its name said, and not from before it was made; seconds since the epoch. */
const latestOf = (pod: PodObject, shown: PodObject | undefined, told: Word | undefined): number => Math.max(madeAt(pod) - 1, shownAt(pod) ?? 0, (shown && shownAt(shown)) ?? 0, told?.state.saidAt ?? 0)

/** When a pod was made, seconds since the epoch; 0 when it does not say. */
const madeAt = ({ metadata: { creationTimestamp } }: PodObject): number => (creationTimestamp === undefined ? 0 : Date.parse(creationTimestamp) / 1000)

const isSame = (a: PodObject, b: PodObject): boolean => a.metadata.uid === b.metadata.uid

function sameState(a: ReportedState, b: ReportedState): boolean {
  return a.setting === b.setting && a.present === b.present && a.pid === b.pid && a.message === b.message && a.restarts === b.restarts
}
