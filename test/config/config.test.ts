// tarsconfig on real sockets, fed by the embedded API server, asked by our own client and by @tars/config.
import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { resources } from '#api/resources.ts'
import type { TConfig } from '#api/types.ts'
import { silentLogger } from '#base/log.ts'
import { createKubeClient } from '#kube/client.ts'
import { Communicator } from '#tars/client.ts'
import { Config, createConfigInfo, createGetConfigListInfo, type ConfigInfo, type ConfigProxy } from '#tars/protocol/ConfigF.ts'
import { startConfig, type ConfigOptions, type RunningConfig } from '../../framework/config/config.ts'
import { createPod, namespace, startCluster, until, type TestCluster } from '../registry/cluster.ts'

let cluster: TestCluster
let running: RunningConfig
let config: ConfigProxy
const communicator = new Communicator({ timeoutMs: 60_000 })

type Given = Pick<TConfig, 'server' | 'configName' | 'configContent'> & Partial<Pick<TConfig, 'podSeq' | 'activated' | 'set' | 'references'>> & { readonly labels?: Record<string, string>; readonly annotations?: Record<string, string> }
let serial = 0

async function createConfig({ labels = {}, annotations = {}, ...given }: Given): Promise<string> {
  const name = `config-${serial++}`
  const object = { apiVersion: 'k8s.tars.io/v1beta3', kind: 'TConfig', metadata: { name, namespace, labels, annotations }, app: 'Test', podSeq: 'm', activated: true, version: 'v', ...given }
  await cluster.client.create(resources.tconfigs, object as TConfig)
  return name
}

beforeAll(async () => {
  cluster = await startCluster()
  await createConfig({ server: 'Hello', configName: 'a.conf', configContent: 'master' })
  await createConfig({ server: 'Hello', configName: 'a.conf', configContent: 'for one', podSeq: '1' })
  await createConfig({ server: 'Hello', configName: 'a.conf', configContent: 'in the set', set: 'a.b.c', references: ['app.conf'] })
  await createConfig({ server: 'Hello', configName: 'a.conf', configContent: 'in the set for one', set: 'a.b.c', podSeq: '1' })
  await createConfig({ server: 'Hello', configName: 'set.conf', configContent: 'x', set: 'a.b.c' })
  await createConfig({ server: 'Hello', configName: 'orphan.conf', configContent: 'for one', podSeq: '1' })
  await createConfig({ server: 'Hello', configName: 'z.conf', configContent: '<tars>\na=1\n</tars>' })
  await createConfig({ server: 'Hello', configName: 'bad.conf', configContent: '<tars>\na=1\n' })
  await createConfig({ server: '', configName: 'app.conf', configContent: 'of the app' })
  await createPod(cluster.client, { app: 'Test', server: 'Hello', name: 'test-hello-1', ip: '127.0.0.1' })
  running = await startConfig({ client: cluster.client, namespace, address: '127.0.0.1', port: 0, notFound: -1, log: silentLogger, signal: new AbortController().signal })
  config = communicator.proxy<ConfigProxy>(Config, `tars.tarsconfig.ConfigObj@tcp -h 127.0.0.1 -p ${running.port}`)
})

afterAll(async () => {
  await communicator.close()
  await running?.stop()
  await cluster?.stop()
})

const joined = 'master\r\n\r\nfor one'
const info = (given: Partial<ConfigInfo>) => createConfigInfo({ appname: 'Test', servername: 'Hello', filename: 'a.conf', ...given })
/** The peer is the pod test-hello-1, unless the request says otherwise. */
const asPod = (name: string) => ({ context: { node_name: name } })

describe('loading (framework-services 2.1, 2.3)', () => {
  const cases: readonly [what: string, call: () => Promise<{ return: number; config: string }>, code: number, text: string][] = [
    ['by the address of the caller', () => config.loadConfig('Test', 'Hello', 'a.conf'), 0, joined],
    ['by node_name (0.2)', () => config.loadConfig('Test', 'Hello', 'a.conf', asPod('test-hello-1.test-hello')), 0, joined],
    ['by node_name of another pod: its own address is what is left', () => config.loadConfig('Test', 'Hello', 'a.conf', asPod('other-0.other')), 0, joined],
    ['empty server is the application (2.4)', () => config.loadConfig('Test', '', 'app.conf'), 0, 'of the app'],
    ['no such file', () => config.loadConfig('Test', 'Hello', 'no.conf'), -1, ''],
    ['no such server', () => config.loadConfig('Test', 'Nobody', 'a.conf'), -1, ''],
    ['a file for one pod alone does not exist', () => config.loadConfig('Test', 'Hello', 'orphan.conf'), -1, ''],
    ['by host: pod', () => config.loadConfigByHost('Test.Hello', 'a.conf', 'test-hello-1'), 0, joined],
    ['by host: pod, with its service', () => config.loadConfigByHost('Test.Hello', 'a.conf', 'TEST-hello-1.test-hello'), 0, joined],
    ['by host: pod, with its whole domain', () => config.loadConfigByHost('Test.Hello', 'a.conf', 'test-hello-1.test-hello.tars.svc.cluster.local'), 0, joined],
    ['by host: another pod', () => config.loadConfigByHost('Test.Hello', 'a.conf', 'test-hello-0'), 0, 'master'],
    ['by host: its address', () => config.loadConfigByHost('Test.Hello', 'a.conf', '127.0.0.1'), 0, joined],
    ['by host: characters that belong to no name', () => config.loadConfigByHost('Test.Hello', 'a.conf', 'test-hello-1x'), 0, 'master'],
    ['by host: application', () => config.loadConfigByHost('Test', 'app.conf', ''), 0, 'of the app'],
    ['by host: three parts', () => config.loadConfigByHost('Test.Hello.x', 'a.conf', ''), -1, ''],
    ['by info: host', () => config.loadConfigByInfo(info({ host: 'test-hello-1' })), 0, joined],
    ['by info: no host, the caller counts', () => config.loadConfigByInfo(info({})), 0, joined],
    ['by info: application only', () => config.loadConfigByInfo(info({ filename: 'app.conf', bAppOnly: true })), 0, 'of the app'],
    ['by info: TarsGo, empty server name', () => config.loadConfigByInfo(info({ filename: 'app.conf', servername: '' })), 0, 'of the app'],
    ['by info: a set of two parts', () => config.loadConfigByInfo(info({ setdivision: 'a.b' })), -1, ''],
    ['by info: a set without files (2.2)', () => config.loadConfigByInfo(info({ setdivision: 'q.q.q' })), -1, ''],
    ['by info: a set, its node, and what the file refers to (2.2)', () => config.loadConfigByInfo(info({ setdivision: 'a.b.c' })), 0, 'of the app\r\n\r\nin the set\r\n\r\nin the set for one'],
    ['by info: a set, of the application', () => config.loadConfigByInfo(info({ setdivision: 'a.b.c', filename: 'app.conf', bAppOnly: true })), 0, 'of the app'],
    ['by info: the conf of a service without a set says NULL', () => config.loadConfigByInfo(info({ setdivision: 'NULL' })), 0, joined],
  ]
  test.each(cases)('%s', async (_what, call, code, text) => {
    expect(await call()).toEqual({ return: code, config: text })
  })
})

describe('lists and checks (framework-services 2.1)', () => {
  const names = ['a.conf', 'bad.conf', 'z.conf']

  test('names are sorted, each once, and need a file for all pods', async () => {
    expect(await config.ListConfig('Test', 'Hello')).toEqual({ return: 0, vf: names })
    expect(await config.ListConfigByInfo(info({}))).toEqual({ return: 0, vf: names })
    expect(await config.ListAllConfigByInfo(createGetConfigListInfo({ appname: 'Test', servername: 'Hello' }))).toEqual({ return: 0, vf: names })
    expect(await config.ListAllConfigByInfo(createGetConfigListInfo({ appname: 'Test', servername: 'Hello', bAppOnly: true }))).toEqual({ return: 0, vf: ['app.conf'] })
    expect(await config.ListConfigByInfo(info({ setdivision: 'x' }))).toEqual({ return: -1, vf: [] })
    // What loads in a set: the file of the application has a text for every one.
    for (const given of [{ bAppOnly: true }, { servername: '' }]) expect(await config.ListConfigByInfo(info({ ...given, setdivision: 'a.b.c' }))).toEqual({ return: 0, vf: ['app.conf'] })
    expect(await config.ListConfigByInfo(info({ setdivision: 'a.b.c' }))).toEqual({ return: 0, vf: ['a.conf', 'set.conf'] })
    expect(await config.ListAllConfigByInfo(createGetConfigListInfo({ appname: 'Test', servername: 'Hello', setdivision: 'a.b.c' }))).toEqual({ return: 0, vf: ['a.conf', 'set.conf'] })
    expect(await config.ListAllConfigByInfo(createGetConfigListInfo({ appname: 'Test', servername: 'Hello', setdivision: 'a.b' }))).toEqual({ return: -1, vf: [] })
    expect(await config.ListConfig('Test', 'Nobody')).toEqual({ return: 0, vf: [] })
  })

  test('a check answers with the text, or with what is wrong', async () => {
    expect(await config.checkConfig('Test.Hello', 'z.conf', '')).toEqual({ return: 0, result: '<tars>\na=1\n</tars>' })
    const bad = await config.checkConfig('Test.Hello', 'bad.conf', '')
    expect(bad.return).toBe(-1)
    expect(bad.result).toMatch(/line 1.*never closed/)
    expect((await config.checkConfigByInfo(info({ filename: 'z.conf' }))).return).toBe(0)
    expect(await config.checkConfigByInfo(info({ filename: 'no.conf' }))).toEqual({ return: -1, result: 'Test.Hello has no file no.conf' })
  })
})

describe('a switch of versions (framework-services 2.3)', () => {
  const load = async () => (await config.loadConfig('Test', 'Hello', 'switch.conf')).config

  test('no moment without a file, and the newer of two wins', async () => {
    const { client } = cluster
    const old = await createConfig({ server: 'Hello', configName: 'switch.conf', configContent: 'old', annotations: { 'tars.io/ActivatedAt': '2026-01-01T00:00:00.000Z' } })
    await until(async () => (await load()) === 'old')
    const next = await createConfig({ server: 'Hello', configName: 'switch.conf', configContent: 'new', annotations: { 'tars.io/ActivatedAt': '2026-01-02T00:00:00.000Z' } })
    await until(async () => (await load()) === 'new')
    await client.patch(resources.tconfigs, { namespace, name: old }, { activated: false, metadata: { annotations: { 'tars.io/ReplacedAt': '2026-01-02T00:00:00.000Z' } } })
    // Both inactive, as between the two writes of a switch back: the last one in force stays.
    await client.patch(resources.tconfigs, { namespace, name: next }, { activated: false, metadata: { annotations: { 'tars.io/ReplacedAt': '2026-01-03T00:00:00.000Z' } } })
    await createConfig({ server: 'Hello', configName: 'marker', configContent: 'seen' })
    await until(async () => (await config.loadConfig('Test', 'Hello', 'marker')).return === 0)
    expect(await load()).toBe('new')
    await client.patch(resources.tconfigs, { namespace, name: old }, { activated: true, metadata: { annotations: { 'tars.io/ActivatedAt': '2026-01-03T00:00:00.000Z' } } })
    await until(async () => (await load()) === 'old')
    for (const name of [old, next]) await client.delete(resources.tconfigs, { namespace, name })
    await until(async () => (await config.loadConfig('Test', 'Hello', 'switch.conf')).return === -1)
  })
})

test('what everybody gets is asked for again when it changes, also by what the file refers to and for one pod', async () => {
  const { client } = cluster
  const load = async () => (await config.loadConfig('Test', 'Hello', 'common.conf')).config
  const changed = async (text: string) => {
    await until(async () => (await load()) === text)
    expect(await load()).toBe(text)
  }
  const shared = await createConfig({ server: '', configName: 'shared.conf', configContent: 'shared', annotations: { 'tars.io/ActivatedAt': '2026-01-01T00:00:00.000Z' } })
  await until(async () => (await config.loadConfig('Test', '', 'shared.conf')).return === 0)
  const own = await createConfig({ server: 'Hello', configName: 'common.conf', configContent: 'own', references: ['shared.conf'] })
  await changed('shared\r\n\r\nown')
  const later = await createConfig({ server: '', configName: 'shared.conf', configContent: 'shared too', annotations: { 'tars.io/ActivatedAt': '2026-01-02T00:00:00.000Z' } })
  await changed('shared too\r\n\r\nown')
  const one = await createConfig({ server: 'Hello', configName: 'common.conf', configContent: 'for one', podSeq: '1' })
  await changed('shared too\r\n\r\nown\r\n\r\nfor one')
  expect((await config.loadConfigByHost('Test.Hello', 'common.conf', 'test-hello-0')).config).toBe('shared too\r\n\r\nown')
  for (const name of [own, shared, later, one]) await client.delete(resources.tconfigs, { namespace, name })
  await until(async () => (await config.loadConfig('Test', 'Hello', 'common.conf')).return === -1)
})

describe('settings (2.1, 2.2)', () => {
  const startWith = async (more: Partial<ConfigOptions>) => {
    const one = await startConfig({ client: cluster.client, namespace, address: '127.0.0.1', port: 0, notFound: -1, log: silentLogger, signal: new AbortController().signal, ...more })
    onTestFinished(() => one.stop())
    return communicator.proxy<ConfigProxy>(Config, `tars.tarsconfig.ConfigObj@tcp -h 127.0.0.1 -p ${one.port}`)
  }

  test('so many loads a file, server and host in so much time, then 429; of others not', async () => {
    let nowMs = 0
    const limited = await startWith({ limit: { windowMs: 60_000, count: 11 }, clock: { now: () => 0, monotonic: () => nowMs } })
    const codes: number[] = []
    for (let index = 0; index < 12; index++) codes.push((await limited.loadConfig('Test', 'Hello', 'a.conf')).return)
    expect(codes).toEqual([...Array<number>(11).fill(0), 429])
    expect(await limited.loadConfigByInfo(info({}))).toEqual({ return: 429, config: '' })
    expect((await limited.loadConfigByInfo(info({ host: 'test-hello-0' }))).return).toBe(0)
    expect((await limited.loadConfig('Test', 'Hello', 'z.conf')).return).toBe(0)
    // Not limited in native either.
    expect((await limited.loadConfigByHost('Test.Hello', 'a.conf', '')).return).toBe(0)
    for (let index = 0; index < 11; index++) expect((await limited.ListAllConfigByInfo(createGetConfigListInfo({ appname: 'Test', servername: 'Hello' }))).return).toBe(0)
    expect(await limited.ListAllConfigByInfo(createGetConfigListInfo({ appname: 'Test', servername: 'Hello' }))).toEqual({ return: 429, vf: [] })
    nowMs = 60_000
    expect((await limited.loadConfig('Test', 'Hello', 'a.conf')).return).toBe(0)
  })

  test('a missing file as native answers it, and sets that inherit', async () => {
    const proxy = await startWith({ notFound: 0, setsInherit: true })
    expect(await proxy.loadConfig('Test', 'Hello', 'no.conf')).toEqual({ return: 0, config: '' })
    expect((await proxy.loadConfigByInfo(info({ setdivision: 'a.b' }))).return).toBe(-1)
    expect(await proxy.loadConfigByInfo(info({ setdivision: 'q.q.q' }))).toEqual({ return: 0, config: joined })
  })

  test('it starts without the API server, from what it knew, and says how old that is', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tarsk8s-config-'))
    onTestFinished(() => rm(folder, { recursive: true, force: true }))
    const options = { namespace, address: '127.0.0.1', port: 0, notFound: -1, data: folder, patienceMs: 50, healthPort: 0, log: silentLogger, signal: new AbortController().signal } as const
    await (await startConfig({ ...options, client: cluster.client })).stop()
    const nobody = createKubeClient({ server: 'http://127.0.0.1:1' })
    const alone = await startConfig({ ...options, client: nobody })
    const proxy = communicator.proxy<ConfigProxy>(Config, `tars.tarsconfig.ConfigObj@tcp -h 127.0.0.1 -p ${alone.port}`)
    expect(await proxy.loadConfigByHost('Test.Hello', 'a.conf', 'test-hello-1')).toEqual({ return: 0, config: joined })
    // Whose address it is, too.
    expect(await proxy.loadConfig('Test', 'Hello', 'a.conf')).toEqual({ return: 0, config: joined })
    const text = await (await fetch(`http://127.0.0.1:${alone.healthPort}/metrics`)).text()
    expect(text).toMatch(/^tarsconfig_knowledge_age_seconds [\d.]+$/m)
    expect(text).toMatch(/^tars_server_requests_total\{servant="tars.tarsconfig.ConfigObj",function="loadConfigByHost",ret="0"\} 1$/m)
    await alone.stop()
    nobody.close()
  })
})

test('@tars/config reads a file and the list', async () => {
  const require = createRequire(import.meta.url)
  const Client = require('@tars/config')
  const values: Record<string, string> = {
    'tars.application.server.config': `tars.tarsconfig.ConfigObj@tcp -h 127.0.0.1 -p ${running.port} -t 60000`,
    'tars.application.server.app': 'Test', 'tars.application.server.server': 'Hello', 'tars.application.server.localip': 'test-hello-1.test-hello',
  }
  const client = new Client({ get: (key: string, fallback?: string) => values[key] ?? fallback })
  expect(await client.loadConfig('a.conf', { format: client.FORMAT.TEXT })).toBe(joined)
  expect(await client.loadList()).toEqual(expect.arrayContaining(['a.conf', 'z.conf']))
})
