/** Bytes remembered of the latest output. */
const CAPACITY = 4096

/** Remembers the end of a stream, to say what a service printed last. */
export class Tail {
  #chunks: Buffer[] = []
  #bytes = 0

  add(chunk: Buffer): void {
    // A copy: a slice would keep the whole read buffer alive.
    const piece = Buffer.from(chunk.length > CAPACITY ? chunk.subarray(chunk.length - CAPACITY) : chunk)
    this.#chunks.push(piece)
    this.#bytes += piece.length
    while (this.#bytes - (this.#chunks[0]?.length ?? 0) >= CAPACITY) this.#bytes -= this.#chunks.shift()?.length ?? 0
    if (this.#chunks.length > 64) this.#chunks = [Buffer.concat(this.#chunks)]
  }

  clear(): void {
    this.#chunks = []
    this.#bytes = 0
  }

  /** The last non-empty lines, oldest first, control characters removed. */
  lines(count: number): readonly string[] {
    const text = Buffer.concat(this.#chunks).toString('utf8')
    const lines = text.split('\n').map((line) => line.replace(/\x1b\[[0-9;]*[A-Za-z]/g, '').replace(/[\x00-\x1f\x7f]/g, ' ').trim())
    return lines.filter((line) => line !== '').slice(-count)
  }
}
