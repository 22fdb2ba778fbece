import { Failure } from '#base/errors.ts'
import type { Scalar } from './schema.ts'

/** A type's JSON form: numbers, strings, booleans, arrays and plain objects; a `long` beyond 2^53 is a bigint there. */
export interface JsonCodec {
  to(value: unknown): unknown
  /** @param path where the value stands, for errors, e.g. `info.sApp` */
  from(json: unknown, path: string): unknown
  /** What a required value is when absent; undefined: it must be there (as on the wire, see Reader). */
  readonly empty?: () => unknown
}

const bounds: Partial<Record<Scalar, readonly [bigint, bigint]>> = {
  byte: [-0x80n, 0x7fn],
  short: [-0x8000n, 0x7fffn],
  int: [-0x80000000n, 0x7fffffffn],
  long: [-(1n << 63n), (1n << 63n) - 1n],
  ubyte: [0n, 0xffn],
  ushort: [0n, 0xffffn],
  uint: [0n, 0xffffffffn],
}

export function scalarJson(type: Exclude<Scalar, 'bytes'>): JsonCodec {
  if (type === 'string') return { to: (value) => value, from: textFrom, empty: () => '' }
  if (type === 'bool') return { to: (value) => value, from: boolFrom }
  if (type === 'float' || type === 'double') return { to: realTo, from: realFrom }
  if (type === 'long') return { to: longTo, from: (json, path) => integerFrom(json, path, type) }
  return { to: (value) => value, from: (json, path) => Number(integerFrom(json, path, type)) }
}

/** An array of numbers as TarsCpp writes (signed), read signed or unsigned; a string stands for its UTF-8 bytes. */
export function bytesJson(limit: number | undefined): JsonCodec {
  return {
    to: (value) => Array.from(new Int8Array(value as Uint8Array)),
    from(json, path) {
      const bytes = bytesFrom(json, path)
      if (limit !== undefined && bytes.length > limit) throw mismatch(path, `at most ${limit} bytes`, json)
      return bytes
    },
    empty: () => Buffer.alloc(0),
  }
}

/** A number; a member's name is accepted too. */
export function enumJson(members: Readonly<Record<string, number>>): JsonCodec {
  return {
    to: (value) => value,
    from: (json, path) => (typeof json === 'string' && Object.hasOwn(members, json) ? members[json] : Number(integerFrom(json, path, 'int'))),
  }
}

function bytesFrom(json: unknown, path: string): Buffer {
  if (typeof json === 'string') return Buffer.from(json)
  if (!Array.isArray(json) || !json.every((one) => Number.isInteger(one) && one >= -128 && one <= 255)) throw mismatch(path, 'an array of bytes', json)
  return Buffer.from(json as number[])
}

function longTo(value: unknown): unknown {
  const near = Number(value)
  return Number.isSafeInteger(near) ? near : value
}

// JSON has no NaN and no infinity; as strings they survive between our ends.
function realTo(value: unknown): unknown {
  return Number.isFinite(value) ? value : String(value)
}

function realFrom(json: unknown, path: string): number {
  if (typeof json === 'number') return json
  if (typeof json === 'bigint' || json === 'NaN') return Number(json)
  const value = typeof json === 'string' && json.trim() !== '' ? Number(json) : Number.NaN
  if (Number.isNaN(value)) throw mismatch(path, 'a number', json)
  return value
}

function integerFrom(json: unknown, path: string, type: Scalar): bigint {
  const [low, high] = bounds[type] ?? [0n, 0n]
  const value = exactInteger(json)
  if (value === undefined || value < low || value > high) throw mismatch(path, `an integer of ${low}…${high}`, json)
  return value
}

function exactInteger(json: unknown): bigint | undefined {
  if (typeof json === 'bigint') return json
  if (typeof json === 'number') return Number.isInteger(json) ? BigInt(json) : undefined
  return typeof json === 'string' && /^[+-]?\d{1,20}$/.test(json.trim()) ? BigInt(json.trim().replace(/^\+/, '')) : undefined
}

function textFrom(json: unknown, path: string): string {
  if (typeof json !== 'string') throw mismatch(path, 'a string', json)
  return json
}

function boolFrom(json: unknown, path: string): boolean {
  if (typeof json === 'boolean') return json
  if (json === 0 || json === 1) return json === 1
  throw mismatch(path, 'true or false', json)
}

function mismatch(path: string, expected: string, json: unknown): Failure {
  const shown = typeof json === 'object' ? 'an array or object' : String(json).slice(0, 40)
  return new Failure('TARS_DECODE', `${path} must be ${expected}, it is ${shown}`, { context: { path }, remedy: 'see the .tars interface for the type' })
}
