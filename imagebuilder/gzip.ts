import { constants, crc32, createGzip, type Gzip, type ZlibReset } from 'node:zlib'
import { memberKey, worthKeeping, type BuildMembers } from './member-cache.ts'
import { giveBack, giveBackFilled, ownMemory } from './memory.ts'

/** The most that one gzip member holds. Bytes. */
const blockBytes = 1 << 20
/** Compressibility is judged for so much at a time. Bytes. */
const segmentBytes = 64 << 10
/** Blocks in the hands of the thread pool at once. The pool has four threads: one stays free to unpack the next bytes. */
const inFlight = 3

/** A gzip member in parts, and what is to be done once they are delivered. */
interface Member {
  readonly parts: readonly Buffer[]
  readonly free: () => unknown
}

/**
 * Compresses a stream into gzip members, in parallel on libuv's thread pool, in order. A concatenation of members is a gzip
 * file (RFC 1952, 2.2). What does not shrink is stored in members of its own: it would cost most of the time and win
 * nothing. The output depends on the bytes and the cuts alone, not on how the bytes came in writes.
 */
export class ParallelGzip {
  readonly #sink: (part: Buffer) => Promise<void>
  readonly #members: BuildMembers | undefined
  readonly #pending: Promise<Member>[] = []
  readonly #free: Buffer[] = []
  readonly #packers: MemberPacker[] = []
  #block: Buffer = Buffer.allocUnsafeSlow(blockBytes)
  /** What the block holds before the unfinished segment, and whether that shrinks. */
  #judged = 0
  #shrinks = true
  #filled = 0

  /**
   * @param sink takes the next part of the file; its buffer is used again when the sink resolves
   * @param members compressed by earlier builds
   */
  constructor(sink: (part: Buffer) => Promise<void>, members?: BuildMembers) {
    this.#sink = sink
    this.#members = members
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
    while (this.#pending.length > 0) await this.#deliver()
    for (const block of [this.#block, ...this.#free]) giveBack(block)
    for (const packer of this.#packers) packer.close()
  }

  /** Waits until the thread pool has let go of every buffer, whatever came of it. */
  async abort(): Promise<void> {
    await Promise.allSettled(this.#pending.splice(0))
    for (const packer of this.#packers) packer.close()
  }

  /** Ends the segment: it joins the block when it is of the same kind, else the block is sent off without it. */
  async #judge(): Promise<void> {
    const shrinks = looksCompressible(this.#block, this.#judged, this.#filled)
    if (this.#judged > 0 && shrinks !== this.#shrinks) await this.#submit(this.#judged)
    this.#shrinks = shrinks
    this.#judged = this.#filled
    if (this.#filled === blockBytes) await this.#submit(blockBytes)
  }

  /** Sends off the first `length` bytes of the block; the rest begins the next. */
  async #submit(length: number): Promise<void> {
    const whole = this.#block
    const rest = whole.subarray(length, this.#filled)
    if (this.#pending.length >= inFlight) await this.#deliver()
    this.#block = this.#free.pop() ?? Buffer.allocUnsafeSlow(blockBytes)
    this.#filled = rest.copy(this.#block)
    this.#judged = 0
    const member = this.#member(whole, length)
    member.catch(() => {})
    this.#pending.push(member)
  }

  async #member(whole: Buffer, length: number): Promise<Member> {
    const block = whole.subarray(0, length)
    if (!this.#shrinks) return { parts: stored(block), free: () => this.#free.push(whole) }
    const members = length < worthKeeping ? undefined : this.#members
    const key = members === undefined ? '' : memberKey(block)
    const known = await members?.find(key)
    const parts = known === undefined ? await this.#packed(block) : [known]
    this.#free.push(whole)
    const kept = known === undefined ? members?.keep(key, parts) : undefined
    return { parts, free: async () => (await kept, parts.forEach(giveBackFilled)) }
  }

  async #packed(block: Buffer): Promise<Buffer[]> {
    const packer = this.#packers.pop() ?? new MemberPacker()
    try {
      return await packer.pack(block)
    } finally {
      this.#packers.push(packer)
    }
  }

  async #deliver(): Promise<void> {
    const next = await this.#pending.shift()
    if (next === undefined) return
    for (const part of next.parts) await this.#sink(part)
    await next.free()
  }
}

/**
 * Makes one member after the other: the state of a compressor costs as much to make as a small member. Level 1 costs a
 * fraction of the default and loses about a tenth of the ratio.
 */
class MemberPacker {
  readonly #gzip = createGzip({ level: 1, chunkSize: 2 * ownMemory }) as Gzip & ZlibReset
  readonly #parts: Buffer[] = []

  constructor() {
    this.#gzip.on('data', (part: Buffer) => this.#parts.push(part))
  }

  async pack(block: Buffer): Promise<Buffer[]> {
    const gzip = this.#gzip
    await new Promise<void>((resolve, reject) => {
      gzip.once('error', reject)
      gzip.write(block)
      gzip.flush(constants.Z_FINISH, () => {
        gzip.off('error', reject)
        resolve()
      })
    })
    gzip.reset()
    return this.#parts.splice(0)
  }

  close(): void {
    this.#gzip.close()
  }
}

/** Magic, deflate, no flags, no time, compressed fastest, Unix (RFC 1952, 2.3). */
const memberHead = Buffer.from('1f8b0800000000000403', 'hex')
/** The longest stored block (RFC 1951, 3.2.4). */
const storedBytes = 0xffff

/** A member that holds the block as it is: nothing to compute but the checksum, and no copy. */
function stored(block: Buffer): Buffer[] {
  const parts: Buffer[] = [memberHead]
  for (let start = 0; start < block.length; start += storedBytes) {
    const content = block.subarray(start, start + storedBytes)
    const head = Buffer.alloc(5)
    head.writeUInt8(start + content.length === block.length ? 1 : 0, 0)
    head.writeUInt16LE(content.length, 1)
    head.writeUInt16LE(content.length ^ 0xffff, 3)
    parts.push(head, content)
  }
  const trailer = Buffer.alloc(8)
  trailer.writeUInt32LE(crc32(block), 0)
  trailer.writeUInt32LE(block.length, 4)
  return [...parts, trailer]
}

const sampled = 4096
/** Sum of squared byte counts of a sample, as a multiple of what random bytes give. Text and code are above 2. */
const randomLimit = 1.25

/**
 * Judges by the index of coincidence of a sample (Friedman): bytes that are spread evenly, as in compressed or encrypted
 * data, do not shrink. Integers only, so that every machine judges alike.
 */
function looksCompressible(block: Buffer, start: number, end: number): boolean {
  const length = end - start
  if (length < sampled) return true
  const counts = new Uint16Array(256)
  const step = Math.floor(length / sampled)
  for (let index = 0, at = start; index < sampled; index++, at += step) {
    const byte = block[at] ?? 0
    counts[byte] = (counts[byte] ?? 0) + 1
  }
  let squares = 0
  for (const count of counts) squares += count * count
  return squares > randomLimit * (sampled + (sampled * (sampled - 1)) / 256)
}
