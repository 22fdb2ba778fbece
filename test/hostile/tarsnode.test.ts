// What a pod may do to the tarsnode of another one: nothing that ends, stops or starves it, and where callers are checked, which is the default, nothing at all.
import { readFileSync } from 'node:fs'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import http from 'node:http'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { silentLogger } from '#base/log.ts'
import type { Running } from '#base/lifecycle.ts'
import { pods } from '#kube/resources.ts'
import { Communicator } from '#tars/client.ts'
import { Node, type NodeProxy } from '#tars/protocol/Node.ts'
import { ServerF } from '#tars/protocol/NodeF.ts'
import { TarsCallError } from '#tars/server.ts'
import { start as startRegistry } from '../../framework/registry/role.ts'
import { CallerGuard } from '../../node/servants/caller-guard.ts'
import { descriptor, ownAddress, pod, removeScratch, supervise, type Pod } from '../node/rig.ts'
import { createEndpoint, createPod, createTemplate, namespace, startCluster, until, type TestCluster } from '../registry/cluster.ts'
import type { PidNamespace } from '../rig/pidns.ts'
import { sweep } from './bytes.ts'
import { request } from './rig.ts'

const registryAddress = ownAddress()
/** Who calls: another pod of the server, one of another server, one of the framework, and nobody's, as a kubelet or a port-forward. */
const at = { sibling: ownAddress(), evil: ownAddress(), framework: ownAddress(), nobody: ownAddress() } as const
type Who = keyof typeof at
const communicators = Object.fromEntries(Object.entries(at).map(([who, localAddress]) => [who, new Communicator({ timeoutMs: 60_000, localAddress })])) as Record<Who, Communicator>

let folder: string
let cluster: TestCluster
let container: Pod
let space: PidNamespace
let registry: Running

/** A registry as its environment has it. */
async function registryWith(env: Readonly<Record<string, string>>): Promise<Running> {
  return startRegistry({ env: { KUBECONFIG: join(folder, 'kubeconfig'), Namespace: namespace, PodIP: registryAddress, ...env }, log: silentLogger, signal: new AbortController().signal })
}

async function started(name: string, env: Readonly<Record<string, string>>): Promise<readonly [Pod, PidNamespace]> {
  const made = pod({ address: registryAddress }, { PodName: name, ...env })
  await createPod(cluster.client, { app: 'Test', server: 'EchoServer', name, ip: made.address })
  const inside = await supervise(made)
  await until(async () => JSON.stringify((await cluster.client.get(pods, { namespace, name }))['status']).includes('Active/Active/'))
  return [made, inside]
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tarsk8s-hostile-node-'))
  cluster = await startCluster()
  await writeFile(join(folder, 'kubeconfig'), cluster.api.kubeconfig())
  const { client } = cluster
  await createTemplate(client, 'tars.default', 'tars.default', descriptor().profile)
  await createEndpoint(client, 'Test', 'EchoServer', [{ name: 'EchoObj', port: 10000 }])
  await createPod(client, { app: 'Test', server: 'EchoServer', name: 'echo-1', ip: at.sibling })
  await createPod(client, { app: 'Demo', server: 'Evil', name: 'demo-evil-0', ip: at.evil })
  await createPod(client, { app: 'tars', server: 'tarsAdminRegistry', name: 'tars-tarsadminregistry-0', ip: at.framework })
  registry = await registryWith({})
  ;[container, space] = await started('echo-0', {})
})
afterAll(async () => {
  for (const communicator of Object.values(communicators)) await communicator.close()
  await space?.destroy()
  await registry?.stop()
  await cluster?.stop()
  await rm(folder, { recursive: true, force: true })
  removeScratch()
})

const node = (who: Who): NodeProxy => communicators[who].proxy<NodeProxy>(Node, `tars.tarsnode.NodeObj@tcp -h ${container.address} -p 19385`)
/** What is known of the service; its pid and starts are as they were when nobody commanded it. */
async function service(): Promise<{ readonly pid: number; readonly state: string; readonly restarts: number }> {
  const response = await fetch(`http://${container.address}:19387/status`)
  return (await response.json()) as { pid: number; state: string; restarts: number }
}
const memory = (): number => Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${space.initPid}/status`, 'utf8'))?.[1]) / 1024

/** Every function, for the server that runs here. */
const calls: Readonly<Record<keyof NodeProxy, (proxy: NodeProxy) => Promise<{ readonly return: number }>>> = {
  getStateInfo: (proxy) => proxy.getStateInfo('Test', 'EchoServer'),
  getLogFileList: (proxy) => proxy.getLogFileList('Test', 'EchoServer'),
  getLogData: (proxy) => proxy.getLogData('Test', 'EchoServer', 'x.log', 'tail -n 1'),
  getNodeLoad: (proxy) => proxy.getNodeLoad('Test', 'EchoServer', 1),
  delCache: (proxy) => proxy.delCache('Test.EchoServer', '', '0x7fabcde'),
  loadServer: (proxy) => proxy.loadServer('Test', 'EchoServer'),
  addFile: (proxy) => proxy.addFile('Test', 'EchoServer', 'x.conf'),
  notifyServer: (proxy) => proxy.notifyServer('Test', 'EchoServer', 'tars.viewversion'),
  startServer: (proxy) => proxy.startServer('Test', 'EchoServer'),
  restartServer: (proxy) => proxy.restartServer('Test', 'EchoServer'),
  stopServer: (proxy) => proxy.stopServer('Test', 'EchoServer'),
}

test('no function does anything for a pod of another server, nor tells it anything; pings are for all', async () => {
  expect(Object.keys(calls).sort()).toEqual(Object.keys(Node.functions).sort())
  const before = await service()
  for (const [name, call] of Object.entries(calls)) expect([name, await call(node('evil')).catch((error: Error) => error.message)]).toEqual([name, expect.stringContaining('is no pod of the framework or of this server')])
  expect(await service()).toMatchObject({ pid: before.pid, state: 'active', restarts: before.restarts })
  await communicators.evil.ping(`tars.tarsnode.NodeObj@tcp -h ${container.address} -p 19385`)
})

test('the framework, pods of the same server and, as long as nobody says otherwise, those that are no pods command it', async () => {
  for (const who of ['framework', 'sibling', 'nobody'] as const) {
    expect(await calls.getStateInfo(node(who))).toMatchObject({ return: 0 })
    expect(await calls.notifyServer(node(who))).toMatchObject({ return: 0, result: 'did tars.viewversion' })
  }
  const { pid } = await service()
  expect(await calls.restartServer(node('framework'))).toMatchObject({ return: 0 })
  await until(async () => (await service()).pid !== pid && (await service()).state === 'active')
})

test.each(['framework', 'evil'] as const)('whatever bytes come from %s, it answers or hangs up, and serves on', async (who) => {
  const before = memory()
  const { pid } = await service()
  const common = { host: container.address, from: at[who], alive: () => void readFileSync(`/proc/${space.initPid}/status`) }
  await sweep({ ...common, port: 19385, object: 'tars.tarsnode.NodeObj', definition: Node })
  await sweep({ ...common, port: 19386, object: 'tars.tarsnode.ServerObj', definition: ServerF })
  expect(await service()).toMatchObject({ pid, state: 'active' })
  expect(memory() - before).toBeLessThan(100)
})

async function raw(port: number): Promise<Socket> {
  const socket = connect({ host: container.address, port, localAddress: at.evil })
  socket.on('error', () => {}).resume()
  await once(socket, 'connect')
  return socket
}

test('who connects and says little, or what is no packet, keeps nobody out', async () => {
  const whole = request('tars.tarsnode.NodeObj', 'getStateInfo', Buffer.alloc(0), { requestId: 1 })
  const pieces = [Buffer.alloc(0), Buffer.from([0, 0, 0]), Buffer.from([0, 0, 0, 0]), Buffer.from([0xff, 0xff, 0xff, 0xff]), Buffer.from([0x7f, 0xff, 0xff, 0xff, 1]), Buffer.from([0, 15, 0xff, 0xff, 1, 2, 3]), whole.subarray(0, -1), Buffer.from('GET / HTTP/1.1\r\nhost: x\r\n'), Buffer.from([22, 3, 1])]
  const held: Socket[] = []
  const before = memory()
  try {
    for (let round = 0; round < 30; round++) {
      for (const port of [19385, 19386, 19387]) for (const piece of pieces) {
        const socket = await raw(port)
        held.push(socket)
        socket.write(piece)
      }
    }
    expect(await calls.getStateInfo(node('framework'))).toMatchObject({ return: 0 })
    // As a kubelet asks, while the others wait.
    const status = await new Promise<number | undefined>((resolve, reject) => http.get({ host: container.address, port: 19387, path: '/healthz', localAddress: at.nobody, agent: false }, (answer) => resolve(answer.resume().statusCode)).on('error', reject))
    expect(status).toBe(200)
    expect(memory() - before).toBeLessThan(50)
  } finally {
    for (const socket of held) socket.destroy()
  }
})

test('a service that is PID 1 is not stopped by a neighbour\'s GET /prestop, but by the kubelet\'s', async () => {
  const [front, inside] = await started('echo-2', { LauncherType: 'foreground', TARSNODE_DRAIN_MS: '1' })
  const prestop = (localAddress: string): Promise<number | undefined> => new Promise((resolve, reject) => http.get({ host: front.address, port: 19387, path: '/prestop', localAddress, agent: false }, (answer) => resolve(answer.resume().statusCode)).on('error', reject))
  try {
    expect(await prestop(at.evil)).toBe(403)
    expect((await fetch(`http://${front.address}:19387/readyz`)).status).toBe(200)
    expect(await prestop(at.nobody)).toBe(200)
    await inside.ended
  } finally {
    await inside.destroy()
  }
})

test('strangers are refused when the registry trusts none, and nobody when it checks nobody', async () => {
  for (const [env, wanted] of [[{ TARS_CALLERS_TRUSTED: 'none' }, [true, false, true, false]], [{ TARS_CALLERS: 'off' }, [true, true, true, true]]] as const) {
    await registry.stop()
    registry = await registryWith(env)
    // Answers count for a few seconds.
    await until(async () => (await Promise.all((Object.keys(at) as Who[]).map((who) => calls.getStateInfo(node(who)).then(() => true, () => false)))).join() === wanted.join())
  }
})

describe('while the registry', () => {
  const refused = async (guard: CallerGuard, address: string): Promise<string> => guard.admit(address).then(() => '', (error: Error) => error.message)
  const away = (): Promise<number> => Promise.reject(new Error('away'))
  function guardThat(first: (address: string) => Promise<number>) {
    let [ask, nowMs, asked] = [first, 0, 0]
    const guard = new CallerGuard({ ask: (address) => (asked++, ask(address)), log: silentLogger, clock: { monotonic: () => nowMs } })
    return { guard, asked: () => asked, later: (next: typeof ask) => ([ask, nowMs] = [next, nowMs + 5000]) }
  }

  test('is away, its last word counts, and without one nobody commands', async () => {
    const { guard, later } = guardThat(async (address) => (address === at.evil ? 3 : 1))
    expect([await refused(guard, at.framework), await refused(guard, at.evil)]).toEqual(['', expect.stringContaining('commands nothing here')])
    for (let i = 0; i < 2; i++) {
      later(away)
      expect([await refused(guard, at.framework), await refused(guard, at.evil), await refused(guard, at.nobody)]).toEqual(['', expect.stringContaining('commands nothing here'), expect.stringContaining('does not say')])
    }
    // A container's end is not put off by it.
    expect([await guard.isOtherPod(at.evil), await guard.isOtherPod(at.nobody)]).toEqual([true, false])
  })

  test('never said that callers are checked, or does not know the question, all command', async () => {
    const { guard, later } = guardThat(away)
    expect(await refused(guard, at.evil)).toBe('')
    later(() => Promise.reject(new TarsCallError(-3, 'no function')))
    expect(await refused(guard, at.evil)).toBe('')
    later(async () => 0)
    expect(await refused(guard, at.evil)).toBe('')
  })

  test('answers, it is asked about one caller once in five seconds, and of few callers anything is kept', async () => {
    const { guard, later, asked } = guardThat(async () => 1)
    await Promise.all(Array.from({ length: 100 }, () => guard.admit(at.framework)))
    expect(asked()).toBe(1)
    for (let i = 0; i < 300; i++) await guard.admit(`10.0.${i >> 8}.${i & 255}`)
    later(away)
    expect(await refused(guard, '10.0.0.0')).toContain('does not say')
    expect(await refused(guard, '10.0.1.43')).toBe('')
  })
})
