import type { KnownTexts } from './known-texts.ts'
import { readShort, shortText } from './short-text.ts'
import { skipField } from './skip.ts'
import { Strings } from './strings.ts'
import { decodeFailure, maxComposites, maxDepth, wire, wireNames } from './wire.ts'

const noBytes = new DataView(new ArrayBuffer(0))

// What Buffer.toString comes down to, without its checks of arguments.
type FastBuffer = Buffer & { utf8Slice(start: number, end: number): string; latin1Slice(start: number, end: number): string }

/**
 * Reads Tars fields from a buffer that is never left: every length is checked against the bytes that remain before it
 * is believed, struct nesting is bounded, and each violation is a Failure `TARS_DECODE` naming rule, tag and offset.
 *
 * Fields are looked for in ascending tag order, as in the C++, Java and Node decoders: lower and unknown tags are
 * skipped, so of duplicates the first counts, and a field that comes after a higher one is not found.
 *
 * Each `readX(tag, fallback?)` returns the fallback when the field is absent and fails when there is none.
 * Lenient as real clients need (framework-services.md 0.2): any integer width whose value fits, float for double and
 * back, a list for bytes.
 */
export class Reader {
  #buf: Buffer
  #view: DataView = noBytes
  #viewed: Buffer | undefined
  #pos: number
  #end: number
  #type = 0
  /** Offset of the head that was read last. */
  #head = 0
  #depth = 0
  /** Structs, lists and maps entered so far. */
  #composites = 0

  /** @param bytes what to read; not copied */
  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.#buf = bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    this.#end = Math.min(end, bytes.length)
    this.#pos = start
  }

  /** Starts over on other bytes. */
  reset(bytes: Buffer, start = 0, end = bytes.length): this {
    this.#buf = bytes
    this.#end = Math.min(end, bytes.length)
    this.#pos = start
    this.#depth = 0
    this.#composites = 0
    return this
  }

  /** Offset of the next byte. */
  get offset(): number {
    return this.#pos
  }

  /** Bytes not read yet. */
  get remaining(): number {
    return this.#end - this.#pos
  }

  /** Wire type of the field that {@link seek} found last. */
  get type(): number {
    return this.#type
  }

  /**
   * Moves to the value of the field `tag` of the current struct, skipping lower tags.
   * @returns false when it is not there; nothing behind its place is consumed then
   */
  seek(tag: number): boolean {
    while (this.#pos < this.#end) {
      const first = this.#buf[this.#pos] as number
      let found = first >> 4
      let size = 1
      if (found === 15) {
        if (this.#pos + 2 > this.#end) throw decodeFailure('the data ends inside a field head', tag, this.#pos)
        found = this.#buf[this.#pos + 1] as number
        size = 2
      }
      if ((first & 15) === wire.structEnd || found > tag) return false
      this.#head = this.#pos
      this.#pos += size
      if (found === tag) {
        this.#type = first & 15
        return true
      }
      this.#pos = skipField(this.#buf, this.#pos, this.#end, first & 15)
    }
    return false
  }

  readBool(tag: number, fallback?: boolean): boolean {
    if (!this.seek(tag)) return fallback ?? this.#missing(tag)
    return this.#integer(tag) !== 0
  }

  readByte(tag: number, fallback?: number): number {
    if (!this.seek(tag)) return fallback ?? this.#missing(tag)
    return this.#within(tag, -0x80, 0x7f, 'byte')
  }

  readShort(tag: number, fallback?: number): number {
    if (!this.seek(tag)) return fallback ?? this.#missing(tag)
    return this.#within(tag, -0x8000, 0x7fff, 'short')
  }

  readInt(tag: number, fallback?: number): number {
    if (!this.seek(tag)) return fallback ?? this.#missing(tag)
    return this.#within(tag, -0x80000000, 0x7fffffff, 'int')
  }

  readUByte(tag: number, fallback?: number): number {
    if (!this.seek(tag)) return fallback ?? this.#missing(tag)
    return this.#within(tag, 0, 0xff, 'unsigned byte')
  }

  readUShort(tag: number, fallback?: number): number {
    if (!this.seek(tag)) return fallback ?? this.#missing(tag)
    return this.#within(tag, 0, 0xffff, 'unsigned short')
  }

  readUInt(tag: number, fallback?: number): number {
    if (!this.seek(tag)) return fallback ?? this.#missing(tag)
    return this.#within(tag, 0, 0xffffffff, 'unsigned int')
  }

  readLong(tag: number, fallback?: bigint): bigint {
    if (!this.seek(tag)) return fallback ?? this.#missing(tag)
    if (this.#type !== wire.int64) return BigInt(this.#integer(tag))
    return this.#numbers().getBigInt64(this.#advance(tag, 8))
  }

  /** As {@link readLong}, as a number: beyond 2^53 it is the nearest safe integer. */
  readLongNumber(tag: number, fallback?: number): number {
    if (!this.seek(tag)) return fallback ?? this.#missing(tag)
    return Math.min(Math.max(this.#integer(tag), Number.MIN_SAFE_INTEGER), Number.MAX_SAFE_INTEGER)
  }

  readFloat(tag: number, fallback?: number): number {
    if (!this.seek(tag)) return fallback ?? this.#missing(tag)
    return this.#real(tag)
  }

  readDouble(tag: number, fallback?: number): number {
    if (!this.seek(tag)) return fallback ?? this.#missing(tag)
    return this.#real(tag)
  }

  /** UTF-8; bytes that are not become U+FFFD. An absent string is the fallback, which is `''` also when required. */
  readString(tag: number, fallback = ''): string {
    if (!this.seek(tag)) return fallback
    const size = this.#stringSize(tag)
    const start = this.#advance(tag, size)
    const short = size <= shortText ? readShort(this.#buf, start, this.#pos) : undefined
    return short ?? (this.#buf as FastBuffer).utf8Slice(start, this.#pos)
  }

  /** As {@link readString}, where the text is likely one of these. */
  readKnown(tag: number, texts: KnownTexts): string {
    if (!this.seek(tag)) return ''
    const start = this.#advance(tag, this.#stringSize(tag))
    return texts.find(this.#buf, start, this.#pos) ?? (this.#buf as FastBuffer).utf8Slice(start, this.#pos)
  }

  /** The bytes of a string, whatever its encoding; absent is none. Shares memory with the buffer being read. */
  readStringBytes(tag: number): Buffer {
    if (!this.seek(tag)) return Buffer.alloc(0)
    const start = this.#advance(tag, this.#stringSize(tag))
    return this.#buf.subarray(start, this.#pos)
  }

  /** A vector of strings as they were sent; absent is none. Shares memory with the buffer being read. */
  readStrings(tag: number): Strings {
    const count = this.beginList(tag)
    if (count <= 0) return Strings.none
    const [buf, end, start] = [this.#buf, this.#end, this.#pos]
    let length = 0
    let pos = start
    for (let index = 0; index < count; index++) {
      const [size, next] = [buf[pos + 1] as number, pos + 2 + (buf[pos + 1] as number)]
      // The usual form: a short one, its head of one byte.
      if (next <= end && buf[pos] === wire.string1) {
        length += size
        pos = next
        continue
      }
      this.#pos = pos
      if (!this.seek(0)) this.#missing(0)
      const long = this.#stringSize(0)
      pos = this.#advance(0, long) + long
      length += long
    }
    this.#pos = pos
    return new Strings(buf.subarray(start, pos), count, length)
  }

  /** A copy of a vector<byte>; absent is the fallback, else empty. */
  readBytes(tag: number, fallback?: Buffer): Buffer {
    if (!this.seek(tag)) return fallback ?? Buffer.alloc(0)
    return this.#type === wire.list ? this.#listAsBytes(tag) : Buffer.from(this.#simpleList(tag))
  }

  /** As {@link readBytes}, but the result shares memory with the buffer being read. */
  readBytesView(tag: number): Buffer {
    if (!this.seek(tag)) return Buffer.alloc(0)
    return this.#type === wire.list ? this.#listAsBytes(tag) : this.#simpleList(tag)
  }

  /** The field as it was sent, its head included; shares memory with the buffer being read. What it says is known by it without reading it. */
  readWhole(tag: number): Buffer {
    if (!this.seek(tag)) return this.#missing(tag)
    const start = this.#head
    this.#countOne(tag)
    this.#pos = skipField(this.#buf, this.#pos, this.#end, this.#type)
    return this.#buf.subarray(start, this.#pos)
  }

  /** All fields below `tag`, as {@link readWhole} reads one. The next is that of the tag, or none. */
  readBelow(tag: number): string {
    const start = this.#pos
    if (this.seek(tag)) this.#pos = this.#head
    return (this.#buf as FastBuffer).latin1Slice(start, this.#pos)
  }

  /** Passes over bytes that are like those of `bytes` from `from` on when they come next. @returns whether they do */
  passOver(bytes: Buffer, from: number, length: number): boolean {
    const end = this.#pos + length
    if (end > this.#end || this.#buf.compare(bytes, from, from + length, this.#pos, end) !== 0) return false
    this.#pos = end
    return true
  }

  /** Enters the struct at `tag`. @returns false when it is absent */
  beginStruct(tag: number): boolean {
    if (!this.seek(tag)) return false
    if (this.#type !== wire.structBegin) throw this.#mismatch(tag, 'a struct')
    if (++this.#depth > maxDepth) throw decodeFailure(`structs nest deeper than ${maxDepth}`, tag, this.#pos)
    this.#countOne(tag)
    return true
  }

  /** Leaves the struct entered last: skips what is left of it. */
  endStruct(): void {
    const buf = this.#buf
    if (this.#pos < this.#end && buf[this.#pos] === wire.structEnd) this.#pos++
    else this.#pos = skipField(buf, this.#pos, this.#end, wire.structBegin)
    this.#depth--
  }

  /** Enters the vector at `tag`. @returns how many elements follow at tag 0, or -1 when it is absent */
  beginList(tag: number): number {
    if (!this.seek(tag)) return -1
    if (this.#type !== wire.list) throw this.#mismatch(tag, 'a list')
    this.#countOne(tag)
    return this.#count(tag, 1)
  }

  /** Enters the map at `tag`. @returns how many entries follow (key at tag 0, value at tag 1), or -1 when it is absent */
  beginMap(tag: number): number {
    if (!this.seek(tag)) return -1
    if (this.#type !== wire.map) throw this.#mismatch(tag, 'a map')
    this.#countOne(tag)
    return this.#count(tag, 2)
  }

  /** The next element of a vector, or key or value of a map, must be there: unlike a field it has no default. */
  expect(tag: number): void {
    if (!this.seek(tag)) this.#missing(tag)
    this.#pos = this.#head
  }

  /** @returns `value` unless it holds more than the array that it was read for */
  limited<T extends { readonly length: number }>(tag: number, value: T, limit: number): T {
    if (value.length > limit) throw decodeFailure(`an array of at most ${limit} elements has ${value.length}`, tag, this.#pos)
    return value
  }

  /** For a required struct that is not there. */
  missing(tag: number): never {
    return this.#missing(tag)
  }

  #countOne(tag: number): void {
    if (++this.#composites > maxComposites) throw decodeFailure(`more than ${maxComposites} structs, lists and maps`, tag, this.#pos)
  }

  #advance(tag: number, size: number): number {
    const start = this.#pos
    if (size > this.#end - start) throw decodeFailure(`${size} bytes are announced, ${this.#end - start} remain`, tag, start)
    this.#pos = start + size
    return start
  }

  // Any integer field as a number; beyond 2^53 it is rounded, which no caller's range admits.
  #integer(tag: number): number {
    const buf = this.#buf
    switch (this.#type) {
      case wire.zero: return 0
      case wire.int8: return (buf[this.#advance(tag, 1)] as number) << 24 >> 24
      case wire.int16: {
        const at = this.#advance(tag, 2)
        return ((buf[at] as number) << 8 | (buf[at + 1] as number)) << 16 >> 16
      }
      case wire.int32: return this.#int32(this.#advance(tag, 4))
      case wire.int64: {
        const at = this.#advance(tag, 8)
        return this.#int32(at) * 0x100000000 + (this.#int32(at + 4) >>> 0)
      }
      default: throw this.#mismatch(tag, 'an integer')
    }
  }

  #int32(at: number): number {
    const buf = this.#buf
    return (buf[at] as number) << 24 | (buf[at + 1] as number) << 16 | (buf[at + 2] as number) << 8 | (buf[at + 3] as number)
  }

  #within(tag: number, low: number, high: number, type: string): number {
    const value = this.#integer(tag)
    if (value < low || value > high) throw decodeFailure(`${value} does not fit ${type}`, tag, this.#pos)
    return value
  }

  #real(tag: number): number {
    switch (this.#type) {
      case wire.zero: return 0
      case wire.float: return this.#numbers().getFloat32(this.#advance(tag, 4))
      case wire.double: return this.#numbers().getFloat64(this.#advance(tag, 8))
      default: throw this.#mismatch(tag, 'a float or double')
    }
  }

  // The memory under the buffer, for numbers of 4 and 8 bytes: several times faster than Buffer's methods.
  #numbers(): DataView {
    if (this.#viewed !== this.#buf) {
      this.#viewed = this.#buf
      this.#view = new DataView(this.#buf.buffer, this.#buf.byteOffset, this.#buf.length)
    }
    return this.#view
  }

  #stringSize(tag: number): number {
    if (this.#type === wire.string1) return this.#buf[this.#advance(tag, 1)] as number
    if (this.#type === wire.string4) return this.#int32(this.#advance(tag, 4)) >>> 0
    throw this.#mismatch(tag, 'a string')
  }

  #count(tag: number, bytesEach: number): number {
    const count = this.readInt(0)
    const room = Math.floor(this.remaining / bytesEach)
    if (count < 0 || count > room) throw decodeFailure(`${count} elements are announced, at most ${room} fit in what remains`, tag, this.#pos)
    return count
  }

  #simpleList(tag: number): Buffer {
    if (this.#type !== wire.simpleList) throw this.#mismatch(tag, 'bytes')
    const element = this.seek(0) ? this.type : -1
    if (element !== wire.int8) throw this.#mismatch(tag, 'the element type byte of a simple list')
    const size = this.#count(tag, 1)
    const start = this.#advance(tag, size)
    return this.#buf.subarray(start, start + size)
  }

  #listAsBytes(tag: number): Buffer {
    const count = this.#count(tag, 1)
    const bytes = Buffer.alloc(count)
    for (let i = 0; i < count; i++) bytes[i] = this.readByte(0)
    return bytes
  }

  #missing(tag: number): never {
    throw decodeFailure('the field is required and missing', tag, this.#pos)
  }

  #mismatch(tag: number, expected: string): Error {
    return decodeFailure(`expected ${expected}, found ${wireNames[this.#type] ?? `wire type ${this.#type}`}`, tag, this.#pos)
  }
}
