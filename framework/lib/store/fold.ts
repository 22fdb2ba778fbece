// What the records of one window come to, by key. Pure.
import type { Row } from './dataset.ts'
import { KeyGuard, otherName, type Admission, type KeyBounds } from './key-guard.ts'

/** What is counted apart. */
export interface Key<N> {
  /** `App.Server` of who reports, as it says. */
  readonly by: string
  readonly names: N
  /** All of it as JSON: `[by, names]`. */
  readonly text: string
}

export function keyOf<N>(by: string, names: N): Key<N> {
  return { by, names, text: JSON.stringify([by, names]) }
}

/** Something that was reported. */
export interface Measured<N, V> {
  readonly key: Key<N>
  readonly value: V
}

/** How values of a kind come together. */
export interface FoldRules<N, V> {
  readonly add: (a: V, b: V) => V
  /** The names under which it is counted what is beyond the bounds. */
  readonly rest: (key: Key<N>, admission: Exclude<Admission, 'own'>) => N
  readonly rows: (names: N, value: V) => Iterable<Row['fields']>
  /** A value as JSON, in few characters; {@link valueOf} reads it again. */
  readonly textOf: (value: V) => string
  readonly valueOf: (json: unknown) => V
}

interface Sum<N, V> {
  /** Its place in the order in which keys came. */
  readonly number: number
  readonly key: Key<N>
  value: V
}

/** Adds records up by their whole key. Beyond the bounds what is left of a key is who reports it. */
export class Fold<N, V> {
  readonly #rules: FoldRules<N, V>
  readonly #guard: KeyGuard
  readonly #sums = new Map<string, Sum<N, V>>()
  /** Records that were counted under another key than their own. */
  overflow = 0

  constructor(rules: FoldRules<N, V>, bounds: KeyBounds) {
    this.#rules = rules
    this.#guard = new KeyGuard(bounds)
  }

  /**
   * Counts a record.
   * @returns what its key comes to by now, as {@link restore} reads it: the last text of a key says all about it
   */
  add({ key, value }: Measured<N, V>): string {
    const known = this.#sums.get(key.text)
    if (known !== undefined) return this.#more(known, value)
    const own = this.#admitted(key)
    const rest = own === key ? undefined : this.#sums.get(own.text)
    return rest === undefined ? this.#begin(own, value) : this.#more(rest, value)
  }

  get size(): number {
    return this.#sums.size
  }

  sums(): Iterable<Measured<N, V>> {
    return this.#sums.values()
  }

  /** All that there is, as {@link restore} reads it. */
  *texts(): Iterable<string> {
    for (const sum of this.#sums.values()) yield this.#whole(sum)
  }

  /** Fields of the rows to be kept; the same records in the same order give the same rows in the same order. */
  *rows(): Iterable<Row['fields']> {
    for (const { key, value } of this.#sums.values()) yield* this.#rules.rows(key.names, value)
  }

  /** Takes up what another fold came to. @param texts in the order in which it said them, read */
  restore(texts: Iterable<unknown>): void {
    const found: Sum<N, V>[] = []
    for (const [number, json, key] of texts as Iterable<[number, unknown, [string, N]?]>) {
      const known = found[number]
      const value = this.#rules.valueOf(json)
      if (known !== undefined) known.value = value
      // One without a key was said anew later, with it.
      else if (key !== undefined) found[number] = { number, key: keyOf(...key), value }
    }
    for (const sum of found) if (sum !== undefined) this.#sums.set(sum.key.text, sum)
  }

  #begin(key: Key<N>, value: V): string {
    const sum = { number: this.#sums.size, key, value }
    this.#sums.set(key.text, sum)
    return this.#whole(sum)
  }

  #more(sum: Sum<N, V>, value: V): string {
    sum.value = this.#rules.add(sum.value, value)
    return `[${sum.number},${this.#rules.textOf(sum.value)}]`
  }

  #whole({ number, key, value }: Sum<N, V>): string {
    return `[${number},${this.#rules.textOf(value)},${key.text}]`
  }

  /** The key itself when there is room, else what is counted in its place. */
  #admitted(key: Key<N>): Key<N> {
    const admission = this.#guard.admit(key.by)
    if (admission === 'own') return key
    this.overflow++
    return keyOf(admission === 'rest of all' ? otherName : key.by, this.#rules.rest(key, admission))
  }
}
