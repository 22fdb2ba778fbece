// Random types with random values of them.
import fc from 'fast-check'
import type { FieldDef, Scalar, Schema, Type } from '#tars/idl/schema.ts'

interface Typed {
  readonly type: Type
  readonly value: fc.Arbitrary<unknown>
  readonly structs: Schema['structs']
}

const noZero = (value: number): number => value + 0 // -0 travels as 0
const integer = (min: number, max: number): fc.Arbitrary<unknown> => fc.oneof(fc.integer({ min, max }), fc.integer({ min: Math.max(min, -200), max: Math.min(max, 200) }))

const scalarValues: Readonly<Record<Scalar, fc.Arbitrary<unknown>>> = {
  bool: fc.boolean(),
  byte: integer(-128, 127),
  short: integer(-32768, 32767),
  int: integer(-0x80000000, 0x7fffffff),
  long: fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.bigInt({ min: -200n, max: 200n })),
  ubyte: integer(0, 255),
  ushort: integer(0, 65535),
  uint: integer(0, 0xffffffff),
  float: fc.float({ noNaN: true }).map(noZero),
  double: fc.double({ noNaN: true }).map(noZero),
  string: fc.string({ unit: 'binary', maxLength: 300 }),
  bytes: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
}

const scalarTyped: fc.Arbitrary<Typed> = fc.constantFrom(...Object.keys(scalarValues) as Scalar[]).map((type) => ({ type, value: scalarValues[type], structs: {} }))

const keyTyped = scalarTyped.filter(({ type }) => type !== 'bytes' && type !== 'float' && type !== 'double')

const { typed } = fc.letrec<{ typed: Typed }>((tie) => ({
  typed: fc.oneof({ maxDepth: 3, withCrossShrink: true }, scalarTyped, tie('typed').map(vectorOf), fc.tuple(keyTyped, tie('typed')).map(mapOf), fc.tuple(fc.uuid(), fc.array(fc.tuple(fc.integer({ min: 0, max: 255 }), tie('typed')), { minLength: 1, maxLength: 5 })).map(structOf)),
}))

function vectorOf(of: Typed): Typed {
  if (of.type === 'byte') return { type: 'bytes', value: scalarValues.bytes, structs: {} }
  return { type: { vector: of.type }, value: fc.array(of.value, { maxLength: 6 }), structs: of.structs }
}

function mapOf([key, value]: [Typed, Typed]): Typed {
  const entries = fc.uniqueArray(fc.tuple(key.value, value.value), { maxLength: 5, selector: ([k]) => String(k) })
  return { type: { map: [key.type, value.type] }, value: entries.map((list) => new Map(list)), structs: value.structs }
}

function structOf([id, members]: [string, [number, Typed][]]): Typed {
  const byTag = new Map(members.map(([tag, member]) => [tag, member]))
  const fields = [...byTag].toSorted((a, b) => a[0] - b[0])
  const defs: FieldDef[] = fields.map(([tag, member], index) => ({ tag, name: `f${index}`, required: index % 2 === 0, type: member.type }))
  const name = `random::S${id}`
  return {
    type: { struct: name },
    value: fc.record(Object.fromEntries(fields.map(([, member], index) => [`f${index}`, member.value])), { noNullPrototype: true }),
    structs: Object.assign({ [name]: { fields: defs } }, ...fields.map(([, member]) => member.structs)),
  }
}

export const arbitraryTyped = typed.chain(({ type, value, structs }) => value.map((one) => ({ schema: { structs, enums: {}, constants: {}, interfaces: {} }, type, value: one })))

/** Elements of a random vector, entries of a random map. */
const maxLength = 4

/** Values of a given type. */
export function arbitraryOf(type: Type, schema: Schema, depth = 0): fc.Arbitrary<unknown> {
  if (typeof type === 'string') return scalarValues[type]
  if ('bytes' in type) return fc.uint8Array({ maxLength: type.bytes }).map((bytes) => Buffer.from(bytes))
  if ('vector' in type) return arbitraryVector(type, schema, depth)
  if ('map' in type) return arbitraryMap(type.map, schema, depth + 1)
  return 'enum' in type ? fc.constantFrom(...Object.values(schema.enums[type.enum]?.members ?? {})) : arbitraryStruct(type.struct, schema, depth + 1)
}

function arbitraryStruct(name: string, schema: Schema, depth: number): fc.Arbitrary<unknown> {
  const fields = schema.structs[name]?.fields ?? []
  return fc.record(Object.fromEntries(fields.map((field) => [field.name, arbitraryOf(field.type, schema, depth)])), { noNullPrototype: true })
}

function arbitraryVector(type: { vector: Type; limit?: number }, schema: Schema, depth: number): fc.Arbitrary<unknown> {
  if (depth > 4) return fc.constant([]) // a struct may hold vectors of itself
  return fc.array(arbitraryOf(type.vector, schema, depth + 1), { maxLength: Math.min(type.limit ?? maxLength, maxLength) })
}

function arbitraryMap([key, value]: readonly [Type, Type], schema: Schema, depth: number): fc.Arbitrary<unknown> {
  const entries = fc.tuple(arbitraryOf(key, schema, depth), arbitraryOf(value, schema, depth))
  return fc.uniqueArray(entries, { maxLength, selector: ([k]) => (typeof k === 'object' ? k : String(k)) }).map((list) => new Map(list))
}
