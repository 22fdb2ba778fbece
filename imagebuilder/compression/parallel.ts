import { worthKeeping, type BuildMembers } from '../member-cache.ts'
import { Buffers, giveBack, isFilled } from '../memory.ts'
import type { Codec, Packer } from './codec.ts'
import { gzip } from './gzip.ts'

/** The most that one member holds. Bytes. */
const blockBytes = 1 << 20
/** Compressibility is judged for so much at a time. Bytes. */
const segmentBytes = 64 << 10
/** Blocks in the hands of the thread pool, or of the sink, at once: those that are stored, about every other one, leave it idle. */
const inFlight = 6

const blocks = new Buffers(blockBytes, inFlight + 2)

/** A member in parts, and what is to be done once they are delivered. */
interface Member {
  readonly parts: readonly Buffer[]
  readonly free: () => void | Promise<void>
}

export interface CompressorOptions {
  /** Compressed by earlier builds. */
  readonly members?: BuildMembers | undefined
  /** Default: gzip. */
  readonly codec?: Codec | undefined
}

/**
 * Compresses a stream into members, in parallel on libuv's thread pool, in order; what members are concatenated to is a
 * file of the codec. What does not shrink is stored in members of its own: it would cost most of the time and win
 * nothing. The output depends on the bytes and the cuts alone, not on how the bytes came in writes.
 */
export class ParallelCompressor {
  readonly #sink: (part: Buffer) => Promise<void>
  readonly #members: BuildMembers | undefined
  /** Deliveries of members under way, each after the one before. */
  readonly #pending: Promise<void>[] = []
  #latest: Promise<void> = Promise.resolve()
  #aborted = false
  readonly #codec: Codec
  readonly #packers: Packer[] = []
  /**
   * By the memory that they share, pieces of members that are not delivered: a packer puts one behind the other, and members
   * are not always packed in the order in which they are delivered.
   */
  readonly #undelivered = new Map<ArrayBufferLike, { pieces: number; filled: boolean }>()
  readonly #counts = new Uint16Array(256)
  #block = blocks.take()
  /** What the block holds before the unfinished segment, and whether that shrinks. */
  #judged = 0
  #shrinks = true
  #filled = 0

  /**
   * @param sink takes the next part of the file; its buffer is used again when the sink resolves
   * @param members compressed by earlier builds
   */
  constructor(sink: (part: Buffer) => Promise<void>, { members, codec = gzip }: CompressorOptions = {}) {
    this.#sink = sink
    this.#members = members
    this.#codec = codec
  }

  /** Copies the chunk; waits when compression or the sink is behind. */
  async write(chunk: Buffer): Promise<void> {
    for (let offset = 0; offset < chunk.length; ) {
      const end = Math.min(this.#judged + segmentBytes, blockBytes)
      const copied = chunk.copy(this.#block, this.#filled, offset, offset + end - this.#filled)
      offset += copied
      this.#filled += copied
      if (this.#filled === end) await this.#judge()
    }
  }

  /** Says that what follows is of another kind than what came before: a file begins or ends. */
  async cut(): Promise<void> {
    if (this.#filled > this.#judged) await this.#judge()
  }

  /** Compresses the rest and resolves when the sink has everything. */
  async end(): Promise<void> {
    await this.cut()
    if (this.#filled > 0) await this.#submit(this.#filled)
    await Promise.all(this.#pending)
    blocks.leave(this.#block)
    for (const packer of this.#packers.splice(0)) packer.close()
  }

  /** Waits until the thread pool has let go of every buffer, whatever came of it. */
  async abort(): Promise<void> {
    this.#aborted = true
    await Promise.allSettled(this.#pending)
    for (const packer of this.#packers.splice(0)) packer.close()
  }

  /** Ends the segment: it joins the block when it is of the same kind, else the block is sent off without it. */
  async #judge(): Promise<void> {
    const shrinks = looksCompressible(this.#block.subarray(this.#judged, this.#filled), this.#counts)
    if (this.#judged > 0 && shrinks !== this.#shrinks) await this.#submit(this.#judged)
    this.#shrinks = shrinks
    this.#judged = this.#filled
    if (this.#filled === blockBytes) await this.#submit(blockBytes)
  }

  /** Sends off the first `length` bytes of the block; the rest begins the next. */
  async #submit(length: number): Promise<void> {
    const whole = this.#block
    const rest = whole.subarray(length, this.#filled)
    if (this.#pending.length >= inFlight) await this.#pending.shift()
    this.#block = blocks.take()
    this.#filled = rest.copy(this.#block)
    this.#judged = 0
    this.#latest = this.#deliver(this.#member(whole, length), this.#latest)
    this.#latest.catch(() => {})
    this.#pending.push(this.#latest)
  }

  async #member(whole: Buffer, length: number): Promise<Member> {
    const block = whole.subarray(0, length)
    if (!this.#shrinks) return { parts: this.#codec.stored(block), free: () => blocks.leave(whole) }
    const members = length < worthKeeping ? undefined : this.#members
    const key = members === undefined ? '' : `${this.#codec.name} ${members.nameOf(block)}`
    const known = await members?.find(key)
    const parts = known === undefined ? await this.#packed(block) : [known]
    blocks.leave(whole)
    this.#hold(parts)
    const kept = known === undefined ? members?.keep(key, parts) : undefined
    return { parts, free: async () => (await kept, this.#release(parts)) }
  }

  #hold(parts: readonly Buffer[]): void {
    for (const part of parts) {
      const { pieces, filled } = this.#undelivered.get(part.buffer) ?? { pieces: 0, filled: false }
      this.#undelivered.set(part.buffer, { pieces: pieces + 1, filled: filled || isFilled(part) })
    }
  }

  /** Memory that is filled and of which nothing is to be delivered any more is given back. */
  #release(parts: readonly Buffer[]): void {
    for (const part of parts) {
      const held = this.#undelivered.get(part.buffer)
      if (held === undefined || --held.pieces > 0) continue
      this.#undelivered.delete(part.buffer)
      if (held.filled) giveBack(part)
    }
  }

  async #packed(block: Buffer): Promise<Buffer[]> {
    const packer = this.#packers.pop() ?? this.#codec.packer()
    try {
      return await packer.pack(block)
    } finally {
      this.#packers.push(packer)
    }
  }

  async #deliver(member: Promise<Member>, before: Promise<void>): Promise<void> {
    const [settled] = await Promise.allSettled([member, before])
    await before
    if (settled.status === 'rejected') throw settled.reason
    for (const part of settled.value.parts) {
      // Better no image than one that lacks a part.
      if ((part.buffer as ArrayBuffer).detached) throw new Error('the memory of a member was given back before it was delivered')
      if (!this.#aborted) await this.#sink(part)
    }
    await settled.value.free()
  }
}

/** Less than this is compressed unjudged. Bytes. */
const judgedBytes = 4096
const sampled = 1024
/** Sum of squared byte counts of a sample, as a multiple of what random bytes give, which differ from 1 by some 2 %. Text and code are above 2. */
const randomLimit = 1.25

/**
 * Judges by the index of coincidence of a sample (Friedman): bytes that are spread evenly, as in compressed or encrypted
 * data, do not shrink. Integers only, so that every machine judges alike.
 * @param counts of 256 bytes, for use
 */
function looksCompressible(segment: Buffer, counts: Uint16Array): boolean {
  if (segment.length < judgedBytes) return true
  counts.fill(0)
  const step = Math.floor(segment.length / sampled)
  for (let index = 0, at = 0; index < sampled; index++, at += step) {
    const byte = segment[at] ?? 0
    counts[byte] = (counts[byte] ?? 0) + 1
  }
  let squares = 0
  for (const count of counts) squares += count * count
  return squares > randomLimit * (sampled + (sampled * (sampled - 1)) / 256)
}
