// tarsregistry: QueryObj and RegistryObj (framework-services 1).
import { plain, type Answer, type Call } from '../clients.ts'
import { answered, at, entries, returnsOnly, seeAll, seeReturn, struct, textArgs, type Row, type Struct } from '../row.ts'

export const query = 'tars.tarsregistry.QueryObj'
export const registers = 'tars.tarsregistry.RegistryObj'

const hosts = (list: unknown): string[] => (list as Struct[]).map((one) => String(at(one, 0, 'host')).split('.')[0] ?? '')
const [up, down] = [['test-hello-0', 'test-hello-1'], ['test-hello-2']]
const id = (value: string): Call['args'][number] => [1, 'id', value]

function listsRow(section: string, func: string, more: Call['args'], [active, inactive]: readonly [number, number], expected: unknown): Row {
  const see = (answer: Answer): unknown => [plain(answer['return']), hosts(answer['activeEp']), hosts(answer['inactiveEp'])]
  return { section, servant: query, func, args: [id('Test.Hello.Obj'), ...more], results: { 0: 'return', [active]: 'activeEp', [inactive]: 'inactiveEp' }, see, expected }
}

const queryRows: readonly Row[] = [
  { section: '1.1', servant: query, func: 'findObjectById', args: [id('Test.Hello.Obj')], results: returnsOnly, see: (answer) => hosts(answer['return']), expected: up },
  listsRow('1.1', 'findObjectById4Any', [], [2, 3], [0, up, down]),
  listsRow('1.1', 'findObjectById4All', [], [2, 3], [0, up, down]),
  listsRow('1.3', 'findObjectByIdInSameGroup', [], [2, 3], [0, up, down]),
  listsRow('1.3', 'findObjectByIdInSameStation', [[2, 'sStation', 'nowhere']], [3, 4], [-1, [], []]),
  listsRow('1.4', 'findObjectByIdInSameSet', [[2, 'setId', 'a.b.c']], [3, 4], [0, ['test-hello-1'], []]),
  listsRow('1.4', 'findObjectByIdInSameSet', [[2, 'setId', 'a.b.d']], [3, 4], [-1, [], []]),
  { section: '1.1', servant: query, func: 'findObjectNodeName', args: [id('Test.Hello.Obj')], results: { 0: 'return', 2: 'nodeNames' }, see: seeAll('nodeNames'), expected: [0, ['test-hello-0.test-hello', 'test-hello-1.test-hello', 'test-hello-2.test-hello']] },
  { section: '1.1', servant: query, func: 'registerChange', args: [[1, 'timestamp', { map: [['a', 'b']] }], [2, 'name', 'x']], json: { timestamp: { a: 'b' }, name: 'x' }, results: returnsOnly, see: seeReturn, expected: -1 },
  { section: '1.1', servant: query, func: 'registerQuery', args: [id('x'), [2, 'name', 'x']], results: returnsOnly, see: seeReturn, expected: -1 },
  { section: '1.1', servant: query, func: 'getLocker', args: [[1, 'req', { struct: { 0: 'Test', 1: '', 2: 'x', 5: 1000 } }]], json: { req: { application: 'Test', server_name: '', node_name: 'x', timeout: 1000 } }, results: returnsOnly, see: seeReturn, expected: 2 },
]

const reportNode = struct([[0, 'nodeName', 'n'], [1, 'sid', '1']])
const nodeInfo = struct([[0, 'nodeName', 'n'], [1, 'nodeObj', 'o'], [2, 'endpointIp', '10.0.0.1'], [3, 'endpointPort', 19_385], [4, 'timeOut', 3000], [5, 'dataDir', '/d'], [6, 'version', 'v'], [7, 'coreFileSize', 'unlimited'], [8, 'openFiles', 100_000]])
const load = struct([[0, 'avg1', 0], [1, 'avg5', 0], [2, 'avg15', 0], [3, 'avgCpu', 50]])
/** Of a pod that is none. */
const state = struct([[0, 'serverState', 2], [1, 'processId', 7], [2, 'nodeName', 'nobody'], [3, 'application', 'Test'], [4, 'serverName', 'Hello'], [5, 'settingState', 2], [6, 'exState', { map: [['a', 'b']] }, { a: 'b' }]])
const patchResult = struct([[0, 'sApplication', 'Test'], [1, 'sServerName', 'Hello'], [2, 'sNodeName', 'n'], [3, 'sVersion', 'v'], [4, 'sUserName', 'u']])

/** What native nodes report and Kubernetes does by itself. */
const acceptedRow = (func: string, args: Call['args'], json?: Record<string, unknown>): Row => ({ section: '1.7', servant: registers, func, args, ...(json === undefined ? {} : { json }), results: returnsOnly, see: seeReturn, expected: 0 })

const registryRows: readonly Row[] = [
  {
    section: '1.7, 0.3', servant: registers, func: 'getServerDescriptor', args: textArgs(['serverApp', 'Test'], ['serverName', 'Hello']), results: { 0: 'return', 3: 'descriptor' },
    see: (answer) => [plain(answer['return']), at(answer['descriptor'], 0, 'profile'), at(answer['descriptor'], 1, 'asyncThreadNum')], expected: [0, '<tars>\n  x=1\n</tars>\n', 3],
  },
  { section: '1.7', servant: registers, func: 'updateServerState', args: textArgs(['podName', 'nobody'], ['settingState', 'Active'], ['presentState', 'Active']), ...answered },
  acceptedRow('reportNode', [[1, 'rn', reportNode.value]], { rn: reportNode.json }),
  acceptedRow('registerNode', [[1, 'nodeName', 'n'], [2, 'ni', nodeInfo.value], [3, 'li', load.value]], { nodeName: 'n', ni: nodeInfo.json, li: load.json }),
  acceptedRow('keepAlive', [[1, 'nodeName', 'n'], [2, 'load', load.value]], { nodeName: 'n', load: load.json }),
  {
    section: '1.7, 0.3', servant: registers, func: 'getServers', args: textArgs(['app', 'Test'], ['serverName', 'Hello'], ['nodeName', 'test-hello-1']), results: returnsOnly,
    see: (answer) => (answer['return'] as Struct[]).map((one) => [
      ...([[0, 'application'], [1, 'serverName'], [2, 'nodeName'], [5, 'settingState'], [6, 'presentState'], [7, 'profile'], [17, 'asyncThreadNum'], [18, 'setId']] as const).map(([tag, name]) => at(one, tag, name)),
      ...(entries(one['adapters'] ?? one[11]) as [string, Struct][]).map(([name, adapter]) => [name, ...([[1, 'threadNum'], [2, 'endpoint'], [5, 'servant'], [6, 'queuecap'], [8, 'grid'], [9, 'protocol']] as const).map(([tag, field]) => at(adapter, tag, field))]),
    ]),
    expected: [['Test', 'Hello', 'test-hello-1', 'active', 'active', '<tars>\n  x=1\n</tars>\n', 3, 'a.b.c', ['Test.Hello.ObjAdapter', '3', 'tcp -h ${localip} -p 9000 -t 60000', 'Test.Hello.Obj', 10_000, 0, 'tars']]],
  },
  acceptedRow('updateServer', [...textArgs(['nodeName', 'nobody'], ['app', 'Test'], ['serverName', 'Hello']), [4, 'state', state.value]], { nodeName: 'nobody', app: 'Test', serverName: 'Hello', state: state.json }),
  acceptedRow('updateServerBatch', [[1, 'vState', { list: [state.value] }]], { vState: [state.json] }),
  acceptedRow('checkCaller', textArgs(['address', '10.0.0.1'], ['serverApp', 'Test'], ['serverName', 'Hello'])),
  acceptedRow('destroyNode', textArgs(['nodeName', 'n'])),
  acceptedRow('reportVersion', textArgs(['app', 'a'], ['serverName', 's'], ['nodeName', 'n'], ['version', 'v'])),
  { section: '1.7', servant: registers, func: 'getNodeTemplate', args: textArgs(['nodeName', 'n']), results: { 0: 'return', 2: 'profileTemplate' }, see: seeAll('profileTemplate'), expected: [0, '<tars>\n  x=1\n</tars>\n'] },
  { section: '1.7', servant: registers, func: 'getClientIp', args: [], results: { 0: 'return', 1: 'sClientIp' }, see: seeAll('sClientIp'), expected: [0, '127.0.0.1'] },
  acceptedRow('updatePatchResult', [[1, 'result', patchResult.value]], { result: patchResult.json }),
  { section: '1.7', servant: registers, func: 'getDockerRegistry', args: [], results: { 0: 'return', 1: 'dockerRegistries' }, see: seeAll('dockerRegistries'), expected: [0, []] },
  acceptedRow('dockerPull', textArgs(['baseImageId', 'x'])),
  { section: '1.7', servant: registers, func: 'getFrameworkKey', args: [], results: { 0: 'return', 1: 'fKey' }, see: (answer) => [plain(answer['return']), at(answer['fKey'], 0, 'cuid') ?? '', at(answer['fKey'], 1, 'priKey') ?? ''], expected: [0, '', ''] },
]

export const rows: readonly Row[] = [...queryRows, ...registryRows]
