// Generated from Node.tars by the Tars IDL generator; change that file and generate again.
import type { CallOptions } from '#tars/client.ts'
import type { Reader } from '#tars/codec/reader.ts'
import type { Writer } from '#tars/codec/writer.ts'
import type { Answer } from '#tars/idl/answer.ts'
import { listLength, resultObject } from '#tars/idl/checks.ts'
import { defineInterface, type FastForms, type Interface } from '#tars/idl/interface.ts'
import type { Schema } from '#tars/idl/schema.ts'
import type { Current } from '#tars/server.ts'
import { readServerStateInfo, writeServerStateInfo, type ServerStateInfo, NodeDescriptorSchema } from './NodeDescriptor.ts'
export * from './NodeDescriptor.ts'

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
export const NodeSchema: Schema = {
  structs: {
    ...NodeDescriptorSchema.structs,
  },
  enums: {
    ...NodeDescriptorSchema.enums,
  },
  constants: {
    ...NodeDescriptorSchema.constants,
  },
  interfaces: {
    ...NodeDescriptorSchema.interfaces,
    'tars::Node': { functions: {
      addFile: { params: [{ name: 'application', tag: 1, out: false, type: 'string' }, { name: 'serverName', tag: 2, out: false, type: 'string' }, { name: 'file', tag: 3, out: false, type: 'string' }, { name: 'result', tag: 4, out: true, type: 'string' }], result: 'int' },
      startServer: { params: [{ name: 'application', tag: 1, out: false, type: 'string' }, { name: 'serverName', tag: 2, out: false, type: 'string' }, { name: 'result', tag: 3, out: true, type: 'string' }], result: 'int' },
      stopServer: { params: [{ name: 'application', tag: 1, out: false, type: 'string' }, { name: 'serverName', tag: 2, out: false, type: 'string' }, { name: 'result', tag: 3, out: true, type: 'string' }], result: 'int' },
      restartServer: { params: [{ name: 'application', tag: 1, out: false, type: 'string' }, { name: 'serverName', tag: 2, out: false, type: 'string' }, { name: 'result', tag: 3, out: true, type: 'string' }], result: 'int' },
      loadServer: { params: [{ name: 'application', tag: 1, out: false, type: 'string' }, { name: 'serverName', tag: 2, out: false, type: 'string' }, { name: 'result', tag: 3, out: true, type: 'string' }], result: 'int' },
      getStateInfo: { params: [{ name: 'application', tag: 1, out: false, type: 'string' }, { name: 'serverName', tag: 2, out: false, type: 'string' }, { name: 'info', tag: 3, out: true, type: { struct: 'tars::ServerStateInfo' } }, { name: 'result', tag: 4, out: true, type: 'string' }], result: 'int' },
      getLogFileList: { params: [{ name: 'application', tag: 1, out: false, type: 'string' }, { name: 'serverName', tag: 2, out: false, type: 'string' }, { name: 'logFileList', tag: 3, out: true, type: { vector: 'string' } }], result: 'int' },
      getLogData: { params: [{ name: 'application', tag: 1, out: false, type: 'string' }, { name: 'serverName', tag: 2, out: false, type: 'string' }, { name: 'logFile', tag: 3, out: false, type: 'string' }, { name: 'cmd', tag: 4, out: false, type: 'string' }, { name: 'fileData', tag: 5, out: true, type: 'string' }], result: 'int' },
      getNodeLoad: { params: [{ name: 'application', tag: 1, out: false, type: 'string' }, { name: 'serverName', tag: 2, out: false, type: 'string' }, { name: 'pid', tag: 3, out: false, type: 'int' }, { name: 'fileData', tag: 4, out: true, type: 'string' }], result: 'int' },
      delCache: { params: [{ name: 'sFullCacheName', tag: 1, out: false, type: 'string' }, { name: 'sBackupPath', tag: 2, out: false, type: 'string' }, { name: 'sKey', tag: 3, out: false, type: 'string' }, { name: 'result', tag: 4, out: true, type: 'string' }], result: 'int' },
      notifyServer: { params: [{ name: 'application', tag: 1, out: false, type: 'string' }, { name: 'serverName', tag: 2, out: false, type: 'string' }, { name: 'command', tag: 3, out: false, type: 'string' }, { name: 'result', tag: 4, out: true, type: 'string' }], result: 'int' },
    } },
  },
}

/** What implements Node in a server. */
export interface NodeServant {
  /** Fetches a configuration file from tarsconfig into the server's folder. */
  addFile(application: string, serverName: string, file: string, current: Current): Answer<{ return: number; result: string }>
  startServer(application: string, serverName: string, current: Current): Answer<{ return: number; result: string }>
  stopServer(application: string, serverName: string, current: Current): Answer<{ return: number; result: string }>
  restartServer(application: string, serverName: string, current: Current): Answer<{ return: number; result: string }>
  /** Writes the server's configuration anew from the registry's descriptor; the running server is left alone. */
  loadServer(application: string, serverName: string, current: Current): Answer<{ return: number; result: string }>
  /** What is known of the server; the result is its story in a sentence. */
  getStateInfo(application: string, serverName: string, current: Current): Answer<{ return: number; info: ServerStateInfo; result: string }>
  /** Names of the server's log files, newest first. */
  getLogFileList(application: string, serverName: string, current: Current): Answer<{ return: number; logFileList: string[] }>
  /** Lines of a log file; cmd is what TarsWeb asks, "tail -N FILE | grep -a KEYWORD" and the like. The data is the reason when the result is not 0. */
  getLogData(application: string, serverName: string, logFile: string, cmd: string, current: Current): Answer<{ return: number; fileData: string }>
  /** Load, processes, threads of one process (0: of none) and core files, as text. */
  getNodeLoad(application: string, serverName: string, pid: number, current: Current): Answer<{ return: number; fileData: string }>
  /** Removes the shared memory of a key, unless a process is attached; the server is App.Server. */
  delCache(sFullCacheName: string, sBackupPath: string, sKey: string, current: Current): Answer<{ return: number; result: string }>
  /** Passes a command to the server's own AdminF. */
  notifyServer(application: string, serverName: string, command: string, current: Current): Answer<{ return: number; result: string }>
}

/** What a client calls Node with. */
export interface NodeProxy {
  addFile(application: string, serverName: string, file: string, options?: CallOptions): Promise<{ return: number; result: string }>
  startServer(application: string, serverName: string, options?: CallOptions): Promise<{ return: number; result: string }>
  stopServer(application: string, serverName: string, options?: CallOptions): Promise<{ return: number; result: string }>
  restartServer(application: string, serverName: string, options?: CallOptions): Promise<{ return: number; result: string }>
  loadServer(application: string, serverName: string, options?: CallOptions): Promise<{ return: number; result: string }>
  getStateInfo(application: string, serverName: string, options?: CallOptions): Promise<{ return: number; info: ServerStateInfo; result: string }>
  getLogFileList(application: string, serverName: string, options?: CallOptions): Promise<{ return: number; logFileList: string[] }>
  getLogData(application: string, serverName: string, logFile: string, cmd: string, options?: CallOptions): Promise<{ return: number; fileData: string }>
  getNodeLoad(application: string, serverName: string, pid: number, options?: CallOptions): Promise<{ return: number; fileData: string }>
  delCache(sFullCacheName: string, sBackupPath: string, sKey: string, options?: CallOptions): Promise<{ return: number; result: string }>
  notifyServer(application: string, serverName: string, command: string, options?: CallOptions): Promise<{ return: number; result: string }>
}

const fastNode: FastForms = {
  addFile: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
      w.writeString(2, args[1] as string)
      w.writeString(3, args[2] as string)
    },
    readArgs: (r) => [r.readString(1), r.readString(2), r.readString(3)],
    writeResult(w, result) {
      const value = resultObject('addFile', result) as { return: number; result: string }
      w.writeInt(0, value.return)
      w.writeString(4, value.result)
    },
    readResult: (r) => ({
      return: r.readInt(0),
      result: r.readString(4),
    }),
  },
  startServer: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
      w.writeString(2, args[1] as string)
    },
    readArgs: (r) => [r.readString(1), r.readString(2)],
    writeResult(w, result) {
      const value = resultObject('startServer', result) as { return: number; result: string }
      w.writeInt(0, value.return)
      w.writeString(3, value.result)
    },
    readResult: (r) => ({
      return: r.readInt(0),
      result: r.readString(3),
    }),
  },
  stopServer: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
      w.writeString(2, args[1] as string)
    },
    readArgs: (r) => [r.readString(1), r.readString(2)],
    writeResult(w, result) {
      const value = resultObject('stopServer', result) as { return: number; result: string }
      w.writeInt(0, value.return)
      w.writeString(3, value.result)
    },
    readResult: (r) => ({
      return: r.readInt(0),
      result: r.readString(3),
    }),
  },
  restartServer: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
      w.writeString(2, args[1] as string)
    },
    readArgs: (r) => [r.readString(1), r.readString(2)],
    writeResult(w, result) {
      const value = resultObject('restartServer', result) as { return: number; result: string }
      w.writeInt(0, value.return)
      w.writeString(3, value.result)
    },
    readResult: (r) => ({
      return: r.readInt(0),
      result: r.readString(3),
    }),
  },
  loadServer: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
      w.writeString(2, args[1] as string)
    },
    readArgs: (r) => [r.readString(1), r.readString(2)],
    writeResult(w, result) {
      const value = resultObject('loadServer', result) as { return: number; result: string }
      w.writeInt(0, value.return)
      w.writeString(3, value.result)
    },
    readResult: (r) => ({
      return: r.readInt(0),
      result: r.readString(3),
    }),
  },
  getStateInfo: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
      w.writeString(2, args[1] as string)
    },
    readArgs: (r) => [r.readString(1), r.readString(2)],
    writeResult(w, result) {
      const value = resultObject('getStateInfo', result) as { return: number; info: ServerStateInfo; result: string }
      w.writeInt(0, value.return)
      writeServerStateInfo(w, 3, value.info)
      w.writeString(4, value.result)
    },
    readResult: (r) => ({
      return: r.readInt(0),
      info: readServerStateInfo(r, 3),
      result: r.readString(4),
    }),
  },
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
  getNodeLoad: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
      w.writeString(2, args[1] as string)
      w.writeInt(3, args[2] as number)
    },
    readArgs: (r) => [r.readString(1), r.readString(2), r.readInt(3)],
    writeResult(w, result) {
      const value = resultObject('getNodeLoad', result) as { return: number; fileData: string }
      w.writeInt(0, value.return)
      w.writeString(4, value.fileData)
    },
    readResult: (r) => ({
      return: r.readInt(0),
      fileData: r.readString(4),
    }),
  },
  delCache: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
      w.writeString(2, args[1] as string)
      w.writeString(3, args[2] as string)
    },
    readArgs: (r) => [r.readString(1), r.readString(2), r.readString(3)],
    writeResult(w, result) {
      const value = resultObject('delCache', result) as { return: number; result: string }
      w.writeInt(0, value.return)
      w.writeString(4, value.result)
    },
    readResult: (r) => ({
      return: r.readInt(0),
      result: r.readString(4),
    }),
  },
  notifyServer: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
      w.writeString(2, args[1] as string)
      w.writeString(3, args[2] as string)
    },
    readArgs: (r) => [r.readString(1), r.readString(2), r.readString(3)],
    writeResult(w, result) {
      const value = resultObject('notifyServer', result) as { return: number; result: string }
      w.writeInt(0, value.return)
      w.writeString(4, value.result)
    },
    readResult: (r) => ({
      return: r.readInt(0),
      result: r.readString(4),
    }),
  },
}

export const Node: Interface = defineInterface(NodeSchema, 'tars::Node', fastNode)
