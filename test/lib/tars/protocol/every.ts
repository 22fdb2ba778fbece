// Generated from every.tars by the Tars IDL generator; change that file and generate again.
import type { CallOptions } from '#tars/client.ts'
import type { Reader } from '#tars/codec/reader.ts'
import { encodeFailure } from '#tars/codec/wire.ts'
import type { Writer } from '#tars/codec/writer.ts'
import type { Answer } from '#tars/idl/answer.ts'
import { listLength, mapSize, resultObject } from '#tars/idl/checks.ts'
import { defineInterface, type FastForms, type Interface } from '#tars/idl/interface.ts'
import type { Schema } from '#tars/idl/schema.ts'
import type { Current } from '#tars/server.ts'
import { Color, readAll, writeAll, type All, allSchema } from './all.ts'
export * from './all.ts'
import { createShared, readShared, writeShared, type Shared, includedSchema } from './included.ts'
export * from './included.ts'

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
    ...allSchema.structs,
    ...includedSchema.structs,
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
    ...allSchema.enums,
    ...includedSchema.enums,
  },
  constants: {
    ...allSchema.constants,
    ...includedSchema.constants,
  },
  interfaces: {
    ...allSchema.interfaces,
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
