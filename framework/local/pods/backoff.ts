/** Restart delays of a container (Kubernetes, "Container restart policy"). */
export interface RestartBackoffOptions {
  /** First delay in milliseconds. Default 10,000. */
  readonly baseMs?: number
  /** Longest delay. Default 300,000. */
  readonly capMs?: number
  /** A run of this many milliseconds makes the next delay the first again. Default 600,000. */
  readonly resetMs?: number
}

/** Counts a container's crashes: the first restart is immediate, later ones wait, doubling. */
export class RestartBackoff {
  readonly #options: Required<RestartBackoffOptions>
  #delayMs = 0

  constructor(options: RestartBackoffOptions = {}) {
    this.#options = { baseMs: options.baseMs ?? 10_000, capMs: options.capMs ?? 300_000, resetMs: options.resetMs ?? 600_000 }
  }

  /** @param ranMs how long the run lasted that has just ended @returns milliseconds to wait before the next */
  next(ranMs: number): number {
    if (ranMs >= this.#options.resetMs) this.#delayMs = 0
    const wait = this.#delayMs
    this.#delayMs = wait === 0 ? this.#options.baseMs : Math.min(wait * 2, this.#options.capMs)
    return wait
  }
}
