import { setTimeout as delay } from 'node:timers/promises'
import { Failure } from './errors.ts'
import type { Running } from './lifecycle.ts'
import type { Logger } from './log.ts'
import { backoff } from './retry.ts'

export interface HttpOutboxOptions<T> {
  readonly url: string
  /** Of each request, e.g. credentials. */
  readonly headers?: Readonly<Record<string, string>>
  /** JSON body of some items. */
  readonly body: (items: readonly T[]) => unknown
  /** What an item counts for. Default 1, each. */
  readonly weigh?: (item: T) => number
  /** Weight of one request, unless its only item has more. */
  readonly batch: number
  /** Weight of what waits while it is not taken; the oldest go first. Default 10,000. */
  readonly capacity?: number
  /** What is wrong by the text of an answer whose status is good, for receivers that say so there. Default: nothing is. */
  readonly refusalOf?: (answer: string) => { readonly temporary: boolean } | undefined
  /** What an operator looks at when they are refused. */
  readonly remedy: string
  readonly log: Logger
}

const requestMs = 10_000
/** Milliseconds that what waits may still take when it is stopped. */
const graceMs = 2000
/** Answers after which the same request may succeed. */
const temporary = new Set([408, 425, 429, 500, 502, 503, 504])

/** Posts items to an HTTP address, in order, and again until they are taken or refused for good. */
export class HttpOutbox<T> implements Running {
  readonly #options: HttpOutboxOptions<T>
  /** What is said of the address: path and query of a webhook's are its credentials. */
  readonly #host: string
  readonly #abort = new AbortController()
  readonly #ended = Promise.withResolvers<void>()
  #waiting: T[] = []
  #weight = 0
  #sending: Promise<void> | undefined
  #lost = 0
  #sent = 0

  constructor(options: HttpOutboxOptions<T>) {
    this.#options = options
    this.#host = new URL(options.url).host
  }

  get done(): Promise<void> {
    return this.#ended.promise
  }

  /** Numbers for metrics. */
  get size(): { readonly waiting: number; readonly sent: number; readonly lost: number } {
    return { waiting: this.#waiting.length, sent: this.#sent, lost: this.#lost }
  }

  add(item: T): void {
    this.#waiting.push(item)
    this.#weight += this.#weigh(item)
    let excess = 0
    while (this.#weight > (this.#options.capacity ?? 10_000)) this.#weight -= this.#weigh(this.#waiting[excess++] as T)
    this.#lost += this.#waiting.splice(0, excess).length
    this.#sending ??= this.#send().finally(() => {
      this.#sending = undefined
    })
  }

  #weigh(item: T): number {
    return this.#options.weigh?.(item) ?? 1
  }

  /** The oldest that fit into one request. */
  #next(): readonly T[] {
    let [count, weight] = [0, 0]
    for (const item of this.#waiting) {
      weight += this.#weigh(item)
      if (count > 0 && weight > this.#options.batch) break
      count++
    }
    return this.#waiting.slice(0, count)
  }

  async stop(): Promise<void> {
    const timer = setTimeout(() => this.#abort.abort(), graceMs)
    await this.#sending
    clearTimeout(timer)
    this.#ended.resolve()
  }

  async #send(): Promise<void> {
    const { signal } = this.#abort
    for (let failures = 0; this.#waiting.length > 0 && !signal.aborted; ) {
      const batch = this.#next()
      if (await this.#deliver(batch, failures)) {
        failures = 0
        const sent = new Set(batch)
        this.#waiting = this.#waiting.filter((item) => !sent.has(item))
        this.#weight = this.#waiting.reduce((sum, item) => sum + this.#weigh(item), 0)
      } else await delay(backoff(++failures, { baseMs: 500, capMs: 30_000 }), undefined, { signal }).catch(() => {})
    }
  }

  /** @returns false when it is to be tried again */
  async #deliver(batch: readonly T[], failures: number): Promise<boolean> {
    const { log, remedy } = this.#options
    const host = this.#host
    try {
      await this.#post(batch)
      this.#sent += batch.length
      return true
    } catch (error) {
      if (error instanceof Failure && !error.temporary) {
        this.#lost += batch.length
        log.error('what was posted is refused', { host, items: batch.length, error })
        return true
      }
      if (failures === 0 && !this.#abort.signal.aborted) log.error('what is to be posted is not taken yet', { host, waiting: this.#waiting.length, error, remedy })
      return false
    }
  }

  async #post(batch: readonly T[]): Promise<void> {
    const { url, headers = {}, body, refusalOf, remedy } = this.#options
    const signal = AbortSignal.any([this.#abort.signal, AbortSignal.timeout(requestMs)])
    const answer = await fetch(url, { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify(body(batch)), signal })
    const text = await answer.text()
    const refusal = answer.ok ? refusalOf?.(text) : { temporary: temporary.has(answer.status) }
    if (refusal !== undefined) throw new Failure('HTTP_POST', `${this.#host} answered ${answer.status}: ${text.slice(0, 200)}`, { ...refusal, remedy })
  }
}
