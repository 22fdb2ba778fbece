import type { Writer } from '../codec/writer.ts'
import { Records } from './records.ts'

/** Slots an answer, so that most are found in the first one that is looked at. */
const spread = 2
const leastSlots = 2 * spread * 64
/** In place of a record's, while there is none. */
const none = -1

/**
 * Answers that are ready, by the bytes of the parameters that they answer. One is found without decoding these, and lies in one piece
 * of memory with them: where there are many, most of what an answer costs is waiting for far memory.
 */
export class ReadyAnswers {
  /** Pairs: the hash of an answer's parameters, and 1 + the place of its record, or 0 where nothing is. It is in the first free pair after that of its hash. */
  #slots = new Int32Array(leastSlots)
  #count = 0
  /** Bytes of parameters that may be known. */
  #longest = 0
  /** Slots that will be looked at. */
  readonly #expected: number[] = []
  /** Made of all that was read ahead, and says nothing: reads whose results nobody can see are none. */
  readAheadMark = 0

  readonly #records = new Records((from, to, args) => {
    let at = this.#first(hashOf(args))
    while (this.#slots[at + 1] !== from + 1) at = this.#after(at)
    this.#slots[at + 1] = to + 1
  })

  /** Bytes of memory that are held. */
  get bytes(): number {
    return this.#slots.byteLength + this.#records.bytes
  }

  /** @param args parameters in the layout of version 1 @param body of the response; both are copied */
  set(args: Buffer, body: Buffer): void {
    const at = this.#find(args)
    const known = (this.#slots[at + 1] as number) - 1
    if (known >= 0 && this.#records.replace(known, body)) return
    if (known >= 0) {
      this.#slots[at + 1] = none
      this.#records.drop(known)
    }
    this.#slots[at] = hashOf(args)
    this.#slots[at + 1] = 1 + this.#records.add(args, body)
    this.#longest = Math.max(this.#longest, args.length)
    if (known < 0 && ++this.#count * 2 * spread >= this.#slots.length) this.#grow()
  }

  delete(args: Buffer): void {
    const at = this.#find(args)
    const known = (this.#slots[at + 1] as number) - 1
    if (known < 0) return
    this.#slots[at + 1] = 0
    // What stands behind it may have stood there only because this was taken.
    for (let next = this.#after(at); this.#slots[next + 1] !== 0; next = this.#after(next)) this.#place(this.#slots, next)
    this.#count--
    this.#records.drop(known)
  }

  clear(): void {
    this.#slots = new Int32Array(leastSlots)
    this.#count = this.#longest = 0
    this.#records.clear()
  }

  /** Where the answer to these parameters is, until one is set or deleted; below 0 when there is none. */
  find(args: Buffer): number {
    return args.length > this.#longest ? none : (this.#slots[this.#find(args) + 1] as number) - 1
  }

  /** Appends a copy of the body that {@link find} found. */
  write(place: number, writer: Writer): void {
    this.#records.writeValue(place, writer)
  }

  /** The answer to these parameters will be looked for, after {@link readAhead}. @returns false when there can be none */
  expect(args: Buffer): boolean {
    if (args.length > this.#longest) return false
    this.#expected.push(this.#first(hashOf(args)))
    return true
  }

  /** Looks where all those answers are at once: that takes hardly longer than looking for one, as no look waits for another. */
  readAhead(): void {
    for (const at of this.#expected) {
      const place = (this.#slots[at + 1] as number) - 1
      if (place >= 0) this.readAheadMark ^= this.#records.firstByte(place)
    }
    this.#expected.length = 0
  }

  /** The slot of these parameters, or the free one that would be theirs. */
  #find(args: Buffer): number {
    const hash = hashOf(args)
    let at = this.#first(hash)
    for (; this.#slots[at + 1] !== 0; at = this.#after(at)) {
      if (this.#slots[at] === hash && this.#records.hasKey((this.#slots[at + 1] as number) - 1, args, 0, args.length)) break
    }
    return at
  }

  #first(hash: number): number {
    return ((hash ^ (hash >>> 15)) << 1) & (this.#slots.length - 1)
  }

  #after(at: number): number {
    return (at + 2) & (this.#slots.length - 1)
  }

  /** Puts the pair at `from` of some slots where it belongs. */
  #place(slots: Int32Array, from: number): void {
    const [hash, place] = [slots[from] as number, slots[from + 1] as number]
    slots[from + 1] = 0
    let at = this.#first(hash)
    while (this.#slots[at + 1] !== 0) at = this.#after(at)
    this.#slots[at] = hash
    this.#slots[at + 1] = place
  }

  #grow(): void {
    const before = this.#slots
    this.#slots = new Int32Array(2 * before.length)
    for (let at = 0; at < before.length; at += 2) if (before[at + 1] !== 0) this.#place(before, at)
  }
}

/** FNV-1a. */
function hashOf(bytes: Buffer): number {
  let hash = 0x811c9dc5 | 0
  for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193)
  return hash
}
