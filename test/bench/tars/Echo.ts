// Generated from Echo.tars by the Tars IDL generator; change that file and generate again.
import type { CallOptions } from '#tars/client.ts'
import type { Reader } from '#tars/codec/reader.ts'
import { encodeFailure } from '#tars/codec/wire.ts'
import type { Writer } from '#tars/codec/writer.ts'
import type { Answer } from '#tars/idl/answer.ts'
import { listLength } from '#tars/idl/checks.ts'
import { defineInterface, type FastForms, type Interface } from '#tars/idl/interface.ts'
import type { Schema } from '#tars/idl/schema.ts'
import type { Current } from '#tars/server.ts'

export interface Item {
  id: number
  name: string
  on: boolean
  small: number
  big: bigint
  rate: number
  part: number
  tiny: number
  tags: string[]
}

export function createItem(given: Partial<Item> = {}): Item {
  return {
    id: given.id ?? 0,
    name: given.name ?? '',
    on: given.on ?? false,
    small: given.small ?? 0,
    big: given.big ?? 0n,
    rate: given.rate ?? 0,
    part: given.part ?? 0,
    tiny: given.tiny ?? 0,
    tags: given.tags ?? [],
  }
}

export function writeItem(w: Writer, tag: number, value: Item): void {
  if (typeof value !== 'object' || value === null) throw encodeFailure('struct sample::Item', tag, value)
  w.beginStruct(tag)
  w.writeInt(0, value.id)
  w.writeString(1, value.name)
  w.writeBool(2, value.on)
  w.writeShort(3, value.small)
  w.writeLong(4, value.big)
  w.writeDouble(5, value.rate)
  w.writeFloat(6, value.part)
  w.writeByte(7, value.tiny)
  writeVectorOfString(w, 8, value.tags)
  w.endStruct()
}

export function readItem(r: Reader, tag: number, optional = false): Item {
  if (!r.beginStruct(tag)) return optional ? createItem() : r.missing(tag)
  const value = {
    id: r.readInt(0),
    name: r.readString(1),
    on: r.readBool(2),
    small: r.readShort(3),
    big: r.readLong(4),
    rate: r.readDouble(5),
    part: r.readFloat(6),
    tiny: r.readByte(7),
    tags: readVectorOfString(r, 8),
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

function writeVectorOfItem(w: Writer, tag: number, value: Item[]): void {
  w.beginList(tag, listLength(tag, value))
  for (const element of value) writeItem(w, 0, element)
}

function readVectorOfItem(r: Reader, tag: number): Item[] {
  const out: Item[] = []
  const count = r.beginList(tag)
  for (let i = 0; i < count; i++) out.push(readItem(r, 0))
  return out
}

/** What the .tars file says, as data. */
export const EchoSchema: Schema = {
  structs: {
    'sample::Item': { fields: [
      { tag: 0, name: 'id', required: true, type: 'int' },
      { tag: 1, name: 'name', required: true, type: 'string' },
      { tag: 2, name: 'on', required: true, type: 'bool' },
      { tag: 3, name: 'small', required: true, type: 'short' },
      { tag: 4, name: 'big', required: true, type: 'long' },
      { tag: 5, name: 'rate', required: true, type: 'double' },
      { tag: 6, name: 'part', required: true, type: 'float' },
      { tag: 7, name: 'tiny', required: true, type: 'byte' },
      { tag: 8, name: 'tags', required: false, type: { vector: 'string' } },
    ] },
  },
  enums: {},
  constants: {},
  interfaces: {
    'sample::Echo': { functions: {
      text: { params: [{ name: 'value', tag: 1, out: false, type: 'string' }], result: 'string' },
      items: { params: [{ name: 'list', tag: 1, out: false, type: { vector: { struct: 'sample::Item' } } }], result: { vector: { struct: 'sample::Item' } } },
    } },
  },
}

/** What implements Echo in a server. */
export interface EchoServant {
  text(value: string, current: Current): Answer<string>
  items(list: Item[], current: Current): Answer<Item[]>
}

/** What a client calls Echo with. */
export interface EchoProxy {
  text(value: string, options?: CallOptions): Promise<string>
  items(list: Item[], options?: CallOptions): Promise<Item[]>
}

const fastEcho: FastForms = {
  text: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
    },
    readArgs: (r) => [r.readString(1)],
    writeResult(w, result) {
      w.writeString(0, result as string)
    },
    readResult: (r) => r.readString(0),
  },
  items: {
    writeArgs(w, args) {
      writeVectorOfItem(w, 1, args[0] as Item[])
    },
    readArgs: (r) => [readVectorOfItem(r, 1)],
    writeResult(w, result) {
      writeVectorOfItem(w, 0, result as Item[])
    },
    readResult: (r) => readVectorOfItem(r, 0),
  },
}

export const Echo: Interface = defineInterface(EchoSchema, 'sample::Echo', fastEcho)
