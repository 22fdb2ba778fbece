// Generated from all.tars by the Tars IDL generator; change that file and generate again.
import type { Reader } from '#tars/codec/reader.ts'
import { encodeFailure } from '#tars/codec/wire.ts'
import type { Writer } from '#tars/codec/writer.ts'
import { limited, listLength, mapSize } from '#tars/idl/checks.ts'
import type { Schema } from '#tars/idl/schema.ts'
import { createShared, readShared, writeShared, type Shared, includedSchema } from './included.ts'
export * from './included.ts'

export const Color = { Red: 0, Green: 5, Blue: 6 } as const
export type Color = (typeof Color)[keyof typeof Color]

export const Limit = 10

export const Greeting = 'it\'s "quoted"\n'

export const Far = 9007199254740993n

/** A struct of all types. */
export interface All {
  a: boolean
  b: number
  c: number
  d: number
  e: bigint
  f: number
  g: number
  h: number
  i: number
  j: number
  k: string
  l: Buffer
  m: number[]
  n: string[]
  o: Map<string, number>
  p: Map<bigint, Shared[]>
  q: Color
  r: Shared
  s: number[]
  t: Buffer
  u: boolean[][]
  v: string
}

export function createAll(given: Partial<All> = {}): All {
  return {
    a: given.a ?? false,
    b: given.b ?? 0,
    c: given.c ?? 0,
    d: given.d ?? 0,
    e: given.e ?? 0n,
    f: given.f ?? 0,
    g: given.g ?? 0,
    h: given.h ?? 0,
    i: given.i ?? 0,
    j: given.j ?? 0,
    k: given.k ?? '',
    l: given.l ?? Buffer.alloc(0),
    m: given.m ?? [],
    n: given.n ?? [],
    o: given.o ?? new Map(),
    p: given.p ?? new Map(),
    q: given.q ?? Color.Red,
    r: given.r ?? createShared(),
    s: given.s ?? [],
    t: given.t ?? Buffer.alloc(0),
    u: given.u ?? [],
    v: given.v ?? '',
  }
}

export function writeAll(w: Writer, tag: number, value: All): void {
  if (typeof value !== 'object' || value === null) throw encodeFailure('struct Every::All', tag, value)
  w.beginStruct(tag)
  w.writeBool(0, value.a)
  w.writeByte(1, value.b)
  w.writeShort(2, value.c)
  w.writeInt(3, value.d)
  w.writeLong(4, value.e)
  w.writeUByte(5, value.f)
  w.writeUShort(6, value.g)
  w.writeUInt(7, value.h)
  w.writeFloat(8, value.i)
  w.writeDouble(9, value.j)
  w.writeString(10, value.k)
  w.writeBytes(11, value.l)
  writeVectorOfUbyte(w, 12, value.m)
  writeVectorOfString(w, 13, value.n)
  writeMapOfStringInt(w, 14, value.o)
  writeMapOfLongVectorOfShared(w, 15, value.p)
  w.writeInt(16, value.q)
  writeShared(w, 17, value.r)
  writeVectorOfInt3(w, 18, value.s)
  w.writeBytes(19, limited(19, value.t, 4))
  writeVectorOfVectorOfBool(w, 20, value.u)
  w.writeString(255, value.v)
  w.endStruct()
}

export function readAll(r: Reader, tag: number, optional = false): All {
  if (!r.beginStruct(tag)) return optional ? createAll() : r.missing(tag)
  const value = {
    a: r.readBool(0),
    b: r.readByte(1),
    c: r.readShort(2),
    d: r.readInt(3),
    e: r.readLong(4),
    f: r.readUByte(5),
    g: r.readUShort(6),
    h: r.readUInt(7),
    i: r.readFloat(8),
    j: r.readDouble(9),
    k: r.readString(10),
    l: r.readBytes(11),
    m: readVectorOfUbyte(r, 12),
    n: readVectorOfString(r, 13),
    o: readMapOfStringInt(r, 14),
    p: readMapOfLongVectorOfShared(r, 15),
    q: r.readInt(16) as Color,
    r: readShared(r, 17),
    s: readVectorOfInt3(r, 18),
    t: r.limited(19, r.readBytes(19), 4),
    u: readVectorOfVectorOfBool(r, 20),
    v: r.readString(255),
  }
  r.endStruct()
  return value
}

function writeVectorOfUbyte(w: Writer, tag: number, value: number[]): void {
  w.beginList(tag, listLength(tag, value))
  for (const element of value) w.writeUByte(0, element)
}

function readVectorOfUbyte(r: Reader, tag: number): number[] {
  const out: number[] = []
  const count = r.beginList(tag)
  for (let i = 0; i < count; i++) out.push(r.readUByte(0))
  return out
}

function writeVectorOfString(w: Writer, tag: number, value: string[]): void {
  w.beginList(tag, listLength(tag, value))
  for (const element of value) w.writeString(0, element)
}

function readVectorOfString(r: Reader, tag: number): string[] {
  const out: string[] = []
  const count = r.beginList(tag)
  for (let i = 0; i < count; i++) {
    r.expect(0)
    out.push(r.readString(0))
  }
  return out
}

function writeMapOfStringInt(w: Writer, tag: number, value: Map<string, number>): void {
  w.beginMap(tag, mapSize(tag, value))
  for (const [key, element] of value) {
    w.writeString(0, key)
    w.writeInt(1, element)
  }
}

function readMapOfStringInt(r: Reader, tag: number): Map<string, number> {
  const out: Map<string, number> = new Map()
  const count = r.beginMap(tag)
  for (let i = 0; i < count; i++) {
    r.expect(0)
    const key = r.readString(0)
    out.set(key, r.readInt(1))
  }
  return out
}

function writeVectorOfShared(w: Writer, tag: number, value: Shared[]): void {
  w.beginList(tag, listLength(tag, value))
  for (const element of value) writeShared(w, 0, element)
}

function readVectorOfShared(r: Reader, tag: number): Shared[] {
  const out: Shared[] = []
  const count = r.beginList(tag)
  for (let i = 0; i < count; i++) out.push(readShared(r, 0))
  return out
}

function writeMapOfLongVectorOfShared(w: Writer, tag: number, value: Map<bigint, Shared[]>): void {
  w.beginMap(tag, mapSize(tag, value))
  for (const [key, element] of value) {
    w.writeLong(0, key)
    writeVectorOfShared(w, 1, element)
  }
}

function readMapOfLongVectorOfShared(r: Reader, tag: number): Map<bigint, Shared[]> {
  const out: Map<bigint, Shared[]> = new Map()
  const count = r.beginMap(tag)
  for (let i = 0; i < count; i++) {
    const key = r.readLong(0)
    r.expect(1)
    out.set(key, readVectorOfShared(r, 1))
  }
  return out
}

function writeVectorOfInt3(w: Writer, tag: number, value: number[]): void {
  w.beginList(tag, listLength(tag, limited(tag, value, 3)))
  for (const element of value) w.writeInt(0, element)
}

function readVectorOfInt3(r: Reader, tag: number): number[] {
  const out: number[] = []
  const count = r.beginList(tag)
  for (let i = 0; i < count; i++) out.push(r.readInt(0))
  return r.limited(tag, out, 3)
}

function writeVectorOfBool(w: Writer, tag: number, value: boolean[]): void {
  w.beginList(tag, listLength(tag, value))
  for (const element of value) w.writeBool(0, element)
}

function readVectorOfBool(r: Reader, tag: number): boolean[] {
  const out: boolean[] = []
  const count = r.beginList(tag)
  for (let i = 0; i < count; i++) out.push(r.readBool(0))
  return out
}

function writeVectorOfVectorOfBool(w: Writer, tag: number, value: boolean[][]): void {
  w.beginList(tag, listLength(tag, value))
  for (const element of value) writeVectorOfBool(w, 0, element)
}

function readVectorOfVectorOfBool(r: Reader, tag: number): boolean[][] {
  const out: boolean[][] = []
  const count = r.beginList(tag)
  for (let i = 0; i < count; i++) {
    r.expect(0)
    out.push(readVectorOfBool(r, 0))
  }
  return out
}

/** What the .tars file says, as data. */
export const allSchema: Schema = {
  structs: {
    ...includedSchema.structs,
    'Every::All': { fields: [
      { tag: 0, name: 'a', required: true, type: 'bool' },
      { tag: 1, name: 'b', required: true, type: 'byte' },
      { tag: 2, name: 'c', required: true, type: 'short' },
      { tag: 3, name: 'd', required: true, type: 'int' },
      { tag: 4, name: 'e', required: true, type: 'long' },
      { tag: 5, name: 'f', required: true, type: 'ubyte' },
      { tag: 6, name: 'g', required: true, type: 'ushort' },
      { tag: 7, name: 'h', required: true, type: 'uint' },
      { tag: 8, name: 'i', required: true, type: 'float' },
      { tag: 9, name: 'j', required: true, type: 'double' },
      { tag: 10, name: 'k', required: true, type: 'string' },
      { tag: 11, name: 'l', required: true, type: 'bytes' },
      { tag: 12, name: 'm', required: true, type: { vector: 'ubyte' } },
      { tag: 13, name: 'n', required: true, type: { vector: 'string' } },
      { tag: 14, name: 'o', required: true, type: { map: ['string', 'int'] } },
      { tag: 15, name: 'p', required: true, type: { map: ['long', { vector: { struct: 'Every::Shared' } }] } },
      { tag: 16, name: 'q', required: true, type: { enum: 'Every::Color' } },
      { tag: 17, name: 'r', required: true, type: { struct: 'Every::Shared' } },
      { tag: 18, name: 's', required: true, type: { vector: 'int', limit: 3 } },
      { tag: 19, name: 't', required: true, type: { bytes: 4 } },
      { tag: 20, name: 'u', required: true, type: { vector: { vector: 'bool' } } },
      { tag: 255, name: 'v', required: true, type: 'string' },
    ] },
  },
  enums: {
    ...includedSchema.enums,
    'Every::Color': { members: { Red: 0, Green: 5, Blue: 6 } },
  },
  constants: {
    ...includedSchema.constants,
    'Every::Limit': { type: 'int', value: 10 },
    'Every::Greeting': { type: 'string', value: 'it\'s "quoted"\n' },
    'Every::Far': { type: 'long', value: 9007199254740993n },
  },
  interfaces: {
    ...includedSchema.interfaces,
  },
}
