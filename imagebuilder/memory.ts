/** Memory of this size can be given back whatever part of it a buffer is: Node shares none that is as large. Bytes. */
export const ownMemory = 128 << 10

/**
 * Frees the memory behind a buffer at once, where the collector would let hundreds of megabytes gather, and mark the whole
 * heap again and again because of them. For the last reader of a buffer that has its memory to itself; it is empty afterwards.
 */
export function giveBack(buffer: Buffer): void {
  const memory = buffer.buffer as ArrayBuffer
  if (memory.detached) return
  if (memory.byteLength >= ownMemory || memory.byteLength === buffer.length) memory.transfer(0)
}

/** Whether a piece of what a stream of zlib gives is the last in its memory: the stream writes on behind it until that is full. */
export function isFilled(piece: Buffer): boolean {
  return piece.byteOffset + piece.length === piece.buffer.byteLength
}

/** {@link giveBack} for such a piece, when those before it have been read. */
export function giveBackFilled(piece: Buffer): void {
  if (isFilled(piece)) giveBack(piece)
}

/** Buffers of one size that are used again, by later builds too: the system gives fresh memory page by page, which takes as long as to fill it. */
export class Buffers {
  readonly #bytes: number
  readonly #most: number
  readonly #idle: Buffer[] = []

  /** @param most that lie idle; what is left beyond is freed */
  constructor(bytes: number, most: number) {
    this.#bytes = bytes
    this.#most = most
  }

  take(): Buffer {
    return this.#idle.pop() ?? Buffer.allocUnsafeSlow(this.#bytes)
  }

  /** By its only owner, once: the next who takes one writes to it. */
  leave(buffer: Buffer): void {
    if (this.#idle.length < this.#most) this.#idle.push(buffer)
    else giveBack(buffer)
  }
}
