import { randomBytes } from 'node:crypto'
import { systemClock, type Clock } from '#base/clock.ts'
import { Failure } from '#base/errors.ts'
import { Lifetime } from '#base/lifecycle.ts'
import type { Logger } from '#base/log.ts'
import { metric } from '#base/metrics.ts'
import type { Row } from './dataset.ts'
import type { Fold, Measured } from './fold.ts'
import { inGroups } from './groups.ts'
import { Journal } from './journal.ts'
import { minuteOf, type Minute } from './minute.ts'
import type { Spool } from './spool.ts'

export interface WindowsOptions<N, V> {
  /** Journals are kept here. */
  readonly folder: string
  /** How long a window is, milliseconds: minutes that an hour is a multiple of. */
  readonly lengthMs: number
  readonly fold: () => Fold<N, V>
  readonly spool: Spool
  /** Told when a window was closed, or was found of an earlier process, before its rows are handed on. `end`: of its time, milliseconds. */
  readonly onClosed?: (fold: Fold<N, V>, end: number) => void
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
/** Windows that wait because the disk refuses them; beyond it the oldest go. */
const mostClosed = 60
/** How often closed windows are looked for; they are handed on at most so much after their end, milliseconds. */
const lookEveryMs = 1000

interface Window<N, V> {
  /** `<end in milliseconds>-<run>`: its journal, its batch, and the start of its rows' ids. */
  readonly name: string
  readonly end: number
  readonly fold: Fold<N, V>
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
 * Gathers records by windows of time and hands each closed window on to the spool, a few rows a turn of the event loop, so
 * that nobody who reports waits for it. A record is acknowledged when it is in the {@link Journal}. What an earlier process
 * left is handed on under that process' own ids: whether it had been handed on already or not, it counts once.
 */
export class Windows<N, V> extends Lifetime {
  readonly #options: Required<WindowsOptions<N, V>>
  readonly #journal: Journal
  readonly #run = randomBytes(6).toString('hex')
  #current: Window<N, V> | undefined
  readonly #closed: Window<N, V>[] = []
  #handingOn = Promise.resolve()
  readonly counts = { windows: 0, journalFailures: 0, lostWindows: 0, overflow: 0 }

  /** @throws Failure STORE_FOLDER */
  constructor(options: WindowsOptions<N, V>) {
    super()
    this.#options = { clock: systemClock, onClosed: () => {}, compactBytes: 64 << 20, ...options }
    this.#journal = new Journal(options.folder)
    for (const { name, tapes } of this.#journal.leftovers()) {
      const fold = options.fold()
      fold.restore(tapes)
      const end = Number(name.split('-')[0])
      this.#closed.push({ name, end, fold, deadline: 0, compactAt: Infinity, isTorn: false, mending: undefined, mendAfter: 0 })
      this.#options.onClosed(fold, end)
    }
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
   * @throws Failure STORE_JOURNAL when it would, as the disk refuses them; they count all the same
   */
  async add(records: readonly Measured<N, V>[]): Promise<void> {
    if (records.length === 0) return
    const window = this.#windowNow()
    const tape = this.#journal.tape(window.name)
    for (const record of records) window.fold.add(record, tape)
    try {
      await this.#journal.written()
    } catch (error) {
      // The disk is full or away. Nobody who reports says it again, so it stays counted.
      if (this.counts.journalFailures++ === 0) this.#options.log.error('what is reported cannot be written down; it is kept in memory', { error })
      window.isTorn = true
      throw notWritten(error)
    }
    if (window.isTorn || window.mending !== undefined) await this.#mend(window)
    if (this.#journal.bytes(window.name) >= window.compactAt) void this.#compact(window)
  }

  /** Hands on the windows that have ended. Resolves when that was tried. */
  look(): Promise<void> {
    return this.#current !== undefined && this.#isOver(this.#current) ? this.close() : this.#handOn()
  }

  /** Ends the window that is open, though its time is not over, and hands it on. Resolves when that was tried. */
  close(): Promise<void> {
    if (this.#current !== undefined) {
      this.#closed.push(this.#current)
      this.#options.onClosed(this.#current.fold, this.#current.end)
      this.counts.windows++
      this.#countOverflow(this.#current.fold)
    }
    this.#current = undefined
    return this.#handOn()
  }

  metrics(prefix: string): string {
    return [
      metric(`${prefix}_windows_total`, 'Windows of time that were closed.', [[this.counts.windows]]),
      metric(`${prefix}_windows_waiting`, 'Closed windows that the disk refused so far.', [[this.#closed.length]]),
      metric(`${prefix}_windows_lost_total`, 'Windows lost because the disk refused them for too long.', [[this.counts.lostWindows]]),
      metric(`${prefix}_overflow_total`, 'Records that were counted together with others, because there were too many kinds, in windows that are over.', [[this.counts.overflow]]),
      metric(`${prefix}_journal_failures_total`, 'Reports that were counted, but that the disk refused to write down.', [[this.counts.journalFailures]]),
    ].join('')
  }

  #countOverflow({ overflow }: Fold<N, V>): void {
    this.counts.overflow += overflow
    if (overflow > 0) this.#options.log.error('too many kinds of things were reported; some are counted together', { records: overflow })
  }

  #isOver({ end, deadline }: Window<N, V>): boolean {
    const { clock } = this.#options
    return clock.now() >= end || clock.monotonic() >= deadline
  }

  #windowNow(): Window<N, V> {
    if (this.#current !== undefined && !this.#isOver(this.#current)) return this.#current
    void this.close()
    const { lengthMs, fold, clock, compactBytes } = this.#options
    const end = (Math.floor(clock.now() / lengthMs) + 1) * lengthMs
    // Several of one time have names of their own: a second one is begun when the first was closed early.
    const name = `${String(end).padStart(13, '0')}-${this.#run}-${String(this.counts.windows).padStart(6, '0')}`
    this.#current = { name, end, fold: fold(), deadline: clock.monotonic() + lengthMs, compactAt: compactBytes, isTorn: false, mending: undefined, mendAfter: 0 }
    return this.#current
  }

  /** Writes a torn journal anew. @throws Failure STORE_JOURNAL when it is as it was */
  async #mend(window: Window<N, V>): Promise<void> {
    const { clock } = this.#options
    if (window.mending === undefined && clock.monotonic() < window.mendAfter) throw notWritten('the disk was full a moment ago')
    window.mendAfter = clock.monotonic() + mendMs
    window.mending ??= this.#rewrite(window).finally(() => (window.mending = undefined))
    try {
      await window.mending
    } catch (error) {
      window.isTorn = true
      throw notWritten(error)
    }
  }

  /** Makes a journal smaller. */
  async #compact(window: Window<N, V>): Promise<void> {
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
  async #rewrite(window: Window<N, V>): Promise<void> {
    window.isTorn = false
    this.#journal.beginPart(window.name)
    for (const _ of inGroups(window.fold.takeDown(() => this.#journal.tape(window.name)), keysATurn)) {
      await this.#journal.written()
      if (window !== this.#current) throw new Error('the window is over')
    }
    await this.#journal.dropEarlierParts(window.name)
  }

  /** One after the other. */
  #handOn(): Promise<void> {
    return (this.#handingOn = this.#handingOn.then(() => this.#handAllOn()))
  }

  async #handAllOn(): Promise<void> {
    const { spool, log } = this.#options
    for (let window = this.#closed[0]; window !== undefined; window = this.#closed[0]) {
      try {
        await spool.put(window.name, rowsOf(window))
      } catch (error) {
        log.error('a window could not be handed on; it is tried again', { window: window.name, waiting: this.#closed.length, error })
        if (this.#closed.length <= mostClosed) return
        this.counts.lostWindows++
      }
      this.#closed.shift()
      // One that stays is handed on again by the next process, under the same ids.
      await this.#journal.remove(window.name).catch((error: unknown) => log.error('a journal could not be removed', { window: window.name, error }))
    }
  }
}

const notWritten = (cause: unknown): Failure =>
  new Failure('STORE_JOURNAL', 'it counts, but cannot be written down: the end of this process would lose it', { cause, temporary: true, remedy: 'make room on the disk' })

function* rowsOf<N, V>({ name, end, fold }: Window<N, V>): Iterable<Row> {
  const minute: Minute = minuteOf(end)
  const when = { f_timestamp: Math.floor(end / 1000), ...minute }
  let index = 0
  for (const fields of fold.rows()) yield { id: `${name}-${(index++).toString(36)}`, day: minute.f_date, fields: { ...when, ...fields } }
}
