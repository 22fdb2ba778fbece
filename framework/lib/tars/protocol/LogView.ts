// Generated from LogView.tars by the Tars IDL generator; change that file and generate again.
import type { CallOptions } from '#tars/client.ts'
import type { Reader } from '#tars/codec/reader.ts'
import type { Writer } from '#tars/codec/writer.ts'
import type { Answer } from '#tars/idl/answer.ts'
import { listLength, resultObject } from '#tars/idl/checks.ts'
import { defineInterface, type FastForms, type Interface } from '#tars/idl/interface.ts'
import type { Schema } from '#tars/idl/schema.ts'
import type { Current } from '#tars/server.ts'

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
export const LogViewSchema: Schema = {
  structs: {},
  enums: {},
  constants: {},
  interfaces: {
    'tars::LogView': { functions: {
      getLogFileList: { params: [{ name: 'application', tag: 1, out: false, type: 'string' }, { name: 'serverName', tag: 2, out: false, type: 'string' }, { name: 'logFileList', tag: 3, out: true, type: { vector: 'string' } }], result: 'int' },
      getLogData: { params: [{ name: 'application', tag: 1, out: false, type: 'string' }, { name: 'serverName', tag: 2, out: false, type: 'string' }, { name: 'logFile', tag: 3, out: false, type: 'string' }, { name: 'cmd', tag: 4, out: false, type: 'string' }, { name: 'fileData', tag: 5, out: true, type: 'string' }], result: 'int' },
    } },
  },
}

/** What implements LogView in a server. */
export interface LogViewServant {
  /** Newest first; those of a set as set/name. */
  getLogFileList(application: string, serverName: string, current: Current): Answer<{ return: number; logFileList: string[] }>
  /** @param cmd tail|head -N FILE, and what TarsWeb adds to it */
  getLogData(application: string, serverName: string, logFile: string, cmd: string, current: Current): Answer<{ return: number; fileData: string }>
}

/** What a client calls LogView with. */
export interface LogViewProxy {
  getLogFileList(application: string, serverName: string, options?: CallOptions): Promise<{ return: number; logFileList: string[] }>
  getLogData(application: string, serverName: string, logFile: string, cmd: string, options?: CallOptions): Promise<{ return: number; fileData: string }>
}

const fastLogView: FastForms = {
  getLogFileList: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
      w.writeString(2, args[1] as string)
    },
    readArgs: (r) => [r.readString(1), r.readString(2)],
    writeResult(w, result) {
      const value = resultObject('getLogFileList', result) as { return: number; logFileList: string[] }
      w.writeInt(0, value.return)
      writeVectorOfString(w, 3, value.logFileList)
    },
    readResult: (r) => ({
      return: r.readInt(0),
      logFileList: readVectorOfString(r, 3),
    }),
  },
  getLogData: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
      w.writeString(2, args[1] as string)
      w.writeString(3, args[2] as string)
      w.writeString(4, args[3] as string)
    },
    readArgs: (r) => [r.readString(1), r.readString(2), r.readString(3), r.readString(4)],
    writeResult(w, result) {
      const value = resultObject('getLogData', result) as { return: number; fileData: string }
      w.writeInt(0, value.return)
      w.writeString(5, value.fileData)
    },
    readResult: (r) => ({
      return: r.readInt(0),
      fileData: r.readString(5),
    }),
  },
}

export const LogView: Interface = defineInterface(LogViewSchema, 'tars::LogView', fastLogView)
