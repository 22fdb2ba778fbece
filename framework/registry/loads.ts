import { addressesOf } from '#api/topology.ts'
import type { Clock } from '#base/clock.ts'
import { Lifetime, type Running } from '#base/lifecycle.ts'
import type { Logger } from '#base/log.ts'
import { Communicator } from '#tars/client.ts'
import { createMonitorQueryReq, MonitorOp, MonitorQuery, type MonitorQueryProxy } from '#tars/protocol/MonitorQuery.ts'
import type { Credentials } from '#tars/security.ts'
import { tokenKey } from '#tars/tokens.ts'
import type { Directory } from './model/directory.ts'
import { weightsByLoad, type Figures } from './model/load.ts'
import type { PodObject } from './model/pod-state.ts'

export interface LoadsOptions {
  readonly directory: Directory<unknown>
  /** Name and address of a registry, to find tarsquerystat. */
  readonly locator: string
  /** Of tarsquerystat, where it wants one. */
  readonly token?: string | undefined
  /** As whom it asks, and whom it trusts. */
  readonly credentials?: Credentials | undefined
  /** Milliseconds between two looks. */
  readonly everyMs: number
  /** Percent that the time of answers counts; the rest is for timeouts. */
  readonly timePercent: number
  readonly clock: Clock
  readonly log: Logger
}

/** Milliseconds of the past that count. */
const spanMs = 5 * 60_000
const indexs = ['succ_count', 'timeout_count', 'total_time']

/** Gives pods of servers with `weightType: dynamic` weights by their load, from what tarsstat knows (framework-services 1.5). */
export class Loads implements Running {
  readonly #options: LoadsOptions
  readonly #communicator: Communicator
  readonly #query: MonitorQueryProxy
  readonly #lifetime = new Lifetime()
  #failing = false
  #looking: Promise<void> | undefined

  constructor(options: LoadsOptions) {
    this.#options = options
    this.#communicator = new Communicator({ locator: options.locator, timeoutMs: 10_000, log: options.log, ...options.credentials, ...(options.token === undefined ? {} : { context: { [tokenKey]: options.token } }) })
    this.#query = this.#communicator.proxy<MonitorQueryProxy>(MonitorQuery, 'tars.tarsquerystat.QueryObj')
    this.#lifetime.onStop(() => this.#communicator.close())
    const timer = setInterval(() => void this.look(), options.everyMs)
    this.#lifetime.onStop(() => clearInterval(timer))
  }

  get done(): Promise<void> {
    return this.#lifetime.done
  }

  stop(): Promise<void> {
    return this.#lifetime.stop()
  }

  /** Makes all weights anew. Without figures pods are called in turn, as if they had no weight. */
  look(): Promise<void> {
    return (this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined
    }))
  }

  async #look(): Promise<void> {
    const { directory, timePercent, log } = this.#options
    const balanced = directory.balanced()
    if (balanced.length === 0) return
    try {
      const weights = await Promise.all(balanced.map(async ({ server, pods }) => weightsByLoad(await this.#figuresOf(server, pods), { time: timePercent })))
      directory.setLoads(new Map(weights.flatMap((some) => [...some])))
      this.#failing = false
    } catch (error) {
      // Old weights are worse than none.
      directory.setLoads(new Map())
      if (!this.#failing) log.error('weights by load cannot be made: tarsquerystat does not answer', { error })
      this.#failing = true
    }
  }

  async #figuresOf(server: string, pods: readonly PodObject[]): Promise<Map<string, Figures>> {
    const podOf = new Map(pods.flatMap((pod) => [pod.metadata.name, ...addressesOf(pod)].map((key) => [key, pod.metadata.name] as const)))
    const figures = new Map<string, Figures>()
    for (const range of rangesBefore(this.#options.clock.now())) {
      const { rsp } = await this.#query.query(createMonitorQueryReq({ dataid: 'tars_stat', ...range, conditions: [{ field: 'slave_name', op: MonitorOp.LIKE, val: `${server}%` }], indexs, groupby: ['slave_name', 'slave_ip'] }))
      if (rsp.ret !== 0) throw new Error(`tarsquerystat answered ${rsp.ret}: ${rsp.msg}`)
      for (const [key, values] of rsp.result) {
        const [name = '', host = ''] = key.split(',')
        // With its set behind it, a name may be longer; another server's may, too.
        const pod = name === server || name.startsWith(`${server}.`) ? (podOf.get(host) ?? podOf.get(host.split('.', 1)[0] ?? '')) : undefined
        if (pod !== undefined) figures.set(pod, added(figures.get(pod), values))
      }
    }
    return figures
  }
}

function added(known: Figures = { answered: 0, timedOut: 0, totalMs: 0 }, [answered = 0, timedOut = 0, totalMs = 0]: readonly number[]): Figures {
  return { answered: known.answered + answered, timedOut: known.timedOut + timedOut, totalMs: known.totalMs + totalMs }
}

/** The last minutes as dates and times of day, two of them over midnight. */
function rangesBefore(now: number): { readonly date: string; readonly tflag1: string; readonly tflag2: string }[] {
  const [from, to] = [dayAndTime(now - spanMs), dayAndTime(now)]
  if (from.date === to.date) return [{ date: to.date, tflag1: from.time, tflag2: to.time }]
  return [{ date: from.date, tflag1: from.time, tflag2: '2360' }, { date: to.date, tflag1: '0000', tflag2: to.time }]
}

function dayAndTime(ms: number): { readonly date: string; readonly time: string } {
  const digits = new Date(ms - new Date(ms).getTimezoneOffset() * 60_000).toISOString().replaceAll(/\D/g, '')
  return { date: digits.slice(0, 8), time: digits.slice(8, 12) }
}
