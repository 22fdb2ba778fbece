import { shortText, writeShort } from './short-text.ts'
import { encodeFailure, wire } from './wire.ts'

/** A buffer larger than this is given back at {@link Writer.reset}, so that one big answer does not stay in memory. */
const keptBytes = 256 * 1024

/** Bytes that any fixed-width field needs at most: two of head, eight of value. */
const fieldBytes = 10

const noBytes = new DataView(new ArrayBuffer(0))

// What Buffer.write comes down to, without its checks of arguments.
type FastBuffer = Buffer & { latin1Write(text: string, at: number, count: number): number }

/**
 * Writes Tars fields into one growing buffer, each integer in its narrowest form, as the C++, Java and Node encoders do.
 * One writer is meant to be reused: {@link reset} keeps its buffer.
 *
 * Tags are 0…255. A value that does not fit throws a Failure `TARS_ENCODE`; what was written before stays.
 * Source: TarsProtocol, "Tars encoding"; widths swept against @tars/stream and TarsJava in test/lib/tars/codec.
 */
export class Writer {
  #buf: Buffer
  #pos = 0
  #view: DataView = noBytes
  #viewed: Buffer | undefined

  /** @param size first capacity in bytes */
  constructor(size = 512) {
    this.#buf = Buffer.allocUnsafeSlow(size)
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#pos
  }

  /** Forgets what was written; the buffer is used again, so views from {@link view} become invalid. */
  reset(): this {
    this.#pos = 0
    if (this.#buf.length > keptBytes) this.#buf = Buffer.allocUnsafeSlow(512)
    return this
  }

  /** A copy of what was written. */
  bytes(): Buffer {
    return Buffer.from(this.#buf.subarray(0, this.#pos))
  }

  /** What was written, without a copy: valid until the next write or {@link reset}. */
  view(): Buffer {
    return this.#buf.subarray(0, this.#pos)
  }

  /** What was written, without a copy and for good: the writer starts over with a new buffer of `size` bytes. */
  take(size = 512): Buffer {
    const taken = this.#buf.subarray(0, this.#pos)
    this.#buf = Buffer.allocUnsafeSlow(size)
    this.#pos = 0
    return taken
  }

  /** Goes back to an earlier {@link length}: what was written after it is dropped. */
  rewind(length: number): void {
    if (length < this.#pos) this.#pos = length
  }

  /** Bytes as they are, with no head: a body that is encoded already. */
  writeRaw(bytes: Uint8Array): void {
    this.#ensure(bytes.length)
    this.#buf.set(bytes, this.#pos)
    this.#pos += bytes.length
  }

  /** As {@link writeRaw}: the bytes `start` to `end` of some. */
  writeFrom(bytes: Buffer, start: number, end: number): void {
    this.#ensure(end - start)
    bytes.copy(this.#buf, this.#pos, start, end)
    this.#pos += end - start
  }

  /** As {@link writeRaw}: bytes as the characters of a text. */
  writeLatin1(bytes: string): void {
    this.#ensure(bytes.length)
    ;(this.#buf as FastBuffer).latin1Write(bytes, this.#pos, bytes.length)
    this.#pos += bytes.length
  }

  /** Four zero bytes to be filled by {@link patchInt32}. @returns their offset */
  reserveInt32(): number {
    this.#ensure(4)
    const at = this.#pos
    this.#put32(0)
    return at
  }

  /** Sets the big-endian int32 at `offset`, which lies in what was written. */
  patchInt32(offset: number, value: number): void {
    this.#buf.writeInt32BE(value, offset)
  }

  writeBool(tag: number, value: boolean): void {
    if (typeof value !== 'boolean') throw encodeFailure('bool', tag, value)
    this.#integer(tag, value ? 1 : 0)
  }

  writeByte(tag: number, value: number): void {
    if (value << 24 >> 24 !== value) throw encodeFailure('byte', tag, value)
    this.#integer(tag, value)
  }

  writeShort(tag: number, value: number): void {
    if (value << 16 >> 16 !== value) throw encodeFailure('short', tag, value)
    this.#integer(tag, value)
  }

  writeInt(tag: number, value: number): void {
    if ((value | 0) !== value) throw encodeFailure('int', tag, value)
    this.#integer(tag, value)
  }

  /** Unsigned byte: travels as a short. */
  writeUByte(tag: number, value: number): void {
    if ((value & 0xff) !== value) throw encodeFailure('unsigned byte', tag, value)
    this.#integer(tag, value)
  }

  /** Unsigned short: travels as an int. */
  writeUShort(tag: number, value: number): void {
    if ((value & 0xffff) !== value) throw encodeFailure('unsigned short', tag, value)
    this.#integer(tag, value)
  }

  /** Unsigned int: travels as a long. */
  writeUInt(tag: number, value: number): void {
    if (value >>> 0 !== value) throw encodeFailure('unsigned int', tag, value)
    if (value <= 0x7fffffff) return this.#integer(tag, value)
    this.#ensure(fieldBytes)
    this.#head(tag, wire.int64)
    this.#put32(0)
    this.#put32(value | 0)
  }

  writeLong(tag: number, value: bigint): void {
    if (typeof value !== 'bigint') throw encodeFailure('long (bigint)', tag, value)
    this.#ensure(fieldBytes)
    const view = this.#numbers()
    const at = this.#pos + (tag < 15 ? 1 : 2)
    view.setBigInt64(at, value) // as if it needed all 64 bits; a narrower form is written over it
    if (view.getBigInt64(at) !== value) throw encodeFailure('long (64 bits)', tag, value)
    const low = view.getInt32(at + 4)
    if (view.getInt32(at) === low >> 31) return this.#integer(tag, low)
    this.#head(tag, wire.int64)
    this.#pos = at + 8
  }

  writeFloat(tag: number, value: number): void {
    if (typeof value !== 'number') throw encodeFailure('float', tag, value)
    this.#ensure(fieldBytes)
    if (value === 0) return this.#head(tag, wire.zero)
    this.#head(tag, wire.float)
    this.#numbers().setFloat32(this.#pos, value)
    this.#pos += 4
  }

  writeDouble(tag: number, value: number): void {
    if (typeof value !== 'number') throw encodeFailure('double', tag, value)
    this.#ensure(fieldBytes)
    if (value === 0) return this.#head(tag, wire.zero)
    this.#head(tag, wire.double)
    this.#numbers().setFloat64(this.#pos, value)
    this.#pos += 8
  }

  /** UTF-8; up to 255 bytes as string1, else string4. */
  writeString(tag: number, value: string): void {
    if (typeof value !== 'string') throw encodeFailure('string', tag, value)
    this.#ensure(6 + value.length * 3) // a UTF-16 unit is at most three UTF-8 bytes
    if (value.length > 255) return this.#longString(tag, value)
    const head = this.#pos
    this.#head(tag, wire.string1)
    const start = this.#pos + 1
    const short = value.length <= shortText && writeShort(this.#buf, start, value)
    const size = short ? value.length : this.#buf.write(value, start)
    if (size > 255) return this.#widen(head, start, size)
    this.#buf[start - 1] = size
    this.#pos = start + size
  }

  writeBytes(tag: number, value: Uint8Array): void {
    if (!(value instanceof Uint8Array)) throw encodeFailure('vector<byte> (Buffer)', tag, value)
    this.#ensure(fieldBytes)
    this.#head(tag, wire.simpleList)
    this.#head(0, wire.int8)
    this.#integer(0, value.length)
    this.writeRaw(value)
  }

  /**
   * Starts a vector<byte> whose content is written next by this same writer, which saves a copy.
   * @returns a mark for {@link endBytes}
   */
  beginBytes(tag: number): number {
    this.#ensure(fieldBytes)
    this.#head(tag, wire.simpleList)
    this.#head(0, wire.int8)
    this.#pos += 3 // the length as an int16: the usual case; endBytes moves the content otherwise
    return this.#pos
  }

  /** Ends what {@link beginBytes} started: sets the length, in its narrowest form. */
  endBytes(mark: number): void {
    const size = this.#pos - mark
    this.#ensure(2)
    this.#pos = mark - 3
    this.#move(mark, size, mark - 3 + integerBytes(size))
    this.#integer(0, size)
    this.#pos += size
  }

  beginStruct(tag: number): void {
    this.#ensure(fieldBytes)
    this.#head(tag, wire.structBegin)
  }

  endStruct(): void {
    this.#ensure(fieldBytes)
    this.#head(0, wire.structEnd)
  }

  /** A vector of `count` elements, which follow at tag 0. */
  beginList(tag: number, count: number): void {
    this.#ensure(fieldBytes)
    this.#head(tag, wire.list)
    this.#integer(0, count)
  }

  /** A map of `count` entries, which follow as key at tag 0, value at tag 1. */
  beginMap(tag: number, count: number): void {
    this.#ensure(fieldBytes)
    this.#head(tag, wire.map)
    this.#integer(0, count)
  }

  #integer(tag: number, value: number): void {
    this.#ensure(fieldBytes)
    if (value === 0) this.#head(tag, wire.zero)
    else if (value >= -0x80 && value <= 0x7f) {
      this.#head(tag, wire.int8)
      this.#buf[this.#pos++] = value
    } else if (value >= -0x8000 && value <= 0x7fff) {
      this.#head(tag, wire.int16)
      this.#buf[this.#pos++] = value >> 8
      this.#buf[this.#pos++] = value
    } else {
      this.#head(tag, wire.int32)
      this.#put32(value)
    }
  }

  #put32(value: number): void {
    const buf = this.#buf
    const at = this.#pos
    buf[at] = value >> 24
    buf[at + 1] = value >> 16
    buf[at + 2] = value >> 8
    buf[at + 3] = value
    this.#pos = at + 4
  }

  #head(tag: number, type: number): void {
    if (tag < 15) {
      this.#buf[this.#pos++] = tag << 4 | type
      return
    }
    if (tag > 255) throw encodeFailure('tag of 0…255', tag, tag)
    this.#buf[this.#pos++] = 0xf0 | type
    this.#buf[this.#pos++] = tag
  }

  #longString(tag: number, value: string): void {
    this.#head(tag, wire.string4)
    const start = this.#pos + 4
    const size = this.#buf.write(value, start)
    this.#put32(size)
    this.#pos = start + size
  }

  // The text was written as string1, its bytes at `start`, and proved too long for that.
  #widen(head: number, start: number, size: number): void {
    this.#buf.copyWithin(start + 3, start, start + size)
    this.#buf[head] = (this.#buf[head] as number) & 0xf0 | wire.string4
    this.#pos = start - 1
    this.#put32(size)
    this.#pos = start + 3 + size
  }

  #move(from: number, size: number, to: number): void {
    if (from === to) return
    this.#buf.copyWithin(to, from, from + size)
  }

  // The buffer for numbers of 4 and 8 bytes: several times faster than Buffer's methods.
  #numbers(): DataView {
    if (this.#viewed !== this.#buf) {
      this.#viewed = this.#buf
      this.#view = new DataView(this.#buf.buffer, this.#buf.byteOffset, this.#buf.length)
    }
    return this.#view
  }

  #ensure(more: number): void {
    if (this.#pos + more > this.#buf.length) this.#grow(more)
  }

  #grow(more: number): void {
    const grown = Buffer.allocUnsafeSlow(Math.max(this.#buf.length * 2, this.#pos + more))
    this.#buf.copy(grown, 0, 0, this.#pos)
    this.#buf = grown
  }
}

// Bytes of an integer field at tag 0 in its narrowest form.
function integerBytes(value: number): number {
  if (value === 0) return 1
  if (value <= 0x7f) return 2
  return value <= 0x7fff ? 3 : 5
}
