// Generated from NodeDescriptor.tars by the Tars IDL generator; change that file and generate again.
import type { Reader } from '#tars/codec/reader.ts'
import { encodeFailure } from '#tars/codec/wire.ts'
import type { Writer } from '#tars/codec/writer.ts'
import { mapSize } from '#tars/idl/checks.ts'
import type { Schema } from '#tars/idl/schema.ts'

/** States by number, as native nodes report them; on Kubernetes only the names travel, as text. */
export const ServerState = { Inactive: 0, Activating: 1, Active: 2, Deactivating: 3, Destroying: 4, Destroyed: 5 } as const
export type ServerState = (typeof ServerState)[keyof typeof ServerState]

export interface LoadInfo {
  avg1: number
  avg5: number
  avg15: number
  /** Percent. */
  avgCpu: number
}

export function createLoadInfo(given: Partial<LoadInfo> = {}): LoadInfo {
  return {
    avg1: given.avg1 ?? 0,
    avg5: given.avg5 ?? 0,
    avg15: given.avg15 ?? 0,
    avgCpu: given.avgCpu ?? 0,
  }
}

export function writeLoadInfo(w: Writer, tag: number, value: LoadInfo): void {
  if (typeof value !== 'object' || value === null) throw encodeFailure('struct tars::LoadInfo', tag, value)
  w.beginStruct(tag)
  w.writeFloat(0, value.avg1)
  w.writeFloat(1, value.avg5)
  w.writeFloat(2, value.avg15)
  w.writeInt(3, value.avgCpu)
  w.endStruct()
}

export function readLoadInfo(r: Reader, tag: number, optional = false): LoadInfo {
  if (!r.beginStruct(tag)) return optional ? createLoadInfo() : r.missing(tag)
  const value = {
    avg1: r.readFloat(0),
    avg5: r.readFloat(1),
    avg15: r.readFloat(2),
    avgCpu: r.readInt(3, 0),
  }
  r.endStruct()
  return value
}

export interface NodeInfo {
  nodeName: string
  nodeObj: string
  endpointIp: string
  endpointPort: number
  timeOut: number
  dataDir: string
  version: string
  coreFileSize: string
  openFiles: number
}

export function createNodeInfo(given: Partial<NodeInfo> = {}): NodeInfo {
  return {
    nodeName: given.nodeName ?? '',
    nodeObj: given.nodeObj ?? '',
    endpointIp: given.endpointIp ?? '',
    endpointPort: given.endpointPort ?? 0,
    timeOut: given.timeOut ?? 0,
    dataDir: given.dataDir ?? '',
    version: given.version ?? '',
    coreFileSize: given.coreFileSize ?? '',
    openFiles: given.openFiles ?? 0,
  }
}

export function writeNodeInfo(w: Writer, tag: number, value: NodeInfo): void {
  if (typeof value !== 'object' || value === null) throw encodeFailure('struct tars::NodeInfo', tag, value)
  w.beginStruct(tag)
  w.writeString(0, value.nodeName)
  w.writeString(1, value.nodeObj)
  w.writeString(2, value.endpointIp)
  w.writeInt(3, value.endpointPort)
  w.writeShort(4, value.timeOut)
  w.writeString(5, value.dataDir)
  w.writeString(6, value.version)
  w.writeString(7, value.coreFileSize)
  w.writeInt(8, value.openFiles)
  w.endStruct()
}

export function readNodeInfo(r: Reader, tag: number, optional = false): NodeInfo {
  if (!r.beginStruct(tag)) return optional ? createNodeInfo() : r.missing(tag)
  const value = {
    nodeName: r.readString(0),
    nodeObj: r.readString(1),
    endpointIp: r.readString(2),
    endpointPort: r.readInt(3),
    timeOut: r.readShort(4),
    dataDir: r.readString(5),
    version: r.readString(6),
    coreFileSize: r.readString(7),
    openFiles: r.readInt(8, 0),
  }
  r.endStruct()
  return value
}

export interface ReportNode {
  nodeName: string
  /** One a process. */
  sid: string
}

export function createReportNode(given: Partial<ReportNode> = {}): ReportNode {
  return {
    nodeName: given.nodeName ?? '',
    sid: given.sid ?? '',
  }
}

export function writeReportNode(w: Writer, tag: number, value: ReportNode): void {
  if (typeof value !== 'object' || value === null) throw encodeFailure('struct tars::ReportNode', tag, value)
  w.beginStruct(tag)
  w.writeString(0, value.nodeName)
  w.writeString(1, value.sid)
  w.endStruct()
}

export function readReportNode(r: Reader, tag: number, optional = false): ReportNode {
  if (!r.beginStruct(tag)) return optional ? createReportNode() : r.missing(tag)
  const value = {
    nodeName: r.readString(0),
    sid: r.readString(1),
  }
  r.endStruct()
  return value
}

export interface ServerStateInfo {
  serverState: ServerState
  processId: number
  nodeName: string
  application: string
  serverName: string
  settingState: ServerState
  exState: Map<string, string>
}

export function createServerStateInfo(given: Partial<ServerStateInfo> = {}): ServerStateInfo {
  return {
    serverState: given.serverState ?? ServerState.Inactive,
    processId: given.processId ?? 0,
    nodeName: given.nodeName ?? '',
    application: given.application ?? '',
    serverName: given.serverName ?? '',
    settingState: given.settingState ?? ServerState.Inactive,
    exState: given.exState ?? new Map(),
  }
}

export function writeServerStateInfo(w: Writer, tag: number, value: ServerStateInfo): void {
  if (typeof value !== 'object' || value === null) throw encodeFailure('struct tars::ServerStateInfo', tag, value)
  w.beginStruct(tag)
  w.writeInt(0, value.serverState)
  w.writeInt(1, value.processId)
  w.writeString(2, value.nodeName)
  w.writeString(3, value.application)
  w.writeString(4, value.serverName)
  w.writeInt(5, value.settingState)
  writeMapOfStringString(w, 6, value.exState)
  w.endStruct()
}

export function readServerStateInfo(r: Reader, tag: number, optional = false): ServerStateInfo {
  if (!r.beginStruct(tag)) return optional ? createServerStateInfo() : r.missing(tag)
  const value = {
    serverState: r.readInt(0) as ServerState,
    processId: r.readInt(1),
    nodeName: r.readString(2),
    application: r.readString(3),
    serverName: r.readString(4),
    settingState: r.readInt(5, ServerState.Inactive) as ServerState,
    exState: readMapOfStringString(r, 6),
  }
  r.endStruct()
  return value
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
export const NodeDescriptorSchema: Schema = {
  structs: {
    'tars::LoadInfo': { fields: [
      { tag: 0, name: 'avg1', required: true, type: 'float' },
      { tag: 1, name: 'avg5', required: true, type: 'float' },
      { tag: 2, name: 'avg15', required: true, type: 'float' },
      { tag: 3, name: 'avgCpu', required: false, type: 'int' },
    ] },
    'tars::NodeInfo': { fields: [
      { tag: 0, name: 'nodeName', required: true, type: 'string' },
      { tag: 1, name: 'nodeObj', required: true, type: 'string' },
      { tag: 2, name: 'endpointIp', required: true, type: 'string' },
      { tag: 3, name: 'endpointPort', required: true, type: 'int' },
      { tag: 4, name: 'timeOut', required: true, type: 'short' },
      { tag: 5, name: 'dataDir', required: true, type: 'string' },
      { tag: 6, name: 'version', required: false, type: 'string' },
      { tag: 7, name: 'coreFileSize', required: false, type: 'string' },
      { tag: 8, name: 'openFiles', required: false, type: 'int' },
    ] },
    'tars::ReportNode': { fields: [
      { tag: 0, name: 'nodeName', required: true, type: 'string' },
      { tag: 1, name: 'sid', required: true, type: 'string' },
    ] },
    'tars::ServerStateInfo': { fields: [
      { tag: 0, name: 'serverState', required: true, type: { enum: 'tars::ServerState' } },
      { tag: 1, name: 'processId', required: true, type: 'int' },
      { tag: 2, name: 'nodeName', required: false, type: 'string' },
      { tag: 3, name: 'application', required: false, type: 'string' },
      { tag: 4, name: 'serverName', required: false, type: 'string' },
      { tag: 5, name: 'settingState', required: false, type: { enum: 'tars::ServerState' } },
      { tag: 6, name: 'exState', required: false, type: { map: ['string', 'string'] } },
    ] },
  },
  enums: {
    'tars::ServerState': { members: { Inactive: 0, Activating: 1, Active: 2, Deactivating: 3, Destroying: 4, Destroyed: 5 } },
  },
  constants: {},
  interfaces: {},
}
