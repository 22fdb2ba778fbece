// What calls of one kind came to, as numbers in a row (framework-services 6.3): counts, times in milliseconds, and successes by the upper bound of their time. Pure.
import type { Span } from '#store/columns.ts'
import type { Row } from '#store/dataset.ts'
import type { Reason } from '#store/known.ts'

/** Places of the numbers; the least time is 0 when there was no success. From `intervals` on: bound, calls, the next bound, … , the least first. */
export const at = { count: 0, timeouts: 1, failures: 2, total: 3, max: 4, min: 5, intervals: 6 } as const
/** Bounds of intervals that are told apart. */
export const mostIntervals = 32

/** Why a value is not kept. */
export function faultOf({ column, from }: Readonly<Span>): Reason | undefined {
  if (column[from + at.count] === 0 && column[from + at.timeouts] === 0 && column[from + at.failures] === 0) return 'empty'
  for (let place = from; place < from + at.intervals; place++) if ((column[place] as number) < 0) return 'invalid'
  return undefined
}

/** Intervals by bound, in order; what is beyond the bounds that are told apart is under the greatest of them. @param pairs bound, calls, … in any order */
export function inOrder(pairs: Iterable<number>): number[] {
  const counts = new Map<number, number>()
  let bound: number | undefined
  for (const one of pairs) {
    if (bound !== undefined) counts.set(bound, (counts.get(bound) ?? 0) + one)
    bound = bound === undefined ? one : undefined
  }
  const sorted = [...counts].sort(([a], [b]) => a - b)
  const last = sorted[mostIntervals - 1]
  if (last !== undefined) for (const [, count] of sorted.splice(mostIntervals)) last[1] += count
  return sorted.flat()
}

/** Adds a value in place: when the sum has all its bounds. @returns whether it has */
export function addValue(sum: Readonly<Span>, value: Readonly<Span>): boolean {
  if (!hasBounds(sum, value)) return false
  const [sums, values] = [sum.column, value.column]
  addCounts(sums, sum.from, values, value.from)
  let place = sum.from + at.intervals
  for (let other = value.from + at.intervals; other < value.to; other += 2, place += 2) {
    while (sums[place] !== values[other]) place += 2
    sums[place + 1] = (sums[place + 1] as number) + (values[other + 1] as number)
  }
  return true
}

/** The sum of both, whatever bounds they have. */
export function joinValues(sum: Float64Array, value: Float64Array): number[] {
  const counts = sum.slice(0, at.intervals)
  addCounts(counts, 0, value, 0)
  return [...counts, ...inOrder([...sum.subarray(at.intervals), ...value.subarray(at.intervals)])]
}

/** Fields of the row. */
export function rowOf(value: Float64Array): Row['fields'] {
  const [count = 0, timeouts = 0, failures = 0, total = 0, max = 0, min = 0] = value
  const intervals: string[] = []
  for (let place: number = at.intervals; place < value.length; place += 2) intervals.push(`${value[place]}|${value[place + 1]}`)
  return {
    succ_count: whole(count), timeout_count: whole(timeouts), exce_count: whole(failures), total_count: whole(count + timeouts + failures),
    total_time: whole(total), ave_time: count === 0 ? 0 : Math.max(1, Math.trunc(total / count)), maxrsp_time: whole(max),
    // A least time of 0 would be less than all others.
    ...(min === 0 ? {} : { minrsp_time: whole(min) }),
    interv_count: intervals.join(','),
  }
}

const whole = (value: number): number => Math.min(value, Number.MAX_SAFE_INTEGER)

function addCounts(sums: Float64Array, start: number, value: Float64Array, from: number): void {
  for (let place = 0; place < at.max; place++) sums[start + place] = (sums[start + place] as number) + (value[from + place] as number)
  const [max, min] = [value[from + at.max] as number, value[from + at.min] as number]
  if (max > (sums[start + at.max] as number)) sums[start + at.max] = max
  const least = sums[start + at.min] as number
  if (min > 0 && (least === 0 || min < least)) sums[start + at.min] = min
}

/** Whether all bounds of a value are among those of a sum. */
function hasBounds(sum: Readonly<Span>, value: Readonly<Span>): boolean {
  const [sums, values] = [sum.column, value.column]
  let place = sum.from + at.intervals
  for (let other = value.from + at.intervals; other < value.to; other += 2, place += 2) {
    while (place < sum.to && (sums[place] as number) < (values[other] as number)) place += 2
    if (place >= sum.to || sums[place] !== values[other]) return false
  }
  return true
}
