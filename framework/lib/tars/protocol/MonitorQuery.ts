// Generated from MonitorQuery.tars by the Tars IDL generator; change that file and generate again.
import type { CallOptions } from '#tars/client.ts'
import type { Reader } from '#tars/codec/reader.ts'
import { encodeFailure } from '#tars/codec/wire.ts'
import type { Writer } from '#tars/codec/writer.ts'
import type { Answer } from '#tars/idl/answer.ts'
import { listLength, mapSize, resultObject } from '#tars/idl/checks.ts'
import { defineInterface, type FastForms, type Interface } from '#tars/idl/interface.ts'
import type { Schema } from '#tars/idl/schema.ts'
import type { Current } from '#tars/server.ts'

export const MonitorOp = { EQ: 0, GT: 1, GTE: 2, LT: 3, LTE: 4, LIKE: 5 } as const
export type MonitorOp = (typeof MonitorOp)[keyof typeof MonitorOp]

export interface MonitorCondition {
  field: string
  op: MonitorOp
  val: string
}

export function createMonitorCondition(given: Partial<MonitorCondition> = {}): MonitorCondition {
  return {
    field: given.field ?? '',
    op: given.op ?? MonitorOp.EQ,
    val: given.val ?? '',
  }
}

export function writeMonitorCondition(w: Writer, tag: number, value: MonitorCondition): void {
  if (typeof value !== 'object' || value === null) throw encodeFailure('struct tars::MonitorCondition', tag, value)
  w.beginStruct(tag)
  w.writeString(0, value.field)
  w.writeInt(1, value.op)
  w.writeString(2, value.val)
  w.endStruct()
}

export function readMonitorCondition(r: Reader, tag: number, optional = false): MonitorCondition {
  if (!r.beginStruct(tag)) return optional ? createMonitorCondition() : r.missing(tag)
  const value = {
    field: r.readString(0),
    op: r.readInt(1) as MonitorOp,
    val: r.readString(2),
  }
  r.endStruct()
  return value
}

export interface MonitorQueryReq {
  uid: string
  method: string
  /** tars_stat or tars_property */
  dataid: string
  /** YYYYMMDD */
  date: string
  /** HHMM, the first and the last. */
  tflag1: string
  tflag2: string
  conditions: MonitorCondition[]
  indexs: string[]
  groupby: string[]
}

export function createMonitorQueryReq(given: Partial<MonitorQueryReq> = {}): MonitorQueryReq {
  return {
    uid: given.uid ?? '',
    method: given.method ?? 'query',
    dataid: given.dataid ?? '',
    date: given.date ?? '',
    tflag1: given.tflag1 ?? '',
    tflag2: given.tflag2 ?? '',
    conditions: given.conditions ?? [],
    indexs: given.indexs ?? [],
    groupby: given.groupby ?? [],
  }
}

export function writeMonitorQueryReq(w: Writer, tag: number, value: MonitorQueryReq): void {
  if (typeof value !== 'object' || value === null) throw encodeFailure('struct tars::MonitorQueryReq', tag, value)
  w.beginStruct(tag)
  w.writeString(0, value.uid)
  w.writeString(1, value.method)
  w.writeString(2, value.dataid)
  w.writeString(3, value.date)
  w.writeString(4, value.tflag1)
  w.writeString(5, value.tflag2)
  writeVectorOfMonitorCondition(w, 6, value.conditions)
  writeVectorOfString(w, 7, value.indexs)
  writeVectorOfString(w, 8, value.groupby)
  w.endStruct()
}

export function readMonitorQueryReq(r: Reader, tag: number, optional = false): MonitorQueryReq {
  if (!r.beginStruct(tag)) return optional ? createMonitorQueryReq() : r.missing(tag)
  const value = {
    uid: r.readString(0),
    method: r.readString(1, 'query'),
    dataid: r.readString(2),
    date: r.readString(3),
    tflag1: r.readString(4),
    tflag2: r.readString(5),
    conditions: readVectorOfMonitorCondition(r, 6),
    indexs: readVectorOfString(r, 7),
    groupby: readVectorOfString(r, 8),
  }
  r.endStruct()
  return value
}

export interface MonitorQueryRsp {
  ret: number
  msg: string
  /** YYYYMMDD HHMM */
  lastTime: string
  activeDb: number
  totalDb: number
  retThreads: number[]
  /** By the values of groupby, joined by commas: a number for each of indexs. */
  result: Map<string, number[]>
}

export function createMonitorQueryRsp(given: Partial<MonitorQueryRsp> = {}): MonitorQueryRsp {
  return {
    ret: given.ret ?? 0,
    msg: given.msg ?? '',
    lastTime: given.lastTime ?? '',
    activeDb: given.activeDb ?? 0,
    totalDb: given.totalDb ?? 0,
    retThreads: given.retThreads ?? [],
    result: given.result ?? new Map(),
  }
}

export function writeMonitorQueryRsp(w: Writer, tag: number, value: MonitorQueryRsp): void {
  if (typeof value !== 'object' || value === null) throw encodeFailure('struct tars::MonitorQueryRsp', tag, value)
  w.beginStruct(tag)
  w.writeInt(0, value.ret)
  w.writeString(1, value.msg)
  w.writeString(2, value.lastTime)
  w.writeInt(3, value.activeDb)
  w.writeInt(4, value.totalDb)
  writeVectorOfInt(w, 5, value.retThreads)
  writeMapOfStringVectorOfDouble(w, 6, value.result)
  w.endStruct()
}

export function readMonitorQueryRsp(r: Reader, tag: number, optional = false): MonitorQueryRsp {
  if (!r.beginStruct(tag)) return optional ? createMonitorQueryRsp() : r.missing(tag)
  const value = {
    ret: r.readInt(0),
    msg: r.readString(1),
    lastTime: r.readString(2),
    activeDb: r.readInt(3),
    totalDb: r.readInt(4),
    retThreads: readVectorOfInt(r, 5),
    result: readMapOfStringVectorOfDouble(r, 6),
  }
  r.endStruct()
  return value
}

function writeVectorOfMonitorCondition(w: Writer, tag: number, value: MonitorCondition[]): void {
  w.beginList(tag, listLength(tag, value))
  for (const element of value) writeMonitorCondition(w, 0, element)
}

function readVectorOfMonitorCondition(r: Reader, tag: number): MonitorCondition[] {
  const out: MonitorCondition[] = []
  const count = r.beginList(tag)
  for (let i = 0; i < count; i++) out.push(readMonitorCondition(r, 0))
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

function writeVectorOfInt(w: Writer, tag: number, value: number[]): void {
  w.beginList(tag, listLength(tag, value))
  for (const element of value) w.writeInt(0, element)
}

function readVectorOfInt(r: Reader, tag: number): number[] {
  const out: number[] = []
  const count = r.beginList(tag)
  for (let i = 0; i < count; i++) out.push(r.readInt(0))
  return out
}

function writeVectorOfDouble(w: Writer, tag: number, value: number[]): void {
  w.beginList(tag, listLength(tag, value))
  for (const element of value) w.writeDouble(0, element)
}

function readVectorOfDouble(r: Reader, tag: number): number[] {
  const out: number[] = []
  const count = r.beginList(tag)
  for (let i = 0; i < count; i++) out.push(r.readDouble(0))
  return out
}

function writeMapOfStringVectorOfDouble(w: Writer, tag: number, value: Map<string, number[]>): void {
  w.beginMap(tag, mapSize(tag, value))
  for (const [key, element] of value) {
    w.writeString(0, key)
    writeVectorOfDouble(w, 1, element)
  }
}

function readMapOfStringVectorOfDouble(r: Reader, tag: number): Map<string, number[]> {
  const out: Map<string, number[]> = new Map()
  const count = r.beginMap(tag)
  for (let i = 0; i < count; i++) {
    r.expect(0)
    const key = r.readString(0)
    r.expect(1)
    out.set(key, readVectorOfDouble(r, 1))
  }
  return out
}

/** What the .tars file says, as data. */
export const MonitorQuerySchema: Schema = {
  structs: {
    'tars::MonitorCondition': { fields: [
      { tag: 0, name: 'field', required: true, type: 'string' },
      { tag: 1, name: 'op', required: true, type: { enum: 'tars::MonitorOp' } },
      { tag: 2, name: 'val', required: true, type: 'string' },
    ] },
    'tars::MonitorQueryReq': { fields: [
      { tag: 0, name: 'uid', required: true, type: 'string' },
      { tag: 1, name: 'method', required: true, type: 'string', default: 'query' },
      { tag: 2, name: 'dataid', required: true, type: 'string' },
      { tag: 3, name: 'date', required: true, type: 'string' },
      { tag: 4, name: 'tflag1', required: true, type: 'string' },
      { tag: 5, name: 'tflag2', required: true, type: 'string' },
      { tag: 6, name: 'conditions', required: true, type: { vector: { struct: 'tars::MonitorCondition' } } },
      { tag: 7, name: 'indexs', required: true, type: { vector: 'string' } },
      { tag: 8, name: 'groupby', required: true, type: { vector: 'string' } },
    ] },
    'tars::MonitorQueryRsp': { fields: [
      { tag: 0, name: 'ret', required: true, type: 'int' },
      { tag: 1, name: 'msg', required: false, type: 'string' },
      { tag: 2, name: 'lastTime', required: true, type: 'string' },
      { tag: 3, name: 'activeDb', required: true, type: 'int' },
      { tag: 4, name: 'totalDb', required: true, type: 'int' },
      { tag: 5, name: 'retThreads', required: true, type: { vector: 'int' } },
      { tag: 6, name: 'result', required: false, type: { map: ['string', { vector: 'double' }] } },
    ] },
  },
  enums: {
    'tars::MonitorOp': { members: { EQ: 0, GT: 1, GTE: 2, LT: 3, LTE: 4, LIKE: 5 } },
  },
  constants: {},
  interfaces: {
    'tars::MonitorQuery': { functions: {
      query: { params: [{ name: 'req', tag: 1, out: false, type: { struct: 'tars::MonitorQueryReq' } }, { name: 'rsp', tag: 2, out: true, type: { struct: 'tars::MonitorQueryRsp' } }], result: 'int' },
    } },
  },
}

/** What implements MonitorQuery in a server. */
export interface MonitorQueryServant {
  query(req: MonitorQueryReq, current: Current): Answer<{ return: number; rsp: MonitorQueryRsp }>
}

/** What a client calls MonitorQuery with. */
export interface MonitorQueryProxy {
  query(req: MonitorQueryReq, options?: CallOptions): Promise<{ return: number; rsp: MonitorQueryRsp }>
}

const fastMonitorQuery: FastForms = {
  query: {
    writeArgs(w, args) {
      writeMonitorQueryReq(w, 1, args[0] as MonitorQueryReq)
    },
    readArgs: (r) => [readMonitorQueryReq(r, 1)],
    writeResult(w, result) {
      const value = resultObject('query', result) as { return: number; rsp: MonitorQueryRsp }
      w.writeInt(0, value.return)
      writeMonitorQueryRsp(w, 2, value.rsp)
    },
    readResult: (r) => ({
      return: r.readInt(0),
      rsp: readMonitorQueryRsp(r, 2),
    }),
  },
}

export const MonitorQuery: Interface = defineInterface(MonitorQuerySchema, 'tars::MonitorQuery', fastMonitorQuery)
