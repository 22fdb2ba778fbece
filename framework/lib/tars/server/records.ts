import { free } from '#base/free.ts'
import type { Writer } from '../codec/writer.ts'

/** Records begin at multiples of this, so that 31 bits tell 16 GiB of places apart. */
const unit = 8
/** The bits of a place that say where in its segment it is; those above are the segment's number. */
const offsetBits = 15
const offsetMask = (1 << offsetBits) - 1
const segmentBytes = unit << offsetBits
/** A record that is larger has a segment of its own. */
const ownSegmentBytes = segmentBytes / 4
/** The lengths of key and value, 4 bytes each, with which a record begins. That of the key is inverted in one that was dropped. */
const headBytes = 8

interface Segment {
  readonly bytes: Buffer
  /** Where the next record goes. */
  used: number
  /** Bytes of records that were not dropped. */
  live: number
}

/**
 * Keys with their values, each in one piece of memory, one behind the other in segments. What is left of a segment moves on when most
 * of it was dropped, and its memory is given back; so nobody is handed the memory itself, but copies.
 */
export class Records {
  readonly #moved: (from: number, to: number, key: Buffer) => void
  #segments: (Segment | undefined)[] = []
  /** The number of the segment that is written to. */
  #last = -1

  /** @param moved told of each record that has another place now */
  constructor(moved: (from: number, to: number, key: Buffer) => void) {
    this.#moved = moved
  }

  /** Bytes of memory that are held. */
  get bytes(): number {
    return this.#segments.reduce((sum, segment) => sum + (segment?.bytes.length ?? 0), 0)
  }

  /** @returns the record's place, until it moves or is dropped */
  add(key: Buffer, value: Buffer): number {
    const size = sizeOf(key.length, value.length)
    const number = this.#room(size)
    const segment = this.#segments[number] as Segment
    const { bytes, used } = segment
    bytes.writeInt32BE(key.length, used)
    bytes.writeInt32BE(value.length, used + 4)
    key.copy(bytes, used + headBytes)
    value.copy(bytes, used + headBytes + key.length)
    segment.used += size
    segment.live += size
    return number << offsetBits | used / unit
  }

  /** Gives a record another value of the same length. @returns false when its length is another, and then does nothing */
  replace(place: number, value: Buffer): boolean {
    const { bytes } = this.#segmentOf(place)
    const at = offsetOf(place)
    if (int32(bytes, at + 4) !== value.length) return false
    value.copy(bytes, at + headBytes + int32(bytes, at))
    return true
  }

  drop(place: number): void {
    const segment = this.#segmentOf(place)
    const at = offsetOf(place)
    const keyLength = int32(segment.bytes, at)
    segment.live -= sizeOf(keyLength, int32(segment.bytes, at + 4))
    segment.bytes.writeInt32BE(~keyLength, at)
    if (place >> offsetBits !== this.#last) this.#tidy(place >> offsetBits)
  }

  clear(): void {
    for (const segment of this.#segments) if (segment !== undefined) free(segment.bytes)
    this.#segments = []
    this.#last = -1
  }

  /** Whether the key of a record is the bytes `start` to `end` of some. */
  hasKey(place: number, bytes: Buffer, start: number, end: number): boolean {
    const { bytes: own } = this.#segmentOf(place)
    const at = offsetOf(place)
    if (int32(own, at) !== end - start) return false
    for (let i = start, j = at + headBytes; i < end; i++, j++) if (own[j] !== bytes[i]) return false
    return true
  }

  /** Appends a copy of a record's value. */
  writeValue(place: number, writer: Writer): void {
    const { bytes } = this.#segmentOf(place)
    const at = offsetOf(place)
    const start = at + headBytes + int32(bytes, at)
    writer.writeFrom(bytes, start, start + int32(bytes, at + 4))
  }

  /** The first byte of a record: reading it has the processor fetch what is around. */
  firstByte(place: number): number {
    return this.#segmentOf(place).bytes[offsetOf(place)] as number
  }

  #segmentOf(place: number): Segment {
    return this.#segments[place >> offsetBits] as Segment
  }

  /** The number of a segment that has so much room. */
  #room(size: number): number {
    if (size > ownSegmentBytes) return this.#open(size)
    for (;;) {
      const full = this.#last
      const segment = this.#segments[full]
      if (segment !== undefined && segment.used + size <= segmentBytes) return full
      this.#last = this.#open(segmentBytes)
      if (segment !== undefined) this.#tidy(full)
    }
  }

  #open(size: number): number {
    const gap = this.#segments.indexOf(undefined)
    const number = gap < 0 ? this.#segments.length : gap
    this.#segments[number] = { bytes: Buffer.allocUnsafeSlow(size), used: 0, live: 0 }
    return number
  }

  #tidy(number: number): void {
    const { bytes, used, live } = this.#segments[number] as Segment
    if (2 * live > used) return
    for (let at = 0; at < used;) {
      const keyLength = int32(bytes, at)
      const valueLength = int32(bytes, at + 4)
      if (keyLength >= 0) {
        const start = at + headBytes
        const key = bytes.subarray(start, start + keyLength)
        this.#moved(number << offsetBits | at / unit, this.add(key, bytes.subarray(start + keyLength, start + keyLength + valueLength)), key)
      }
      at += sizeOf(keyLength < 0 ? ~keyLength : keyLength, valueLength)
    }
    this.#segments[number] = undefined
    free(bytes)
  }
}

function offsetOf(place: number): number {
  return (place & offsetMask) * unit
}

function sizeOf(keyLength: number, valueLength: number): number {
  return Math.ceil((headBytes + keyLength + valueLength) / unit) * unit
}

function int32(bytes: Buffer, at: number): number {
  return (bytes[at] as number) << 24 | (bytes[at + 1] as number) << 16 | (bytes[at + 2] as number) << 8 | (bytes[at + 3] as number)
}
