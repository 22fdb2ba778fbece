// Generated from NotifyF.tars by the Tars IDL generator; change that file and generate again.
import type { CallOptions } from '#tars/client.ts'
import type { Reader } from '#tars/codec/reader.ts'
import { encodeFailure } from '#tars/codec/wire.ts'
import type { Writer } from '#tars/codec/writer.ts'
import type { Answer } from '#tars/idl/answer.ts'
import { listLength, resultObject } from '#tars/idl/checks.ts'
import { defineInterface, type FastForms, type Interface } from '#tars/idl/interface.ts'
import type { Schema } from '#tars/idl/schema.ts'
import type { Current } from '#tars/server.ts'

export const NOTIFYLEVEL = { NOTIFYNORMAL: 0, NOTIFYWARN: 1, NOTIFYERROR: 2 } as const
export type NOTIFYLEVEL = (typeof NOTIFYLEVEL)[keyof typeof NOTIFYLEVEL]

export const ReportType = { REPORT: 0, NOTIFY: 1 } as const
export type ReportType = (typeof ReportType)[keyof typeof ReportType]

export interface NotifyKey {
  /** App.Server */
  name: string
  ip: string
  page: number
}

export function createNotifyKey(given: Partial<NotifyKey> = {}): NotifyKey {
  return {
    name: given.name ?? '',
    ip: given.ip ?? '',
    page: given.page ?? 0,
  }
}

export function writeNotifyKey(w: Writer, tag: number, value: NotifyKey): void {
  if (typeof value !== 'object' || value === null) throw encodeFailure('struct tars::NotifyKey', tag, value)
  w.beginStruct(tag)
  w.writeString(1, value.name)
  w.writeString(2, value.ip)
  w.writeInt(3, value.page)
  w.endStruct()
}

export function readNotifyKey(r: Reader, tag: number, optional = false): NotifyKey {
  if (!r.beginStruct(tag)) return optional ? createNotifyKey() : r.missing(tag)
  const value = {
    name: r.readString(1),
    ip: r.readString(2),
    page: r.readInt(3),
  }
  r.endStruct()
  return value
}

export interface NotifyItem {
  sTimeStamp: string
  sServerId: string
  iLevel: number
  sMessage: string
}

export function createNotifyItem(given: Partial<NotifyItem> = {}): NotifyItem {
  return {
    sTimeStamp: given.sTimeStamp ?? '',
    sServerId: given.sServerId ?? '',
    iLevel: given.iLevel ?? 0,
    sMessage: given.sMessage ?? '',
  }
}

export function writeNotifyItem(w: Writer, tag: number, value: NotifyItem): void {
  if (typeof value !== 'object' || value === null) throw encodeFailure('struct tars::NotifyItem', tag, value)
  w.beginStruct(tag)
  w.writeString(1, value.sTimeStamp)
  w.writeString(2, value.sServerId)
  w.writeInt(3, value.iLevel)
  w.writeString(4, value.sMessage)
  w.endStruct()
}

export function readNotifyItem(r: Reader, tag: number, optional = false): NotifyItem {
  if (!r.beginStruct(tag)) return optional ? createNotifyItem() : r.missing(tag)
  const value = {
    sTimeStamp: r.readString(1),
    sServerId: r.readString(2),
    iLevel: r.readInt(3),
    sMessage: r.readString(4),
  }
  r.endStruct()
  return value
}

export interface NotifyInfo {
  nextpage: number
  notifyItems: NotifyItem[]
}

export function createNotifyInfo(given: Partial<NotifyInfo> = {}): NotifyInfo {
  return {
    nextpage: given.nextpage ?? 0,
    notifyItems: given.notifyItems ?? [],
  }
}

export function writeNotifyInfo(w: Writer, tag: number, value: NotifyInfo): void {
  if (typeof value !== 'object' || value === null) throw encodeFailure('struct tars::NotifyInfo', tag, value)
  w.beginStruct(tag)
  w.writeInt(1, value.nextpage)
  writeVectorOfNotifyItem(w, 2, value.notifyItems)
  w.endStruct()
}

export function readNotifyInfo(r: Reader, tag: number, optional = false): NotifyInfo {
  if (!r.beginStruct(tag)) return optional ? createNotifyInfo() : r.missing(tag)
  const value = {
    nextpage: r.readInt(1),
    notifyItems: readVectorOfNotifyItem(r, 2),
  }
  r.endStruct()
  return value
}

export interface ReportInfo {
  eType: ReportType
  sApp: string
  sSet: string
  sContainer: string
  sServer: string
  sMessage: string
  sThreadId: string
  eLevel: NOTIFYLEVEL
  sNodeName: string
}

export function createReportInfo(given: Partial<ReportInfo> = {}): ReportInfo {
  return {
    eType: given.eType ?? ReportType.REPORT,
    sApp: given.sApp ?? '',
    sSet: given.sSet ?? '',
    sContainer: given.sContainer ?? '',
    sServer: given.sServer ?? '',
    sMessage: given.sMessage ?? '',
    sThreadId: given.sThreadId ?? '',
    eLevel: given.eLevel ?? NOTIFYLEVEL.NOTIFYNORMAL,
    sNodeName: given.sNodeName ?? '',
  }
}

export function writeReportInfo(w: Writer, tag: number, value: ReportInfo): void {
  if (typeof value !== 'object' || value === null) throw encodeFailure('struct tars::ReportInfo', tag, value)
  w.beginStruct(tag)
  w.writeInt(1, value.eType)
  w.writeString(2, value.sApp)
  w.writeString(3, value.sSet)
  w.writeString(4, value.sContainer)
  w.writeString(5, value.sServer)
  w.writeString(6, value.sMessage)
  w.writeString(7, value.sThreadId)
  w.writeInt(8, value.eLevel)
  w.writeString(9, value.sNodeName)
  w.endStruct()
}

export function readReportInfo(r: Reader, tag: number, optional = false): ReportInfo {
  if (!r.beginStruct(tag)) return optional ? createReportInfo() : r.missing(tag)
  const value = {
    eType: r.readInt(1) as ReportType,
    sApp: r.readString(2),
    sSet: r.readString(3),
    sContainer: r.readString(4),
    sServer: r.readString(5),
    sMessage: r.readString(6),
    sThreadId: r.readString(7),
    eLevel: r.readInt(8, NOTIFYLEVEL.NOTIFYNORMAL) as NOTIFYLEVEL,
    sNodeName: r.readString(9),
  }
  r.endStruct()
  return value
}

function writeVectorOfNotifyItem(w: Writer, tag: number, value: NotifyItem[]): void {
  w.beginList(tag, listLength(tag, value))
  for (const element of value) writeNotifyItem(w, 0, element)
}

function readVectorOfNotifyItem(r: Reader, tag: number): NotifyItem[] {
  const out: NotifyItem[] = []
  const count = r.beginList(tag)
  for (let i = 0; i < count; i++) out.push(readNotifyItem(r, 0))
  return out
}

/** What the .tars file says, as data. */
export const NotifyFSchema: Schema = {
  structs: {
    'tars::NotifyKey': { fields: [
      { tag: 1, name: 'name', required: true, type: 'string' },
      { tag: 2, name: 'ip', required: true, type: 'string' },
      { tag: 3, name: 'page', required: true, type: 'int' },
    ] },
    'tars::NotifyItem': { fields: [
      { tag: 1, name: 'sTimeStamp', required: true, type: 'string' },
      { tag: 2, name: 'sServerId', required: true, type: 'string' },
      { tag: 3, name: 'iLevel', required: true, type: 'int' },
      { tag: 4, name: 'sMessage', required: true, type: 'string' },
    ] },
    'tars::NotifyInfo': { fields: [
      { tag: 1, name: 'nextpage', required: true, type: 'int' },
      { tag: 2, name: 'notifyItems', required: true, type: { vector: { struct: 'tars::NotifyItem' } } },
    ] },
    'tars::ReportInfo': { fields: [
      { tag: 1, name: 'eType', required: true, type: { enum: 'tars::ReportType' } },
      { tag: 2, name: 'sApp', required: true, type: 'string' },
      { tag: 3, name: 'sSet', required: true, type: 'string' },
      { tag: 4, name: 'sContainer', required: true, type: 'string' },
      { tag: 5, name: 'sServer', required: true, type: 'string' },
      { tag: 6, name: 'sMessage', required: true, type: 'string' },
      { tag: 7, name: 'sThreadId', required: false, type: 'string' },
      { tag: 8, name: 'eLevel', required: false, type: { enum: 'tars::NOTIFYLEVEL' } },
      { tag: 9, name: 'sNodeName', required: false, type: 'string' },
    ] },
  },
  enums: {
    'tars::NOTIFYLEVEL': { members: { NOTIFYNORMAL: 0, NOTIFYWARN: 1, NOTIFYERROR: 2 } },
    'tars::ReportType': { members: { REPORT: 0, NOTIFY: 1 } },
  },
  constants: {},
  interfaces: {
    'tars::Notify': { functions: {
      reportServer: { params: [{ name: 'sServerName', tag: 1, out: false, type: 'string' }, { name: 'sThreadId', tag: 2, out: false, type: 'string' }, { name: 'sMessage', tag: 3, out: false, type: 'string' }], result: null },
      notifyServer: { params: [{ name: 'sServerName', tag: 1, out: false, type: 'string' }, { name: 'level', tag: 2, out: false, type: { enum: 'tars::NOTIFYLEVEL' } }, { name: 'sMessage', tag: 3, out: false, type: 'string' }], result: null },
      getNotifyInfo: { params: [{ name: 'stKey', tag: 1, out: false, type: { struct: 'tars::NotifyKey' } }, { name: 'stInfo', tag: 2, out: true, type: { struct: 'tars::NotifyInfo' } }], result: 'int' },
      reportNotifyInfo: { params: [{ name: 'info', tag: 1, out: false, type: { struct: 'tars::ReportInfo' } }], result: null },
    } },
  },
}

/** What implements Notify in a server. */
export interface NotifyServant {
  reportServer(sServerName: string, sThreadId: string, sMessage: string, current: Current): Answer<void>
  notifyServer(sServerName: string, level: NOTIFYLEVEL, sMessage: string, current: Current): Answer<void>
  getNotifyInfo(stKey: NotifyKey, current: Current): Answer<{ return: number; stInfo: NotifyInfo }>
  reportNotifyInfo(info: ReportInfo, current: Current): Answer<void>
}

/** What a client calls Notify with. */
export interface NotifyProxy {
  reportServer(sServerName: string, sThreadId: string, sMessage: string, options?: CallOptions): Promise<void>
  notifyServer(sServerName: string, level: NOTIFYLEVEL, sMessage: string, options?: CallOptions): Promise<void>
  getNotifyInfo(stKey: NotifyKey, options?: CallOptions): Promise<{ return: number; stInfo: NotifyInfo }>
  reportNotifyInfo(info: ReportInfo, options?: CallOptions): Promise<void>
}

const fastNotify: FastForms = {
  reportServer: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
      w.writeString(2, args[1] as string)
      w.writeString(3, args[2] as string)
    },
    readArgs: (r) => [r.readString(1), r.readString(2), r.readString(3)],
    writeResult() {},
    readResult: () => undefined,
  },
  notifyServer: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
      w.writeInt(2, args[1] as NOTIFYLEVEL)
      w.writeString(3, args[2] as string)
    },
    readArgs: (r) => [r.readString(1), r.readInt(2) as NOTIFYLEVEL, r.readString(3)],
    writeResult() {},
    readResult: () => undefined,
  },
  getNotifyInfo: {
    writeArgs(w, args) {
      writeNotifyKey(w, 1, args[0] as NotifyKey)
    },
    readArgs: (r) => [readNotifyKey(r, 1)],
    writeResult(w, result) {
      const value = resultObject('getNotifyInfo', result) as { return: number; stInfo: NotifyInfo }
      w.writeInt(0, value.return)
      writeNotifyInfo(w, 2, value.stInfo)
    },
    readResult: (r) => ({
      return: r.readInt(0),
      stInfo: readNotifyInfo(r, 2),
    }),
  },
  reportNotifyInfo: {
    writeArgs(w, args) {
      writeReportInfo(w, 1, args[0] as ReportInfo)
    },
    readArgs: (r) => [readReportInfo(r, 1)],
    writeResult() {},
    readResult: () => undefined,
  },
}

export const Notify: Interface = defineInterface(NotifyFSchema, 'tars::Notify', fastNotify)
