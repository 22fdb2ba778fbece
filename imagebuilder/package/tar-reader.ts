import { isEmptyBlock, parsePax, parseTarHeader, tarBlockBytes, withPax, type TarEntryHeader } from './tar-headers.ts'

export interface TarMember {
  readonly header: TarEntryHeader
  /** Where its content begins, in bytes of the archive. */
  readonly start: number
  /** Each piece is good until the next is asked for. */
  readonly content: AsyncIterable<Buffer>
}

/** The most that a pax header or a long name may take. Bytes. */
const longestExtension = 4 << 20

/** That end an archive (POSIX ustar). */
const emptyBlocksAtEnd = 2

/** Bytes of a stream, taken in the sizes that the format asks for. */
class Pieces {
  readonly #source: AsyncIterator<Buffer>
  /** Bytes given out. */
  taken = 0
  #piece: Buffer = Buffer.alloc(0)

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]()
  }

  /** At least one and at most `most` bytes, good until the next call; undefined at the end. */
  async some(most: number): Promise<Buffer | undefined> {
    while (this.#piece.length === 0) {
      const next = await this.#source.next()
      if (next.done === true) return undefined
      this.#piece = next.value
    }
    const part = this.#piece.subarray(0, most)
    this.#piece = this.#piece.subarray(part.length)
    this.taken += part.length
    return part
  }

  /** @throws at the end of the stream */
  async must(most: number): Promise<Buffer> {
    return (await this.some(most)) ?? cutShort()
  }

  /** Fills the target; false when the stream ended before its first byte. */
  async fill(target: Buffer): Promise<boolean> {
    let filled = 0
    while (filled < target.length) {
      const part = filled === 0 ? await this.some(target.length) : await this.must(target.length - filled)
      if (part === undefined) return false
      filled += part.copy(target, filled)
    }
    return true
  }

  async skip(bytes: number): Promise<void> {
    for (let left = bytes; left > 0; ) left -= (await this.must(left)).length
  }

  async close(): Promise<void> {
    await this.#source.return?.()
  }
}

function cutShort(): never {
  throw new Error('tar: unexpected end')
}

/**
 * Reads a tar in one pass: POSIX ustar and pax, GNU long names, and what came before both. Nothing is copied but headers.
 * @throws Error for what contradicts the format
 */
export async function* readTar(source: AsyncIterable<Buffer>): AsyncGenerator<TarMember> {
  const pieces = new Pieces(source)
  const block = Buffer.alloc(tarBlockBytes)
  const global = new Map<string, string>()
  let own = new Map<string, string>()
  try {
    let empty = 0
    while (await pieces.fill(block)) {
      empty = isEmptyBlock(block) ? empty + 1 : 0
      if (empty === emptyBlocksAtEnd) break
      if (empty > 0) continue
      const header = parseTarHeader(block)
      if (header.flag === 'x') own = new Map([...own, ...parsePax(await extension(pieces, header.size))])
      else if (header.flag === 'g') for (const [key, value] of parsePax(await extension(pieces, header.size))) global.set(key, value)
      else if (header.flag === 'L') own.set('path', longName(await extension(pieces, header.size)))
      else if (header.flag === 'K') own.set('linkpath', longName(await extension(pieces, header.size)))
      else {
        const whole = withPax(header, new Map([...global, ...own]))
        // Some packers write a size to folders and links, and no content.
        const size = whole.flag === '5' || whole.flag === '1' || whole.flag === '2' ? 0 : whole.size
        const content = new Content(pieces, size)
        yield { header: { ...whole, size }, start: pieces.taken, content }
        // What was not read is skipped.
        await pieces.skip(content.left + padding(size))
        own = new Map()
      }
    }
    // Behind the end there may be anything; it is read, for a decompressor finds damage at its own end.
    while ((await pieces.some(Infinity)) !== undefined);
  } finally {
    await pieces.close()
  }
}

/** Of one entry. No generator: those of thousands of files are kept by one another until the whole heap is marked. */
class Content implements AsyncIterableIterator<Buffer, undefined> {
  readonly #pieces: Pieces
  /** Bytes that are not read. */
  left: number

  constructor(pieces: Pieces, size: number) {
    this.#pieces = pieces
    this.left = size
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async next(): Promise<IteratorResult<Buffer, undefined>> {
    if (this.left === 0) return { done: true, value: undefined }
    const value = await this.#pieces.must(this.left)
    this.left -= value.length
    return { done: false, value }
  }
}

async function extension(pieces: Pieces, size: number): Promise<Buffer> {
  if (size > longestExtension) throw new Error(`tar: a header of ${size} bytes`)
  const body = Buffer.alloc(size)
  if (size > 0 && !(await pieces.fill(body))) cutShort()
  await pieces.skip(padding(size))
  return body
}

function longName(body: Buffer): string {
  const end = body.indexOf(0)
  return body.toString('utf8', 0, end < 0 ? body.length : end)
}

function padding(size: number): number {
  return (tarBlockBytes - (size % tarBlockBytes)) % tarBlockBytes
}
