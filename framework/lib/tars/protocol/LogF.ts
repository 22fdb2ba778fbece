// Generated from LogF.tars by the Tars IDL generator; change that file and generate again.
import type { CallOptions } from '#tars/client.ts'
import type { Reader } from '#tars/codec/reader.ts'
import { encodeFailure } from '#tars/codec/wire.ts'
import type { Writer } from '#tars/codec/writer.ts'
import type { Answer } from '#tars/idl/answer.ts'
import { listLength } from '#tars/idl/checks.ts'
import { defineInterface, type FastForms, type Interface } from '#tars/idl/interface.ts'
import type { Schema } from '#tars/idl/schema.ts'
import type { Current } from '#tars/server.ts'

export interface LogInfo {
  appname: string
  servername: string
  /** Part of the file's name; may be empty. */
  sFilename: string
  /** strftime form of the time in the file's name. */
  sFormat: string
  /** name.area.group */
  setdivision: string
  /** The file's name ends in .log. */
  bHasSufix: boolean
  /** The file's name begins with App.Server. */
  bHasAppNamePrefix: boolean
  bHasSquareBracket: boolean
  /** Between the parts of the file's name. */
  sConcatStr: string
  /** Between the node's name and the line. */
  sSepar: string
  /** day, hour or minute with a number before it, e.g. 10minute: how long a file lasts; empty: as long as sFormat stays the same. */
  sLogType: string
}

export function createLogInfo(given: Partial<LogInfo> = {}): LogInfo {
  return {
    appname: given.appname ?? '',
    servername: given.servername ?? '',
    sFilename: given.sFilename ?? '',
    sFormat: given.sFormat ?? '',
    setdivision: given.setdivision ?? '',
    bHasSufix: given.bHasSufix ?? true,
    bHasAppNamePrefix: given.bHasAppNamePrefix ?? true,
    bHasSquareBracket: given.bHasSquareBracket ?? false,
    sConcatStr: given.sConcatStr ?? '_',
    sSepar: given.sSepar ?? '|',
    sLogType: given.sLogType ?? '',
  }
}

export function writeLogInfo(w: Writer, tag: number, value: LogInfo): void {
  if (typeof value !== 'object' || value === null) throw encodeFailure('struct tars::LogInfo', tag, value)
  w.beginStruct(tag)
  w.writeString(0, value.appname)
  w.writeString(1, value.servername)
  w.writeString(2, value.sFilename)
  w.writeString(3, value.sFormat)
  w.writeString(4, value.setdivision)
  w.writeBool(5, value.bHasSufix)
  w.writeBool(6, value.bHasAppNamePrefix)
  w.writeBool(7, value.bHasSquareBracket)
  w.writeString(8, value.sConcatStr)
  w.writeString(9, value.sSepar)
  w.writeString(10, value.sLogType)
  w.endStruct()
}

export function readLogInfo(r: Reader, tag: number, optional = false): LogInfo {
  if (!r.beginStruct(tag)) return optional ? createLogInfo() : r.missing(tag)
  const value = {
    appname: r.readString(0),
    servername: r.readString(1),
    sFilename: r.readString(2),
    sFormat: r.readString(3),
    setdivision: r.readString(4),
    bHasSufix: r.readBool(5, true),
    bHasAppNamePrefix: r.readBool(6, true),
    bHasSquareBracket: r.readBool(7, false),
    sConcatStr: r.readString(8, '_'),
    sSepar: r.readString(9, '|'),
    sLogType: r.readString(10),
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

/** What the .tars file says, as data. */
export const LogFSchema: Schema = {
  structs: {
    'tars::LogInfo': { fields: [
      { tag: 0, name: 'appname', required: true, type: 'string' },
      { tag: 1, name: 'servername', required: true, type: 'string' },
      { tag: 2, name: 'sFilename', required: true, type: 'string' },
      { tag: 3, name: 'sFormat', required: true, type: 'string' },
      { tag: 4, name: 'setdivision', required: false, type: 'string' },
      { tag: 5, name: 'bHasSufix', required: false, type: 'bool', default: true },
      { tag: 6, name: 'bHasAppNamePrefix', required: false, type: 'bool', default: true },
      { tag: 7, name: 'bHasSquareBracket', required: false, type: 'bool', default: false },
      { tag: 8, name: 'sConcatStr', required: false, type: 'string', default: '_' },
      { tag: 9, name: 'sSepar', required: false, type: 'string', default: '|' },
      { tag: 10, name: 'sLogType', required: false, type: 'string', default: '' },
    ] },
  },
  enums: {},
  constants: {},
  interfaces: {
    'tars::Log': { functions: {
      logger: { params: [{ name: 'app', tag: 1, out: false, type: 'string' }, { name: 'server', tag: 2, out: false, type: 'string' }, { name: 'file', tag: 3, out: false, type: 'string' }, { name: 'format', tag: 4, out: false, type: 'string' }, { name: 'buffer', tag: 5, out: false, type: { vector: 'string' } }], result: null },
      loggerbyInfo: { params: [{ name: 'info', tag: 1, out: false, type: { struct: 'tars::LogInfo' } }, { name: 'buffer', tag: 2, out: false, type: { vector: 'string' } }], result: null },
    } },
  },
}

/** What implements Log in a server. */
export interface LogServant {
  logger(app: string, server: string, file: string, format: string, buffer: string[], current: Current): Answer<void>
  loggerbyInfo(info: LogInfo, buffer: string[], current: Current): Answer<void>
}

/** What a client calls Log with. */
export interface LogProxy {
  logger(app: string, server: string, file: string, format: string, buffer: string[], options?: CallOptions): Promise<void>
  loggerbyInfo(info: LogInfo, buffer: string[], options?: CallOptions): Promise<void>
}

const fastLog: FastForms = {
  logger: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
      w.writeString(2, args[1] as string)
      w.writeString(3, args[2] as string)
      w.writeString(4, args[3] as string)
      writeVectorOfString(w, 5, args[4] as string[])
    },
    readArgs: (r) => [r.readString(1), r.readString(2), r.readString(3), r.readString(4), readVectorOfString(r, 5)],
    writeResult() {},
    readResult: () => undefined,
  },
  loggerbyInfo: {
    writeArgs(w, args) {
      writeLogInfo(w, 1, args[0] as LogInfo)
      writeVectorOfString(w, 2, args[1] as string[])
    },
    readArgs: (r) => [readLogInfo(r, 1), readVectorOfString(r, 2)],
    writeResult() {},
    readResult: () => undefined,
  },
}

export const Log: Interface = defineInterface(LogFSchema, 'tars::Log', fastLog)
