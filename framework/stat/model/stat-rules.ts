// How what is reported of calls comes together (framework-services 6.3). Pure.
import type { FoldRules } from '#store/fold.ts'
import { otherName } from '#store/key-guard.ts'
import { byBound, inOrder, type StatNames, type StatValue } from './record.ts'

/** @param source who gathered: pod of tarsstat */
export function statRules(source: string): FoldRules<StatNames, StatValue> {
  return {
    own: (value) => ({ ...value, intervals: [...value.intervals] }),
    add(a, b) {
      a.count += b.count
      a.timeouts += b.timeouts
      a.failures += b.failures
      a.total += b.total
      if (b.max > a.max) a.max = b.max
      if (b.min > 0 && (a.min === 0 || b.min < a.min)) a.min = b.min
      addIntervals(a, b.intervals)
      return a
    },
    rest({ by, names }, admission) {
      const rest = { ...names, interface: otherName, version: '', masterIp: otherName, slaveIp: otherName, port: 0, ret: 0, setName: '', setArea: '', setId: '' }
      if (admission === 'rest of all') return { ...rest, master: otherName, slave: otherName }
      // Whatever it calls itself beyond App.Server, what is left of it is one.
      const isMaster = names.master === by || names.master.startsWith(`${by}.`)
      return isMaster ? { ...rest, master: by, slave: otherName } : { ...rest, master: otherName, slave: by }
    },
    rows: (names, value) => [{ source_id: source, ...namesOf(names), ...countsOf(value) }],
    write(tape, { count, timeouts, failures, intervals, total, max, min }) {
      tape.number(count)
      tape.number(timeouts)
      tape.number(failures)
      tape.number(total)
      tape.number(max)
      tape.number(min)
      tape.number(intervals.length)
      for (const one of intervals) tape.number(one)
    },
    read(tape) {
      const [count, timeouts, failures, total, max, min] = [tape.number(), tape.number(), tape.number(), tape.number(), tape.number(), tape.number()]
      return { count, timeouts, failures, total, max, min, intervals: Array.from({ length: tape.number() }, () => tape.number()) }
    },
  }
}

/** Reports of one service mostly have the same bounds. */
function addIntervals(sum: StatValue, more: readonly number[]): void {
  const { intervals } = sum
  if (haveSameBounds(intervals, more)) for (let at = 1; at < more.length; at += 2) intervals[at] = (intervals[at] as number) + (more[at] as number)
  else sum.intervals = inOrder(together(byBound(intervals), byBound(more)))
}

function haveSameBounds(a: readonly number[], b: readonly number[]): boolean {
  if (a.length !== b.length) return false
  for (let at = 0; at < a.length; at += 2) if (a[at] !== b[at]) return false
  return true
}

function together(a: Map<number, number>, b: ReadonlyMap<number, number>): Map<number, number> {
  for (const [bound, count] of b) a.set(bound, (a.get(bound) ?? 0) + count)
  return a
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
  interv_count: [...byBound(intervals)].map((one) => one.join('|')).join(','),
})

const whole = (value: number): number => Math.min(value, Number.MAX_SAFE_INTEGER)
