// Values of each policy as clients report them, and how they come together (framework-services 7). Pure.
import type { Span } from '#store/columns.ts'
import type { Row } from '#store/dataset.ts'

/** How values come together. */
const kind = { sum: 0, min: 1, max: 2, average: 3, first: 4 } as const

/** Policies whose values are one number. */
export const policies = ['Count', 'Sum', 'Min', 'Max', 'Avg'] as const
export type Policy = (typeof policies)[number]
const kinds: Readonly<Record<Policy, number>> = { Count: kind.sum, Sum: kind.sum, Min: kind.min, Max: kind.max, Avg: kind.average }
/** Its values are counts by bucket. */
export const distribution = 'Distr'

/**
 * A value as numbers: how it comes together with others, its total, and its weight, which averages of averages are made of.
 * `none` is how some clients say that there was no value.
 */
export type PolicyValue = readonly [kind: number, total: number, weight: number]

/** What TarsJava reports as the least or greatest of no values. */
const javaNone = new Set([2_147_483_647, -2_147_483_648])
/** Native's values are 64-bit integers; one that is greater would make every sum that it is in useless. */
const greatest = 2 ** 63
const mostBuckets = 64

/**
 * Reads what a client reports: `12`, `12.5`; of Avg `average` or `sum=count`.
 * @param policy whatever is none of {@link policies} keeps its first value
 * @returns undefined for what is no value of the policy, `none` for how some clients say that there was none
 */
export function parseValue(policy: string, text: string): PolicyValue | 'none' | undefined {
  if (policy === 'Avg') return average(text)
  const total = numberOf(text)
  if (total === undefined) return undefined
  const how = kinds[policy as Policy] ?? kind.first
  if ((how === kind.min || how === kind.max) && javaNone.has(total)) return 'none'
  return [how, total, 1]
}

/** Reads a Distr: `bound|count,…`, whose last bound may be a word. @returns each bucket once; undefined for what is none */
export function parseBuckets(text: string): ReadonlyMap<string, PolicyValue> | undefined {
  const parts = text.split(',').filter((part) => part !== '').map((part) => /^\s*([^|]{1,32})\|(\d{1,15})\s*$/.exec(part))
  if (parts.length === 0 || parts.length > mostBuckets || parts.includes(null)) return undefined
  const counts = new Map<string, PolicyValue>()
  for (const part of parts) counts.set(part?.[1] ?? '', [kind.sum, (counts.get(part?.[1] ?? '')?.[1] ?? 0) + Number(part?.[2]), 1])
  return counts
}

/** Adds a value in place; all of a policy are alike. */
export function addValue({ column: sums, from: at }: Readonly<Span>, { column: values, from }: Readonly<Span>): boolean {
  const [how, had, more] = [sums[at], sums[at + 1] as number, values[from + 1] as number]
  if (how === kind.sum) sums[at + 1] = had + more
  else if (how === kind.min) sums[at + 1] = Math.min(had, more)
  else if (how === kind.max) sums[at + 1] = Math.max(had, more)
  else if (how === kind.average) {
    sums[at + 1] = had + more
    sums[at + 2] = Math.min((sums[at + 2] as number) + (values[from + 2] as number), Number.MAX_SAFE_INTEGER)
  }
  return true
}

/** Fields of the row. */
export function rowOf([how, total = 0, weight = 0]: Float64Array): Row['fields'] {
  return { value: how === kind.average ? (weight === 0 ? 0 : total / weight) : total, total, weight }
}

function average(text: string): PolicyValue | undefined {
  const [sum, count, more] = text.split('=')
  const [total, times] = [numberOf(sum ?? ''), count === undefined ? 1 : numberOf(count)]
  if (total === undefined || times === undefined || times < 0 || !Number.isSafeInteger(times) || more !== undefined) return undefined
  // TarsJava says 0=0 of no values.
  return [kind.average, total, times]
}

function numberOf(text: string): number | undefined {
  const trimmed = text.trim()
  const value = Number(trimmed)
  return trimmed === '' || trimmed.length > 64 || !/^[-+.\deE]+$/.test(trimmed) || !(Math.abs(value) <= greatest) ? undefined : value
}
