// Generated from ConfigF.tars by the Tars IDL generator; change that file and generate again.
import type { CallOptions } from '#tars/client.ts'
import type { Reader } from '#tars/codec/reader.ts'
import { encodeFailure } from '#tars/codec/wire.ts'
import type { Writer } from '#tars/codec/writer.ts'
import type { Answer } from '#tars/idl/answer.ts'
import { listLength, resultObject } from '#tars/idl/checks.ts'
import { defineInterface, type FastForms, type Interface } from '#tars/idl/interface.ts'
import type { Schema } from '#tars/idl/schema.ts'
import type { Current } from '#tars/server.ts'

export interface ConfigInfo {
  appname: string
  servername: string
  filename: string
  /** Only the file of the whole application. */
  bAppOnly: boolean
  host: string
  /** name.area.group */
  setdivision: string
}

export function createConfigInfo(given: Partial<ConfigInfo> = {}): ConfigInfo {
  return {
    appname: given.appname ?? '',
    servername: given.servername ?? '',
    filename: given.filename ?? '',
    bAppOnly: given.bAppOnly ?? false,
    host: given.host ?? '',
    setdivision: given.setdivision ?? '',
  }
}

export function writeConfigInfo(w: Writer, tag: number, value: ConfigInfo): void {
  if (typeof value !== 'object' || value === null) throw encodeFailure('struct tars::ConfigInfo', tag, value)
  w.beginStruct(tag)
  w.writeString(0, value.appname)
  w.writeString(1, value.servername)
  w.writeString(2, value.filename)
  w.writeBool(3, value.bAppOnly)
  w.writeString(4, value.host)
  w.writeString(5, value.setdivision)
  w.endStruct()
}

export function readConfigInfo(r: Reader, tag: number, optional = false): ConfigInfo {
  if (!r.beginStruct(tag)) return optional ? createConfigInfo() : r.missing(tag)
  const value = {
    appname: r.readString(0),
    servername: r.readString(1),
    filename: r.readString(2),
    bAppOnly: r.readBool(3, false),
    host: r.readString(4),
    setdivision: r.readString(5),
  }
  r.endStruct()
  return value
}

export interface GetConfigListInfo {
  appname: string
  servername: string
  bAppOnly: boolean
  host: string
  setdivision: string
  containername: string
}

export function createGetConfigListInfo(given: Partial<GetConfigListInfo> = {}): GetConfigListInfo {
  return {
    appname: given.appname ?? '',
    servername: given.servername ?? '',
    bAppOnly: given.bAppOnly ?? false,
    host: given.host ?? '',
    setdivision: given.setdivision ?? '',
    containername: given.containername ?? '',
  }
}

export function writeGetConfigListInfo(w: Writer, tag: number, value: GetConfigListInfo): void {
  if (typeof value !== 'object' || value === null) throw encodeFailure('struct tars::GetConfigListInfo', tag, value)
  w.beginStruct(tag)
  w.writeString(0, value.appname)
  w.writeString(1, value.servername)
  w.writeBool(2, value.bAppOnly)
  w.writeString(3, value.host)
  w.writeString(4, value.setdivision)
  w.writeString(5, value.containername)
  w.endStruct()
}

export function readGetConfigListInfo(r: Reader, tag: number, optional = false): GetConfigListInfo {
  if (!r.beginStruct(tag)) return optional ? createGetConfigListInfo() : r.missing(tag)
  const value = {
    appname: r.readString(0),
    servername: r.readString(1),
    bAppOnly: r.readBool(2, false),
    host: r.readString(3),
    setdivision: r.readString(4),
    containername: r.readString(5),
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
export const ConfigFSchema: Schema = {
  structs: {
    'tars::ConfigInfo': { fields: [
      { tag: 0, name: 'appname', required: true, type: 'string' },
      { tag: 1, name: 'servername', required: true, type: 'string' },
      { tag: 2, name: 'filename', required: true, type: 'string' },
      { tag: 3, name: 'bAppOnly', required: true, type: 'bool', default: false },
      { tag: 4, name: 'host', required: false, type: 'string' },
      { tag: 5, name: 'setdivision', required: false, type: 'string' },
    ] },
    'tars::GetConfigListInfo': { fields: [
      { tag: 0, name: 'appname', required: true, type: 'string' },
      { tag: 1, name: 'servername', required: false, type: 'string' },
      { tag: 2, name: 'bAppOnly', required: false, type: 'bool', default: false },
      { tag: 3, name: 'host', required: false, type: 'string' },
      { tag: 4, name: 'setdivision', required: false, type: 'string' },
      { tag: 5, name: 'containername', required: false, type: 'string' },
    ] },
  },
  enums: {},
  constants: {},
  interfaces: {
    'tars::Config': { functions: {
      ListConfig: { params: [{ name: 'app', tag: 1, out: false, type: 'string' }, { name: 'server', tag: 2, out: false, type: 'string' }, { name: 'vf', tag: 3, out: true, type: { vector: 'string' } }], result: 'int' },
      loadConfig: { params: [{ name: 'app', tag: 1, out: false, type: 'string' }, { name: 'server', tag: 2, out: false, type: 'string' }, { name: 'filename', tag: 3, out: false, type: 'string' }, { name: 'config', tag: 4, out: true, type: 'string' }], result: 'int' },
      loadConfigByHost: { params: [{ name: 'appServerName', tag: 1, out: false, type: 'string' }, { name: 'filename', tag: 2, out: false, type: 'string' }, { name: 'host', tag: 3, out: false, type: 'string' }, { name: 'config', tag: 4, out: true, type: 'string' }], result: 'int' },
      checkConfig: { params: [{ name: 'appServerName', tag: 1, out: false, type: 'string' }, { name: 'filename', tag: 2, out: false, type: 'string' }, { name: 'host', tag: 3, out: false, type: 'string' }, { name: 'result', tag: 4, out: true, type: 'string' }], result: 'int' },
      ListConfigByInfo: { params: [{ name: 'configInfo', tag: 1, out: false, type: { struct: 'tars::ConfigInfo' } }, { name: 'vf', tag: 2, out: true, type: { vector: 'string' } }], result: 'int' },
      loadConfigByInfo: { params: [{ name: 'configInfo', tag: 1, out: false, type: { struct: 'tars::ConfigInfo' } }, { name: 'config', tag: 2, out: true, type: 'string' }], result: 'int' },
      checkConfigByInfo: { params: [{ name: 'configInfo', tag: 1, out: false, type: { struct: 'tars::ConfigInfo' } }, { name: 'result', tag: 2, out: true, type: 'string' }], result: 'int' },
      ListAllConfigByInfo: { params: [{ name: 'configInfo', tag: 1, out: false, type: { struct: 'tars::GetConfigListInfo' } }, { name: 'vf', tag: 2, out: true, type: { vector: 'string' } }], result: 'int' },
    } },
  },
}

/** What implements Config in a server. */
export interface ConfigServant {
  ListConfig(app: string, server: string, current: Current): Answer<{ return: number; vf: string[] }>
  loadConfig(app: string, server: string, filename: string, current: Current): Answer<{ return: number; config: string }>
  /** appServerName is App or App.Server. */
  loadConfigByHost(appServerName: string, filename: string, host: string, current: Current): Answer<{ return: number; config: string }>
  /** Whether the file is well-formed; result says where it is not. */
  checkConfig(appServerName: string, filename: string, host: string, current: Current): Answer<{ return: number; result: string }>
  ListConfigByInfo(configInfo: ConfigInfo, current: Current): Answer<{ return: number; vf: string[] }>
  loadConfigByInfo(configInfo: ConfigInfo, current: Current): Answer<{ return: number; config: string }>
  checkConfigByInfo(configInfo: ConfigInfo, current: Current): Answer<{ return: number; result: string }>
  ListAllConfigByInfo(configInfo: GetConfigListInfo, current: Current): Answer<{ return: number; vf: string[] }>
}

/** What a client calls Config with. */
export interface ConfigProxy {
  ListConfig(app: string, server: string, options?: CallOptions): Promise<{ return: number; vf: string[] }>
  loadConfig(app: string, server: string, filename: string, options?: CallOptions): Promise<{ return: number; config: string }>
  loadConfigByHost(appServerName: string, filename: string, host: string, options?: CallOptions): Promise<{ return: number; config: string }>
  checkConfig(appServerName: string, filename: string, host: string, options?: CallOptions): Promise<{ return: number; result: string }>
  ListConfigByInfo(configInfo: ConfigInfo, options?: CallOptions): Promise<{ return: number; vf: string[] }>
  loadConfigByInfo(configInfo: ConfigInfo, options?: CallOptions): Promise<{ return: number; config: string }>
  checkConfigByInfo(configInfo: ConfigInfo, options?: CallOptions): Promise<{ return: number; result: string }>
  ListAllConfigByInfo(configInfo: GetConfigListInfo, options?: CallOptions): Promise<{ return: number; vf: string[] }>
}

const fastConfig: FastForms = {
  ListConfig: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
      w.writeString(2, args[1] as string)
    },
    readArgs: (r) => [r.readString(1), r.readString(2)],
    writeResult(w, result) {
      const value = resultObject('ListConfig', result) as { return: number; vf: string[] }
      w.writeInt(0, value.return)
      writeVectorOfString(w, 3, value.vf)
    },
    readResult: (r) => ({
      return: r.readInt(0),
      vf: readVectorOfString(r, 3),
    }),
  },
  loadConfig: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
      w.writeString(2, args[1] as string)
      w.writeString(3, args[2] as string)
    },
    readArgs: (r) => [r.readString(1), r.readString(2), r.readString(3)],
    writeResult(w, result) {
      const value = resultObject('loadConfig', result) as { return: number; config: string }
      w.writeInt(0, value.return)
      w.writeString(4, value.config)
    },
    readResult: (r) => ({
      return: r.readInt(0),
      config: r.readString(4),
    }),
  },
  loadConfigByHost: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
      w.writeString(2, args[1] as string)
      w.writeString(3, args[2] as string)
    },
    readArgs: (r) => [r.readString(1), r.readString(2), r.readString(3)],
    writeResult(w, result) {
      const value = resultObject('loadConfigByHost', result) as { return: number; config: string }
      w.writeInt(0, value.return)
      w.writeString(4, value.config)
    },
    readResult: (r) => ({
      return: r.readInt(0),
      config: r.readString(4),
    }),
  },
  checkConfig: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
      w.writeString(2, args[1] as string)
      w.writeString(3, args[2] as string)
    },
    readArgs: (r) => [r.readString(1), r.readString(2), r.readString(3)],
    writeResult(w, result) {
      const value = resultObject('checkConfig', result) as { return: number; result: string }
      w.writeInt(0, value.return)
      w.writeString(4, value.result)
    },
    readResult: (r) => ({
      return: r.readInt(0),
      result: r.readString(4),
    }),
  },
  ListConfigByInfo: {
    writeArgs(w, args) {
      writeConfigInfo(w, 1, args[0] as ConfigInfo)
    },
    readArgs: (r) => [readConfigInfo(r, 1)],
    writeResult(w, result) {
      const value = resultObject('ListConfigByInfo', result) as { return: number; vf: string[] }
      w.writeInt(0, value.return)
      writeVectorOfString(w, 2, value.vf)
    },
    readResult: (r) => ({
      return: r.readInt(0),
      vf: readVectorOfString(r, 2),
    }),
  },
  loadConfigByInfo: {
    writeArgs(w, args) {
      writeConfigInfo(w, 1, args[0] as ConfigInfo)
    },
    readArgs: (r) => [readConfigInfo(r, 1)],
    writeResult(w, result) {
      const value = resultObject('loadConfigByInfo', result) as { return: number; config: string }
      w.writeInt(0, value.return)
      w.writeString(2, value.config)
    },
    readResult: (r) => ({
      return: r.readInt(0),
      config: r.readString(2),
    }),
  },
  checkConfigByInfo: {
    writeArgs(w, args) {
      writeConfigInfo(w, 1, args[0] as ConfigInfo)
    },
    readArgs: (r) => [readConfigInfo(r, 1)],
    writeResult(w, result) {
      const value = resultObject('checkConfigByInfo', result) as { return: number; result: string }
      w.writeInt(0, value.return)
      w.writeString(2, value.result)
    },
    readResult: (r) => ({
      return: r.readInt(0),
      result: r.readString(2),
    }),
  },
  ListAllConfigByInfo: {
    writeArgs(w, args) {
      writeGetConfigListInfo(w, 1, args[0] as GetConfigListInfo)
    },
    readArgs: (r) => [readGetConfigListInfo(r, 1)],
    writeResult(w, result) {
      const value = resultObject('ListAllConfigByInfo', result) as { return: number; vf: string[] }
      w.writeInt(0, value.return)
      writeVectorOfString(w, 2, value.vf)
    },
    readResult: (r) => ({
      return: r.readInt(0),
      vf: readVectorOfString(r, 2),
    }),
  },
}

export const Config: Interface = defineInterface(ConfigFSchema, 'tars::Config', fastConfig)
