// Generated from included.tars by the Tars IDL generator; change that file and generate again.
import type { Reader } from '#tars/codec/reader.ts'
import { encodeFailure } from '#tars/codec/wire.ts'
import type { Writer } from '#tars/codec/writer.ts'
import type { Schema } from '#tars/idl/schema.ts'

export interface Shared {
  id: number
  name: string
}

export function createShared(given: Partial<Shared> = {}): Shared {
  return {
    id: given.id ?? 0,
    name: given.name ?? 'shared',
  }
}

export function writeShared(w: Writer, tag: number, value: Shared): void {
  if (typeof value !== 'object' || value === null) throw encodeFailure('struct Every::Shared', tag, value)
  w.beginStruct(tag)
  w.writeInt(0, value.id)
  w.writeString(1, value.name)
  w.endStruct()
}

export function readShared(r: Reader, tag: number, optional = false): Shared {
  if (!r.beginStruct(tag)) return optional ? createShared() : r.missing(tag)
  const value = {
    id: r.readInt(0),
    name: r.readString(1, 'shared'),
  }
  r.endStruct()
  return value
}

/** What the .tars file says, as data. */
export const includedSchema: Schema = {
  structs: {
    'Every::Shared': { fields: [
      { tag: 0, name: 'id', required: true, type: 'int' },
      { tag: 1, name: 'name', required: false, type: 'string', default: 'shared' },
    ] },
  },
  enums: {},
  constants: {},
  interfaces: {},
}
