// Strings of bytes that are known by number. Their memory is outside of V8's heap: however many there are, the garbage collector has nothing to look at.
import { randomInt } from 'node:crypto'
import { roomFor } from './columns.ts'
import type { Tape } from './tape.ts'

/** Bytes of the longest string. */
export const longestInterned = 4096
const chunkBits = 18
const chunkBytes = 1 << chunkBits

/**
 * What each two bytes count in a hash, and before them how many there are. Nobody knows them who could choose strings that have
 * one hash (universal hashing: Carter and Wegman, 1979); with so many bits no sum is beyond 2^53.
 */
const weights = Float64Array.from({ length: longestInterned / 2 + 1 }, () => randomInt(1, 2 ** 25))
const prime = 2 ** 31 - 1
const spread = randomInt(2 ** 30) * 2 + 1

function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let sum = (end - start) * (weights[0] as number)
  let at = start
  for (let word = 1; at < end - 1; word++, at += 2) sum += ((bytes[at] as number) | ((bytes[at + 1] as number) << 8)) * (weights[word] as number)
  if (at < end) sum += (bytes[at] as number) * (weights[(at - start) / 2 + 1] as number)
  return sum - Math.floor(sum / prime) * prime
}

/** Columns of a string: its place (chunk, and offset in it), how many bytes, their hash, its parent. Side by side, as they are looked at together. */
const [places, lengths, hashes, parents, width] = [0, 1, 2, 3, 4]

/** The same in the form in which another thread has it, too. */
export interface InternedBytes {
  readonly size: number
  readonly chunks: readonly Uint8Array[]
  readonly columns: Int32Array
}

/** Numbers strings of bytes, 0, 1, …, each below a parent: the same bytes below another one are another string. */
export class Interned {
  #size = 0
  #chunks: Buffer[] = []
  #end = 0
  /** Chunks that are not in use yet. */
  readonly #spare: Buffer[]
  #columns: Int32Array
  /** Open addressing: a number and 1, or 0. */
  #table = new Int32Array(256)
  /** Strings before this one are in the table: the others when one is looked for. */
  #entered = 0

  /** @param memory of one that was released and that nobody has a use for; it is used again */
  constructor(memory?: InternedBytes) {
    this.#spare = memory?.chunks.map(({ buffer }) => Buffer.from(buffer)) ?? []
    this.#columns = memory?.columns ?? new Int32Array(new SharedArrayBuffer(512 * width))
  }

  get size(): number {
    return this.#size
  }

  /** Bytes of memory that strings take. */
  get bytes(): number {
    return this.#chunks.length * chunkBytes
  }

  /** The number of these bytes, a new one when they are not there. @throws RangeError when they are too many for a string */
  number(bytes: Buffer, parent = 0): number {
    const hash = hashOf(bytes, 0, bytes.length)
    const known = this.#find(hash, parent, bytes, 0, bytes.length)
    return known < 0 ? this.#add(hash, parent, bytes, 0, bytes.length) : known
  }

  /** The number, below no parent, of what another one has under a number; -1 when it is not here. */
  findAs(other: Interned, number: number): number {
    return this.#find(other.#get(number, hashes), 0, other.#chunkOf(number), other.#startOf(number), other.#startOf(number) + other.#get(number, lengths))
  }

  /** Takes what another one has under a number, which is not here yet: as long as no string is looked for, that is no more than copying it. */
  addAs(other: Interned, number: number): number {
    return this.#add(other.#get(number, hashes), 0, other.#chunkOf(number), other.#startOf(number), other.#startOf(number) + other.#get(number, lengths))
  }

  parentOf(number: number): number {
    return this.#get(number, parents)
  }

  /** Shares memory. */
  bytesOf(number: number): Buffer {
    const start = this.#startOf(number)
    return this.#chunkOf(number).subarray(start, start + this.#get(number, lengths))
  }

  /** Bytes of a string. */
  lengthOf(number: number): number {
    return this.#get(number, lengths)
  }

  /** Whether a string comes next where it is looked for. */
  isNext(number: number, source: { passOver(bytes: Buffer, from: number, length: number): boolean }): boolean {
    return source.passOver(this.#chunkOf(number), this.#startOf(number), this.#get(number, lengths))
  }

  takeDown(number: number, tape: Tape): void {
    tape.bytes(this.#chunkOf(number), this.#startOf(number), this.#get(number, lengths))
  }

  /** Gives all of it away; none is left here. */
  release(): InternedBytes {
    const released = { size: this.#size, chunks: [...this.#chunks, ...this.#spare.splice(0)], columns: this.#columns }
    this.#chunks = []
    this.#columns = new Int32Array(0)
    this.#table.fill(0)
    this.#size = this.#entered = 0
    return released
  }

  #get(number: number, column: number): number {
    return this.#columns[number * width + column] as number
  }

  #chunkOf(number: number): Buffer {
    return this.#chunks[this.#get(number, places) >> chunkBits] as Buffer
  }

  #startOf(number: number): number {
    return this.#get(number, places) & (chunkBytes - 1)
  }

  #find(hash: number, parent: number, bytes: Buffer, start: number, end: number): number {
    if (this.#entered < this.#size) this.#enter()
    const mask = this.#table.length - 1
    for (let at = (hash + Math.imul(parent, spread)) & mask; ; at = (at + 1) & mask) {
      const number = (this.#table[at] as number) - 1
      if (number < 0 || (this.#get(number, hashes) === hash && this.#get(number, parents) === parent && this.#is(number, bytes, start, end))) return number
    }
  }

  #is(number: number, bytes: Buffer, start: number, end: number): boolean {
    const [from, length] = [this.#startOf(number), this.#get(number, lengths)]
    return length === end - start && this.#chunkOf(number).compare(bytes, start, end, from, from + length) === 0
  }

  #add(hash: number, parent: number, bytes: Buffer, start: number, end: number): number {
    const place = this.#keep(bytes, start, end)
    const at = this.#size * width
    this.#columns = roomFor(this.#columns, at + width)
    this.#columns[at + places] = place
    this.#columns[at + lengths] = end - start
    this.#columns[at + hashes] = hash
    this.#columns[at + parents] = parent
    return this.#size++
  }

  /** Copies bytes to where there is room for all of them. */
  #keep(bytes: Buffer, start: number, end: number): number {
    const length = end - start
    if (length > longestInterned) throw new RangeError(`${length} bytes are too many for an interned string`)
    if (this.#chunks.length === 0 || this.#end + length > chunkBytes) {
      this.#chunks.push(this.#spare.pop() ?? Buffer.from(new SharedArrayBuffer(chunkBytes)))
      this.#end = 0
    }
    bytes.copy(this.#chunks.at(-1) as Buffer, this.#end, start, end)
    this.#end += length
    return ((this.#chunks.length - 1) << chunkBits) | (this.#end - length)
  }

  /** Enters what is not in the table yet; into one that is at most half full. */
  #enter(): void {
    if (this.#size * 2 > this.#table.length) {
      this.#table = new Int32Array(2 ** Math.ceil(Math.log2(this.#size * 2 + 1)))
      this.#entered = 0
    }
    const mask = this.#table.length - 1
    for (; this.#entered < this.#size; this.#entered++) {
      let at = (this.#get(this.#entered, hashes) + Math.imul(this.#get(this.#entered, parents), spread)) & mask
      while (this.#table[at] !== 0) at = (at + 1) & mask
      this.#table[at] = this.#entered + 1
    }
  }
}

/** The text of a string that was given away. */
export function internedText({ chunks, columns }: InternedBytes, number: number): string {
  const place = columns[number * width + places] as number
  const chunk = chunks[place >> chunkBits] as Uint8Array
  return Buffer.from(chunk.buffer, chunk.byteOffset + (place & (chunkBytes - 1)), columns[number * width + lengths]).toString()
}
