// When a log goes on in another file (framework-services 4.3). Pure.
import { strftime } from './strftime.ts'

/** How long a file lasts, whatever its format says. */
export interface LogType {
  readonly periodMs: number
  /** strftime form when the caller names none. */
  readonly format: string
}

const units = [
  { word: 'minute', ms: 60_000, count: 10, format: '%Y%m%d%H%M' },
  { word: 'hour', ms: 3_600_000, count: 1, format: '%Y%m%d%H' },
  { word: 'day', ms: 86_400_000, count: 1, format: '%Y%m%d' },
] as const

/** `day`, `2hour`, `10minute` (a minute alone is ten), in any case; undefined for what names no unit. */
export function parseLogType(text: string): LogType | undefined {
  const lower = text.toLowerCase()
  const unit = units.find(({ word }) => lower.includes(word))
  if (unit === undefined) return undefined
  const count = Number(/^\d{1,6}/.exec(lower)?.[0] ?? 0)
  return { periodMs: (count === 0 ? unit.count : count) * unit.ms, format: unit.format }
}

const usualFormat = '%Y%m%d'

/** The part of a file's name that tells its time. */
export interface Rotation {
  /** @param now milliseconds since the epoch */
  label(now: number): string
}

/**
 * Without a type the name follows the format. With one, a file lasts for a period, aligned to multiples of it since the epoch, and
 * is named by the start of it; a clock that goes back changes nothing.
 */
export function rotationOf(format: string, type: LogType | undefined): Rotation {
  if (type === undefined) return { label: (now) => strftime(format === '' ? usualFormat : format, new Date(now)) }
  const named = format === '' ? type.format : format
  let [current, nextAt] = ['', Number.NEGATIVE_INFINITY]
  return {
    label(now) {
      if (now < nextAt) return current
      const start = Math.floor(now / type.periodMs) * type.periodMs
      const next = strftime(named, new Date(start))
      if (next >= current) [current, nextAt] = [next, start + type.periodMs]
      return current
    },
  }
}
