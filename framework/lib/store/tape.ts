// Numbers and strings of bytes one after the other: what a journal is made of. Numbers are as the machine has them.
import { roomFor, type Span } from './columns.ts'

/** Bytes before what is taken down, for whoever writes it. */
export const headBytes = 8

/** Takes down numbers and strings. Its memory is used again after {@link clear}. */
export class Tape {
  #numbers = new Float64Array(512)
  #bytes = Buffer.from(this.#numbers.buffer)
  /** In numbers, with the head. */
  #length = 1

  number(value: number): void {
    if (this.#length === this.#numbers.length) this.#grow(1)
    this.#numbers[this.#length++] = value
  }

  /** How many, and these. */
  numbers({ column, from, to }: Readonly<Span>): void {
    this.number(to - from)
    if (this.#length + to - from > this.#numbers.length) this.#grow(to - from)
    for (let at = from; at < to; at++) this.#numbers[this.#length++] = column[at] as number
  }

  /** How many, and these; the next is on a multiple of eight again. */
  bytes(some: Buffer, from: number, count: number): void {
    this.number(count)
    const room = Math.ceil(count / 8)
    if (this.#length + room > this.#numbers.length) this.#grow(room)
    some.copy(this.#bytes, this.#length * 8, from, from + count)
    this.#length += room
  }

  /** The head, and what was taken down; valid until the next call. */
  get taken(): Buffer {
    return this.#bytes.subarray(0, this.#length * 8)
  }

  clear(): void {
    this.#length = 1
  }

  #grow(more: number): void {
    this.#numbers = roomFor(this.#numbers, this.#length + more)
    this.#bytes = Buffer.from(this.#numbers.buffer)
  }
}

/** Reads what a {@link Tape} took down, in the same order. @throws RangeError beyond its end */
export class TapeReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length
  }

  number(): number {
    this.#at += 8
    return this.#bytes.readDoubleLE(this.#at - 8)
  }

  numbers(): Float64Array {
    return Float64Array.from({ length: this.number() }, () => this.number())
  }

  text(): string {
    const length = this.number()
    const from = this.#at
    this.#at += Math.ceil(length / 8) * 8
    if (!(this.#at <= this.#bytes.length)) throw new RangeError('the text is cut off')
    return this.#bytes.toString('utf8', from, from + length)
  }
}
