// The codec of Tars.js as a peer: values in our form are taken to its form and back.
import stream from '@tars/stream'
import type { StructDef, Type } from '#tars/idl/schema.ts'
import { schema } from './cases.ts'

/* eslint-disable-next-line typescript/no-explicit-any -- its types describe neither the stream methods nor the prototypes */
const tars = stream as any

interface Proto {
  readonly proto: unknown
  to(value: never): unknown
  from(value: never): unknown
}

const same = (name: string): Proto => ({ proto: tars[name], to: (value) => value, from: (value) => value })

// Its 64-bit integers travel as decimal text so that none is rounded.
const long: Proto = {
  proto: {
    _write: (os: { writeInt64: (tag: number, value: string, text: boolean) => void }, tag: number, value: string) => os.writeInt64(tag, value, true),
    _read: (is: { readInt64: (tag: number, required: boolean, fallback: unknown, text: boolean) => unknown }, tag: number) => is.readInt64(tag, true, '0', true),
    _classname: 'int64',
  },
  to: (value) => String(value),
  from: (value) => BigInt(value),
}

const scalars: Readonly<Record<string, Proto>> = {
  bool: same('Boolean'), byte: same('Int8'), short: same('Int16'), int: same('Int32'), long,
  ubyte: same('UInt8'), ushort: same('UInt16'), uint: same('UInt32'), float: same('Float'), double: same('Double'), string: same('String'),
  bytes: { proto: tars.BinBuffer, to: (value) => new tars.BinBuffer(Buffer.from(value)), from: (value: { toNodeBuffer: () => Buffer }) => value.toNodeBuffer() },
}

function protoOf(type: Type): Proto {
  if (typeof type === 'string') return scalars[type] as Proto
  if ('bytes' in type) return scalars['bytes'] as Proto
  if ('vector' in type) return listProto(protoOf(type.vector))
  if ('map' in type) return mapProto(protoOf(type.map[0]), protoOf(type.map[1]))
  if ('enum' in type) return same('Enum')
  return structProto(schema.structs[type.struct] as StructDef)
}

function listProto(of: Proto): Proto {
  const proto = tars.List(of.proto)
  return {
    proto,
    to(value: unknown[]) {
      const list = tars.List(of.proto)
      for (const element of value) list.push(of.to(element as never))
      return list
    },
    from: (value: { value: unknown[] }) => value.value.map((element) => of.from(element as never)),
  }
}

function mapProto(key: Proto, value: Proto): Proto {
  const isNumber = key.proto === tars.Int32
  return {
    proto: tars.Map(key.proto, value.proto),
    to(map: Map<unknown, unknown>) {
      const out = tars.Map(key.proto, value.proto)
      for (const [k, v] of map) out.insert(key.to(k as never), value.to(v as never))
      return out
    },
    from: (map: { value: Record<string, unknown> }) => new Map(Object.entries(map.value).map(([k, v]) => [isNumber ? Number(k) : k, value.from(v as never)])),
  }
}

function structProto(def: StructDef): Proto {
  const fields = def.fields.map((field) => ({ ...field, peer: protoOf(field.type) }))
  class Struct {
    values: Record<string, unknown> = {}
    static readonly _classname = 'struct'
    static _write(os: { writeStruct: (tag: number, value: unknown) => void }, tag: number, value: unknown): void {
      os.writeStruct(tag, value)
    }
    static _read(is: { readStruct: (tag: number, required: boolean, type: unknown) => unknown }, tag: number): unknown {
      return is.readStruct(tag, true, Struct)
    }
    static _readFrom(is: unknown): Struct {
      const struct = new Struct()
      for (const field of fields) struct.values[field.name] = field.peer.from((field.peer.proto as { _read: (...args: unknown[]) => never })._read(is, field.tag, field.peer.proto))
      return struct
    }
    _writeTo(os: unknown): void {
      for (const field of fields) (field.peer.proto as { _write: (...args: unknown[]) => void })._write(os, field.tag, field.peer.to(this.values[field.name] as never))
    }
  }
  return {
    proto: Struct,
    to(value: Record<string, unknown>) {
      return Object.assign(new Struct(), { values: value })
    },
    from: (value: Struct) => value.values,
  }
}

/** The field as @tars/stream writes it. */
export function streamEncode(type: Type, tag: number, value: unknown): Buffer {
  const peer = protoOf(type)
  const os = new tars.TarsOutputStream()
  ;(peer.proto as { _write: (...args: unknown[]) => void })._write(os, tag, peer.to(value as never))
  return os.getBinBuffer().toNodeBuffer()
}

/** The value as @tars/stream reads it. */
export function streamDecode(type: Type, tag: number, bytes: Buffer): unknown {
  const peer = protoOf(type)
  const is = new tars.TarsInputStream(new tars.BinBuffer(bytes))
  return peer.from((peer.proto as { _read: (...args: unknown[]) => never })._read(is, tag, peer.proto))
}
