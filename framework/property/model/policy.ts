// How values of each policy come together (framework-services 7). Pure.

/** Value of a policy as clients report it, read. */
export type PolicyValue =
  | { readonly kind: 'sum' | 'min' | 'max' | 'first'; readonly value: number }
  | { readonly kind: 'average'; readonly sum: number; readonly count: number }
  | { readonly kind: 'distribution'; readonly buckets: readonly (readonly [bucket: string, count: number])[] }

const kinds: Readonly<Record<string, 'sum' | 'min' | 'max'>> = { Count: 'sum', Sum: 'sum', Min: 'min', Max: 'max' }
/** What TarsJava reports as the least or greatest of no values. */
const javaNone = new Set([2_147_483_647, -2_147_483_648])
/** Native's values are 64-bit integers; one that is greater would make every sum that it is in useless. */
const greatest = 2 ** 63
const mostBuckets = 64
const longestBucket = 32

/**
 * Reads what a client reports: `12`, `12.5`; of Avg `average` or `sum=count`; of Distr `bound|count,…`, whose last bound may be a word.
 * @returns undefined for what is no value of the policy, `none` for how some clients say that there was none
 */
export function parsePolicy(policy: string, text: string): PolicyValue | 'none' | undefined {
  if (policy === 'Distr') return distribution(text)
  if (policy === 'Avg') return average(text)
  const value = numberOf(text)
  if (value === undefined) return undefined
  const kind = kinds[policy]
  if ((kind === 'min' || kind === 'max') && javaNone.has(value)) return 'none'
  return { kind: kind ?? 'first', value }
}

/** What two of one policy come to. */
export function mergePolicy(a: PolicyValue, b: PolicyValue): PolicyValue {
  if (a.kind === 'distribution' && b.kind === 'distribution') return { kind: 'distribution', buckets: mergeBuckets(a.buckets, b.buckets) }
  if (a.kind === 'average' && b.kind === 'average') return { kind: 'average', sum: a.sum + b.sum, count: Math.min(a.count + b.count, Number.MAX_SAFE_INTEGER) }
  if (a.kind === 'sum' && b.kind === 'sum') return { kind: 'sum', value: a.value + b.value }
  if (a.kind === 'min' && b.kind === 'min') return a.value <= b.value ? a : b
  if (a.kind === 'max' && b.kind === 'max') return a.value >= b.value ? a : b
  return a
}

/** By bound, whatever bounds each of them has: reports of two versions of a service may differ. */
function mergeBuckets(a: readonly (readonly [string, number])[], b: readonly (readonly [string, number])[]): [string, number][] {
  const merged = new Map(a)
  for (const [bucket, count] of b) {
    const name = merged.has(bucket) || merged.size < mostBuckets ? bucket : 'other'
    merged.set(name, (merged.get(name) ?? 0) + count)
  }
  return [...merged]
}

function average(text: string): PolicyValue | undefined {
  const [sum, count, more] = text.split('=')
  const [total, times] = [numberOf(sum ?? ''), count === undefined ? 1 : numberOf(count)]
  if (total === undefined || times === undefined || times < 0 || !Number.isSafeInteger(times) || more !== undefined) return undefined
  // TarsJava says 0=0 of no values.
  return { kind: 'average', sum: total, count: times }
}

function distribution(text: string): PolicyValue | undefined {
  const parts = text.split(',').filter((part) => part !== '').map((part) => /^\s*([^|]{1,32})\|(\d{1,15})\s*$/.exec(part))
  if (parts.length === 0 || parts.length > mostBuckets || parts.includes(null)) return undefined
  return { kind: 'distribution', buckets: mergeBuckets([], parts.map((part) => [(part?.[1] ?? '').slice(0, longestBucket), Number(part?.[2])] as const)) }
}

function numberOf(text: string): number | undefined {
  const trimmed = text.trim()
  const value = Number(trimmed)
  return trimmed === '' || trimmed.length > 64 || !/^[-+.\deE]+$/.test(trimmed) || !(Math.abs(value) <= greatest) ? undefined : value
}
