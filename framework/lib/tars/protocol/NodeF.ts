// Generated from NodeF.tars by the Tars IDL generator; change that file and generate again.
import type { CallOptions } from '#tars/client.ts'
import type { Reader } from '#tars/codec/reader.ts'
import { encodeFailure } from '#tars/codec/wire.ts'
import type { Writer } from '#tars/codec/writer.ts'
import type { Answer } from '#tars/idl/answer.ts'
import { defineInterface, type FastForms, type Interface } from '#tars/idl/interface.ts'
import type { Schema } from '#tars/idl/schema.ts'
import type { Current } from '#tars/server.ts'

export interface ServerInfo {
  application: string
  serverName: string
  pid: number
  /** The adapter that lives; empty for all. */
  adapter: string
}

export function createServerInfo(given: Partial<ServerInfo> = {}): ServerInfo {
  return {
    application: given.application ?? '',
    serverName: given.serverName ?? '',
    pid: given.pid ?? 0,
    adapter: given.adapter ?? '',
  }
}

export function writeServerInfo(w: Writer, tag: number, value: ServerInfo): void {
  if (typeof value !== 'object' || value === null) throw encodeFailure('struct tars::ServerInfo', tag, value)
  w.beginStruct(tag)
  w.writeString(0, value.application)
  w.writeString(1, value.serverName)
  w.writeInt(2, value.pid)
  w.writeString(3, value.adapter)
  w.endStruct()
}

export function readServerInfo(r: Reader, tag: number, optional = false): ServerInfo {
  if (!r.beginStruct(tag)) return optional ? createServerInfo() : r.missing(tag)
  const value = {
    application: r.readString(0),
    serverName: r.readString(1),
    pid: r.readInt(2),
    adapter: r.readString(3),
  }
  r.endStruct()
  return value
}

/** What the .tars file says, as data. */
export const NodeFSchema: Schema = {
  structs: {
    'tars::ServerInfo': { fields: [
      { tag: 0, name: 'application', required: true, type: 'string' },
      { tag: 1, name: 'serverName', required: true, type: 'string' },
      { tag: 2, name: 'pid', required: true, type: 'int' },
      { tag: 3, name: 'adapter', required: false, type: 'string' },
    ] },
  },
  enums: {},
  constants: {},
  interfaces: {
    'tars::ServerF': { functions: {
      keepAlive: { params: [{ name: 'serverInfo', tag: 1, out: false, type: { struct: 'tars::ServerInfo' } }], result: 'int' },
      keepActiving: { params: [{ name: 'serverInfo', tag: 1, out: false, type: { struct: 'tars::ServerInfo' } }], result: 'int' },
      reportVersion: { params: [{ name: 'app', tag: 1, out: false, type: 'string' }, { name: 'serverName', tag: 2, out: false, type: 'string' }, { name: 'version', tag: 3, out: false, type: 'string' }], result: 'int' },
      getLatestKeepAliveTime: { params: [], result: 'uint' },
    } },
  },
}

/** What implements ServerF in a server. */
export interface ServerFServant {
  /** The server is up. */
  keepAlive(serverInfo: ServerInfo, current: Current): Answer<number>
  /** The server is still starting. */
  keepActiving(serverInfo: ServerInfo, current: Current): Answer<number>
  reportVersion(app: string, serverName: string, version: string, current: Current): Answer<number>
  /** Seconds since the epoch. */
  getLatestKeepAliveTime(current: Current): Answer<number>
}

/** What a client calls ServerF with. */
export interface ServerFProxy {
  keepAlive(serverInfo: ServerInfo, options?: CallOptions): Promise<number>
  keepActiving(serverInfo: ServerInfo, options?: CallOptions): Promise<number>
  reportVersion(app: string, serverName: string, version: string, options?: CallOptions): Promise<number>
  getLatestKeepAliveTime(options?: CallOptions): Promise<number>
}

const fastServerF: FastForms = {
  keepAlive: {
    writeArgs(w, args) {
      writeServerInfo(w, 1, args[0] as ServerInfo)
    },
    readArgs: (r) => [readServerInfo(r, 1)],
    writeResult(w, result) {
      w.writeInt(0, result as number)
    },
    readResult: (r) => r.readInt(0),
  },
  keepActiving: {
    writeArgs(w, args) {
      writeServerInfo(w, 1, args[0] as ServerInfo)
    },
    readArgs: (r) => [readServerInfo(r, 1)],
    writeResult(w, result) {
      w.writeInt(0, result as number)
    },
    readResult: (r) => r.readInt(0),
  },
  reportVersion: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
      w.writeString(2, args[1] as string)
      w.writeString(3, args[2] as string)
    },
    readArgs: (r) => [r.readString(1), r.readString(2), r.readString(3)],
    writeResult(w, result) {
      w.writeInt(0, result as number)
    },
    readResult: (r) => r.readInt(0),
  },
  getLatestKeepAliveTime: {
    writeArgs() {},
    readArgs: () => [],
    writeResult(w, result) {
      w.writeUInt(0, result as number)
    },
    readResult: (r) => r.readUInt(0),
  },
}

export const ServerF: Interface = defineInterface(NodeFSchema, 'tars::ServerF', fastServerF)
