// Generated from QueryF.tars by the Tars IDL generator; change that file and generate again.
import type { CallOptions } from '#tars/client.ts'
import type { Reader } from '#tars/codec/reader.ts'
import { encodeFailure } from '#tars/codec/wire.ts'
import type { Writer } from '#tars/codec/writer.ts'
import type { Answer } from '#tars/idl/answer.ts'
import { listLength, mapSize, resultObject } from '#tars/idl/checks.ts'
import { defineInterface, type FastForms, type Interface } from '#tars/idl/interface.ts'
import type { Schema } from '#tars/idl/schema.ts'
import type { Current } from '#tars/server.ts'
import { readEndpointF, writeEndpointF, type EndpointF, EndpointFSchema } from './EndpointF.ts'
export * from './EndpointF.ts'

/** A server that asks to be the one master of its kind. */
export interface GetMasterSlaveLock {
  application: string
  server_name: string
  node_name: string
  isMaster: boolean
  lastErr: boolean
  /** Milliseconds. */
  timeout: number
  /** 0 none, 1 switch by itself, 2 the same with routes left visible. */
  bakType: number
}

export function createGetMasterSlaveLock(given: Partial<GetMasterSlaveLock> = {}): GetMasterSlaveLock {
  return {
    application: given.application ?? '',
    server_name: given.server_name ?? '',
    node_name: given.node_name ?? '',
    isMaster: given.isMaster ?? false,
    lastErr: given.lastErr ?? false,
    timeout: given.timeout ?? 0,
    bakType: given.bakType ?? 0,
  }
}

export function writeGetMasterSlaveLock(w: Writer, tag: number, value: GetMasterSlaveLock): void {
  if (typeof value !== 'object' || value === null) throw encodeFailure('struct tars::GetMasterSlaveLock', tag, value)
  w.beginStruct(tag)
  w.writeString(0, value.application)
  w.writeString(1, value.server_name)
  w.writeString(2, value.node_name)
  w.writeBool(3, value.isMaster)
  w.writeBool(4, value.lastErr)
  w.writeInt(5, value.timeout)
  w.writeInt(6, value.bakType)
  w.endStruct()
}

export function readGetMasterSlaveLock(r: Reader, tag: number, optional = false): GetMasterSlaveLock {
  if (!r.beginStruct(tag)) return optional ? createGetMasterSlaveLock() : r.missing(tag)
  const value = {
    application: r.readString(0),
    server_name: r.readString(1),
    node_name: r.readString(2),
    isMaster: r.readBool(3, false),
    lastErr: r.readBool(4, false),
    timeout: r.readInt(5, 0),
    bakType: r.readInt(6, 0),
  }
  r.endStruct()
  return value
}

function writeVectorOfEndpointF(w: Writer, tag: number, value: EndpointF[]): void {
  w.beginList(tag, listLength(tag, value))
  for (const element of value) writeEndpointF(w, 0, element)
}

function readVectorOfEndpointF(r: Reader, tag: number): EndpointF[] {
  const out: EndpointF[] = []
  const count = r.beginList(tag)
  for (let i = 0; i < count; i++) out.push(readEndpointF(r, 0))
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

function writeMapOfStringString(w: Writer, tag: number, value: Map<string, string>): void {
  w.beginMap(tag, mapSize(tag, value))
  for (const [key, element] of value) {
    w.writeString(0, key)
    w.writeString(1, element)
  }
}

function readMapOfStringString(r: Reader, tag: number): Map<string, string> {
  const out: Map<string, string> = new Map()
  const count = r.beginMap(tag)
  for (let i = 0; i < count; i++) {
    r.expect(0)
    const key = r.readString(0)
    r.expect(1)
    out.set(key, r.readString(1))
  }
  return out
}

/** What the .tars file says, as data. */
export const QueryFSchema: Schema = {
  structs: {
    ...EndpointFSchema.structs,
    'tars::GetMasterSlaveLock': { fields: [
      { tag: 0, name: 'application', required: false, type: 'string' },
      { tag: 1, name: 'server_name', required: false, type: 'string' },
      { tag: 2, name: 'node_name', required: false, type: 'string' },
      { tag: 3, name: 'isMaster', required: false, type: 'bool' },
      { tag: 4, name: 'lastErr', required: false, type: 'bool' },
      { tag: 5, name: 'timeout', required: false, type: 'int' },
      { tag: 6, name: 'bakType', required: false, type: 'int' },
    ] },
  },
  enums: {
    ...EndpointFSchema.enums,
  },
  constants: {
    ...EndpointFSchema.constants,
  },
  interfaces: {
    ...EndpointFSchema.interfaces,
    'tars::QueryF': { functions: {
      findObjectById: { params: [{ name: 'id', tag: 1, out: false, type: 'string' }], result: { vector: { struct: 'tars::EndpointF' } } },
      findObjectById4Any: { params: [{ name: 'id', tag: 1, out: false, type: 'string' }, { name: 'activeEp', tag: 2, out: true, type: { vector: { struct: 'tars::EndpointF' } } }, { name: 'inactiveEp', tag: 3, out: true, type: { vector: { struct: 'tars::EndpointF' } } }], result: 'int' },
      findObjectById4All: { params: [{ name: 'id', tag: 1, out: false, type: 'string' }, { name: 'activeEp', tag: 2, out: true, type: { vector: { struct: 'tars::EndpointF' } } }, { name: 'inactiveEp', tag: 3, out: true, type: { vector: { struct: 'tars::EndpointF' } } }], result: 'int' },
      findObjectByIdInSameGroup: { params: [{ name: 'id', tag: 1, out: false, type: 'string' }, { name: 'activeEp', tag: 2, out: true, type: { vector: { struct: 'tars::EndpointF' } } }, { name: 'inactiveEp', tag: 3, out: true, type: { vector: { struct: 'tars::EndpointF' } } }], result: 'int' },
      findObjectByIdInSameStation: { params: [{ name: 'id', tag: 1, out: false, type: 'string' }, { name: 'sStation', tag: 2, out: false, type: 'string' }, { name: 'activeEp', tag: 3, out: true, type: { vector: { struct: 'tars::EndpointF' } } }, { name: 'inactiveEp', tag: 4, out: true, type: { vector: { struct: 'tars::EndpointF' } } }], result: 'int' },
      findObjectByIdInSameSet: { params: [{ name: 'id', tag: 1, out: false, type: 'string' }, { name: 'setId', tag: 2, out: false, type: 'string' }, { name: 'activeEp', tag: 3, out: true, type: { vector: { struct: 'tars::EndpointF' } } }, { name: 'inactiveEp', tag: 4, out: true, type: { vector: { struct: 'tars::EndpointF' } } }], result: 'int' },
      findObjectNodeName: { params: [{ name: 'id', tag: 1, out: false, type: 'string' }, { name: 'nodeNames', tag: 2, out: true, type: { vector: 'string' } }], result: 'int' },
      registerChange: { params: [{ name: 'timestamp', tag: 1, out: false, type: { map: ['string', 'string'] } }, { name: 'name', tag: 2, out: false, type: 'string' }], result: 'int' },
      registerQuery: { params: [{ name: 'id', tag: 1, out: false, type: 'string' }, { name: 'name', tag: 2, out: false, type: 'string' }], result: 'int' },
      getLocker: { params: [{ name: 'req', tag: 1, out: false, type: { struct: 'tars::GetMasterSlaveLock' } }], result: 'int' },
    } },
  },
}

/** What implements QueryF in a server. */
export interface QueryFServant {
  /** The active endpoints of an object; unknown objects have none. */
  findObjectById(id: string, current: Current): Answer<EndpointF[]>
  /** Active and inactive endpoints; 0 also when the object is unknown. */
  findObjectById4Any(id: string, current: Current): Answer<{ return: number; activeEp: EndpointF[]; inactiveEp: EndpointF[] }>
  /** As findObjectByIdInSameGroup. */
  findObjectById4All(id: string, current: Current): Answer<{ return: number; activeEp: EndpointF[]; inactiveEp: EndpointF[] }>
  /** Endpoints near the caller first. */
  findObjectByIdInSameGroup(id: string, current: Current): Answer<{ return: number; activeEp: EndpointF[]; inactiveEp: EndpointF[] }>
  /** Endpoints of one station; -1 when there is no such station. */
  findObjectByIdInSameStation(id: string, sStation: string, current: Current): Answer<{ return: number; activeEp: EndpointF[]; inactiveEp: EndpointF[] }>
  /** Endpoints of one set, given as name.area.group; -1 when it has none. */
  findObjectByIdInSameSet(id: string, setId: string, current: Current): Answer<{ return: number; activeEp: EndpointF[]; inactiveEp: EndpointF[] }>
  /** The names of the nodes that serve an object. */
  findObjectNodeName(id: string, current: Current): Answer<{ return: number; nodeNames: string[] }>
  /** Asks to be told of changes by push. */
  registerChange(timestamp: Map<string, string>, name: string, current: Current): Answer<number>
  /** Asks to be told of changes of one object by push. */
  registerQuery(id: string, name: string, current: Current): Answer<number>
  /** 0 master, 1 slave, 2 data error, -1 other. */
  getLocker(req: GetMasterSlaveLock, current: Current): Answer<number>
}

/** What a client calls QueryF with. */
export interface QueryFProxy {
  findObjectById(id: string, options?: CallOptions): Promise<EndpointF[]>
  findObjectById4Any(id: string, options?: CallOptions): Promise<{ return: number; activeEp: EndpointF[]; inactiveEp: EndpointF[] }>
  findObjectById4All(id: string, options?: CallOptions): Promise<{ return: number; activeEp: EndpointF[]; inactiveEp: EndpointF[] }>
  findObjectByIdInSameGroup(id: string, options?: CallOptions): Promise<{ return: number; activeEp: EndpointF[]; inactiveEp: EndpointF[] }>
  findObjectByIdInSameStation(id: string, sStation: string, options?: CallOptions): Promise<{ return: number; activeEp: EndpointF[]; inactiveEp: EndpointF[] }>
  findObjectByIdInSameSet(id: string, setId: string, options?: CallOptions): Promise<{ return: number; activeEp: EndpointF[]; inactiveEp: EndpointF[] }>
  findObjectNodeName(id: string, options?: CallOptions): Promise<{ return: number; nodeNames: string[] }>
  registerChange(timestamp: Map<string, string>, name: string, options?: CallOptions): Promise<number>
  registerQuery(id: string, name: string, options?: CallOptions): Promise<number>
  getLocker(req: GetMasterSlaveLock, options?: CallOptions): Promise<number>
}

const fastQueryF: FastForms = {
  findObjectById: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
    },
    readArgs: (r) => [r.readString(1)],
    writeResult(w, result) {
      writeVectorOfEndpointF(w, 0, result as EndpointF[])
    },
    readResult: (r) => readVectorOfEndpointF(r, 0),
  },
  findObjectById4Any: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
    },
    readArgs: (r) => [r.readString(1)],
    writeResult(w, result) {
      const value = resultObject('findObjectById4Any', result) as { return: number; activeEp: EndpointF[]; inactiveEp: EndpointF[] }
      w.writeInt(0, value.return)
      writeVectorOfEndpointF(w, 2, value.activeEp)
      writeVectorOfEndpointF(w, 3, value.inactiveEp)
    },
    readResult: (r) => ({
      return: r.readInt(0),
      activeEp: readVectorOfEndpointF(r, 2),
      inactiveEp: readVectorOfEndpointF(r, 3),
    }),
  },
  findObjectById4All: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
    },
    readArgs: (r) => [r.readString(1)],
    writeResult(w, result) {
      const value = resultObject('findObjectById4All', result) as { return: number; activeEp: EndpointF[]; inactiveEp: EndpointF[] }
      w.writeInt(0, value.return)
      writeVectorOfEndpointF(w, 2, value.activeEp)
      writeVectorOfEndpointF(w, 3, value.inactiveEp)
    },
    readResult: (r) => ({
      return: r.readInt(0),
      activeEp: readVectorOfEndpointF(r, 2),
      inactiveEp: readVectorOfEndpointF(r, 3),
    }),
  },
  findObjectByIdInSameGroup: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
    },
    readArgs: (r) => [r.readString(1)],
    writeResult(w, result) {
      const value = resultObject('findObjectByIdInSameGroup', result) as { return: number; activeEp: EndpointF[]; inactiveEp: EndpointF[] }
      w.writeInt(0, value.return)
      writeVectorOfEndpointF(w, 2, value.activeEp)
      writeVectorOfEndpointF(w, 3, value.inactiveEp)
    },
    readResult: (r) => ({
      return: r.readInt(0),
      activeEp: readVectorOfEndpointF(r, 2),
      inactiveEp: readVectorOfEndpointF(r, 3),
    }),
  },
  findObjectByIdInSameStation: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
      w.writeString(2, args[1] as string)
    },
    readArgs: (r) => [r.readString(1), r.readString(2)],
    writeResult(w, result) {
      const value = resultObject('findObjectByIdInSameStation', result) as { return: number; activeEp: EndpointF[]; inactiveEp: EndpointF[] }
      w.writeInt(0, value.return)
      writeVectorOfEndpointF(w, 3, value.activeEp)
      writeVectorOfEndpointF(w, 4, value.inactiveEp)
    },
    readResult: (r) => ({
      return: r.readInt(0),
      activeEp: readVectorOfEndpointF(r, 3),
      inactiveEp: readVectorOfEndpointF(r, 4),
    }),
  },
  findObjectByIdInSameSet: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
      w.writeString(2, args[1] as string)
    },
    readArgs: (r) => [r.readString(1), r.readString(2)],
    writeResult(w, result) {
      const value = resultObject('findObjectByIdInSameSet', result) as { return: number; activeEp: EndpointF[]; inactiveEp: EndpointF[] }
      w.writeInt(0, value.return)
      writeVectorOfEndpointF(w, 3, value.activeEp)
      writeVectorOfEndpointF(w, 4, value.inactiveEp)
    },
    readResult: (r) => ({
      return: r.readInt(0),
      activeEp: readVectorOfEndpointF(r, 3),
      inactiveEp: readVectorOfEndpointF(r, 4),
    }),
  },
  findObjectNodeName: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
    },
    readArgs: (r) => [r.readString(1)],
    writeResult(w, result) {
      const value = resultObject('findObjectNodeName', result) as { return: number; nodeNames: string[] }
      w.writeInt(0, value.return)
      writeVectorOfString(w, 2, value.nodeNames)
    },
    readResult: (r) => ({
      return: r.readInt(0),
      nodeNames: readVectorOfString(r, 2),
    }),
  },
  registerChange: {
    writeArgs(w, args) {
      writeMapOfStringString(w, 1, args[0] as Map<string, string>)
      w.writeString(2, args[1] as string)
    },
    readArgs: (r) => [readMapOfStringString(r, 1), r.readString(2)],
    writeResult(w, result) {
      w.writeInt(0, result as number)
    },
    readResult: (r) => r.readInt(0),
  },
  registerQuery: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
      w.writeString(2, args[1] as string)
    },
    readArgs: (r) => [r.readString(1), r.readString(2)],
    writeResult(w, result) {
      w.writeInt(0, result as number)
    },
    readResult: (r) => r.readInt(0),
  },
  getLocker: {
    writeArgs(w, args) {
      writeGetMasterSlaveLock(w, 1, args[0] as GetMasterSlaveLock)
    },
    readArgs: (r) => [readGetMasterSlaveLock(r, 1)],
    writeResult(w, result) {
      w.writeInt(0, result as number)
    },
    readResult: (r) => r.readInt(0),
  },
}

export const QueryF: Interface = defineInterface(QueryFSchema, 'tars::QueryF', fastQueryF)
