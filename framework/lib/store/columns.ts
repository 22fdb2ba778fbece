/** A column with room for so many values: the same, or a copy that has twice the room at least. In memory of the same kind. */
export function roomFor<T extends Uint8Array | Uint16Array | Int32Array | Float64Array>(column: T, length: number): T {
  if (length <= column.length) return column
  const bytes = Math.max(length, column.length * 2) * column.BYTES_PER_ELEMENT
  const memory = new (column.buffer.constructor as new (length: number) => ArrayBufferLike)(bytes)
  const grown = new (column.constructor as new (memory: ArrayBufferLike) => T)(memory)
  grown.set(column)
  return grown
}

/** Some numbers of a column: those before `to`. */
export interface Span {
  column: Float64Array
  from: number
  to: number
}
