/** Smaller ones may lie in memory that Node shares among buffers, and do not matter. Bytes. */
const smallest = 128 << 10

/**
 * Frees the memory behind a buffer at once, where the collector would let hundreds of megabytes gather, and mark the whole
 * heap again and again because of them. For the last reader of a buffer that has its memory to itself; it is empty afterwards.
 */
export function giveBack(buffer: Buffer): void {
  if (buffer.buffer.byteLength >= smallest) (buffer.buffer as ArrayBuffer).transfer(0)
}
