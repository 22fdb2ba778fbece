import { randomBytes } from 'node:crypto'
import { systemClock, type Clock } from '#base/clock.ts'
import { Lifetime } from '#base/lifecycle.ts'
import type { Logger } from '#base/log.ts'
import { metric } from '#base/metrics.ts'
import type { Row } from './dataset.ts'
import { Journal } from './journal.ts'
import { minuteOf, type Minute } from './minute.ts'
import type { Spool } from './spool.ts'

/** What the records of one window come to. */
export interface Fold<R> {
  add(record: R): void
  /** Fewer records that come to the same. */
  records(): IteratorObject<R>
  /** Fields of the rows to be kept; the same records in the same order give the same rows in the same order. */
  rows(): Iterable<Row['fields']>
  /** Records that were counted together with others, because there were too many kinds. */
  readonly overflow: number
}

export interface WindowsOptions<R, F extends Fold<R> = Fold<R>> {
  /** Journals are kept here. */
  readonly folder: string
  /** How long a window is, milliseconds: minutes that an hour is a multiple of. */
  readonly lengthMs: number
  readonly fold: () => F
  readonly spool: Spool
  /** Told when a window was closed, before its rows are handed on. */
  readonly onClosed?: (fold: F) => void
  readonly log: Logger
  readonly clock?: Clock
}

/** A journal with more bytes than this, and grown fourfold since, is written anew with what it comes to. */
const compactBytes = 8 << 20
/** Windows that wait because the disk refuses them; beyond it the oldest go. */
const mostClosed = 60
/** How often closed windows are looked for; they are handed on at most so much after their end, milliseconds. */
const lookEveryMs = 1000

interface Window<F> {
  /** `<end in milliseconds>-<run>`: its journal, its batch, and the start of its rows' ids. */
  readonly name: string
  readonly end: number
  readonly fold: F
  /** Monotonic: when it is over though the wall clock was set back. */
  readonly deadline: number
  compactAt: number
}

/**
 * Gathers records by windows of time and hands each closed window on to the spool. A record is acknowledged when it is in
 * the journal. What an earlier process left is handed on under that process' own ids: whether it had been handed on already
 * or not, it counts once.
 */
export class Windows<R, F extends Fold<R> = Fold<R>> extends Lifetime {
  readonly #options: Required<WindowsOptions<R, F>>
  readonly #journal: Journal
  readonly #run = randomBytes(6).toString('hex')
  #current: Window<F> | undefined
  readonly #closed: Window<F>[] = []
  readonly counts = { windows: 0, journalFailures: 0, lostWindows: 0, overflow: 0 }

  /** @throws Failure STORE_FOLDER */
  constructor(options: WindowsOptions<R, F>) {
    super()
    this.#options = { clock: systemClock, onClosed: () => {}, ...options }
    this.#journal = new Journal(options.folder)
    for (const { name, records } of this.#journal.leftovers()) {
      const window: Window<F> = { name, end: Number(name.split('-')[0]), fold: options.fold(), deadline: 0, compactAt: 0 }
      for (const some of records) for (const record of some as readonly R[]) window.fold.add(record)
      this.#closed.push(window)
    }
    this.#handOn()
    const timer = setInterval(() => this.look(), lookEveryMs)
    this.onStop(() => {
      clearInterval(timer)
      this.close()
      this.#journal.close()
    })
  }

  /** Takes records in, all or none of them. Resolves when the end of the process would not lose them. */
  async add(records: readonly R[]): Promise<void> {
    if (records.length === 0) return
    const window = this.#windowNow()
    for (const record of records) window.fold.add(record)
    try {
      await this.#journal.append(window.name, records)
    } catch (error) {
      // The disk is full or away. What was counted stays counted; only the end of the process would lose it.
      if (this.counts.journalFailures++ === 0) this.#options.log.error('what is reported cannot be written down; it is kept in memory', { error })
      return
    }
    this.#compact(window)
  }

  /** Hands on the windows that have ended. */
  look(): void {
    if (this.#current !== undefined && this.#isOver(this.#current)) this.close()
    else this.#handOn()
  }

  /** Ends the window that is open, though its time is not over. */
  close(): void {
    if (this.#current !== undefined) {
      this.#closed.push(this.#current)
      this.#options.onClosed(this.#current.fold)
      this.counts.windows++
      this.#countOverflow(this.#current.fold)
    }
    this.#current = undefined
    this.#handOn()
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

  #countOverflow({ overflow }: F): void {
    this.counts.overflow += overflow
    if (overflow > 0) this.#options.log.error('too many kinds of things were reported; some are counted together', { records: overflow })
  }

  #isOver({ end, deadline }: Window<F>): boolean {
    const { clock } = this.#options
    return clock.now() >= end || clock.monotonic() >= deadline
  }

  #windowNow(): Window<F> {
    if (this.#current !== undefined && !this.#isOver(this.#current)) return this.#current
    this.close()
    const { lengthMs, fold, clock } = this.#options
    const end = (Math.floor(clock.now() / lengthMs) + 1) * lengthMs
    // Several of one time have names of their own: a second one is begun when the first was closed early.
    const name = `${String(end).padStart(13, '0')}-${this.#run}-${String(this.counts.windows).padStart(6, '0')}`
    this.#current = { name, end, fold: fold(), deadline: clock.monotonic() + lengthMs, compactAt: compactBytes }
    return this.#current
  }

  #compact(window: Window<F>): void {
    const bytes = this.#journal.bytes(window.name)
    if (bytes < window.compactAt) return
    try {
      this.#journal.replace(window.name, window.fold.records().map((record) => [record]))
      window.compactAt = Math.max(compactBytes, this.#journal.bytes(window.name) * 4)
    } catch (error) {
      window.compactAt = bytes * 2
      this.#options.log.error('a journal could not be made smaller', { error })
    }
  }

  #handOn(): void {
    const { spool, log } = this.#options
    for (let window = this.#closed[0]; window !== undefined; window = this.#closed[0]) {
      try {
        spool.put(window.name, rowsOf(window))
      } catch (error) {
        log.error('a window could not be handed on; it is tried again', { window: window.name, waiting: this.#closed.length, error })
        if (this.#closed.length <= mostClosed) return
        this.counts.lostWindows++
      }
      this.#closed.shift()
      this.#journal.remove(window.name)
    }
  }
}

function rowsOf({ name, end, fold }: Window<Pick<Fold<unknown>, 'rows'>>): Row[] {
  const minute: Minute = minuteOf(end)
  const when = { f_timestamp: Math.floor(end / 1000), ...minute }
  return [...fold.rows()].map((fields, index) => ({ id: `${name}-${index.toString(36)}`, day: minute.f_date, fields: { ...when, ...fields } }))
}
