import { parse } from 'yaml'
import { Failure, describe } from '#base/errors.ts'

/** What is kept of logs and core files, in every log folder of a pod. */
export interface LogRules {
  /** Milliseconds between two looks at the folders. */
  readonly everyMs: number
  /** Logs that nobody wrote to for so long go. */
  readonly maxAgeMs: number
  /** Bytes of logs and core files that one folder may hold; the oldest go. */
  readonly quotaBytes: number
  /** A log written to within this time counts as open. */
  readonly openMs: number
  /** What happens to an open log whose space the quota needs: it is cut to nothing, or left as it is. It is never removed. */
  readonly openLogs: 'truncate' | 'keep'
  readonly coreMaxAgeMs: number
  /** Newest core files that one folder keeps. */
  readonly coreKeep: number
}

const minuteMs = 60_000
const dayMs = 24 * 60 * minuteMs

/** In force until cleaning.yaml says otherwise. */
export const defaultLogRules: LogRules = Object.freeze({
  everyMs: 10 * minuteMs, maxAgeMs: 5 * dayMs, quotaBytes: 10 * 2 ** 30, openMs: 60 * minuteMs, openLogs: 'truncate', coreMaxAgeMs: 5 * dayMs, coreKeep: 3,
})

const units: Readonly<Record<string, number>> = { s: 1000, m: minuteMs, h: 60 * minuteMs, d: dayMs }
const factors: Readonly<Record<string, number>> = { '': 1, K: 1e3, M: 1e6, G: 1e9, T: 1e12, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40 }

type Read = (value: unknown, field: string) => unknown

const duration: Read = (value, field) => {
  const [, digits = '', unit = ''] = /^(\d{1,9})([smhd])$/.exec(String(value)) ?? []
  return unit === '' || Number(digits) === 0 ? refuse(field, value, 'a time such as 10m, 12h or 5d') : Number(digits) * (units[unit] ?? 0)
}
const bytes: Read = (value, field) => {
  const [, digits, unit = ''] = /^(\d{1,15})([KMGT]i?)?$/.exec(String(value)) ?? []
  return digits === undefined || Number(digits) === 0 ? refuse(field, value, 'a size such as 500Mi or 10Gi') : Number(digits) * (factors[unit] ?? 0)
}
const count: Read = (value, field) => (Number.isInteger(value) && Number(value) >= 0 ? value : refuse(field, value, 'a whole number from 0'))
const policy: Read = (value, field) => (value === 'truncate' || value === 'keep' ? value : refuse(field, value, 'truncate or keep'))

/** Fields of cleaning.yaml, and what they set. */
const fields: Readonly<Record<string, readonly [keyof LogRules, Read]>> = {
  every: ['everyMs', duration],
  'logs.maxAge': ['maxAgeMs', duration],
  'logs.quota': ['quotaBytes', bytes],
  'logs.open': ['openLogs', policy],
  'logs.openFor': ['openMs', duration],
  'cores.maxAge': ['coreMaxAgeMs', duration],
  'cores.keep': ['coreKeep', count],
}

/** Reads a cleaning.yaml; what it leaves out is as by default. @throws Failure CLEANING_RULES_INVALID */
export function parseLogRules(text: string): LogRules {
  const given = Object.entries(flatten(read(text) ?? {}, ''))
  return Object.freeze({ ...defaultLogRules, ...Object.fromEntries(given.map(([field, value]) => {
    const known = fields[field]
    if (known === undefined) throw invalid(`${field === '' ? 'the file' : field} is not known here; there are ${Object.keys(fields).join(', ')}`)
    return [known[0], known[1](value, field)]
  })) })
}

function read(text: string): unknown {
  try {
    return parse(text, { maxAliasCount: 0 })
  } catch (error) {
    throw invalid(describe(error).split('\n')[0] ?? '')
  }
}

/** Nested fields by their path with dots. */
function flatten(value: unknown, path: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return { [path]: value }
  return Object.assign({}, ...Object.entries(value).map(([key, inner]) => flatten(inner, path === '' ? key : `${path}.${key}`))) as Record<string, unknown>
}

function refuse(field: string, value: unknown, rule: string): never {
  throw invalid(`${field} is ${JSON.stringify(value)} and must be ${rule}`)
}

function invalid(message: string): Failure {
  return new Failure('CLEANING_RULES_INVALID', `cleaning.yaml: ${message}`, { remedy: 'correct the ConfigMap; until then the last good rules are in force' })
}
