// Generated from Node.tars by the Tars IDL generator; change that file and generate again.
import type { CallOptions } from '#tars/client.ts'
import type { Answer } from '#tars/idl/answer.ts'
import { resultObject } from '#tars/idl/checks.ts'
import { defineInterface, type FastForms, type Interface } from '#tars/idl/interface.ts'
import type { Schema } from '#tars/idl/schema.ts'
import type { Current } from '#tars/server.ts'
import { readServerStateInfo, writeServerStateInfo, type ServerStateInfo, NodeDescriptorSchema } from './NodeDescriptor.ts'
export * from './NodeDescriptor.ts'

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
