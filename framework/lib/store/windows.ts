import { randomBytes } from 'node:crypto'
import { systemClock, type Clock } from '#base/clock.ts'
import { Failure } from '#base/errors.ts'
import { Lifetime } from '#base/lifecycle.ts'
import type { Logger } from '#base/log.ts'
import { metric } from '#base/metrics.ts'
import type { Fold, Sums } from './fold.ts'
import { inGroups } from './groups.ts'
import { Journal } from './journal.ts'
import type { Closed, Keeping } from './keeper.ts'
import type { Tape } from './tape.ts'

export interface WindowsOptions {
  /** Journals are kept here. */
  readonly folder: string
  /** How long a window is, milliseconds: minutes that an hour is a multiple of. */
  readonly lengthMs: number
  /** @param memory for it, of a window that is done with */
  readonly fold: (memory: Sums | undefined) => Fold
  readonly keeper: Keeping
  /** A journal with more bytes than this, and grown fourfold since, is written anew with what it comes to. Default 64 MiB. */
  readonly compactBytes?: number
  readonly log: Logger
  readonly clock?: Clock
}

/** Keys that are written in one turn of the event loop when a journal is written anew. */
const keysATurn = 500
/** A journal that could not be written anew is tried again when it has grown by so much. */
const retryBytes = 1 << 20
/** A torn one is tried again after so long, milliseconds. */
const mendMs = 500
/** Mostly one window is open and one is with the keeper. */
const mostAtOnce = 2
/** Of so many windows that many begin in memory of their own. */
const freshEvery = 60
/** How often closed windows are looked for; they are handed on at most so much after their end, milliseconds. */
const lookEveryMs = 1000

interface Window {
  readonly name: string
  readonly end: number
  readonly fold: Fold
  /** Monotonic: when it is over though the wall clock was set back. */
  readonly deadline: number
  compactAt: number
  /** The disk refused some of its journal, and the rest may be of no use without: keys are named there once. */
  isTorn: boolean
  /** Its journal is being written anew for that. */
  mending: Promise<void> | undefined
  /** Monotonic: that is not tried before. */
  mendAfter: number
}

/**
 * Gathers records by windows of time and hands each one that is over to the keeper, as memory that both share: nobody who
 * reports waits for what is done with it, and when it is, a later window has that memory. A record is acknowledged when it is in the {@link Journal}, which stays until the
 * keeper has no more use for it.
 */
export class Windows extends Lifetime {
  readonly #options: Required<WindowsOptions>
  readonly #journal: Journal
  readonly #run = randomBytes(6).toString('hex')
  #current: Window | undefined
  /** Windows that are over and whose journals are still there, by name; with those of earlier processes. */
  readonly #over = new Map<string, Closed>()
  /** Those that the keeper has, and the memory that it looks at meanwhile. */
  readonly #handed = new Map<string, Sums | undefined>()
  /** Memory of windows that are done with, for the next ones. */
  #spare: Sums[] = []
  #handingOn = Promise.resolve()
  readonly counts = { windows: 0, journalFailures: 0, overflow: 0 }

  /** @throws Failure STORE_FOLDER */
  constructor(options: WindowsOptions) {
    super()
    this.#options = { clock: systemClock, compactBytes: 64 << 20, ...options }
    this.#journal = new Journal(options.folder)
    for (const name of this.#journal.leftovers()) this.#over.set(name, { name, end: Number(name.split('-')[0]), closedAt: this.#options.clock.monotonic(), sums: undefined })
    void this.#handOn()
    const timer = setInterval(() => void this.look(), lookEveryMs)
    this.onStop(async () => {
      clearInterval(timer)
      await this.close()
      this.#journal.close()
    })
  }

  /**
   * Takes records in, all or none of them. Resolves when the end of the process would not lose them.
   * @param count adds them to the fold of the window that is open, which takes them down
   * @throws Failure STORE_JOURNAL when it would, as the disk refuses them; they count all the same
   */
  async add(count: (fold: Fold, tape: Tape) => void): Promise<void> {
    const window = this.#windowNow()
    count(window.fold, this.#journal.tape(window.name))
    try {
      await this.#journal.written()
      if (window.isTorn || window.mending !== undefined) await this.#mend(window)
    } catch (error) {
      // The disk is full or away. Nobody who reports says it again, so it stays counted.
      if (this.counts.journalFailures++ === 0) this.#options.log.error('what is reported cannot be written down; it is kept in memory', { error })
      window.isTorn = true
      throw notWritten(error)
    }
    if (this.#journal.bytes(window.name) >= window.compactAt) void this.#compact(window)
  }

  /** Hands on the windows that have ended. Resolves when that was tried. */
  look(): Promise<void> {
    return this.#current !== undefined && this.#isOver(this.#current) ? this.close() : this.#handOn()
  }

  /** Ends the window that is open, though its time is not over, and hands it on. Resolves when that was tried. */
  close(): Promise<void> {
    const window = this.#current
    this.#current = undefined
    if (window !== undefined) {
      this.#countOverflow(window.fold)
      this.counts.windows++
      this.#over.set(window.name, { name: window.name, end: window.end, closedAt: this.#options.clock.monotonic(), sums: window.fold.release() })
    }
    return this.#handOn()
  }

  metrics(prefix: string): string {
    return [
      metric(`${prefix}_windows_total`, 'Windows of time that were closed.', [[this.counts.windows]]),
      metric(`${prefix}_windows_waiting`, 'Windows that are over and not handed on yet.', [[this.#over.size]]),
      metric(`${prefix}_overflow_total`, 'Records that were counted together with others, because there were too many kinds, in windows that are over.', [[this.counts.overflow]]),
      metric(`${prefix}_journal_failures_total`, 'Reports that were counted, but that the disk refused to write down.', [[this.counts.journalFailures]]),
    ].join('')
  }

  #countOverflow({ overflow }: Fold): void {
    this.counts.overflow += overflow
    if (overflow > 0) this.#options.log.error('too many kinds of things were reported; some are counted together', { records: overflow })
  }

  #isOver({ end, deadline }: Window): boolean {
    const { clock } = this.#options
    return clock.now() >= end || clock.monotonic() >= deadline
  }

  #windowNow(): Window {
    if (this.#current !== undefined && !this.#isOver(this.#current)) return this.#current
    void this.close()
    const { lengthMs, fold, clock, compactBytes } = this.#options
    const end = (Math.floor(clock.now() / lengthMs) + 1) * lengthMs
    // Several of one time have names of their own: a second one is begun when the first was closed early.
    const name = `${String(end).padStart(13, '0')}-${this.#run}-${String(this.counts.windows).padStart(6, '0')}`
    this.#current = { name, end, fold: fold(this.#spareNow()), deadline: clock.monotonic() + lengthMs, compactAt: compactBytes, isTorn: false, mending: undefined, mendAfter: 0 }
    return this.#current
  }

  /** Memory for the window that begins; now and then there is none, so that what was needed for many keys once is not kept for ever. */
  #spareNow(): Sums | undefined {
    if (this.counts.windows % freshEvery < mostAtOnce) this.#spare = []
    return this.#spare.pop()
  }

  /** Writes a torn journal anew. @throws when it is as it was */
  async #mend(window: Window): Promise<void> {
    const { clock } = this.#options
    if (window.mending === undefined && clock.monotonic() < window.mendAfter) throw new Error('the disk was full a moment ago')
    window.mendAfter = clock.monotonic() + mendMs
    window.mending ??= this.#rewrite(window).finally(() => (window.mending = undefined))
    await window.mending
  }

  /** Makes a journal smaller. */
  async #compact(window: Window): Promise<void> {
    const { compactBytes, log } = this.#options
    window.compactAt = Infinity
    try {
      await this.#rewrite(window)
      window.compactAt = Math.max(compactBytes, this.#journal.bytes(window.name) * 4)
    } catch (error) {
      window.compactAt = this.#journal.bytes(window.name) + retryBytes
      if (window === this.#current) log.error('a journal could not be made smaller', { error })
    }
  }

  /** Writes a journal anew while it goes on: the last that is said of a key is what counts, so both may be in any order. */
  async #rewrite(window: Window): Promise<void> {
    this.#mustBeOpen(window)
    window.isTorn = false
    this.#journal.beginPart(window.name)
    for (const _ of inGroups(window.fold.takeDown(() => this.#journal.tape(window.name)), keysATurn)) {
      await this.#journal.written()
      this.#mustBeOpen(window)
    }
    await this.#journal.dropEarlierParts(window.name)
  }

  #mustBeOpen(window: Window): void {
    if (window !== this.#current) throw new Error('the window is over')
  }

  /** One after the other. */
  #handOn(): Promise<void> {
    return (this.#handingOn = this.#handingOn.then(() => this.#handAllOn()))
  }

  async #handAllOn(): Promise<void> {
    const { keeper, log } = this.#options
    try {
      const fresh = [...this.#over.values()].filter(({ name }) => !this.#handed.has(name))
      for (const window of fresh) await this.#take(window)
      if (this.#over.size > 0 && fresh.length === 0) await this.#forget(await keeper.take())
    } catch (error) {
      // With what it had: that is in journals.
      log.error('windows are not kept; it is tried again', { windows: this.#over.size, error })
      this.#handed.clear()
    }
  }

  /** The keeper looks at its memory from now on. */
  async #take(window: Closed): Promise<void> {
    const { keeper } = this.#options
    this.#handed.set(window.name, window.sums)
    this.#over.set(window.name, { ...window, sums: undefined })
    await this.#forget(await keeper.take(window))
  }

  async #forget(names: readonly string[]): Promise<void> {
    for (const name of names) {
      const memory = this.#handed.get(name)
      if (memory !== undefined && this.#spare.length < mostAtOnce) this.#spare.push(memory)
      this.#over.delete(name)
      this.#handed.delete(name)
      // One that stays is handed on again by the next process, under the same ids.
      await this.#journal.remove(name).catch((error: unknown) => this.#options.log.error('a journal could not be removed', { window: name, error }))
    }
  }
}

const notWritten = (cause: unknown): Failure =>
  new Failure('STORE_JOURNAL', 'it counts, but cannot be written down: the end of this process would lose it', { cause, temporary: true, remedy: 'make room on the disk' })
