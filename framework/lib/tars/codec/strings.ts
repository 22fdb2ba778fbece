import { wire } from './wire.ts'

/**
 * The strings of a vector as they were sent, whatever their encoding: the bytes in which they stand, without an object
 * for each of them. As arguments of a method they are valid until it returns; one that goes on later takes a {@link kept}
 * copy.
 */
export class Strings implements Iterable<Buffer> {
  static readonly none = new Strings(Buffer.alloc(0), 0, 0)

  /** How many there are. */
  readonly count: number
  /** Bytes of all of them together. */
  readonly length: number
  readonly #fields: Buffer

  /** @param fields `count` strings, each a field at tag 0 with its head; not copied, and believed to be whole */
  constructor(fields: Buffer, count: number, length: number) {
    this.#fields = fields
    this.count = count
    this.length = length
  }

  static of(values: readonly (Buffer | string)[]): Strings {
    const parts = values.map((value) => Buffer.from(value))
    const length = parts.reduce((sum, part) => sum + part.length, 0)
    return new Strings(Buffer.concat(parts.flatMap((part) => [head4(part.length), part])), parts.length, length)
  }

  /** The same in memory of its own. */
  kept(): Strings {
    return new Strings(Buffer.from(this.#fields), this.count, this.length)
  }

  /** Each as a view of the bytes that were sent. */
  *[Symbol.iterator](): Iterator<Buffer> {
    for (let pos = 0; pos < this.#fields.length;) {
      const start = startOf(this.#fields, pos)
      pos = start + sizeBefore(this.#fields, pos, start)
      yield this.#fields.subarray(start, pos)
    }
  }

  /**
   * Copies one after the other, `head` before each.
   * @param target has room for `length + count * head.length` bytes from `start` on
   */
  copy(target: Buffer, start: number, head: Buffer): void {
    const fields = this.#fields
    const headBytes = head.length
    for (let pos = 0, at = start; pos < fields.length;) {
      // Of a short head, a call to copy it would take longer than its bytes do.
      if (headBytes <= shortHead) for (let index = 0; index < headBytes; index++) target[at + index] = head[index] as number
      else head.copy(target, at)
      at += headBytes
      const from = startOf(fields, pos)
      pos = from + sizeBefore(fields, pos, from)
      fields.copy(target, at, from, pos)
      at += pos - from
    }
  }
}

const shortHead = 64

// Where the bytes of the string begin whose head is at `pos`: behind the head, which takes a second byte when the tag is in that, and its length.
function startOf(fields: Buffer, pos: number): number {
  const first = fields[pos] as number
  return pos + (first >= 0xf0 ? 2 : 1) + ((first & 15) === wire.string1 ? 1 : 4)
}

function sizeBefore(fields: Buffer, pos: number, start: number): number {
  return ((fields[pos] as number) & 15) === wire.string1 ? (fields[start - 1] as number) : fields.readUInt32BE(start - 4)
}

function head4(size: number): Buffer {
  const head = Buffer.allocUnsafe(5)
  head[0] = wire.string4
  head.writeUInt32BE(size, 1)
  return head
}
