import { randomBytes } from 'node:crypto'
import type { Logger } from '#base/log.ts'
import type { Row } from '#store/dataset.ts'
import type { Spool } from '#store/spool.ts'

/** So long events are gathered, milliseconds: of one that changes faster only every so often a version is kept. */
const gatherMs = 1000
/** Events gathered at once; beyond it they are handed on earlier. */
const most = 1000

/** Gathers the newest version of each event, and hands them on to the spool. */
export class Outbox {
  readonly #spool: Spool
  readonly #log: Logger
  readonly #run = randomBytes(6).toString('hex')
  readonly #waiting = new Map<string, Row>()
  #timer: NodeJS.Timeout | undefined
  #batches = 0
  events = 0

  constructor(spool: Spool, log: Logger) {
    this.#spool = spool
    this.#log = log
  }

  /** @param key of the event, whatever its version */
  add(key: string, row: Row): void {
    this.#waiting.set(key, row)
    this.#timer ??= setTimeout(() => this.flush(), gatherMs)
    if (this.#waiting.size >= most) this.flush()
  }

  /** What the disk refuses stays, and is tried again. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#waiting.size === 0) return
    const rows = [...this.#waiting.values()]
    try {
      this.#spool.put(`${Date.now()}-${this.#run}-${String(this.#batches).padStart(8, '0')}`, rows)
      this.#batches++
      this.events += rows.length
      this.#waiting.clear()
    } catch (error) {
      this.#log.error('events cannot be handed on yet', { events: rows.length, error })
      // The API server has them for an hour; this process need not hold more than it can.
      for (const key of [...this.#waiting.keys()].slice(0, Math.max(0, this.#waiting.size - 10 * most))) this.#waiting.delete(key)
      this.#timer = setTimeout(() => this.flush(), 5 * gatherMs)
    }
  }

  stop(): void {
    this.flush()
    clearTimeout(this.#timer)
  }
}
