import { Failure } from '#base/errors.ts'
import { encodeFailure } from '../codec/wire.ts'

// What generated code checks before it writes; the run-time codecs check the same.

/** @returns the length of a vector */
export function listLength(tag: number, value: readonly unknown[]): number {
  if (!Array.isArray(value)) throw encodeFailure('vector (array)', tag, value)
  return value.length
}

/** @returns the size of a map */
export function mapSize(tag: number, value: ReadonlyMap<unknown, unknown>): number {
  if (!(value instanceof Map)) throw encodeFailure('map (Map)', tag, value)
  return value.size
}

/** @returns `value` unless it holds more than its declared size */
export function limited<T extends { readonly length: number }>(tag: number, value: T, limit: number): T {
  const length: number | undefined = (value as T | undefined)?.length
  if (length !== undefined && length > limit) throw encodeFailure(`array of at most ${limit} elements (it has ${length})`, tag, length)
  return value
}

/** @returns the result of a function with out parameters: an object */
export function resultObject(name: string, value: unknown): Record<string, unknown> {
  if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  throw new Failure('TARS_ENCODE', `the result of ${name} is not an object`, { remedy: 'a function with out parameters returns { return, <out parameter>: value, … }' })
}
