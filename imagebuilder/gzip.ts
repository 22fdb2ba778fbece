import { promisify } from 'node:util'
import { deflateRawSync, gzip } from 'node:zlib'

const compress = promisify(gzip)

/** One gzip member holds so much; fixed, so that the same bytes always give the same file. Bytes. */
const blockBytes = 1 << 20
/** Blocks in the hands of the thread pool at once: enough for a few cores, and a bound on memory. */
const inFlight = 4
/** A block whose samples do not shrink below this is stored: it would cost most of the time and win nothing. */
const worthwhile = 0.95
const sampleBytes = 4096

/**
 * Compresses a stream into gzip members of one block each, in parallel on libuv's thread pool, in order. A concatenation of
 * members is a gzip file (RFC 1952, 2.2). What does not shrink is stored. The output depends on the input bytes alone, not
 * on how they were cut into writes.
 */
export class ParallelGzip {
  readonly #sink: (member: Buffer) => Promise<void>
  readonly #pending: Promise<Buffer>[] = []
  #block: Buffer = Buffer.allocUnsafeSlow(blockBytes)
  #filled = 0
  #free: Buffer[] = []

  /** @param sink takes each finished member; the next waits for it */
  constructor(sink: (member: Buffer) => Promise<void>) {
    this.#sink = sink
  }

  /** Copies the chunk; waits when compression or the sink is behind. */
  async write(chunk: Buffer): Promise<void> {
    for (let offset = 0; offset < chunk.length; ) {
      const copied = chunk.copy(this.#block, this.#filled, offset)
      offset += copied
      this.#filled += copied
      if (this.#filled === blockBytes) await this.#submit()
    }
  }

  /** Compresses the rest and resolves when the sink has everything. */
  async end(): Promise<void> {
    if (this.#filled > 0) await this.#submit()
    while (this.#pending.length > 0) await this.#deliver()
  }

  /** Waits until the thread pool has let go of every buffer, whatever came of it. */
  async abort(): Promise<void> {
    await Promise.allSettled(this.#pending.splice(0))
  }

  async #submit(): Promise<void> {
    const whole = this.#block
    const member = compressBlock(whole.subarray(0, this.#filled)).finally(() => this.#free.push(whole))
    member.catch(() => {})
    this.#pending.push(member)
    this.#filled = 0
    if (this.#pending.length >= inFlight) await this.#deliver()
    this.#block = this.#free.pop() ?? Buffer.allocUnsafeSlow(blockBytes)
  }

  async #deliver(): Promise<void> {
    const member = await this.#pending[0]
    this.#pending.shift()
    if (member !== undefined) await this.#sink(member)
  }
}

/** Level 1 costs a fraction of the default and loses about a tenth of the ratio; what is stored needs no level at all. */
function compressBlock(block: Buffer): Promise<Buffer> {
  const level = shrinks(block) ? 1 : 0
  return compress(block, { level, chunkSize: level === 0 ? block.length + 1024 : Math.max(64 << 10, block.length >> 1) })
}

function shrinks(block: Buffer): boolean {
  if (block.length <= 3 * sampleBytes) return true
  const middle = (block.length - sampleBytes) >> 1
  const samples = [0, middle, block.length - sampleBytes].map((at) => block.subarray(at, at + sampleBytes))
  return samples.some((sample) => deflateRawSync(sample, { level: 1, memLevel: 6, windowBits: 12 }).length < sampleBytes * worthwhile)
}
