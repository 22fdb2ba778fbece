// Who asks much does not hold up who asks little, by whichever protocol either asks, of what a real tarsstat keeps.
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { daysOf } from '#store/dataset.ts'
import { statDataset } from '#store/datasets.ts'
import { openSqliteStore } from '#store/sqlite/store.ts'
import { Communicator } from '#tars/client.ts'
import { ret } from '#tars/packet.ts'
import { createMonitorQueryReq, MonitorOp, MonitorQuery, type MonitorQueryProxy, type MonitorQueryReq } from '#tars/protocol/MonitorQuery.ts'
import { until } from '../registry/cluster.ts'
import { like, sqliteIn, startMonitored, type Monitored } from '../stat/rig.ts'

const days = daysOf({ from: '20260106', to: '20260214' })
const [first = '', last = ''] = [days[0], days.at(-1)]

let folder: string
let one: Monitored
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tarsk8s-turns-'))
  const store = openSqliteStore(join(folder, 'rows'))
  for (const day of days) {
    const rows = Array.from({ length: 2000 }, (_, index) => ({ f_date: day, f_tflag: '0001', master_name: 'Shop.Web', slave_name: 'Shop.Cart', interface_name: `f${index}`, succ_count: 1 }))
    await store.write(statDataset, rows.map((fields, index) => ({ id: String(index), day, fields })))
  }
  await store.close()
  one = await startMonitored('stat', { store: sqliteIn(folder) })
})
afterAll(async () => {
  await one?.stop()
  await rm(folder, { recursive: true, force: true })
})

const reach = async (localAddress: string): Promise<Socket> => {
  const socket = connect({ port: one.textPort, host: '127.0.0.1', localAddress })
  await once(socket, 'connect')
  return socket
}
/** The one question of a connection. */
const askText = (socket: Socket, question: object): Promise<string> => text(socket.end(JSON.stringify(question)))

const much: Partial<MonitorQueryReq> = { dataid: 'tars_stat', date: '', tflag1: '0000', tflag2: '2360', indexs: ['succ_count'], groupby: ['f_date'], conditions: [{ field: 'f_date', op: MonitorOp.GTE, val: first }, { field: 'f_date', op: MonitorOp.LTE, val: last }, like('interface_name', '%f%'), like('slave_name', '%cart')] }
const muchByTars = () => one.ask(much)
const muchByText = { filter: [`f_date>=${first}`, `f_date<=${last}`, "interface_name like '%f%'", "slave_name like '%cart'"], groupby: ['f_date'] }
const littleByText = { filter: [`f_date=${first}`, 'interface_name=f7'] }
const littleByTars = () => one.result({ date: first, conditions: [{ field: 'interface_name', op: MonitorOp.EQ, val: 'f7' }] })

/** Answers of many questions that come between that a small one is asked, once the first of them is there, and its answer. */
async function meanwhile(many: readonly Promise<unknown>[], little: () => Promise<void>): Promise<number> {
  let answered = 0
  for (const one of many) void one.then(() => answered++)
  await Promise.race(many)
  const before = answered
  await little()
  return answered - before
}

test('many long questions by Tars, and a small one by text', async () => {
  const socket = await reach('127.0.0.2')
  const many = Array.from({ length: 60 }, muchByTars)
  expect(await meanwhile(many, async () => expect(await askText(socket, littleByText)).toContain('linecount:1\n1,\n'))).toBeLessThan(8)
  expect((await Promise.all(many)).map(({ ret, result }) => [ret, result.size])).toEqual(many.map(() => [0, days.length]))
})

test('many by text, and a small one by Tars', async () => {
  const sockets = await Promise.all(Array.from({ length: 60 }, () => reach('127.0.0.2')))
  const many = sockets.map((socket) => askText(socket, muchByText))
  expect(await meanwhile(many, async () => expect(await littleByTars()).toEqual({ '': [1] }))).toBeLessThan(8)
  for (const answer of await Promise.all(many)) expect(answer).toContain(`linecount:${days.length}\n`)
})

test('what is too much of a peer is refused, by both protocols together; others are answered', async () => {
  const communicator = new Communicator({ timeoutMs: 5000 })
  onTestFinished(() => communicator.close())
  const proxy = communicator.proxy<MonitorQueryProxy>(MonitorQuery, `tars.tarsquerystat.QueryObj@tcp -h 127.0.0.1 -p ${one.queryPort}`)
  const ask = (count: number): Promise<unknown> => {
    const first = Promise.race(Array.from({ length: count }, () => proxy.query(createMonitorQueryReq(much))))
    first.catch(() => {})
    return first
  }
  /** One that is refused as it is begun, which is after all that were asked before it. */
  const begun = () => proxy.query(createMonitorQueryReq({ ...much, tflag1: '' }))
  /** So many at once wait nowhere but with the answerer. */
  const fill = async () => {
    for (const count of [250, 250]) {
      void ask(count)
      await begun().catch(() => {})
    }
  }
  await fill()
  const says = '500 questions of this peer are not answered yet (ask again in a moment)'
  await expect(ask(20)).rejects.toMatchObject({ ret: ret.overload, message: expect.stringContaining(says) })
  // One of them may be answered at any time.
  await until(async () => {
    await fill()
    return (await askText(await reach('127.0.0.1'), littleByText)) === `Ret:-1\n${says}\nendline\n`
  })
  expect(await askText(await reach('127.0.0.2'), littleByText)).toContain('linecount:1\n1,\n')
  expect(await (await fetch(`http://127.0.0.1:${one.queryHttpPort}/metrics`)).text()).toMatch(/tarsquerystat_questions_total\{result="refused"\} [1-9]/)
})
