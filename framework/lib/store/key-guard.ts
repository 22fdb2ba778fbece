/** Text that stands for all names beyond the bounds. */
export const otherName = '__other__'

export interface KeyBounds {
  /** Keys of one reporter in a window. */
  readonly perReporter: number
  /** Keys in a window. */
  readonly inAll: number
}

/** Under what a key that is new is counted: itself, one for the rest of its reporter, or one for the rest of all. */
export type Admission = 'own' | 'rest of reporter' | 'rest of all'

/** Keeps the keys of a window in bounds, so that one reporter's many keys neither fill the memory nor take room from others. */
export class KeyGuard {
  readonly #bounds: KeyBounds
  readonly #byReporter = new Map<string, number>()
  #admitted = 0

  constructor(bounds: KeyBounds) {
    this.#bounds = bounds
  }

  /** @param reporter of a key that was not admitted before */
  admit(reporter: string): Admission {
    const { perReporter, inAll } = this.#bounds
    const had = this.#byReporter.get(reporter)
    // A quarter of the room is only for reporters that have no key yet.
    if (this.#admitted >= (had === undefined ? inAll : inAll * 0.75)) return had === undefined ? 'rest of all' : 'rest of reporter'
    if ((had ?? 0) >= perReporter) return 'rest of reporter'
    this.#admitted++
    this.#byReporter.set(reporter, (had ?? 0) + 1)
    return 'own'
  }
}
