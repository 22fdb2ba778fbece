// Generated from EndpointF.tars by the Tars IDL generator; change that file and generate again.
import type { Reader } from '#tars/codec/reader.ts'
import { encodeFailure } from '#tars/codec/wire.ts'
import type { Writer } from '#tars/codec/writer.ts'
import type { Schema } from '#tars/idl/schema.ts'

/** One address of an object. */
export interface EndpointF {
  host: string
  port: number
  /** Milliseconds. */
  timeout: number
  /** 0 UDP, 1 TCP, 2 TLS. */
  istcp: number
  grid: number
  groupworkid: number
  grouprealid: number
  /** name.area.group */
  setId: string
  qos: number
  bakFlag: number
  weight: number
  /** 0 in turn, 1 by static weight, 2 by dynamic weight. */
  weightType: number
  authType: number
  nodeName: string
}

export function createEndpointF(given: Partial<EndpointF> = {}): EndpointF {
  return {
    host: given.host ?? '',
    port: given.port ?? 0,
    timeout: given.timeout ?? 0,
    istcp: given.istcp ?? 0,
    grid: given.grid ?? 0,
    groupworkid: given.groupworkid ?? 0,
    grouprealid: given.grouprealid ?? 0,
    setId: given.setId ?? '',
    qos: given.qos ?? 0,
    bakFlag: given.bakFlag ?? 0,
    weight: given.weight ?? 0,
    weightType: given.weightType ?? 0,
    authType: given.authType ?? 0,
    nodeName: given.nodeName ?? '',
  }
}

/** Equal for two values that are the same map key: those with the same key fields. */
export function keyOfEndpointF(value: EndpointF): string {
  return JSON.stringify([value.host, value.port, value.timeout, value.istcp, value.grid, value.qos, value.weight, value.weightType, value.authType])
}

export function writeEndpointF(w: Writer, tag: number, value: EndpointF): void {
  if (typeof value !== 'object' || value === null) throw encodeFailure('struct tars::EndpointF', tag, value)
  w.beginStruct(tag)
  w.writeString(0, value.host)
  w.writeInt(1, value.port)
  w.writeInt(2, value.timeout)
  w.writeInt(3, value.istcp)
  w.writeInt(4, value.grid)
  w.writeInt(5, value.groupworkid)
  w.writeInt(6, value.grouprealid)
  w.writeString(7, value.setId)
  w.writeInt(8, value.qos)
  w.writeInt(9, value.bakFlag)
  w.writeInt(11, value.weight)
  w.writeInt(12, value.weightType)
  w.writeInt(13, value.authType)
  w.writeString(14, value.nodeName)
  w.endStruct()
}

export function readEndpointF(r: Reader, tag: number, optional = false): EndpointF {
  if (!r.beginStruct(tag)) return optional ? createEndpointF() : r.missing(tag)
  const value = {
    host: r.readString(0),
    port: r.readInt(1),
    timeout: r.readInt(2),
    istcp: r.readInt(3),
    grid: r.readInt(4),
    groupworkid: r.readInt(5, 0),
    grouprealid: r.readInt(6, 0),
    setId: r.readString(7),
    qos: r.readInt(8, 0),
    bakFlag: r.readInt(9, 0),
    weight: r.readInt(11, 0),
    weightType: r.readInt(12, 0),
    authType: r.readInt(13, 0),
    nodeName: r.readString(14),
  }
  r.endStruct()
  return value
}

/** What the .tars file says, as data. */
export const EndpointFSchema: Schema = {
  structs: {
    'tars::EndpointF': { fields: [
      { tag: 0, name: 'host', required: true, type: 'string' },
      { tag: 1, name: 'port', required: true, type: 'int' },
      { tag: 2, name: 'timeout', required: true, type: 'int' },
      { tag: 3, name: 'istcp', required: true, type: 'int' },
      { tag: 4, name: 'grid', required: true, type: 'int' },
      { tag: 5, name: 'groupworkid', required: false, type: 'int' },
      { tag: 6, name: 'grouprealid', required: false, type: 'int' },
      { tag: 7, name: 'setId', required: false, type: 'string' },
      { tag: 8, name: 'qos', required: false, type: 'int' },
      { tag: 9, name: 'bakFlag', required: false, type: 'int' },
      { tag: 11, name: 'weight', required: false, type: 'int' },
      { tag: 12, name: 'weightType', required: false, type: 'int' },
      { tag: 13, name: 'authType', required: false, type: 'int' },
      { tag: 14, name: 'nodeName', required: false, type: 'string' },
    ], key: ['host', 'port', 'timeout', 'istcp', 'grid', 'qos', 'weight', 'weightType', 'authType'] },
  },
  enums: {},
  constants: {},
  interfaces: {},
}
