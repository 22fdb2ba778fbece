// So many of something in so much time, for each of many keys. Pure.

export interface Limit {
  readonly windowMs: number
  readonly count: number
}

/** Keys that are told apart; beyond that many, or of that many characters, all others of an owner share one allowance. */
const mostKeys = 10_000
const longestKey = 1024

interface Window {
  readonly until: number
  count: number
}

/** Counts in windows that start with the first one after the last window. */
export class Limiter {
  readonly #limit: Limit
  /** In the order in which they end. */
  readonly #windows = new Map<string, Window>()

  constructor(limit: Limit) {
    this.#limit = limit
  }

  /**
   * Takes one for `key`.
   * @param now milliseconds, of any clock that does not go back
   * @param owner who made the key up, of whom there are few: what one makes up leaves the others what is theirs
   * @returns whether there was one left; `first` is true for the first one refused in its window
   */
  take(key: string, now: number, owner = ''): { readonly taken: boolean; readonly first: boolean } {
    const window = this.#open(key, now) ?? this.#start(key.length <= longestKey && this.#hasRoom(now) ? key : owner, now)
    window.count++
    return { taken: window.count <= this.#limit.count, first: window.count === this.#limit.count + 1 }
  }

  #open(key: string, now: number): Window | undefined {
    const window = this.#windows.get(key)
    return window !== undefined && now < window.until ? window : undefined
  }

  #start(key: string, now: number): Window {
    const known = this.#open(key, now)
    if (known !== undefined) return known
    const window = { until: now + this.#limit.windowMs, count: 0 }
    // Those that end first stay first.
    this.#windows.delete(key)
    this.#windows.set(key, window)
    return window
  }

  #hasRoom(now: number): boolean {
    if (this.#windows.size < mostKeys) return true
    for (const [key, { until }] of this.#windows) {
      if (now < until) break
      this.#windows.delete(key)
    }
    return this.#windows.size < mostKeys
  }
}

/** Reads `seconds:count`, as native writes its limits; undefined for anything else. */
export function parseLimit(text: string): Limit | undefined {
  const [seconds = 0, count = 0] = /^(\d{1,7}):(\d{1,9})$/.exec(text)?.slice(1).map(Number) ?? []
  return seconds === 0 ? undefined : { windowMs: seconds * 1000, count }
}
