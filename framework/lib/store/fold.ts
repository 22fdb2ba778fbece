// What the records of one window come to, by key: numbers in columns, outside of V8's heap. Pure.
import { roomFor, type Span } from './columns.ts'
import type { Row } from './dataset.ts'
import { Interned, internedText, type InternedBytes } from './interned.ts'
import { accountOf, otherName, type Account, type Admission, type KeyGuard } from './key-guard.ts'
import type { Tape, TapeReader } from './tape.ts'

/** Values of the fields that records are told apart by, by name. */
export type Names = Readonly<Record<string, string | number>>

/** What records of a kind are made of, and how their values come together. A value is up to 255 numbers. */
export interface FoldRules {
  /** Fields of {@link Names}. */
  readonly fields: readonly string[]
  /** The names under which it is counted what is beyond the bounds. @param by who reports it */
  readonly rest: (names: Names, by: string, admission: Exclude<Admission, 'own'>) => Names
  /** Adds a value to a sum in its place. @returns false when the sum has no place for some of it: nothing was added then, and they are {@link join}ed */
  readonly add: (sum: Readonly<Span>, value: Readonly<Span>) => boolean
  /** What both come to, which is not shorter than the sum. */
  readonly join: (sum: Float64Array, value: Float64Array) => readonly number[]
  /** Further fields of the row to be kept. */
  readonly row: (sum: Float64Array) => Row['fields']
}

/** What a window came to under one key. */
export interface Sum {
  /** Its place in the order in which keys came. */
  readonly slot: number
  /** Who sends it; undefined when that was not taken down. */
  readonly by?: string
  readonly names: Names
  readonly value: Float64Array
}

/**
 * All that a window came to, in the form in which another thread has it, too. Its memory is shared, so that the one that gathers can
 * use it again: for new memory of each window, which V8 counts, it would look for garbage in a heap where there is none.
 */
export interface Sums {
  readonly keys: InternedBytes
  readonly chunks: readonly Float64Array[]
  readonly columns: Int32Array
  readonly senders: readonly string[]
}

const chunkBits = 15
const chunkNumbers = 1 << chunkBits
/** Columns of a sum: its place (chunk, and offset in it), how many numbers, and the number of who reports it. */
const [places, counts, owners, width] = [0, 1, 2, 3]
/** About what a row takes of the disk, bytes: with its index, an id and when; for each byte of its key, as a page is not filled; and for each number. */
const [rowBytes, bytesAKeyByte, bytesANumber] = [100, 1.5, 12]

/** Who reports what there is no room for. */
const others = accountOf(otherName)

/** On a tape, added to twice the slot: the key follows. */
const withKey = 1

/** Names as they are told apart. */
export const textOf = ({ fields }: Pick<FoldRules, 'fields'>, names: Names): Buffer => Buffer.from(JSON.stringify(fields.map((field) => names[field])))
const namesOf = (fields: readonly string[], text: string): Names => {
  const values = JSON.parse(text) as (string | number)[]
  return Object.fromEntries(fields.map((field, index) => [field, values[index] as string | number]))
}

/** Adds values up by their whole key. Beyond the bounds what is left of a key is who reports it. */
export class Fold {
  readonly #rules: FoldRules
  readonly #guard: KeyGuard
  readonly #keys: Interned
  /** Where keys come from that are asked for. */
  #origin: Interned | undefined
  /** By number of a key there: its slot here and 1, or 0. */
  #slots = new Int32Array(0)
  /** Some of the keys here come from elsewhere. */
  #isMixed = false
  #chunks: Float64Array[] = []
  #end = chunkNumbers
  /** Chunks that are not in use yet. */
  readonly #spare: Float64Array[]
  #columns: Int32Array
  readonly #found: Span = { column: new Float64Array(0), from: 0, to: 0 }
  #reporters: Account[] = []
  readonly #reporterNumbers = new Map<Account, number>()
  /** Keys that were counted under another one. */
  overflow = 0

  /**
   * @param guard whose window begins
   * @param memory of one that was released and that nobody has a use for; it is used again
   */
  constructor(rules: FoldRules, guard: KeyGuard, memory?: Sums) {
    this.#rules = rules
    this.#guard = guard
    this.#keys = new Interned(memory?.keys)
    this.#spare = [...(memory?.chunks ?? [])]
    this.#columns = memory?.columns.fill(0) ?? new Int32Array(new SharedArrayBuffer(512 * width))
  }

  /** Sums so far. */
  get size(): number {
    return this.#keys.size
  }

  /** Where a key is counted: under itself, or beyond the bounds with others. @param by who reports it */
  slot(keys: Interned, key: number, by: Account): number {
    if (keys !== this.#origin) this.#turnTo(keys)
    this.#slots = roomFor(this.#slots, key + 1)
    const known = (this.#slots[key] as number) - 1
    return known < 0 ? (this.#slots[key] = this.#admit(keys, key, by) + 1) - 1 : known
  }

  /** Keys of one origin are known by their numbers; where there were others, their bytes are looked at, too. */
  #turnTo(keys: Interned): void {
    this.#isMixed = this.#origin !== undefined
    this.#origin = keys
    this.#slots = new Int32Array(keys.size)
  }

  #admit(keys: Interned, key: number, by: Account): number {
    const known = this.#isMixed ? this.#keys.findAs(keys, key) : -1
    if (known >= 0) return known
    const admission = this.#guard.admit(by)
    if (admission === 'own') return this.#owned(this.#keys.addAs(keys, key), by)
    this.overflow++
    const names = namesOf(this.#rules.fields, keys.bytesOf(key).toString())
    const rest = textOf(this.#rules, this.#rules.rest(names, by.server, admission))
    return this.#owned(this.#keys.number(rest), admission === 'rest of all' ? others : by)
  }

  #owned(slot: number, by: Account): number {
    let number = this.#reporterNumbers.get(by)
    if (number === undefined) {
      number = this.#reporters.push(by) - 1
      this.#reporterNumbers.set(by, number)
    }
    this.#columns = roomFor(this.#columns, (slot + 1) * width)
    this.#columns[slot * width + owners] = number
    return slot
  }

  /** Counts a value, and takes down what its slot comes to by now: of each slot the last counts. */
  add(slot: number, value: Readonly<Span>, tape: Tape): void {
    const isNew = this.#columns[slot * width + counts] === 0
    if (isNew) this.#put(slot, value)
    else if (!this.#rules.add(this.#span(slot), value)) this.#join(slot, value)
    this.#takeDown(slot, isNew, tape)
  }

  /** Takes all down, a sum each time that one is asked for. */
  *takeDown(tape: () => Tape): Iterable<void> {
    for (let slot = 0; slot < this.size; slot++) yield this.#takeDown(slot, true, tape())
  }

  /** Gives all of it away; none is left here. */
  release(): Sums {
    const released = { keys: this.#keys.release(), chunks: [...this.#chunks, ...this.#spare.splice(0)], columns: this.#columns, senders: this.#reporters.map(({ sender }) => sender) }
    this.#chunks = []
    this.#columns = new Int32Array(0)
    this.#reporters = []
    return released
  }

  #takeDown(slot: number, isWithKey: boolean, tape: Tape): void {
    tape.number(isWithKey ? slot * 2 + withKey : slot * 2)
    tape.numbers(this.#span(slot))
    if (isWithKey) this.#keys.takeDown(slot, tape)
  }

  /** What a slot has; valid until the next call. */
  #span(slot: number): Span {
    const [span, place] = [this.#found, this.#columns[slot * width + places] as number]
    span.column = this.#chunks[place >> chunkBits] as Float64Array
    span.from = place & (chunkNumbers - 1)
    span.to = span.from + (this.#columns[slot * width + counts] as number)
    return span
  }

  #join(slot: number, { column, from, to }: Readonly<Span>): void {
    const had = this.#span(slot)
    const sum = Float64Array.from(this.#rules.join(had.column.subarray(had.from, had.to), column.subarray(from, to)))
    if (roomOf(sum.length) > roomOf(had.to - had.from)) return this.#put(slot, { column: sum, from: 0, to: sum.length })
    had.column.set(sum, had.from)
    this.#charge(slot, sum.length)
    this.#columns[slot * width + counts] = sum.length
  }

  /** Puts a value where there is room for it. Where the slot's was before is left. */
  #put(slot: number, { column, from, to }: Readonly<Span>): void {
    this.#charge(slot, to - from)
    const room = roomOf(to - from)
    if (this.#end + room > chunkNumbers) {
      this.#chunks.push(this.#spare.pop() ?? new Float64Array(new SharedArrayBuffer(chunkNumbers * 8)))
      this.#end = 0
    }
    const chunk = this.#chunks.at(-1) as Float64Array
    for (let at = from; at < to; at++) chunk[this.#end + at - from] = column[at] as number
    this.#columns[slot * width + places] = ((this.#chunks.length - 1) << chunkBits) | this.#end
    this.#columns[slot * width + counts] = to - from
    this.#end += room
  }

  /** A row of so many numbers takes more of the disk than what was said before. */
  #charge(slot: number, numbers: number): void {
    const had = this.#columns[slot * width + counts] as number
    const key = had === 0 ? rowBytes + this.#keys.lengthOf(slot) * bytesAKeyByte : 0
    this.#guard.charge(this.#reporters[this.#columns[slot * width + owners] as number] as Account, key + (numbers - had) * bytesANumber)
  }
}

/** Numbers that a value of so many has room for, so that one which grows is rarely put elsewhere: the next power of two. */
const roomOf = (count: number): number => 1 << (32 - Math.clz32(count - 1))

/** What a fold gave away, in the order in which keys came. */
export function* sumsOf({ fields }: Pick<FoldRules, 'fields'>, { keys, chunks, columns, senders }: Sums): Iterable<Sum> {
  for (let slot = 0; slot < keys.size; slot++) {
    const place = columns[slot * width + places] as number
    const at = place & (chunkNumbers - 1)
    const value = (chunks[place >> chunkBits] as Float64Array).subarray(at, at + (columns[slot * width + counts] as number))
    yield { slot, by: senders[columns[slot * width + owners] as number] as string, names: namesOf(fields, internedText(keys, slot)), value }
  }
}

/** What another fold came to, by what it took down; of one whose key was lost nothing is known. @param tapes in their order @throws when it is no such tape */
export function* sumsTakenDown({ fields }: Pick<FoldRules, 'fields'>, tapes: Iterable<TapeReader>): Iterable<Sum> {
  const found: { value: Float64Array; text: string | undefined }[] = []
  for (const tape of tapes) {
    while (!tape.done) {
      const [head, value] = [tape.number(), tape.numbers()]
      const slot = Math.floor(head / 2)
      const text = head % 2 === withKey ? tape.text() : found[slot]?.text
      found[slot] = { value, text }
    }
  }
  for (const [slot, sum] of found.entries()) if (sum?.text !== undefined) yield { slot, names: namesOf(fields, sum.text), value: sum.value }
}
