// Weights by load (framework-services 1.5) with everything real: calls are reported to tarsstat, tarsregistry asks tarsquerystat about them,
// and hands out what comes of it; each is a process of its own.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { resources } from '#api/resources.ts'
import type { TEndpoint } from '#api/types.ts'
import { Communicator } from '#tars/client.ts'
import { QueryF, type QueryFProxy } from '#tars/protocol/QueryF.ts'
import { createStatMicMsgBody, createStatMicMsgHead, StatF, type StatFProxy } from '#tars/protocol/StatF.ts'
import { ownAddress } from '../rig/own-address.ts'
import { createPod, namespace, startCluster, tendpoint, until, type TestCluster } from './cluster.ts'

let cluster: TestCluster
let folder: string
let stat: { readonly port: number; readonly httpPort: number }
const children: ChildProcess[] = []
const communicator = new Communicator({ timeoutMs: 60_000 })
/** Roles listen on the ports of an installation. */
const [registryAddress, queryAddress, ...podAddresses] = Array.from({ length: 5 }, ownAddress) as [string, string, ...string[]]

function run(script: string, args: readonly string[], env: Record<string, string> = {}): ChildProcess {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, script), ...args], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } })
  children.push(child)
  return child
}

/** A role as its container runs it, once it says so. */
async function role(name: string, podIp: string, env: Record<string, string>): Promise<ChildProcess> {
  const child = run('../../framework/main.ts', [name], { KUBECONFIG: join(folder, 'kubeconfig'), Namespace: namespace, PodIP: podIp, ...env })
  let said = ''
  const serves = new Promise<void>((resolve) => {
    createInterface({ input: child.stderr as NodeJS.ReadableStream }).on('line', (line) => {
      said += `${line}\n`
      if (/serves/.test(line)) resolve()
    })
  })
  const ended = once(child, 'exit').then(() => { throw new Error(`${name} ended: ${said}`) })
  ended.catch(() => {})
  await Promise.race([serves, ended])
  return child
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  await ended
}

const startQuery = () => role('querystat', queryAddress, { TARSQUERYSTAT_OWNERS_PORT: String(stat.httpPort) })

beforeAll(async () => {
  cluster = await startCluster()
  folder = await mkdtemp(join(tmpdir(), 'tarsk8s-weights-'))
  await writeFile(join(folder, 'kubeconfig'), cluster.api.kubeconfig(namespace))
  const { client } = cluster
  const create = (endpoint: unknown) => client.create(resources.tendpoints, endpoint as TEndpoint)
  const child = run('../stat/stat-process.ts', [join(folder, 'kubeconfig'), join(folder, 'stat'), ''])
  const [line] = (await once(createInterface({ input: child.stdout as NodeJS.ReadableStream }), 'line')) as [string]
  const [port = 0, httpPort = 0] = line.split(' ').map(Number)
  stat = { port, httpPort }
  await createPod(client, { app: 'tars', server: 'tarsstat', name: 'tars-tarsstat-0', ip: '127.0.0.1', hostNetwork: true })
  await create(tendpoint('tars', 'tarsquerystat', [{ name: 'QueryObj', port: 16000 }], { endpointHost: 'ip' } as never))
  await createPod(client, { app: 'tars', server: 'tarsquerystat', name: 'tars-tarsquerystat-0', ip: queryAddress, state: 'Active/Active/7' })
  await create(tendpoint('Test', 'Bal', [{ name: 'Obj', port: 5, weightType: 'dynamic' } as never]))
  for (const index of [0, 1, 2]) await createPod(client, { app: 'Test', server: 'Bal', name: `test-bal-${index}`, ip: podAddresses[index] ?? '', state: 'Active/Active/7' })
  await startQuery()
  await role('registry', registryAddress, { TARSREGISTRY_LOAD_SECONDS: '1' })
})

afterAll(async () => {
  await communicator.close()
  await Promise.all(children.map(end))
  await cluster?.stop()
  await rm(folder, { recursive: true, force: true })
})

/** `weight/type` of each pod. */
async function weights(): Promise<string> {
  const query = communicator.proxy<QueryFProxy>(QueryF, `tars.tarsregistry.QueryObj@tcp -h ${registryAddress} -p 17890`)
  const { activeEp } = await query.findObjectByIdInSameGroup('Test.Bal.Obj')
  return activeEp.toSorted((a, b) => (a.nodeName < b.nodeName ? -1 : 1)).map(({ weight, weightType }) => `${weight}/${weightType}`).join(' ')
}

const report = (slaveIp: string, count: number, totalMs: number, timeoutCount = 0) =>
  communicator.proxy<StatFProxy>(StatF, `tars.tarsstat.StatObj@tcp -h 127.0.0.1 -p ${stat.port}`)
    .reportMicMsg(new Map([[createStatMicMsgHead({ masterName: 'Shop.Web', slaveName: 'Test.Bal', interfaceName: 'f', slaveIp }), createStatMicMsgBody({ count, timeoutCount, totalRspTime: BigInt(totalMs), maxRspTime: 9, minRspTime: 1 })]]), true)

const inTurn = '-1/0 -1/0 -1/0'

test('1.5 without reports pods are called in turn; the quicker is called more; what changes is followed; without tarsquerystat in turn again', async () => {
  expect(await weights()).toBe(inTurn)

  // Averages of 10 and 30 ms, by DNS name and by address, and none of the third.
  await report('test-bal-0.test-bal', 5, 50)
  await report(podAddresses[1] ?? '', 5, 150)
  await until(async () => (await weights()) === '140/1 60/1 -1/0')

  // Now 100 and 30 ms.
  await report('test-bal-0.test-bal', 15, 1950)
  await until(async () => (await weights()) === '57/1 143/1 -1/0')

  // Timeouts count for the rest: of the third there is nothing else, which is the least of both.
  await report('test-bal-2.test-bal', 0, 0, 7)
  await until(async () => (await weights()) === '57/1 143/1 10/1')

  await end(children[1] as ChildProcess)
  await until(async () => (await weights()) === inTurn)
  await startQuery()
  await until(async () => (await weights()) === '57/1 143/1 10/1')
})
