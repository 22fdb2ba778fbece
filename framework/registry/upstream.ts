import type { Clock } from '#base/clock.ts'
import { Failure } from '#base/errors.ts'
import type { Logger } from '#base/log.ts'
import { Communicator } from '#tars/client.ts'
import { QueryF } from '#tars/protocol/QueryF.ts'

export interface UpstreamOptions {
  readonly clock: Clock
  readonly log: Logger
  /** Milliseconds an answer is handed out without asking again. Default 5000. */
  readonly freshMs?: number
  /** Milliseconds a registry may take. Default 2000. */
  readonly timeoutMs?: number
}

interface Known {
  readonly value: unknown
  readonly at: number
}

/** Answers that are kept; the one that was made first goes first. */
const mostAnswers = 10_000
/** Characters of a question; no name of an object is longer. */
const longestQuestion = 1024
/** Questions that are asked at once: while a registry is silent, what is made up about it must not take the place of all other calls. */
const mostAsking = 1000

/**
 * Asks other registries on behalf of callers (framework-services 1.6). A known answer is handed out while it is fresh, and
 * also later when its registry does not answer: old endpoints are better than none.
 */
export class Upstream {
  readonly #options: Required<UpstreamOptions>
  readonly #communicator: Communicator
  readonly #known = new Map<string, Known>()
  readonly #asking = new Map<string, Promise<never>>()

  constructor(options: UpstreamOptions) {
    this.#options = { freshMs: 5000, timeoutMs: 2000, ...options }
    this.#communicator = new Communicator({ timeoutMs: this.#options.timeoutMs, log: options.log })
  }

  /**
   * The answer of a function of QueryF.
   * @param locator name and address of the registry's QueryObj
   * @throws Failure UPSTREAM_UNREACHABLE when the registry never answered this question, UPSTREAM_QUESTION when it is longer than any, UPSTREAM_BUSY
   */
  ask(locator: string, func: string, args: readonly string[]): Promise<never> {
    const key = JSON.stringify([locator, func, ...args])
    if (key.length > longestQuestion) return Promise.reject(new Failure('UPSTREAM_QUESTION', 'no object has so long a name'))
    const known = this.#known.get(key)
    if (known !== undefined && this.#options.clock.monotonic() - known.at < this.#options.freshMs) return Promise.resolve(known.value as never)
    const asking = this.#asking.get(key)
    if (asking !== undefined) return asking
    if (this.#asking.size >= mostAsking) return known === undefined ? Promise.reject(new Failure('UPSTREAM_BUSY', 'as many questions wait for other registries as may', { temporary: true })) : Promise.resolve(known.value as never)
    const asked = this.#fetch(locator, func, args, key).finally(() => this.#asking.delete(key))
    this.#asking.set(key, asked)
    return asked
  }

  async #fetch(locator: string, func: string, args: readonly string[], key: string): Promise<never> {
    const codec = QueryF.functions[func]
    if (codec === undefined) throw new Failure('UPSTREAM_FUNCTION', `QueryF has no function ${func}`)
    try {
      const value = await this.#communicator.invoke(locator, codec, args)
      this.#known.delete(key)
      this.#known.set(key, { value, at: this.#options.clock.monotonic() })
      if (this.#known.size > mostAnswers) for (const oldest of this.#known.keys()) { this.#known.delete(oldest); break }
      return value as never
    } catch (cause) {
      const known = this.#known.get(key)
      this.#options.log.error('another registry did not answer', { locator, function: func, object: args[0], stale: known !== undefined, error: cause })
      if (known !== undefined) return known.value as never
      throw new Failure('UPSTREAM_UNREACHABLE', `the registry ${locator} does not answer for ${args[0] ?? ''}`, { cause, temporary: true, remedy: 'correct upstream of the TFrameworkConfig, or see why that registry does not answer' })
    }
  }

  close(): Promise<void> {
    return this.#communicator.close()
  }
}
