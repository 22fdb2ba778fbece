// strftime(3) in the C locale, as far as names of files use it. Pure.

const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
const months = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December']
const dayMs = 86_400_000

const two = (value: number): string => String(value).padStart(2, '0')
const hour12 = (date: Date): number => date.getHours() % 12 || 12
const dayOfYear = (date: Date): number => Math.round((new Date(date.getFullYear(), date.getMonth(), date.getDate(), 12).getTime() - new Date(date.getFullYear(), 0, 1, 12).getTime()) / dayMs) + 1

const conversions: Readonly<Record<string, (date: Date) => string>> = {
  Y: (date) => String(date.getFullYear()),
  C: (date) => two(Math.floor(date.getFullYear() / 100)),
  y: (date) => two(date.getFullYear() % 100),
  m: (date) => two(date.getMonth() + 1),
  d: (date) => two(date.getDate()),
  e: (date) => String(date.getDate()).padStart(2, ' '),
  j: (date) => String(dayOfYear(date)).padStart(3, '0'),
  H: (date) => two(date.getHours()),
  I: (date) => two(hour12(date)),
  M: (date) => two(date.getMinutes()),
  S: (date) => two(date.getSeconds()),
  p: (date) => (date.getHours() < 12 ? 'AM' : 'PM'),
  a: (date) => (days[date.getDay()] ?? '').slice(0, 3),
  A: (date) => days[date.getDay()] ?? '',
  b: (date) => (months[date.getMonth()] ?? '').slice(0, 3),
  h: (date) => (months[date.getMonth()] ?? '').slice(0, 3),
  B: (date) => months[date.getMonth()] ?? '',
  u: (date) => String(date.getDay() || 7),
  w: (date) => String(date.getDay()),
  F: (date) => strftime('%Y-%m-%d', date),
  D: (date) => strftime('%m/%d/%y', date),
  T: (date) => strftime('%H:%M:%S', date),
  R: (date) => strftime('%H:%M', date),
  s: (date) => String(Math.floor(date.getTime() / 1000)),
  '%': () => '%',
}

/** The date in local time; what is no conversion known here stays as it is. */
export function strftime(format: string, date: Date): string {
  return format.replace(/%(.)/g, (whole, letter: string) => conversions[letter]?.(date) ?? whole)
}
