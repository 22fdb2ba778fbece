// What the reports of one window come to (framework-services 6.3). Pure.
import type { Row } from '#store/dataset.ts'
import { KeyGuard, otherName, type KeyBounds } from '#store/key-guard.ts'
import type { Fold } from '#store/windows.ts'
import type { StatKey, StatRecord } from './record.ts'

interface Sum {
  readonly by: string
  readonly key: StatKey
  count: number
  timeouts: number
  failures: number
  readonly intervals: Map<number, number>
  total: number
  max: number
  min: number
}

/** Adds records up by their whole key. Beyond the bounds what is left of a key is who reports it. */
export class StatFold implements Fold<StatRecord> {
  readonly #sums = new Map<string, Sum>()
  readonly #guard: KeyGuard
  readonly #source: string
  /** Records that were counted under another key than their own. */
  overflow = 0

  /** @param source who gathered: pod of tarsstat */
  constructor(bounds: KeyBounds, source: string) {
    this.#guard = new KeyGuard(bounds)
    this.#source = source
  }

  add(record: StatRecord): void {
    const key = this.#admitted(record)
    const id = JSON.stringify(Object.values(key))
    const known = this.#sums.get(id)
    const sum = known ?? { by: record.by, key, count: 0, timeouts: 0, failures: 0, intervals: new Map<number, number>(), total: 0, max: 0, min: 0 }
    if (known === undefined) this.#sums.set(id, sum)
    sum.count += record.count
    sum.timeouts += record.timeouts
    sum.failures += record.failures
    sum.total += record.total
    for (const [bound, count] of record.intervals) sum.intervals.set(bound, (sum.intervals.get(bound) ?? 0) + count)
    sum.max = Math.max(sum.max, record.max)
    if (record.min > 0) sum.min = sum.min === 0 ? record.min : Math.min(sum.min, record.min)
  }

  get size(): number {
    return this.#sums.size
  }

  sums(): Iterable<Readonly<Omit<Sum, 'intervals'>>> {
    return this.#sums.values()
  }

  records(): IteratorObject<StatRecord> {
    return this.#sums.values().map((sum) => ({ ...sum, intervals: sorted(sum.intervals) }))
  }

  *rows(): Iterable<Row['fields']> {
    for (const { key, count, timeouts, failures, intervals, total, max, min } of this.#sums.values()) {
      yield {
        source_id: this.#source, master_name: key.master, slave_name: key.slave, interface_name: key.interface, tars_version: key.version,
        master_ip: key.masterIp, slave_ip: key.slaveIp, slave_port: key.port, return_value: key.ret, slave_set_name: key.setName, slave_set_area: key.setArea, slave_set_id: key.setId,
        succ_count: whole(count), timeout_count: whole(timeouts), exce_count: whole(failures), total_count: whole(count + timeouts + failures),
        total_time: whole(total), ave_time: count === 0 ? 0 : Math.max(1, Math.trunc(total / count)), maxrsp_time: whole(max),
        // A least time of 0 would be less than all others.
        ...(min === 0 ? {} : { minrsp_time: whole(min) }),
        interv_count: sorted(intervals).map(([bound, number]) => `${bound}|${number}`).join(','),
      }
    }
  }

  #admitted({ by, key }: StatRecord): StatKey {
    const admission = this.#guard.admit(by, JSON.stringify(Object.values(key)))
    if (admission === 'own') return key
    this.overflow++
    const rest = { ...key, interface: otherName, version: '', masterIp: otherName, slaveIp: otherName, port: 0, ret: 0, setName: '', setArea: '', setId: '' }
    if (admission === 'rest of all') return { ...rest, master: otherName, slave: otherName }
    const isMaster = key.master === by || key.master.startsWith(`${by}.`)
    return isMaster ? { ...rest, slave: otherName } : { ...rest, master: otherName }
  }
}

const sorted = (intervals: ReadonlyMap<number, number>): [number, number][] => [...intervals].sort(([a], [b]) => a - b)
const whole = (value: number): number => Math.min(value, Number.MAX_SAFE_INTEGER)
