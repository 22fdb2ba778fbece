// getLocker: one master a server, by Lease, whichever registry is asked (framework-services 1.1).
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { TEndpoint } from '#api/types.ts'
import { silentLogger } from '#base/log.ts'
import { createKubeClient } from '#kube/client.ts'
import type { Lease } from '#kube/lease.ts'
import { leases, pods } from '#kube/resources.ts'
import type { AnyObject } from '#kube/types.ts'
import { Communicator } from '#tars/client.ts'
import { createGetMasterSlaveLock, QueryF, type GetMasterSlaveLock, type QueryFProxy } from '#tars/protocol/QueryF.ts'
import { Locks } from '../../framework/registry/locks.ts'
import { Directory } from '../../framework/registry/model/directory.ts'
import type { PodObject } from '../../framework/registry/model/pod-state.ts'
import { startRegistry, type RunningRegistry } from '../../framework/registry/registry.ts'
import { createEndpoint, createPod, namespace, startCluster, tendpoint, until, type TestCluster } from './cluster.ts'

let cluster: TestCluster
const registries: RunningRegistry[] = []
const communicators: Communicator[] = []
/** Monotonic time of both registries. */
let nowMs = 0
const clock = { now: () => Date.now(), monotonic: () => nowMs }
const [master, slave, badRequest, failed] = [0, 1, 2, -1]

beforeAll(async () => {
  cluster = await startCluster()
  const { client } = cluster
  await createEndpoint(client, 'Test', 'Pair', [{ name: 'Obj', port: 5 }])
  for (const index of [0, 1, 2]) await createPod(client, { app: 'Test', server: 'Pair', name: `test-pair-${index}`, ip: `127.81.0.${index + 1}`, state: 'Active/Active/7' })
  for (let count = 0; count < 2; count++) registries.push(await startRegistry({ client, namespace, address: '127.0.0.1', ports: { query: 0, registry: 0 }, clock, log: silentLogger, signal: new AbortController().signal }))
})

afterAll(async () => {
  await Promise.all(communicators.map((one) => one.close()))
  await Promise.all(registries.map((one) => one.stop()))
  await cluster?.stop()
})

/** Speaks from the address of a pod to one of the registries. */
function queryFrom(pod: number, registry = 0): QueryFProxy {
  const communicator = new Communicator({ timeoutMs: 60_000, localAddress: `127.81.0.${pod + 1}` })
  communicators.push(communicator)
  return communicator.proxy<QueryFProxy>(QueryF, `tars.tarsregistry.QueryObj@tcp -h 127.0.0.1 -p ${registries[registry]?.ports.query ?? 0}`)
}

const ask = (pod: number, registry = 0, more: Partial<GetMasterSlaveLock> = {}) =>
  queryFrom(pod, registry).getLocker(createGetMasterSlaveLock({ application: 'Test', server_name: 'Pair', node_name: `test-pair-${pod}.test-pair`, timeout: 3000, bakType: 2, ...more }))

const leaseOf = async () => (await cluster.client.get(leases, { namespace, name: 'tars-lock-test-pair' })) as unknown as { spec: { holderIdentity: string; leaseTransitions: number } }
const routes = async (registry = 0) => (await queryFrom(0, registry).findObjectById('Test.Pair.Obj')).map(({ host }) => host.split('.')[0])
/** The registry has seen who leads. */
const seen = (registry: number, pod: number) => until(async () => (await ask(pod === 0 ? 1 : 0, registry)) === slave && (await ask(pod, registry)) === master)

describe('requests', () => {
  test.each([
    ['without an application', { application: '' }, badRequest], ['without a server', { server_name: '' }, badRequest], ['without a node', { node_name: '' }, badRequest],
    ['without a time', { timeout: 0 }, badRequest], ['with an endless time', { timeout: 2 ** 31 - 1 }, badRequest],
    ['for another pod', { node_name: 'test-pair-1.test-pair' }, failed], ['for another server', { server_name: 'Other' }, failed], ['of no pod', { node_name: 'nobody' }, failed],
  ] satisfies [string, Partial<GetMasterSlaveLock>, number][])('%s', async (_what, more, code) => {
    expect(await ask(0, 0, more)).toBe(code)
  })
})

test('the first that asks is master, at every registry; when it is silent for its time another one becomes it', async () => {
  expect(await ask(0)).toBe(master)
  expect(await ask(1)).toBe(slave)
  await seen(1, 0)
  expect((await leaseOf()).spec).toMatchObject({ holderIdentity: 'test-pair-0', leaseTransitions: 0 })
  nowMs += 2000
  expect(await ask(0)).toBe(master)
  // It may have heard that two seconds later.
  nowMs += 5000
  expect(await ask(1)).toBe(slave)
  nowMs += 1
  expect(await ask(1)).toBe(master)
  expect((await leaseOf()).spec).toMatchObject({ holderIdentity: 'test-pair-1', leaseTransitions: 1 })
  expect(await ask(0)).toBe(slave)
})

test('with bakType 1 callers find the master only, at every registry; with 2 all', async () => {
  expect(await routes()).toEqual(['test-pair-0', 'test-pair-1', 'test-pair-2'])
  nowMs += 10_000
  expect(await ask(2, 0, { bakType: 1 })).toBe(master)
  for (const registry of [0, 1]) await until(async () => String(await routes(registry)) === 'test-pair-2')
  nowMs += 10_000
  expect(await ask(1, 0, { bakType: 2 })).toBe(master)
  for (const registry of [0, 1]) await until(async () => (await routes(registry)).length === 3)
})

test('the lock of a pod that is gone is free at once', async () => {
  await seen(1, 1)
  await cluster.client.delete(pods, { namespace, name: 'test-pair-1' })
  await until(async () => (await ask(0, 1)) === master)
  expect((await leaseOf()).spec.holderIdentity).toBe('test-pair-0')
})

test('of many that ask at once one is master', async () => {
  nowMs += 10_000
  const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => ask(index % 2 === 0 ? 0 : 2, index % 4 < 2 ? 0 : 1)))
  const holder = (await leaseOf()).spec.holderIdentity === 'test-pair-0' ? 0 : 2
  const masters = new Set(answers.flatMap((answer, index) => (answer === master ? [index % 2 === 0 ? 0 : 2] : [])))
  expect([...masters]).toEqual([holder])
})

test('a lock that nobody asks for any more is given back, and hides nobody; not while the API server is away, when nobody can ask', async () => {
  const name = 'tars-lock-test-pair'
  const { client } = cluster
  const views = new Directory({ hostForm: 'dns', prepare: ({ active }) => active.map(({ host }) => host.split('.')[0]) })
  views.setEndpoint(tendpoint('Test', 'Pair', [{ name: 'Obj', port: 5 }]) as unknown as TEndpoint)
  for (const ordinal of [0, 2]) views.setPod((await client.get(pods, { namespace, name: `test-pair-${ordinal}` })) as unknown as PodObject)
  const locks = new Locks({ client, namespace, directory: views, clock, log: silentLogger })
  nowMs += 10_000
  expect(await locks.ask(createGetMasterSlaveLock({ application: 'Test', server_name: 'Pair', node_name: 'test-pair-0', timeout: 3000, bakType: 1 }), { name: '', address: '127.81.0.1' })).toBe(slave)
  locks.observe((await client.get(leases, { namespace, name })) as Lease, false)
  nowMs += 10_000
  expect(await locks.ask(createGetMasterSlaveLock({ application: 'Test', server_name: 'Pair', node_name: 'test-pair-0', timeout: 3000, bakType: 1 }), { name: '', address: '127.81.0.1' })).toBe(master)
  const found = () => views.find('Test.Pair.Obj')
  expect(found()).toEqual(['test-pair-0'])
  const [leaseMs, unusedMs, silentMs] = [5000, 600_000, 120_000]
  nowMs += leaseMs + unusedMs
  await locks.giveBackUnused(0)
  expect(found()).toEqual(['test-pair-0'])
  nowMs += 1
  await locks.giveBackUnused(silentMs + 1)
  nowMs += leaseMs + unusedMs
  await locks.giveBackUnused(0)
  expect(found()).toEqual(['test-pair-0'])
  nowMs += 1
  await locks.giveBackUnused(0)
  expect(found()).toEqual(['test-pair-0', 'test-pair-2'])
  expect((await leaseOf()).spec.holderIdentity).toBe('')
  // Whoever asks next is master at once.
  await until(async () => (await ask(2)) === master)
})

describe('what a registry knows only in part', () => {
  const caller = { name: '', address: '127.81.0.2' }
  const request = createGetMasterSlaveLock({ application: 'Test', server_name: 'Partly', node_name: 'test-partly-1', timeout: 3000, bakType: 2 })
  /** Locks of a registry whose watch of pods has shown the asking one, and of Leases that this holder has one. */
  async function locksWith(holder: string, client = cluster.client): Promise<Locks> {
    const directory = new Directory({ hostForm: 'dns', prepare: () => undefined })
    directory.setPod((await cluster.client.get(pods, { namespace, name: 'test-partly-1' })) as unknown as PodObject)
    const locks = new Locks({ client, namespace, directory, clock, log: silentLogger })
    locks.observe((await cluster.client.get(leases, { namespace, name: 'tars-lock-test-partly' }).catch(() => cluster.client.create(leases, lease(holder)))) as Lease, false)
    return locks
  }
  const lease = (holderIdentity: string): AnyObject => ({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 'tars-lock-test-partly', namespace }, spec: { holderIdentity, leaseDurationSeconds: 3 } })
  beforeAll(async () => {
    for (const index of [0, 1]) await createPod(cluster.client, { app: 'Test', server: 'Partly', name: `test-partly-${index}`, ip: `127.81.0.${index + 1}`, state: 'Active/Active/7' })
  })
  afterEach(() => cluster.client.delete(leases, { namespace, name: 'tars-lock-test-partly' }))

  test('a holder that the watch of pods has not shown yet is not gone', async () => {
    const locks = await locksWith('test-partly-0')
    expect(await locks.ask(request, caller)).toBe(slave)
    await cluster.client.delete(pods, { namespace, name: 'test-partly-0' })
    await until(async () => (await locks.ask(request, caller)) === master)
  })

  test('nobody is told to be master while the Lease cannot be renewed: another registry may give it away', async () => {
    const nobody = createKubeClient({ server: 'http://127.0.0.1:1' })
    const locks = await locksWith('test-partly-1', nobody)
    expect(await locks.ask(request, caller)).toBe(failed)
    nobody.close()
  })

  test.each([[1000, master], [1001, failed]])('of a Lease that took %i ms to renew the answer is %i: it would be master for longer than the Lease', async (tookMs, code) => {
    const update: typeof cluster.client.update = async (...args) => {
      const updated = await cluster.client.update(...args)
      nowMs += tookMs
      return updated
    }
    const locks = await locksWith('test-partly-1', { ...cluster.client, update })
    expect(await locks.ask(request, caller)).toBe(code)
    // It is no other's meanwhile.
    expect((await cluster.client.get(leases, { namespace, name: 'tars-lock-test-partly' }))['spec']).toMatchObject({ holderIdentity: 'test-partly-1', leaseDurationSeconds: 5 })
  })
})
