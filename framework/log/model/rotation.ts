// When a log goes on in another file (framework-services 4.3). Pure.
import { strftime } from './strftime.ts'

/** How long a file lasts, whatever its format says. */
export interface LogType {
  readonly periodMs: number
  /** strftime form when the caller names none. */
  readonly format: string
}

/** In the order in which they are looked for. */
const units = [
  { word: 'day', ms: 86_400_000, count: 1, format: '%Y%m%d' },
  { word: 'hour', ms: 3_600_000, count: 1, format: '%Y%m%d%H' },
  { word: 'minute', ms: 60_000, count: 10, format: '%Y%m%d%H%M' },
] as const

/** `day`, `2hour`, `10minute` (a minute alone is ten), in any case; undefined for what names no unit. */
export function parseLogType(text: string): LogType | undefined {
  const lower = text.toLowerCase()
  const unit = units.find(({ word }) => lower.includes(word))
  if (unit === undefined) return undefined
  const before = lower.slice(0, lower.indexOf(unit.word))
  const count = /^\d{1,6}$/.test(before) ? Number(before) : 0
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
 * is named by the start of it; a clock that goes back changes nothing. As in native, the next one begins when its time has come and
 * the format's text of now is not less than that of the time when it was to begin.
 */
export function rotationOf(format: string, type: LogType | undefined): Rotation {
  if (type === undefined) return { label: (now) => strftime(format === '' ? usualFormat : format, new Date(now)) }
  const named = format === '' ? type.format : format
  const at = (time: number): string => strftime(named, new Date(time))
  let [current, nextAt, next] = ['', Number.NEGATIVE_INFINITY, '']
  return {
    label(now) {
      if (now < nextAt || at(now) < next) return current
      const start = Math.floor(now / type.periodMs) * type.periodMs
      nextAt = start + type.periodMs
      ;[current, next] = [at(start), at(nextAt)]
      return current
    },
  }
}
