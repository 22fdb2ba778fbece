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

/** The same for a piece of what a stream of zlib gives, which writes on behind it until its memory is full. */
export function giveBackFilled(piece: Buffer): void {
  if (piece.byteOffset + piece.length === piece.buffer.byteLength) giveBack(piece)
}
