// The role as `tarsk8s agent` runs it: its endpoint, its volumes and its cleaning, beside an API server that may be away.
import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createLogger, silentLogger } from '#base/log.ts'
import { persistentVolumeClaims, persistentVolumes, pods } from '#kube/resources.ts'
import type { RunningAgent } from '../../framework/agent/agent.ts'
import { agentEnv } from '../../framework/agent/env.ts'
import { start } from '../../framework/agent/role.ts'
import { eventually, startTestCluster, type TestCluster } from '../rig/kube.ts'
import { ownAddress } from '../rig/own-address.ts'
import { startPromLint } from '../rig/promlint.ts'
import { createClaim, createClass, createNode, nodeName } from './rig.ts'

const log = process.env['DEBUG'] === undefined ? silentLogger : createLogger({ format: 'text' })

let cluster: TestCluster
let namespace: string
let root: string
let agent: RunningAgent
const sockets: Server[] = []

/** No one else takes a port that one of its agents frees. */
const address = ownAddress()
const environment = (more: Record<string, string> = {}): Record<string, string> => ({
  KUBECONFIG: cluster.kubeconfigPath, NodeName: nodeName, TARSAGENT_LISTEN: address, TAF_AGENT_PORT: '0', TLVInHost: join(root, 'volumes'), TARSAGENT_LOGS: join(root, 'logs'), TARSAGENT_RULES: join(root, 'rules'), ...more,
})
const run = async (env = environment()): Promise<RunningAgent> => (await start({ env, log, signal: new AbortController().signal })) as RunningAgent
const ask = async (path: string, of = agent): Promise<Response> => await fetch(`http://${address}:${of.port}${path}`)
const json = async (path: string, of = agent): Promise<Record<string, unknown>> => (await (await ask(path, of)).json()) as Record<string, unknown>

async function listener(host = '127.0.0.1'): Promise<number> {
  const server = createServer()
  sockets.push(server)
  await new Promise<void>((resolve) => server.listen(0, host, resolve))
  return (server.address() as AddressInfo).port
}

beforeAll(async () => {
  cluster = await startTestCluster()
  namespace = await cluster.namespace()
  root = mkdtempSync(join(tmpdir(), 'tarsk8s-agent-'))
  for (const folder of ['volumes', 'logs', 'rules']) mkdirSync(join(root, folder))
  await createNode(cluster.client, namespace)
  await createClass(cluster.client)
  agent = await run()
})

afterAll(async () => {
  for (const server of sockets) server.close()
  await agent?.stop()
  await cluster?.stop()
  rmSync(root, { recursive: true, force: true })
})

describe('GET /port', () => {
  test('tells a port that somebody listens on', async () => {
    const port = await listener()
    const response = await ask(`/port?host=127.0.0.1&port=${port}`)
    expect(response.headers.get('content-type')).toContain('application/json')
    expect(await response.json()).toEqual({ err_info: { err_code: 0, err_msg: '' }, port, in_use: true })
    expect(await json(`/port?port=${port}`)).toMatchObject({ in_use: true })
  })

  test('tells a port that nobody listens on, there', async () => {
    const port = await listener()
    expect(await json(`/port?host=127.0.0.9&port=${port}`)).toEqual({ err_info: { err_code: 0, err_msg: '' }, port, in_use: false })
  })

  test.each(['/port', '/port?port=0', '/port?host=127.0.0.1&port='])('%s gives a free one', async (path) => {
    const answer = await json(path)
    expect(answer).toMatchObject({ err_info: { err_code: 0, err_msg: '' }, in_use: false })
    const server = createServer()
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(Number(answer['port']), '127.0.0.1', resolve))
    await new Promise((resolve) => server.close(resolve))
  })

  test.each([['/port?port=http', 'port must be a number'], ['/port?port=70000', 'port must be a number'], ['/port?port=1&port=2', 'may be given once'], ['/port?host=203.0.113.9', 'EADDRNOTAVAIL']])('%s is an error in the answer', async (path, message) => {
    expect(await json(path)).toEqual({ err_info: { err_code: -1, err_msg: expect.stringContaining(message) }, port: 0, in_use: false })
  })
})

describe('facts', () => {
  test.each([
    ['cpu', { cores: expect.any(Number), model: expect.any(String), load: [expect.any(Number), expect.any(Number), expect.any(Number)] }],
    ['memory', { total: expect.any(Number), available: expect.any(Number) }],
    ['host', { node: nodeName, kernel: expect.any(String), uptime: expect.any(Number) }],
    ['net', { interfaces: expect.arrayContaining([expect.objectContaining({ name: 'lo', addresses: expect.arrayContaining(['127.0.0.1']), bytes_received: expect.any(Number) })]) }],
  ])('/%s', async (name, facts) => {
    expect(await json(`/${name}`)).toMatchObject({ err_info: { err_code: 0, err_msg: '' }, ...facts })
  })

  test('/disk tells the disks of volumes and logs', async () => {
    const { disks } = (await json('/disk')) as { disks: { path: string; total: number }[] }
    expect(disks.map(({ path }) => path)).toEqual([join(root, 'volumes'), join(root, 'logs')])
    expect(disks.every(({ total }) => total > 0)).toBe(true)
  })

  test('/metrics is what Prometheus reads', async () => {
    const text = await (await ask('/metrics')).text()
    const lint = await startPromLint()
    const { problems, families } = await lint.read(text)
    await lint.stop()
    expect(problems).toEqual([])
    for (const [name, { help, type }] of Object.entries(families)) expect([name, help !== '', type]).toEqual([expect.stringMatching(/^(tarsagent|process|nodejs)_/), true, name.endsWith('_total') ? 'counter' : 'gauge'])
    expect(text).toContain('tarsagent_rules_good 1\n')
  })
})

test('volumes, cleaning and health, all in one', async () => {
  const claim = await createClaim(cluster.client, { namespace })
  await eventually(async () => (await (await ask('/metrics')).text()).includes('tarsagent_local_volumes{phase="'), 'a volume')
  expect(existsSync(join(root, 'volumes', namespace, 'Demo.Hello', 'data'))).toBe(true)
  await cluster.client.delete(persistentVolumeClaims, claim.metadata)
  await eventually(async () => (await json('/healthz'))['ageMs'] !== null, 'health')

  // The pod of one folder is on this node, the other's is not; both are old.
  await cluster.client.create(pods, { metadata: { namespace, name: 'demo-hello-0' }, spec: { nodeName, containers: [{ name: 'c', image: 'i' }] } } as never)
  const logOf = (pod: string): string => join(root, 'logs', namespace, pod, 'Demo.Hello.log')
  for (const pod of ['demo-hello-0', 'demo-hello-1']) {
    mkdirSync(join(root, 'logs', namespace, pod), { recursive: true })
    writeFileSync(logOf(pod), 'x')
    utimesSync(logOf(pod), 1, 1)
  }
  writeFileSync(join(root, 'rules', 'cleaning.yaml'), 'every: 1s')
  await eventually(() => !existsSync(logOf('demo-hello-1')), 'the log of the pod that is gone')
  expect(existsSync(logOf('demo-hello-0'))).toBe(true)

  writeFileSync(join(root, 'rules', 'cleaning.yaml'), 'every: never')
  await eventually(async () => (await json('/healthz'))['rulesGood'] === false, 'bad rules')
  rmSync(join(root, 'rules', 'cleaning.yaml'))
})

test('cleans and answers while the API server is away', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tarsk8s-agent-alone-'))
  writeFileSync(join(folder, 'kubeconfig'), JSON.stringify({ apiVersion: 'v1', kind: 'Config', 'current-context': 'x', clusters: [{ name: 'x', cluster: { server: 'http://127.0.0.1:1' } }], users: [{ name: 'x', user: {} }], contexts: [{ name: 'x', context: { cluster: 'x', user: 'x' } }] }))
  const old = join(folder, 'logs', 'ns', 'pod', 'Demo.Hello.log.1')
  mkdirSync(join(folder, 'logs', 'ns', 'pod'), { recursive: true })
  writeFileSync(old, 'x')
  utimesSync(old, 1, 1)
  const alone = await run(environment({ KUBECONFIG: join(folder, 'kubeconfig'), TARSAGENT_LOGS: join(folder, 'logs') }))
  try {
    await eventually(() => !existsSync(old), 'the old log is gone')
    expect(await json('/healthz', alone)).toEqual({ status: 'ok', ageMs: null, rulesGood: true })
    expect(await json('/port', alone)).toMatchObject({ in_use: false })
  } finally {
    await alone.stop()
    rmSync(folder, { recursive: true })
  }
})

test('two agents of one node agree, and one that is stopped frees its port', async () => {
  const other = await run()
  const { port } = other
  await createClaim(cluster.client, { namespace, server: 'Both' })
  await eventually(async () => (await cluster.client.list(persistentVolumes)).items.some(({ metadata }) => metadata.name.startsWith(`${namespace}-data-demo-both-`)), 'one volume')
  await other.stop()
  const third = await run(environment({ TAF_AGENT_PORT: String(port) }))
  expect(third.port).toBe(port)
  await expect(run(environment({ TAF_AGENT_PORT: String(port) }))).rejects.toMatchObject({ code: 'AGENT_LISTEN' })
  await third.stop()
})

describe('settings', () => {
  test('are as the charts of K8SFramework have them', () => {
    expect(agentEnv({ NodeName: 'n' })).toEqual({ nodeName: 'n', address: '0.0.0.0', port: 8000, base: '/usr/local/app/tars/host-mount', logs: '/usr/local/app/tars/app_log', rulesFolder: '/etc/tarsagent', unusedMs: 24 * 3600_000, cri: undefined, loginFile: '/etc/tarsagent-pull/.dockerconfigjson', prepullMs: 24 * 3600_000 })
  })

  test('the socket of the runtime may be given as the kubelet has it', () => {
    expect(agentEnv({ NodeName: 'n', TARSAGENT_CRI: 'unix:///run/containerd/containerd.sock' }).cri).toBe('/run/containerd/containerd.sock')
  })

  test.each([[{}, 'NodeName'], [{ NodeName: 'n', TLVInHost: 'relative' }, 'TLVInHost'], [{ NodeName: 'n', TARSAGENT_LOGS: '/' }, 'TARSAGENT_LOGS'], [{ NodeName: 'n', TAF_AGENT_PORT: '70000' }, 'TAF_AGENT_PORT']])('%j is refused', (env, name) => {
    expect(() => agentEnv(env)).toThrow(name)
  })
})
