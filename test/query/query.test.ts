// tarsquerystat: MonitorQuery and the text protocol, on what tarsstat keeps.
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { silentLogger } from '#base/log.ts'
import { pods } from '#kube/resources.ts'
import { statDataset } from '#store/datasets.ts'
import { serveStore } from '#store/serve.ts'
import { openSqliteStore } from '#store/sqlite/store.ts'
import { MonitorOp, type MonitorQueryReq } from '#tars/protocol/MonitorQuery.ts'
import { createStatMicMsgBody, createStatMicMsgHead, StatF, type StatFProxy } from '#tars/protocol/StatF.ts'
import { createPod, until } from '../registry/cluster.ts'
import { ownAddress } from '../rig/own-address.ts'
import { like, startMonitored, type Monitored } from '../stat/rig.ts'

const oddName = String.raw`It's a "\_,b`

let one: Monitored
beforeAll(async () => {
  one = await startMonitored('stat')
  const proxy = one.communicator.proxy<StatFProxy>(StatF, `tars.tarsstat.StatObj@tcp -h ${one.address} -p ${one.gatherer.port}`)
  const calls: readonly [day: number, hour: number, slave: string, count: number][] = [[3, 9, oddName, 32], [5, 8, 'Shop.Cart', 1], [5, 9, 'Shop.Cart', 2], [5, 9, 'Shop.Pay', 4], [6, 9, 'Shop.Cart', 8], [8, 9, 'Shop.Cart', 16]]
  for (const [day, hour, slaveName, count] of calls) {
    one.clock.set(2026, 1, day, hour, 30)
    await proxy.reportMicMsg(new Map([[createStatMicMsgHead({ masterName: 'Shop.Web', slaveName, interfaceName: 'f' }), createStatMicMsgBody({ count, timeoutCount: 1, totalRspTime: BigInt(count * 10), maxRspTime: count, minRspTime: count })]]), true)
  }
  await one.gatherer.flush()
})
afterAll(() => one?.stop())

describe('MonitorQuery', () => {
  test('minutes from tflag1 to tflag2, both included', async () => {
    const by = (tflag1: string, tflag2: string) => one.result({ tflag1, tflag2, groupby: ['slave_name'] })
    expect(await by('0831', '0930')).toEqual({ 'Shop.Cart': [1] })
    expect(await by('0832', '0931')).toEqual({ 'Shop.Cart': [2], 'Shop.Pay': [4] })
    expect(await by('0000', '2360')).toEqual({ 'Shop.Cart': [3], 'Shop.Pay': [4] })
  })

  test('what the web asks: f_date with a name, patterns, and several indexs', async () => {
    const answer = await one.ask({ indexs: ['succ_count', 'timeout_count', 'exce_count', 'total_time'], groupby: ['f_date', 'slave_name'], conditions: [like('master_name', '%Web'), like('slave_name', 'shop.%'), like('interface_name', '%')] })
    expect(answer).toEqual({ ret: 0, msg: '', lastTime: '20260108 0931', activeDb: 1, totalDb: 1, retThreads: [0], result: new Map([['20260105,Shop.Cart', [3, 2, 0, 30]], ['20260105,Shop.Pay', [4, 1, 0, 40]]]) })
  })

  test('several days by conditions on f_date; days without anything are no error', async () => {
    const between = (from: string, to: string): Partial<MonitorQueryReq> => ({ date: '', conditions: [{ field: 'f_date', op: MonitorOp.GTE, val: from }, { field: 'f_date', op: MonitorOp.LTE, val: to }] })
    expect(await one.result({ ...between('20260105', '20260108'), groupby: ['f_date'] })).toEqual({ 20260105: [7], 20260106: [8], 20260108: [16] })
    expect(await one.result({ ...between('20260105', '20260106'), groupby: [], indexs: ['succ_count', 'maxrsp_time', 'minrsp_time', 'ave_time'] })).toEqual({ '': [15, 8, 1, 10] })
    expect(await one.ask({ date: '20200101' })).toMatchObject({ ret: 0, result: new Map(), activeDb: 1 })
  })

  test('a pod that does not run is one that is not active; what the others know is an answer', async () => {
    await createPod(one.cluster.client, { app: 'tars', server: 'tarsstat', name: 'tars-tarsstat-1' })
    await until(async () => (await one.ask({})).totalDb === 2)
    expect(await one.ask({})).toMatchObject({ ret: 0, activeDb: 1, totalDb: 2, retThreads: [0], result: new Map([['', [7]]]) })
    await one.cluster.client.delete(pods, { namespace: 'tars', name: 'tars-tarsstat-1' })
    await until(async () => (await one.ask({})).totalDb === 1)
  })

  const bad: readonly [string, Partial<MonitorQueryReq>, RegExp][] = [
    ['a date that is none', { date: '2026-1-5' }, /"2026-1-5" is no day/],
    ['a minute that is none', { tflag1: '8' }, /tflag1 is "8"/],
    ['a field that is none', { groupby: ['1; drop table'] }, /no field "1; drop table"/],
    ['an index that is none', { indexs: ['sleep(10)'] }, /no field "sleep\(10\)"/],
    ['an index that is a name', { indexs: ['slave_name'] }, /no field "slave_name"/],
    ['no index', { indexs: [] }, /no index/],
    ['an operator that is none', { conditions: [{ field: 'slave_name', op: 9 as MonitorOp, val: 'x' }] }, /no operator 9/],
    ['no day at all', { date: '' }, /no day is asked for/],
    ['too much', { groupby: Array.from({ length: 9 }, () => 'f_tflag') }, /too long/],
  ]
  test.each(bad)('%s is ret -1 with what is wrong', async (_what, question, says) => {
    const { ret, msg, result } = await one.ask(question)
    expect({ ret, msg, size: result.size }).toEqual({ ret: -1, msg: expect.stringMatching(says) as string, size: 0 })
  })

  test('a store that is away is told, with what the others know', async () => {
    await createPod(one.cluster.client, { app: 'tars', server: 'tarsstat', name: 'tars-tarsstat-1', ip: '127.255.255.254' })
    const answer = await until(async () => {
      const asked = await one.ask({ groupby: ['slave_name'] })
      return asked.retThreads.length === 2 ? asked : undefined
    })
    expect(answer).toMatchObject({ ret: -1, activeDb: 1, totalDb: 2, retThreads: [0, -1], result: new Map([['Shop.Cart', [3]], ['Shop.Pay', [4]]]) })
    expect(answer.msg).toContain('127.255.255.254')
    expect(await askText('{"method":"timecheck"}')).toMatch(/^Ret:-1\n.*127\.255\.255\.254.*\nendline\n$/)
    await one.cluster.client.delete(pods, { namespace: 'tars', name: 'tars-tarsstat-1' })
    await until(async () => (await one.ask({})).totalDb === 1)
  })
})

/** Sends a text in pieces, and gives what comes until `endline`. */
async function askText(...pieces: readonly string[]): Promise<string> {
  const socket = connect(one.textPort, '127.0.0.1')
  let text = ''
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString()
    if (text.endsWith('endline\n')) socket.end()
  })
  for (const piece of pieces) await new Promise((resolve) => socket.write(piece, resolve))
  await once(socket, 'close')
  return text
}

describe('the text protocol (8.4)', () => {
  test('query: lines, and endline', async () => {
    const question = JSON.stringify({ method: 'query', dataid: 'tars_stat', filter: ['f_date=20260105', 'f_tflag>=0000', 'f_tflag<=2360', "slave_name like 'Shop.%'", 'istars=1'], groupby: ['slave_name', 'f_tflag'], indexs: ['succ_count', 'timeout_count'] })
    const expected = 'Ret:0\nlasttime:20260108 0931\nActiveDb:1\nTotalDb:1\nret:0|iDb:0\nlinecount:3\nShop.Cart,0831,1,1,\nShop.Cart,0931,2,1,\nShop.Pay,0931,4,1,\nendline\n'
    expect(await askText(question)).toBe(expected)
    expect(await askText(...question.match(/.{1,7}/gs) ?? [])).toBe(expected)
  })

  test('texts for lists, ranges of days, and succ_count when no index is named', async () => {
    expect(await askText('{"filter":["f_date>=20260105","f_date<=20260106"],"groupby":"f_date"}')).toContain('linecount:2\n20260105,7,\n20260106,8,\nendline\n')
    expect(await askText('{"filter":"f_date=20260105"}')).toContain('linecount:1\n7,\nendline\n')
    expect(await askText(`{"filter":["f_date=20260105","slave_name='Shop.Pay'"],"groupby":["slave_name"]}`)).toContain('linecount:1\nShop.Pay,4,\n')
  })

  test('values as webs quote them, and a place in its row for each field', async () => {
    const ask = (condition: string, ...groupby: string[]) => askText(JSON.stringify({ filter: ["f_date='20260103'", condition], groupby }))
    expect(await ask(String.raw`slave_name = 'It\'s a \"\\_,b'`, 'slave_name')).toContain(`linecount:1\n${oddName.replace(',', '?')},32,\n`)
    expect(await ask(String.raw`slave_name = "It's a ""\\_,b"`, 'slave_ip')).toContain('linecount:1\n,32,\n')
    expect(await ask(String.raw`slave_name like 'It''s a \"_\_,b'`, 'slave_ip', 'f_date')).toContain('linecount:1\n,20260103,32,\n')
    expect(await ask(String.raw`slave_name like 'It\'s a \"\_\_,b'`, 'slave_ip')).toContain('linecount:0\nendline\n')
  })

  test('linecount is in the sixth line, where webs look for it, however many pods keep a part', async () => {
    const [ip, folder] = [ownAddress(), await mkdtemp(join(tmpdir(), 'tarsk8s-query-'))]
    const reader = openSqliteStore(folder)
    const second = await serveStore({ address: ip, port: one.gatherer.httpPort, metrics: {}, store: { dataset: statDataset, reader }, log: silentLogger })
    try {
      await createPod(one.cluster.client, { app: 'tars', server: 'tarsstat', name: 'tars-tarsstat-2', ip })
      await until(async () => (await one.ask({})).activeDb === 2)
      expect(await one.ask({})).toMatchObject({ ret: 0, activeDb: 2, totalDb: 2, retThreads: [0, 0] })
      expect(await askText('{"filter":"f_date=20260105","groupby":"slave_name"}')).toBe('Ret:0\nlasttime:20260108 0931\nActiveDb:1\nTotalDb:1\nret:0|iDb:0\nlinecount:2\nShop.Cart,3,\nShop.Pay,4,\nendline\n')
    } finally {
      await one.cluster.client.delete(pods, { namespace: 'tars', name: 'tars-tarsstat-2' })
      await until(async () => (await one.ask({})).totalDb === 1)
      await second.stop()
      await reader.close()
      await rm(folder, { recursive: true, force: true })
    }
  })

  test('timecheck', async () => {
    expect(await askText('{"method":"timecheck"}')).toBe('lasttime:20260108 0931\nendline\n')
  })

  test.each([['{"method":"drop"}', /no method/], ['{"filter":["f_date"]}', /compares nothing/], ['{"filter":["f_date=1"]}', /is no day/], ['hello\n', /a question is a JSON object/], ['[{}]', /a question is a JSON object/], ['{"filter":[7]}', /must be texts/], [`{"a":"${'x'.repeat(70_000)}`, /64 KiB/]])('%s is refused', async (text, says) => {
    const answer = await askText(text)
    expect(answer).toMatch(/^Ret:-1\n.*\nendline\n$/)
    expect(answer).toMatch(says)
  })
})

test('what became of questions is counted', async () => {
  const text = await (await fetch(`http://127.0.0.1:${one.queryHttpPort}/metrics`)).text()
  expect(text).toMatch(/tarsquerystat_questions_total\{result="answered"\} [1-9]/)
  expect(text).toMatch(/tarsquerystat_questions_total\{result="refused"\} [1-9]/)
})
