import { isRecord } from '#api/schema/shape.ts'

/**
 * True when `actual` holds everything that `desired` asks for. Fields that only `actual` has do not count: they are the API server's
 * defaults, or belong to others. Neither does the difference between an absent field and an empty one, as the server drops empty ones.
 */
export function contains(actual: unknown, desired: unknown): boolean {
  if (actual === undefined || actual === null) return isEmpty(desired)
  if (Array.isArray(desired)) return Array.isArray(actual) && containsList(actual, desired)
  if (isRecord(desired)) return isRecord(actual) && Object.entries(desired).every(([name, value]) => contains(actual[name], value))
  return actual === desired || sameQuantity(actual, desired)
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === '') return true
  return Array.isArray(value) ? value.length === 0 : isRecord(value) && Object.values(value).every(isEmpty)
}

/** Lists of named items may hold foreign items too, such as a sidecar; others must agree item by item. */
function containsList(actual: readonly unknown[], desired: readonly unknown[]): boolean {
  const key = mergeKey(desired)
  if (key === undefined) return actual.length === desired.length && desired.every((item, index) => contains(actual[index], item))
  return desired.every((item) => actual.some((other) => isRecord(other) && isRecord(item) && other[key] === item[key] && contains(other, item)))
}

const mergeKeys = ['mountPath', 'name', 'uid']

function mergeKey(items: readonly unknown[]): string | undefined {
  if (items.length === 0) return undefined
  return mergeKeys.find((key) => items.every((item) => isRecord(item) && typeof item[key] === 'string'))
}

/** `1000m` is `1`, `1024Mi` is `1Gi`: the server writes quantities in its own way. */
function sameQuantity(a: unknown, b: unknown): boolean {
  const [left, right] = [amount(a), amount(b)]
  return left !== undefined && left === right
}

const units: Readonly<Record<string, number>> = {
  n: 1e-9, u: 1e-6, m: 1e-3, '': 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15, E: 1e18,
  Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, Pi: 2 ** 50, Ei: 2 ** 60,
}

function amount(value: unknown): number | undefined {
  if (typeof value === 'number') return value
  const match = typeof value === 'string' ? /^([+-]?(?:\d+\.?\d*|\.\d+))(?:[eE]([+-]?\d+)|([numkMGTPE]i?)?)$/.exec(value) : null
  const unit = units[match?.[3] ?? '']
  if (match === null || unit === undefined) return undefined
  return Number((Number(match[1]) * 10 ** Number(match[2] ?? 0) * unit).toPrecision(12))
}
