// strftime(3) in the C locale, as far as names of files use it. Pure.

const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
const months = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December']
const dayMs = 86_400_000

const two = (value: number): string => String(value).padStart(2, '0')
const hour12 = (date: Date): number => date.getHours() % 12 || 12
/** Days from Monday to it. */
const sinceMonday = (date: Date): number => (date.getDay() + 6) % 7
/** Weeks of the year that have begun, where one begins with the day so many days ago; days before the first one are in week 0. */
const week = (date: Date, sinceFirst: number): string => two(Math.floor((dayOfYear(date) + 6 - sinceFirst) / 7))
/** The Thursday of the week, whose year the week is of (ISO 8601). */
const thursday = (date: Date): Date => new Date(date.getFullYear(), date.getMonth(), date.getDate() + 3 - sinceMonday(date), 12)
function offset(date: Date): string {
  const minutes = -date.getTimezoneOffset()
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(Math.abs(minutes) / 60))}${two(Math.abs(minutes) % 60)}`
}
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
  U: (date) => week(date, date.getDay()),
  W: (date) => week(date, sinceMonday(date)),
  G: (date) => String(thursday(date).getFullYear()),
  g: (date) => two(thursday(date).getFullYear() % 100),
  V: (date) => two(Math.ceil(dayOfYear(thursday(date)) / 7)),
  k: (date) => String(date.getHours()).padStart(2, ' '),
  l: (date) => String(hour12(date)).padStart(2, ' '),
  P: (date) => (date.getHours() < 12 ? 'am' : 'pm'),
  c: (date) => strftime('%a %b %e %T %Y', date),
  r: (date) => strftime('%I:%M:%S %p', date),
  x: (date) => strftime('%D', date),
  X: (date) => strftime('%T', date),
  z: offset,
  n: () => '\n',
  t: () => '\t',
  s: (date) => String(Math.floor(date.getTime() / 1000)),
  '%': () => '%',
}

/** The date in local time; what is no conversion known here stays as it is. */
export function strftime(format: string, date: Date): string {
  return format.replace(/%(.)/g, (whole, letter: string) => conversions[letter]?.(date) ?? whole)
}
