import { free } from '#base/free.ts'

/** What is appended; a Buffer is. */
export interface Bytes {
  readonly length: number
  copy(target: Buffer, start: number): void
}

/** Bytes of a block: a small one for the first of a batch, so that many files with few lines each take little memory. */
const sizes = { small: 64 * 1024, big: 1 << 20 } as const
/** Blocks of each size that are kept for the next batch. */
const keptBlocks = 8

/** Memory in which lines wait, used again and again. */
export class Blocks {
  readonly #free: Record<keyof typeof sizes, Buffer[]> = { small: [], big: [] }

  /** @returns a block of at least so many bytes */
  borrow(bytes: number, most: keyof typeof sizes): Buffer {
    const size = bytes <= sizes.small ? most : 'big'
    return bytes > sizes.big ? Buffer.allocUnsafeSlow(bytes) : (this.#free[size].pop() ?? Buffer.allocUnsafeSlow(sizes[size]))
  }

  give(block: Buffer): void {
    const size = block.length === sizes.small ? 'small' : 'big'
    if (block.length === sizes[size] && this.#free[size].length < keptBlocks) this.#free[size].push(block)
    else free(block)
  }
}

/** What is written to a file together, in the order in which it came. */
export class Batch {
  readonly #from: Blocks
  readonly #blocks: Buffer[] = []
  /** Parts of the blocks that are used. */
  readonly #full: Buffer[] = []
  #used = 0
  #length = 0
  readonly #end = Promise.withResolvers<void>()

  /** @param from where its memory comes from */
  constructor(from: Blocks) {
    this.#from = from
  }

  /** Bytes of all of it. */
  get length(): number {
    return this.#length
  }

  /** Settles when all of it was written, or nothing. */
  get written(): Promise<void> {
    return this.#end.promise
  }

  /** Copies them. */
  add(bytes: Bytes): void {
    let block = this.#blocks.at(-1)
    if (block === undefined || block.length - this.#used < bytes.length) {
      if (block !== undefined) this.#full.push(block.subarray(0, this.#used))
      block = this.#from.borrow(bytes.length, block === undefined ? 'small' : 'big')
      this.#blocks.push(block)
      this.#used = 0
    }
    bytes.copy(block, this.#used)
    this.#used += bytes.length
    this.#length += bytes.length
  }

  /** All of it; valid until {@link settle}. */
  parts(): Buffer[] {
    const last = this.#blocks.at(-1)
    return last === undefined ? [] : [...this.#full, last.subarray(0, this.#used)]
  }

  /** Nobody reads it any more. @param failure why it was not written */
  settle(failure?: Error): void {
    for (const block of this.#blocks.splice(0)) this.#from.give(block)
    if (failure === undefined) this.#end.resolve()
    else this.#end.reject(failure)
  }
}
