import type { Schema, Type } from '#tars/idl/schema.ts'

/** One type with values at the edges of its encodings. Every peer gets all of them, in both directions. */
export interface Case {
  readonly type: Type
  readonly values: readonly unknown[]
}

const edges = [0, 1, -1, 42, 127, 128, -128, -129, 255, 256, 32767, 32768, -32768, -32769, 65535, 65536, 2147483647, 2147483648, -2147483648, 4294967295]

const within = (low: number, high: number): number[] => edges.filter((value) => value >= low && value <= high)

const texts = ['', 'a', 'tars.tarsregistry.QueryObj', 'été', '日本語', '😀 smile', 'x'.repeat(12), 'x'.repeat(13), 'é'.repeat(6), 'é'.repeat(127), 'é'.repeat(128), 'x'.repeat(255), 'x'.repeat(256), '日'.repeat(300), 'line\nbreak\0nul']

const longs = [...edges.map(BigInt), -2147483649n, 9007199254740993n, -9007199254740993n, 2n ** 63n - 1n, -(2n ** 63n), 0x0102030405060708n, -0x0102030405060708n]

export const schema: Schema = {
  structs: {
    'test::Inner': { fields: [
      { tag: 0, name: 'id', required: true, type: 'int' },
      { tag: 1, name: 'name', required: true, type: 'string' },
    ] },
    'test::Outer': { fields: [
      { tag: 0, name: 'flag', required: true, type: 'bool' },
      { tag: 3, name: 'big', required: true, type: 'long' },
      { tag: 7, name: 'inner', required: true, type: { struct: 'test::Inner' } },
      { tag: 14, name: 'list', required: true, type: { vector: { struct: 'test::Inner' } } },
      { tag: 15, name: 'map', required: true, type: { map: ['string', { vector: 'int' }] } },
      { tag: 16, name: 'ratio', required: true, type: 'double' },
      { tag: 200, name: 'raw', required: true, type: 'bytes' },
      { tag: 255, name: 'last', required: true, type: 'string' },
    ] },
  },
  enums: { 'test::Color': { members: { Red: 0, Green: 1, Blue: 300 } } },
  constants: {},
  interfaces: {},
}

const inner = (id: number, name: string): unknown => ({ id, name })

export const outer = (id: number): unknown => ({
  flag: id % 2 === 1,
  big: BigInt(id) * 9007199254740993n,
  inner: inner(id, `inner ${id}`),
  list: Array.from({ length: id }, (_, index) => inner(index, `n${index}`)),
  map: new Map(Array.from({ length: id }, (_, index) => [`key${index}`, [index, index * 1000]])),
  ratio: id / 3,
  raw: Buffer.alloc(id, 7),
  last: 'z'.repeat(id),
})

export const cases: readonly Case[] = [
  { type: 'bool', values: [true, false] },
  { type: 'byte', values: within(-128, 127) },
  { type: 'short', values: within(-32768, 32767) },
  { type: 'int', values: within(-2147483648, 2147483647) },
  { type: 'long', values: longs },
  { type: 'ubyte', values: within(0, 255) },
  { type: 'ushort', values: within(0, 65535) },
  { type: 'uint', values: within(0, 4294967295) },
  { type: 'float', values: [0, 1, -1, 0.5, Math.fround(1.5e10), Math.fround(3.14159), Infinity, -Infinity] },
  { type: 'double', values: [0, 1, -1, 0.1, Math.PI, 1e300, 5e-324, Infinity, -Infinity] },
  { type: 'string', values: texts },
  { type: 'bytes', values: [Buffer.alloc(0), Buffer.from([0, 255, 128, 127]), Buffer.alloc(127, 1), Buffer.alloc(128, 2), Buffer.alloc(40000, 3)] },
  { type: { vector: 'int' }, values: [[], edges.filter((value) => value >= -2147483648 && value <= 2147483647), Array.from({ length: 300 }, (_, index) => index)] },
  { type: { vector: 'string' }, values: [[], texts] },
  { type: { vector: 'bool' }, values: [[true, false, true]] },
  { type: { vector: 'long' }, values: [longs] },
  { type: { vector: 'double' }, values: [[0, 0.25, -1e100]] },
  { type: { vector: { vector: 'short' } }, values: [[[], [1, 2], [300]]] },
  { type: { vector: { struct: 'test::Inner' } }, values: [[], [inner(0, ''), inner(70000, 'seventy')]] },
  { type: { map: ['string', 'string'] }, values: [new Map(), new Map([['a', 'b'], ['key', '']])] },
  { type: { map: ['string', 'int'] }, values: [new Map([['x', 1], ['y', -70000]])] },
  { type: { map: ['int', 'string'] }, values: [new Map([[0, 'zero'], [5, 'five'], [70000, 'many']])] },
  { type: { map: ['string', { struct: 'test::Inner' }] }, values: [new Map([['one', inner(1, 'eins')]])] },
  { type: { map: ['string', { map: ['string', { vector: 'string' }] }] }, values: [new Map([['a', new Map([['b', ['c', 'd']]])]])] },
  { type: { struct: 'test::Inner' }, values: [inner(0, ''), inner(-1, 'x'.repeat(400))] },
  { type: { struct: 'test::Outer' }, values: [outer(0), outer(1), outer(5), outer(300)] },
  { type: { enum: 'test::Color' }, values: [0, 1, 300] },
]

/** The tags that every case is tried at: both head forms and their edges. */
export const tags = [0, 1, 14, 15, 16, 127, 255]
