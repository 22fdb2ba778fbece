// Generated from StatF.tars by the Tars IDL generator; change that file and generate again.
import type { CallOptions } from '#tars/client.ts'
import type { Reader } from '#tars/codec/reader.ts'
import { encodeFailure } from '#tars/codec/wire.ts'
import type { Writer } from '#tars/codec/writer.ts'
import type { Answer } from '#tars/idl/answer.ts'
import { listLength, mapSize } from '#tars/idl/checks.ts'
import { defineInterface, type FastForms, type Interface } from '#tars/idl/interface.ts'
import type { Schema } from '#tars/idl/schema.ts'
import type { Current } from '#tars/server.ts'

export interface StatMicMsgHead {
  /** App.Server, maybe with @version and the set. */
  masterName: string
  slaveName: string
  interfaceName: string
  masterIp: string
  slaveIp: string
  slavePort: number
  returnValue: number
  slaveSetName: string
  slaveSetArea: string
  slaveSetID: string
  tarsVersion: string
}

export function createStatMicMsgHead(given: Partial<StatMicMsgHead> = {}): StatMicMsgHead {
  return {
    masterName: given.masterName ?? '',
    slaveName: given.slaveName ?? '',
    interfaceName: given.interfaceName ?? '',
    masterIp: given.masterIp ?? '',
    slaveIp: given.slaveIp ?? '',
    slavePort: given.slavePort ?? 0,
    returnValue: given.returnValue ?? 0,
    slaveSetName: given.slaveSetName ?? '',
    slaveSetArea: given.slaveSetArea ?? '',
    slaveSetID: given.slaveSetID ?? '',
    tarsVersion: given.tarsVersion ?? '',
  }
}

export function writeStatMicMsgHead(w: Writer, tag: number, value: StatMicMsgHead): void {
  if (typeof value !== 'object' || value === null) throw encodeFailure('struct tars::StatMicMsgHead', tag, value)
  w.beginStruct(tag)
  w.writeString(0, value.masterName)
  w.writeString(1, value.slaveName)
  w.writeString(2, value.interfaceName)
  w.writeString(3, value.masterIp)
  w.writeString(4, value.slaveIp)
  w.writeInt(5, value.slavePort)
  w.writeInt(6, value.returnValue)
  w.writeString(7, value.slaveSetName)
  w.writeString(8, value.slaveSetArea)
  w.writeString(9, value.slaveSetID)
  w.writeString(10, value.tarsVersion)
  w.endStruct()
}

export function readStatMicMsgHead(r: Reader, tag: number, optional = false): StatMicMsgHead {
  if (!r.beginStruct(tag)) return optional ? createStatMicMsgHead() : r.missing(tag)
  const value = {
    masterName: r.readString(0),
    slaveName: r.readString(1),
    interfaceName: r.readString(2),
    masterIp: r.readString(3),
    slaveIp: r.readString(4),
    slavePort: r.readInt(5),
    returnValue: r.readInt(6),
    slaveSetName: r.readString(7),
    slaveSetArea: r.readString(8),
    slaveSetID: r.readString(9),
    tarsVersion: r.readString(10),
  }
  r.endStruct()
  return value
}

export interface StatMicMsgBody {
  count: number
  timeoutCount: number
  execCount: number
  /** By upper bound, milliseconds. */
  intervalCount: Map<number, number>
  /** Milliseconds. */
  totalRspTime: bigint
  maxRspTime: number
  minRspTime: number
}

export function createStatMicMsgBody(given: Partial<StatMicMsgBody> = {}): StatMicMsgBody {
  return {
    count: given.count ?? 0,
    timeoutCount: given.timeoutCount ?? 0,
    execCount: given.execCount ?? 0,
    intervalCount: given.intervalCount ?? new Map(),
    totalRspTime: given.totalRspTime ?? 0n,
    maxRspTime: given.maxRspTime ?? 0,
    minRspTime: given.minRspTime ?? 0,
  }
}

export function writeStatMicMsgBody(w: Writer, tag: number, value: StatMicMsgBody): void {
  if (typeof value !== 'object' || value === null) throw encodeFailure('struct tars::StatMicMsgBody', tag, value)
  w.beginStruct(tag)
  w.writeInt(0, value.count)
  w.writeInt(1, value.timeoutCount)
  w.writeInt(2, value.execCount)
  writeMapOfIntInt(w, 3, value.intervalCount)
  w.writeLong(4, value.totalRspTime)
  w.writeInt(5, value.maxRspTime)
  w.writeInt(6, value.minRspTime)
  w.endStruct()
}

export function readStatMicMsgBody(r: Reader, tag: number, optional = false): StatMicMsgBody {
  if (!r.beginStruct(tag)) return optional ? createStatMicMsgBody() : r.missing(tag)
  const value = {
    count: r.readInt(0),
    timeoutCount: r.readInt(1),
    execCount: r.readInt(2),
    intervalCount: readMapOfIntInt(r, 3),
    totalRspTime: r.readLong(4),
    maxRspTime: r.readInt(5),
    minRspTime: r.readInt(6),
  }
  r.endStruct()
  return value
}

export interface StatSampleMsg {
  unid: string
  masterName: string
  slaveName: string
  interfaceName: string
  masterIp: string
  slaveIp: string
  depth: number
  width: number
  parentWidth: number
}

export function createStatSampleMsg(given: Partial<StatSampleMsg> = {}): StatSampleMsg {
  return {
    unid: given.unid ?? '',
    masterName: given.masterName ?? '',
    slaveName: given.slaveName ?? '',
    interfaceName: given.interfaceName ?? '',
    masterIp: given.masterIp ?? '',
    slaveIp: given.slaveIp ?? '',
    depth: given.depth ?? 0,
    width: given.width ?? 0,
    parentWidth: given.parentWidth ?? 0,
  }
}

export function writeStatSampleMsg(w: Writer, tag: number, value: StatSampleMsg): void {
  if (typeof value !== 'object' || value === null) throw encodeFailure('struct tars::StatSampleMsg', tag, value)
  w.beginStruct(tag)
  w.writeString(0, value.unid)
  w.writeString(1, value.masterName)
  w.writeString(2, value.slaveName)
  w.writeString(3, value.interfaceName)
  w.writeString(4, value.masterIp)
  w.writeString(5, value.slaveIp)
  w.writeInt(6, value.depth)
  w.writeInt(7, value.width)
  w.writeInt(8, value.parentWidth)
  w.endStruct()
}

export function readStatSampleMsg(r: Reader, tag: number, optional = false): StatSampleMsg {
  if (!r.beginStruct(tag)) return optional ? createStatSampleMsg() : r.missing(tag)
  const value = {
    unid: r.readString(0),
    masterName: r.readString(1),
    slaveName: r.readString(2),
    interfaceName: r.readString(3),
    masterIp: r.readString(4),
    slaveIp: r.readString(5),
    depth: r.readInt(6),
    width: r.readInt(7),
    parentWidth: r.readInt(8),
  }
  r.endStruct()
  return value
}

function writeMapOfIntInt(w: Writer, tag: number, value: Map<number, number>): void {
  w.beginMap(tag, mapSize(tag, value))
  for (const [key, element] of value) {
    w.writeInt(0, key)
    w.writeInt(1, element)
  }
}

function readMapOfIntInt(r: Reader, tag: number): Map<number, number> {
  const out: Map<number, number> = new Map()
  const count = r.beginMap(tag)
  for (let i = 0; i < count; i++) {
    const key = r.readInt(0)
    out.set(key, r.readInt(1))
  }
  return out
}

function writeMapOfStatMicMsgHeadStatMicMsgBody(w: Writer, tag: number, value: Map<StatMicMsgHead, StatMicMsgBody>): void {
  w.beginMap(tag, mapSize(tag, value))
  for (const [key, element] of value) {
    writeStatMicMsgHead(w, 0, key)
    writeStatMicMsgBody(w, 1, element)
  }
}

function readMapOfStatMicMsgHeadStatMicMsgBody(r: Reader, tag: number): Map<StatMicMsgHead, StatMicMsgBody> {
  const out: Map<StatMicMsgHead, StatMicMsgBody> = new Map()
  const count = r.beginMap(tag)
  for (let i = 0; i < count; i++) {
    const key = readStatMicMsgHead(r, 0)
    out.set(key, readStatMicMsgBody(r, 1))
  }
  return out
}

function writeVectorOfStatSampleMsg(w: Writer, tag: number, value: StatSampleMsg[]): void {
  w.beginList(tag, listLength(tag, value))
  for (const element of value) writeStatSampleMsg(w, 0, element)
}

function readVectorOfStatSampleMsg(r: Reader, tag: number): StatSampleMsg[] {
  const out: StatSampleMsg[] = []
  const count = r.beginList(tag)
  for (let i = 0; i < count; i++) out.push(readStatSampleMsg(r, 0))
  return out
}

/** What the .tars file says, as data. */
export const StatFSchema: Schema = {
  structs: {
    'tars::StatMicMsgHead': { fields: [
      { tag: 0, name: 'masterName', required: true, type: 'string' },
      { tag: 1, name: 'slaveName', required: true, type: 'string' },
      { tag: 2, name: 'interfaceName', required: true, type: 'string' },
      { tag: 3, name: 'masterIp', required: true, type: 'string' },
      { tag: 4, name: 'slaveIp', required: true, type: 'string' },
      { tag: 5, name: 'slavePort', required: true, type: 'int' },
      { tag: 6, name: 'returnValue', required: true, type: 'int' },
      { tag: 7, name: 'slaveSetName', required: false, type: 'string' },
      { tag: 8, name: 'slaveSetArea', required: false, type: 'string' },
      { tag: 9, name: 'slaveSetID', required: false, type: 'string' },
      { tag: 10, name: 'tarsVersion', required: false, type: 'string' },
    ] },
    'tars::StatMicMsgBody': { fields: [
      { tag: 0, name: 'count', required: true, type: 'int' },
      { tag: 1, name: 'timeoutCount', required: true, type: 'int' },
      { tag: 2, name: 'execCount', required: true, type: 'int' },
      { tag: 3, name: 'intervalCount', required: true, type: { map: ['int', 'int'] } },
      { tag: 4, name: 'totalRspTime', required: true, type: 'long' },
      { tag: 5, name: 'maxRspTime', required: true, type: 'int' },
      { tag: 6, name: 'minRspTime', required: true, type: 'int' },
    ] },
    'tars::StatSampleMsg': { fields: [
      { tag: 0, name: 'unid', required: true, type: 'string' },
      { tag: 1, name: 'masterName', required: true, type: 'string' },
      { tag: 2, name: 'slaveName', required: true, type: 'string' },
      { tag: 3, name: 'interfaceName', required: true, type: 'string' },
      { tag: 4, name: 'masterIp', required: true, type: 'string' },
      { tag: 5, name: 'slaveIp', required: true, type: 'string' },
      { tag: 6, name: 'depth', required: true, type: 'int' },
      { tag: 7, name: 'width', required: true, type: 'int' },
      { tag: 8, name: 'parentWidth', required: true, type: 'int' },
    ] },
  },
  enums: {},
  constants: {},
  interfaces: {
    'tars::StatF': { functions: {
      reportMicMsg: { params: [{ name: 'msg', tag: 1, out: false, type: { map: [{ struct: 'tars::StatMicMsgHead' }, { struct: 'tars::StatMicMsgBody' }] } }, { name: 'bFromClient', tag: 2, out: false, type: 'bool' }], result: 'int' },
      reportSampleMsg: { params: [{ name: 'msg', tag: 1, out: false, type: { vector: { struct: 'tars::StatSampleMsg' } } }], result: 'int' },
    } },
  },
}

/** What implements StatF in a server. */
export interface StatFServant {
  reportMicMsg(msg: Map<StatMicMsgHead, StatMicMsgBody>, bFromClient: boolean, current: Current): Answer<number>
  reportSampleMsg(msg: StatSampleMsg[], current: Current): Answer<number>
}

/** What a client calls StatF with. */
export interface StatFProxy {
  reportMicMsg(msg: Map<StatMicMsgHead, StatMicMsgBody>, bFromClient: boolean, options?: CallOptions): Promise<number>
  reportSampleMsg(msg: StatSampleMsg[], options?: CallOptions): Promise<number>
}

const fastStatF: FastForms = {
  reportMicMsg: {
    writeArgs(w, args) {
      writeMapOfStatMicMsgHeadStatMicMsgBody(w, 1, args[0] as Map<StatMicMsgHead, StatMicMsgBody>)
      w.writeBool(2, args[1] as boolean)
    },
    readArgs: (r) => [readMapOfStatMicMsgHeadStatMicMsgBody(r, 1), r.readBool(2)],
    writeResult(w, result) {
      w.writeInt(0, result as number)
    },
    readResult: (r) => r.readInt(0),
  },
  reportSampleMsg: {
    writeArgs(w, args) {
      writeVectorOfStatSampleMsg(w, 1, args[0] as StatSampleMsg[])
    },
    readArgs: (r) => [readVectorOfStatSampleMsg(r, 1)],
    writeResult(w, result) {
      w.writeInt(0, result as number)
    },
    readResult: (r) => r.readInt(0),
  },
}

export const StatF: Interface = defineInterface(StatFSchema, 'tars::StatF', fastStatF)
