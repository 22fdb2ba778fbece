// What the records of one window come to, by key. Pure.
import type { Row } from './dataset.ts'
import { KeyGuard, otherName, type Admission, type KeyBounds } from './key-guard.ts'
import type { Tape, TapeReader } from './tape.ts'

/** What is counted apart. */
export interface Key<N> {
  /** `App.Server` of who reports, as it says. */
  readonly by: string
  readonly names: N
  /** All of it as JSON: `[by, names]`. */
  readonly text: string
  /** Its sum in the fold that counted it last, so that it is not looked for each time. */
  place: { readonly of: object; readonly sum: object } | undefined
}

export function keyOf<N>(by: string, names: N): Key<N> {
  return { by, names, text: JSON.stringify([by, names]), place: undefined }
}

/** Something that was reported. */
export interface Measured<N, V> {
  readonly key: Key<N>
  readonly value: V
}

/** How values of a kind come together. */
export interface FoldRules<N, V> {
  /**
   * A value to be kept, as one that was reported and will be changed. It must be made elsewhere than what is reported: where
   * the objects made at one place are often kept, V8 makes all of them long-lived, also those that are gone in a moment.
   */
  readonly own: (value: V) => V
  /** What two values come to; the first may be changed to it. */
  readonly add: (a: V, b: V) => V
  /** The names under which it is counted what is beyond the bounds. */
  readonly rest: (key: Key<N>, admission: Exclude<Admission, 'own'>) => N
  readonly rows: (names: N, value: V) => Iterable<Row['fields']>
  readonly write: (tape: Tape, value: V) => void
  readonly read: (tape: TapeReader) => V
}

interface Sum<N, V> {
  /** Its place in the order in which keys came. */
  readonly number: number
  readonly key: Key<N>
  value: V
}

/** On a tape, before a sum: whether its key follows, or is known by its number. */
const [withKey, known] = [1, 0]

/** Adds records up by their whole key. Beyond the bounds what is left of a key is who reports it. */
export class Fold<N, V> {
  readonly #rules: FoldRules<N, V>
  readonly #guard: KeyGuard
  readonly #sums = new Map<string, Sum<N, V>>()
  /** Stands for this fold, which a key that is remembered must not keep in memory. */
  readonly #self = {}
  /** Records that were counted under another key than their own. */
  overflow = 0

  constructor(rules: FoldRules<N, V>, bounds: KeyBounds) {
    this.#rules = rules
    this.#guard = new KeyGuard(bounds)
  }

  /** Counts a record, and takes down what its key comes to by now: of each key the last counts. */
  add({ key, value }: Measured<N, V>, tape: Tape): void {
    const { place } = key
    if (place?.of === this.#self) return this.#more(place.sum as Sum<N, V>, value, tape)
    const own = this.#sums.has(key.text) ? key : this.#admitted(key)
    const sum = this.#sums.get(own.text)
    if (sum === undefined) this.#begin(own, value, tape)
    else this.#more(sum, value, tape)
    key.place = { of: this.#self, sum: this.#sums.get(own.text) as Sum<N, V> }
  }

  get size(): number {
    return this.#sums.size
  }

  sums(): Iterable<Measured<N, V>> {
    return this.#sums.values()
  }

  /** Takes all down, a sum each time that one is asked for. */
  *takeDown(tape: () => Tape): Iterable<void> {
    for (const sum of this.#sums.values()) yield this.#takeDown(sum, tape())
  }

  /** Fields of the rows to be kept; the same records in the same order give the same rows in the same order. */
  *rows(): Iterable<Row['fields']> {
    for (const { key, value } of this.#sums.values()) yield* this.#rules.rows(key.names, value)
  }

  /** Takes up what another fold came to. @param tapes in their order @throws when it is no such tape */
  restore(tapes: Iterable<TapeReader>): void {
    const found: Sum<N, V>[] = []
    for (const tape of tapes) {
      while (!tape.done) {
        const [kind, number, value] = [tape.number(), tape.number(), this.#rules.read(tape)]
        const sum = found[number]
        // One whose key is not known was taken down once more later, with it.
        if (kind === withKey) found[number] = { number, key: keyOf(...(JSON.parse(tape.text()) as [string, N])), value }
        else if (sum !== undefined) sum.value = value
      }
    }
    for (const sum of found) if (sum !== undefined) this.#sums.set(sum.key.text, sum)
  }

  #begin(key: Key<N>, value: V, tape: Tape): void {
    const sum = { number: this.#sums.size, key, value: this.#rules.own(value) }
    this.#sums.set(key.text, sum)
    this.#takeDown(sum, tape)
  }

  #more(sum: Sum<N, V>, value: V, tape: Tape): void {
    sum.value = this.#rules.add(sum.value, value)
    tape.number(known)
    tape.number(sum.number)
    this.#rules.write(tape, sum.value)
  }

  #takeDown({ number, key, value }: Sum<N, V>, tape: Tape): void {
    tape.number(withKey)
    tape.number(number)
    this.#rules.write(tape, value)
    tape.text(key.text)
  }

  /** The key itself when there is room, else what is counted in its place. */
  #admitted(key: Key<N>): Key<N> {
    const admission = this.#guard.admit(key.by)
    if (admission === 'own') return key
    this.overflow++
    return keyOf(admission === 'rest of all' ? otherName : key.by, this.#rules.rest(key, admission))
  }
}
