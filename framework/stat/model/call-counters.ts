// Counters of calls since this process began, for Prometheus.
import { labelsText, metricHead } from '#base/metrics.ts'
import type { Sum } from '#store/fold.ts'
import { otherName } from '#store/key-guard.ts'
import { at } from './value.ts'

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
  readonly #counters = new Map<string, Counter>()

  /** @param now when its window was over, milliseconds */
  add({ names, value }: Pick<Sum, 'names' | 'value'>, now: number): void {
    const { counts } = this.#counter(now, [names['master_name'], names['slave_name'], names['interface_name'], names['return_value']].map(String))
    const [timeouts, failures] = [value[at.timeouts] as number, value[at.failures] as number]
    counts[0] += (value[at.count] as number) + timeouts + failures
    counts[1] += timeouts
    counts[2] += failures
    counts[3] += (value[at.total] as number) / 1000
  }

  /** In Prometheus' text format. */
  text(now: number): string {
    const texts = metrics.map(([name, help]) => metricHead(name, help))
    for (const { labels, tellsFrom, counts } of this.#counters.values()) {
      for (const [index, [name]] of metrics.entries()) texts[index] += `${name}${labels} ${now < tellsFrom ? 0 : counts[index]}\n`
    }
    return this.#counters.size === 0 ? '' : texts.join('')
  }

  #counter(now: number, names: readonly string[]): Counter {
    const id = JSON.stringify(names)
    const known = this.#counters.get(id)
    if (known !== undefined) return known
    if (this.#counters.size >= mostSeries && names[0] !== otherName) return this.#counter(now, [otherName, otherName, otherName, '0'])
    const [master = '', slave = '', name = '', ret = ''] = names
    const counter: Counter = { labels: labelsText({ master, slave, interface: name, return: ret }), tellsFrom: now + newMs, counts: [0, 0, 0, 0] }
    this.#counters.set(id, counter)
    return counter
  }
}
