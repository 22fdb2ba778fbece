// tarsstat on real sockets and a real store, reported to by our own client and by @tars/monitor, asked through tarsquerystat.
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { connect } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { pods } from '#kube/resources.ts'
import { MonitorOp } from '#tars/protocol/MonitorQuery.ts'
import { createStatMicMsgBody, createStatMicMsgHead, readStatMicMsgHead, StatF, type StatFProxy, type StatMicMsgBody, type StatMicMsgHead } from '#tars/protocol/StatF.ts'
import { Reader } from '#tars/codec/reader.ts'
import { Writer } from '#tars/codec/writer.ts'
import type { FunctionCodec } from '#tars/idl/interface.ts'
import type { Span } from '#store/columns.ts'
import { unread } from '#tars/server/unread.ts'
import { CallCounters } from '../../framework/stat/model/call-counters.ts'
import { readLines, variants } from '../../framework/stat/stat-lines.ts'
import { createPod, namespace, until } from '../registry/cluster.ts'
import { startPromLint } from '../rig/promlint.ts'
import { onFold } from './on-fold.ts'
import { eq, like, startMonitored, type Monitored } from './rig.ts'

let one: Monitored
let day = 5

beforeAll(async () => {
  one = await startMonitored('stat', { bounds: { perReporter: 50, inAll: 200 } })
})
afterAll(() => one?.stop())
// A day of its own for each test, so that none sees another's rows.
beforeEach(() => {
  day++
  one.clock.set(2026, 1, day, 10, 0, 30)
})

const date = (more = 0): string => `202601${String(day + more).padStart(2, '0')}`
const proxy = () => one.communicator.proxy<StatFProxy>(StatF, `tars.tarsstat.StatObj@tcp -h ${one.address} -p ${one.gatherer.port}`)
const line = (head: Partial<StatMicMsgHead>, body: Partial<StatMicMsgBody> = { count: 1 }): [StatMicMsgHead, StatMicMsgBody] => [createStatMicMsgHead({ masterName: 'Shop.Web', slaveName: 'Shop.Cart.CartObj', interfaceName: 'add', ...head }), createStatMicMsgBody(body)]
const report = (lines: readonly [StatMicMsgHead, StatMicMsgBody][], fromClient = true, options = {}) => proxy().reportMicMsg(new Map(lines), fromClient, options)
const result = (question: Parameters<Monitored['result']>[0]) => one.result({ date: date(), ...question })
const all = ['succ_count', 'timeout_count', 'exce_count', 'total_time']

describe('windows', () => {
  test('add up in their minute, and each minute is told apart', async () => {
    const body = { count: 2, timeoutCount: 1, execCount: 3, totalRspTime: 50n, maxRspTime: 30, minRspTime: 20, intervalCount: new Map([[10, 1], [50, 1]]) }
    expect(await report([line({}, body)])).toBe(0)
    await report([line({}, { ...body, maxRspTime: 90, minRspTime: 5 })])
    one.clock.set(2026, 1, day, 10, 1)
    await report([line({}, body)])
    one.clock.set(2026, 1, day, 10, 2)
    await one.gatherer.flush()
    expect(await result({ indexs: [...all, 'maxrsp_time', 'minrsp_time', 'ave_time', 'total_count'], groupby: ['f_tflag'] })).toEqual({ 1001: [4, 2, 6, 100, 90, 5, 25, 12], 1002: [2, 1, 3, 50, 30, 20, 25, 6] })
    expect(await result({ indexs: ['succ_count', 'maxrsp_time', 'minrsp_time', 'ave_time'], groupby: ['f_date', 'slave_name'] })).toEqual({ [`${date()},Shop.Cart.CartObj`]: [6, 90, 5, 25] })
    const { fields } = (await storedRows())[0] ?? {}
    expect(fields).toMatchObject({ f_date: date(), f_tflag: '1002', source_id: 'tars-tarsstat-0', interv_count: '10|1,50|1', ave_time: 25, f_timestamp: new Date(2026, 0, day, 10, 2).getTime() / 1000 })
  })

  test('end on the hour as minute 60 of the one before, and at midnight in the day before', async () => {
    for (const [hours, minutes] of [[8, 59], [22, 59], [23, 58], [23, 59]] as const) {
      one.clock.set(2026, 1, day, hours, minutes, 59)
      await report([line({})])
    }
    one.clock.set(2026, 1, day + 1, 0, 0)
    await report([line({})])
    one.clock.set(2026, 1, day + 1, 0, 1)
    await one.gatherer.flush()
    expect(await result({ groupby: ['f_date', 'f_tflag'] })).toEqual({ [`${date()},0860`]: [1], [`${date()},2260`]: [1], [`${date()},2359`]: [1], [`${date()},2360`]: [1] })
    expect(await result({ date: date(1), groupby: ['f_tflag'] })).toEqual({ '0001': [1] })
    const bothDays = [{ field: 'f_date', op: MonitorOp.GTE, val: date() }, { field: 'f_date', op: MonitorOp.LTE, val: date(1) }]
    expect(await result({ date: '', conditions: bothDays, groupby: ['f_date'] })).toEqual({ [date()]: [4], [date(1)]: [1] })
    day++
  })

  test('a clock that is set back an hour loses nothing and holds nothing up', async () => {
    await report([line({})])
    one.clock.set(2026, 1, day, 9, 0)
    await report([line({})])
    one.clock.set(2026, 1, day, 9, 5)
    await report([line({})])
    await one.gatherer.flush()
    expect(Object.values(await result({ groupby: ['f_tflag'] })).flat().reduce((sum, count) => sum + count, 0)).toBe(3)
  })

  test('what is open when it stops is kept, and counts once with what comes after in the same minute', async () => {
    await report([line({}, { count: 3 })])
    await one.restart()
    await report([line({}, { count: 4 })])
    await one.restart()
    expect(await result({ groupby: ['f_tflag', 'interface_name'] })).toEqual({ '1001,add': [7] })
  })
})

async function storedRows(): Promise<readonly { readonly fields: Record<string, unknown> }[]> {
  const response = await fetch(`http://${one.address}:${one.gatherer.httpPort}/store/find`, { method: 'POST', body: JSON.stringify({ from: date(), to: date() }) })
  return (await response.json()) as { fields: Record<string, unknown> }[]
}

describe('who calls whom (6.2)', () => {
  const rowsAfter = async (send: () => Promise<unknown>) => {
    await send()
    await one.gatherer.flush()
    return (await storedRows()).map(({ fields }) => fields)
  }

  test('the version comes after the @; a client is where it speaks from, a server too', async () => {
    const named = { context: { node_name: 'shop-web-1.shop-web' } }
    const [fromClient] = await rowsAfter(() => report([line({ masterName: 'Shop.Web@1.4.0', masterIp: '9.9.9.9', slaveIp: '10.0.0.2' })], true, named))
    expect(fromClient).toMatchObject({ master_name: 'Shop.Web', tars_version: '1.4.0', master_ip: 'shop-web-1.shop-web', slave_ip: '10.0.0.2' })
    day++
    one.clock.set(2026, 1, day, 10, 0)
    const [fromServer] = await rowsAfter(() => report([line({ masterIp: '10.0.0.3', slaveIp: '9.9.9.9' })], false))
    expect(fromServer).toMatchObject({ master_ip: '10.0.0.3', slave_ip: '127.0.0.1' })
  })

  test('an address and a DNS name of a pod are that pod, from when it is there', async () => {
    const [before] = await rowsAfter(() => report([line({ interfaceName: 'a', slaveIp: '10.0.0.2' })]))
    expect(before).toMatchObject({ slave_ip: '10.0.0.2' })
    await createPod(one.cluster.client, { app: 'Shop', server: 'Cart', name: 'shop-cart-0', ip: '10.0.0.2' })
    const rows = await until(async () => {
      day++
      one.clock.set(2026, 1, day, 10, 0, 30)
      const found = await rowsAfter(() => report([line({ interfaceName: 'a', slaveIp: '10.0.0.2' }), line({ interfaceName: 'b', slaveIp: 'shop-cart-0.shop-cart' }), line({ interfaceName: 'c', slaveIp: 'elsewhere.example' })]))
      return found.some(({ slave_ip: ip }) => ip === 'shop-cart-0') ? found : undefined
    })
    const hosts = new Map(rows.map(({ interface_name: name, slave_ip: ip }) => [name, ip]))
    expect(hosts).toEqual(new Map([['a', 'shop-cart-0'], ['b', 'shop-cart-0'], ['c', 'elsewhere.example']]))
  })

  test("pods in their host's own network are told apart by their servers, as far as there is one of each", async () => {
    const ip = '10.0.7.1'
    for (const [server, name] of [['Pay', 'shop-pay-0'], ['Log', 'shop-log-0'], ['Log', 'shop-log-1']] as const) await createPod(one.cluster.client, { app: 'Shop', server, name, ip, hostNetwork: true })
    const rows = await until(async () => {
      day++
      one.clock.set(2026, 1, day, 10, 0, 30)
      const found = await rowsAfter(() => report(['Shop.Pay', 'Shop.Pay.mallsz1', 'Shop.Log', 'Shop.Other'].map((slaveName) => line({ slaveName, slaveIp: ip }))))
      return found.some(({ slave_ip: host }) => host === 'shop-pay-0') ? found : undefined
    })
    expect(new Map(rows.map(({ slave_name: name, slave_ip: host }) => [name, host]))).toEqual(new Map([['Shop.Pay', 'shop-pay-0'], ['Shop.Pay.mallsz1', 'shop-pay-0'], ['Shop.Log', ip], ['Shop.Other', ip]]))
    // SDKs that do not say who they are go by the address that they call from.
    await createPod(one.cluster.client, { app: 'Shop', server: 'Java', name: 'shop-java-0', ip: '127.0.0.1', hostNetwork: true })
    const own = await until(async () => {
      day++
      one.clock.set(2026, 1, day, 10, 0, 30)
      const [found] = await rowsAfter(() => report([line({ slaveName: 'Shop.Java', slaveIp: '' })], false))
      return found?.['slave_ip'] === '127.0.0.1' ? undefined : found
    })
    expect(own).toMatchObject({ slave_ip: 'shop-java-0' })
    await one.cluster.client.delete(pods, { namespace, name: 'shop-java-0' })
  })

  test('what nobody asks about, and what is none, is not kept; the rest of the report is', async () => {
    const lines = ['tars.tarsnode', 'tars.tarsproperty', 'tars.tarsstat', 'tars.tarsnotify'].map((slaveName) => line({ slaveName }))
    const rows = await rowsAfter(() => report([...lines, line({ masterName: 'tars.tarsnode@1' }), line({ masterName: 'elk@1' }), line({}, {}), line({}, { count: -5 }), line({}, { count: 1, totalRspTime: -1n }), line({ interfaceName: 'kept' })]))
    expect(rows.map(({ interface_name: name }) => name)).toEqual(['kept'])
    expect(await one.page('/metrics')).toMatch(/tarsstat_refused_lines_total\{reason="internal"\} 6\n[^]*\{reason="invalid"\} 2\n/)
  })

  test('samples of call trees are taken, and none is kept', async () => {
    expect(await proxy().reportSampleMsg([{ unid: 'u', masterName: 'm', slaveName: 's', interfaceName: 'i', masterIp: '', slaveIp: '', depth: 1, width: 1, parentWidth: 1 }])).toBe(0)
    expect(await one.metric('tarsstat_sample_lines_total')).toBe(1)
  })
})

const numbersOf = ({ column, from, to }: Readonly<Span>): number[] => [...column.subarray(from, to)]

test('a report is the same in each protocol version, and what cannot be read is refused with its report', async () => {
  const lines = [line({ interfaceName: 'é', slavePort: 7, returnValue: -1 }), line({ interfaceName: 'b' }, { count: 2, execCount: 1, timeoutCount: 3, intervalCount: new Map([[100, 1], [10, 2], [5, 0], [-1, 4]]), totalRspTime: 2n ** 62n, maxRspTime: 9, minRspTime: 2 })]
  const values = [[1, 0, 0, 0, 0, 0], [2, 3, 1, Number.MAX_SAFE_INTEGER, 9, 2, 10, 2, 100, 1]]
  const { functions } = unread(StatF, 'reportMicMsg')
  const [ours, theirs] = [functions['reportMicMsg'], StatF.functions['reportMicMsg']] as [FunctionCodec, FunctionCodec]
  const args = [new Map(lines), true]
  const body = new Writer()
  theirs.writeArgs(body, args)
  for (const read of [ours.readArgs(new Reader(body.bytes())), ours.readArgsTup(theirs.writeArgsTup(args)), ours.argsFromJson(theirs.argsToJson(args))]) {
    const known = onFold('stat', { perReporter: 10, inAll: 10 })
    readLines(read[0] as Reader, 1, known.intake, known.intake.begin(1, 'x'))
    expect((read[0] as Reader).readBool(2)).toBe(true)
    const found = Array.from({ length: known.intake.lines.count }, (_, index) => [readStatMicMsgHead(new Reader(known.intake.known.bytesOf(known.intake.lines.sense(index) / variants)), 0), numbersOf(known.intake.lines.value(index))])
    expect(found).toEqual(lines.map(([head], index) => [head, values[index]]))
  }
  // A head with nothing in it, which is no sound one: all of its report is refused, and the next is taken.
  const torn = Buffer.concat([Buffer.from(body.bytes().subarray(0, 3)), Buffer.from('0a0b1a00011c2c380c4c5c6c0b', 'hex'), Buffer.from(body.bytes().subarray(3))])
  const refusing = onFold('stat', { perReporter: 10, inAll: 10 })
  await expect(refusing.report(torn)).rejects.toMatchObject({ ret: -1 })
  expect(refusing.fold.size).toBe(0)
  await refusing.report(Buffer.from(body.bytes()))
  expect(refusing.fold.size).toBe(2)
})

test('each report is read for itself, and what is counted is not that of the next one', async () => {
  const one = onFold('stat', { perReporter: 10, inAll: 10 })
  const bodies = [[[5, 3], [10, 2], [20, 1]], [[10, 7]], [[20, 4], [5, 1]], []]
  for (const [index, intervals] of bodies.entries()) await one.calls('x', [line({ interfaceName: `f${index}` }, { count: index + 1, intervalCount: new Map(intervals as [number, number][]) })], true)
  expect(one.sums().map(({ value: [count, ...more] }) => [count, more.slice(5)])).toEqual([[1, [5, 3, 10, 2, 20, 1]], [2, [10, 7]], [3, [5, 1, 20, 4]], [4, []]])
})

describe('bad input', () => {
  test('a pod that speaks as another server is not believed; its own lines are', async () => {
    await createPod(one.cluster.client, { app: 'Evil', server: 'Pod', name: 'evil-pod-0', ip: '127.0.0.1' })
    await createPod(one.cluster.client, { app: 'Bank', server: 'Vault', name: 'bank-vault-0', ip: '10.0.0.9' })
    try {
      await until(async () => {
        await report([line({ masterName: 'Bank.Vault', interfaceName: 'probe' })])
        return (await one.page('/metrics')).includes('{reason="foreign"} 1\n')
      })
      day++
      one.clock.set(2026, 1, day, 10, 0, 30)
      // As a caller, as a callee, with a version and with a set.
      await report([line({ masterName: 'Bank.Vault', slaveName: 'x' }), line({ masterName: 'Bank.Vault@2', slaveName: 'x' }), line({ masterName: 'Bank.Vault.setAB1', slaveName: 'x' }), line({ masterName: 'Evil.Pod', slaveName: 'Bank.Vault' }), line({ masterName: 'tool', slaveName: 'Bank.Vault' })])
      await report([line({ masterName: 'Evil.Pod', slaveName: 'Bank.Vault.VaultObj' }), line({ masterName: 'Bank.Vault', slaveName: 'Evil.Pod.Obj' })], false)
      await one.gatherer.flush()
      expect(await result({ groupby: ['master_name', 'slave_name'] })).toEqual({ 'Evil.Pod,Bank.Vault': [1], 'tool,Bank.Vault': [1], 'Bank.Vault,Evil.Pod.Obj': [1] })
    } finally {
      await one.cluster.client.delete({ group: '', version: 'v1', plural: 'pods', kind: 'Pod', namespaced: true }, { namespace: 'tars', name: 'evil-pod-0' })
    }
  })

  test("one server's many names take no room from others, no call is lost, and it shows", async () => {
    const before = (await one.metric('tarsstat_overflow_total')) ?? 0
    for (let part = 0; part < 10; part++) await report(Array.from({ length: 100 }, (_, index) => line({ masterName: 'Loud.Server', interfaceName: `f${part * 100 + index}` })))
    await report([line({ masterName: 'Quiet.Server', interfaceName: 'only' })])
    await one.gatherer.flush()
    expect(await result({ groupby: ['master_name'] })).toEqual({ 'Loud.Server': [1000], 'Quiet.Server': [1] })
    expect(await result({ groupby: ['master_name', 'interface_name'], conditions: [eq('interface_name', '__other__')] })).toEqual({ 'Loud.Server,__other__': [950] })
    expect(await result({ conditions: [eq('interface_name', 'only')], groupby: ['slave_name'] })).toEqual({ 'Shop.Cart.CartObj': [1] })
    expect(await one.metric('tarsstat_overflow_total')).toBe(before + 950)
  })

  test('odd names stay names', async () => {
    const names = ['{"x":1}\n', '\u0000\u0001', "'; DROP TABLE rows; --", '\\', '__proto__', 'é\u{1F600}', 'x'.repeat(5000), ',,', '']
    await report(names.map((interfaceName) => line({ interfaceName })))
    await one.gatherer.flush()
    const kept = Object.keys(await result({ groupby: ['interface_name'] }))
    expect(kept.toSorted()).toEqual(['{"x":1}?', '??', "'; DROP TABLE rows; --", '\\', '__proto__', 'é\u{1F600}', 'x'.repeat(128), ',,', ''].toSorted())
  })

  test('bytes that are no report are refused, and the next report is taken', async () => {
    for (const bytes of [Buffer.from('ffffffff', 'hex'), Buffer.alloc(64, 0x18), Buffer.from('GET / HTTP/1.1\r\n\r\n')]) {
      const socket = connect(one.gatherer.port, one.address).on('error', () => {}).resume()
      socket.write(bytes)
      await once(socket, 'close')
    }
    expect(await report([line({})])).toBe(0)
  })
})

test('counters for Prometheus are of minutes that are over', async () => {
  await report([line({ masterName: 'Prom.Client', returnValue: -3, interfaceName: 'q"\\' }, { count: 2, timeoutCount: 1, execCount: 1, totalRspTime: 7n })])
  expect(await one.page('/calls')).not.toContain('Prom.Client')
  await one.gatherer.flush()
  // A new one is 0 for a minute, so that its first calls are seen as growth.
  const series = String.raw`tars_calls_total{master="Prom.Client",slave="Shop.Cart.CartObj",interface="q\"\\",return="-3"}`
  await until(async () => (await one.page('/calls')).includes(`${series} 0\n`))
  one.clock.set(2026, 1, day, 10, 2)
  expect(await one.page('/calls')).toContain(`${series} 4\n`)
  // A clock that is set back takes none back.
  one.clock.set(2026, 1, day, 9, 0)
  expect(await one.page('/calls')).toContain(`${series} 4\n`)
  expect(await one.page('/calls')).toMatch(/# TYPE tars_call_seconds_total counter\n/)
  expect(await one.page('/healthz')).toBe('ok\n')
  const lint = await startPromLint()
  const { problems, families } = await lint.read(await one.page('/calls'))
  await lint.stop()
  expect([problems, Object.keys(families)]).toEqual([[], ['tars_call_failures_total', 'tars_call_seconds_total', 'tars_call_timeouts_total', 'tars_calls_total']])
  expect(families['tars_calls_total']?.labels?.['interface']).toContain('q"\\')
})

test('there are at most 20,000 kinds of calls for Prometheus, and no call is lost', async () => {
  const counters = new CallCounters()
  for (let index = 0; index < 25_000; index++) counters.add({ names: { master_name: 'A.B', slave_name: 'C.D', interface_name: `f${index}`, return_value: 0 }, value: Float64Array.of(1, 0, 0, 1000, 1, 1) }, 0)
  const values = (text: string) => text.split('\n').filter((one) => one.startsWith('tars_calls_total{')).map((one) => Number(one.split(' ').at(-1)))
  expect(values(counters.text(59_999))).toEqual(Array.from({ length: 20_001 }, () => 0))
  const told = values(counters.text(60_000))
  expect([told.length, told.reduce((sum, value) => sum + value, 0), told.at(-1)]).toEqual([20_001, 25_000, 5000])
})

test('@tars/monitor is understood, both ways', async () => {
  const require = createRequire(import.meta.url)
  const { stat } = require('@tars/monitor') as { stat: { StatObj: string; reportInterval: number; TYPE: Record<string, string>; report(headers: object, type: string | undefined, ms?: number): void } }
  stat.StatObj = `tars.tarsstat.StatObj@tcp -h ${one.address} -p ${one.gatherer.port} -t 60000`
  stat.reportInterval = 20
  const headers = { masterName: 'Foreign.Client', slaveName: 'Foreign.Server.Obj', interfaceName: 'hello', masterIp: '1.1.1.1', slaveIp: '2.2.2.2', slavePort: 99, bFromClient: true, returnValue: 0 }
  stat.report(headers, stat.TYPE['SUCCESS'], 7)
  stat.report(headers, stat.TYPE['SUCCESS'], 4000)
  stat.report(headers, stat.TYPE['TIMEOUT'])
  stat.report({ ...headers, masterName: 'Foreign.Caller', bFromClient: false, returnValue: 5 }, stat.TYPE['ERROR'])
  await until(async () => {
    await one.gatherer.flush()
    return Object.keys(await result({ groupby: ['master_name'], conditions: [like('master_name', 'foreign.%')] })).length === 2
  })
  expect(await result({ groupby: ['master_name', 'return_value'], indexs: [...all, 'maxrsp_time'], conditions: [like('master_name', 'foreign.%')] })).toEqual({ 'Foreign.Client,0': [2, 1, 0, 4007, 4000], 'Foreign.Caller,5': [0, 0, 1, 0, 0] })
  expect((await storedRows()).find(({ fields }) => fields['master_name'] === 'Foreign.Client')?.fields).toMatchObject({ interv_count: '10|1,3000|1', slave_port: 99 })
})
