// Numbers and texts one after the other, as bytes: what a journal is made of.

/** Takes down numbers and texts. Its memory is used again after {@link clear}. */
export class Tape {
  #bytes = Buffer.allocUnsafeSlow(4096)
  #view = viewOf(this.#bytes)
  #length = 0

  get length(): number {
    return this.#length
  }

  number(value: number): void {
    if (this.#length + 8 > this.#bytes.length) this.#grow(8)
    this.#view.setFloat64(this.#length, value)
    this.#length += 8
  }

  text(text: string): void {
    this.number(Buffer.byteLength(text))
    const most = text.length * 3
    if (this.#length + most > this.#bytes.length) this.#grow(most)
    this.#length += this.#bytes.write(text, this.#length)
  }

  /** What was taken down; valid until the next call. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length)
  }

  clear(): void {
    this.#length = 0
  }

  #grow(more: number): void {
    const grown = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, this.#length + more))
    this.#bytes.copy(grown, 0, 0, this.#length)
    this.#bytes = grown
    this.#view = viewOf(grown)
  }
}

/** Reads what a {@link Tape} took down, in the same order. @throws RangeError beyond its end */
export class TapeReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length
  }

  number(): number {
    this.#at += 8
    return this.#bytes.readDoubleBE(this.#at - 8)
  }

  text(): string {
    const length = this.number()
    this.#at += length
    if (!(this.#at <= this.#bytes.length)) throw new RangeError('the text is cut off')
    return this.#bytes.toString('utf8', this.#at - length, this.#at)
  }
}

const viewOf = (bytes: Buffer): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
