import { roomFor } from './columns.ts'
import { textOf, type Fold, type FoldRules, type Names } from './fold.ts'
import { Interned, longestInterned } from './interned.ts'
import type { Account } from './key-guard.ts'

/** Why a line of a report is not counted. */
export const reasons = ['empty', 'internal', 'invalid', 'foreign'] as const
export type Reason = (typeof reasons)[number]

/** What a line is counted under. */
export interface Key {
  /** Who reports it. */
  readonly by: Account
  readonly names: Names
}

/** Where a report is read. */
export interface Source {
  /** The field that comes next, as it was sent; valid until something else is read. */
  readWhole(tag: number): Buffer
  passOver(bytes: Buffer, from: number, length: number): boolean
}

/** Bytes that one key may take, on average. */
const bytesAKey = 400
/** Parent of who sends. */
const root = 2 ** 31 - 1
/** Characters by which senders are told apart; what is kept of names is less. */
const longestSender = 1000

/**
 * Knows by their bytes what reports say again each minute, mostly in the same order: who sends them, what their lines are
 * about, and under which keys those are counted. A meaning is the number of a key and 1, or that of a {@link Reason} and 1, negative.
 */
export class Known {
  readonly #rules: Pick<FoldRules, 'fields'>
  readonly #variants: number
  readonly #most: number
  #version: unknown
  #sender = { text: '', entry: -1 }
  #entries = new Interned()
  /** By entry: the one that came after it last, and 1. */
  #next = new Int32Array(128)
  /** By entry and variant; 0: nothing is known. */
  #meanings = new Int32Array(128)
  #keys = new Interned()
  /** By key: the number of who reported it last. */
  #owners = new Int32Array(128)
  #reporters: Account[] = []
  #reporterNumbers = new Map<string, number>()

  /**
   * @param variants that one entry may mean
   * @param most keys that are remembered
   */
  constructor(rules: Pick<FoldRules, 'fields'>, variants: number, most: number) {
    this.#rules = rules
    this.#variants = variants
    this.#most = most
  }

  /** Before a report is read: numbers are valid until then. What entries mean is forgotten with another version, as it may no longer be true; and all when it is too much. */
  begin(version: unknown): void {
    if (version !== this.#version) this.#meanings.fill(0, 0, this.#entries.size * this.#variants)
    this.#version = version
    if (Math.max(this.#entries.size, this.#keys.size) > this.#most || this.#entries.bytes + this.#keys.bytes > this.#most * bytesAKey + (1 << 20)) this.#forget()
  }

  #forget(): void {
    this.#entries = new Interned(this.#entries.release())
    this.#keys = new Interned(this.#keys.release())
    this.#meanings.fill(0)
    this.#next.fill(0)
    this.#sender = { text: '', entry: -1 }
    this.#reporters = []
    this.#reporterNumbers = new Map()
  }

  /** The entry of who sends. */
  sender(text: string): number {
    if (this.#sender.entry < 0 || this.#sender.text !== text) this.#sender = { text, entry: this.entry(Buffer.from(text.slice(0, longestSender)), root) }
    return this.#sender.entry
  }

  /**
   * The entry of the field that comes next in a report.
   * @param parent who sends it
   * @param last the entry before it in the report, or -1
   * @param shorten what says the same in fewer bytes, for one that is too long to be known
   */
  take(source: Source, tag: number, parent: number, last: number, shorten: (bytes: Buffer) => Buffer): number {
    const guess = last < 0 ? -1 : (this.#next[last] as number) - 1
    if (guess >= 0 && this.#entries.parentOf(guess) === parent && this.#entries.isNext(guess, source)) return guess
    const bytes = source.readWhole(tag)
    const entry = this.entry(bytes.length > longestInterned ? shorten(bytes) : bytes, parent)
    if (last >= 0) this.#next[last] = entry + 1
    return entry
  }

  /** The entry of these bytes below another one, or as negative as to be below what is said there: -1 - entry. */
  entry(bytes: Buffer, parent: number): number {
    const entry = this.#entries.number(bytes, parent)
    this.#next = roomFor(this.#next, entry + 1)
    this.#meanings = roomFor(this.#meanings, (entry + 1) * this.#variants)
    return entry
  }

  parentOf(entry: number): number {
    return this.#entries.parentOf(entry)
  }

  /** What an entry is made of; shares memory. */
  bytesOf(entry: number): Buffer {
    return this.#entries.bytesOf(entry)
  }

  /** @param sense entry × variants + variant */
  meaning(sense: number): number {
    return this.#meanings[sense] as number
  }

  learn(sense: number, what: Key | Reason): number {
    const meaning = typeof what === 'string' ? -1 - reasons.indexOf(what) : this.#keyOf(what) + 1
    this.#meanings[sense] = meaning
    return meaning
  }

  /** Where the key of a meaning is counted. */
  slot(fold: Fold, meaning: number): number {
    return fold.slot(this.#keys, meaning - 1, this.#reporters[this.#owners[meaning - 1] as number] as Account)
  }

  #keyOf({ by, names }: Key): number {
    const reporter = numberIn(this.#reporterNumbers, by.id)
    this.#reporters[reporter] ??= by
    const key = this.#keys.number(textOf(this.#rules, names))
    this.#owners = roomFor(this.#owners, key + 1)
    this.#owners[key] = reporter
    return key
  }
}

function numberIn(numbers: Map<string, number>, text: string): number {
  const known = numbers.get(text)
  if (known !== undefined) return known
  numbers.set(text, numbers.size)
  return numbers.size - 1
}
