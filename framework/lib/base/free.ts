/**
 * Gives memory of a large buffer back now: the garbage collector, which would do it later, looks through everything every
 * few megabytes of such. Nothing happens to memory that the buffer shares with others. The buffer and all views of it
 * are empty then.
 */
export function free({ buffer, length }: Buffer): void {
  if (length >= largeBytes && length === buffer.byteLength && buffer instanceof ArrayBuffer) buffer.transfer(0)
}

/** Of smaller ones the collector takes many at once. */
const largeBytes = 16 * 1024
