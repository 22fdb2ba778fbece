import { createRequire } from 'node:module'
import { setTimeout as sleep } from 'node:timers/promises'
import { dayOf } from '#store/dataset.ts'
import { Communicator } from '#tars/client.ts'
import { MonitorOp, MonitorQuery, type MonitorQueryProxy } from '#tars/protocol/MonitorQuery.ts'
import { createStatPropMsgBody, createStatPropMsgHead, PropertyF, type PropertyFProxy } from '#tars/protocol/PropertyF.ts'
import { createStatMicMsgBody, createStatMicMsgHead, StatF, type StatFProxy } from '#tars/protocol/StatF.ts'
import { Ledger } from './ledger.ts'
import type { Role } from './role.ts'

const GAP_MS = 40
const CALL_MS = 5_000
const LINES = 10
const DAY_MS = 86_400_000
/** Days around today that clocks jump to. */
const DAYS = 3

/** Sends one report: amounts by their kinds. Rejects when it is not acknowledged. */
type Report = (kinds: readonly string[]) => Promise<void>

/** Services that report calls or values to one role, and whoever asks what they come to. */
export class Monitored {
  readonly ledger = new Ledger()
  readonly faults: string[] = []
  readonly #what: 'stat' | 'property'
  readonly #gatherers: readonly Role[]
  readonly #query: Role
  readonly #communicator = new Communicator({ timeoutMs: CALL_MS })

  constructor(what: 'stat' | 'property', gatherers: readonly Role[], query: Role) {
    this.#what = what
    this.#gatherers = gatherers
    this.#query = query
  }

  async run(signal: AbortSignal): Promise<void> {
    const reporters = this.#gatherers.flatMap((role, index) => (this.#what === 'stat' ? [this.#stat(role), tarsJsStat(role)] : [this.#property(role)]).map((report, number) => this.#keepOn(`${index}-${number}`, report, signal)))
    await Promise.all([...reporters, this.#ask(signal)])
  }

  async close(): Promise<void> {
    await this.#communicator.close()
  }

  /** What is wrong, when nobody reports any more and nothing waits. */
  async settledFaults(): Promise<readonly string[]> {
    const waits = await Promise.all(this.#gatherers.map(async (role) => (await role.metric('tarsstore_spool_rows')) + (await role.metric(`${role.kind.server}_windows_waiting`))))
    if (waits.some((rows) => rows > 0)) return [`${this.#what}: ${waits.join(' and ')} rows wait`]
    const lost = await Promise.all(this.#gatherers.map(async (role) => (await role.metric('tarsstore_dropped_rows_total')) + (await role.metric('tarsstore_refused_rows_total')) + (await role.metric(`${role.kind.server}_windows_lost_total`))))
    const found = await this.#totals()
    const about = (faults: readonly string[]): string[] => faults.map((fault) => `${this.#what}: ${fault}`)
    return [
      ...(lost.some((rows) => rows > 0) ? [`${this.#what}: ${lost.join(' and ')} rows are lost`] : []),
      ...(found === undefined ? [`${this.#what}: not all answer`] : about([...this.ledger.excess(found), ...this.ledger.lack(found)])),
    ]
  }

  async #keepOn(name: string, report: Report, signal: AbortSignal): Promise<void> {
    for (let number = 0; !signal.aborted; number++) {
      // Names that come and go, so that windows have different keys.
      const kinds = Array.from({ length: LINES }, (_, line) => `k${name}-${Math.floor(number / 50) % 5}-${line}`)
      const acknowledged = this.ledger.send(new Map(kinds.map((kind) => [kind, 1])))
      await report(kinds).then(acknowledged, () => {})
      await sleep(GAP_MS, undefined, { signal }).catch(() => {})
    }
  }

  async #ask(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const found = await this.#totals().catch(() => undefined)
      if (found !== undefined && this.faults.length === 0) this.faults.push(...this.ledger.excess(found).map((fault) => `${this.#what}: ${fault}`))
      await sleep(1_000, undefined, { signal }).catch(() => {})
    }
  }

  /** As the query role answers; undefined when not all that keep a part did. */
  async #totals(): Promise<ReadonlyMap<string, number> | undefined> {
    const [group, index] = this.#what === 'stat' ? ['interface_name', 'total_count'] : ['property_name', 'value']
    const days = [[MonitorOp.GTE, -DAYS], [MonitorOp.LTE, DAYS]] as const
    const { rsp } = await this.#communicator.proxy<MonitorQueryProxy>(MonitorQuery, this.#query.object('QueryObj', 'query')).query({
      uid: '', method: 'query', dataid: `tars_${this.#what}`, date: '', tflag1: '0000', tflag2: '2360', indexs: [index], groupby: [group],
      conditions: days.map(([op, days]) => ({ field: 'f_date', op, val: dayOf(Date.now() + days * DAY_MS) })),
    })
    if (rsp.ret !== 0 || rsp.activeDb < (this.#what === 'stat' ? this.#gatherers.length : 1)) return undefined
    return new Map([...rsp.result].map(([kind, [value = 0]]) => [kind, value]))
  }

  #stat(role: Role): Report {
    const proxy = this.#communicator.proxy<StatFProxy>(StatF, role.object('StatObj', 'stat'))
    return async (kinds) => {
      const lines = kinds.map((interfaceName) => [createStatMicMsgHead({ masterName: 'Chaos.Client', slaveName: 'Chaos.Server', interfaceName }), createStatMicMsgBody({ count: 1, totalRspTime: 3n, maxRspTime: 3, minRspTime: 3 })] as const)
      refuse(await proxy.reportMicMsg(new Map(lines), true))
    }
  }

  #property(role: Role): Report {
    const proxy = this.#communicator.proxy<PropertyFProxy>(PropertyF, role.object('PropertyObj', 'property'))
    return async (kinds) => {
      const values = kinds.map((propertyName) => [createStatPropMsgHead({ moduleName: 'Chaos.Client', propertyName }), createStatPropMsgBody({ vInfo: [{ policy: 'Sum', value: '1' }] })] as const)
      refuse(await proxy.reportPropMsg(new Map(values)))
    }
  }
}

function refuse(code: number): void {
  if (code !== 0) throw new Error(`it was answered ${code}`)
}

interface TarsJsProxy {
  readonly _worker: { timeout: number }
  reportMicMsg(lines: unknown, fromClient: boolean): Promise<{ response: { return: number } }>
}

/** As @tars/monitor sends it, over @tars/rpc. */
function tarsJsStat(role: Role): Report {
  const load = createRequire(import.meta.url)
  const { Communicator: Peer } = load('@tars/rpc') as { Communicator: new () => { stringToProxy(type: unknown, name: string): TarsJsProxy } }
  const { Map: PeerMap } = load('@tars/stream') as { Map: new (key: unknown, value: unknown) => { put(key: object, value: object): void } }
  const { tars } = load('@tars/monitor/stat/StatFProxy.js') as { tars: { StatFProxy: unknown; StatMicMsgHead: new () => object; StatMicMsgBody: new () => object } }
  const proxy = new Peer().stringToProxy(tars.StatFProxy, role.object('StatObj', 'stat'))
  proxy._worker.timeout = CALL_MS
  return async (kinds) => {
    const lines = new PeerMap(tars.StatMicMsgHead, tars.StatMicMsgBody)
    for (const interfaceName of kinds) lines.put(Object.assign(new tars.StatMicMsgHead(), { masterName: 'Chaos.TarsJs', slaveName: 'Chaos.Server', interfaceName }), Object.assign(new tars.StatMicMsgBody(), { count: 1, totalRspTime: 3, maxRspTime: 3, minRspTime: 3 }))
    refuse((await proxy.reportMicMsg(lines, true)).response.return)
  }
}
