/** Keys that are told apart; made-up ones cannot fill the memory. */
const most = 20_000

/** Values by key, each made when its key comes first. */
export class Remembered<T> {
  readonly #known = new Map<string, T>()

  get(key: string, make: () => T): T {
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const value = make()
    if (this.#known.size >= most) this.#known.clear()
    this.#known.set(key, value)
    return value
  }
}
