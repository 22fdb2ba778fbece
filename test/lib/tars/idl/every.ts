// Generated from every.tars by the Tars IDL generator; change that file and generate again.
import type { CallOptions } from '#tars/client.ts'
import type { Reader } from '#tars/codec/reader.ts'
import { encodeFailure } from '#tars/codec/wire.ts'
import type { Writer } from '#tars/codec/writer.ts'
import type { Answer } from '#tars/idl/answer.ts'
import { limited, listLength, mapSize, resultObject } from '#tars/idl/checks.ts'
import { defineInterface, type FastForms, type Interface } from '#tars/idl/interface.ts'
import type { Schema } from '#tars/idl/schema.ts'
import type { Current } from '#tars/server.ts'
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

export interface Defaults {
  a: boolean
  b: boolean
  c: number
  d: bigint
  e: string
  f: number
  g: Color
  h: Color
  i: Shared
  j: string[]
  k: Map<string, string>
  l: Buffer
  m: number
  n: number
  default: number
}

export function createDefaults(given: Partial<Defaults> = {}): Defaults {
  return {
    a: given.a ?? false,
    b: given.b ?? true,
    c: given.c ?? -7,
    d: given.d ?? 5n,
    e: given.e ?? 'x\'y\\z',
    f: given.f ?? 1.5,
    g: given.g ?? Color.Blue,
    h: given.h ?? Color.Red,
    i: given.i ?? createShared(),
    j: given.j ?? [],
    k: given.k ?? new Map(),
    l: given.l ?? Buffer.alloc(0),
    m: given.m ?? 3,
    n: given.n ?? 4294967295,
    default: given.default ?? 1,
  }
}

export function writeDefaults(w: Writer, tag: number, value: Defaults): void {
  if (typeof value !== 'object' || value === null) throw encodeFailure('struct Every::Defaults', tag, value)
  w.beginStruct(tag)
  w.writeBool(0, value.a)
  w.writeBool(1, value.b)
  w.writeInt(2, value.c)
  w.writeLong(3, value.d)
  w.writeString(4, value.e)
  w.writeDouble(5, value.f)
  w.writeInt(6, value.g)
  w.writeInt(7, value.h)
  writeShared(w, 8, value.i)
  writeVectorOfString(w, 9, value.j)
  writeMapOfStringString(w, 10, value.k)
  w.writeBytes(11, value.l)
  w.writeInt(12, value.m)
  w.writeUInt(13, value.n)
  w.writeInt(14, value.default)
  w.endStruct()
}

export function readDefaults(r: Reader, tag: number, optional = false): Defaults {
  if (!r.beginStruct(tag)) return optional ? createDefaults() : r.missing(tag)
  const value = {
    a: r.readBool(0, false),
    b: r.readBool(1, true),
    c: r.readInt(2, -7),
    d: r.readLong(3, 5n),
    e: r.readString(4, 'x\'y\\z'),
    f: r.readDouble(5, 1.5),
    g: r.readInt(6, Color.Blue) as Color,
    h: r.readInt(7, Color.Red) as Color,
    i: readShared(r, 8, true),
    j: readVectorOfString(r, 9),
    k: readMapOfStringString(r, 10),
    l: r.readBytes(11),
    m: r.readInt(12, 3),
    n: r.readUInt(13, 4294967295),
    default: r.readInt(14, 1),
  }
  r.endStruct()
  return value
}

/** A tree: structs may hold vectors of themselves. */
export interface Tree {
  name: string
  children: Tree[]
}

export function createTree(given: Partial<Tree> = {}): Tree {
  return {
    name: given.name ?? '',
    children: given.children ?? [],
  }
}

/** Equal for two values that are the same map key: those with the same key fields. */
export function keyOfTree(value: Tree): string {
  return JSON.stringify([value.name])
}

export function writeTree(w: Writer, tag: number, value: Tree): void {
  if (typeof value !== 'object' || value === null) throw encodeFailure('struct Every::Tree', tag, value)
  w.beginStruct(tag)
  w.writeString(0, value.name)
  writeVectorOfTree(w, 1, value.children)
  w.endStruct()
}

export function readTree(r: Reader, tag: number, optional = false): Tree {
  if (!r.beginStruct(tag)) return optional ? createTree() : r.missing(tag)
  const value = {
    name: r.readString(0),
    children: readVectorOfTree(r, 1),
  }
  r.endStruct()
  return value
}

export interface Head {
  name: string
  id: bigint
}

export function createHead(given: Partial<Head> = {}): Head {
  return {
    name: given.name ?? '',
    id: given.id ?? 0n,
  }
}

/** Equal for two values that are the same map key: those with the same key fields. */
export function keyOfHead(value: Head): string {
  return JSON.stringify([value.name, String(value.id)])
}

export function writeHead(w: Writer, tag: number, value: Head): void {
  if (typeof value !== 'object' || value === null) throw encodeFailure('struct Every::Head', tag, value)
  w.beginStruct(tag)
  w.writeString(0, value.name)
  w.writeLong(1, value.id)
  w.endStruct()
}

export function readHead(r: Reader, tag: number, optional = false): Head {
  if (!r.beginStruct(tag)) return optional ? createHead() : r.missing(tag)
  const value = {
    name: r.readString(0),
    id: r.readLong(1),
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

function writeMapOfStringString(w: Writer, tag: number, value: Map<string, string>): void {
  w.beginMap(tag, mapSize(tag, value))
  for (const [key, element] of value) {
    w.writeString(0, key)
    w.writeString(1, element)
  }
}

function readMapOfStringString(r: Reader, tag: number): Map<string, string> {
  const out: Map<string, string> = new Map()
  const count = r.beginMap(tag)
  for (let i = 0; i < count; i++) {
    r.expect(0)
    const key = r.readString(0)
    r.expect(1)
    out.set(key, r.readString(1))
  }
  return out
}

function writeVectorOfTree(w: Writer, tag: number, value: Tree[]): void {
  w.beginList(tag, listLength(tag, value))
  for (const element of value) writeTree(w, 0, element)
}

function readVectorOfTree(r: Reader, tag: number): Tree[] {
  const out: Tree[] = []
  const count = r.beginList(tag)
  for (let i = 0; i < count; i++) out.push(readTree(r, 0))
  return out
}

function writeVectorOfAll(w: Writer, tag: number, value: All[]): void {
  w.beginList(tag, listLength(tag, value))
  for (const element of value) writeAll(w, 0, element)
}

function readVectorOfAll(r: Reader, tag: number): All[] {
  const out: All[] = []
  const count = r.beginList(tag)
  for (let i = 0; i < count; i++) out.push(readAll(r, 0))
  return out
}

function writeMapOfHeadTree(w: Writer, tag: number, value: Map<Head, Tree>): void {
  w.beginMap(tag, mapSize(tag, value))
  for (const [key, element] of value) {
    writeHead(w, 0, key)
    writeTree(w, 1, element)
  }
}

function readMapOfHeadTree(r: Reader, tag: number): Map<Head, Tree> {
  const out: Map<Head, Tree> = new Map()
  const count = r.beginMap(tag)
  for (let i = 0; i < count; i++) {
    const key = readHead(r, 0)
    out.set(key, readTree(r, 1))
  }
  return out
}

function writeMapOfStringShared(w: Writer, tag: number, value: Map<string, Shared>): void {
  w.beginMap(tag, mapSize(tag, value))
  for (const [key, element] of value) {
    w.writeString(0, key)
    writeShared(w, 1, element)
  }
}

function readMapOfStringShared(r: Reader, tag: number): Map<string, Shared> {
  const out: Map<string, Shared> = new Map()
  const count = r.beginMap(tag)
  for (let i = 0; i < count; i++) {
    r.expect(0)
    const key = r.readString(0)
    out.set(key, readShared(r, 1))
  }
  return out
}

function writeVectorOfMapOfStringShared(w: Writer, tag: number, value: Map<string, Shared>[]): void {
  w.beginList(tag, listLength(tag, value))
  for (const element of value) writeMapOfStringShared(w, 0, element)
}

function readVectorOfMapOfStringShared(r: Reader, tag: number): Map<string, Shared>[] {
  const out: Map<string, Shared>[] = []
  const count = r.beginList(tag)
  for (let i = 0; i < count; i++) {
    r.expect(0)
    out.push(readMapOfStringShared(r, 0))
  }
  return out
}

function writeVectorOfVectorOfMapOfStringShared(w: Writer, tag: number, value: Map<string, Shared>[][]): void {
  w.beginList(tag, listLength(tag, value))
  for (const element of value) writeVectorOfMapOfStringShared(w, 0, element)
}

function readVectorOfVectorOfMapOfStringShared(r: Reader, tag: number): Map<string, Shared>[][] {
  const out: Map<string, Shared>[][] = []
  const count = r.beginList(tag)
  for (let i = 0; i < count; i++) {
    r.expect(0)
    out.push(readVectorOfMapOfStringShared(r, 0))
  }
  return out
}

/** What the .tars file says, as data. */
export const everySchema: Schema = {
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
    'Every::Defaults': { fields: [
      { tag: 0, name: 'a', required: false, type: 'bool' },
      { tag: 1, name: 'b', required: false, type: 'bool', default: true },
      { tag: 2, name: 'c', required: false, type: 'int', default: -7 },
      { tag: 3, name: 'd', required: false, type: 'long', default: 5n },
      { tag: 4, name: 'e', required: false, type: 'string', default: 'x\'y\\z' },
      { tag: 5, name: 'f', required: false, type: 'double', default: 1.5 },
      { tag: 6, name: 'g', required: false, type: { enum: 'Every::Color' }, default: 6 },
      { tag: 7, name: 'h', required: false, type: { enum: 'Every::Color' } },
      { tag: 8, name: 'i', required: false, type: { struct: 'Every::Shared' } },
      { tag: 9, name: 'j', required: false, type: { vector: 'string' } },
      { tag: 10, name: 'k', required: false, type: { map: ['string', 'string'] } },
      { tag: 11, name: 'l', required: false, type: 'bytes' },
      { tag: 12, name: 'm', required: true, type: 'int', default: 3 },
      { tag: 13, name: 'n', required: false, type: 'uint', default: 4294967295 },
      { tag: 14, name: 'default', required: false, type: 'int', default: 1 },
    ] },
    'Every::Tree': { fields: [
      { tag: 0, name: 'name', required: true, type: 'string' },
      { tag: 1, name: 'children', required: false, type: { vector: { struct: 'Every::Tree' } } },
    ], key: ['name'] },
    'Every::Head': { fields: [
      { tag: 0, name: 'name', required: true, type: 'string' },
      { tag: 1, name: 'id', required: true, type: 'long' },
    ], key: ['name', 'id'] },
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
    'Every::Every': { functions: {
      nothing: { params: [], result: null },
      plain: { params: [{ name: 'a', tag: 1, out: false, type: 'int' }, { name: 'b', tag: 2, out: false, type: 'string' }], result: 'int' },
      all: { params: [{ name: 'value', tag: 1, out: false, type: { struct: 'Every::All' } }], result: { struct: 'Every::All' } },
      out: { params: [{ name: 'text', tag: 1, out: true, type: 'string' }, { name: 'value', tag: 2, out: false, type: { struct: 'Every::All' } }, { name: 'list', tag: 3, out: true, type: { vector: { struct: 'Every::All' } } }], result: null },
      mixed: { params: [{ name: 'hash', tag: 1, out: false, routeKey: true, type: 'string' }, { name: 'number', tag: 2, out: true, type: 'int' }, { name: 'trees', tag: 3, out: false, type: { map: [{ struct: 'Every::Head' }, { struct: 'Every::Tree' }] } }, { name: 'defaults', tag: 4, out: true, type: { struct: 'Every::Defaults' } }], result: 'string' },
      deep: { params: [{ name: 'value', tag: 1, out: false, type: { vector: { vector: { map: ['string', { struct: 'Every::Shared' }] } } } }], result: { vector: { vector: { map: ['string', { struct: 'Every::Shared' }] } } } },
      reserved: { params: [{ name: 'function', tag: 1, out: false, type: 'int' }, { name: 'current', tag: 2, out: false, type: 'string' }, { name: 'class', tag: 3, out: false, type: { enum: 'Every::Color' } }, { name: 'options', tag: 4, out: false, type: 'bool' }], result: { enum: 'Every::Color' } },
    } },
    'Every::Second': { functions: {
      ping: { params: [{ name: 'value', tag: 1, out: false, type: 'long' }], result: 'long' },
    } },
  },
}

/** What implements Every in a server. */
export interface EveryServant {
  nothing(current: Current): Answer<void>
  plain(a: number, b: string, current: Current): Answer<number>
  all(value: All, current: Current): Answer<All>
  out(value: All, current: Current): Answer<{ text: string; list: All[] }>
  mixed(hash: string, trees: Map<Head, Tree>, current: Current): Answer<{ return: string; number: number; defaults: Defaults }>
  deep(value: Map<string, Shared>[][], current: Current): Answer<Map<string, Shared>[][]>
  /** Parameters may be called what the language reserves. */
  reserved(function_: number, current_: string, class_: Color, options_: boolean, current: Current): Answer<Color>
}

/** What a client calls Every with. */
export interface EveryProxy {
  nothing(options?: CallOptions): Promise<void>
  plain(a: number, b: string, options?: CallOptions): Promise<number>
  all(value: All, options?: CallOptions): Promise<All>
  out(value: All, options?: CallOptions): Promise<{ text: string; list: All[] }>
  mixed(hash: string, trees: Map<Head, Tree>, options?: CallOptions): Promise<{ return: string; number: number; defaults: Defaults }>
  deep(value: Map<string, Shared>[][], options?: CallOptions): Promise<Map<string, Shared>[][]>
  reserved(function_: number, current_: string, class_: Color, options_: boolean, options?: CallOptions): Promise<Color>
}

const fastEvery: FastForms = {
  nothing: {
    writeArgs() {},
    readArgs: () => [],
    writeResult() {},
    readResult: () => undefined,
  },
  plain: {
    writeArgs(w, args) {
      w.writeInt(1, args[0] as number)
      w.writeString(2, args[1] as string)
    },
    readArgs: (r) => [r.readInt(1), r.readString(2)],
    writeResult(w, result) {
      w.writeInt(0, result as number)
    },
    readResult: (r) => r.readInt(0),
  },
  all: {
    writeArgs(w, args) {
      writeAll(w, 1, args[0] as All)
    },
    readArgs: (r) => [readAll(r, 1)],
    writeResult(w, result) {
      writeAll(w, 0, result as All)
    },
    readResult: (r) => readAll(r, 0),
  },
  out: {
    writeArgs(w, args) {
      writeAll(w, 2, args[0] as All)
    },
    readArgs: (r) => [readAll(r, 2)],
    writeResult(w, result) {
      const value = resultObject('out', result) as { text: string; list: All[] }
      w.writeString(1, value.text)
      writeVectorOfAll(w, 3, value.list)
    },
    readResult: (r) => ({
      text: r.readString(1),
      list: readVectorOfAll(r, 3),
    }),
  },
  mixed: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
      writeMapOfHeadTree(w, 3, args[1] as Map<Head, Tree>)
    },
    readArgs: (r) => [r.readString(1), readMapOfHeadTree(r, 3)],
    writeResult(w, result) {
      const value = resultObject('mixed', result) as { return: string; number: number; defaults: Defaults }
      w.writeString(0, value.return)
      w.writeInt(2, value.number)
      writeDefaults(w, 4, value.defaults)
    },
    readResult: (r) => ({
      return: r.readString(0),
      number: r.readInt(2),
      defaults: readDefaults(r, 4),
    }),
  },
  deep: {
    writeArgs(w, args) {
      writeVectorOfVectorOfMapOfStringShared(w, 1, args[0] as Map<string, Shared>[][])
    },
    readArgs: (r) => [readVectorOfVectorOfMapOfStringShared(r, 1)],
    writeResult(w, result) {
      writeVectorOfVectorOfMapOfStringShared(w, 0, result as Map<string, Shared>[][])
    },
    readResult: (r) => readVectorOfVectorOfMapOfStringShared(r, 0),
  },
  reserved: {
    writeArgs(w, args) {
      w.writeInt(1, args[0] as number)
      w.writeString(2, args[1] as string)
      w.writeInt(3, args[2] as Color)
      w.writeBool(4, args[3] as boolean)
    },
    readArgs: (r) => [r.readInt(1), r.readString(2), r.readInt(3) as Color, r.readBool(4)],
    writeResult(w, result) {
      w.writeInt(0, result as Color)
    },
    readResult: (r) => r.readInt(0) as Color,
  },
}

export const Every: Interface = defineInterface(everySchema, 'Every::Every', fastEvery)

/** What implements Second in a server. */
export interface SecondServant {
  ping(value: bigint, current: Current): Answer<bigint>
}

/** What a client calls Second with. */
export interface SecondProxy {
  ping(value: bigint, options?: CallOptions): Promise<bigint>
}

const fastSecond: FastForms = {
  ping: {
    writeArgs(w, args) {
      w.writeLong(1, args[0] as bigint)
    },
    readArgs: (r) => [r.readLong(1)],
    writeResult(w, result) {
      w.writeLong(0, result as bigint)
    },
    readResult: (r) => r.readLong(0),
  },
}

export const Second: Interface = defineInterface(everySchema, 'Every::Second', fastSecond)
