import { Failure } from '#base/errors.ts'
import { free } from '#base/free.ts'

/**
 * Receives one packet: the bytes `start` to `end` of `bytes`, without the length header.
 * @returns true when nobody needs the bytes any more: their memory may be gone then
 */
export type FrameSink = (bytes: Buffer, start: number, end: number) => unknown

const settled = (): boolean => true

const headerBytes = 4
const firstCapacity = 1024
/** Pieces from here on are kept as they came. */
const bigBytes = 16 * 1024
/** Small pieces are gathered up to here, so that what was gathered is not copied again and again. */
const gatherBytes = 64 * 1024

/** Bytes of a packet that is not complete, and the memory that nobody needs once they are copied. */
interface Piece {
  readonly bytes: Buffer
  readonly memory: Buffer | undefined
}

/**
 * Cuts a byte stream into packets by their 4-byte big-endian length, which counts itself. Packets that arrive whole are
 * handed on without a copy. Of an incomplete one what really arrived is kept, never room for what its header claims: small
 * pieces together in a buffer that grows, big ones as they came, until all are put together.
 */
export class FrameReader {
  readonly #maxBytes: number
  readonly #header = Buffer.alloc(headerBytes)
  /** Of the incomplete packet, and the memory that they take. */
  #pieces: Piece[] = []
  #pieceBytes = 0
  /** Where small pieces behind those are gathered, and how much of it is used. */
  #gathered: Buffer | undefined
  #used = 0
  /** Bytes of the incomplete packet. */
  #have = 0
  #stopped = false

  /** @param maxBytes largest packet allowed, header included */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Bytes of memory held for an incomplete packet; 0 between packets. */
  get heldBytes(): number {
    return this.#pieceBytes + (this.#gathered?.length ?? 0)
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
   * @param chunk belongs to the reader from now on: its memory may be gone once all of it was handed on
   * @param settle is called before it goes: whether the bytes of packets for which `sink` returned true are needed no more indeed
   * @returns how many packets were handed to `sink`
   * @throws Failure `TARS_PACKET_LENGTH` when a header claims fewer than 4 bytes or more than the limit
   */
  feed(chunk: Buffer, sink: FrameSink, settle = settled): number {
    let count = 0
    let pos = 0
    if (this.#have > 0) {
      pos = this.#fill(chunk)
      if (this.#have === 0 || this.#have < this.#wanted()) return 0
      count += this.#emitKept(sink, settle)
    }
    // What filled the packet before was copied.
    let needed = false
    while (!this.#stopped && chunk.length - pos >= headerBytes) {
      const size = this.#checked(chunk.readUInt32BE(pos))
      if (size > chunk.length - pos) break
      if (sink(chunk, pos + headerBytes, pos + size) !== true) needed = true
      pos += size
      count++
    }
    const memory = settle() && !needed ? chunk : undefined
    if (!this.#stopped && pos < chunk.length) this.#keep(chunk.subarray(pos), memory, chunk.length)
    else if (memory !== undefined) free(memory)
    return count
  }

  #emitKept(sink: FrameSink, settle: () => boolean): number {
    const size = this.#have
    this.#seal()
    const pieces = this.#pieces
    this.#release()
    const { bytes, memory } = pieces.length === 1 ? (pieces[0] as Piece) : joined(pieces, size)
    if (sink(bytes, headerBytes, size) === true && settle() && memory !== undefined) free(memory)
    return 1
  }

  // Bytes that the held packet needs to be whole, as far as its header is known.
  #wanted(): number {
    return this.#have < headerBytes ? headerBytes : this.#checked(this.#header.readUInt32BE(0))
  }

  // Adds to the held packet what belongs to it. Returns how much of the chunk was used.
  #fill(chunk: Buffer): number {
    let pos = 0
    while (pos < chunk.length && this.#have < this.#wanted()) {
      const end = Math.min(pos + this.#wanted() - this.#have, chunk.length)
      this.#keep(chunk.subarray(pos, end), end === chunk.length ? chunk : undefined, chunk.length)
      pos = end
    }
    return pos
  }

  // A view holds the whole chunk.
  #keep(bytes: Buffer, memory: Buffer | undefined, chunkBytes: number): void {
    if (this.#have < headerBytes) bytes.copy(this.#header, this.#have)
    this.#have += bytes.length
    if (bytes.length >= bigBytes && bytes.length * 2 >= chunkBytes) {
      this.#seal()
      this.#pieces.push({ bytes, memory })
      this.#pieceBytes += chunkBytes
      return
    }
    this.#gather(bytes)
    if (memory !== undefined) free(memory)
  }

  #gather(bytes: Buffer): void {
    if (this.#used > 0 && this.#used + bytes.length > gatherBytes) this.#seal()
    const [gathered, needed] = [this.#gathered, this.#used + bytes.length]
    if (gathered === undefined || gathered.length < needed) {
      this.#gathered = Buffer.allocUnsafeSlow(Math.max(firstCapacity, needed, (gathered?.length ?? 0) * 2))
      gathered?.copy(this.#gathered, 0, 0, this.#used)
    }
    bytes.copy(this.#gathered as Buffer, this.#used)
    this.#used = needed
  }

  // What was gathered is a piece like others.
  #seal(): void {
    if (this.#gathered === undefined) return
    this.#pieces.push({ bytes: this.#gathered.subarray(0, this.#used), memory: this.#gathered })
    this.#pieceBytes += this.#gathered.length
    this.#gathered = undefined
    this.#used = 0
  }

  #release(): void {
    this.#pieces = []
    this.#pieceBytes = 0
    this.#gathered = undefined
    this.#used = 0
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

function joined(pieces: readonly Piece[], size: number): Piece {
  const whole = Buffer.allocUnsafeSlow(size)
  let at = 0
  for (const { bytes, memory } of pieces) {
    whole.set(bytes, at)
    at += bytes.length
    if (memory !== undefined) free(memory)
  }
  return { bytes: whole, memory: whole }
}
