import { shortName, type Scalar, type Type } from '../schema.ts'
import { containerName, tsType } from './types.ts'
import { typeName } from './names.ts'

const methods: Readonly<Record<Scalar, string>> = {
  bool: 'Bool', byte: 'Byte', short: 'Short', int: 'Int', long: 'Long', ubyte: 'UByte', ushort: 'UShort', uint: 'UInt',
  float: 'Float', double: 'Double', string: 'String', bytes: 'Bytes',
}

/** A statement that writes `value` at `tag`. */
export function writeStatement(type: Type, tag: number, value: string): string {
  if (typeof type === 'string') return `w.write${methods[type]}(${tag}, ${value})`
  if ('bytes' in type) return `w.writeBytes(${tag}, limited(${tag}, ${value}, ${type.bytes}))`
  if ('enum' in type) return `w.writeInt(${tag}, ${value})`
  return `write${'struct' in type ? shortName(type.struct) : containerName(type)}(w, ${tag}, ${value})`
}

/**
 * An expression that reads the value at `tag`.
 * @param fallback expression for an absent one; undefined: it is required
 */
export function readExpression(type: Type, tag: number, fallback?: string): string {
  if (typeof type === 'string') return `r.read${methods[type]}(${tag}${scalarFallback(type, fallback)})`
  if ('bytes' in type) return `r.limited(${tag}, r.readBytes(${tag}), ${type.bytes})`
  if ('enum' in type) return `r.readInt(${tag}${fallback === undefined ? '' : `, ${fallback}`}) as ${typeName(type.enum)}`
  if ('struct' in type) return `read${shortName(type.struct)}(r, ${tag}${fallback === undefined ? '' : ', true'})`
  return `read${containerName(type)}(r, ${tag})`
}

// Of an absent string or bytes the reader makes an empty one by itself.
function scalarFallback(type: Scalar, fallback: string | undefined): string {
  return fallback === undefined || type === 'bytes' || fallback === "''" ? '' : `, ${fallback}`
}

/** The write and read functions of a vector or map. */
export function containerFunctions(type: Type): string[] {
  if (typeof type === 'string') return []
  if ('vector' in type) return vectorFunctions(type)
  return 'map' in type ? mapFunctions(type) : []
}

function vectorFunctions(type: { vector: Type; limit?: number }): string[] {
  const name = containerName(type)
  const ts = tsType(type)
  const checked = type.limit === undefined ? 'value' : `limited(tag, value, ${type.limit})`
  return [
    `function write${name}(w: Writer, tag: number, value: ${ts}): void {`,
    `  w.beginList(tag, listLength(tag, ${checked}))`,
    `  for (const element of value) ${writeStatement(type.vector, 0, 'element')}`,
    '}',
    '',
    `function read${name}(r: Reader, tag: number): ${ts} {`,
    `  const out: ${ts} = []`,
    '  const count = r.beginList(tag)',
    `  for (let i = 0; i < count; i++) ${loopBody(type.vector, 0, (read) => `out.push(${read})`)}`,
    `  return ${type.limit === undefined ? 'out' : `r.limited(tag, out, ${type.limit})`}`,
    '}',
    '',
  ]
}

// What may be absent as a field (string, bytes, container) must be there as an element.
function loopBody(type: Type, tag: number, use: (read: string) => string): string {
  const statement = use(readExpression(type, tag))
  return mayBeAbsent(type) ? `{\n    r.expect(${tag})\n    ${statement}\n  }` : statement
}

function mayBeAbsent(type: Type): boolean {
  if (typeof type === 'string') return type === 'string' || type === 'bytes'
  return 'vector' in type || 'map' in type || 'bytes' in type
}

function mapFunctions(type: { map: readonly [Type, Type] }): string[] {
  const name = containerName(type)
  const ts = tsType(type)
  const [key, value] = type.map
  const expectKey = mayBeAbsent(key) ? ['    r.expect(0)'] : []
  const expectValue = mayBeAbsent(value) ? ['    r.expect(1)'] : []
  return [
    `function write${name}(w: Writer, tag: number, value: ${ts}): void {`,
    '  w.beginMap(tag, mapSize(tag, value))',
    '  for (const [key, element] of value) {',
    `    ${writeStatement(key, 0, 'key')}`,
    `    ${writeStatement(value, 1, 'element')}`,
    '  }',
    '}',
    '',
    `function read${name}(r: Reader, tag: number): ${ts} {`,
    `  const out: ${ts} = new Map()`,
    '  const count = r.beginMap(tag)',
    '  for (let i = 0; i < count; i++) {',
    ...expectKey,
    `    const key = ${readExpression(key, 0)}`,
    ...expectValue,
    `    out.set(key, ${readExpression(value, 1)})`,
    '  }',
    '  return out',
    '}',
    '',
  ]
}
