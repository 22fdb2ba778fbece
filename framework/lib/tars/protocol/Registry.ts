// Generated from Registry.tars by the Tars IDL generator; change that file and generate again.
import type { CallOptions } from '#tars/client.ts'
import type { Reader } from '#tars/codec/reader.ts'
import type { Writer } from '#tars/codec/writer.ts'
import type { Answer } from '#tars/idl/answer.ts'
import { listLength, resultObject } from '#tars/idl/checks.ts'
import { defineInterface, type FastForms, type Interface } from '#tars/idl/interface.ts'
import type { Schema } from '#tars/idl/schema.ts'
import type { Current } from '#tars/server.ts'
import { readServerDescriptor, writeServerDescriptor, type ServerDescriptor, readPatchResult, writePatchResult, type PatchResult, readDockerRegistry, writeDockerRegistry, type DockerRegistry, readFrameworkKey, writeFrameworkKey, type FrameworkKey, RegistryDescriptorSchema } from './RegistryDescriptor.ts'
export * from './RegistryDescriptor.ts'
import { readReportNode, writeReportNode, type ReportNode, readNodeInfo, writeNodeInfo, type NodeInfo, readLoadInfo, writeLoadInfo, type LoadInfo, readServerStateInfo, writeServerStateInfo, type ServerStateInfo, NodeDescriptorSchema } from './NodeDescriptor.ts'
export * from './NodeDescriptor.ts'
import { readNativeServerDescriptor, writeNativeServerDescriptor, type NativeServerDescriptor, NativeDescriptorSchema } from './NativeDescriptor.ts'
export * from './NativeDescriptor.ts'

function writeVectorOfNativeServerDescriptor(w: Writer, tag: number, value: NativeServerDescriptor[]): void {
  w.beginList(tag, listLength(tag, value))
  for (const element of value) writeNativeServerDescriptor(w, 0, element)
}

function readVectorOfNativeServerDescriptor(r: Reader, tag: number): NativeServerDescriptor[] {
  const out: NativeServerDescriptor[] = []
  const count = r.beginList(tag)
  for (let i = 0; i < count; i++) out.push(readNativeServerDescriptor(r, 0))
  return out
}

function writeVectorOfServerStateInfo(w: Writer, tag: number, value: ServerStateInfo[]): void {
  w.beginList(tag, listLength(tag, value))
  for (const element of value) writeServerStateInfo(w, 0, element)
}

function readVectorOfServerStateInfo(r: Reader, tag: number): ServerStateInfo[] {
  const out: ServerStateInfo[] = []
  const count = r.beginList(tag)
  for (let i = 0; i < count; i++) out.push(readServerStateInfo(r, 0))
  return out
}

function writeVectorOfDockerRegistry(w: Writer, tag: number, value: DockerRegistry[]): void {
  w.beginList(tag, listLength(tag, value))
  for (const element of value) writeDockerRegistry(w, 0, element)
}

function readVectorOfDockerRegistry(r: Reader, tag: number): DockerRegistry[] {
  const out: DockerRegistry[] = []
  const count = r.beginList(tag)
  for (let i = 0; i < count; i++) out.push(readDockerRegistry(r, 0))
  return out
}

/** What the .tars file says, as data. */
export const RegistrySchema: Schema = {
  structs: {
    ...RegistryDescriptorSchema.structs,
    ...NodeDescriptorSchema.structs,
    ...NativeDescriptorSchema.structs,
  },
  enums: {
    ...RegistryDescriptorSchema.enums,
    ...NodeDescriptorSchema.enums,
    ...NativeDescriptorSchema.enums,
  },
  constants: {
    ...RegistryDescriptorSchema.constants,
    ...NodeDescriptorSchema.constants,
    ...NativeDescriptorSchema.constants,
  },
  interfaces: {
    ...RegistryDescriptorSchema.interfaces,
    ...NodeDescriptorSchema.interfaces,
    ...NativeDescriptorSchema.interfaces,
    'tars::Registry': { functions: {
      getServerDescriptor: { params: [{ name: 'serverApp', tag: 1, out: false, type: 'string' }, { name: 'serverName', tag: 2, out: false, type: 'string' }, { name: 'descriptor', tag: 3, out: true, type: { struct: 'tars::ServerDescriptor' } }], result: 'int' },
      updateServerState: { params: [{ name: 'podName', tag: 1, out: false, type: 'string' }, { name: 'settingState', tag: 2, out: false, type: 'string' }, { name: 'presentState', tag: 3, out: false, type: 'string' }], result: null },
      reportNode: { params: [{ name: 'rn', tag: 1, out: false, type: { struct: 'tars::ReportNode' } }], result: 'int' },
      registerNode: { params: [{ name: 'nodeName', tag: 1, out: false, type: 'string' }, { name: 'ni', tag: 2, out: false, type: { struct: 'tars::NodeInfo' } }, { name: 'li', tag: 3, out: false, type: { struct: 'tars::LoadInfo' } }], result: 'int' },
      keepAlive: { params: [{ name: 'nodeName', tag: 1, out: false, type: 'string' }, { name: 'load', tag: 2, out: false, type: { struct: 'tars::LoadInfo' } }], result: 'int' },
      getServers: { params: [{ name: 'app', tag: 1, out: false, type: 'string' }, { name: 'serverName', tag: 2, out: false, type: 'string' }, { name: 'nodeName', tag: 3, out: false, type: 'string' }], result: { vector: { struct: 'tars::NativeServerDescriptor' } } },
      updateServer: { params: [{ name: 'nodeName', tag: 1, out: false, type: 'string' }, { name: 'app', tag: 2, out: false, type: 'string' }, { name: 'serverName', tag: 3, out: false, type: 'string' }, { name: 'state', tag: 4, out: false, type: { struct: 'tars::ServerStateInfo' } }], result: 'int' },
      updateServerBatch: { params: [{ name: 'vState', tag: 1, out: false, type: { vector: { struct: 'tars::ServerStateInfo' } } }], result: 'int' },
      destroyNode: { params: [{ name: 'nodeName', tag: 1, out: false, type: 'string' }], result: 'int' },
      reportVersion: { params: [{ name: 'app', tag: 1, out: false, type: 'string' }, { name: 'serverName', tag: 2, out: false, type: 'string' }, { name: 'nodeName', tag: 3, out: false, type: 'string' }, { name: 'version', tag: 4, out: false, type: 'string' }], result: 'int' },
      getNodeTemplate: { params: [{ name: 'nodeName', tag: 1, out: false, type: 'string' }, { name: 'profileTemplate', tag: 2, out: true, type: 'string' }], result: 'int' },
      getClientIp: { params: [{ name: 'sClientIp', tag: 1, out: true, type: 'string' }], result: 'int' },
      updatePatchResult: { params: [{ name: 'result', tag: 1, out: false, type: { struct: 'tars::PatchResult' } }], result: 'int' },
      getDockerRegistry: { params: [{ name: 'dockerRegistries', tag: 1, out: true, type: { vector: { struct: 'tars::DockerRegistry' } } }], result: 'int' },
      dockerPull: { params: [{ name: 'baseImageId', tag: 1, out: false, type: 'string' }], result: 'int' },
      getFrameworkKey: { params: [{ name: 'fKey', tag: 1, out: true, type: { struct: 'tars::FrameworkKey' } }], result: 'int' },
      checkCaller: { params: [{ name: 'address', tag: 1, out: false, type: 'string' }, { name: 'serverApp', tag: 2, out: false, type: 'string' }, { name: 'serverName', tag: 3, out: false, type: 'string' }], result: 'int' },
    } },
  },
}

/** What implements Registry in a server. */
export interface RegistryServant {
  /** What to run in the caller's pod; -1 when the server or its template is unknown. */
  getServerDescriptor(serverApp: string, serverName: string, current: Current): Answer<{ return: number; descriptor: ServerDescriptor }>
  /** The state of a pod's server. The context key PID holds the process id. */
  updateServerState(podName: string, settingState: string, presentState: string, current: Current): Answer<void>
  /** A native node opens its long connection. */
  reportNode(rn: ReportNode, current: Current): Answer<number>
  registerNode(nodeName: string, ni: NodeInfo, li: LoadInfo, current: Current): Answer<number>
  keepAlive(nodeName: string, load: LoadInfo, current: Current): Answer<number>
  getServers(app: string, serverName: string, nodeName: string, current: Current): Answer<NativeServerDescriptor[]>
  /** The order of the first three is the one on the wire, which native's own file has differently. */
  updateServer(nodeName: string, app: string, serverName: string, state: ServerStateInfo, current: Current): Answer<number>
  updateServerBatch(vState: ServerStateInfo[], current: Current): Answer<number>
  destroyNode(nodeName: string, current: Current): Answer<number>
  reportVersion(app: string, serverName: string, nodeName: string, version: string, current: Current): Answer<number>
  getNodeTemplate(nodeName: string, current: Current): Answer<{ return: number; profileTemplate: string }>
  /** The address that the registry sees the caller under. */
  getClientIp(current: Current): Answer<{ return: number; sClientIp: string }>
  updatePatchResult(result: PatchResult, current: Current): Answer<number>
  getDockerRegistry(current: Current): Answer<{ return: number; dockerRegistries: DockerRegistry[] }>
  dockerPull(baseImageId: string, current: Current): Answer<number>
  getFrameworkKey(current: Current): Answer<{ return: number; fKey: FrameworkKey }>
  /**
   * Whether who calls from an address may command the nodes of a server: 0 nobody is checked; 1 yes; 2 no; 3 no, it is
   * a pod of another server that shares its address with nobody.
   */
  checkCaller(address: string, serverApp: string, serverName: string, current: Current): Answer<number>
}

/** What a client calls Registry with. */
export interface RegistryProxy {
  getServerDescriptor(serverApp: string, serverName: string, options?: CallOptions): Promise<{ return: number; descriptor: ServerDescriptor }>
  updateServerState(podName: string, settingState: string, presentState: string, options?: CallOptions): Promise<void>
  reportNode(rn: ReportNode, options?: CallOptions): Promise<number>
  registerNode(nodeName: string, ni: NodeInfo, li: LoadInfo, options?: CallOptions): Promise<number>
  keepAlive(nodeName: string, load: LoadInfo, options?: CallOptions): Promise<number>
  getServers(app: string, serverName: string, nodeName: string, options?: CallOptions): Promise<NativeServerDescriptor[]>
  updateServer(nodeName: string, app: string, serverName: string, state: ServerStateInfo, options?: CallOptions): Promise<number>
  updateServerBatch(vState: ServerStateInfo[], options?: CallOptions): Promise<number>
  destroyNode(nodeName: string, options?: CallOptions): Promise<number>
  reportVersion(app: string, serverName: string, nodeName: string, version: string, options?: CallOptions): Promise<number>
  getNodeTemplate(nodeName: string, options?: CallOptions): Promise<{ return: number; profileTemplate: string }>
  getClientIp(options?: CallOptions): Promise<{ return: number; sClientIp: string }>
  updatePatchResult(result: PatchResult, options?: CallOptions): Promise<number>
  getDockerRegistry(options?: CallOptions): Promise<{ return: number; dockerRegistries: DockerRegistry[] }>
  dockerPull(baseImageId: string, options?: CallOptions): Promise<number>
  getFrameworkKey(options?: CallOptions): Promise<{ return: number; fKey: FrameworkKey }>
  checkCaller(address: string, serverApp: string, serverName: string, options?: CallOptions): Promise<number>
}

const fastRegistry: FastForms = {
  getServerDescriptor: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
      w.writeString(2, args[1] as string)
    },
    readArgs: (r) => [r.readString(1), r.readString(2)],
    writeResult(w, result) {
      const value = resultObject('getServerDescriptor', result) as { return: number; descriptor: ServerDescriptor }
      w.writeInt(0, value.return)
      writeServerDescriptor(w, 3, value.descriptor)
    },
    readResult: (r) => ({
      return: r.readInt(0),
      descriptor: readServerDescriptor(r, 3),
    }),
  },
  updateServerState: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
      w.writeString(2, args[1] as string)
      w.writeString(3, args[2] as string)
    },
    readArgs: (r) => [r.readString(1), r.readString(2), r.readString(3)],
    writeResult() {},
    readResult: () => undefined,
  },
  reportNode: {
    writeArgs(w, args) {
      writeReportNode(w, 1, args[0] as ReportNode)
    },
    readArgs: (r) => [readReportNode(r, 1)],
    writeResult(w, result) {
      w.writeInt(0, result as number)
    },
    readResult: (r) => r.readInt(0),
  },
  registerNode: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
      writeNodeInfo(w, 2, args[1] as NodeInfo)
      writeLoadInfo(w, 3, args[2] as LoadInfo)
    },
    readArgs: (r) => [r.readString(1), readNodeInfo(r, 2), readLoadInfo(r, 3)],
    writeResult(w, result) {
      w.writeInt(0, result as number)
    },
    readResult: (r) => r.readInt(0),
  },
  keepAlive: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
      writeLoadInfo(w, 2, args[1] as LoadInfo)
    },
    readArgs: (r) => [r.readString(1), readLoadInfo(r, 2)],
    writeResult(w, result) {
      w.writeInt(0, result as number)
    },
    readResult: (r) => r.readInt(0),
  },
  getServers: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
      w.writeString(2, args[1] as string)
      w.writeString(3, args[2] as string)
    },
    readArgs: (r) => [r.readString(1), r.readString(2), r.readString(3)],
    writeResult(w, result) {
      writeVectorOfNativeServerDescriptor(w, 0, result as NativeServerDescriptor[])
    },
    readResult: (r) => readVectorOfNativeServerDescriptor(r, 0),
  },
  updateServer: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
      w.writeString(2, args[1] as string)
      w.writeString(3, args[2] as string)
      writeServerStateInfo(w, 4, args[3] as ServerStateInfo)
    },
    readArgs: (r) => [r.readString(1), r.readString(2), r.readString(3), readServerStateInfo(r, 4)],
    writeResult(w, result) {
      w.writeInt(0, result as number)
    },
    readResult: (r) => r.readInt(0),
  },
  updateServerBatch: {
    writeArgs(w, args) {
      writeVectorOfServerStateInfo(w, 1, args[0] as ServerStateInfo[])
    },
    readArgs: (r) => [readVectorOfServerStateInfo(r, 1)],
    writeResult(w, result) {
      w.writeInt(0, result as number)
    },
    readResult: (r) => r.readInt(0),
  },
  destroyNode: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
    },
    readArgs: (r) => [r.readString(1)],
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
      w.writeString(4, args[3] as string)
    },
    readArgs: (r) => [r.readString(1), r.readString(2), r.readString(3), r.readString(4)],
    writeResult(w, result) {
      w.writeInt(0, result as number)
    },
    readResult: (r) => r.readInt(0),
  },
  getNodeTemplate: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
    },
    readArgs: (r) => [r.readString(1)],
    writeResult(w, result) {
      const value = resultObject('getNodeTemplate', result) as { return: number; profileTemplate: string }
      w.writeInt(0, value.return)
      w.writeString(2, value.profileTemplate)
    },
    readResult: (r) => ({
      return: r.readInt(0),
      profileTemplate: r.readString(2),
    }),
  },
  getClientIp: {
    writeArgs() {},
    readArgs: () => [],
    writeResult(w, result) {
      const value = resultObject('getClientIp', result) as { return: number; sClientIp: string }
      w.writeInt(0, value.return)
      w.writeString(1, value.sClientIp)
    },
    readResult: (r) => ({
      return: r.readInt(0),
      sClientIp: r.readString(1),
    }),
  },
  updatePatchResult: {
    writeArgs(w, args) {
      writePatchResult(w, 1, args[0] as PatchResult)
    },
    readArgs: (r) => [readPatchResult(r, 1)],
    writeResult(w, result) {
      w.writeInt(0, result as number)
    },
    readResult: (r) => r.readInt(0),
  },
  getDockerRegistry: {
    writeArgs() {},
    readArgs: () => [],
    writeResult(w, result) {
      const value = resultObject('getDockerRegistry', result) as { return: number; dockerRegistries: DockerRegistry[] }
      w.writeInt(0, value.return)
      writeVectorOfDockerRegistry(w, 1, value.dockerRegistries)
    },
    readResult: (r) => ({
      return: r.readInt(0),
      dockerRegistries: readVectorOfDockerRegistry(r, 1),
    }),
  },
  dockerPull: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
    },
    readArgs: (r) => [r.readString(1)],
    writeResult(w, result) {
      w.writeInt(0, result as number)
    },
    readResult: (r) => r.readInt(0),
  },
  getFrameworkKey: {
    writeArgs() {},
    readArgs: () => [],
    writeResult(w, result) {
      const value = resultObject('getFrameworkKey', result) as { return: number; fKey: FrameworkKey }
      w.writeInt(0, value.return)
      writeFrameworkKey(w, 1, value.fKey)
    },
    readResult: (r) => ({
      return: r.readInt(0),
      fKey: readFrameworkKey(r, 1),
    }),
  },
  checkCaller: {
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
}

export const Registry: Interface = defineInterface(RegistrySchema, 'tars::Registry', fastRegistry)
