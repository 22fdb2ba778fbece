// tarsstat or tarsproperty with the one that answers about it, on the embedded API server.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Clock } from '#base/clock.ts'
import { silentLogger } from '#base/log.ts'
import type { StoreSettings } from '#store/open.ts'
import { Communicator } from '#tars/client.ts'
import { MonitorOp, MonitorQuery, type MonitorQueryProxy, type MonitorQueryReq, type MonitorQueryRsp } from '#tars/protocol/MonitorQuery.ts'
import { startProperty, type PropertyOptions } from '../../framework/property/property.ts'
import { startQuery } from '../../framework/query/query.ts'
import { startStat, type StatOptions } from '../../framework/stat/stat.ts'
import { ownAddress } from '../rig/own-address.ts'
import { createPod, namespace, startCluster, until, type TestCluster } from '../registry/cluster.ts'

/** A clock that is set by hand; it begins on 5 January 2026 at 10:00:30, local time. Time goes by as it is set forward, and does not as it is set back. */
export class HandClock implements Clock {
  #now = new Date(2026, 0, 5, 10, 0, 30).getTime()
  #monotonic = 0

  now(): number {
    return this.#now
  }

  monotonic(): number {
    return this.#monotonic
  }

  set(...parts: [year: number, month: number, day: number, hours: number, minutes: number, seconds?: number]): void {
    const [year, month, day, hours, minutes, seconds = 0] = parts
    const before = this.#now
    this.#now = new Date(year, month - 1, day, hours, minutes, seconds).getTime()
    this.#monotonic += Math.max(0, this.#now - before)
  }
}

export interface Monitored {
  readonly cluster: TestCluster
  readonly clock: HandClock
  readonly communicator: Communicator
  readonly folder: string
  readonly gatherer: Awaited<ReturnType<typeof startStat>>
  /** Where what gathers is: nobody else's, so that the port of its store is free for it again when it is started again. */
  readonly address: string
  /** Of MonitorQuery, and of the text protocol. */
  readonly queryPort: number
  readonly textPort: number
  /** `*` of a query's metrics. */
  readonly queryHttpPort: number
  /** Ends what gathers and starts it again on the same folder and port of the store. */
  restart(): Promise<void>
  /** Asks; fields that are left out are those of a whole day. */
  ask(question: Partial<MonitorQueryReq>): Promise<MonitorQueryRsp>
  /** The same, as an object of the result. */
  result(question: Partial<MonitorQueryReq>): Promise<Record<string, number[]>>
  /** A metric of what gathers. */
  metric(name: string): Promise<number | undefined>
  page(path: string): Promise<string>
  stop(): Promise<void>
}

export const bounds = { perReporter: 1000, inAll: 5000 }
export const sqliteIn = (data: string): StoreSettings => ({ data, days: 15, bytes: 1 << 30, spoolBytes: 64 << 20 })
export const eq = (field: string, val: string) => ({ field, op: MonitorOp.EQ, val })
export const like = (field: string, val: string) => ({ field, op: MonitorOp.LIKE, val })

/** Starts one of the two kinds; `elastic` settings go to both the writer and the one that answers. */
export async function startMonitored(kind: 'stat' | 'property', more: Partial<StatOptions & PropertyOptions> = {}): Promise<Monitored> {
  const cluster = await startCluster()
  const folder = await mkdtemp(join(tmpdir(), `tarsk8s-${kind}-`))
  const clock = new HandClock()
  const communicator = new Communicator({ timeoutMs: 60_000 })
  const settings = more.store ?? sqliteIn(folder)
  const start = kind === 'stat' ? startStat : startProperty
  const { address = ownAddress() } = more
  let httpPort = 0
  const open = () => start({ client: cluster.client, namespace, source: `tars-tars${kind}-0`, address, port: 0, httpPort, windowMs: 60_000, bounds, log: silentLogger, clock, ...more, store: settings })
  let gatherer = await open()
  httpPort = gatherer.httpPort
  const role = kind === 'stat' ? 'querystat' : 'queryproperty'
  await createPod(cluster.client, { app: 'tars', server: `tars${kind}`, name: `tars-tars${kind}-0`, ip: address, hostNetwork: true })
  const query = await startQuery({ role, client: cluster.client, namespace, address: '127.0.0.1', port: 0, textPort: 0, httpPort: 0, ownersPort: httpPort, elastic: settings.elastic, log: silentLogger })
  const proxy = communicator.proxy<MonitorQueryProxy>(MonitorQuery, `tars.tars${role}.QueryObj@tcp -h 127.0.0.1 -p ${query.port}`)
  const ask: Monitored['ask'] = async (question) =>
    (await proxy.query({ uid: '', method: 'query', dataid: `tars_${kind}`, date: '20260105', tflag1: '0000', tflag2: '2360', conditions: [], indexs: [kind === 'stat' ? 'succ_count' : 'value'], groupby: [], ...question })).rsp
  await until(async () => (await ask({})).activeDb === 1)
  return {
    cluster, clock, communicator, folder, address, queryPort: query.port, textPort: query.textPort, queryHttpPort: query.httpPort,
    get gatherer() {
      return gatherer
    },
    async restart() {
      await gatherer.stop()
      gatherer = await open()
    },
    ask,
    async result(question) {
      const { ret, msg, result } = await ask(question)
      if (ret !== 0) throw new Error(msg)
      return Object.fromEntries(result)
    },
    async metric(name) {
      const line = (await (await fetch(`http://${address}:${gatherer.httpPort}/metrics`)).text()).split('\n').find((one) => one.startsWith(`${name} `))
      return line === undefined ? undefined : Number(line.slice(name.length + 1))
    },
    page: async (path) => (await fetch(`http://${address}:${gatherer.httpPort}${path}`)).text(),
    async stop() {
      await communicator.close()
      await query.stop()
      await gatherer.stop()
      await cluster.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
