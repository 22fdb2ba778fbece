// Generated from PropertyF.tars by the Tars IDL generator; change that file and generate again.
import type { CallOptions } from '#tars/client.ts'
import type { Reader } from '#tars/codec/reader.ts'
import { encodeFailure } from '#tars/codec/wire.ts'
import type { Writer } from '#tars/codec/writer.ts'
import type { Answer } from '#tars/idl/answer.ts'
import { listLength, mapSize } from '#tars/idl/checks.ts'
import { defineInterface, type FastForms, type Interface } from '#tars/idl/interface.ts'
import type { Schema } from '#tars/idl/schema.ts'
import type { Current } from '#tars/server.ts'

export interface StatPropMsgHead {
  moduleName: string
  ip: string
  propertyName: string
  setName: string
  setArea: string
  setID: string
  sContainer: string
  iPropertyVer: number
}

export function createStatPropMsgHead(given: Partial<StatPropMsgHead> = {}): StatPropMsgHead {
  return {
    moduleName: given.moduleName ?? '',
    ip: given.ip ?? '',
    propertyName: given.propertyName ?? '',
    setName: given.setName ?? '',
    setArea: given.setArea ?? '',
    setID: given.setID ?? '',
    sContainer: given.sContainer ?? '',
    iPropertyVer: given.iPropertyVer ?? 1,
  }
}

export function writeStatPropMsgHead(w: Writer, tag: number, value: StatPropMsgHead): void {
  if (typeof value !== 'object' || value === null) throw encodeFailure('struct tars::StatPropMsgHead', tag, value)
  w.beginStruct(tag)
  w.writeString(0, value.moduleName)
  w.writeString(1, value.ip)
  w.writeString(2, value.propertyName)
  w.writeString(3, value.setName)
  w.writeString(4, value.setArea)
  w.writeString(5, value.setID)
  w.writeString(6, value.sContainer)
  w.writeInt(7, value.iPropertyVer)
  w.endStruct()
}

export function readStatPropMsgHead(r: Reader, tag: number, optional = false): StatPropMsgHead {
  if (!r.beginStruct(tag)) return optional ? createStatPropMsgHead() : r.missing(tag)
  const value = {
    moduleName: r.readString(0),
    ip: r.readString(1),
    propertyName: r.readString(2),
    setName: r.readString(3),
    setArea: r.readString(4),
    setID: r.readString(5),
    sContainer: r.readString(6),
    iPropertyVer: r.readInt(7, 1),
  }
  r.endStruct()
  return value
}

export interface StatPropInfo {
  /** Count, Sum, Min, Max, Avg, Distr */
  policy: string
  value: string
}

export function createStatPropInfo(given: Partial<StatPropInfo> = {}): StatPropInfo {
  return {
    policy: given.policy ?? '',
    value: given.value ?? '',
  }
}

export function writeStatPropInfo(w: Writer, tag: number, value: StatPropInfo): void {
  if (typeof value !== 'object' || value === null) throw encodeFailure('struct tars::StatPropInfo', tag, value)
  w.beginStruct(tag)
  w.writeString(0, value.policy)
  w.writeString(1, value.value)
  w.endStruct()
}

export function readStatPropInfo(r: Reader, tag: number, optional = false): StatPropInfo {
  if (!r.beginStruct(tag)) return optional ? createStatPropInfo() : r.missing(tag)
  const value = {
    policy: r.readString(0),
    value: r.readString(1),
  }
  r.endStruct()
  return value
}

export interface StatPropMsgBody {
  vInfo: StatPropInfo[]
}

export function createStatPropMsgBody(given: Partial<StatPropMsgBody> = {}): StatPropMsgBody {
  return {
    vInfo: given.vInfo ?? [],
  }
}

export function writeStatPropMsgBody(w: Writer, tag: number, value: StatPropMsgBody): void {
  if (typeof value !== 'object' || value === null) throw encodeFailure('struct tars::StatPropMsgBody', tag, value)
  w.beginStruct(tag)
  writeVectorOfStatPropInfo(w, 0, value.vInfo)
  w.endStruct()
}

export function readStatPropMsgBody(r: Reader, tag: number, optional = false): StatPropMsgBody {
  if (!r.beginStruct(tag)) return optional ? createStatPropMsgBody() : r.missing(tag)
  const value = {
    vInfo: readVectorOfStatPropInfo(r, 0),
  }
  r.endStruct()
  return value
}

function writeVectorOfStatPropInfo(w: Writer, tag: number, value: StatPropInfo[]): void {
  w.beginList(tag, listLength(tag, value))
  for (const element of value) writeStatPropInfo(w, 0, element)
}

function readVectorOfStatPropInfo(r: Reader, tag: number): StatPropInfo[] {
  const out: StatPropInfo[] = []
  const count = r.beginList(tag)
  for (let i = 0; i < count; i++) out.push(readStatPropInfo(r, 0))
  return out
}

function writeMapOfStatPropMsgHeadStatPropMsgBody(w: Writer, tag: number, value: Map<StatPropMsgHead, StatPropMsgBody>): void {
  w.beginMap(tag, mapSize(tag, value))
  for (const [key, element] of value) {
    writeStatPropMsgHead(w, 0, key)
    writeStatPropMsgBody(w, 1, element)
  }
}

function readMapOfStatPropMsgHeadStatPropMsgBody(r: Reader, tag: number): Map<StatPropMsgHead, StatPropMsgBody> {
  const out: Map<StatPropMsgHead, StatPropMsgBody> = new Map()
  const count = r.beginMap(tag)
  for (let i = 0; i < count; i++) {
    const key = readStatPropMsgHead(r, 0)
    out.set(key, readStatPropMsgBody(r, 1))
  }
  return out
}

/** What the .tars file says, as data. */
export const PropertyFSchema: Schema = {
  structs: {
    'tars::StatPropMsgHead': { fields: [
      { tag: 0, name: 'moduleName', required: true, type: 'string' },
      { tag: 1, name: 'ip', required: true, type: 'string' },
      { tag: 2, name: 'propertyName', required: true, type: 'string' },
      { tag: 3, name: 'setName', required: false, type: 'string' },
      { tag: 4, name: 'setArea', required: false, type: 'string' },
      { tag: 5, name: 'setID', required: false, type: 'string' },
      { tag: 6, name: 'sContainer', required: false, type: 'string' },
      { tag: 7, name: 'iPropertyVer', required: false, type: 'int', default: 1 },
    ] },
    'tars::StatPropInfo': { fields: [
      { tag: 0, name: 'policy', required: true, type: 'string' },
      { tag: 1, name: 'value', required: true, type: 'string' },
    ] },
    'tars::StatPropMsgBody': { fields: [
      { tag: 0, name: 'vInfo', required: true, type: { vector: { struct: 'tars::StatPropInfo' } } },
    ] },
  },
  enums: {},
  constants: {},
  interfaces: {
    'tars::PropertyF': { functions: {
      reportPropMsg: { params: [{ name: 'statmsg', tag: 1, out: false, type: { map: [{ struct: 'tars::StatPropMsgHead' }, { struct: 'tars::StatPropMsgBody' }] } }], result: 'int' },
    } },
  },
}

/** What implements PropertyF in a server. */
export interface PropertyFServant {
  reportPropMsg(statmsg: Map<StatPropMsgHead, StatPropMsgBody>, current: Current): Answer<number>
}

/** What a client calls PropertyF with. */
export interface PropertyFProxy {
  reportPropMsg(statmsg: Map<StatPropMsgHead, StatPropMsgBody>, options?: CallOptions): Promise<number>
}

const fastPropertyF: FastForms = {
  reportPropMsg: {
    writeArgs(w, args) {
      writeMapOfStatPropMsgHeadStatPropMsgBody(w, 1, args[0] as Map<StatPropMsgHead, StatPropMsgBody>)
    },
    readArgs: (r) => [readMapOfStatPropMsgHeadStatPropMsgBody(r, 1)],
    writeResult(w, result) {
      w.writeInt(0, result as number)
    },
    readResult: (r) => r.readInt(0),
  },
}

export const PropertyF: Interface = defineInterface(PropertyFSchema, 'tars::PropertyF', fastPropertyF)
