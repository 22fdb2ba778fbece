/** A column with room for so many values: the same, or a copy that has twice the room at least. */
export function roomFor<T extends Uint8Array | Uint16Array | Int32Array | Float64Array>(column: T, length: number): T {
  if (length <= column.length) return column
  const grown = new (column.constructor as new (length: number) => T)(Math.max(length, column.length * 2))
  grown.set(column)
  return grown
}

/** Some numbers of a column: those before `to`. */
export interface Span {
  column: Float64Array
  from: number
  to: number
}
