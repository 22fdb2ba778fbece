import { dayOf, two } from './dataset.ts'

export interface Minute {
  /** YYYYMMDD */
  readonly f_date: string
  /** HHMM */
  readonly f_tflag: string
}

/**
 * Day and minute under which a window is kept that ends at `end` (ms): those of its end in local time, and where it ends on
 * the hour, minute 60 of the hour before, so that a day is 0001 to 2360 (framework-services 6.3).
 */
export function minuteOf(end: number): Minute {
  const date = new Date(end)
  if (date.getMinutes() !== 0) return { f_date: dayOf(end), f_tflag: `${two(date.getHours())}${two(date.getMinutes())}` }
  const before = new Date(end - 60_000)
  return { f_date: dayOf(before.getTime()), f_tflag: `${two(before.getHours())}60` }
}
