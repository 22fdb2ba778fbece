/** Milliseconds in which a connected role must have what the API server has, on a busy machine. */
export const PROMPT_MS = 5_000
/** Longest pause of a watch before it tries again, milliseconds. */
const BACKOFF_MS = 30_000

/** When a role could not hear the API server, by what was done to both of them. Milliseconds of performance.now(). */
export class Reach {
  readonly #reasons = new Set<symbol>()
  #began = Number.NEGATIVE_INFINITY
  #ended = Number.NEGATIVE_INFINITY

  /** @returns ends it */
  cut(now = performance.now()): () => void {
    if (this.#reasons.size === 0 && this.#isCaughtUp(now)) this.#began = now
    const reason = Symbol('cut')
    this.#reasons.add(reason)
    return () => {
      if (this.#reasons.delete(reason) && this.#reasons.size === 0) this.#ended = performance.now()
    }
  }

  /** It starts anew from what it kept, which may be of any time before, until it is connected. */
  forget(): void {
    this.#began = Number.NEGATIVE_INFINITY
  }

  /** How old what it says may be. */
  staleness(now = performance.now()): number {
    return this.#reasons.size === 0 && this.#isCaughtUp(now) ? PROMPT_MS : now - this.#began + PROMPT_MS
  }

  /** Its pauses have grown with the time of the cut. */
  #isCaughtUp(now: number): boolean {
    if (this.#ended === Number.NEGATIVE_INFINITY && this.#began === Number.NEGATIVE_INFINITY) return true
    const pause = Math.min(BACKOFF_MS, this.#began === Number.NEGATIVE_INFINITY ? BACKOFF_MS : 2 * (this.#ended - this.#began))
    return now - this.#ended > pause + PROMPT_MS
  }
}
