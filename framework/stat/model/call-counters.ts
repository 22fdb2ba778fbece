// Counters of calls since this process began, for Prometheus.
import { labelsText, metricHead } from '#base/metrics.ts'
import type { Sum } from '#store/fold.ts'
import { otherName } from '#store/key-guard.ts'
import { at } from './value.ts'

/** Series that are told apart; beyond it calls are counted under one name, those of who reports most kinds first. */
const mostSeries = 20_000
/** A new series is 0 for so long, milliseconds: Prometheus sees how it grows only from the first value on that it has seen. */
const newMs = 60_000

interface Counter {
  /** Its labels as they are written. */
  readonly labels: string
  /** Monotonic: from then on it tells what it has counted. */
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

const restNames: readonly string[] = [otherName, otherName, otherName, '0']
const restId = JSON.stringify(restNames)

/** Adds up what is over by caller, callee, function and return value; pods are left out, so that there are few. */
export class CallCounters {
  readonly #counters = new Map<string, Counter>()
  /** Counters by who reported them first, the newest last. */
  readonly #owned = new Map<string, string[]>()
  /** The longest of them. */
  #most: string[] = []
  #rest: Counter | undefined

  /** @param now monotonic, when its window was over: a clock that is set back would have counters fall to 0, and count again what they count */
  add({ by = '', names, value }: Pick<Sum, 'by' | 'names' | 'value'>, now: number): void {
    const { counts } = this.#counter(by, now, [names['master_name'], names['slave_name'], names['interface_name'], names['return_value']].map(String))
    const [timeouts, failures] = [value[at.timeouts] as number, value[at.failures] as number]
    counts[0] += (value[at.count] as number) + timeouts + failures
    counts[1] += timeouts
    counts[2] += failures
    counts[3] += (value[at.total] as number) / 1000
  }

  /** In Prometheus' text format. @param now monotonic */
  text(now: number): string {
    const texts = metrics.map(([name, help]) => metricHead(name, help))
    const all = [...this.#counters.values(), ...(this.#rest === undefined ? [] : [this.#rest])]
    for (const { labels, tellsFrom, counts } of all) {
      for (const [index, [name]] of metrics.entries()) texts[index] += `${name}${labels} ${now < tellsFrom ? 0 : counts[index]}\n`
    }
    return all.length === 0 ? '' : texts.join('')
  }

  #counter(by: string, now: number, names: readonly string[]): Counter {
    const id = JSON.stringify(names)
    const known = this.#counters.get(id)
    if (known !== undefined) return known
    const own = this.#owned.get(by) ?? []
    if (id === restId || (this.#counters.size >= mostSeries && !this.#makeRoom(own, now))) return (this.#rest ??= newCounter(restNames, now))
    const counter = newCounter(names, now)
    this.#counters.set(id, counter)
    this.#owned.set(by, own)
    own.push(id)
    if (own.length > this.#most.length) this.#most = own
    return counter
  }

  /** For one more of who has so many: who has most gives its newest away. @returns whether somebody has more */
  #makeRoom(own: readonly string[], now: number): boolean {
    if (own.length + 1 >= this.#most.length) return false
    const id = this.#most.pop() as string
    const { counts } = this.#counters.get(id) as Counter
    this.#rest ??= newCounter(restNames, now)
    for (const [index, count] of counts.entries()) this.#rest.counts[index] = (this.#rest.counts[index] as number) + count
    this.#counters.delete(id)
    this.#most = [...this.#owned.values()].reduce((a, b) => (b.length > a.length ? b : a))
    return true
  }
}

function newCounter([master = '', slave = '', name = '', ret = '']: readonly string[], now: number): Counter {
  return { labels: labelsText({ master, slave, interface: name, return: ret }), tellsFrom: now + newMs, counts: [0, 0, 0, 0] }
}
