import { shortName, zeroOf, type Constant, type FieldDef, type Scalar, type Schema, type Type } from '../schema.ts'
import { typeName } from './names.ts'

/** The TypeScript type of a value. */
export function tsType(type: Type): string {
  if (typeof type === 'string') return scalarType(type)
  if ('bytes' in type) return 'Buffer'
  if ('vector' in type) return `${tsType(type.vector)}[]`
  if ('map' in type) return `Map<${tsType(type.map[0])}, ${tsType(type.map[1])}>`
  return typeName('struct' in type ? type.struct : type.enum)
}

function scalarType(type: Scalar): string {
  if (type === 'bool') return 'boolean'
  if (type === 'long') return 'bigint'
  if (type === 'bytes') return 'Buffer'
  return type === 'string' ? 'string' : 'number'
}

export function literal(value: Constant): string {
  if (typeof value === 'bigint') return `${value}n`
  return typeof value === 'string' ? quoted(value) : String(value)
}

/** A string in single quotes, as the rest of the code has them. */
export function quoted(text: string): string {
  return `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`
}

/** An expression for what a field holds when nothing gives it. */
export function initialOf(field: FieldDef, schema: Schema): string {
  const { type } = field
  if (typeof type === 'object' && 'enum' in type) return enumValue(type.enum, field.default, schema)
  return field.default === undefined ? emptyOf(type) : literal(field.default)
}

function emptyOf(type: Type): string {
  if (type === 'bytes') return 'Buffer.alloc(0)'
  if (typeof type === 'string') return literal(zeroOf(type))
  if ('bytes' in type) return 'Buffer.alloc(0)'
  if ('vector' in type) return '[]'
  return 'map' in type ? 'new Map()' : `create${shortName('struct' in type ? type.struct : type.enum)}()`
}

function enumValue(name: string, given: Constant | undefined, schema: Schema): string {
  const members = Object.entries(schema.enums[name]?.members ?? {})
  const value = given ?? members[0]?.[1] ?? 0
  const member = members.find((one) => one[1] === value)
  return member === undefined ? `${literal(value)} as ${typeName(name)}` : `${typeName(name)}.${member[0]}`
}

/** The name of a container type's read and write functions: `VectorOfEndpointF`, `MapOfStringInt`. */
export function containerName(type: Type): string {
  if (typeof type === 'string') return type.charAt(0).toUpperCase() + type.slice(1)
  if ('bytes' in type) return `Bytes${type.bytes}`
  if ('vector' in type) return `VectorOf${containerName(type.vector)}${type.limit ?? ''}`
  if ('map' in type) return `MapOf${containerName(type.map[0])}${containerName(type.map[1])}`
  return shortName('struct' in type ? type.struct : type.enum)
}

/** Every name of a struct or enum within a type. */
export function namesIn(type: Type): string[] {
  if (typeof type === 'string' || 'bytes' in type) return []
  if ('vector' in type) return namesIn(type.vector)
  if ('map' in type) return type.map.flatMap(namesIn)
  return ['struct' in type ? type.struct : type.enum]
}

/** The containers within a type, inner ones first. */
export function containersIn(type: Type): Type[] {
  if (typeof type === 'string' || 'bytes' in type) return []
  if ('vector' in type) return [...containersIn(type.vector), type]
  if ('map' in type) return [...type.map.flatMap(containersIn), type]
  return []
}
