// Generated from AdminReg.tars by the Tars IDL generator; change that file and generate again.
import type { CallOptions } from '#tars/client.ts'
import type { Reader } from '#tars/codec/reader.ts'
import { encodeFailure } from '#tars/codec/wire.ts'
import type { Writer } from '#tars/codec/writer.ts'
import type { Answer } from '#tars/idl/answer.ts'
import { listLength, mapSize, resultObject } from '#tars/idl/checks.ts'
import { defineInterface, type FastForms, type Interface } from '#tars/idl/interface.ts'
import type { Schema } from '#tars/idl/schema.ts'
import type { Current } from '#tars/server.ts'
import { readReportNode, writeReportNode, type ReportNode, NodeDescriptorSchema } from './NodeDescriptor.ts'
export * from './NodeDescriptor.ts'

/** Results of most functions. */
export const tarsErrCode = { EM_TARS_SUCCESS: 0, EM_TARS_UNKNOWN_ERR: -1, EM_TARS_NODE_NOT_REGISTRY_ERR: 1001, EM_TARS_CALL_NODE_TIMEOUT_ERR: 1002, EM_TARS_LOAD_SERVICE_DESC_ERR: 1003, EM_TARS_SERVICE_STATE_ERR: 1004, EM_TARS_REQ_ALREADY_ERR: 1005, EM_TARS_INVALID_IP_ERR: 1006, EM_TARS_PARAMETER_ERR: 1007, EM_TARS_OTHER_ERR: 1008, EM_TARS_GET_PATCH_FILE_ERR: 1009, EM_TARS_PREPARE_ERR: 1010, EM_TARS_CAN_NOT_EXECUTE: 1011, EM_TARS_NODE_NO_CONNECTION: 1012 } as const
export type tarsErrCode = (typeof tarsErrCode)[keyof typeof tarsErrCode]

export const EMTaskStatus = { EM_T_NOT_START: 0, EM_T_PREPARE: 1, EM_T_RUNNING: 2, EM_T_SUCCESS: 3, EM_T_FAILED: 4, EM_T_CANCEL: 5, EM_T_PARIAL: 6 } as const
export type EMTaskStatus = (typeof EMTaskStatus)[keyof typeof EMTaskStatus]

export const EMTaskItemStatus = { EM_I_NOT_START: 0, EM_I_PREPARE: 1, EM_I_RUNNING: 2, EM_I_SUCCESS: 3, EM_I_FAILED: 4, EM_I_CANCEL: 5, EM_I_PAUSE_FLOW: 6 } as const
export type EMTaskItemStatus = (typeof EMTaskItemStatus)[keyof typeof EMTaskItemStatus]

export interface ServerStateDesc {
  /** "active" or "inactive": what is wanted. */
  settingStateInReg: string
  /** "active" or "inactive": what callers are told. */
  presentStateInReg: string
  /** Name of a ServerState, as the node says. */
  presentStateInNode: string
  processId: number
  patchVersion: string
  patchTime: string
  patchUser: string
}

export function createServerStateDesc(given: Partial<ServerStateDesc> = {}): ServerStateDesc {
  return {
    settingStateInReg: given.settingStateInReg ?? '',
    presentStateInReg: given.presentStateInReg ?? '',
    presentStateInNode: given.presentStateInNode ?? '',
    processId: given.processId ?? 0,
    patchVersion: given.patchVersion ?? '',
    patchTime: given.patchTime ?? '',
    patchUser: given.patchUser ?? '',
  }
}

export function writeServerStateDesc(w: Writer, tag: number, value: ServerStateDesc): void {
  if (typeof value !== 'object' || value === null) throw encodeFailure('struct tars::ServerStateDesc', tag, value)
  w.beginStruct(tag)
  w.writeString(0, value.settingStateInReg)
  w.writeString(1, value.presentStateInReg)
  w.writeString(2, value.presentStateInNode)
  w.writeInt(3, value.processId)
  w.writeString(4, value.patchVersion)
  w.writeString(5, value.patchTime)
  w.writeString(6, value.patchUser)
  w.endStruct()
}

export function readServerStateDesc(r: Reader, tag: number, optional = false): ServerStateDesc {
  if (!r.beginStruct(tag)) return optional ? createServerStateDesc() : r.missing(tag)
  const value = {
    settingStateInReg: r.readString(0),
    presentStateInReg: r.readString(1),
    presentStateInNode: r.readString(2),
    processId: r.readInt(3),
    patchVersion: r.readString(4),
    patchTime: r.readString(5),
    patchUser: r.readString(6),
  }
  r.endStruct()
  return value
}

export interface TaskItemReq {
  taskNo: string
  itemNo: string
  application: string
  serverName: string
  nodeName: string
  setName: string
  /** start, stop, restart, patch_tars or undeploy_tars. */
  command: string
  userName: string
  /** Of patch_tars: patch_id. */
  parameters: Map<string, string>
}

export function createTaskItemReq(given: Partial<TaskItemReq> = {}): TaskItemReq {
  return {
    taskNo: given.taskNo ?? '',
    itemNo: given.itemNo ?? '',
    application: given.application ?? '',
    serverName: given.serverName ?? '',
    nodeName: given.nodeName ?? '',
    setName: given.setName ?? '',
    command: given.command ?? '',
    userName: given.userName ?? '',
    parameters: given.parameters ?? new Map(),
  }
}

export function writeTaskItemReq(w: Writer, tag: number, value: TaskItemReq): void {
  if (typeof value !== 'object' || value === null) throw encodeFailure('struct tars::TaskItemReq', tag, value)
  w.beginStruct(tag)
  w.writeString(0, value.taskNo)
  w.writeString(1, value.itemNo)
  w.writeString(2, value.application)
  w.writeString(3, value.serverName)
  w.writeString(4, value.nodeName)
  w.writeString(5, value.setName)
  w.writeString(6, value.command)
  w.writeString(7, value.userName)
  writeMapOfStringString(w, 8, value.parameters)
  w.endStruct()
}

export function readTaskItemReq(r: Reader, tag: number, optional = false): TaskItemReq {
  if (!r.beginStruct(tag)) return optional ? createTaskItemReq() : r.missing(tag)
  const value = {
    taskNo: r.readString(0),
    itemNo: r.readString(1),
    application: r.readString(2),
    serverName: r.readString(3),
    nodeName: r.readString(4),
    setName: r.readString(5),
    command: r.readString(6),
    userName: r.readString(7),
    parameters: readMapOfStringString(r, 8),
  }
  r.endStruct()
  return value
}

export interface TaskItemRsp {
  req: TaskItemReq
  startTime: string
  endTime: string
  status: EMTaskItemStatus
  statusInfo: string
  executeLog: string
  percent: number
}

export function createTaskItemRsp(given: Partial<TaskItemRsp> = {}): TaskItemRsp {
  return {
    req: given.req ?? createTaskItemReq(),
    startTime: given.startTime ?? '',
    endTime: given.endTime ?? '',
    status: given.status ?? EMTaskItemStatus.EM_I_NOT_START,
    statusInfo: given.statusInfo ?? '',
    executeLog: given.executeLog ?? '',
    percent: given.percent ?? 0,
  }
}

export function writeTaskItemRsp(w: Writer, tag: number, value: TaskItemRsp): void {
  if (typeof value !== 'object' || value === null) throw encodeFailure('struct tars::TaskItemRsp', tag, value)
  w.beginStruct(tag)
  writeTaskItemReq(w, 0, value.req)
  w.writeString(1, value.startTime)
  w.writeString(2, value.endTime)
  w.writeInt(3, value.status)
  w.writeString(4, value.statusInfo)
  w.writeString(5, value.executeLog)
  w.writeInt(6, value.percent)
  w.endStruct()
}

export function readTaskItemRsp(r: Reader, tag: number, optional = false): TaskItemRsp {
  if (!r.beginStruct(tag)) return optional ? createTaskItemRsp() : r.missing(tag)
  const value = {
    req: readTaskItemReq(r, 0, true),
    startTime: r.readString(1),
    endTime: r.readString(2),
    status: r.readInt(3, EMTaskItemStatus.EM_I_NOT_START) as EMTaskItemStatus,
    statusInfo: r.readString(4),
    executeLog: r.readString(5),
    percent: r.readInt(6, 0),
  }
  r.endStruct()
  return value
}

export interface TaskReq {
  taskItemReq: TaskItemReq[]
  taskNo: string
  /** One item after the other; the first that fails ends the task. */
  serial: boolean
  userName: string
  /** Callers are sent elsewhere before each item. */
  isElegant: boolean
  /** Items at once. */
  eachNum: number
}

export function createTaskReq(given: Partial<TaskReq> = {}): TaskReq {
  return {
    taskItemReq: given.taskItemReq ?? [],
    taskNo: given.taskNo ?? '',
    serial: given.serial ?? false,
    userName: given.userName ?? '',
    isElegant: given.isElegant ?? false,
    eachNum: given.eachNum ?? 1,
  }
}

export function writeTaskReq(w: Writer, tag: number, value: TaskReq): void {
  if (typeof value !== 'object' || value === null) throw encodeFailure('struct tars::TaskReq', tag, value)
  w.beginStruct(tag)
  writeVectorOfTaskItemReq(w, 0, value.taskItemReq)
  w.writeString(1, value.taskNo)
  w.writeBool(2, value.serial)
  w.writeString(3, value.userName)
  w.writeBool(4, value.isElegant)
  w.writeInt(5, value.eachNum)
  w.endStruct()
}

export function readTaskReq(r: Reader, tag: number, optional = false): TaskReq {
  if (!r.beginStruct(tag)) return optional ? createTaskReq() : r.missing(tag)
  const value = {
    taskItemReq: readVectorOfTaskItemReq(r, 0),
    taskNo: r.readString(1),
    serial: r.readBool(2, false),
    userName: r.readString(3),
    isElegant: r.readBool(4, false),
    eachNum: r.readInt(5, 1),
  }
  r.endStruct()
  return value
}

export interface TaskRsp {
  taskItemRsp: TaskItemRsp[]
  taskNo: string
  serial: boolean
  userName: string
  status: EMTaskStatus
  createTime: string
  executeLog: string
}

export function createTaskRsp(given: Partial<TaskRsp> = {}): TaskRsp {
  return {
    taskItemRsp: given.taskItemRsp ?? [],
    taskNo: given.taskNo ?? '',
    serial: given.serial ?? false,
    userName: given.userName ?? '',
    status: given.status ?? EMTaskStatus.EM_T_NOT_START,
    createTime: given.createTime ?? '',
    executeLog: given.executeLog ?? '',
  }
}

export function writeTaskRsp(w: Writer, tag: number, value: TaskRsp): void {
  if (typeof value !== 'object' || value === null) throw encodeFailure('struct tars::TaskRsp', tag, value)
  w.beginStruct(tag)
  writeVectorOfTaskItemRsp(w, 0, value.taskItemRsp)
  w.writeString(1, value.taskNo)
  w.writeBool(2, value.serial)
  w.writeString(3, value.userName)
  w.writeInt(4, value.status)
  w.writeString(5, value.createTime)
  w.writeString(6, value.executeLog)
  w.endStruct()
}

export function readTaskRsp(r: Reader, tag: number, optional = false): TaskRsp {
  if (!r.beginStruct(tag)) return optional ? createTaskRsp() : r.missing(tag)
  const value = {
    taskItemRsp: readVectorOfTaskItemRsp(r, 0),
    taskNo: r.readString(1),
    serial: r.readBool(2, false),
    userName: r.readString(3),
    status: r.readInt(4, EMTaskStatus.EM_T_NOT_START) as EMTaskStatus,
    createTime: r.readString(5),
    executeLog: r.readString(6),
  }
  r.endStruct()
  return value
}

export interface FrameworkServer {
  serverName: string
  nodeName: string
  /** With its address. */
  objName: string
}

export function createFrameworkServer(given: Partial<FrameworkServer> = {}): FrameworkServer {
  return {
    serverName: given.serverName ?? '',
    nodeName: given.nodeName ?? '',
    objName: given.objName ?? '',
  }
}

export function writeFrameworkServer(w: Writer, tag: number, value: FrameworkServer): void {
  if (typeof value !== 'object' || value === null) throw encodeFailure('struct tars::FrameworkServer', tag, value)
  w.beginStruct(tag)
  w.writeString(0, value.serverName)
  w.writeString(1, value.nodeName)
  w.writeString(2, value.objName)
  w.endStruct()
}

export function readFrameworkServer(r: Reader, tag: number, optional = false): FrameworkServer {
  if (!r.beginStruct(tag)) return optional ? createFrameworkServer() : r.missing(tag)
  const value = {
    serverName: r.readString(0),
    nodeName: r.readString(1),
    objName: r.readString(2),
  }
  r.endStruct()
  return value
}

export interface PatchRequest {
  appname: string
  servername: string
  nodename: string
  groupname: string
  binname: string
  /** Release id, or its number from getPatchPackage. */
  version: string
  user: string
  servertype: string
  patchobj: string
  md5: string
  ostype: string
  filepath: string
}

export function createPatchRequest(given: Partial<PatchRequest> = {}): PatchRequest {
  return {
    appname: given.appname ?? '',
    servername: given.servername ?? '',
    nodename: given.nodename ?? '',
    groupname: given.groupname ?? '',
    binname: given.binname ?? '',
    version: given.version ?? '',
    user: given.user ?? '',
    servertype: given.servertype ?? '',
    patchobj: given.patchobj ?? '',
    md5: given.md5 ?? '',
    ostype: given.ostype ?? '',
    filepath: given.filepath ?? '',
  }
}

export function writePatchRequest(w: Writer, tag: number, value: PatchRequest): void {
  if (typeof value !== 'object' || value === null) throw encodeFailure('struct tars::PatchRequest', tag, value)
  w.beginStruct(tag)
  w.writeString(0, value.appname)
  w.writeString(1, value.servername)
  w.writeString(2, value.nodename)
  w.writeString(3, value.groupname)
  w.writeString(4, value.binname)
  w.writeString(5, value.version)
  w.writeString(6, value.user)
  w.writeString(7, value.servertype)
  w.writeString(8, value.patchobj)
  w.writeString(9, value.md5)
  w.writeString(10, value.ostype)
  w.writeString(11, value.filepath)
  w.endStruct()
}

export function readPatchRequest(r: Reader, tag: number, optional = false): PatchRequest {
  if (!r.beginStruct(tag)) return optional ? createPatchRequest() : r.missing(tag)
  const value = {
    appname: r.readString(0),
    servername: r.readString(1),
    nodename: r.readString(2),
    groupname: r.readString(3),
    binname: r.readString(4),
    version: r.readString(5),
    user: r.readString(6),
    servertype: r.readString(7),
    patchobj: r.readString(8),
    md5: r.readString(9),
    ostype: r.readString(10),
    filepath: r.readString(11),
  }
  r.endStruct()
  return value
}

export interface PatchInfo {
  bPatching: boolean
  iPercent: number
  /** Seconds since the epoch. */
  iModifyTime: number
  sVersion: string
  sResult: string
  bSucc: boolean
}

export function createPatchInfo(given: Partial<PatchInfo> = {}): PatchInfo {
  return {
    bPatching: given.bPatching ?? false,
    iPercent: given.iPercent ?? 0,
    iModifyTime: given.iModifyTime ?? 0,
    sVersion: given.sVersion ?? '',
    sResult: given.sResult ?? '',
    bSucc: given.bSucc ?? false,
  }
}

export function writePatchInfo(w: Writer, tag: number, value: PatchInfo): void {
  if (typeof value !== 'object' || value === null) throw encodeFailure('struct tars::PatchInfo', tag, value)
  w.beginStruct(tag)
  w.writeBool(0, value.bPatching)
  w.writeInt(1, value.iPercent)
  w.writeInt(2, value.iModifyTime)
  w.writeString(3, value.sVersion)
  w.writeString(4, value.sResult)
  w.writeBool(5, value.bSucc)
  w.endStruct()
}

export function readPatchInfo(r: Reader, tag: number, optional = false): PatchInfo {
  if (!r.beginStruct(tag)) return optional ? createPatchInfo() : r.missing(tag)
  const value = {
    bPatching: r.readBool(0),
    iPercent: r.readInt(1),
    iModifyTime: r.readInt(2),
    sVersion: r.readString(3),
    sResult: r.readString(4),
    bSucc: r.readBool(5, false),
  }
  r.endStruct()
  return value
}

export interface ServerConf {
  application: string
  serverName: string
  nodeName: string
  basePath: string
  exePath: string
  settingState: string
  /** Name of its template. */
  profile: string
  serverType: string
  startScript: string
  stopScript: string
  monitorScript: string
  asyncThreadNum: number
  enableGroup: string
  ipGroupName: string
}

export function createServerConf(given: Partial<ServerConf> = {}): ServerConf {
  return {
    application: given.application ?? '',
    serverName: given.serverName ?? '',
    nodeName: given.nodeName ?? '',
    basePath: given.basePath ?? '',
    exePath: given.exePath ?? '',
    settingState: given.settingState ?? 'active',
    profile: given.profile ?? '',
    serverType: given.serverType ?? '',
    startScript: given.startScript ?? '',
    stopScript: given.stopScript ?? '',
    monitorScript: given.monitorScript ?? '',
    asyncThreadNum: given.asyncThreadNum ?? 3,
    enableGroup: given.enableGroup ?? '',
    ipGroupName: given.ipGroupName ?? '',
  }
}

export function writeServerConf(w: Writer, tag: number, value: ServerConf): void {
  if (typeof value !== 'object' || value === null) throw encodeFailure('struct tars::ServerConf', tag, value)
  w.beginStruct(tag)
  w.writeString(0, value.application)
  w.writeString(1, value.serverName)
  w.writeString(2, value.nodeName)
  w.writeString(3, value.basePath)
  w.writeString(4, value.exePath)
  w.writeString(5, value.settingState)
  w.writeString(6, value.profile)
  w.writeString(7, value.serverType)
  w.writeString(8, value.startScript)
  w.writeString(9, value.stopScript)
  w.writeString(10, value.monitorScript)
  w.writeInt(11, value.asyncThreadNum)
  w.writeString(12, value.enableGroup)
  w.writeString(13, value.ipGroupName)
  w.endStruct()
}

export function readServerConf(r: Reader, tag: number, optional = false): ServerConf {
  if (!r.beginStruct(tag)) return optional ? createServerConf() : r.missing(tag)
  const value = {
    application: r.readString(0),
    serverName: r.readString(1),
    nodeName: r.readString(2),
    basePath: r.readString(3),
    exePath: r.readString(4),
    settingState: r.readString(5, 'active'),
    profile: r.readString(6),
    serverType: r.readString(7),
    startScript: r.readString(8),
    stopScript: r.readString(9),
    monitorScript: r.readString(10),
    asyncThreadNum: r.readInt(11, 3),
    enableGroup: r.readString(12),
    ipGroupName: r.readString(13),
  }
  r.endStruct()
  return value
}

export interface AdapterConf {
  adapterName: string
  threadNum: number
  endpoint: string
  maxConnections: number
  allowIp: string
  servant: string
  queuecap: number
  /** Milliseconds. */
  queuetimeout: number
  protocol: string
}

export function createAdapterConf(given: Partial<AdapterConf> = {}): AdapterConf {
  return {
    adapterName: given.adapterName ?? '',
    threadNum: given.threadNum ?? 5,
    endpoint: given.endpoint ?? '',
    maxConnections: given.maxConnections ?? 10240,
    allowIp: given.allowIp ?? '',
    servant: given.servant ?? '',
    queuecap: given.queuecap ?? 100000,
    queuetimeout: given.queuetimeout ?? 600000,
    protocol: given.protocol ?? '',
  }
}

export function writeAdapterConf(w: Writer, tag: number, value: AdapterConf): void {
  if (typeof value !== 'object' || value === null) throw encodeFailure('struct tars::AdapterConf', tag, value)
  w.beginStruct(tag)
  w.writeString(0, value.adapterName)
  w.writeInt(1, value.threadNum)
  w.writeString(2, value.endpoint)
  w.writeInt(3, value.maxConnections)
  w.writeString(4, value.allowIp)
  w.writeString(5, value.servant)
  w.writeInt(6, value.queuecap)
  w.writeInt(7, value.queuetimeout)
  w.writeString(8, value.protocol)
  w.endStruct()
}

export function readAdapterConf(r: Reader, tag: number, optional = false): AdapterConf {
  if (!r.beginStruct(tag)) return optional ? createAdapterConf() : r.missing(tag)
  const value = {
    adapterName: r.readString(0),
    threadNum: r.readInt(1, 5),
    endpoint: r.readString(2),
    maxConnections: r.readInt(3, 10240),
    allowIp: r.readString(4),
    servant: r.readString(5),
    queuecap: r.readInt(6, 100000),
    queuetimeout: r.readInt(7, 600000),
    protocol: r.readString(8),
  }
  r.endStruct()
  return value
}

export interface PluginConf {
  name: string
  name_en: string
  obj: string
  /** 1 for the whole framework, 2 for a server. */
  type: number
  path: string
  k8s: boolean
  fextern: number
}

export function createPluginConf(given: Partial<PluginConf> = {}): PluginConf {
  return {
    name: given.name ?? '',
    name_en: given.name_en ?? '',
    obj: given.obj ?? '',
    type: given.type ?? 0,
    path: given.path ?? '',
    k8s: given.k8s ?? false,
    fextern: given.fextern ?? 0,
  }
}

export function writePluginConf(w: Writer, tag: number, value: PluginConf): void {
  if (typeof value !== 'object' || value === null) throw encodeFailure('struct tars::PluginConf', tag, value)
  w.beginStruct(tag)
  w.writeString(0, value.name)
  w.writeString(1, value.name_en)
  w.writeString(2, value.obj)
  w.writeInt(3, value.type)
  w.writeString(4, value.path)
  w.writeBool(5, value.k8s)
  w.writeInt(6, value.fextern)
  w.endStruct()
}

export function readPluginConf(r: Reader, tag: number, optional = false): PluginConf {
  if (!r.beginStruct(tag)) return optional ? createPluginConf() : r.missing(tag)
  const value = {
    name: r.readString(0),
    name_en: r.readString(1),
    obj: r.readString(2),
    type: r.readInt(3, 0),
    path: r.readString(4),
    k8s: r.readBool(5, false),
    fextern: r.readInt(6, 0),
  }
  r.endStruct()
  return value
}

export interface ServerTree {
  application: string
  server_name: string
  enable_set: string
  set_name: string
  set_area: string
  set_group: string
}

export function createServerTree(given: Partial<ServerTree> = {}): ServerTree {
  return {
    application: given.application ?? '',
    server_name: given.server_name ?? '',
    enable_set: given.enable_set ?? '',
    set_name: given.set_name ?? '',
    set_area: given.set_area ?? '',
    set_group: given.set_group ?? '',
  }
}

export function writeServerTree(w: Writer, tag: number, value: ServerTree): void {
  if (typeof value !== 'object' || value === null) throw encodeFailure('struct tars::ServerTree', tag, value)
  w.beginStruct(tag)
  w.writeString(0, value.application)
  w.writeString(1, value.server_name)
  w.writeString(2, value.enable_set)
  w.writeString(3, value.set_name)
  w.writeString(4, value.set_area)
  w.writeString(5, value.set_group)
  w.endStruct()
}

export function readServerTree(r: Reader, tag: number, optional = false): ServerTree {
  if (!r.beginStruct(tag)) return optional ? createServerTree() : r.missing(tag)
  const value = {
    application: r.readString(0),
    server_name: r.readString(1),
    enable_set: r.readString(2),
    set_name: r.readString(3),
    set_area: r.readString(4),
    set_group: r.readString(5),
  }
  r.endStruct()
  return value
}

export interface PatchPackage {
  id: number
  md5: string
}

export function createPatchPackage(given: Partial<PatchPackage> = {}): PatchPackage {
  return {
    id: given.id ?? 0,
    md5: given.md5 ?? '',
  }
}

export function writePatchPackage(w: Writer, tag: number, value: PatchPackage): void {
  if (typeof value !== 'object' || value === null) throw encodeFailure('struct tars::PatchPackage', tag, value)
  w.beginStruct(tag)
  w.writeInt(0, value.id)
  w.writeString(1, value.md5)
  w.endStruct()
}

export function readPatchPackage(r: Reader, tag: number, optional = false): PatchPackage {
  if (!r.beginStruct(tag)) return optional ? createPatchPackage() : r.missing(tag)
  const value = {
    id: r.readInt(0, 0),
    md5: r.readString(1),
  }
  r.endStruct()
  return value
}

export interface ApplicationServerName {
  application: string
  serverName: string
}

export function createApplicationServerName(given: Partial<ApplicationServerName> = {}): ApplicationServerName {
  return {
    application: given.application ?? '',
    serverName: given.serverName ?? '',
  }
}

export function writeApplicationServerName(w: Writer, tag: number, value: ApplicationServerName): void {
  if (typeof value !== 'object' || value === null) throw encodeFailure('struct tars::ApplicationServerName', tag, value)
  w.beginStruct(tag)
  w.writeString(0, value.application)
  w.writeString(1, value.serverName)
  w.endStruct()
}

export function readApplicationServerName(r: Reader, tag: number, optional = false): ApplicationServerName {
  if (!r.beginStruct(tag)) return optional ? createApplicationServerName() : r.missing(tag)
  const value = {
    application: r.readString(0),
    serverName: r.readString(1),
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

function writeVectorOfTaskItemReq(w: Writer, tag: number, value: TaskItemReq[]): void {
  w.beginList(tag, listLength(tag, value))
  for (const element of value) writeTaskItemReq(w, 0, element)
}

function readVectorOfTaskItemReq(r: Reader, tag: number): TaskItemReq[] {
  const out: TaskItemReq[] = []
  const count = r.beginList(tag)
  for (let i = 0; i < count; i++) out.push(readTaskItemReq(r, 0))
  return out
}

function writeVectorOfTaskItemRsp(w: Writer, tag: number, value: TaskItemRsp[]): void {
  w.beginList(tag, listLength(tag, value))
  for (const element of value) writeTaskItemRsp(w, 0, element)
}

function readVectorOfTaskItemRsp(r: Reader, tag: number): TaskItemRsp[] {
  const out: TaskItemRsp[] = []
  const count = r.beginList(tag)
  for (let i = 0; i < count; i++) out.push(readTaskItemRsp(r, 0))
  return out
}

function writeVectorOfTaskRsp(w: Writer, tag: number, value: TaskRsp[]): void {
  w.beginList(tag, listLength(tag, value))
  for (const element of value) writeTaskRsp(w, 0, element)
}

function readVectorOfTaskRsp(r: Reader, tag: number): TaskRsp[] {
  const out: TaskRsp[] = []
  const count = r.beginList(tag)
  for (let i = 0; i < count; i++) out.push(readTaskRsp(r, 0))
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

function writeVectorOfVectorOfString(w: Writer, tag: number, value: string[][]): void {
  w.beginList(tag, listLength(tag, value))
  for (const element of value) writeVectorOfString(w, 0, element)
}

function readVectorOfVectorOfString(r: Reader, tag: number): string[][] {
  const out: string[][] = []
  const count = r.beginList(tag)
  for (let i = 0; i < count; i++) {
    r.expect(0)
    out.push(readVectorOfString(r, 0))
  }
  return out
}

function writeVectorOfFrameworkServer(w: Writer, tag: number, value: FrameworkServer[]): void {
  w.beginList(tag, listLength(tag, value))
  for (const element of value) writeFrameworkServer(w, 0, element)
}

function readVectorOfFrameworkServer(r: Reader, tag: number): FrameworkServer[] {
  const out: FrameworkServer[] = []
  const count = r.beginList(tag)
  for (let i = 0; i < count; i++) out.push(readFrameworkServer(r, 0))
  return out
}

function writeVectorOfServerTree(w: Writer, tag: number, value: ServerTree[]): void {
  w.beginList(tag, listLength(tag, value))
  for (const element of value) writeServerTree(w, 0, element)
}

function readVectorOfServerTree(r: Reader, tag: number): ServerTree[] {
  const out: ServerTree[] = []
  const count = r.beginList(tag)
  for (let i = 0; i < count; i++) out.push(readServerTree(r, 0))
  return out
}

function writeVectorOfApplicationServerName(w: Writer, tag: number, value: ApplicationServerName[]): void {
  w.beginList(tag, listLength(tag, value))
  for (const element of value) writeApplicationServerName(w, 0, element)
}

function readVectorOfApplicationServerName(r: Reader, tag: number): ApplicationServerName[] {
  const out: ApplicationServerName[] = []
  const count = r.beginList(tag)
  for (let i = 0; i < count; i++) out.push(readApplicationServerName(r, 0))
  return out
}

function writeVectorOfMapOfStringString(w: Writer, tag: number, value: Map<string, string>[]): void {
  w.beginList(tag, listLength(tag, value))
  for (const element of value) writeMapOfStringString(w, 0, element)
}

function readVectorOfMapOfStringString(r: Reader, tag: number): Map<string, string>[] {
  const out: Map<string, string>[] = []
  const count = r.beginList(tag)
  for (let i = 0; i < count; i++) {
    r.expect(0)
    out.push(readMapOfStringString(r, 0))
  }
  return out
}

/** What the .tars file says, as data. */
export const AdminRegSchema: Schema = {
  structs: {
    ...NodeDescriptorSchema.structs,
    'tars::ServerStateDesc': { fields: [
      { tag: 0, name: 'settingStateInReg', required: true, type: 'string' },
      { tag: 1, name: 'presentStateInReg', required: true, type: 'string' },
      { tag: 2, name: 'presentStateInNode', required: true, type: 'string' },
      { tag: 3, name: 'processId', required: true, type: 'int' },
      { tag: 4, name: 'patchVersion', required: true, type: 'string' },
      { tag: 5, name: 'patchTime', required: true, type: 'string' },
      { tag: 6, name: 'patchUser', required: true, type: 'string' },
    ] },
    'tars::TaskItemReq': { fields: [
      { tag: 0, name: 'taskNo', required: false, type: 'string' },
      { tag: 1, name: 'itemNo', required: false, type: 'string' },
      { tag: 2, name: 'application', required: false, type: 'string' },
      { tag: 3, name: 'serverName', required: false, type: 'string' },
      { tag: 4, name: 'nodeName', required: false, type: 'string' },
      { tag: 5, name: 'setName', required: false, type: 'string' },
      { tag: 6, name: 'command', required: false, type: 'string' },
      { tag: 7, name: 'userName', required: false, type: 'string' },
      { tag: 8, name: 'parameters', required: false, type: { map: ['string', 'string'] } },
    ] },
    'tars::TaskItemRsp': { fields: [
      { tag: 0, name: 'req', required: false, type: { struct: 'tars::TaskItemReq' } },
      { tag: 1, name: 'startTime', required: false, type: 'string' },
      { tag: 2, name: 'endTime', required: false, type: 'string' },
      { tag: 3, name: 'status', required: false, type: { enum: 'tars::EMTaskItemStatus' } },
      { tag: 4, name: 'statusInfo', required: false, type: 'string' },
      { tag: 5, name: 'executeLog', required: false, type: 'string' },
      { tag: 6, name: 'percent', required: false, type: 'int' },
    ] },
    'tars::TaskReq': { fields: [
      { tag: 0, name: 'taskItemReq', required: false, type: { vector: { struct: 'tars::TaskItemReq' } } },
      { tag: 1, name: 'taskNo', required: false, type: 'string' },
      { tag: 2, name: 'serial', required: false, type: 'bool' },
      { tag: 3, name: 'userName', required: false, type: 'string' },
      { tag: 4, name: 'isElegant', required: false, type: 'bool', default: false },
      { tag: 5, name: 'eachNum', required: false, type: 'int', default: 1 },
    ] },
    'tars::TaskRsp': { fields: [
      { tag: 0, name: 'taskItemRsp', required: false, type: { vector: { struct: 'tars::TaskItemRsp' } } },
      { tag: 1, name: 'taskNo', required: false, type: 'string' },
      { tag: 2, name: 'serial', required: false, type: 'bool' },
      { tag: 3, name: 'userName', required: false, type: 'string' },
      { tag: 4, name: 'status', required: false, type: { enum: 'tars::EMTaskStatus' } },
      { tag: 5, name: 'createTime', required: false, type: 'string' },
      { tag: 6, name: 'executeLog', required: false, type: 'string' },
    ] },
    'tars::FrameworkServer': { fields: [
      { tag: 0, name: 'serverName', required: true, type: 'string' },
      { tag: 1, name: 'nodeName', required: true, type: 'string' },
      { tag: 2, name: 'objName', required: true, type: 'string' },
    ] },
    'tars::PatchRequest': { fields: [
      { tag: 0, name: 'appname', required: true, type: 'string' },
      { tag: 1, name: 'servername', required: true, type: 'string' },
      { tag: 2, name: 'nodename', required: true, type: 'string' },
      { tag: 3, name: 'groupname', required: true, type: 'string' },
      { tag: 4, name: 'binname', required: true, type: 'string' },
      { tag: 5, name: 'version', required: true, type: 'string' },
      { tag: 6, name: 'user', required: true, type: 'string' },
      { tag: 7, name: 'servertype', required: true, type: 'string' },
      { tag: 8, name: 'patchobj', required: true, type: 'string' },
      { tag: 9, name: 'md5', required: true, type: 'string' },
      { tag: 10, name: 'ostype', required: false, type: 'string' },
      { tag: 11, name: 'filepath', required: false, type: 'string' },
    ] },
    'tars::PatchInfo': { fields: [
      { tag: 0, name: 'bPatching', required: true, type: 'bool' },
      { tag: 1, name: 'iPercent', required: true, type: 'int' },
      { tag: 2, name: 'iModifyTime', required: true, type: 'int' },
      { tag: 3, name: 'sVersion', required: true, type: 'string' },
      { tag: 4, name: 'sResult', required: true, type: 'string' },
      { tag: 5, name: 'bSucc', required: false, type: 'bool', default: false },
    ] },
    'tars::ServerConf': { fields: [
      { tag: 0, name: 'application', required: false, type: 'string' },
      { tag: 1, name: 'serverName', required: false, type: 'string' },
      { tag: 2, name: 'nodeName', required: false, type: 'string' },
      { tag: 3, name: 'basePath', required: false, type: 'string' },
      { tag: 4, name: 'exePath', required: false, type: 'string' },
      { tag: 5, name: 'settingState', required: false, type: 'string', default: 'active' },
      { tag: 6, name: 'profile', required: false, type: 'string' },
      { tag: 7, name: 'serverType', required: false, type: 'string' },
      { tag: 8, name: 'startScript', required: false, type: 'string' },
      { tag: 9, name: 'stopScript', required: false, type: 'string' },
      { tag: 10, name: 'monitorScript', required: false, type: 'string' },
      { tag: 11, name: 'asyncThreadNum', required: false, type: 'int', default: 3 },
      { tag: 12, name: 'enableGroup', required: false, type: 'string' },
      { tag: 13, name: 'ipGroupName', required: false, type: 'string' },
    ] },
    'tars::AdapterConf': { fields: [
      { tag: 0, name: 'adapterName', required: false, type: 'string' },
      { tag: 1, name: 'threadNum', required: false, type: 'int', default: 5 },
      { tag: 2, name: 'endpoint', required: false, type: 'string' },
      { tag: 3, name: 'maxConnections', required: false, type: 'int', default: 10240 },
      { tag: 4, name: 'allowIp', required: false, type: 'string' },
      { tag: 5, name: 'servant', required: false, type: 'string' },
      { tag: 6, name: 'queuecap', required: false, type: 'int', default: 100000 },
      { tag: 7, name: 'queuetimeout', required: false, type: 'int', default: 600000 },
      { tag: 8, name: 'protocol', required: false, type: 'string' },
    ] },
    'tars::PluginConf': { fields: [
      { tag: 0, name: 'name', required: false, type: 'string' },
      { tag: 1, name: 'name_en', required: false, type: 'string' },
      { tag: 2, name: 'obj', required: false, type: 'string' },
      { tag: 3, name: 'type', required: false, type: 'int' },
      { tag: 4, name: 'path', required: false, type: 'string' },
      { tag: 5, name: 'k8s', required: false, type: 'bool' },
      { tag: 6, name: 'fextern', required: false, type: 'int' },
    ] },
    'tars::ServerTree': { fields: [
      { tag: 0, name: 'application', required: false, type: 'string' },
      { tag: 1, name: 'server_name', required: false, type: 'string' },
      { tag: 2, name: 'enable_set', required: false, type: 'string' },
      { tag: 3, name: 'set_name', required: false, type: 'string' },
      { tag: 4, name: 'set_area', required: false, type: 'string' },
      { tag: 5, name: 'set_group', required: false, type: 'string' },
    ] },
    'tars::PatchPackage': { fields: [
      { tag: 0, name: 'id', required: false, type: 'int' },
      { tag: 1, name: 'md5', required: false, type: 'string' },
    ] },
    'tars::ApplicationServerName': { fields: [
      { tag: 0, name: 'application', required: false, type: 'string' },
      { tag: 1, name: 'serverName', required: false, type: 'string' },
    ] },
  },
  enums: {
    ...NodeDescriptorSchema.enums,
    'tars::tarsErrCode': { members: { EM_TARS_SUCCESS: 0, EM_TARS_UNKNOWN_ERR: -1, EM_TARS_NODE_NOT_REGISTRY_ERR: 1001, EM_TARS_CALL_NODE_TIMEOUT_ERR: 1002, EM_TARS_LOAD_SERVICE_DESC_ERR: 1003, EM_TARS_SERVICE_STATE_ERR: 1004, EM_TARS_REQ_ALREADY_ERR: 1005, EM_TARS_INVALID_IP_ERR: 1006, EM_TARS_PARAMETER_ERR: 1007, EM_TARS_OTHER_ERR: 1008, EM_TARS_GET_PATCH_FILE_ERR: 1009, EM_TARS_PREPARE_ERR: 1010, EM_TARS_CAN_NOT_EXECUTE: 1011, EM_TARS_NODE_NO_CONNECTION: 1012 } },
    'tars::EMTaskStatus': { members: { EM_T_NOT_START: 0, EM_T_PREPARE: 1, EM_T_RUNNING: 2, EM_T_SUCCESS: 3, EM_T_FAILED: 4, EM_T_CANCEL: 5, EM_T_PARIAL: 6 } },
    'tars::EMTaskItemStatus': { members: { EM_I_NOT_START: 0, EM_I_PREPARE: 1, EM_I_RUNNING: 2, EM_I_SUCCESS: 3, EM_I_FAILED: 4, EM_I_CANCEL: 5, EM_I_PAUSE_FLOW: 6 } },
  },
  constants: {
    ...NodeDescriptorSchema.constants,
  },
  interfaces: {
    ...NodeDescriptorSchema.interfaces,
    'tars::AdminReg': { functions: {
      reportNode: { params: [{ name: 'rn', tag: 1, out: false, type: { struct: 'tars::ReportNode' } }], result: 'int' },
      deleteNode: { params: [{ name: 'rn', tag: 1, out: false, type: { struct: 'tars::ReportNode' } }], result: 'int' },
      reportResult: { params: [{ name: 'requestId', tag: 1, out: false, type: 'int' }, { name: 'funcName', tag: 2, out: false, type: 'string' }, { name: 'ret', tag: 3, out: false, type: 'int' }, { name: 'result', tag: 4, out: false, type: 'string' }], result: 'int' },
      addTaskReq: { params: [{ name: 'taskReq', tag: 1, out: false, type: { struct: 'tars::TaskReq' } }], result: 'int' },
      getTaskRsp: { params: [{ name: 'taskNo', tag: 1, out: false, type: 'string' }, { name: 'taskRsp', tag: 2, out: true, type: { struct: 'tars::TaskRsp' } }], result: 'int' },
      getTaskHistory: { params: [{ name: 'application', tag: 1, out: false, type: 'string' }, { name: 'serverName', tag: 2, out: false, type: 'string' }, { name: 'command', tag: 3, out: false, type: 'string' }, { name: 'taskRsps', tag: 4, out: true, type: { vector: { struct: 'tars::TaskRsp' } } }], result: 'int' },
      setTaskItemInfo: { params: [{ name: 'itemNo', tag: 1, out: false, type: 'string' }, { name: 'info', tag: 2, out: false, type: { map: ['string', 'string'] } }], result: 'int' },
      getAllApplicationNames: { params: [{ name: 'result', tag: 1, out: true, type: 'string' }], result: { vector: 'string' } },
      getAllNodeNames: { params: [{ name: 'result', tag: 1, out: true, type: 'string' }], result: { vector: 'string' } },
      getAllServerIds: { params: [{ name: 'result', tag: 1, out: true, type: 'string' }], result: { vector: { vector: 'string' } } },
      pingNode: { params: [{ name: 'name', tag: 1, out: false, type: 'string' }, { name: 'result', tag: 2, out: true, type: 'string' }], result: 'bool' },
      getNodeVesion: { params: [{ name: 'name', tag: 1, out: false, type: 'string' }, { name: 'version', tag: 2, out: true, type: 'string' }, { name: 'result', tag: 3, out: true, type: 'string' }], result: 'int' },
      shutdownNode: { params: [{ name: 'name', tag: 1, out: false, type: 'string' }, { name: 'result', tag: 2, out: true, type: 'string' }], result: 'int' },
      getServerState: { params: [{ name: 'application', tag: 1, out: false, type: 'string' }, { name: 'serverName', tag: 2, out: false, type: 'string' }, { name: 'nodeName', tag: 3, out: false, type: 'string' }, { name: 'state', tag: 4, out: true, type: { struct: 'tars::ServerStateDesc' } }, { name: 'result', tag: 5, out: true, type: 'string' }], result: 'int' },
      getGroupId: { params: [{ name: 'ip', tag: 1, out: false, type: 'string' }, { name: 'groupId', tag: 2, out: true, type: 'int' }, { name: 'result', tag: 3, out: true, type: 'string' }], result: 'int' },
      startServer: { params: [{ name: 'application', tag: 1, out: false, type: 'string' }, { name: 'serverName', tag: 2, out: false, type: 'string' }, { name: 'nodeName', tag: 3, out: false, type: 'string' }, { name: 'result', tag: 4, out: true, type: 'string' }], result: 'int' },
      stopServer: { params: [{ name: 'application', tag: 1, out: false, type: 'string' }, { name: 'serverName', tag: 2, out: false, type: 'string' }, { name: 'nodeName', tag: 3, out: false, type: 'string' }, { name: 'result', tag: 4, out: true, type: 'string' }], result: 'int' },
      restartServer: { params: [{ name: 'application', tag: 1, out: false, type: 'string' }, { name: 'serverName', tag: 2, out: false, type: 'string' }, { name: 'nodeName', tag: 3, out: false, type: 'string' }, { name: 'result', tag: 4, out: true, type: 'string' }], result: 'int' },
      destroyServer: { params: [{ name: 'application', tag: 1, out: false, type: 'string' }, { name: 'serverName', tag: 2, out: false, type: 'string' }, { name: 'nodeName', tag: 3, out: false, type: 'string' }, { name: 'result', tag: 4, out: true, type: 'string' }], result: 'int' },
      uninstallServer: { params: [{ name: 'application', tag: 1, out: false, type: 'string' }, { name: 'serverName', tag: 2, out: false, type: 'string' }, { name: 'nodeName', tag: 3, out: false, type: 'string' }, { name: 'result', tag: 4, out: true, type: 'string' }], result: 'int' },
      notifyServer: { params: [{ name: 'application', tag: 1, out: false, type: 'string' }, { name: 'serverName', tag: 2, out: false, type: 'string' }, { name: 'nodeName', tag: 3, out: false, type: 'string' }, { name: 'command', tag: 4, out: false, type: 'string' }, { name: 'result', tag: 5, out: true, type: 'string' }], result: 'int' },
      batchPatch: { params: [{ name: 'req', tag: 1, out: false, type: { struct: 'tars::PatchRequest' } }, { name: 'result', tag: 2, out: true, type: 'string' }], result: 'int' },
      getPatchPercent: { params: [{ name: 'application', tag: 1, out: false, type: 'string' }, { name: 'serverName', tag: 2, out: false, type: 'string' }, { name: 'nodeName', tag: 3, out: false, type: 'string' }, { name: 'tPatchInfo', tag: 4, out: true, type: { struct: 'tars::PatchInfo' } }], result: 'int' },
      updatePatchLog: { params: [{ name: 'application', tag: 1, out: false, type: 'string' }, { name: 'serverName', tag: 2, out: false, type: 'string' }, { name: 'nodeName', tag: 3, out: false, type: 'string' }, { name: 'patchId', tag: 4, out: false, type: 'string' }, { name: 'user', tag: 5, out: false, type: 'string' }, { name: 'patchType', tag: 6, out: false, type: 'string' }, { name: 'succ', tag: 7, out: false, type: 'bool' }], result: 'int' },
      deletePatchFile: { params: [{ name: 'application', tag: 1, out: false, type: 'string' }, { name: 'serverName', tag: 2, out: false, type: 'string' }, { name: 'patchFile', tag: 3, out: false, type: 'string' }], result: 'int' },
      undeploy: { params: [{ name: 'application', tag: 1, out: false, type: 'string' }, { name: 'serverName', tag: 2, out: false, type: 'string' }, { name: 'nodeName', tag: 3, out: false, type: 'string' }, { name: 'user', tag: 4, out: false, type: 'string' }, { name: 'log', tag: 5, out: true, type: 'string' }], result: 'int' },
      loadServer: { params: [{ name: 'application', tag: 1, out: false, type: 'string' }, { name: 'serverName', tag: 2, out: false, type: 'string' }, { name: 'nodeName', tag: 3, out: false, type: 'string' }, { name: 'result', tag: 4, out: true, type: 'string' }], result: 'int' },
      delCache: { params: [{ name: 'nodeName', tag: 1, out: false, type: 'string' }, { name: 'sFullCacheName', tag: 2, out: false, type: 'string' }, { name: 'sBackupPath', tag: 3, out: false, type: 'string' }, { name: 'sKey', tag: 4, out: false, type: 'string' }, { name: 'result', tag: 5, out: true, type: 'string' }], result: 'int' },
      getProfileTemplate: { params: [{ name: 'profileName', tag: 1, out: false, type: 'string' }, { name: 'profileTemplate', tag: 2, out: true, type: 'string' }, { name: 'resultDesc', tag: 3, out: true, type: 'string' }], result: 'int' },
      getServerProfileTemplate: { params: [{ name: 'application', tag: 1, out: false, type: 'string' }, { name: 'serverName', tag: 2, out: false, type: 'string' }, { name: 'nodeName', tag: 3, out: false, type: 'string' }, { name: 'profileTemplate', tag: 4, out: true, type: 'string' }, { name: 'resultDesc', tag: 5, out: true, type: 'string' }], result: 'int' },
      getClientIp: { params: [{ name: 'sClientIp', tag: 1, out: true, type: 'string' }], result: 'int' },
      getLogFileList: { params: [{ name: 'application', tag: 1, out: false, type: 'string' }, { name: 'serverName', tag: 2, out: false, type: 'string' }, { name: 'nodeName', tag: 3, out: false, type: 'string' }, { name: 'logFileList', tag: 4, out: true, type: { vector: 'string' } }], result: 'int' },
      getLogData: { params: [{ name: 'application', tag: 1, out: false, type: 'string' }, { name: 'serverName', tag: 2, out: false, type: 'string' }, { name: 'nodeName', tag: 3, out: false, type: 'string' }, { name: 'logFile', tag: 4, out: false, type: 'string' }, { name: 'cmd', tag: 5, out: false, type: 'string' }, { name: 'fileData', tag: 6, out: true, type: 'string' }], result: 'int' },
      getNodeLoad: { params: [{ name: 'application', tag: 1, out: false, type: 'string' }, { name: 'serverName', tag: 2, out: false, type: 'string' }, { name: 'nodeName', tag: 3, out: false, type: 'string' }, { name: 'pid', tag: 4, out: false, type: 'int' }, { name: 'fileData', tag: 5, out: true, type: 'string' }], result: 'int' },
      getServers: { params: [{ name: 'servers', tag: 1, out: true, type: { vector: { struct: 'tars::FrameworkServer' } } }], result: 'int' },
      checkServer: { params: [{ name: 'server', tag: 1, out: false, type: { struct: 'tars::FrameworkServer' } }], result: 'int' },
      getVersion: { params: [{ name: 'version', tag: 1, out: true, type: 'string' }], result: 'int' },
      updateServerFlowState: { params: [{ name: 'application', tag: 1, out: false, type: 'string' }, { name: 'serverName', tag: 2, out: false, type: 'string' }, { name: 'nodeList', tag: 3, out: false, type: { vector: 'string' } }, { name: 'bActive', tag: 4, out: false, type: 'bool' }], result: 'int' },
      forceDockerLogin: { params: [{ name: 'nodeName', tag: 1, out: false, type: 'string' }, { name: 'result', tag: 2, out: true, type: { vector: 'string' } }], result: 'int' },
      checkDockerRegistry: { params: [{ name: 'registry', tag: 1, out: false, type: 'string' }, { name: 'userName', tag: 2, out: false, type: 'string' }, { name: 'password', tag: 3, out: false, type: 'string' }, { name: 'result', tag: 4, out: true, type: 'string' }], result: 'int' },
      dockerPull: { params: [{ name: 'baseImageId', tag: 1, out: false, type: 'string' }], result: 'int' },
      getNodeList: { params: [{ name: 'nodeNames', tag: 1, out: false, type: { vector: 'string' } }, { name: 'heartbeats', tag: 2, out: true, type: { map: ['string', 'string'] } }], result: 'int' },
      hasServer: { params: [{ name: 'application', tag: 1, out: false, type: 'string' }, { name: 'serverName', tag: 2, out: false, type: 'string' }, { name: 'has', tag: 3, out: true, type: 'bool' }], result: 'int' },
      insertServerConf: { params: [{ name: 'conf', tag: 1, out: false, type: { struct: 'tars::ServerConf' } }, { name: 'replace', tag: 2, out: false, type: 'bool' }], result: 'int' },
      insertAdapterConf: { params: [{ name: 'application', tag: 1, out: false, type: 'string' }, { name: 'serverName', tag: 2, out: false, type: 'string' }, { name: 'nodeName', tag: 3, out: false, type: 'string' }, { name: 'conf', tag: 4, out: false, type: { struct: 'tars::AdapterConf' } }, { name: 'replace', tag: 5, out: false, type: 'bool' }], result: 'int' },
      insertConfigFile: { params: [{ name: 'fullServerName', tag: 1, out: false, type: 'string' }, { name: 'fileName', tag: 2, out: false, type: 'string' }, { name: 'content', tag: 3, out: false, type: 'string' }, { name: 'nodeName', tag: 4, out: false, type: 'string' }, { name: 'level', tag: 5, out: false, type: 'int' }, { name: 'replace', tag: 6, out: false, type: 'bool' }], result: 'int' },
      getConfigFileId: { params: [{ name: 'fullServerName', tag: 1, out: false, type: 'string' }, { name: 'fileName', tag: 2, out: false, type: 'string' }, { name: 'nodeName', tag: 3, out: false, type: 'string' }, { name: 'level', tag: 4, out: false, type: 'int' }, { name: 'configFileId', tag: 5, out: true, type: 'int' }], result: 'int' },
      insertHistoryConfigFile: { params: [{ name: 'configFileId', tag: 1, out: false, type: 'int' }, { name: 'reason', tag: 2, out: false, type: 'string' }, { name: 'content', tag: 3, out: false, type: 'string' }, { name: 'replace', tag: 4, out: false, type: 'bool' }], result: 'int' },
      registerPlugin: { params: [{ name: 'conf', tag: 1, out: false, type: { struct: 'tars::PluginConf' } }], result: 'int' },
      hasDevAuth: { params: [{ name: 'application', tag: 1, out: false, type: 'string' }, { name: 'serverName', tag: 2, out: false, type: 'string' }, { name: 'uid', tag: 3, out: false, type: 'string' }, { name: 'has', tag: 4, out: true, type: 'bool' }], result: 'int' },
      hasOpeAuth: { params: [{ name: 'application', tag: 1, out: false, type: 'string' }, { name: 'serverName', tag: 2, out: false, type: 'string' }, { name: 'uid', tag: 3, out: false, type: 'string' }, { name: 'has', tag: 4, out: true, type: 'bool' }], result: 'int' },
      hasAdminAuth: { params: [{ name: 'uid', tag: 1, out: false, type: 'string' }, { name: 'has', tag: 2, out: true, type: 'bool' }], result: 'int' },
      checkTicket: { params: [{ name: 'ticket', tag: 1, out: false, type: 'string' }, { name: 'uid', tag: 2, out: true, type: 'string' }], result: 'int' },
      getServerTree: { params: [{ name: 'tree', tag: 1, out: true, type: { vector: { struct: 'tars::ServerTree' } } }], result: 'int' },
      getPatchPackage: { params: [{ name: 'application', tag: 1, out: false, type: 'string' }, { name: 'serverName', tag: 2, out: false, type: 'string' }, { name: 'packageType', tag: 3, out: false, type: 'int' }, { name: 'defaultVersion', tag: 4, out: false, type: 'int' }, { name: 'patchPackage', tag: 5, out: true, type: { struct: 'tars::PatchPackage' } }], result: 'int' },
      getServerNameList: { params: [{ name: 'names', tag: 1, out: false, type: { vector: { struct: 'tars::ApplicationServerName' } } }, { name: 'rows', tag: 2, out: true, type: { vector: { map: ['string', 'string'] } } }], result: 'int' },
    } },
  },
}

/** What implements AdminReg in a server. */
export interface AdminRegServant {
  reportNode(rn: ReportNode, current: Current): Answer<number>
  deleteNode(rn: ReportNode, current: Current): Answer<number>
  reportResult(requestId: number, funcName: string, ret: number, result: string, current: Current): Answer<number>
  /** Begins a task; taskNo is the caller's. */
  addTaskReq(taskReq: TaskReq, current: Current): Answer<number>
  getTaskRsp(taskNo: string, current: Current): Answer<{ return: number; taskRsp: TaskRsp }>
  /** Newest first. */
  getTaskHistory(application: string, serverName: string, command: string, current: Current): Answer<{ return: number; taskRsps: TaskRsp[] }>
  setTaskItemInfo(itemNo: string, info: Map<string, string>, current: Current): Answer<number>
  getAllApplicationNames(current: Current): Answer<{ return: string[]; result: string }>
  getAllNodeNames(current: Current): Answer<{ return: string[]; result: string }>
  /** Rows of "App.Server_node", setting state, present state and type. */
  getAllServerIds(current: Current): Answer<{ return: string[][]; result: string }>
  pingNode(name: string, current: Current): Answer<{ return: boolean; result: string }>
  getNodeVesion(name: string, current: Current): Answer<{ return: number; version: string; result: string }>
  shutdownNode(name: string, current: Current): Answer<{ return: number; result: string }>
  getServerState(application: string, serverName: string, nodeName: string, current: Current): Answer<{ return: number; state: ServerStateDesc; result: string }>
  getGroupId(ip: string, current: Current): Answer<{ return: number; groupId: number; result: string }>
  startServer(application: string, serverName: string, nodeName: string, current: Current): Answer<{ return: number; result: string }>
  stopServer(application: string, serverName: string, nodeName: string, current: Current): Answer<{ return: number; result: string }>
  restartServer(application: string, serverName: string, nodeName: string, current: Current): Answer<{ return: number; result: string }>
  destroyServer(application: string, serverName: string, nodeName: string, current: Current): Answer<{ return: number; result: string }>
  uninstallServer(application: string, serverName: string, nodeName: string, current: Current): Answer<{ return: number; result: string }>
  notifyServer(application: string, serverName: string, nodeName: string, command: string, current: Current): Answer<{ return: number; result: string }>
  batchPatch(req: PatchRequest, current: Current): Answer<{ return: number; result: string }>
  getPatchPercent(application: string, serverName: string, nodeName: string, current: Current): Answer<{ return: number; tPatchInfo: PatchInfo }>
  updatePatchLog(application: string, serverName: string, nodeName: string, patchId: string, user: string, patchType: string, succ: boolean, current: Current): Answer<number>
  deletePatchFile(application: string, serverName: string, patchFile: string, current: Current): Answer<number>
  undeploy(application: string, serverName: string, nodeName: string, user: string, current: Current): Answer<{ return: number; log: string }>
  loadServer(application: string, serverName: string, nodeName: string, current: Current): Answer<{ return: number; result: string }>
  delCache(nodeName: string, sFullCacheName: string, sBackupPath: string, sKey: string, current: Current): Answer<{ return: number; result: string }>
  getProfileTemplate(profileName: string, current: Current): Answer<{ return: number; profileTemplate: string; resultDesc: string }>
  getServerProfileTemplate(application: string, serverName: string, nodeName: string, current: Current): Answer<{ return: number; profileTemplate: string; resultDesc: string }>
  getClientIp(current: Current): Answer<{ return: number; sClientIp: string }>
  /** @param nodeName empty or "remote": of the logs that tarslog keeps */
  getLogFileList(application: string, serverName: string, nodeName: string, current: Current): Answer<{ return: number; logFileList: string[] }>
  getLogData(application: string, serverName: string, nodeName: string, logFile: string, cmd: string, current: Current): Answer<{ return: number; fileData: string }>
  getNodeLoad(application: string, serverName: string, nodeName: string, pid: number, current: Current): Answer<{ return: number; fileData: string }>
  /** The framework's own objects with their addresses. */
  getServers(current: Current): Answer<{ return: number; servers: FrameworkServer[] }>
  checkServer(server: FrameworkServer, current: Current): Answer<number>
  getVersion(current: Current): Answer<{ return: number; version: string }>
  updateServerFlowState(application: string, serverName: string, nodeList: string[], bActive: boolean, current: Current): Answer<number>
  forceDockerLogin(nodeName: string, current: Current): Answer<{ return: number; result: string[] }>
  checkDockerRegistry(registry: string, userName: string, password: string, current: Current): Answer<{ return: number; result: string }>
  dockerPull(baseImageId: string, current: Current): Answer<number>
  /** When each node was last known to be well. */
  getNodeList(nodeNames: string[], current: Current): Answer<{ return: number; heartbeats: Map<string, string> }>
  hasServer(application: string, serverName: string, current: Current): Answer<{ return: number; has: boolean }>
  insertServerConf(conf: ServerConf, replace: boolean, current: Current): Answer<number>
  insertAdapterConf(application: string, serverName: string, nodeName: string, conf: AdapterConf, replace: boolean, current: Current): Answer<number>
  /** @param level 1 of the application, 2 of all nodes of the server, 3 of the node */
  insertConfigFile(fullServerName: string, fileName: string, content: string, nodeName: string, level: number, replace: boolean, current: Current): Answer<number>
  getConfigFileId(fullServerName: string, fileName: string, nodeName: string, level: number, current: Current): Answer<{ return: number; configFileId: number }>
  insertHistoryConfigFile(configFileId: number, reason: string, content: string, replace: boolean, current: Current): Answer<number>
  registerPlugin(conf: PluginConf, current: Current): Answer<number>
  hasDevAuth(application: string, serverName: string, uid: string, current: Current): Answer<{ return: number; has: boolean }>
  hasOpeAuth(application: string, serverName: string, uid: string, current: Current): Answer<{ return: number; has: boolean }>
  hasAdminAuth(uid: string, current: Current): Answer<{ return: number; has: boolean }>
  /** uid is empty when the ticket is not valid. */
  checkTicket(ticket: string, current: Current): Answer<{ return: number; uid: string }>
  getServerTree(current: Current): Answer<{ return: number; tree: ServerTree[] }>
  getPatchPackage(application: string, serverName: string, packageType: number, defaultVersion: number, current: Current): Answer<{ return: number; patchPackage: PatchPackage }>
  /** Rows by the column names of native's t_server_conf, one a pod. */
  getServerNameList(names: ApplicationServerName[], current: Current): Answer<{ return: number; rows: Map<string, string>[] }>
}

/** What a client calls AdminReg with. */
export interface AdminRegProxy {
  reportNode(rn: ReportNode, options?: CallOptions): Promise<number>
  deleteNode(rn: ReportNode, options?: CallOptions): Promise<number>
  reportResult(requestId: number, funcName: string, ret: number, result: string, options?: CallOptions): Promise<number>
  addTaskReq(taskReq: TaskReq, options?: CallOptions): Promise<number>
  getTaskRsp(taskNo: string, options?: CallOptions): Promise<{ return: number; taskRsp: TaskRsp }>
  getTaskHistory(application: string, serverName: string, command: string, options?: CallOptions): Promise<{ return: number; taskRsps: TaskRsp[] }>
  setTaskItemInfo(itemNo: string, info: Map<string, string>, options?: CallOptions): Promise<number>
  getAllApplicationNames(options?: CallOptions): Promise<{ return: string[]; result: string }>
  getAllNodeNames(options?: CallOptions): Promise<{ return: string[]; result: string }>
  getAllServerIds(options?: CallOptions): Promise<{ return: string[][]; result: string }>
  pingNode(name: string, options?: CallOptions): Promise<{ return: boolean; result: string }>
  getNodeVesion(name: string, options?: CallOptions): Promise<{ return: number; version: string; result: string }>
  shutdownNode(name: string, options?: CallOptions): Promise<{ return: number; result: string }>
  getServerState(application: string, serverName: string, nodeName: string, options?: CallOptions): Promise<{ return: number; state: ServerStateDesc; result: string }>
  getGroupId(ip: string, options?: CallOptions): Promise<{ return: number; groupId: number; result: string }>
  startServer(application: string, serverName: string, nodeName: string, options?: CallOptions): Promise<{ return: number; result: string }>
  stopServer(application: string, serverName: string, nodeName: string, options?: CallOptions): Promise<{ return: number; result: string }>
  restartServer(application: string, serverName: string, nodeName: string, options?: CallOptions): Promise<{ return: number; result: string }>
  destroyServer(application: string, serverName: string, nodeName: string, options?: CallOptions): Promise<{ return: number; result: string }>
  uninstallServer(application: string, serverName: string, nodeName: string, options?: CallOptions): Promise<{ return: number; result: string }>
  notifyServer(application: string, serverName: string, nodeName: string, command: string, options?: CallOptions): Promise<{ return: number; result: string }>
  batchPatch(req: PatchRequest, options?: CallOptions): Promise<{ return: number; result: string }>
  getPatchPercent(application: string, serverName: string, nodeName: string, options?: CallOptions): Promise<{ return: number; tPatchInfo: PatchInfo }>
  updatePatchLog(application: string, serverName: string, nodeName: string, patchId: string, user: string, patchType: string, succ: boolean, options?: CallOptions): Promise<number>
  deletePatchFile(application: string, serverName: string, patchFile: string, options?: CallOptions): Promise<number>
  undeploy(application: string, serverName: string, nodeName: string, user: string, options?: CallOptions): Promise<{ return: number; log: string }>
  loadServer(application: string, serverName: string, nodeName: string, options?: CallOptions): Promise<{ return: number; result: string }>
  delCache(nodeName: string, sFullCacheName: string, sBackupPath: string, sKey: string, options?: CallOptions): Promise<{ return: number; result: string }>
  getProfileTemplate(profileName: string, options?: CallOptions): Promise<{ return: number; profileTemplate: string; resultDesc: string }>
  getServerProfileTemplate(application: string, serverName: string, nodeName: string, options?: CallOptions): Promise<{ return: number; profileTemplate: string; resultDesc: string }>
  getClientIp(options?: CallOptions): Promise<{ return: number; sClientIp: string }>
  getLogFileList(application: string, serverName: string, nodeName: string, options?: CallOptions): Promise<{ return: number; logFileList: string[] }>
  getLogData(application: string, serverName: string, nodeName: string, logFile: string, cmd: string, options?: CallOptions): Promise<{ return: number; fileData: string }>
  getNodeLoad(application: string, serverName: string, nodeName: string, pid: number, options?: CallOptions): Promise<{ return: number; fileData: string }>
  getServers(options?: CallOptions): Promise<{ return: number; servers: FrameworkServer[] }>
  checkServer(server: FrameworkServer, options?: CallOptions): Promise<number>
  getVersion(options?: CallOptions): Promise<{ return: number; version: string }>
  updateServerFlowState(application: string, serverName: string, nodeList: string[], bActive: boolean, options?: CallOptions): Promise<number>
  forceDockerLogin(nodeName: string, options?: CallOptions): Promise<{ return: number; result: string[] }>
  checkDockerRegistry(registry: string, userName: string, password: string, options?: CallOptions): Promise<{ return: number; result: string }>
  dockerPull(baseImageId: string, options?: CallOptions): Promise<number>
  getNodeList(nodeNames: string[], options?: CallOptions): Promise<{ return: number; heartbeats: Map<string, string> }>
  hasServer(application: string, serverName: string, options?: CallOptions): Promise<{ return: number; has: boolean }>
  insertServerConf(conf: ServerConf, replace: boolean, options?: CallOptions): Promise<number>
  insertAdapterConf(application: string, serverName: string, nodeName: string, conf: AdapterConf, replace: boolean, options?: CallOptions): Promise<number>
  insertConfigFile(fullServerName: string, fileName: string, content: string, nodeName: string, level: number, replace: boolean, options?: CallOptions): Promise<number>
  getConfigFileId(fullServerName: string, fileName: string, nodeName: string, level: number, options?: CallOptions): Promise<{ return: number; configFileId: number }>
  insertHistoryConfigFile(configFileId: number, reason: string, content: string, replace: boolean, options?: CallOptions): Promise<number>
  registerPlugin(conf: PluginConf, options?: CallOptions): Promise<number>
  hasDevAuth(application: string, serverName: string, uid: string, options?: CallOptions): Promise<{ return: number; has: boolean }>
  hasOpeAuth(application: string, serverName: string, uid: string, options?: CallOptions): Promise<{ return: number; has: boolean }>
  hasAdminAuth(uid: string, options?: CallOptions): Promise<{ return: number; has: boolean }>
  checkTicket(ticket: string, options?: CallOptions): Promise<{ return: number; uid: string }>
  getServerTree(options?: CallOptions): Promise<{ return: number; tree: ServerTree[] }>
  getPatchPackage(application: string, serverName: string, packageType: number, defaultVersion: number, options?: CallOptions): Promise<{ return: number; patchPackage: PatchPackage }>
  getServerNameList(names: ApplicationServerName[], options?: CallOptions): Promise<{ return: number; rows: Map<string, string>[] }>
}

const fastAdminReg: FastForms = {
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
  deleteNode: {
    writeArgs(w, args) {
      writeReportNode(w, 1, args[0] as ReportNode)
    },
    readArgs: (r) => [readReportNode(r, 1)],
    writeResult(w, result) {
      w.writeInt(0, result as number)
    },
    readResult: (r) => r.readInt(0),
  },
  reportResult: {
    writeArgs(w, args) {
      w.writeInt(1, args[0] as number)
      w.writeString(2, args[1] as string)
      w.writeInt(3, args[2] as number)
      w.writeString(4, args[3] as string)
    },
    readArgs: (r) => [r.readInt(1), r.readString(2), r.readInt(3), r.readString(4)],
    writeResult(w, result) {
      w.writeInt(0, result as number)
    },
    readResult: (r) => r.readInt(0),
  },
  addTaskReq: {
    writeArgs(w, args) {
      writeTaskReq(w, 1, args[0] as TaskReq)
    },
    readArgs: (r) => [readTaskReq(r, 1)],
    writeResult(w, result) {
      w.writeInt(0, result as number)
    },
    readResult: (r) => r.readInt(0),
  },
  getTaskRsp: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
    },
    readArgs: (r) => [r.readString(1)],
    writeResult(w, result) {
      const value = resultObject('getTaskRsp', result) as { return: number; taskRsp: TaskRsp }
      w.writeInt(0, value.return)
      writeTaskRsp(w, 2, value.taskRsp)
    },
    readResult: (r) => ({
      return: r.readInt(0),
      taskRsp: readTaskRsp(r, 2),
    }),
  },
  getTaskHistory: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
      w.writeString(2, args[1] as string)
      w.writeString(3, args[2] as string)
    },
    readArgs: (r) => [r.readString(1), r.readString(2), r.readString(3)],
    writeResult(w, result) {
      const value = resultObject('getTaskHistory', result) as { return: number; taskRsps: TaskRsp[] }
      w.writeInt(0, value.return)
      writeVectorOfTaskRsp(w, 4, value.taskRsps)
    },
    readResult: (r) => ({
      return: r.readInt(0),
      taskRsps: readVectorOfTaskRsp(r, 4),
    }),
  },
  setTaskItemInfo: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
      writeMapOfStringString(w, 2, args[1] as Map<string, string>)
    },
    readArgs: (r) => [r.readString(1), readMapOfStringString(r, 2)],
    writeResult(w, result) {
      w.writeInt(0, result as number)
    },
    readResult: (r) => r.readInt(0),
  },
  getAllApplicationNames: {
    writeArgs() {},
    readArgs: () => [],
    writeResult(w, result) {
      const value = resultObject('getAllApplicationNames', result) as { return: string[]; result: string }
      writeVectorOfString(w, 0, value.return)
      w.writeString(1, value.result)
    },
    readResult: (r) => ({
      return: readVectorOfString(r, 0),
      result: r.readString(1),
    }),
  },
  getAllNodeNames: {
    writeArgs() {},
    readArgs: () => [],
    writeResult(w, result) {
      const value = resultObject('getAllNodeNames', result) as { return: string[]; result: string }
      writeVectorOfString(w, 0, value.return)
      w.writeString(1, value.result)
    },
    readResult: (r) => ({
      return: readVectorOfString(r, 0),
      result: r.readString(1),
    }),
  },
  getAllServerIds: {
    writeArgs() {},
    readArgs: () => [],
    writeResult(w, result) {
      const value = resultObject('getAllServerIds', result) as { return: string[][]; result: string }
      writeVectorOfVectorOfString(w, 0, value.return)
      w.writeString(1, value.result)
    },
    readResult: (r) => ({
      return: readVectorOfVectorOfString(r, 0),
      result: r.readString(1),
    }),
  },
  pingNode: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
    },
    readArgs: (r) => [r.readString(1)],
    writeResult(w, result) {
      const value = resultObject('pingNode', result) as { return: boolean; result: string }
      w.writeBool(0, value.return)
      w.writeString(2, value.result)
    },
    readResult: (r) => ({
      return: r.readBool(0),
      result: r.readString(2),
    }),
  },
  getNodeVesion: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
    },
    readArgs: (r) => [r.readString(1)],
    writeResult(w, result) {
      const value = resultObject('getNodeVesion', result) as { return: number; version: string; result: string }
      w.writeInt(0, value.return)
      w.writeString(2, value.version)
      w.writeString(3, value.result)
    },
    readResult: (r) => ({
      return: r.readInt(0),
      version: r.readString(2),
      result: r.readString(3),
    }),
  },
  shutdownNode: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
    },
    readArgs: (r) => [r.readString(1)],
    writeResult(w, result) {
      const value = resultObject('shutdownNode', result) as { return: number; result: string }
      w.writeInt(0, value.return)
      w.writeString(2, value.result)
    },
    readResult: (r) => ({
      return: r.readInt(0),
      result: r.readString(2),
    }),
  },
  getServerState: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
      w.writeString(2, args[1] as string)
      w.writeString(3, args[2] as string)
    },
    readArgs: (r) => [r.readString(1), r.readString(2), r.readString(3)],
    writeResult(w, result) {
      const value = resultObject('getServerState', result) as { return: number; state: ServerStateDesc; result: string }
      w.writeInt(0, value.return)
      writeServerStateDesc(w, 4, value.state)
      w.writeString(5, value.result)
    },
    readResult: (r) => ({
      return: r.readInt(0),
      state: readServerStateDesc(r, 4),
      result: r.readString(5),
    }),
  },
  getGroupId: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
    },
    readArgs: (r) => [r.readString(1)],
    writeResult(w, result) {
      const value = resultObject('getGroupId', result) as { return: number; groupId: number; result: string }
      w.writeInt(0, value.return)
      w.writeInt(2, value.groupId)
      w.writeString(3, value.result)
    },
    readResult: (r) => ({
      return: r.readInt(0),
      groupId: r.readInt(2),
      result: r.readString(3),
    }),
  },
  startServer: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
      w.writeString(2, args[1] as string)
      w.writeString(3, args[2] as string)
    },
    readArgs: (r) => [r.readString(1), r.readString(2), r.readString(3)],
    writeResult(w, result) {
      const value = resultObject('startServer', result) as { return: number; result: string }
      w.writeInt(0, value.return)
      w.writeString(4, value.result)
    },
    readResult: (r) => ({
      return: r.readInt(0),
      result: r.readString(4),
    }),
  },
  stopServer: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
      w.writeString(2, args[1] as string)
      w.writeString(3, args[2] as string)
    },
    readArgs: (r) => [r.readString(1), r.readString(2), r.readString(3)],
    writeResult(w, result) {
      const value = resultObject('stopServer', result) as { return: number; result: string }
      w.writeInt(0, value.return)
      w.writeString(4, value.result)
    },
    readResult: (r) => ({
      return: r.readInt(0),
      result: r.readString(4),
    }),
  },
  restartServer: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
      w.writeString(2, args[1] as string)
      w.writeString(3, args[2] as string)
    },
    readArgs: (r) => [r.readString(1), r.readString(2), r.readString(3)],
    writeResult(w, result) {
      const value = resultObject('restartServer', result) as { return: number; result: string }
      w.writeInt(0, value.return)
      w.writeString(4, value.result)
    },
    readResult: (r) => ({
      return: r.readInt(0),
      result: r.readString(4),
    }),
  },
  destroyServer: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
      w.writeString(2, args[1] as string)
      w.writeString(3, args[2] as string)
    },
    readArgs: (r) => [r.readString(1), r.readString(2), r.readString(3)],
    writeResult(w, result) {
      const value = resultObject('destroyServer', result) as { return: number; result: string }
      w.writeInt(0, value.return)
      w.writeString(4, value.result)
    },
    readResult: (r) => ({
      return: r.readInt(0),
      result: r.readString(4),
    }),
  },
  uninstallServer: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
      w.writeString(2, args[1] as string)
      w.writeString(3, args[2] as string)
    },
    readArgs: (r) => [r.readString(1), r.readString(2), r.readString(3)],
    writeResult(w, result) {
      const value = resultObject('uninstallServer', result) as { return: number; result: string }
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
      w.writeString(4, args[3] as string)
    },
    readArgs: (r) => [r.readString(1), r.readString(2), r.readString(3), r.readString(4)],
    writeResult(w, result) {
      const value = resultObject('notifyServer', result) as { return: number; result: string }
      w.writeInt(0, value.return)
      w.writeString(5, value.result)
    },
    readResult: (r) => ({
      return: r.readInt(0),
      result: r.readString(5),
    }),
  },
  batchPatch: {
    writeArgs(w, args) {
      writePatchRequest(w, 1, args[0] as PatchRequest)
    },
    readArgs: (r) => [readPatchRequest(r, 1)],
    writeResult(w, result) {
      const value = resultObject('batchPatch', result) as { return: number; result: string }
      w.writeInt(0, value.return)
      w.writeString(2, value.result)
    },
    readResult: (r) => ({
      return: r.readInt(0),
      result: r.readString(2),
    }),
  },
  getPatchPercent: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
      w.writeString(2, args[1] as string)
      w.writeString(3, args[2] as string)
    },
    readArgs: (r) => [r.readString(1), r.readString(2), r.readString(3)],
    writeResult(w, result) {
      const value = resultObject('getPatchPercent', result) as { return: number; tPatchInfo: PatchInfo }
      w.writeInt(0, value.return)
      writePatchInfo(w, 4, value.tPatchInfo)
    },
    readResult: (r) => ({
      return: r.readInt(0),
      tPatchInfo: readPatchInfo(r, 4),
    }),
  },
  updatePatchLog: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
      w.writeString(2, args[1] as string)
      w.writeString(3, args[2] as string)
      w.writeString(4, args[3] as string)
      w.writeString(5, args[4] as string)
      w.writeString(6, args[5] as string)
      w.writeBool(7, args[6] as boolean)
    },
    readArgs: (r) => [r.readString(1), r.readString(2), r.readString(3), r.readString(4), r.readString(5), r.readString(6), r.readBool(7)],
    writeResult(w, result) {
      w.writeInt(0, result as number)
    },
    readResult: (r) => r.readInt(0),
  },
  deletePatchFile: {
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
  undeploy: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
      w.writeString(2, args[1] as string)
      w.writeString(3, args[2] as string)
      w.writeString(4, args[3] as string)
    },
    readArgs: (r) => [r.readString(1), r.readString(2), r.readString(3), r.readString(4)],
    writeResult(w, result) {
      const value = resultObject('undeploy', result) as { return: number; log: string }
      w.writeInt(0, value.return)
      w.writeString(5, value.log)
    },
    readResult: (r) => ({
      return: r.readInt(0),
      log: r.readString(5),
    }),
  },
  loadServer: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
      w.writeString(2, args[1] as string)
      w.writeString(3, args[2] as string)
    },
    readArgs: (r) => [r.readString(1), r.readString(2), r.readString(3)],
    writeResult(w, result) {
      const value = resultObject('loadServer', result) as { return: number; result: string }
      w.writeInt(0, value.return)
      w.writeString(4, value.result)
    },
    readResult: (r) => ({
      return: r.readInt(0),
      result: r.readString(4),
    }),
  },
  delCache: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
      w.writeString(2, args[1] as string)
      w.writeString(3, args[2] as string)
      w.writeString(4, args[3] as string)
    },
    readArgs: (r) => [r.readString(1), r.readString(2), r.readString(3), r.readString(4)],
    writeResult(w, result) {
      const value = resultObject('delCache', result) as { return: number; result: string }
      w.writeInt(0, value.return)
      w.writeString(5, value.result)
    },
    readResult: (r) => ({
      return: r.readInt(0),
      result: r.readString(5),
    }),
  },
  getProfileTemplate: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
    },
    readArgs: (r) => [r.readString(1)],
    writeResult(w, result) {
      const value = resultObject('getProfileTemplate', result) as { return: number; profileTemplate: string; resultDesc: string }
      w.writeInt(0, value.return)
      w.writeString(2, value.profileTemplate)
      w.writeString(3, value.resultDesc)
    },
    readResult: (r) => ({
      return: r.readInt(0),
      profileTemplate: r.readString(2),
      resultDesc: r.readString(3),
    }),
  },
  getServerProfileTemplate: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
      w.writeString(2, args[1] as string)
      w.writeString(3, args[2] as string)
    },
    readArgs: (r) => [r.readString(1), r.readString(2), r.readString(3)],
    writeResult(w, result) {
      const value = resultObject('getServerProfileTemplate', result) as { return: number; profileTemplate: string; resultDesc: string }
      w.writeInt(0, value.return)
      w.writeString(4, value.profileTemplate)
      w.writeString(5, value.resultDesc)
    },
    readResult: (r) => ({
      return: r.readInt(0),
      profileTemplate: r.readString(4),
      resultDesc: r.readString(5),
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
  getLogFileList: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
      w.writeString(2, args[1] as string)
      w.writeString(3, args[2] as string)
    },
    readArgs: (r) => [r.readString(1), r.readString(2), r.readString(3)],
    writeResult(w, result) {
      const value = resultObject('getLogFileList', result) as { return: number; logFileList: string[] }
      w.writeInt(0, value.return)
      writeVectorOfString(w, 4, value.logFileList)
    },
    readResult: (r) => ({
      return: r.readInt(0),
      logFileList: readVectorOfString(r, 4),
    }),
  },
  getLogData: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
      w.writeString(2, args[1] as string)
      w.writeString(3, args[2] as string)
      w.writeString(4, args[3] as string)
      w.writeString(5, args[4] as string)
    },
    readArgs: (r) => [r.readString(1), r.readString(2), r.readString(3), r.readString(4), r.readString(5)],
    writeResult(w, result) {
      const value = resultObject('getLogData', result) as { return: number; fileData: string }
      w.writeInt(0, value.return)
      w.writeString(6, value.fileData)
    },
    readResult: (r) => ({
      return: r.readInt(0),
      fileData: r.readString(6),
    }),
  },
  getNodeLoad: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
      w.writeString(2, args[1] as string)
      w.writeString(3, args[2] as string)
      w.writeInt(4, args[3] as number)
    },
    readArgs: (r) => [r.readString(1), r.readString(2), r.readString(3), r.readInt(4)],
    writeResult(w, result) {
      const value = resultObject('getNodeLoad', result) as { return: number; fileData: string }
      w.writeInt(0, value.return)
      w.writeString(5, value.fileData)
    },
    readResult: (r) => ({
      return: r.readInt(0),
      fileData: r.readString(5),
    }),
  },
  getServers: {
    writeArgs() {},
    readArgs: () => [],
    writeResult(w, result) {
      const value = resultObject('getServers', result) as { return: number; servers: FrameworkServer[] }
      w.writeInt(0, value.return)
      writeVectorOfFrameworkServer(w, 1, value.servers)
    },
    readResult: (r) => ({
      return: r.readInt(0),
      servers: readVectorOfFrameworkServer(r, 1),
    }),
  },
  checkServer: {
    writeArgs(w, args) {
      writeFrameworkServer(w, 1, args[0] as FrameworkServer)
    },
    readArgs: (r) => [readFrameworkServer(r, 1)],
    writeResult(w, result) {
      w.writeInt(0, result as number)
    },
    readResult: (r) => r.readInt(0),
  },
  getVersion: {
    writeArgs() {},
    readArgs: () => [],
    writeResult(w, result) {
      const value = resultObject('getVersion', result) as { return: number; version: string }
      w.writeInt(0, value.return)
      w.writeString(1, value.version)
    },
    readResult: (r) => ({
      return: r.readInt(0),
      version: r.readString(1),
    }),
  },
  updateServerFlowState: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
      w.writeString(2, args[1] as string)
      writeVectorOfString(w, 3, args[2] as string[])
      w.writeBool(4, args[3] as boolean)
    },
    readArgs: (r) => [r.readString(1), r.readString(2), readVectorOfString(r, 3), r.readBool(4)],
    writeResult(w, result) {
      w.writeInt(0, result as number)
    },
    readResult: (r) => r.readInt(0),
  },
  forceDockerLogin: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
    },
    readArgs: (r) => [r.readString(1)],
    writeResult(w, result) {
      const value = resultObject('forceDockerLogin', result) as { return: number; result: string[] }
      w.writeInt(0, value.return)
      writeVectorOfString(w, 2, value.result)
    },
    readResult: (r) => ({
      return: r.readInt(0),
      result: readVectorOfString(r, 2),
    }),
  },
  checkDockerRegistry: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
      w.writeString(2, args[1] as string)
      w.writeString(3, args[2] as string)
    },
    readArgs: (r) => [r.readString(1), r.readString(2), r.readString(3)],
    writeResult(w, result) {
      const value = resultObject('checkDockerRegistry', result) as { return: number; result: string }
      w.writeInt(0, value.return)
      w.writeString(4, value.result)
    },
    readResult: (r) => ({
      return: r.readInt(0),
      result: r.readString(4),
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
  getNodeList: {
    writeArgs(w, args) {
      writeVectorOfString(w, 1, args[0] as string[])
    },
    readArgs: (r) => [readVectorOfString(r, 1)],
    writeResult(w, result) {
      const value = resultObject('getNodeList', result) as { return: number; heartbeats: Map<string, string> }
      w.writeInt(0, value.return)
      writeMapOfStringString(w, 2, value.heartbeats)
    },
    readResult: (r) => ({
      return: r.readInt(0),
      heartbeats: readMapOfStringString(r, 2),
    }),
  },
  hasServer: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
      w.writeString(2, args[1] as string)
    },
    readArgs: (r) => [r.readString(1), r.readString(2)],
    writeResult(w, result) {
      const value = resultObject('hasServer', result) as { return: number; has: boolean }
      w.writeInt(0, value.return)
      w.writeBool(3, value.has)
    },
    readResult: (r) => ({
      return: r.readInt(0),
      has: r.readBool(3),
    }),
  },
  insertServerConf: {
    writeArgs(w, args) {
      writeServerConf(w, 1, args[0] as ServerConf)
      w.writeBool(2, args[1] as boolean)
    },
    readArgs: (r) => [readServerConf(r, 1), r.readBool(2)],
    writeResult(w, result) {
      w.writeInt(0, result as number)
    },
    readResult: (r) => r.readInt(0),
  },
  insertAdapterConf: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
      w.writeString(2, args[1] as string)
      w.writeString(3, args[2] as string)
      writeAdapterConf(w, 4, args[3] as AdapterConf)
      w.writeBool(5, args[4] as boolean)
    },
    readArgs: (r) => [r.readString(1), r.readString(2), r.readString(3), readAdapterConf(r, 4), r.readBool(5)],
    writeResult(w, result) {
      w.writeInt(0, result as number)
    },
    readResult: (r) => r.readInt(0),
  },
  insertConfigFile: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
      w.writeString(2, args[1] as string)
      w.writeString(3, args[2] as string)
      w.writeString(4, args[3] as string)
      w.writeInt(5, args[4] as number)
      w.writeBool(6, args[5] as boolean)
    },
    readArgs: (r) => [r.readString(1), r.readString(2), r.readString(3), r.readString(4), r.readInt(5), r.readBool(6)],
    writeResult(w, result) {
      w.writeInt(0, result as number)
    },
    readResult: (r) => r.readInt(0),
  },
  getConfigFileId: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
      w.writeString(2, args[1] as string)
      w.writeString(3, args[2] as string)
      w.writeInt(4, args[3] as number)
    },
    readArgs: (r) => [r.readString(1), r.readString(2), r.readString(3), r.readInt(4)],
    writeResult(w, result) {
      const value = resultObject('getConfigFileId', result) as { return: number; configFileId: number }
      w.writeInt(0, value.return)
      w.writeInt(5, value.configFileId)
    },
    readResult: (r) => ({
      return: r.readInt(0),
      configFileId: r.readInt(5),
    }),
  },
  insertHistoryConfigFile: {
    writeArgs(w, args) {
      w.writeInt(1, args[0] as number)
      w.writeString(2, args[1] as string)
      w.writeString(3, args[2] as string)
      w.writeBool(4, args[3] as boolean)
    },
    readArgs: (r) => [r.readInt(1), r.readString(2), r.readString(3), r.readBool(4)],
    writeResult(w, result) {
      w.writeInt(0, result as number)
    },
    readResult: (r) => r.readInt(0),
  },
  registerPlugin: {
    writeArgs(w, args) {
      writePluginConf(w, 1, args[0] as PluginConf)
    },
    readArgs: (r) => [readPluginConf(r, 1)],
    writeResult(w, result) {
      w.writeInt(0, result as number)
    },
    readResult: (r) => r.readInt(0),
  },
  hasDevAuth: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
      w.writeString(2, args[1] as string)
      w.writeString(3, args[2] as string)
    },
    readArgs: (r) => [r.readString(1), r.readString(2), r.readString(3)],
    writeResult(w, result) {
      const value = resultObject('hasDevAuth', result) as { return: number; has: boolean }
      w.writeInt(0, value.return)
      w.writeBool(4, value.has)
    },
    readResult: (r) => ({
      return: r.readInt(0),
      has: r.readBool(4),
    }),
  },
  hasOpeAuth: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
      w.writeString(2, args[1] as string)
      w.writeString(3, args[2] as string)
    },
    readArgs: (r) => [r.readString(1), r.readString(2), r.readString(3)],
    writeResult(w, result) {
      const value = resultObject('hasOpeAuth', result) as { return: number; has: boolean }
      w.writeInt(0, value.return)
      w.writeBool(4, value.has)
    },
    readResult: (r) => ({
      return: r.readInt(0),
      has: r.readBool(4),
    }),
  },
  hasAdminAuth: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
    },
    readArgs: (r) => [r.readString(1)],
    writeResult(w, result) {
      const value = resultObject('hasAdminAuth', result) as { return: number; has: boolean }
      w.writeInt(0, value.return)
      w.writeBool(2, value.has)
    },
    readResult: (r) => ({
      return: r.readInt(0),
      has: r.readBool(2),
    }),
  },
  checkTicket: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
    },
    readArgs: (r) => [r.readString(1)],
    writeResult(w, result) {
      const value = resultObject('checkTicket', result) as { return: number; uid: string }
      w.writeInt(0, value.return)
      w.writeString(2, value.uid)
    },
    readResult: (r) => ({
      return: r.readInt(0),
      uid: r.readString(2),
    }),
  },
  getServerTree: {
    writeArgs() {},
    readArgs: () => [],
    writeResult(w, result) {
      const value = resultObject('getServerTree', result) as { return: number; tree: ServerTree[] }
      w.writeInt(0, value.return)
      writeVectorOfServerTree(w, 1, value.tree)
    },
    readResult: (r) => ({
      return: r.readInt(0),
      tree: readVectorOfServerTree(r, 1),
    }),
  },
  getPatchPackage: {
    writeArgs(w, args) {
      w.writeString(1, args[0] as string)
      w.writeString(2, args[1] as string)
      w.writeInt(3, args[2] as number)
      w.writeInt(4, args[3] as number)
    },
    readArgs: (r) => [r.readString(1), r.readString(2), r.readInt(3), r.readInt(4)],
    writeResult(w, result) {
      const value = resultObject('getPatchPackage', result) as { return: number; patchPackage: PatchPackage }
      w.writeInt(0, value.return)
      writePatchPackage(w, 5, value.patchPackage)
    },
    readResult: (r) => ({
      return: r.readInt(0),
      patchPackage: readPatchPackage(r, 5),
    }),
  },
  getServerNameList: {
    writeArgs(w, args) {
      writeVectorOfApplicationServerName(w, 1, args[0] as ApplicationServerName[])
    },
    readArgs: (r) => [readVectorOfApplicationServerName(r, 1)],
    writeResult(w, result) {
      const value = resultObject('getServerNameList', result) as { return: number; rows: Map<string, string>[] }
      w.writeInt(0, value.return)
      writeVectorOfMapOfStringString(w, 2, value.rows)
    },
    readResult: (r) => ({
      return: r.readInt(0),
      rows: readVectorOfMapOfStringString(r, 2),
    }),
  },
}

export const AdminReg: Interface = defineInterface(AdminRegSchema, 'tars::AdminReg', fastAdminReg)
