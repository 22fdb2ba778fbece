import { backoff } from '#base/retry.ts'
import type { Logger } from '#base/log.ts'
import type { View } from '../service/supervisor.ts'

/** Tells the registry one state; rejects when it was not heard. */
export type SendState = (view: View) => Promise<void>

/** The whole state is told again this often, in case that it was lost on the registry's side. */
const RESEND_MS = 120_000
const RETRY = { baseMs: 200, capMs: 15_000 }

/**
 * Reports each change at once and never waits for it: one call at a time, always with the newest state, retried with
 * back-off and jitter until it was heard.
 */
export class Reporter {
  readonly #send: SendState
  readonly #log: Logger
  #newest: View | undefined
  #dirty = false
  #sending = false
  #failures = 0
  #timer: NodeJS.Timeout | undefined
  #settled: (() => void)[] = []
  #stopped = false

  constructor(send: SendState, log: Logger) {
    this.#send = send
    this.#log = log
  }

  report(view: View): void {
    this.#newest = view
    this.#dirty = true
    // A fresh change is worth a try at once, whatever the back-off of an older one is.
    if (!this.#sending) void this.#flush()
  }

  /** The registry was away and is back: tell it again. */
  resend(): void {
    if (this.#newest !== undefined) this.report(this.#newest)
  }

  /** Resolves when the newest state was heard, or after `timeoutMs`. */
  settled(timeoutMs: number): Promise<void> {
    if (!this.#dirty && !this.#sending) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs)
      this.#settled.push(() => (clearTimeout(timer), resolve()))
    })
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
  }

  async #flush(): Promise<void> {
    clearTimeout(this.#timer)
    this.#sending = true
    while (this.#dirty && this.#newest !== undefined && !this.#stopped) {
      this.#dirty = false
      try {
        await this.#send(this.#newest)
        this.#failures = 0
      } catch (error) {
        this.#sending = false
        return this.#failed(error)
      }
    }
    this.#sending = false
    for (const resolve of this.#settled.splice(0)) resolve()
    this.#again(RESEND_MS * (0.9 + 0.2 * Math.random()))
  }

  #failed(error: unknown): void {
    this.#dirty = true
    this.#failures++
    if (this.#failures === 1) this.#log.error('the registry did not take the state; it is told again until it does', { error })
    this.#again(backoff(this.#failures, RETRY))
  }

  #again(ms: number): void {
    if (this.#stopped) return
    this.#timer = setTimeout(() => {
      this.#dirty = true
      void this.#flush()
    }, ms)
  }
}
