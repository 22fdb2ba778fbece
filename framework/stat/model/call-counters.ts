// Counters of calls since this process began, for Prometheus.
import type { Clock } from '#base/clock.ts'
import { labelsText, metricHead } from '#base/metrics.ts'
import { inSlices } from '#base/slices.ts'
import { otherName } from '#store/key-guard.ts'
import type { StatRecord } from './record.ts'

/** Series that are told apart; beyond it calls are counted under one name. */
const mostSeries = 20_000
/** A new series is 0 for so long, milliseconds: Prometheus sees how it grows only from the first value on that it has seen. */
const newMs = 60_000

interface Counter {
  /** Its labels as they are written. */
  readonly labels: string
  /** From then on, milliseconds, it tells what it has counted. */
  readonly tellsFrom: number
  readonly counts: [calls: number, timeouts: number, failures: number, seconds: number]
}

/** In the order of {@link Counter.counts}. */
const metrics = [
  ['tars_calls_total', 'Calls, as both sides report them, in minutes that are over.'],
  ['tars_call_timeouts_total', 'Calls without an answer in time.'],
  ['tars_call_failures_total', 'Calls that failed.'],
  ['tars_call_seconds_total', 'Time of the calls that succeeded.'],
] as const

/** Adds up what is over by caller, callee, function and return value; pods are left out, so that there are few. */
export class CallCounters {
  readonly #clock: Clock
  readonly #counters = new Map<string, Counter>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  add({ key: { names }, value: { count, timeouts, failures, total } }: StatRecord): void {
    const { counts } = this.#counter(names.master, names.slave, names.interface, String(names.ret))
    counts[0] += count + timeouts + failures
    counts[1] += timeouts
    counts[2] += failures
    counts[3] += total / 1000
  }

  /** In Prometheus' text format, made in slices: there may be many. */
  async text(): Promise<string> {
    const now = this.#clock.now()
    const texts = metrics.map(([name, help]) => metricHead(name, help))
    await inSlices([...this.#counters.values()], ({ labels, tellsFrom, counts }) => {
      for (const [index, [name]] of metrics.entries()) texts[index] += `${name}${labels} ${now < tellsFrom ? 0 : counts[index]}\n`
    })
    return this.#counters.size === 0 ? '' : texts.join('')
  }

  #counter(...names: readonly [string, string, string, string]): Counter {
    const id = JSON.stringify(names)
    const known = this.#counters.get(id)
    if (known !== undefined) return known
    if (this.#counters.size >= mostSeries && names[0] !== otherName) return this.#counter(otherName, otherName, otherName, '0')
    const [master, slave, name, ret] = names
    const counter: Counter = { labels: labelsText({ master, slave, interface: name, return: ret }), tellsFrom: this.#clock.now() + newMs, counts: [0, 0, 0, 0] }
    this.#counters.set(id, counter)
    return counter
  }
}
