import { promisify } from 'node:util'
import { gzip } from 'node:zlib'

const compress = promisify(gzip)

/** The most that one gzip member holds. Bytes. */
const blockBytes = 1 << 20
/** Compressibility is judged for so much at a time. Bytes. */
const segmentBytes = 64 << 10
/** Blocks in the hands of the thread pool at once. The pool has four threads: one stays free to unpack the next bytes. */
const inFlight = 3

/**
 * Compresses a stream into gzip members, in parallel on libuv's thread pool, in order. A concatenation of members is a gzip
 * file (RFC 1952, 2.2). What does not shrink is stored in members of its own: it would cost most of the time and win
 * nothing. The output depends on the bytes and the cuts alone, not on how the bytes came in writes.
 */
export class ParallelGzip {
  readonly #sink: (member: Buffer) => Promise<void>
  readonly #pending: Promise<Buffer>[] = []
  readonly #free: Buffer[] = []
  #block: Buffer = Buffer.allocUnsafeSlow(blockBytes)
  /** What the block holds before the unfinished segment, and whether that shrinks. */
  #judged = 0
  #shrinks = true
  #filled = 0

  /** @param sink takes each finished member; the next waits for it */
  constructor(sink: (member: Buffer) => Promise<void>) {
    this.#sink = sink
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
  }

  /** Waits until the thread pool has let go of every buffer, whatever came of it. */
  async abort(): Promise<void> {
    await Promise.allSettled(this.#pending.splice(0))
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
    const member = compressBlock(whole.subarray(0, length), this.#shrinks).finally(() => this.#free.push(whole))
    member.catch(() => {})
    this.#pending.push(member)
  }

  async #deliver(): Promise<void> {
    const next = this.#pending.shift()
    if (next !== undefined) await this.#sink(await next)
  }
}

/** Level 1 costs a fraction of the default and loses about a tenth of the ratio; what is stored needs no level at all. */
function compressBlock(block: Buffer, shrinks: boolean): Promise<Buffer> {
  return compress(block, shrinks ? { level: 1, chunkSize: Math.max(16 << 10, block.length >> 1) } : { level: 0, chunkSize: block.length + 1024 })
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
