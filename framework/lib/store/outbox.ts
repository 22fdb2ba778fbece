import { randomBytes } from 'node:crypto'
import { Failure } from '#base/errors.ts'
import type { Logger } from '#base/log.ts'
import type { Row } from './dataset.ts'
import type { Spool } from './spool.ts'

export interface OutboxOptions {
  readonly spool: Spool
  readonly log: Logger
  /** So long documents are gathered for one write, milliseconds. */
  readonly gatherMs: number
}

/** Documents gathered at once; beyond it they are handed on earlier. */
const most = 1000
/** Documents that wait in memory while the disk refuses them; beyond it the oldest go, counted. */
const mostWaiting = 20_000
/** Longest pause before the disk is tried again, milliseconds. */
const longestPauseMs = 5000

/** Gathers documents, of each the newest version, and hands them on to the spool. */
export class Outbox {
  readonly #options: OutboxOptions
  readonly #run = randomBytes(6).toString('hex')
  readonly #waiting = new Map<string, Row>()
  #timer: NodeJS.Timeout | undefined
  #batches = 0
  #failures = 0
  #flushing: Promise<void> | undefined
  /** Of those that wait for the next try. */
  #next: PromiseWithResolvers<void> | undefined
  readonly counts = { handedOn: 0, lost: 0 }

  constructor(options: OutboxOptions) {
    this.#options = options
  }

  /**
   * Resolves when the end of the process would not lose it; rejects when the disk refuses it, which it is offered to again.
   * @param key of the document, whatever its version
   */
  add(key: string, row: Row): Promise<void> {
    const written = (this.#next ??= Promise.withResolvers<void>()).promise
    // Not all who add wait for it.
    written.catch(() => {})
    this.#take(key, row)
    return written
  }

  #take(key: string, row: Row): void {
    const { gatherMs, log } = this.#options
    this.#waiting.set(key, row)
    this.#timer ??= setTimeout(() => void this.flush(), gatherMs)
    if (this.#failures === 0 && this.#flushing === undefined && this.#waiting.size >= most) void this.flush()
    if (this.#waiting.size <= mostWaiting) return
    const [oldest = ''] = this.#waiting.keys()
    this.#waiting.delete(oldest)
    if (this.counts.lost++ % most === 0) log.error('documents lost: they could not be written for too long', { lost: this.counts.lost })
  }

  /** Hands on what waits; what the disk refuses stays, and is tried again. Resolves when it was tried. */
  async flush(): Promise<void> {
    await this.#flushing
    if (this.#waiting.size > 0) await (this.#flushing ??= this.#handOn().finally(() => (this.#flushing = undefined)))
  }

  async #handOn(): Promise<void> {
    const { spool, gatherMs, log } = this.#options
    clearTimeout(this.#timer)
    this.#timer = undefined
    const taken = [...this.#waiting]
    const told = this.#next
    this.#next = undefined
    try {
      await spool.put(`${Date.now()}-${this.#run}-${String(this.#batches++).padStart(8, '0')}`, taken.map(([, row]) => row))
      this.#failures = 0
      this.counts.handedOn += taken.length
      // A newer version that came meanwhile waits on.
      for (const [key, row] of taken) if (this.#waiting.get(key) === row) this.#waiting.delete(key)
      told?.resolve()
    } catch (error) {
      told?.reject(new Failure('STORE_OUTBOX', 'it cannot be written down yet; it is kept in memory and tried again', { cause: error, temporary: true, remedy: 'make room on the disk' }))
      if (this.#failures++ === 0) log.error('documents cannot be written yet', { waiting: taken.length, error })
      clearTimeout(this.#timer)
      this.#timer = setTimeout(() => void this.flush(), Math.min(gatherMs * 2 ** Math.min(this.#failures, 10), longestPauseMs))
    }
  }

  async stop(): Promise<void> {
    await this.flush()
    clearTimeout(this.#timer)
  }
}
