// AdminReg as a Tars.js service would carry it: parameters by tag, written down from framework-services 10.1 and not from our IDL.
'use strict'
const Stream = require('@tars/stream')
const rpc = require('@tars/rpc')

/** A struct: fields by tag, [tag, name, kind]. */
function struct(fields) {
  class Struct {
    static _classname = 'tars.Struct'
    static _write(os, tag, value) { os.writeStruct(tag, value) }
    static _read(is, tag, def) { return is.readStruct(tag, true, def) }
    static _readFrom(is) {
      const value = new Struct()
      for (const [tag, name, kind] of fields) value[name] = is['read' + kind](tag, false, kind === 'String' ? '' : 0)
      return value
    }
    static new() { return new Struct() }
    static create(is) { return Struct._readFrom(is) }
    _classname = 'tars.Struct'
    _writeTo(os) { for (const [tag, name, kind] of fields) if (this[name] !== undefined) os['write' + kind](tag, this[name]) }
    toObject() { return Object.fromEntries(fields.map(([, name]) => [name, this[name]])) }
  }
  return Struct
}

const text = (...names) => names.map((name, tag) => [tag, name, 'String'])
const ServerStateDesc = struct([...text('settingStateInReg', 'presentStateInReg', 'presentStateInNode'), [3, 'processId', 'Int32'], [4, 'patchVersion', 'String'], [5, 'patchTime', 'String'], [6, 'patchUser', 'String']])
const PatchRequest = struct(text('appname', 'servername', 'nodename', 'groupname', 'binname', 'version', 'user', 'servertype', 'patchobj', 'md5'))
const PatchInfo = struct([[0, 'bPatching', 'Boolean'], [1, 'iPercent', 'Int32'], [2, 'iModifyTime', 'Int32'], [3, 'sVersion', 'String'], [4, 'sResult', 'String'], [5, 'bSucc', 'Boolean']])
const ServerConf = struct([...text('application', 'serverName', 'nodeName', 'basePath', 'exePath', 'settingState', 'profile', 'serverType'), [11, 'asyncThreadNum', 'Int32']])
const AdapterConf = struct([[0, 'adapterName', 'String'], [1, 'threadNum', 'Int32'], [2, 'endpoint', 'String'], [3, 'maxConnections', 'Int32'], [5, 'servant', 'String'], [6, 'queuecap', 'Int32'], [7, 'queuetimeout', 'Int32'], [8, 'protocol', 'String']])
const ServerTree = struct(text('application', 'server_name', 'enable_set'))
const FrameworkServer = struct(text('serverName', 'nodeName', 'objName'))
const PatchPackage = struct([[0, 'id', 'Int32'], [1, 'md5', 'String']])
const PluginConf = struct([...text('name', 'name_en', 'obj'), [3, 'type', 'Int32'], [4, 'path', 'String'], [5, 'k8s', 'Boolean'], [6, 'fextern', 'Int32']])

const S = 'String'
const I = 'Int32'
const B = 'Boolean'
const node = [[1, S], [2, S], [3, S]]
const list = (type) => () => Stream.List(type)
// By function: in parameters, then what is answered: [tag, kind, type].
const shapes = {
  pingNode: { in: [[1, S]], out: [[0, B], [2, S]] },
  startServer: { in: node, out: [[0, I], [4, S]] },
  stopServer: { in: node, out: [[0, I], [4, S]] },
  restartServer: { in: node, out: [[0, I], [4, S]] },
  uninstallServer: { in: node, out: [[0, I], [4, S]] },
  undeploy: { in: [...node, [4, S]], out: [[0, I], [5, S]] },
  loadServer: { in: node, out: [[0, I], [4, S]] },
  notifyServer: { in: [...node, [4, S]], out: [[0, I], [5, S]] },
  getServerState: { in: node, out: [[0, I], [4, 'Struct', () => ServerStateDesc], [5, S]] },
  batchPatch: { in: [[1, 'Struct']], out: [[0, I], [2, S]] },
  getPatchPercent: { in: node, out: [[0, I], [4, 'Struct', () => PatchInfo]] },
  getPatchPackage: { in: [[1, S], [2, S], [3, I], [4, I]], out: [[0, I], [5, 'Struct', () => PatchPackage]] },
  delCache: { in: [[1, S], [2, S], [3, S], [4, S]], out: [[0, I], [5, S]] },
  getAllApplicationNames: { in: [], out: [[0, 'List', list(Stream.String)], [1, S]] },
  getAllServerIds: { in: [], out: [[0, 'List', list(Stream.List(Stream.String))], [1, S]] },
  getServerTree: { in: [], out: [[0, I], [1, 'List', list(ServerTree)]] },
  getServers: { in: [], out: [[0, I], [1, 'List', list(FrameworkServer)]] },
  checkServer: { in: [[1, 'Struct']], out: [[0, I]] },
  getVersion: { in: [], out: [[0, I], [1, S]] },
  getClientIp: { in: [], out: [[0, I], [1, S]] },
  getNodeList: { in: [[1, 'List']], out: [[0, I], [2, 'Map', () => Stream.Map(Stream.String, Stream.String)]] },
  getProfileTemplate: { in: [[1, S]], out: [[0, I], [2, S], [3, S]] },
  getServerProfileTemplate: { in: node, out: [[0, I], [4, S], [5, S]] },
  getLogFileList: { in: node, out: [[0, I], [4, 'List', list(Stream.String)]] },
  getLogData: { in: [...node, [4, S], [5, S]], out: [[0, I], [6, S]] },
  updateServerFlowState: { in: [[1, S], [2, S], [3, 'List'], [4, B]], out: [[0, I]] },
  hasServer: { in: [[1, S], [2, S]], out: [[0, I], [3, B]] },
  insertServerConf: { in: [[1, 'Struct'], [2, B]], out: [[0, I]] },
  insertAdapterConf: { in: [...node, [4, 'Struct'], [5, B]], out: [[0, I]] },
  insertConfigFile: { in: [[1, S], [2, S], [3, S], [4, S], [5, I], [6, B]], out: [[0, I]] },
  getConfigFileId: { in: [[1, S], [2, S], [3, S], [4, I]], out: [[0, I], [5, I]] },
  insertHistoryConfigFile: { in: [[1, I], [2, S], [3, S], [4, B]], out: [[0, I]] },
  registerPlugin: { in: [[1, 'Struct']], out: [[0, I]] },
  hasDevAuth: { in: node, out: [[0, I], [4, B]] },
  hasOpeAuth: { in: node, out: [[0, I], [4, B]] },
  hasAdminAuth: { in: [[1, S]], out: [[0, I], [2, B]] },
  checkTicket: { in: [[1, S]], out: [[0, I], [2, S]] },
}

function plain(value) {
  if (Array.isArray(value)) return value.map(plain)
  if (value instanceof Map) return new Map([...value].map(([key, one]) => [key, plain(one)]))
  if (typeof value?.toObject === 'function') return plain(value.toObject())
  return value
}

function AdminRegProxy() {}
AdminRegProxy.prototype.setTimeout = function (ms) { this._worker.timeout = ms }
for (const [func, shape] of Object.entries(shapes)) {
  AdminRegProxy.prototype[func] = function (...args) {
    const os = new Stream.TarsOutputStream()
    for (const [index, [tag, kind]] of shape.in.entries()) os['write' + kind](tag, args[index])
    return this._worker.tars_invoke(func, os.getBinBuffer()).then((data) => {
      const is = new Stream.TarsInputStream(data.response.sBuffer)
      return shape.out.map(([tag, kind, type]) => plain(is['read' + kind](tag, true, type?.())))
    }, (data) => { throw Object.assign(new Error(data.error.message), { ret: data.error.code }) })
  }
}

const make = (Type) => (fields) => Object.assign(new Type(), fields)

function texts(values) {
  const found = new Stream.List(Stream.String)
  for (const value of values) found.push(value)
  return found
}

module.exports = {
  AdminRegProxy, rpc, texts,
  patchRequest: make(PatchRequest), serverConf: make(ServerConf), adapterConf: make(AdapterConf), pluginConf: make(PluginConf), frameworkServer: make(FrameworkServer),
}
