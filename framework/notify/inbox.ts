import type { Logger } from '#base/log.ts'
import type { NotifyRecord } from './model/record.ts'

export interface InboxOptions {
  readonly append: (records: readonly NotifyRecord[]) => void
  readonly log: Logger
  /** Milliseconds notifications are gathered for one write. Default 20. */
  readonly gatherMs?: number
  /** Notifications that wait while they cannot be written; the oldest go first. Default 20,000. */
  readonly capacity?: number
}

/** Gathers notifications into few writes, and keeps them in memory while the disk refuses. */
export class Inbox {
  readonly #options: InboxOptions
  #waiting: NotifyRecord[] = []
  #timer: NodeJS.Timeout | undefined
  #failures = 0

  constructor(options: InboxOptions) {
    this.#options = options
  }

  add(record: NotifyRecord): void {
    const { capacity = 20_000, log, gatherMs = 20 } = this.#options
    this.#waiting.push(record)
    if (this.#waiting.length > capacity) {
      const lost = this.#waiting.splice(0, Math.ceil(capacity / 10))
      log.error('notifications lost: they could not be written for too long', { lost: lost.length })
    }
    this.#timer ??= setTimeout(() => this.flush(), Math.min(gatherMs * 2 ** this.#failures, 5000))
  }

  /** Writes what waits; what cannot be written stays and is tried again. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#waiting.length === 0) return
    try {
      this.#options.append(this.#waiting)
      this.#waiting = []
      this.#failures = 0
    } catch (error) {
      this.#failures = Math.min(this.#failures + 1, 8)
      this.#options.log.error('notifications not written yet', { waiting: this.#waiting.length, error })
      this.#timer = setTimeout(() => this.flush(), Math.min(20 * 2 ** this.#failures, 5000))
    }
  }

  stop(): void {
    this.flush()
    clearTimeout(this.#timer)
  }
}
