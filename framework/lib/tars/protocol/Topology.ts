// Generated from Topology.tars by the Tars IDL generator; change that file and generate again.
import type { CallOptions } from '#tars/client.ts'
import type { Reader } from '#tars/codec/reader.ts'
import { encodeFailure } from '#tars/codec/wire.ts'
import type { Writer } from '#tars/codec/writer.ts'
import type { Answer } from '#tars/idl/answer.ts'
import { listLength, resultObject } from '#tars/idl/checks.ts'
import { defineInterface, type FastForms, type Interface } from '#tars/idl/interface.ts'
import type { Schema } from '#tars/idl/schema.ts'
import type { Current } from '#tars/server.ts'

export interface Vertex {
  vertex: string
  callCount: bigint
  callTime: bigint
}

export function createVertex(given: Partial<Vertex> = {}): Vertex {
  return {
    vertex: given.vertex ?? '',
    callCount: given.callCount ?? 0n,
    callTime: given.callTime ?? 0n,
  }
}

export function writeVertex(w: Writer, tag: number, value: Vertex): void {
  if (typeof value !== 'object' || value === null) throw encodeFailure('struct tars::Vertex', tag, value)
  w.beginStruct(tag)
  w.writeString(0, value.vertex)
  w.writeLong(1, value.callCount)
  w.writeLong(2, value.callTime)
  w.endStruct()
}

export function readVertex(r: Reader, tag: number, optional = false): Vertex {
  if (!r.beginStruct(tag)) return optional ? createVertex() : r.missing(tag)
  const value = {
    vertex: r.readString(0),
    callCount: r.readLong(1),
    callTime: r.readLong(2),
  }
  r.endStruct()
  return value
}

export interface Edge {
  fromVertex: string
  toVertex: string
  callCount: bigint
  callTime: bigint
  /** From here on of one call; empty and 0 where calls are summed up, or it is not known. */
  spanId: string
  csTime: bigint
  srTime: bigint
  ssTime: bigint
  crTime: bigint
  csData: string
  srData: string
  ssData: string
  crData: string
  ret: string
  /** How deep in the chain of calls. */
  order: number
}

export function createEdge(given: Partial<Edge> = {}): Edge {
  return {
    fromVertex: given.fromVertex ?? '',
    toVertex: given.toVertex ?? '',
    callCount: given.callCount ?? 0n,
    callTime: given.callTime ?? 0n,
    spanId: given.spanId ?? '',
    csTime: given.csTime ?? 0n,
    srTime: given.srTime ?? 0n,
    ssTime: given.ssTime ?? 0n,
    crTime: given.crTime ?? 0n,
    csData: given.csData ?? '',
    srData: given.srData ?? '',
    ssData: given.ssData ?? '',
    crData: given.crData ?? '',
    ret: given.ret ?? '',
    order: given.order ?? 0,
  }
}

export function writeEdge(w: Writer, tag: number, value: Edge): void {
  if (typeof value !== 'object' || value === null) throw encodeFailure('struct tars::Edge', tag, value)
  w.beginStruct(tag)
  w.writeString(0, value.fromVertex)
  w.writeString(1, value.toVertex)
  w.writeLong(2, value.callCount)
  w.writeLong(3, value.callTime)
  w.writeString(4, value.spanId)
  w.writeLong(5, value.csTime)
  w.writeLong(6, value.srTime)
  w.writeLong(7, value.ssTime)
  w.writeLong(8, value.crTime)
  w.writeString(9, value.csData)
  w.writeString(10, value.srData)
  w.writeString(11, value.ssData)
  w.writeString(12, value.crData)
  w.writeString(13, value.ret)
  w.writeInt(14, value.order)
  w.endStruct()
}

export function readEdge(r: Reader, tag: number, optional = false): Edge {
  if (!r.beginStruct(tag)) return optional ? createEdge() : r.missing(tag)
  const value = {
    fromVertex: r.readString(0),
    toVertex: r.readString(1),
    callCount: r.readLong(2),
    callTime: r.readLong(3),
    spanId: r.readString(4),
    csTime: r.readLong(5, 0n),
    srTime: r.readLong(6, 0n),
    ssTime: r.readLong(7, 0n),
    crTime: r.readLong(8, 0n),
    csData: r.readString(9),
    srData: r.readString(10),
    ssData: r.readString(11),
    crData: r.readString(12),
    ret: r.readString(13),
    order: r.readInt(14, 0),
  }
  r.endStruct()
  return value
}

export interface Graph {
  vs: Vertex[]
  es: Edge[]
}

export function createGraph(given: Partial<Graph> = {}): Graph {
  return {
    vs: given.vs ?? [],
    es: given.es ?? [],
  }
}

export function writeGraph(w: Writer, tag: number, value: Graph): void {
  if (typeof value !== 'object' || value === null) throw encodeFailure('struct tars::Graph', tag, value)
  w.beginStruct(tag)
  writeVectorOfVertex(w, 0, value.vs)
  writeVectorOfEdge(w, 1, value.es)
  w.endStruct()
}

export function readGraph(r: Reader, tag: number, optional = false): Graph {
  if (!r.beginStruct(tag)) return optional ? createGraph() : r.missing(tag)
  const value = {
    vs: readVectorOfVertex(r, 0),
    es: readVectorOfEdge(r, 1),
  }
  r.endStruct()
  return value
}

export interface Summary {
  name: string
  startTime: bigint
  endTime: bigint
}

export function createSummary(given: Partial<Summary> = {}): Summary {
  return {
    name: given.name ?? '',
    startTime: given.startTime ?? 0n,
    endTime: given.endTime ?? 0n,
  }
}

export function writeSummary(w: Writer, tag: number, value: Summary): void {
  if (typeof value !== 'object' || value === null) throw encodeFailure('struct tars::Summary', tag, value)
  w.beginStruct(tag)
  w.writeString(0, value.name)
  w.writeLong(1, value.startTime)
  w.writeLong(2, value.endTime)
  w.endStruct()
}

export function readSummary(r: Reader, tag: number, optional = false): Summary {
  if (!r.beginStruct(tag)) return optional ? createSummary() : r.missing(tag)
  const value = {
    name: r.readString(0),
    startTime: r.readLong(1),
    endTime: r.readLong(2),
  }
  r.endStruct()
  return value
}

function writeVectorOfVertex(w: Writer, tag: number, value: Vertex[]): void {
  w.beginList(tag, listLength(tag, value))
  for (const element of value) writeVertex(w, 0, element)
}

function readVectorOfVertex(r: Reader, tag: number): Vertex[] {
  const out: Vertex[] = []
  const count = r.beginList(tag)
  for (let i = 0; i < count; i++) out.push(readVertex(r, 0))
  return out
}

function writeVectorOfEdge(w: Writer, tag: number, value: Edge[]): void {
  w.beginList(tag, listLength(tag, value))
  for (const element of value) writeEdge(w, 0, element)
}

function readVectorOfEdge(r: Reader, tag: number): Edge[] {
  const out: Edge[] = []
  const count = r.beginList(tag)
  for (let i = 0; i < count; i++) out.push(readEdge(r, 0))
  return out
}

function writeVectorOfGraph(w: Writer, tag: number, value: Graph[]): void {
  w.beginList(tag, listLength(tag, value))
  for (const element of value) writeGraph(w, 0, element)
}

function readVectorOfGraph(r: Reader, tag: number): Graph[] {
  const out: Graph[] = []
  const count = r.beginList(tag)
  for (let i = 0; i < count; i++) out.push(readGraph(r, 0))
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

function writeVectorOfSummary(w: Writer, tag: number, value: Summary[]): void {
  w.beginList(tag, listLength(tag, value))
  for (const element of value) writeSummary(w, 0, element)
}

function readVectorOfSummary(r: Reader, tag: number): Summary[] {
  const out: Summary[] = []
  const count = r.beginList(tag)
  for (let i = 0; i < count; i++) out.push(readSummary(r, 0))
  return out
}

/** What the .tars file says, as data. */
export const TopologySchema: Schema = {
  structs: {
    'tars::Vertex': { fields: [
      { tag: 0, name: 'vertex', required: true, type: 'string' },
      { tag: 1, name: 'callCount', required: true, type: 'long' },
      { tag: 2, name: 'callTime', required: true, type: 'long' },
    ] },
    'tars::Edge': { fields: [
      { tag: 0, name: 'fromVertex', required: true, type: 'string' },
      { tag: 1, name: 'toVertex', required: true, type: 'string' },
      { tag: 2, name: 'callCount', required: true, type: 'long' },
      { tag: 3, name: 'callTime', required: true, type: 'long' },
      { tag: 4, name: 'spanId', required: false, type: 'string' },
      { tag: 5, name: 'csTime', required: false, type: 'long' },
      { tag: 6, name: 'srTime', required: false, type: 'long' },
      { tag: 7, name: 'ssTime', required: false, type: 'long' },
      { tag: 8, name: 'crTime', required: false, type: 'long' },
      { tag: 9, name: 'csData', required: false, type: 'string' },
      { tag: 10, name: 'srData', required: false, type: 'string' },
      { tag: 11, name: 'ssData', required: false, type: 'string' },
      { tag: 12, name: 'crData', required: false, type: 'string' },
      { tag: 13, name: 'ret', required: false, type: 'string' },
      { tag: 14, name: 'order', required: false, type: 'int' },
    ] },
    'tars::Graph': { fields: [
      { tag: 0, name: 'vs', required: true, type: { vector: { struct: 'tars::Vertex' } } },
      { tag: 1, name: 'es', required: true, type: { vector: { struct: 'tars::Edge' } } },
    ] },
    'tars::Summary': { fields: [
      { tag: 0, name: 'name', required: true, type: 'string' },
      { tag: 1, name: 'startTime', required: true, type: 'long' },
      { tag: 2, name: 'endTime', required: true, type: 'long' },
    ] },
  },
  enums: {},
  constants: {},
  interfaces: {
    'tars::Topology': { functions: {
      graphServer: { params: [{ name: 'date', tag: 1, out: false, type: 'string' }, { name: 'serverName', tag: 2, out: false, type: 'string' }, { name: 'graph', tag: 3, out: true, type: { vector: { struct: 'tars::Graph' } } }], result: 'int' },
      graphFunction: { params: [{ name: 'date', tag: 1, out: false, type: 'string' }, { name: 'functionName', tag: 2, out: false, type: 'string' }, { name: 'graph', tag: 3, out: true, type: { vector: { struct: 'tars::Graph' } } }], result: 'int' },
      graphTrace: { params: [{ name: 'date', tag: 1, out: false, type: 'string' }, { name: 'traceId', tag: 2, out: false, type: 'string' }, { name: 'graph', tag: 3, out: true, type: { struct: 'tars::Graph' } }], result: 'int' },
      listFunction: { params: [{ name: 'date', tag: 1, out: false, type: 'string' }, { name: 'serverName', tag: 2, out: false, type: 'string' }, { name: 'fs', tag: 3, out: true, type: { vector: 'string' } }], result: 'int' },
      listTrace: { params: [{ name: 'date', tag: 1, out: false, type: 'string' }, { name: 'serverName', tag: 2, out: false, type: 'string' }, { name: 'ts', tag: 3, out: true, type: { vector: 'string' } }], result: 'int' },
      listTraceSummary: { params: [{ name: 'date', tag: 1, out: false, type: 'string' }, { name: 'beginTime', tag: 2, out: false, type: 'long' }, { name: 'endTime', tag: 3, out: false, type: 'long' }, { name: 'serverName', tag: 4, out: false, type: 'string' }, { name: 'ts', tag: 5, out: true, type: { vector: { struct: 'tars::Summary' } } }], result: 'int' },
    } },
  },
}

/** What implements Topology in a server. */
export interface TopologyServant {
  /** Kinds of call chains of a day that a server takes part in. */
  graphServer(date: string, serverName: string, current: Current): Answer<{ return: number; graph: Graph[] }>
  /** The same of a function, App.Server.function. */
  graphFunction(date: string, functionName: string, current: Current): Answer<{ return: number; graph: Graph[] }>
  graphTrace(date: string, traceId: string, current: Current): Answer<{ return: number; graph: Graph }>
  listFunction(date: string, serverName: string, current: Current): Answer<{ return: number; fs: string[] }>
  listTrace(date: string, serverName: string, current: Current): Answer<{ return: number; ts: string[] }>
  listTraceSummary(date: string, beginTime: bigint, endTime: bigint, serverName: string, current: Current): Answer<{ return: number; ts: Summary[] }>
}

/** What a client calls Topology with. */
export interface TopologyProxy {
  graphServer(date: string, serverName: string, options?: CallOptions): Promise<{ return: number; graph: Graph[] }>
  graphFunction(date: string, functionName: string, options?: CallOptions): Promise<{ return: number; graph: Graph[] }>
  graphTrace(date: string, traceId: string, options?: CallOptions): Promise<{ return: number; graph: Graph }>
  listFunction(date: string, serverName: string, options?: CallOptions): Promise<{ return: number; fs: string[] }>
  listTrace(date: string, serverName: string, options?: CallOptions): Promise<{ return: number; ts: string[] }>
  listTraceSummary(date: string, beginTime: bigint, endTime: bigint, serverName: string, options?: CallOptions): Promise<{ return: number; ts: Summary[] }>
}

const fastTopology: FastForms = {
  graphServer: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
      w.writeString(2, args[1] as string)
    },
    readArgs: (r) => [r.readString(1), r.readString(2)],
    writeResult(w, result) {
      const value = resultObject('graphServer', result) as { return: number; graph: Graph[] }
      w.writeInt(0, value.return)
      writeVectorOfGraph(w, 3, value.graph)
    },
    readResult: (r) => ({
      return: r.readInt(0),
      graph: readVectorOfGraph(r, 3),
    }),
  },
  graphFunction: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
      w.writeString(2, args[1] as string)
    },
    readArgs: (r) => [r.readString(1), r.readString(2)],
    writeResult(w, result) {
      const value = resultObject('graphFunction', result) as { return: number; graph: Graph[] }
      w.writeInt(0, value.return)
      writeVectorOfGraph(w, 3, value.graph)
    },
    readResult: (r) => ({
      return: r.readInt(0),
      graph: readVectorOfGraph(r, 3),
    }),
  },
  graphTrace: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
      w.writeString(2, args[1] as string)
    },
    readArgs: (r) => [r.readString(1), r.readString(2)],
    writeResult(w, result) {
      const value = resultObject('graphTrace', result) as { return: number; graph: Graph }
      w.writeInt(0, value.return)
      writeGraph(w, 3, value.graph)
    },
    readResult: (r) => ({
      return: r.readInt(0),
      graph: readGraph(r, 3),
    }),
  },
  listFunction: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
      w.writeString(2, args[1] as string)
    },
    readArgs: (r) => [r.readString(1), r.readString(2)],
    writeResult(w, result) {
      const value = resultObject('listFunction', result) as { return: number; fs: string[] }
      w.writeInt(0, value.return)
      writeVectorOfString(w, 3, value.fs)
    },
    readResult: (r) => ({
      return: r.readInt(0),
      fs: readVectorOfString(r, 3),
    }),
  },
  listTrace: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
      w.writeString(2, args[1] as string)
    },
    readArgs: (r) => [r.readString(1), r.readString(2)],
    writeResult(w, result) {
      const value = resultObject('listTrace', result) as { return: number; ts: string[] }
      w.writeInt(0, value.return)
      writeVectorOfString(w, 3, value.ts)
    },
    readResult: (r) => ({
      return: r.readInt(0),
      ts: readVectorOfString(r, 3),
    }),
  },
  listTraceSummary: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
      w.writeLong(2, args[1] as bigint)
      w.writeLong(3, args[2] as bigint)
      w.writeString(4, args[3] as string)
    },
    readArgs: (r) => [r.readString(1), r.readLong(2), r.readLong(3), r.readString(4)],
    writeResult(w, result) {
      const value = resultObject('listTraceSummary', result) as { return: number; ts: Summary[] }
      w.writeInt(0, value.return)
      writeVectorOfSummary(w, 5, value.ts)
    },
    readResult: (r) => ({
      return: r.readInt(0),
      ts: readVectorOfSummary(r, 5),
    }),
  },
}

export const Topology: Interface = defineInterface(TopologySchema, 'tars::Topology', fastTopology)
