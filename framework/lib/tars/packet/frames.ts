import { Failure } from '#base/errors.ts'

/** Receives one packet: the bytes `start` to `end` of `bytes`, without the length header; valid during the call only. */
export type FrameSink = (bytes: Buffer, start: number, end: number) => void

const headerBytes = 4
const firstCapacity = 1024

/**
 * Cuts a byte stream into packets by their 4-byte big-endian length, which counts itself. Packets that arrive whole are
 * handed on without a copy. An incomplete one is kept in a buffer that grows with what really arrived, never with what
 * its header claims.
 */
export class FrameReader {
  readonly #maxBytes: number
  #kept: Buffer | undefined
  #have = 0
  #stopped = false

  /** @param maxBytes largest packet allowed, header included */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Bytes of memory held for an incomplete packet; 0 between packets. */
  get heldBytes(): number {
    return this.#kept?.length ?? 0
  }

  /** True while an incomplete packet is held. */
  get partial(): boolean {
    return this.#have > 0
  }

  /** Drops what is held; nothing is handed on any more, not even the rest of the chunk being fed. */
  stop(): void {
    this.#stopped = true
    this.#release()
  }

  /**
   * @returns how many packets were handed to `sink`
   * @throws Failure `TARS_PACKET_LENGTH` when a header claims fewer than 4 bytes or more than the limit
   */
  feed(chunk: Buffer, sink: FrameSink): number {
    let count = 0
    let pos = 0
    if (this.#have > 0) {
      pos = this.#fill(chunk)
      if (this.#have === 0 || this.#have < this.#wanted()) return 0
      count += this.#emitKept(sink)
    }
    while (!this.#stopped && chunk.length - pos >= headerBytes) {
      const size = this.#checked(chunk.readUInt32BE(pos))
      if (size > chunk.length - pos) break
      sink(chunk, pos + headerBytes, pos + size)
      pos += size
      count++
    }
    if (!this.#stopped && pos < chunk.length) this.#keep(chunk, pos)
    return count
  }

  #emitKept(sink: FrameSink): number {
    const packet = this.#kept as Buffer
    const size = this.#have
    this.#release()
    sink(packet, headerBytes, size)
    return 1
  }

  // Bytes that the held packet needs to be whole, as far as its header is known.
  #wanted(): number {
    return this.#have < headerBytes ? headerBytes : this.#checked((this.#kept as Buffer).readUInt32BE(0))
  }

  // Adds to the held packet what belongs to it. Returns how much of the chunk was used.
  #fill(chunk: Buffer): number {
    let pos = 0
    while (pos < chunk.length && this.#have < this.#wanted()) pos += this.#append(chunk, pos, this.#wanted() - this.#have)
    return pos
  }

  #append(chunk: Buffer, pos: number, most: number): number {
    const size = Math.min(most, chunk.length - pos)
    this.#reserve(this.#have + size)
    chunk.copy(this.#kept as Buffer, this.#have, pos, pos + size)
    this.#have += size
    return size
  }

  #keep(chunk: Buffer, pos: number): void {
    this.#append(chunk, pos, chunk.length - pos)
  }

  #reserve(bytes: number): void {
    const kept = this.#kept
    if (kept !== undefined && kept.length >= bytes) return
    const grown = Buffer.allocUnsafeSlow(Math.min(Math.max(firstCapacity, bytes, (kept?.length ?? 0) * 2), Math.max(bytes, this.#maxBytes)))
    kept?.copy(grown, 0, 0, this.#have)
    this.#kept = grown
  }

  #release(): void {
    this.#kept = undefined
    this.#have = 0
  }

  #checked(size: number): number {
    if (size > headerBytes && size <= this.#maxBytes) return size
    throw new Failure('TARS_PACKET_LENGTH', `a packet header claims ${size} bytes; allowed are ${headerBytes + 1} to ${this.#maxBytes}`, {
      context: { size, maxBytes: this.#maxBytes },
      remedy: 'check that the peer speaks the Tars protocol on this port, or raise the packet limit',
    })
  }
}
