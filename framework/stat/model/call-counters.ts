// Counters of calls since this process began, for Prometheus. Pure.
import { metric, type Sample } from '#base/metrics.ts'
import { otherName } from '#store/key-guard.ts'
import type { StatRecord } from './record.ts'

/** Series that are told apart; beyond it calls are counted under one name. */
const mostSeries = 20_000

interface Counter {
  readonly labels: Readonly<Record<string, string>>
  calls: number
  timeouts: number
  failures: number
  totalMs: number
}

/** Adds up what is over by caller, callee, function and return value; pods are left out, so that there are few. */
export class CallCounters {
  readonly #counters = new Map<string, Counter>()

  add({ key: { names }, value: { count, timeouts, failures, total } }: StatRecord): void {
    const counter = this.#counter(names.master, names.slave, names.interface, String(names.ret))
    counter.calls += count + timeouts + failures
    counter.timeouts += timeouts
    counter.failures += failures
    counter.totalMs += total
  }

  metrics(): string {
    const all = [...this.#counters.values()]
    const samples = (value: (counter: Counter) => number): Sample[] => all.map((counter) => [value(counter), counter.labels])
    return [
      metric('tars_calls_total', 'Calls, as both sides report them, in minutes that are over.', samples(({ calls }) => calls)),
      metric('tars_call_timeouts_total', 'Calls without an answer in time.', samples(({ timeouts }) => timeouts)),
      metric('tars_call_failures_total', 'Calls that failed.', samples(({ failures }) => failures)),
      metric('tars_call_milliseconds_total', 'Time of the calls that succeeded.', samples(({ totalMs }) => totalMs)),
    ].join('')
  }

  #counter(...names: readonly [string, string, string, string]): Counter {
    const id = JSON.stringify(names)
    const known = this.#counters.get(id)
    if (known !== undefined) return known
    if (this.#counters.size >= mostSeries && names[0] !== otherName) return this.#counter(otherName, otherName, otherName, '0')
    const [master, slave, name, ret] = names
    const counter = { labels: { master, slave, interface: name, return: ret }, calls: 0, timeouts: 0, failures: 0, totalMs: 0 }
    this.#counters.set(id, counter)
    return counter
  }
}
