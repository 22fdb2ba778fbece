// So many notifications a server in so many seconds (framework-services 3.3, notify_limit). Pure.

export interface Limit {
  readonly windowMs: number
  readonly count: number
}

/** Servers that are told apart; beyond it all others share one allowance. */
const mostKeys = 10_000

/** Counts in windows that start with the first notification after the last window. */
export class Limiter {
  readonly #limit: Limit
  readonly #windows = new Map<string, { readonly until: number; count: number }>()

  constructor(limit: Limit) {
    this.#limit = limit
  }

  /**
   * Takes one for `key`.
   * @param now milliseconds, of any clock that does not go back
   * @returns `taken`, or `dropped` with `first` true for the first one dropped in its window
   */
  take(key: string, now: number): { readonly taken: boolean; readonly first: boolean } {
    const window = this.#window(key, now)
    window.count++
    return { taken: window.count <= this.#limit.count, first: window.count === this.#limit.count + 1 }
  }

  #window(key: string, now: number): { count: number } {
    const known = this.#windows.get(key)
    if (known !== undefined && now < known.until) return known
    if (known === undefined && this.#windows.size >= mostKeys) this.#drop(now)
    const used = this.#windows.size >= mostKeys && known === undefined ? '' : key
    const shared = this.#windows.get(used)
    if (used === '' && shared !== undefined && now < shared.until) return shared
    const window = { until: now + this.#limit.windowMs, count: 0 }
    this.#windows.set(used, window)
    return window
  }

  #drop(now: number): void {
    for (const [key, { until }] of this.#windows) if (now >= until) this.#windows.delete(key)
  }
}
