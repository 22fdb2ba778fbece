// Generated from RegistryDescriptor.tars by the Tars IDL generator; change that file and generate again.
import type { Reader } from '#tars/codec/reader.ts'
import { encodeFailure } from '#tars/codec/wire.ts'
import type { Writer } from '#tars/codec/writer.ts'
import { listLength, mapSize } from '#tars/idl/checks.ts'
import type { Schema } from '#tars/idl/schema.ts'

export interface AdapterDescriptor {
  adapterName: string
  endpoint: string
  threadNum: number
  maxConnections: number
  allowIp: string
  servant: string
  queuecap: number
  /** Milliseconds. */
  queuetimeout: number
  /** tars or not_tars */
  protocol: string
}

export function createAdapterDescriptor(given: Partial<AdapterDescriptor> = {}): AdapterDescriptor {
  return {
    adapterName: given.adapterName ?? '',
    endpoint: given.endpoint ?? '',
    threadNum: given.threadNum ?? 0,
    maxConnections: given.maxConnections ?? 0,
    allowIp: given.allowIp ?? '',
    servant: given.servant ?? '',
    queuecap: given.queuecap ?? 0,
    queuetimeout: given.queuetimeout ?? 0,
    protocol: given.protocol ?? '',
  }
}

export function writeAdapterDescriptor(w: Writer, tag: number, value: AdapterDescriptor): void {
  if (typeof value !== 'object' || value === null) throw encodeFailure('struct tars::AdapterDescriptor', tag, value)
  w.beginStruct(tag)
  w.writeString(0, value.adapterName)
  w.writeString(1, value.endpoint)
  w.writeInt(2, value.threadNum)
  w.writeInt(3, value.maxConnections)
  w.writeString(4, value.allowIp)
  w.writeString(5, value.servant)
  w.writeInt(6, value.queuecap)
  w.writeInt(7, value.queuetimeout)
  w.writeString(8, value.protocol)
  w.endStruct()
}

export function readAdapterDescriptor(r: Reader, tag: number, optional = false): AdapterDescriptor {
  if (!r.beginStruct(tag)) return optional ? createAdapterDescriptor() : r.missing(tag)
  const value = {
    adapterName: r.readString(0),
    endpoint: r.readString(1),
    threadNum: r.readInt(2),
    maxConnections: r.readInt(3),
    allowIp: r.readString(4),
    servant: r.readString(5),
    queuecap: r.readInt(6),
    queuetimeout: r.readInt(7),
    protocol: r.readString(8),
  }
  r.endStruct()
  return value
}

export interface ServerDescriptor {
  /** Configuration text, the template chain joined with the server's own. */
  profile: string
  asyncThreadNum: number
  /** By adapter name. */
  adapters: Map<string, AdapterDescriptor>
  /** Set of the caller's pod, name.area.group; empty when it is in none. Not in the reference. */
  setdivision: string
}

export function createServerDescriptor(given: Partial<ServerDescriptor> = {}): ServerDescriptor {
  return {
    profile: given.profile ?? '',
    asyncThreadNum: given.asyncThreadNum ?? 0,
    adapters: given.adapters ?? new Map(),
    setdivision: given.setdivision ?? '',
  }
}

export function writeServerDescriptor(w: Writer, tag: number, value: ServerDescriptor): void {
  if (typeof value !== 'object' || value === null) throw encodeFailure('struct tars::ServerDescriptor', tag, value)
  w.beginStruct(tag)
  w.writeString(0, value.profile)
  w.writeInt(1, value.asyncThreadNum)
  writeMapOfStringAdapterDescriptor(w, 2, value.adapters)
  w.writeString(3, value.setdivision)
  w.endStruct()
}

export function readServerDescriptor(r: Reader, tag: number, optional = false): ServerDescriptor {
  if (!r.beginStruct(tag)) return optional ? createServerDescriptor() : r.missing(tag)
  const value = {
    profile: r.readString(0),
    asyncThreadNum: r.readInt(1, 0),
    adapters: readMapOfStringAdapterDescriptor(r, 2),
    setdivision: r.readString(3),
  }
  r.endStruct()
  return value
}

export interface PatchResult {
  sApplication: string
  sServerName: string
  sNodeName: string
  sVersion: string
  sUserName: string
}

export function createPatchResult(given: Partial<PatchResult> = {}): PatchResult {
  return {
    sApplication: given.sApplication ?? '',
    sServerName: given.sServerName ?? '',
    sNodeName: given.sNodeName ?? '',
    sVersion: given.sVersion ?? '',
    sUserName: given.sUserName ?? '',
  }
}

export function writePatchResult(w: Writer, tag: number, value: PatchResult): void {
  if (typeof value !== 'object' || value === null) throw encodeFailure('struct tars::PatchResult', tag, value)
  w.beginStruct(tag)
  w.writeString(0, value.sApplication)
  w.writeString(1, value.sServerName)
  w.writeString(2, value.sNodeName)
  w.writeString(3, value.sVersion)
  w.writeString(4, value.sUserName)
  w.endStruct()
}

export function readPatchResult(r: Reader, tag: number, optional = false): PatchResult {
  if (!r.beginStruct(tag)) return optional ? createPatchResult() : r.missing(tag)
  const value = {
    sApplication: r.readString(0),
    sServerName: r.readString(1),
    sNodeName: r.readString(2),
    sVersion: r.readString(3),
    sUserName: r.readString(4),
  }
  r.endStruct()
  return value
}

export interface BaseImageInfo {
  id: string
  image: string
  registryId: string
  sha: string
}

export function createBaseImageInfo(given: Partial<BaseImageInfo> = {}): BaseImageInfo {
  return {
    id: given.id ?? '',
    image: given.image ?? '',
    registryId: given.registryId ?? '',
    sha: given.sha ?? '',
  }
}

export function writeBaseImageInfo(w: Writer, tag: number, value: BaseImageInfo): void {
  if (typeof value !== 'object' || value === null) throw encodeFailure('struct tars::BaseImageInfo', tag, value)
  w.beginStruct(tag)
  w.writeString(0, value.id)
  w.writeString(1, value.image)
  w.writeString(2, value.registryId)
  w.writeString(3, value.sha)
  w.endStruct()
}

export function readBaseImageInfo(r: Reader, tag: number, optional = false): BaseImageInfo {
  if (!r.beginStruct(tag)) return optional ? createBaseImageInfo() : r.missing(tag)
  const value = {
    id: r.readString(0),
    image: r.readString(1),
    registryId: r.readString(2),
    sha: r.readString(3),
  }
  r.endStruct()
  return value
}

export interface DockerRegistry {
  sId: string
  sRegistry: string
  sUserName: string
  sPassword: string
  bSucc: boolean
  baseImages: BaseImageInfo[]
}

export function createDockerRegistry(given: Partial<DockerRegistry> = {}): DockerRegistry {
  return {
    sId: given.sId ?? '',
    sRegistry: given.sRegistry ?? '',
    sUserName: given.sUserName ?? '',
    sPassword: given.sPassword ?? '',
    bSucc: given.bSucc ?? false,
    baseImages: given.baseImages ?? [],
  }
}

export function writeDockerRegistry(w: Writer, tag: number, value: DockerRegistry): void {
  if (typeof value !== 'object' || value === null) throw encodeFailure('struct tars::DockerRegistry', tag, value)
  w.beginStruct(tag)
  w.writeString(0, value.sId)
  w.writeString(1, value.sRegistry)
  w.writeString(2, value.sUserName)
  w.writeString(3, value.sPassword)
  w.writeBool(4, value.bSucc)
  writeVectorOfBaseImageInfo(w, 5, value.baseImages)
  w.endStruct()
}

export function readDockerRegistry(r: Reader, tag: number, optional = false): DockerRegistry {
  if (!r.beginStruct(tag)) return optional ? createDockerRegistry() : r.missing(tag)
  const value = {
    sId: r.readString(0),
    sRegistry: r.readString(1),
    sUserName: r.readString(2),
    sPassword: r.readString(3),
    bSucc: r.readBool(4, false),
    baseImages: readVectorOfBaseImageInfo(r, 5),
  }
  r.endStruct()
  return value
}

export interface FrameworkKey {
  cuid: string
  priKey: string
}

export function createFrameworkKey(given: Partial<FrameworkKey> = {}): FrameworkKey {
  return {
    cuid: given.cuid ?? '',
    priKey: given.priKey ?? '',
  }
}

export function writeFrameworkKey(w: Writer, tag: number, value: FrameworkKey): void {
  if (typeof value !== 'object' || value === null) throw encodeFailure('struct tars::FrameworkKey', tag, value)
  w.beginStruct(tag)
  w.writeString(0, value.cuid)
  w.writeString(1, value.priKey)
  w.endStruct()
}

export function readFrameworkKey(r: Reader, tag: number, optional = false): FrameworkKey {
  if (!r.beginStruct(tag)) return optional ? createFrameworkKey() : r.missing(tag)
  const value = {
    cuid: r.readString(0),
    priKey: r.readString(1),
  }
  r.endStruct()
  return value
}

function writeMapOfStringAdapterDescriptor(w: Writer, tag: number, value: Map<string, AdapterDescriptor>): void {
  w.beginMap(tag, mapSize(tag, value))
  for (const [key, element] of value) {
    w.writeString(0, key)
    writeAdapterDescriptor(w, 1, element)
  }
}

function readMapOfStringAdapterDescriptor(r: Reader, tag: number): Map<string, AdapterDescriptor> {
  const out: Map<string, AdapterDescriptor> = new Map()
  const count = r.beginMap(tag)
  for (let i = 0; i < count; i++) {
    r.expect(0)
    const key = r.readString(0)
    out.set(key, readAdapterDescriptor(r, 1))
  }
  return out
}

function writeVectorOfBaseImageInfo(w: Writer, tag: number, value: BaseImageInfo[]): void {
  w.beginList(tag, listLength(tag, value))
  for (const element of value) writeBaseImageInfo(w, 0, element)
}

function readVectorOfBaseImageInfo(r: Reader, tag: number): BaseImageInfo[] {
  const out: BaseImageInfo[] = []
  const count = r.beginList(tag)
  for (let i = 0; i < count; i++) out.push(readBaseImageInfo(r, 0))
  return out
}

/** What the .tars file says, as data. */
export const RegistryDescriptorSchema: Schema = {
  structs: {
    'tars::AdapterDescriptor': { fields: [
      { tag: 0, name: 'adapterName', required: true, type: 'string' },
      { tag: 1, name: 'endpoint', required: true, type: 'string' },
      { tag: 2, name: 'threadNum', required: true, type: 'int' },
      { tag: 3, name: 'maxConnections', required: true, type: 'int' },
      { tag: 4, name: 'allowIp', required: true, type: 'string' },
      { tag: 5, name: 'servant', required: true, type: 'string' },
      { tag: 6, name: 'queuecap', required: true, type: 'int' },
      { tag: 7, name: 'queuetimeout', required: true, type: 'int' },
      { tag: 8, name: 'protocol', required: false, type: 'string' },
    ] },
    'tars::ServerDescriptor': { fields: [
      { tag: 0, name: 'profile', required: true, type: 'string' },
      { tag: 1, name: 'asyncThreadNum', required: false, type: 'int' },
      { tag: 2, name: 'adapters', required: true, type: { map: ['string', { struct: 'tars::AdapterDescriptor' }] } },
      { tag: 3, name: 'setdivision', required: false, type: 'string' },
    ] },
    'tars::PatchResult': { fields: [
      { tag: 0, name: 'sApplication', required: true, type: 'string' },
      { tag: 1, name: 'sServerName', required: true, type: 'string' },
      { tag: 2, name: 'sNodeName', required: true, type: 'string' },
      { tag: 3, name: 'sVersion', required: true, type: 'string' },
      { tag: 4, name: 'sUserName', required: true, type: 'string' },
    ] },
    'tars::BaseImageInfo': { fields: [
      { tag: 0, name: 'id', required: false, type: 'string' },
      { tag: 1, name: 'image', required: false, type: 'string' },
      { tag: 2, name: 'registryId', required: false, type: 'string' },
      { tag: 3, name: 'sha', required: false, type: 'string' },
    ] },
    'tars::DockerRegistry': { fields: [
      { tag: 0, name: 'sId', required: false, type: 'string' },
      { tag: 1, name: 'sRegistry', required: false, type: 'string' },
      { tag: 2, name: 'sUserName', required: false, type: 'string' },
      { tag: 3, name: 'sPassword', required: false, type: 'string' },
      { tag: 4, name: 'bSucc', required: false, type: 'bool', default: false },
      { tag: 5, name: 'baseImages', required: false, type: { vector: { struct: 'tars::BaseImageInfo' } } },
    ] },
    'tars::FrameworkKey': { fields: [
      { tag: 0, name: 'cuid', required: false, type: 'string' },
      { tag: 1, name: 'priKey', required: false, type: 'string' },
    ] },
  },
  enums: {},
  constants: {},
  interfaces: {},
}
