import { backoff } from '#base/retry.ts'

export interface WorkQueueOptions {
  /** Delay of a key's first retry in milliseconds; doubles a failure. Default 50. */
  readonly baseMs?: number
  /** Longest delay. Default 60,000. */
  readonly capMs?: number
}

/**
 * Keys waiting for work. A key is there at most once, and never handed to two workers at a time: a key added while
 * it is being worked on is handed out again afterwards. Retries are delayed by key, exponentially, with jitter.
 */
export class WorkQueue {
  readonly #options: WorkQueueOptions
  readonly #ready = new Set<string>()
  readonly #active = new Set<string>()
  readonly #dirty = new Set<string>()
  readonly #timers = new Map<string, { readonly timer: NodeJS.Timeout; readonly due: number }>()
  readonly #failures = new Map<string, number>()
  readonly #waiting: ((key: string | undefined) => void)[] = []
  #closed = false

  constructor(options: WorkQueueOptions = {}) {
    this.#options = options
  }

  /** Keys ready to be taken; neither delayed nor being worked on. */
  get size(): number {
    return this.#ready.size
  }

  /** True when nothing waits, is delayed or is being worked on. */
  get idle(): boolean {
    return this.#ready.size + this.#active.size + this.#timers.size === 0
  }

  add(key: string): void {
    if (this.#closed) return
    this.#cancelTimer(key)
    if (this.#active.has(key)) this.#dirty.add(key)
    else this.#offer(key)
  }

  /** Adds `key` in `delayMs`; of several delays of a key the earliest counts. */
  addAfter(key: string, delayMs: number): void {
    if (this.#closed) return
    const due = performance.now() + delayMs
    const earlier = this.#timers.get(key)
    if (earlier !== undefined && earlier.due <= due) return
    this.#cancelTimer(key)
    this.#timers.set(key, { due, timer: setTimeout(() => this.add(key), delayMs) })
  }

  /** Adds `key` after its back-off, which grows with each call until {@link forget}. @returns the delay in milliseconds */
  addRateLimited(key: string): number {
    const failures = (this.#failures.get(key) ?? 0) + 1
    this.#failures.set(key, failures)
    const { baseMs = 50, capMs = 60_000 } = this.#options
    const delayMs = backoff(failures, { baseMs, capMs })
    this.addAfter(key, delayMs)
    return delayMs
  }

  /** Ends a key's back-off: it succeeded. */
  forget(key: string): void {
    this.#failures.delete(key)
  }

  failures(key: string): number {
    return this.#failures.get(key) ?? 0
  }

  /** The next key, which the caller must give back by {@link finished}; undefined once the queue is closed. */
  take(): Promise<string | undefined> {
    if (this.#closed) return Promise.resolve(undefined)
    const [key] = this.#ready
    if (key === undefined) return new Promise((resolve) => this.#waiting.push(resolve))
    this.#ready.delete(key)
    this.#active.add(key)
    return Promise.resolve(key)
  }

  finished(key: string): void {
    this.#active.delete(key)
    if (this.#dirty.delete(key)) this.add(key)
  }

  /** Hands out no more keys and drops those waiting. */
  close(): void {
    this.#closed = true
    for (const key of this.#timers.keys()) this.#cancelTimer(key)
    this.#ready.clear()
    for (const resolve of this.#waiting.splice(0)) resolve(undefined)
  }

  #offer(key: string): void {
    const waiter = this.#waiting.shift()
    if (waiter === undefined) {
      this.#ready.add(key)
      return
    }
    this.#active.add(key)
    waiter(key)
  }

  #cancelTimer(key: string): void {
    clearTimeout(this.#timers.get(key)?.timer)
    this.#timers.delete(key)
  }
}
