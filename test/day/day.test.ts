// A day in the life of 200 services, from noon to noon: what tarsquerystat and tarsqueryproperty answer at its end is what
// was sent, to the unit, though every service of the framework was ended in order and killed, and the store was away.
//
// Reports of Tars.js are one-way: nothing tells a client that one has arrived, and it sends none twice. So what counts is
// what reached a service that runs: one that is ended in order takes in what was sent to it before it ends, and one is
// killed when what was sent has arrived, in the midst of a window that is in no store yet.
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Communicator } from '#tars/client.ts'
import { MonitorOp, MonitorQuery, type MonitorQueryProxy, type MonitorQueryReq, type MonitorQueryRsp } from '#tars/protocol/MonitorQuery.ts'
import { faultProxy, type FaultProxy } from '../rig/fault-proxy.ts'
import { startSearchNode, type SearchNode } from '../rig/search-node/search-node.ts'
import { Framework, keepers, type InOpenSearch, type Name } from './framework.ts'
import { lateServices, serviceCount } from './plan.ts'
import { windowOf, type Sums } from './tally.ts'

const minute = 60_000
const stepMs = 10 * minute
const [firstDay, secondDay] = ['20260314', '20260315']
/** Local time, as days are. */
const noon = new Date(2026, 2, 14, 12).getTime()
const seed = Number(process.env['TARSK8S_SEED'] ?? 20261129)

let search: SearchNode
let proxy: FaultProxy
let compiled: string
beforeAll(async () => {
  compiled = await mkdtemp(join(tmpdir(), 'tarsk8s-compiled-'))
  search = await startSearchNode('opensearch')
  proxy = await faultProxy(`127.0.0.1:${search.port}`)
})
afterAll(async () => {
  await proxy?.stop()
  await search?.remove()
  await rm(compiled, { recursive: true, force: true })
})

/** What happens at a time of the day, after the reports of that step were sent. */
interface Happening {
  readonly at: string
  /** Not waiting until they have arrived. */
  readonly atOnce?: boolean
  readonly happens: (day: Day) => Promise<void>
}

interface Day {
  readonly framework: Framework
  /** Asks what is away between six and eight in the evening. */
  readonly askAway: () => Promise<MonitorQueryRsp>
}

const end = (at: string, ...names: Name[]): Happening => ({ at, atOnce: true, happens: ({ framework }) => framework.restart(names, 'SIGTERM') })
const kill = (at: string, ...names: Name[]): Happening => ({ at, happens: ({ framework }) => framework.restart(names, 'SIGKILL') })

const happenings: readonly Happening[] = [
  // Half of the services have just connected to one that they had not reported to before.
  end('13:00', 'registry', ...keepers),
  kill('13:30', 'registry', 'stat6'),
  { at: '18:00', happens: async () => proxy.refuse(true) },
  kill('18:30', 'stat4', 'property'),
  {
    at: '18:40',
    async happens({ askAway }) {
      expect(await askAway()).toMatchObject({ ret: -1, activeDb: 0, result: new Map() })
    },
  },
  end('19:00', ...keepers),
  { at: '20:00', happens: async () => proxy.refuse(false) },
  kill('21:00', 'querystat', 'queryproperty'),
  end('22:00', 'querystat', 'queryproperty'),
  // The last window of the day is handed on by who comes after midnight.
  { at: '00:00', happens: ({ framework }) => framework.restart(keepers, 'SIGKILL', () => framework.setClock(noon + 12 * 60 * minute + 2 * minute)) },
]

/** Each step is the last minute before its time of the day, so that some end on the hour and one at midnight. */
async function liveThrough(day: Day): Promise<void> {
  const { framework } = day
  const steps = (24 * 60 * minute) / stepMs
  for (let step = 1; step <= steps; step++) {
    const at = noon + step * stepMs
    const time = at - minute / 2
    await framework.setClock(time)
    await framework.step({ step, time, services: at <= noon + 18 * 60 * minute ? serviceCount - lateServices : serviceCount })
    const now = happenings.find((one) => one.at === new Date(at).toTimeString().slice(0, 5))
    if (now?.atOnce !== true) await framework.arrived()
    await now?.happens(day)
  }
}

/** The answer by day, of both. */
function byDay(answers: readonly MonitorQueryRsp[]): Sums {
  const entries = answers.flatMap(({ ret, msg, result }, index) => {
    if (ret !== 0) throw new Error(msg)
    return [...result].map(([key, values]) => [`${index === 0 ? firstDay : secondDay},${key}`, values] as const)
  })
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Only what differs, as there are thousands. */
function expectSame(found: Sums, sent: Sums): void {
  const keys = [...new Set([...Object.keys(found), ...Object.keys(sent)])].filter((key) => JSON.stringify(found[key]) !== JSON.stringify(sent[key]))
  expect(keys.length, `keys that differ; the first: ${keys.slice(0, 5).map((key) => `${key} found ${JSON.stringify(found[key])}, sent ${JSON.stringify(sent[key])}`).join('; ')}`).toBe(0)
  expect(Object.keys(sent).length).toBeGreaterThan(0)
}

async function askText(host: string, port: number, question: object): Promise<string> {
  const socket = connect(port, host)
  let text = ''
  socket.setEncoding('utf8').on('data', (part: string) => {
    text += part
    if (text.endsWith('endline\n')) socket.end()
  })
  socket.write(JSON.stringify(question))
  await once(socket, 'close')
  return text
}

const total = (sums: Sums, index: number): number => Object.values(sums).reduce((sum, values) => sum + (values[index] ?? 0), 0)

test('windows are named as the specification names them', () => {
  const at = (hours: number, minutes: number, seconds: number) => windowOf(new Date(2026, 2, 15, hours, minutes, seconds).getTime())
  expect([at(0, 0, 0), at(8, 30, 59), at(8, 59, 0), at(23, 59, 59)]).toEqual([
    { date: secondDay, tflag: '0001' }, { date: secondDay, tflag: '0831' }, { date: secondDay, tflag: '0860' }, { date: secondDay, tflag: '2360' },
  ])
})

describe.each<InOpenSearch>(['stat', 'property'])('%s in OpenSearch, the other in SQLite', (inOpenSearch) => {
  test('the day', async () => {
    const framework = await Framework.start({ inOpenSearch, elastic: proxy.address, now: noon, seed, compiled })
    const communicator = new Communicator({ timeoutMs: 60_000 })
    const asker = (name: 'querystat' | 'queryproperty') => {
      const { address, ports } = framework.roles[name]
      const servant = communicator.proxy<MonitorQueryProxy>(MonitorQuery, `tars.tars${name}.QueryObj@tcp -h ${address} -p ${ports['port']}`)
      const rest = { uid: '', method: 'query', dataid: name === 'querystat' ? 'tars_stat' : 'tars_property', tflag1: '0000', tflag2: '2360', date: '', conditions: [], groupby: [] }
      return async (question: Pick<MonitorQueryReq, 'indexs'> & Partial<MonitorQueryReq>): Promise<MonitorQueryRsp> => (await servant.query({ ...rest, ...question })).rsp
    }
    try {
      const [stat, property] = [asker('querystat'), asker('queryproperty')]
      const away = inOpenSearch === 'stat' ? () => stat({ date: firstDay, indexs: ['succ_count'] }) : () => property({ date: firstDay, indexs: ['value'] })
      await liveThrough({ framework, askAway: away })
      for (const name of ['registry', ...keepers, 'querystat', 'queryproperty'] as const) expect(framework.roles[name].ended, name).toMatchObject({ SIGTERM: expect.toSatisfy((count: number) => count > 0), SIGKILL: expect.toSatisfy((count: number) => count > 0) })
      await framework.settle()
      await fetch(`${search.url}/_refresh`, { method: 'POST' })
      const sent = await framework.counted()
      const both = async (asked: typeof stat, question: Pick<MonitorQueryReq, 'indexs' | 'groupby'>): Promise<Sums> => byDay([await asked({ ...question, date: firstDay }), await asked({ ...question, date: secondDay })])

      const counts = ['succ_count', 'timeout_count', 'exce_count', 'total_time']
      expectSame(await both(stat, { indexs: [...counts, 'maxrsp_time'], groupby: ['master_name', 'slave_name', 'interface_name', 'slave_ip', 'slave_port'] }), sent.calls)
      expectSame(await both(stat, { indexs: counts, groupby: ['f_tflag'] }), sent.callsByMinute)
      const range = [{ field: 'f_date', op: MonitorOp.GTE, val: firstDay }, { field: 'f_date', op: MonitorOp.LTE, val: secondDay }]
      expectSame(Object.fromEntries((await stat({ indexs: counts, conditions: range, groupby: ['slave_set_name', 'slave_set_area', 'slave_set_id'] })).result), sent.callsBySet)
      const whole = [0, 1, 2, 3].map((index) => total(sent.calls, index))
      expect((await stat({ indexs: counts, conditions: range })).result).toEqual(new Map([['', whole]]))
      // Both pods of tarsstat had their part.
      expect([...(await stat({ indexs: counts, conditions: range, groupby: ['source_id'] })).result.keys()]).toEqual(['tars-tarsstat-0', 'tars-tarsstat-1'])

      // Averages were rounded down by each reporter, and come together as the average of all reports.
      const values = Object.fromEntries(Object.entries(sent.properties).map(([key, [value = 0, reports = 1]]) => [key, [key.includes(',Avg,') ? value / reports : value]]))
      expectSame(await both(property, { indexs: ['value'], groupby: ['master_name', 'property_name', 'policy', 'bucket'] }), values)
      const sums = { indexs: ['value'], groupby: ['f_tflag'], conditions: [{ field: 'policy', op: MonitorOp.EQ, val: 'Sum' }] }
      expectSame(await both(property, sums), sent.propertiesByMinute)

      // The text protocol says the same.
      const { address, ports } = framework.roles.querystat
      const lines = (await askText(address, ports['text'] ?? 0, { method: 'query', dataid: 'tars_stat', filter: [`f_date>=${firstDay}`, `f_date<=${secondDay}`, 'f_tflag>=0000', 'f_tflag<=2360'], groupby: ['f_date', 'f_tflag'], indexs: counts })).split('\n')
      const rows = lines.filter((line) => /^2026/.test(line)).map((line) => line.split(',').slice(0, -1))
      expectSame(Object.fromEntries(rows.map(([date, tflag, ...row]) => [`${date},${tflag}`, row.map(Number)])), sent.callsByMinute)
      expect(lines.slice(0, 4)).toEqual(['Ret:0', `lasttime:${secondDay} 1160`, expect.stringMatching(/^ActiveDb:[12]$/), expect.stringMatching(/^TotalDb:[12]$/)])
    } finally {
      proxy.refuse(false)
      await communicator.close()
      await framework.stop()
    }
  })
})
