import { createHash } from 'node:crypto'
import { ParallelGzip } from './gzip.ts'
import type { BuildMembers } from './member-cache.ts'
import { tarEnd, tarHeader, tarPadding, type TarHeader } from './tar.ts'

/** What a finished layer is called: `digest` and `size` of the compressed bytes, `diffId` of the tar within. */
export interface LayerDigests {
  /** `sha256:<hex>` of the tar.gz. */
  readonly digest: string
  /** `sha256:<hex>` of the tar. */
  readonly diffId: string
  /** Bytes of the tar.gz. */
  readonly size: number
  /** Bytes of the tar. */
  readonly unpacked: number
}

/** Files of this size and more are judged and compressed apart from their neighbours. Bytes. */
const cutBytes = 16 << 10

/** Writes a deterministic tar.gz in one pass: headers and contents in, compressed members out, both digests at the end. */
export class LayerStream {
  readonly #gzip: ParallelGzip
  readonly #digest = createHash('sha256')
  readonly #diffId = createHash('sha256')
  #size = 0
  #unpacked = 0

  /**
   * @param sink takes the compressed bytes in order
   * @param members compressed by earlier builds
   */
  constructor(sink: (bytes: Buffer) => Promise<void>, members?: BuildMembers) {
    this.#gzip = new ParallelGzip(async (member) => {
      this.#digest.update(member)
      this.#size += member.length
      await sink(member)
    }, members)
  }

  /** Compressed bytes so far. */
  get size(): number {
    return this.#size
  }

  /** Writes an entry; `content` must bring exactly `header.size` bytes. */
  async entry(header: TarHeader, content?: AsyncIterable<Buffer> | Iterable<Buffer>): Promise<void> {
    await this.#write(tarHeader(header))
    if (content === undefined) return
    const large = header.size >= cutBytes
    if (large) await this.#gzip.cut()
    let size = 0
    for await (const chunk of content) {
      size += chunk.length
      await this.#write(chunk)
    }
    if (size !== header.size) throw new RangeError(`${header.path}: ${size} bytes came, ${header.size} were announced`)
    if (large) await this.#gzip.cut()
    await this.#write(tarPadding(header.size))
  }

  async end(): Promise<LayerDigests> {
    await this.#write(tarEnd)
    await this.#gzip.end()
    return { digest: `sha256:${this.#digest.digest('hex')}`, diffId: `sha256:${this.#diffId.digest('hex')}`, size: this.#size, unpacked: this.#unpacked }
  }

  /** Gives up; resolves when no work is under way any more. */
  abort(): Promise<void> {
    return this.#gzip.abort()
  }

  async #write(chunk: Buffer): Promise<void> {
    if (chunk.length === 0) return
    this.#diffId.update(chunk)
    this.#unpacked += chunk.length
    await this.#gzip.write(chunk)
  }
}
