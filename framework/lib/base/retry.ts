import { setTimeout as delay } from 'node:timers/promises'
import { isTemporary } from './errors.ts'

export interface BackoffOptions {
  /** First delay in milliseconds. */
  readonly baseMs?: number
  /** Longest delay in milliseconds. */
  readonly capMs?: number
  /** Source of randomness in [0, 1). */
  readonly random?: () => number
}

/**
 * Milliseconds to wait before try number `attempt` (the first retry is 1): exponential, capped, with full-half jitter
 * (between half the delay and the whole), so that many waiters spread out and none retries at once.
 */
export function backoff(attempt: number, options: BackoffOptions = {}): number {
  const { baseMs = 100, capMs = 30_000, random = Math.random } = options
  const whole = Math.min(capMs, baseMs * 2 ** Math.min(attempt - 1, 30))
  return whole / 2 + (whole / 2) * random()
}

export interface RetryOptions extends BackoffOptions {
  /** Tries in all; Infinity for a loop that only the signal ends. */
  readonly attempts?: number
  /** Which errors are worth another try. Default: {@link isTemporary}. */
  readonly when?: (error: unknown) => boolean
  readonly signal?: AbortSignal
  readonly onRetry?: (error: unknown, attempt: number, delayMs: number) => void
}

/** Calls `operation` until it succeeds, an error is not worth a retry, the tries are used up, or the signal aborts. */
export async function retry<T>(operation: (attempt: number) => Promise<T>, options: RetryOptions = {}): Promise<T> {
  const { attempts = 5, when = isTemporary, signal, onRetry } = options
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted()
    try {
      return await operation(attempt)
    } catch (error) {
      if (attempt >= attempts || signal?.aborted === true || !when(error)) throw error
      const delayMs = backoff(attempt, options)
      onRetry?.(error, attempt, delayMs)
      await sleep(delayMs, signal)
    }
  }
}

/** Waits; rejects with the signal's reason when it aborts. Keeps the process alive only while waiting. */
export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  await delay(ms, undefined, signal === undefined ? {} : { signal })
}
