import type { Reader } from '../codec/reader.ts'
import type { Writer } from '../codec/writer.ts'
import { limited, listLength, mapSize } from './checks.ts'
import type { Scalar } from './schema.ts'
import { zeroOf } from './schema.ts'

/** How a value of one type is written and read, built from the schema at run time. */
export interface ValueCodec {
  write(w: Writer, tag: number, value: unknown): void
  /** @param fallback for an absent field; undefined means that the field is required */
  read(r: Reader, tag: number, fallback?: unknown): unknown
  /** A new value of the type when nothing gives one. */
  empty(): unknown
}

type Read = (r: Reader, tag: number, fallback?: unknown) => unknown
type Write = (w: Writer, tag: number, value: unknown) => void

const scalarWrites = {
  bool: (w, tag, value) => w.writeBool(tag, value as boolean),
  byte: (w, tag, value) => w.writeByte(tag, value as number),
  short: (w, tag, value) => w.writeShort(tag, value as number),
  int: (w, tag, value) => w.writeInt(tag, value as number),
  long: (w, tag, value) => w.writeLong(tag, value as bigint),
  ubyte: (w, tag, value) => w.writeUByte(tag, value as number),
  ushort: (w, tag, value) => w.writeUShort(tag, value as number),
  uint: (w, tag, value) => w.writeUInt(tag, value as number),
  float: (w, tag, value) => w.writeFloat(tag, value as number),
  double: (w, tag, value) => w.writeDouble(tag, value as number),
  string: (w, tag, value) => w.writeString(tag, value as string),
  bytes: (w, tag, value) => w.writeBytes(tag, value as Buffer),
} as const satisfies Record<Scalar, Write>

const scalarReads = {
  bool: (r, tag, fallback) => r.readBool(tag, fallback as boolean | undefined),
  byte: (r, tag, fallback) => r.readByte(tag, fallback as number | undefined),
  short: (r, tag, fallback) => r.readShort(tag, fallback as number | undefined),
  int: (r, tag, fallback) => r.readInt(tag, fallback as number | undefined),
  long: (r, tag, fallback) => r.readLong(tag, fallback as bigint | undefined),
  ubyte: (r, tag, fallback) => r.readUByte(tag, fallback as number | undefined),
  ushort: (r, tag, fallback) => r.readUShort(tag, fallback as number | undefined),
  uint: (r, tag, fallback) => r.readUInt(tag, fallback as number | undefined),
  float: (r, tag, fallback) => r.readFloat(tag, fallback as number | undefined),
  double: (r, tag, fallback) => r.readDouble(tag, fallback as number | undefined),
  string: (r, tag, fallback) => r.readString(tag, fallback as string | undefined),
  bytes: (r, tag, fallback) => r.readBytes(tag, fallback as Buffer | undefined),
} as const satisfies Record<Scalar, Read>

export function scalarCodec(type: Scalar): ValueCodec {
  return { write: scalarWrites[type], read: scalarReads[type], empty: type === 'bytes' ? () => Buffer.alloc(0) : () => zeroOf(type) }
}

/** A byte array field of at most `limit` bytes. */
export function limitedBytesCodec(limit: number): ValueCodec {
  return {
    write(w, tag, value) {
      w.writeBytes(tag, limited(tag, value as Buffer, limit))
    },
    read: (r, tag, fallback) => r.limited(tag, r.readBytes(tag, fallback as Buffer | undefined), limit),
    empty: () => Buffer.alloc(0),
  }
}

/** An absent vector is empty, also when required: TarsJava leaves null ones out. */
export function vectorCodec(of: ValueCodec, limit: number | undefined): ValueCodec {
  return {
    write(w, tag, value) {
      const list = limit === undefined ? value as unknown[] : limited(tag, value as unknown[], limit)
      w.beginList(tag, listLength(tag, list))
      for (const element of list) of.write(w, 0, element)
    },
    read(r, tag) {
      const count = r.beginList(tag)
      const out: unknown[] = []
      for (let i = 0; i < count; i++) {
        r.expect(0)
        out.push(of.read(r, 0))
      }
      return limit === undefined ? out : r.limited(tag, out, limit)
    },
    empty: () => [],
  }
}

/** As a vector: absent is empty. Of entries with the same key the last counts. */
export function mapCodec(key: ValueCodec, value: ValueCodec): ValueCodec {
  return {
    write(w, tag, map) {
      w.beginMap(tag, mapSize(tag, map as Map<unknown, unknown>))
      for (const [k, v] of map as Map<unknown, unknown>) {
        key.write(w, 0, k)
        value.write(w, 1, v)
      }
    },
    read(r, tag) {
      const count = r.beginMap(tag)
      const out = new Map<unknown, unknown>()
      for (let i = 0; i < count; i++) {
        r.expect(0)
        const k = key.read(r, 0)
        r.expect(1)
        out.set(k, value.read(r, 1))
      }
      return out
    },
    empty: () => new Map(),
  }
}
