import { Failure } from '#base/errors.ts'

/**
 * The type half of a Tars field head: low four bits of its first byte; the high four are the tag, where 15 says that
 * the tag is the next byte (TarsProtocol, "Tars encoding").
 */
export const wire = {
  int8: 0,
  int16: 1,
  int32: 2,
  int64: 3,
  float: 4,
  double: 5,
  string1: 6,
  string4: 7,
  map: 8,
  list: 9,
  structBegin: 10,
  structEnd: 11,
  zero: 12,
  simpleList: 13,
} as const

/** Names of the wire types by number, for error texts. */
export const wireNames: readonly string[] = [
  'int8', 'int16', 'int32', 'int64', 'float', 'double', 'string1', 'string4',
  'map', 'list', 'structBegin', 'structEnd', 'zero', 'simpleList',
]

/** Structs may nest this deep in one value; real interfaces stay under ten. It bounds the stack, not the memory. */
export const maxDepth = 256

/**
 * Structs, lists and maps in one body. On the wire an empty struct takes two bytes, in memory a hundred times that:
 * without a bound a packet of 10 MiB could take gigabytes. A real body has thousands.
 */
export const maxComposites = 200_000

/**
 * @param what the rule that the bytes break
 * @param tag tag of the field being read
 * @param offset byte offset in the buffer that the reader was given
 */
export function decodeFailure(what: string, tag: number, offset: number): Failure {
  return new Failure('TARS_DECODE', `cannot decode Tars data at byte ${offset}, tag ${tag}: ${what}`, {
    context: { what, tag, offset },
    remedy: 'check that both sides use the same .tars interface',
  })
}

/** A value that does not fit the type that the interface gives it; the message shows at most 40 characters of it. */
export function encodeFailure(type: string, tag: number, value: unknown): Failure {
  const shown = typeof value === 'object' && value !== null ? `an object (${value.constructor?.name ?? 'no class'})` : String(value).slice(0, 40)
  return new Failure('TARS_ENCODE', `cannot encode ${shown} at tag ${tag}: not a ${type}`, {
    context: { type, tag },
    remedy: `pass a value of the type ${type} as the .tars interface says`,
  })
}
