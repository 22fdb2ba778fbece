// tarsAdminRegistry: AdminRegObj (framework-services 10). What each function does is in test/admin/adminreg.test.ts; here is what travels.
import { crc32 } from 'node:zlib'
import { ownAddress } from '../../../rig/own-address.ts'
import { plain, type Call } from '../clients.ts'
import { at, own, seeAll, seeReturn, struct, textArgs, type Row, type Struct } from '../row.ts'

export const admins = 'tars.tarsAdminRegistry.AdminRegObj'
const section = '10.1'
/** Codes of native (framework-services 10). */
const code = { noNode: 1001, noServer: 1003, parameter: 1007, noRelease: 1009, cannot: 1011 } as const
/** The server that there is, on a node that answers. */
export const alive = ownAddress()
/** Of a group by its name: the same in every registry and after every start. */
const groupId = crc32('sz') & 0x7fffffff
const hello = [['application', 'Demo'], ['serverName', 'Hello'], ['nodeName', alive]] as const
const nobody = [['application', 'Demo'], ['serverName', 'Nobody'], ['nodeName', 'x']] as const

interface Shape {
  readonly args?: Call['args']
  readonly json?: Record<string, unknown>
  readonly expected: unknown
  readonly see?: Row['see']
}

/** A function whose out parameters follow its arguments. */
function row(func: string, { args = [], json, expected, see }: Shape, ...outs: readonly string[]): Row {
  const results = Object.fromEntries([[0, 'return'], ...outs.map((name, index) => [args.length + 1 + index, name])]) as Row['results']
  return { section, servant: admins, func, args, ...(json === undefined ? {} : { json }), results, see: see ?? seeAll(...outs), expected }
}

/** The first words of a text that says more to people. */
const begins = (out: string, length: number): Row['see'] => (answer) => [plain(answer['return']), String(answer[out]).slice(0, length)]
const codeOnly = (func: string, args: Call['args'], expected: number, ...outs: readonly string[]): Row => row(func, { args, expected, see: seeReturn }, ...outs)

const reportNode = struct([[0, 'nodeName', 'n'], [1, 'sid', '1']])
const item = struct([[0, 'taskNo', ''], [1, 'itemNo', ''], [2, 'application', 'Demo'], [3, 'serverName', 'Hello'], [4, 'nodeName', alive], [5, 'setName', ''], [6, 'command', 'stop'], [7, 'userName', 'u'], [8, 'parameters', { map: [['a', 'b']] }, { a: 'b' }]])
const task = struct([[0, 'taskItemReq', { list: [item.value] }, [item.json]], [1, 'taskNo', own], [2, 'serial', true], [3, 'userName', 'u'], [4, 'isElegant', false], [5, 'eachNum', 1]])
const patch = struct([[0, 'appname', 'Demo'], [1, 'servername', 'Hello'], [2, 'nodename', alive], [3, 'groupname', ''], [4, 'binname', ''], [5, 'version', 'v9'], [6, 'user', 'u'], [7, 'servertype', ''], [8, 'patchobj', ''], [9, 'md5', ''], [10, 'ostype', ''], [11, 'filepath', '']])
const serverConf = struct([
  [0, 'application', 'DCache'], [1, 'serverName', 'Kv1-1'], [2, 'nodeName', '10.0.0.1'], [3, 'basePath', ''], [4, 'exePath', ''], [5, 'settingState', 'active'], [6, 'profile', 'tars.cpp'], [7, 'serverType', 'tars_cpp'],
  [8, 'startScript', ''], [9, 'stopScript', ''], [10, 'monitorScript', ''], [11, 'asyncThreadNum', 5], [12, 'enableGroup', 'N'], [13, 'ipGroupName', ''],
])
const adapterConf = struct([
  [0, 'adapterName', 'DCache.Kv1-1.CacheObjAdapter'], [1, 'threadNum', 7], [2, 'endpoint', 'tcp -h 10.0.0.1 -t 60000 -p 12345'], [3, 'maxConnections', 2048], [4, 'allowIp', ''], [5, 'servant', 'DCache.Kv1-1.CacheObj'], [6, 'queuecap', 5000],
  [7, 'queuetimeout', 30_000], [8, 'protocol', 'tars'],
])
const plugin = struct([[0, 'name', '缓存'], [1, 'name_en', 'DCache'], [2, 'obj', 'DCache.WebServer.WebObj'], [3, 'type', 1], [4, 'path', '/a'], [5, 'k8s', true], [6, 'fextern', 0]])
const frameworkServer = struct([[0, 'serverName', 'tars.none'], [1, 'nodeName', 'n'], [2, 'objName', 'tars.none.Obj@tcp -h 127.0.0.1 -p 1']])
const applicationServer = struct([[0, 'application', 'Demo'], [1, 'serverName', 'Hello']])

const stateOf: Row['see'] = (answer) => [
  plain(answer['return']), ...([[0, 'settingStateInReg'], [1, 'presentStateInReg'], [2, 'presentStateInNode'], [3, 'processId'], [4, 'patchVersion'], [5, 'patchTime'], [6, 'patchUser']] as const).map(([tag, name]) => at(answer['state'], tag, name)), answer['result'],
]
const patchInfoOf: Row['see'] = (answer) => [
  plain(answer['return']), ...([[0, 'bPatching'], [1, 'iPercent'], [2, 'iModifyTime'], [3, 'sVersion'], [4, 'sResult'], [5, 'bSucc']] as const).map(([tag, name]) => at(answer['tPatchInfo'], tag, name)).map((one) => (typeof one === 'boolean' ? Number(one) : one)),
]
/** `[taskNo, status, command, item status, percent]` of a task. */
const taskOf = (given: unknown): unknown => {
  const items = ((given as Struct)['taskItemRsp'] ?? (given as Struct)[0] ?? []) as Struct[]
  const [first] = items
  return [at(given, 1, 'taskNo'), at(given, 4, 'status'), items.length, at(first?.['req'] ?? first?.[0] ?? {}, 6, 'command'), at(first ?? {}, 3, 'status'), at(first ?? {}, 6, 'percent')]
}
/** Of the task that there is: `start` succeeded. */
const known = ['t0', 3, 1, 'start', 3, 100]

const nodeRows: readonly Row[] = [
  row('reportNode', { args: [[1, 'rn', reportNode.value]], json: { rn: reportNode.json }, expected: code.cannot, see: seeReturn }),
  row('deleteNode', { args: [[1, 'rn', reportNode.value]], json: { rn: reportNode.json }, expected: code.cannot, see: seeReturn }),
  codeOnly('reportResult', [[1, 'requestId', 7], [2, 'funcName', 'f'], [3, 'ret', 0], [4, 'result', 'r']], code.cannot),
  row('getAllApplicationNames', { expected: [['DCache', 'Demo', 'tars'], 'Success'] }, 'result'),
  row('getAllNodeNames', { expected: [['demo-hello-0'], 'Success'] }, 'result'),
  row('getAllServerIds', { expected: [[['Demo.Hello_demo-hello-0', 'active', 'active', 'tars_cpp']], 'Success'] }, 'result'),
  row('pingNode', { args: textArgs(['name', alive]), expected: [1, 'Success'], see: (answer) => [Number(answer['return']), answer['result']] }, 'result'),
  row('getNodeVesion', { args: textArgs(['name', 'demo-hello-0']), expected: [0, 'Success'], see: seeAll('result') }, 'version', 'result'),
  codeOnly('shutdownNode', textArgs(['name', 'nobody']), code.noNode, 'result'),
  row('getGroupId', { args: textArgs(['ip', '10.83.1.7']), expected: [groupId, groupId, 'Success'] }, 'groupId', 'result'),
  row('getGroupId', { args: textArgs(['ip', '10.0.0.1']), expected: [-1, -1, '10.0.0.1 is in no group'] }, 'groupId', 'result'),
  row('getNodeList', { args: [[1, 'nodeNames', { list: ['nobody'] }]], json: { nodeNames: ['nobody'] }, expected: [0, 0], see: (answer) => [plain(answer['return']), Object.keys(answer['heartbeats'] ?? {}).length] }, 'heartbeats'),
  codeOnly('forceDockerLogin', textArgs(['nodeName', 'n']), code.cannot, 'result'),
  codeOnly('checkDockerRegistry', textArgs(['registry', 'r'], ['userName', 'u'], ['password', 'p']), code.cannot, 'result'),
  codeOnly('dockerPull', textArgs(['baseImageId', 'x']), code.cannot),
]

const serverRows: readonly Row[] = [
  row('getServerState', { args: textArgs(...hello), expected: [0, 'active', 'active', 'Active', 77, 'v1', '2024-01-01 00:00:00', '', 'Active/Active'], see: stateOf }, 'state', 'result'),
  row('startServer', { args: textArgs(...hello), expected: [0, 'Success: start'] }, 'result'),
  row('stopServer', { args: textArgs(...hello), expected: [0, 'Success: stop'] }, 'result'),
  row('restartServer', { args: textArgs(...hello), expected: [0, 'Success: restart'] }, 'result'),
  row('loadServer', { args: textArgs(...hello), expected: [0, 'Success: load'] }, 'result'),
  row('notifyServer', { args: textArgs(...hello, ['command', 'tars.viewversion']), expected: [0, 'Demo.Hello heard tars.viewversion'] }, 'result'),
  row('startServer', { args: textArgs(...nobody), expected: [code.noServer, 'there is no server Demo.Nobody'], see: begins('result', 30) }, 'result'),
  codeOnly('destroyServer', textArgs(...nobody), code.noServer, 'result'),
  codeOnly('uninstallServer', textArgs(...nobody), code.noServer, 'result'),
  codeOnly('undeploy', textArgs(...nobody, ['user', 'u']), code.noServer, 'log'),
  row('getLogFileList', { args: textArgs(...hello), expected: [0, ['app.log']] }, 'logFileList'),
  row('getLogData', { args: textArgs(...hello, ['logFile', 'app.log'], ['cmd', 'tail']), expected: [0, 'app.log: tail'] }, 'fileData'),
  row('getNodeLoad', { args: [...textArgs(...hello), [4, 'pid', 7]], json: { ...Object.fromEntries(hello), pid: 7 }, expected: [0, 'load of 7'] }, 'fileData'),
  row('delCache', { args: textArgs(['nodeName', 'demo-hello-0'], ['sFullCacheName', 'Demo.Hello'], ['sBackupPath', ''], ['sKey', '4711']), expected: [0, 'Demo.Hello 4711'] }, 'result'),
  row('updateServerFlowState', { args: [...textArgs(['application', 'Demo'], ['serverName', 'Hello']), [3, 'nodeList', { list: ['nobody'] }], [4, 'bActive', true]], json: { application: 'Demo', serverName: 'Hello', nodeList: ['nobody'], bActive: true }, expected: code.noNode, see: seeReturn }),
]

const releaseRows: readonly Row[] = [
  row('batchPatch', { args: [[1, 'req', patch.value]], json: { req: patch.json }, expected: [code.noRelease, 'Demo.Hello has no release v9'], see: begins('result', 28) }, 'result'),
  row('getPatchPercent', { args: textArgs(...hello), expected: [0, 0, 100, 1_704_067_200, 'v1', 'Success', 1], see: patchInfoOf }, 'tPatchInfo'),
  codeOnly('updatePatchLog', [...textArgs(...hello, ['patchId', '1'], ['user', 'u'], ['patchType', 't']), [7, 'succ', true]], 0),
  codeOnly('deletePatchFile', textArgs(['application', 'Demo'], ['serverName', 'Hello'], ['patchFile', 'none.tgz']), code.noRelease),
  row('getPatchPackage', { args: [...textArgs(['application', 'Demo'], ['serverName', 'Hello']), [3, 'packageType', 0], [4, 'defaultVersion', 1]], json: { application: 'Demo', serverName: 'Hello', packageType: 0, defaultVersion: 1 }, expected: [0, true], see: (answer) => [plain(answer['return']), Number(at(answer['patchPackage'], 0, 'id')) > 0] }, 'patchPackage'),
]

const taskRows: readonly Row[] = [
  row('addTaskReq', { args: [[1, 'taskReq', task.value]], json: { taskReq: task.json }, expected: 0, see: seeReturn }),
  row('getTaskRsp', { args: textArgs(['taskNo', 't0']), expected: [0, known], see: (answer) => [plain(answer['return']), taskOf(answer['taskRsp'])] }, 'taskRsp'),
  row('getTaskHistory', { args: textArgs(['application', 'Demo'], ['serverName', 'Hello'], ['command', 'start']), expected: [0, [known]], see: (answer) => [plain(answer['return']), (answer['taskRsps'] as unknown[]).map(taskOf)] }, 'taskRsps'),
  row('setTaskItemInfo', { args: [[1, 'itemNo', 'none'], [2, 'info', { map: [['log', 'x']] }]], json: { itemNo: 'none', info: { log: 'x' } }, expected: code.parameter, see: seeReturn }),
]

const file = (...more: Call['args']): Call['args'] => [[1, 'fullServerName', 'DCache.Kv1-1'], [2, 'fileName', 'Cache.conf'], ...more]

const deploymentRows: readonly Row[] = [
  row('insertServerConf', { args: [[1, 'conf', serverConf.value], [2, 'replace', true]], json: { conf: serverConf.json, replace: true }, expected: 0, see: seeReturn }),
  row('hasServer', { args: textArgs(['application', 'DCache'], ['serverName', 'Kv1-1']), expected: [0, 1], see: (answer) => [plain(answer['return']), Number(answer['has'])] }, 'has'),
  row('insertAdapterConf', { args: [...textArgs(['application', 'DCache'], ['serverName', 'Kv1-1'], ['nodeName', '10.0.0.1']), [4, 'conf', adapterConf.value], [5, 'replace', true]], json: { application: 'DCache', serverName: 'Kv1-1', nodeName: '10.0.0.1', conf: adapterConf.json, replace: true }, expected: 0, see: seeReturn }),
  row('insertConfigFile', { args: file([3, 'content', 'all'], [4, 'nodeName', ''], [5, 'level', 2], [6, 'replace', true]), expected: 0, see: seeReturn }),
  row('getConfigFileId', { args: file([3, 'nodeName', ''], [4, 'level', 2]), expected: [0, true], see: (answer) => [plain(answer['return']), Number(answer['configFileId']) > 0] }, 'configFileId'),
  codeOnly('insertHistoryConfigFile', [[1, 'configFileId', 7], [2, 'reason', 'why'], [3, 'content', 'all'], [4, 'replace', true]], 0),
]

const knowledgeRows: readonly Row[] = [
  row('getProfileTemplate', { args: textArgs(['profileName', 'tars.none']), expected: [code.parameter, '', 'template tars.none does not exist'] }, 'profileTemplate', 'resultDesc'),
  row('getServerProfileTemplate', { args: textArgs(...hello), expected: [0, true, 'Success'], see: (answer) => [plain(answer['return']), String(answer['profileTemplate']).includes('own=1'), answer['resultDesc']] }, 'profileTemplate', 'resultDesc'),
  row('getClientIp', { expected: [0, '127.0.0.1'] }, 'sClientIp'),
  row('getServers', { expected: [0, []] }, 'servers'),
  row('checkServer', { args: [[1, 'server', frameworkServer.value]], json: { server: frameworkServer.json }, expected: code.parameter, see: seeReturn }),
  row('getVersion', { expected: [0, 'v1'] }, 'version'),
  row('registerPlugin', { args: [[1, 'conf', plugin.value]], json: { conf: plugin.json }, expected: 0, see: seeReturn }),
  row('hasDevAuth', { args: textArgs(['application', 'Demo'], ['serverName', 'Hello'], ['uid', 'nobody']), expected: [0, 0], see: (answer) => [plain(answer['return']), Number(answer['has'])] }, 'has'),
  row('hasOpeAuth', { args: textArgs(['application', 'Demo'], ['serverName', 'Hello'], ['uid', 'nobody']), expected: [0, 0], see: (answer) => [plain(answer['return']), Number(answer['has'])] }, 'has'),
  row('hasAdminAuth', { args: textArgs(['uid', 'alice']), expected: [0, 1], see: (answer) => [plain(answer['return']), Number(answer['has'])] }, 'has'),
  row('checkTicket', { args: textArgs(['ticket', 'ticket-1']), expected: [0, 'alice'] }, 'uid'),
  row('getServerTree', { expected: [0, ['Demo', 'Hello', 'N', '', '', '']], see: (answer) => [plain(answer['return']), (answer['tree'] as Struct[]).map((one) => ['application', 'server_name', 'enable_set', 'set_name', 'set_area', 'set_group'].map((name, tag) => at(one, tag, name))).find(([app]) => app === 'Demo')] }, 'tree'),
  row('getServerNameList', {
    args: [[1, 'names', { list: [applicationServer.value] }]], json: { names: [applicationServer.json] }, expected: [0, 'tars.cpp'],
    see: (answer) => [plain(answer['return']), rowField((answer['rows'] as unknown[])[0], 'template_name')],
  }, 'rows'),
]

function rowField(one: unknown, name: string): unknown {
  if (one instanceof Map) return one.get(name)
  return Array.isArray(one) ? (one as [string, unknown][]).find(([key]) => key === name)?.[1] : (one as Struct)[name]
}

export const rows: readonly Row[] = [...nodeRows, ...serverRows, ...releaseRows, ...taskRows, ...deploymentRows, ...knowledgeRows]
