// Generated from NativeDescriptor.tars by the Tars IDL generator; change that file and generate again.
import type { Reader } from '#tars/codec/reader.ts'
import { encodeFailure } from '#tars/codec/wire.ts'
import type { Writer } from '#tars/codec/writer.ts'
import { mapSize } from '#tars/idl/checks.ts'
import type { Schema } from '#tars/idl/schema.ts'

export interface NativeAdapterDescriptor {
  adapterName: string
  threadNum: string
  endpoint: string
  maxConnections: number
  allowIp: string
  servant: string
  queuecap: number
  /** Milliseconds. */
  queuetimeout: number
  grid: number
  protocol: string
  handlegroup: string
  shmkey: number
  shmcap: number
}

export function createNativeAdapterDescriptor(given: Partial<NativeAdapterDescriptor> = {}): NativeAdapterDescriptor {
  return {
    adapterName: given.adapterName ?? '',
    threadNum: given.threadNum ?? '',
    endpoint: given.endpoint ?? '',
    maxConnections: given.maxConnections ?? 0,
    allowIp: given.allowIp ?? '',
    servant: given.servant ?? '',
    queuecap: given.queuecap ?? 0,
    queuetimeout: given.queuetimeout ?? 0,
    grid: given.grid ?? 0,
    protocol: given.protocol ?? '',
    handlegroup: given.handlegroup ?? '',
    shmkey: given.shmkey ?? 0,
    shmcap: given.shmcap ?? 0,
  }
}

export function writeNativeAdapterDescriptor(w: Writer, tag: number, value: NativeAdapterDescriptor): void {
  if (typeof value !== 'object' || value === null) throw encodeFailure('struct tars::NativeAdapterDescriptor', tag, value)
  w.beginStruct(tag)
  w.writeString(0, value.adapterName)
  w.writeString(1, value.threadNum)
  w.writeString(2, value.endpoint)
  w.writeInt(3, value.maxConnections)
  w.writeString(4, value.allowIp)
  w.writeString(5, value.servant)
  w.writeInt(6, value.queuecap)
  w.writeInt(7, value.queuetimeout)
  w.writeInt(8, value.grid)
  w.writeString(9, value.protocol)
  w.writeString(10, value.handlegroup)
  w.writeInt(11, value.shmkey)
  w.writeInt(12, value.shmcap)
  w.endStruct()
}

export function readNativeAdapterDescriptor(r: Reader, tag: number, optional = false): NativeAdapterDescriptor {
  if (!r.beginStruct(tag)) return optional ? createNativeAdapterDescriptor() : r.missing(tag)
  const value = {
    adapterName: r.readString(0),
    threadNum: r.readString(1),
    endpoint: r.readString(2),
    maxConnections: r.readInt(3),
    allowIp: r.readString(4),
    servant: r.readString(5),
    queuecap: r.readInt(6),
    queuetimeout: r.readInt(7),
    grid: r.readInt(8),
    protocol: r.readString(9),
    handlegroup: r.readString(10),
    shmkey: r.readInt(11, 0),
    shmcap: r.readInt(12, 0),
  }
  r.endStruct()
  return value
}

export interface NativeServerDescriptor {
  application: string
  serverName: string
  nodeName: string
  basePath: string
  exePath: string
  settingState: string
  presentState: string
  profile: string
  patchVersion: string
  patchTime: string
  patchUser: string
  adapters: Map<string, NativeAdapterDescriptor>
  serverType: string
  startScript: string
  stopScript: string
  monitorScript: string
  configCenterPort: number
  asyncThreadNum: number
  setId: string
  sJmx_port: string
  runType: string
  baseImage: string
  sha: string
  baseImageId: string
}

export function createNativeServerDescriptor(given: Partial<NativeServerDescriptor> = {}): NativeServerDescriptor {
  return {
    application: given.application ?? '',
    serverName: given.serverName ?? '',
    nodeName: given.nodeName ?? '',
    basePath: given.basePath ?? '',
    exePath: given.exePath ?? '',
    settingState: given.settingState ?? '',
    presentState: given.presentState ?? '',
    profile: given.profile ?? '',
    patchVersion: given.patchVersion ?? '',
    patchTime: given.patchTime ?? '',
    patchUser: given.patchUser ?? '',
    adapters: given.adapters ?? new Map(),
    serverType: given.serverType ?? '',
    startScript: given.startScript ?? '',
    stopScript: given.stopScript ?? '',
    monitorScript: given.monitorScript ?? '',
    configCenterPort: given.configCenterPort ?? 0,
    asyncThreadNum: given.asyncThreadNum ?? 0,
    setId: given.setId ?? '',
    sJmx_port: given.sJmx_port ?? '',
    runType: given.runType ?? '',
    baseImage: given.baseImage ?? '',
    sha: given.sha ?? '',
    baseImageId: given.baseImageId ?? '',
  }
}

export function writeNativeServerDescriptor(w: Writer, tag: number, value: NativeServerDescriptor): void {
  if (typeof value !== 'object' || value === null) throw encodeFailure('struct tars::NativeServerDescriptor', tag, value)
  w.beginStruct(tag)
  w.writeString(0, value.application)
  w.writeString(1, value.serverName)
  w.writeString(2, value.nodeName)
  w.writeString(3, value.basePath)
  w.writeString(4, value.exePath)
  w.writeString(5, value.settingState)
  w.writeString(6, value.presentState)
  w.writeString(7, value.profile)
  w.writeString(8, value.patchVersion)
  w.writeString(9, value.patchTime)
  w.writeString(10, value.patchUser)
  writeMapOfStringNativeAdapterDescriptor(w, 11, value.adapters)
  w.writeString(12, value.serverType)
  w.writeString(13, value.startScript)
  w.writeString(14, value.stopScript)
  w.writeString(15, value.monitorScript)
  w.writeInt(16, value.configCenterPort)
  w.writeInt(17, value.asyncThreadNum)
  w.writeString(18, value.setId)
  w.writeString(19, value.sJmx_port)
  w.writeString(20, value.runType)
  w.writeString(21, value.baseImage)
  w.writeString(22, value.sha)
  w.writeString(23, value.baseImageId)
  w.endStruct()
}

export function readNativeServerDescriptor(r: Reader, tag: number, optional = false): NativeServerDescriptor {
  if (!r.beginStruct(tag)) return optional ? createNativeServerDescriptor() : r.missing(tag)
  const value = {
    application: r.readString(0),
    serverName: r.readString(1),
    nodeName: r.readString(2),
    basePath: r.readString(3),
    exePath: r.readString(4),
    settingState: r.readString(5),
    presentState: r.readString(6),
    profile: r.readString(7),
    patchVersion: r.readString(8),
    patchTime: r.readString(9),
    patchUser: r.readString(10),
    adapters: readMapOfStringNativeAdapterDescriptor(r, 11),
    serverType: r.readString(12),
    startScript: r.readString(13),
    stopScript: r.readString(14),
    monitorScript: r.readString(15),
    configCenterPort: r.readInt(16, 0),
    asyncThreadNum: r.readInt(17, 0),
    setId: r.readString(18),
    sJmx_port: r.readString(19),
    runType: r.readString(20),
    baseImage: r.readString(21),
    sha: r.readString(22),
    baseImageId: r.readString(23),
  }
  r.endStruct()
  return value
}

function writeMapOfStringNativeAdapterDescriptor(w: Writer, tag: number, value: Map<string, NativeAdapterDescriptor>): void {
  w.beginMap(tag, mapSize(tag, value))
  for (const [key, element] of value) {
    w.writeString(0, key)
    writeNativeAdapterDescriptor(w, 1, element)
  }
}

function readMapOfStringNativeAdapterDescriptor(r: Reader, tag: number): Map<string, NativeAdapterDescriptor> {
  const out: Map<string, NativeAdapterDescriptor> = new Map()
  const count = r.beginMap(tag)
  for (let i = 0; i < count; i++) {
    r.expect(0)
    const key = r.readString(0)
    out.set(key, readNativeAdapterDescriptor(r, 1))
  }
  return out
}

/** What the .tars file says, as data. */
export const NativeDescriptorSchema: Schema = {
  structs: {
    'tars::NativeAdapterDescriptor': { fields: [
      { tag: 0, name: 'adapterName', required: true, type: 'string' },
      { tag: 1, name: 'threadNum', required: true, type: 'string' },
      { tag: 2, name: 'endpoint', required: true, type: 'string' },
      { tag: 3, name: 'maxConnections', required: true, type: 'int' },
      { tag: 4, name: 'allowIp', required: true, type: 'string' },
      { tag: 5, name: 'servant', required: true, type: 'string' },
      { tag: 6, name: 'queuecap', required: true, type: 'int' },
      { tag: 7, name: 'queuetimeout', required: true, type: 'int' },
      { tag: 8, name: 'grid', required: true, type: 'int' },
      { tag: 9, name: 'protocol', required: false, type: 'string' },
      { tag: 10, name: 'handlegroup', required: false, type: 'string' },
      { tag: 11, name: 'shmkey', required: false, type: 'int', default: 0 },
      { tag: 12, name: 'shmcap', required: false, type: 'int', default: 0 },
    ] },
    'tars::NativeServerDescriptor': { fields: [
      { tag: 0, name: 'application', required: true, type: 'string' },
      { tag: 1, name: 'serverName', required: true, type: 'string' },
      { tag: 2, name: 'nodeName', required: true, type: 'string' },
      { tag: 3, name: 'basePath', required: true, type: 'string' },
      { tag: 4, name: 'exePath', required: true, type: 'string' },
      { tag: 5, name: 'settingState', required: true, type: 'string' },
      { tag: 6, name: 'presentState', required: true, type: 'string' },
      { tag: 7, name: 'profile', required: true, type: 'string' },
      { tag: 8, name: 'patchVersion', required: true, type: 'string' },
      { tag: 9, name: 'patchTime', required: true, type: 'string' },
      { tag: 10, name: 'patchUser', required: true, type: 'string' },
      { tag: 11, name: 'adapters', required: true, type: { map: ['string', { struct: 'tars::NativeAdapterDescriptor' }] } },
      { tag: 12, name: 'serverType', required: false, type: 'string' },
      { tag: 13, name: 'startScript', required: false, type: 'string' },
      { tag: 14, name: 'stopScript', required: false, type: 'string' },
      { tag: 15, name: 'monitorScript', required: false, type: 'string' },
      { tag: 16, name: 'configCenterPort', required: false, type: 'int' },
      { tag: 17, name: 'asyncThreadNum', required: false, type: 'int' },
      { tag: 18, name: 'setId', required: false, type: 'string' },
      { tag: 19, name: 'sJmx_port', required: false, type: 'string' },
      { tag: 20, name: 'runType', required: false, type: 'string' },
      { tag: 21, name: 'baseImage', required: false, type: 'string' },
      { tag: 22, name: 'sha', required: false, type: 'string' },
      { tag: 23, name: 'baseImageId', required: false, type: 'string' },
    ] },
  },
  enums: {},
  constants: {},
  interfaces: {},
}
