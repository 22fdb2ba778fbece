// Every function of the framework's services, asked by clients of other make in every version of the protocol that they speak
// (framework-services 0.2, 1.1, 1.7, 2.1, 3.1, 4.1, 5). Tags and names are those of the spec, not of our .tars files.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { resources } from '#api/resources.ts'
import type { TConfig, TEndpoint } from '#api/types.ts'
import { silentLogger } from '#base/log.ts'
import { Communicator } from '#tars/client.ts'
import type { Interface } from '#tars/idl/interface.ts'
import { Config } from '#tars/protocol/ConfigF.ts'
import { Log } from '#tars/protocol/LogF.ts'
import { Notify } from '#tars/protocol/NotifyF.ts'
import { QueryF } from '#tars/protocol/QueryF.ts'
import { Registry } from '#tars/protocol/Registry.ts'
import { Topology } from '#tars/protocol/Topology.ts'
import { startConfig, type RunningConfig } from '../../../framework/config/config.ts'
import { startLog, type RunningLog } from '../../../framework/log/log.ts'
import { startNotify, type RunningNotify } from '../../../framework/notify/notify.ts'
import { startRegistry, type RunningRegistry } from '../../../framework/registry/registry.ts'
import { createPod, createTemplate, namespace, startCluster, tendpoint, until, type TestCluster } from '../../registry/cluster.ts'
import { plain, rawClient, tarsJsClient, type Answer, type Call, type Client, type Target } from './clients.ts'
import { startJavaClient, type JavaClient } from './java-client.ts'
import type { Value } from './spec-codec.ts'

let cluster: TestCluster
let registry: RunningRegistry
let config: RunningConfig
let notify: RunningNotify
let log: RunningLog
let java: JavaClient
let folder: string
const communicator = new Communicator({ timeoutMs: 20_000 })

beforeAll(async () => {
  cluster = await startCluster()
  folder = await mkdtemp(join(tmpdir(), 'tarsk8s-matrix-'))
  const { client } = cluster
  await createTemplate(client, 'tars.default', 'tars.default', '<tars>\nx=1\n</tars>\n')
  await client.create(resources.tendpoints, tendpoint('Test', 'Hello', [{ name: 'Obj', port: 9000 }], { instances: [{ pods: '1', set: 'a.b.c' }] } as never) as unknown as TEndpoint)
  for (const index of [0, 1, 2]) await createPod(client, { app: 'Test', server: 'Hello', name: `test-hello-${index}`, ip: `127.83.0.${index + 1}`, state: index === 2 ? 'Active/Inactive/7' : 'Active/Active/7' })
  for (const [name, given] of Object.entries<Partial<TConfig>>({ one: { configContent: '<tars>\na=1\n</tars>' }, two: { configContent: 'of one', podSeq: '1' }, set: { configContent: 'in set', set: 'a.b.c' }, app: { server: '', configName: 'app.conf', configContent: 'of app' } })) {
    await client.create(resources.tconfigs, { apiVersion: 'k8s.tars.io/v1beta3', kind: 'TConfig', metadata: { name, namespace }, app: 'Test', server: 'Hello', configName: 'f.conf', podSeq: 'm', activated: true, version: 'v', configContent: '', ...given } as TConfig)
  }
  const common = { client, namespace, address: '127.0.0.1', log: silentLogger, signal: new AbortController().signal }
  registry = await startRegistry({ ...common, ports: { query: 0, registry: 0 } })
  config = await startConfig({ ...common, port: 0, notFound: -1 })
  notify = await startNotify({ ...common, port: 0, httpPort: 0, limit: { windowMs: 60_000, count: 10_000 }, store: { data: join(folder, 'notify'), days: 1, bytes: 1 << 30, spoolBytes: 16 << 20 } })
  log = await startLog({ address: '127.0.0.1', ports: { log: 0, topology: 0 }, path: folder, data: ':memory:', namesNode: true, conf: undefined, keeping: { maxAgeMs: Infinity, gzipAgeMs: Infinity, maxBytes: Infinity }, traceDays: 7, openFiles: 16, otlp: undefined, healthPort: undefined, log: silentLogger, quietMs: 20 })
  java = await startJavaClient()
}, 300_000)

afterAll(async () => {
  await java?.stop()
  await communicator.close()
  await Promise.all([registry, config, notify, log].map((one) => one?.stop()))
  await cluster?.stop()
  await rm(folder, { recursive: true, force: true })
})

const interfaces: Readonly<Record<string, Interface>> = {
  'tars.tarsregistry.QueryObj': QueryF, 'tars.tarsregistry.RegistryObj': Registry, 'tars.tarsconfig.ConfigObj': Config, 'tars.tarsnotify.NotifyObj': Notify, 'tars.tarslog.LogObj': Log, 'tars.tarslog.TopologyObj': Topology,
}

function target(servant: string): Target {
  const ports: Record<string, number> = {
    'tars.tarsregistry.QueryObj': registry.ports.query, 'tars.tarsregistry.RegistryObj': registry.ports.registry, 'tars.tarsconfig.ConfigObj': config.port,
    'tars.tarsnotify.NotifyObj': notify.port, 'tars.tarslog.LogObj': log.ports.log, 'tars.tarslog.TopologyObj': log.ports.topology,
  }
  return { servant, port: ports[servant] ?? 0 }
}

const clients: Readonly<Record<string, Client>> = {
  'bytes, v1': rawClient(1), 'bytes, TUP': rawClient(3), 'bytes, JSON': rawClient(5), '@tars/rpc, v1': tarsJsClient(1), '@tars/rpc, TUP': tarsJsClient(3),
  ...Object.fromEntries(([1, 3, 5] as const).map((version) => [`ours, ${['', 'v1', '', 'TUP', '', 'JSON'][version]}`, ours(version)])),
}

/** Our own client, with arguments as JSON has them. */
function ours(version: 1 | 3 | 5): Client {
  return async ({ servant, port }, call) => {
    const codec = interfaces[servant]?.functions[call.func]
    if (codec === undefined) throw new Error(`no function ${call.func}`)
    const json = call.json ?? Object.fromEntries(call.args.map(([, name, value]) => [name, value]))
    const answer = await communicator.invoke(`${servant}@tcp -h 127.0.0.1 -p ${port}`, codec, codec.argsFromJson(json), { version })
    return Object.keys(call.results).length === 1 && call.results[0] === 'return' ? { return: answer } : ((answer ?? {}) as Answer)
  }
}

/** A row: what is asked, and what must come back. Endpoints are compared by host, structs by what `see` takes of them. */
interface Row extends Call {
  readonly section: string
  readonly servant: string
  readonly see: (answer: Answer) => unknown
  readonly expected: unknown
  /** Of TarsJava's proxies. */
  readonly java?: { readonly prx: Parameters<JavaClient['call']>[0]; readonly args: readonly unknown[]; readonly outs: readonly string[] }
}

type Struct = Readonly<Record<string, unknown>>
/** A field by name (JSON, TarsJava and ours) or by tag. */
const at = (struct: unknown, tag: number, name: string): unknown => plain((struct as Struct)[name] ?? (struct as Struct)[tag])
const hosts = (list: unknown): string[] => (list as Struct[]).map((one) => String(at(one, 0, 'host')).split('.')[0] ?? '')

const query = 'tars.tarsregistry.QueryObj'
const [up, down] = [['test-hello-0', 'test-hello-1'], ['test-hello-2']]
const id = (value: string): Call['args'][number] => [1, 'id', value]
const seeLists = (answer: Answer): unknown => [plain(answer['return']), hosts(answer['activeEp']), hosts(answer['inactiveEp'])]

function listsRow(section: string, func: string, more: Call['args'], [active, inactive]: readonly [number, number], expected: unknown): Row {
  return {
    section, servant: query, func, args: [id('Test.Hello.Obj'), ...more], results: { 0: 'return', [active]: 'activeEp', [inactive]: 'inactiveEp' }, see: seeLists, expected,
    java: { prx: 'query', args: ['Test.Hello.Obj', ...more.map(([, , value]) => value)], outs: ['activeEp', 'inactiveEp'] },
  }
}

const configs = 'tars.tarsconfig.ConfigObj'
const joined = '<tars>\na=1\n</tars>\r\n\r\nof one'
const infoFields = { appname: 'Test', servername: 'Hello', filename: 'f.conf', bAppOnly: false, host: 'test-hello-1', setdivision: '' }
function infoRow(func: string, out: string, expected: unknown, change: Partial<typeof infoFields> = {}): Row {
  const info = { ...infoFields, ...change }
  const struct: Value = { struct: { 0: info.appname, 1: info.servername, 2: info.filename, 3: info.bAppOnly, 4: info.host, 5: info.setdivision } }
  return { section: '2.1', servant: configs, func, args: [[1, 'configInfo', struct]], json: { configInfo: info }, results: { 0: 'return', 2: out }, see: (answer) => [plain(answer['return']), answer[out]], expected, java: { prx: 'config', args: [info], outs: [out] } }
}
const textArgs = (...args: readonly (readonly [string, string])[]): Call['args'] => args.map(([name, value], index) => [index + 1, name, value])
function configRow(func: string, args: Call['args'], out: string, expected: unknown): Row {
  return { section: '2.1', servant: configs, func, args, results: { 0: 'return', [args.length + 1]: out }, see: (answer) => [plain(answer['return']), answer[out]], expected, java: { prx: 'config', args: args.map(([, , value]) => value), outs: [out] } }
}
const listInfo = { appname: 'Test', servername: 'Hello', bAppOnly: false, host: '', setdivision: '', containername: '' }

const notifies = 'tars.tarsnotify.NotifyObj'
const report = { eType: 1, sApp: 'Test', sSet: '', sContainer: '', sServer: 'Hello', sMessage: 'm', sThreadId: '7', eLevel: 1, sNodeName: 'n' }
const returnsOnly = { 0: 'return' } as const
const seeReturn = (answer: Answer): unknown => plain(answer['return'])

const logs = 'tars.tarslog.LogObj'
const logInfo = { appname: 'Test', servername: 'Hello', sFilename: 'info', sFormat: '%Y', setdivision: '', bHasSufix: true, bHasAppNamePrefix: true, bHasSquareBracket: false, sConcatStr: '_', sSepar: '|', sLogType: '' }
const registers = 'tars.tarsregistry.RegistryObj'
const day = '20260305'
const topologies = 'tars.tarslog.TopologyObj'
function topologyRow(func: string, args: Call['args'], out: string): Row {
  return { section: '5', servant: topologies, func, args, results: { 0: 'return', [args.length + 1]: out }, see: (answer) => [plain(answer['return']), answer[out]], expected: [0, []] }
}

const rows: readonly Row[] = [
  { section: '1.1', servant: query, func: 'findObjectById', args: [id('Test.Hello.Obj')], results: returnsOnly, see: (answer) => hosts(answer['return']), expected: up, java: { prx: 'query', args: ['Test.Hello.Obj'], outs: [] } },
  listsRow('1.1', 'findObjectById4Any', [], [2, 3], [0, up, down]),
  listsRow('1.1', 'findObjectById4All', [], [2, 3], [0, up, down]),
  listsRow('1.3', 'findObjectByIdInSameGroup', [], [2, 3], [0, up, down]),
  listsRow('1.3', 'findObjectByIdInSameStation', [[2, 'sStation', 'nowhere']], [3, 4], [-1, [], []]),
  listsRow('1.4', 'findObjectByIdInSameSet', [[2, 'setId', 'a.b.c']], [3, 4], [0, ['test-hello-1'], []]),
  listsRow('1.4', 'findObjectByIdInSameSet', [[2, 'setId', 'a.b.d']], [3, 4], [-1, [], []]),
  { section: '1.1', servant: query, func: 'findObjectNodeName', args: [id('Test.Hello.Obj')], results: { 0: 'return', 2: 'nodeNames' }, see: (answer) => [plain(answer['return']), answer['nodeNames']], expected: [0, ['test-hello-0.test-hello', 'test-hello-1.test-hello', 'test-hello-2.test-hello']] },
  { section: '1.1', servant: query, func: 'registerChange', args: [[1, 'timestamp', { map: [['a', 'b']] }], [2, 'name', 'x']], json: { timestamp: { a: 'b' }, name: 'x' }, results: returnsOnly, see: seeReturn, expected: -1 },
  { section: '1.1', servant: query, func: 'registerQuery', args: [id('x'), [2, 'name', 'x']], results: returnsOnly, see: seeReturn, expected: -1 },
  { section: '1.1', servant: query, func: 'getLocker', args: [[1, 'req', { struct: { 0: 'Test', 1: '', 2: 'x', 5: 1000 } }]], json: { req: { application: 'Test', server_name: '', node_name: 'x', timeout: 1000 } }, results: returnsOnly, see: seeReturn, expected: 2 },
  {
    section: '1.7, 0.3', servant: registers, func: 'getServerDescriptor', args: textArgs(['serverApp', 'Test'], ['serverName', 'Hello']), results: { 0: 'return', 3: 'descriptor' },
    see: (answer) => [plain(answer['return']), at(answer['descriptor'], 0, 'profile'), at(answer['descriptor'], 1, 'asyncThreadNum')], expected: [0, '<tars>\n  x=1\n</tars>\n', 3],
  },
  { section: '1.7', servant: registers, func: 'getClientIp', args: [], results: { 0: 'return', 1: 'sClientIp' }, see: (answer) => [plain(answer['return']), answer['sClientIp']], expected: [0, '127.0.0.1'] },
  { section: '1.7', servant: registers, func: 'keepAlive', args: [[1, 'nodeName', 'n'], [2, 'load', { struct: { 0: 0, 1: 0, 2: 0 } }]], json: { nodeName: 'n', load: { avg1: 0, avg5: 0, avg15: 0 } }, results: returnsOnly, see: seeReturn, expected: 0 },
  { section: '1.7', servant: registers, func: 'destroyNode', args: [[1, 'nodeName', 'n']], results: returnsOnly, see: seeReturn, expected: 0 },
  { section: '1.7', servant: registers, func: 'reportVersion', args: textArgs(['app', 'a'], ['serverName', 's'], ['nodeName', 'n'], ['version', 'v']), results: returnsOnly, see: seeReturn, expected: 0 },
  { section: '1.7', servant: registers, func: 'updateServerState', args: textArgs(['podName', 'nobody'], ['settingState', 'Active'], ['presentState', 'Active']), results: {}, see: () => 'answered', expected: 'answered' },
  configRow('ListConfig', textArgs(['app', 'Test'], ['server', 'Hello']), 'vf', [0, ['f.conf']]),
  configRow('loadConfig', textArgs(['app', 'Test'], ['server', ''], ['filename', 'app.conf']), 'config', [0, 'of app']),
  configRow('loadConfig', textArgs(['app', 'Test'], ['server', 'Hello'], ['filename', 'none']), 'config', [-1, '']),
  configRow('loadConfigByHost', textArgs(['appServerName', 'Test.Hello'], ['filename', 'f.conf'], ['host', 'test-hello-1']), 'config', [0, joined]),
  configRow('checkConfig', textArgs(['appServerName', 'Test.Hello'], ['filename', 'f.conf'], ['host', 'test-hello-0']), 'result', [0, '<tars>\na=1\n</tars>']),
  infoRow('ListConfigByInfo', 'vf', [0, ['f.conf']]),
  infoRow('loadConfigByInfo', 'config', [0, joined]),
  infoRow('loadConfigByInfo', 'config', [0, 'in set'], { setdivision: 'a.b.c' }),
  infoRow('loadConfigByInfo', 'config', [-1, ''], { setdivision: 'a.b' }),
  infoRow('checkConfigByInfo', 'result', [0, '<tars>\na=1\n</tars>'], { host: 'test-hello-0' }),
  { section: '2.1', servant: configs, func: 'ListAllConfigByInfo', args: [[1, 'configInfo', { struct: { 0: 'Test', 1: 'Hello' } }]], json: { configInfo: listInfo }, results: { 0: 'return', 2: 'vf' }, see: (answer) => [plain(answer['return']), answer['vf']], expected: [0, ['f.conf']] },
  { section: '3.1', servant: notifies, func: 'reportServer', args: textArgs(['sServerName', 'Test.Hello'], ['sThreadId', '1'], ['sMessage', 'm']), results: {}, see: () => 'answered', expected: 'answered', java: { prx: 'notify', args: ['Test.Hello', '1', 'm'], outs: [] } },
  { section: '3.1', servant: notifies, func: 'notifyServer', args: [[1, 'sServerName', 'Test.Hello'], [2, 'level', 2], [3, 'sMessage', 'm']], results: {}, see: () => 'answered', expected: 'answered', java: { prx: 'notify', args: ['Test.Hello', 2, 'm'], outs: [] } },
  {
    section: '3.1', servant: notifies, func: 'reportNotifyInfo', args: [[1, 'info', { struct: { 1: 1, 2: 'Test', 3: '', 4: '', 5: 'Hello', 6: 'm', 7: '7', 8: 1, 9: 'n' } }]], json: { info: report }, results: {}, see: () => 'answered', expected: 'answered',
    java: { prx: 'notify', args: [report], outs: [] },
  },
  {
    section: '3.1', servant: notifies, func: 'getNotifyInfo', args: [[1, 'stKey', { struct: { 1: 'None.Such', 2: '', 3: 0 } }]], json: { stKey: { name: 'None.Such', ip: '', page: 0 } }, results: { 0: 'return', 2: 'stInfo' },
    see: (answer) => [plain(answer['return']), at(answer['stInfo'], 1, 'nextpage')], expected: [0, 0], java: { prx: 'notify', args: [{ name: 'None.Such', ip: '', page: 0 }], outs: ['stInfo'] },
  },
  {
    section: '4.1', servant: logs, func: 'logger', args: [...textArgs(['app', 'Test'], ['server', 'Hello'], ['file', 'plain'], ['format', '%Y']), [5, 'buffer', { list: ['a line\n'] }]], json: { app: 'Test', server: 'Hello', file: 'plain', format: '%Y', buffer: ['a line\n'] },
    results: {}, see: () => 'answered', expected: 'answered', java: { prx: 'log', args: ['Test', 'Hello', 'plain', '%Y', ['a line\n']], outs: [] },
  },
  {
    section: '4.1', servant: logs, func: 'loggerbyInfo', args: [[1, 'info', { struct: { 0: 'Test', 1: 'Hello', 2: 'info', 3: '%Y' } }], [2, 'buffer', { list: ['a line\n'] }]], json: { info: logInfo, buffer: ['a line\n'] },
    results: {}, see: () => 'answered', expected: 'answered', java: { prx: 'log', args: [logInfo, ['a line\n']], outs: [] },
  },
  topologyRow('graphServer', textArgs(['date', day], ['serverName', 'x']), 'graph'),
  topologyRow('graphFunction', textArgs(['date', day], ['functionName', 'x']), 'graph'),
  topologyRow('listFunction', textArgs(['date', day], ['serverName', 'x']), 'fs'),
  topologyRow('listTrace', textArgs(['date', day], ['serverName', 'x']), 'ts'),
  topologyRow('listTraceSummary', [[1, 'date', day], [2, 'beginTime', 0], [3, 'endTime', 9], [4, 'serverName', 'x']], 'ss'),
  { section: '5', servant: topologies, func: 'graphTrace', args: textArgs(['date', day], ['traceId', 'x']), results: { 0: 'return', 3: 'graph' }, see: seeReturn, expected: -1 },
]

describe.each(Object.entries(clients))('%s', (_name, client) => {
  test.each(rows.map((row) => [row.section, row.func, row] as const))('%s %s', async (_section, _func, row) => {
    expect(row.see(await client(target(row.servant), row))).toEqual(row.expected)
  })
})

describe('TarsJava', () => {
  test.each(rows.flatMap((row) => (row.java === undefined ? [] : [[row.section, row.func, row, row.java] as const])))('%s %s', async (_section, func, row, { prx, args, outs }) => {
    const { servant, port } = target(row.servant)
    const answer = await java.call(prx, `${servant}@tcp -h 127.0.0.1 -p ${port} -t 60000`, func, args)
    expect(row.see({ return: answer.return, ...Object.fromEntries(outs.map((name, index) => [name, answer.out[index]])) })).toEqual(row.expected)
  })
})

test('every field of an endpoint is under its tag (0.3)', async () => {
  const answer = await rawClient(1)(target(query), { func: 'findObjectById', args: [id('Test.Hello.Obj')], results: { 0: 'return' } })
  expect(plain((answer['return'] as unknown[])[1])).toEqual({ 0: 'test-hello-1.test-hello', 1: 9000, 2: 60_000, 3: 1, 4: 0, 5: -1, 6: -1, 7: 'a.b.c', 8: 0, 9: 0, 11: -1, 12: 0, 13: 0, 14: 'test-hello-1.test-hello' })
})

test('every field of a descriptor is under its tag (0.3)', async () => {
  const answer = await rawClient(1)(target(registers), { func: 'getServerDescriptor', args: textArgs(['serverApp', 'Test'], ['serverName', 'Hello']), results: { 3: 'descriptor' } })
  expect(plain((answer['descriptor'] as Struct)[2])).toEqual([['Test.Hello.ObjAdapter', { 0: 'Test.Hello.ObjAdapter', 1: 'tcp -h ${localip} -p 9000 -t 60000', 2: 3, 3: 10_000, 4: '', 5: 'Test.Hello.Obj', 6: 10_000, 7: 60_000, 8: 'tars' }]])
})

test('what all of them reported and wrote is there', async () => {
  const speakers = Object.keys(clients).length + 1
  const page = async (number: number) => (await rawClient(1)(target(notifies), { func: 'getNotifyInfo', args: [[1, 'stKey', { struct: { 1: 'Test.Hello', 2: '', 3: number } }]], results: { 2: 'stInfo' } }))['stInfo'] as Struct
  await until(async () => {
    let count = 0
    for (let number = 0; ; number = Number((await page(number))[1])) {
      count += ((await page(number))[2] as unknown[]).length
      if (Number((await page(number))[1]) === 0) break
    }
    return count === 3 * speakers
  })
  for (const name of ['plain', 'info']) expect(await readFile(join(folder, `Test/Hello/Test.Hello_${name}_${new Date().getFullYear()}.log`), 'utf8')).toBe('127.0.0.1|a line\n'.repeat(speakers))
})
