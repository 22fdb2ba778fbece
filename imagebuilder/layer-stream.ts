import { createHash } from 'node:crypto'
import { gzip } from './compression/gzip.ts'
import { ParallelCompressor, type CompressorOptions } from './compression/parallel.ts'
import { tarEnd, tarHeader, tarPadding, type TarHeader } from './tar.ts'

/** What the tar of a layer is called. */
export interface LayerContent {
  /** `sha256:<hex>` of the tar. */
  readonly diffId: string
  /** Bytes of the tar. */
  readonly unpacked: number
}

/** What a finished layer is called: `digest` and `size` of the compressed bytes, `diffId` of the tar within. */
export interface LayerDigests extends LayerContent {
  /** Of the layer, by its compression. */
  readonly mediaType: string
  /** `sha256:<hex>` of the compressed tar. */
  readonly digest: string
  /** Bytes of the compressed tar. */
  readonly size: number
}

/** Files of this size and more are judged and compressed apart from their neighbours. Bytes. */
const cutBytes = 16 << 10

/** Writes a deterministic compressed tar in one pass: headers and contents in, compressed members out, both digests at the end. */
export class LayerStream {
  readonly #compressor: ParallelCompressor
  readonly #mediaType: string
  readonly #digest = createHash('sha256')
  readonly #diffId = createHash('sha256')
  #size = 0
  #unpacked = 0

  /**
   * @param sink takes the compressed bytes in order
   */
  constructor(sink: (bytes: Buffer) => Promise<void>, options: CompressorOptions = {}) {
    this.#mediaType = (options.codec ?? gzip).mediaType
    this.#compressor = new ParallelCompressor(async (member) => {
      this.#digest.update(member)
      this.#size += member.length
      await sink(member)
    }, options)
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
    if (large) await this.#compressor.cut()
    let size = 0
    for await (const chunk of content) {
      size += chunk.length
      await this.#write(chunk)
    }
    if (size !== header.size) throw new RangeError(`${header.path}: ${size} bytes came, ${header.size} were announced`)
    if (large) await this.#compressor.cut()
    await this.#write(tarPadding(header.size))
  }

  /** Ends the tar; the last of it is still to be compressed. */
  async endContent(): Promise<LayerContent> {
    await this.#write(tarEnd)
    return { diffId: `sha256:${this.#diffId.digest('hex')}`, unpacked: this.#unpacked }
  }

  /** @param content of the tar, where that was ended before */
  async end(content?: LayerContent): Promise<LayerDigests> {
    const ended = content ?? (await this.endContent())
    await this.#compressor.end()
    return { ...ended, mediaType: this.#mediaType, digest: `sha256:${this.#digest.digest('hex')}`, size: this.#size }
  }

  /** Gives up; resolves when no work is under way any more. */
  abort(): Promise<void> {
    return this.#compressor.abort()
  }

  async #write(chunk: Buffer): Promise<void> {
    if (chunk.length === 0) return
    this.#diffId.update(chunk)
    this.#unpacked += chunk.length
    await this.#compressor.write(chunk)
  }
}
