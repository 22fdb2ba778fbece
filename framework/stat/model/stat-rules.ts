// How what is reported of calls comes together (framework-services 6.3). Pure.
import type { FoldRules } from '#store/fold.ts'
import { otherName } from '#store/key-guard.ts'
import { sorted, type Intervals, type StatNames, type StatValue } from './record.ts'

/** @param source who gathered: pod of tarsstat */
export function statRules(source: string): FoldRules<StatNames, StatValue> {
  return {
    add: (a, b) => ({
      count: a.count + b.count, timeouts: a.timeouts + b.timeouts, failures: a.failures + b.failures, intervals: addIntervals(a.intervals, b.intervals),
      total: a.total + b.total, max: Math.max(a.max, b.max), min: a.min === 0 || b.min === 0 ? a.min + b.min : Math.min(a.min, b.min),
    }),
    rest({ by, names }, admission) {
      const rest = { ...names, interface: otherName, version: '', masterIp: otherName, slaveIp: otherName, port: 0, ret: 0, setName: '', setArea: '', setId: '' }
      if (admission === 'rest of all') return { ...rest, master: otherName, slave: otherName }
      // Whatever it calls itself beyond App.Server, what is left of it is one.
      const isMaster = names.master === by || names.master.startsWith(`${by}.`)
      return isMaster ? { ...rest, master: by, slave: otherName } : { ...rest, master: otherName, slave: by }
    },
    rows: (names, value) => [{ source_id: source, ...namesOf(names), ...countsOf(value) }],
    textOf({ count, timeouts, failures, intervals, total, max, min }) {
      let text = `[${count},${timeouts},${failures},${total},${max},${min}`
      for (const [bound, number] of intervals) text += `,${bound},${number}`
      return `${text}]`
    },
    valueOf(json) {
      const [count = 0, timeouts = 0, failures = 0, total = 0, max = 0, min = 0, ...rest] = json as number[]
      return { count, timeouts, failures, total, max, min, intervals: Array.from({ length: rest.length / 2 }, (_, index) => [rest[index * 2] ?? 0, rest[index * 2 + 1] ?? 0] as const) }
    },
  }
}

function addIntervals(a: Intervals, b: Intervals): Intervals {
  if (b.length === 0) return a
  const counts = new Map(a)
  for (const [bound, count] of b) counts.set(bound, (counts.get(bound) ?? 0) + count)
  return sorted([...counts])
}

const namesOf = (names: StatNames) => ({
  master_name: names.master, slave_name: names.slave, interface_name: names.interface, tars_version: names.version, master_ip: names.masterIp, slave_ip: names.slaveIp,
  slave_port: names.port, return_value: names.ret, slave_set_name: names.setName, slave_set_area: names.setArea, slave_set_id: names.setId,
})

const countsOf = ({ count, timeouts, failures, intervals, total, max, min }: StatValue) => ({
  succ_count: whole(count), timeout_count: whole(timeouts), exce_count: whole(failures), total_count: whole(count + timeouts + failures),
  total_time: whole(total), ave_time: count === 0 ? 0 : Math.max(1, Math.trunc(total / count)), maxrsp_time: whole(max),
  // A least time of 0 would be less than all others.
  ...(min === 0 ? {} : { minrsp_time: whole(min) }),
  interv_count: intervals.map(([bound, number]) => `${bound}|${number}`).join(','),
})

const whole = (value: number): number => Math.min(value, Number.MAX_SAFE_INTEGER)
