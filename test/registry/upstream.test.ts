// Objects of another cluster: its registry is asked, and what it said last outlives it (framework-services 1.6).
import { afterAll, beforeAll, expect, test } from 'vitest'
import { resources } from '#api/resources.ts'
import type { TFrameworkConfig } from '#api/types.ts'
import { silentLogger } from '#base/log.ts'
import { Communicator } from '#tars/client.ts'
import { createEndpointF, QueryF, type QueryFProxy, type QueryFServant } from '#tars/protocol/QueryF.ts'
import { createServer, type TarsServer } from '#tars/server.ts'
import { startRegistry, type RunningRegistry } from '../../framework/registry/registry.ts'
import { Upstream } from '../../framework/registry/upstream.ts'
import { createEndpoint, namespace, startCluster, type TestCluster } from './cluster.ts'

let cluster: TestCluster
let other: TarsServer
let registry: RunningRegistry
let query: QueryFProxy
const communicator = new Communicator({ timeoutMs: 60_000 })
let nowMs = 0
const asked: string[] = []

/** The registry of another cluster, which says in its answer how it was asked. */
function otherServant(): QueryFServant {
  const told = (...parts: string[]) => [createEndpointF({ host: parts.join('/'), port: asked.push(parts.join('/')) })]
  const lists = (...parts: string[]) => ({ return: 0, activeEp: told(...parts), inactiveEp: [createEndpointF({ host: 'asleep' })] })
  return {
    findObjectById: (id) => told('byId', id),
    findObjectById4Any: (id) => lists('any', id), findObjectById4All: (id) => lists('all', id), findObjectByIdInSameGroup: (id) => lists('group', id),
    findObjectByIdInSameStation: (id, station) => lists('station', id, station), findObjectByIdInSameSet: (id, set) => (set === 'a.b.none' ? { return: -1, activeEp: [], inactiveEp: [] } : lists('set', id, set)),
    findObjectNodeName: (id) => ({ return: 0, nodeNames: [id] }), registerChange: () => -1, registerQuery: () => -1, getLocker: () => -1,
  }
}

beforeAll(async () => {
  cluster = await startCluster()
  other = createServer({ adapters: [{ endpoint: 'tcp -h 127.0.0.1 -p 0 -t 60000', servants: { 'tars.tarsregistry.QueryObj': { interface: QueryF, servant: otherServant() } } }] })
  await other.start()
  await createEndpoint(cluster.client, 'Here', 'Known', [{ name: 'Obj', port: 5 }])
  await cluster.client.create(resources.tframeworkconfigs, {
    apiVersion: 'k8s.tars.io/v1beta3', kind: 'TFrameworkConfig', metadata: { name: 'tars-framework', namespace }, imageBuild: {}, imageUpload: { registry: 'r' },
    upstream: { default: `tars.tarsregistry.QueryObj@tcp -h 127.0.0.1 -p ${other.endpoints[0]?.port ?? 0}` },
  } as unknown as TFrameworkConfig)
  registry = await startRegistry({ client: cluster.client, namespace, address: '127.0.0.1', ports: { query: 0, registry: 0 }, clock: { now: () => Date.now(), monotonic: () => nowMs }, log: silentLogger, signal: new AbortController().signal })
  query = communicator.proxy<QueryFProxy>(QueryF, `tars.tarsregistry.QueryObj@tcp -h 127.0.0.1 -p ${registry.ports.query}`)
})

afterAll(async () => {
  await communicator.close()
  await registry?.stop()
  await other?.stop()
  await cluster?.stop()
})

test('every question is passed on as it was asked', async () => {
  expect((await query.findObjectById('Far.Away.Obj')).map(({ host }) => host)).toEqual(['byId/Far.Away.Obj'])
  for (const [answer, host] of [
    [await query.findObjectById4Any('Far.Away.Obj'), 'any/Far.Away.Obj'],
    [await query.findObjectById4All('Far.Away.Obj'), 'all/Far.Away.Obj'],
    [await query.findObjectByIdInSameGroup('Far.Away.Obj'), 'group/Far.Away.Obj'],
    [await query.findObjectByIdInSameStation('Far.Away.Obj', 'sz'), 'station/Far.Away.Obj/sz'],
    [await query.findObjectByIdInSameSet('Far.Away.Obj', 'a.b.c'), 'set/Far.Away.Obj/a.b.c'],
  ] as const) {
    expect([answer.return, answer.activeEp.map((one) => one.host), answer.inactiveEp.map((one) => one.host)]).toEqual([0, [host], ['asleep']])
  }
  expect(await query.findObjectNodeName('Far.Away.Obj')).toEqual({ return: 0, nodeNames: ['Far.Away.Obj'] })
  expect((await query.findObjectByIdInSameSet('Far.Away.Obj', 'a.b.none')).return).toBe(-1)
})

test('a set that is none, a server of this cluster, and what is longer than any name, are not asked about elsewhere', async () => {
  const before = asked.length
  expect((await query.findObjectByIdInSameSet('Far.Away.Obj', 'a.b')).return).toBe(-1)
  expect((await query.findObjectById4Any('Here.Known.Nothing')).activeEp).toEqual([])
  await expect(query.findObjectById4Any(`Far.Away.${'x'.repeat(1024)}`)).rejects.toThrow('no object has so long a name')
  expect(asked.length).toBe(before)
})

test('so many questions wait for a registry that is silent; what it said before is said meanwhile', async () => {
  const gate = Promise.withResolvers<void>()
  const silent = createServer({ adapters: [{ endpoint: 'tcp -h 127.0.0.1 -p 0', servants: { 'tars.tarsregistry.QueryObj': { interface: QueryF, servant: { ...otherServant(), findObjectById: (id: string) => (id === 'Far.Known' ? [] : gate.promise.then(() => [])) } } } }] })
  await silent.start()
  const upstream = new Upstream({ clock: { now: () => 0, monotonic: () => nowMs }, log: silentLogger, timeoutMs: 60_000 })
  const ask = (id: string) => upstream.ask(`tars.tarsregistry.QueryObj@tcp -h 127.0.0.1 -p ${silent.endpoints[0]?.port ?? 0}`, 'findObjectById', [id])
  await ask('Far.Known')
  nowMs += 60_000
  const waiting = Array.from({ length: 1000 }, (_, index) => ask(`Far.Made${index}`))
  await expect(ask('Far.More')).rejects.toThrow('as many questions wait')
  expect(await ask('Far.Known')).toEqual([])
  gate.resolve()
  await Promise.all(waiting)
  expect(await ask('Far.More')).toEqual([])
  await upstream.close()
  await silent.stop()
})

test('an answer holds for a moment, and longer than its registry', async () => {
  const port = async () => (await query.findObjectById4Any('Far.Cached.Obj')).activeEp[0]?.port
  const first = await port()
  nowMs += 4999
  expect(await port()).toBe(first)
  nowMs += 1
  const second = await port()
  expect(second).toBeGreaterThan(first ?? 0)
  await other.stop()
  nowMs += 60_000
  expect(await port()).toBe(second)
  // What it never said cannot be known, and is not said to be nothing (11.1).
  await expect(query.findObjectById4Any('Far.New.Obj')).rejects.toThrow(/Far\.New\.Obj/)
})
