// Weights by load (framework-services 1.5): the sums, and where the figures come from.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { resources } from '#api/resources.ts'
import type { TEndpoint } from '#api/types.ts'
import { silentLogger } from '#base/log.ts'
import { Communicator } from '#tars/client.ts'
import { createMonitorQueryRsp, MonitorQuery, type MonitorQueryReq, type MonitorQueryServant } from '#tars/protocol/MonitorQuery.ts'
import { QueryF, type QueryFProxy } from '#tars/protocol/QueryF.ts'
import { createServer, type TarsServer } from '#tars/server.ts'
import { weightsByLoad, type Figures } from '../../framework/registry/model/load.ts'
import { startRegistry, type RunningRegistry } from '../../framework/registry/registry.ts'
import { createPod, namespace, startCluster, tendpoint, until, type TestCluster } from './cluster.ts'

const figures = (answered: number, timedOut: number, totalMs: number): Figures => ({ answered, timedOut, totalMs })

describe('a weight', () => {
  test.each<[what: string, given: Record<string, Figures>, time: number, weights: Record<string, number>]>([
    ['of two that are as quick', { a: figures(10, 0, 100), b: figures(10, 0, 100) }, 100, { a: 100, b: 100 }],
    ['of two, one three times as slow', { a: figures(10, 0, 100), b: figures(10, 0, 300) }, 100, { a: 150, b: 50 }],
    ['of three, two as quick and one twice as slow', { a: figures(10, 0, 100), b: figures(10, 0, 100), c: figures(10, 0, 200) }, 100, { a: 225, b: 225, c: 150 }],
    ['of one that is all the time there is', { a: figures(10, 0, 100) }, 100, { a: 10 }],
    ['is at least 10', { a: figures(1, 0, 1), b: figures(1, 0, 100_000) }, 100, { a: 200, b: 10 }],
    ['of answers that took no time', { a: figures(5, 0, 0), b: figures(5, 0, 0) }, 100, { a: 100, b: 100 }],
    ['by timeouts alone', { a: figures(90, 10, 1), b: figures(0, 5, 0), c: figures(0, 0, 0) }, 0, { a: 91, b: 10, c: 100 }],
    ['of both parts', { a: figures(10, 0, 100), b: figures(10, 10, 300) }, 80, { a: 140, b: 51 }],
    ['of nothing', {}, 80, {}],
  ])('%s', (_what, given, time, weights) => {
    expect(Object.fromEntries(weightsByLoad(new Map(Object.entries(given)), { time }))).toEqual(weights)
  })
})

describe('tarsquerystat is asked', () => {
  let cluster: TestCluster
  let stat: TarsServer
  let registry: RunningRegistry
  const communicator = new Communicator({ timeoutMs: 60_000 })
  const asked: MonitorQueryReq[] = []
  let result = new Map<string, number[]>()
  let code = 0
  const servant: MonitorQueryServant = { query: (req) => (asked.push(req), { return: 0, rsp: createMonitorQueryRsp({ ret: code, msg: 'no', result }) }) }
  // A minute and a half after midnight, so that the minutes before it are of two days.
  const clock = { now: () => new Date(2026, 2, 5, 0, 1, 30).getTime(), monotonic: () => performance.now() }
  const weights = async () => (await communicator.proxy<QueryFProxy>(QueryF, `tars.tarsregistry.QueryObj@tcp -h 127.0.0.1 -p ${registry.ports.query}`).findObjectById('Test.Bal.Obj')).map(({ weight, weightType }) => `${weight}/${weightType}`)

  beforeAll(async () => {
    cluster = await startCluster()
    const { client } = cluster
    stat = createServer({ adapters: [{ endpoint: 'tcp -h 127.0.0.1 -p 0 -t 60000', servants: { 'tars.tarsquerystat.QueryObj': { interface: MonitorQuery, servant } } }] })
    await stat.start()
    const create = (endpoint: unknown) => client.create(resources.tendpoints, endpoint as TEndpoint)
    await create(tendpoint('tars', 'tarsquerystat', [{ name: 'QueryObj', port: stat.endpoints[0]?.port ?? 0 }], { endpointHost: 'ip' } as never))
    await createPod(client, { app: 'tars', server: 'tarsquerystat', name: 'tars-tarsquerystat-0', ip: '127.0.0.1', state: 'Active/Active/7' })
    await create(tendpoint('Test', 'Bal', [{ name: 'Obj', port: 5, weightType: 'dynamic' } as never]))
    for (const index of [0, 1, 2]) await createPod(client, { app: 'Test', server: 'Bal', name: `test-bal-${index}`, ip: `127.84.0.${index + 1}`, state: 'Active/Active/7' })
    registry = await startRegistry({ client, namespace, address: '127.0.0.1', ports: { query: 0, registry: 0 }, loads: { everyMs: 20, timePercent: 100 }, clock, log: silentLogger, signal: new AbortController().signal })
  })
  afterAll(async () => {
    await communicator.close()
    await registry?.stop()
    await stat?.stop()
    await cluster?.stop()
  })

  test('for the last five minutes, and what it says becomes static weights', async () => {
    result = new Map([
      ['Test.Bal,test-bal-0.test-bal', [5, 0, 50]], ['Test.Bal.setxy1,127.84.0.2', [5, 0, 150]], ['Test.Balance,test-bal-2', [5, 0, 1]], ['Test.Bal,elsewhere', [5, 0, 1]],
    ])
    await until(async () => String(await weights()) === '150/1,50/1,-1/0')
    expect(asked.slice(0, 2).map(({ date, tflag1, tflag2 }) => `${date} ${tflag1} ${tflag2}`)).toEqual(['20260304 2356 2360', '20260305 0000 0001'])
    expect(asked[0]).toMatchObject({ dataid: 'tars_stat', conditions: [{ field: 'slave_name', val: 'Test.Bal%' }], indexs: ['succ_count', 'timeout_count', 'total_time'] })
  })

  test('and when it does not, pods are called in turn', async () => {
    code = -1
    await until(async () => String(await weights()) === '-1/0,-1/0,-1/0')
  })
})
