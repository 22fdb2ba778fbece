/** How long ago, as operators read it: `42s`, `5m12s`, `3h07m`, `2d4h`. @param ms milliseconds */
export function formatAge(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  const [minutes, hours, days] = [Math.floor(seconds / 60), Math.floor(seconds / 3600), Math.floor(seconds / 86_400)]
  if (seconds < 120) return `${seconds}s`
  if (minutes < 60) return `${minutes}m${two(seconds % 60)}s`
  if (hours < 48) return `${hours}h${two(minutes % 60)}m`
  return `${days}d${hours % 24}h`
}

function two(value: number): string {
  return String(value).padStart(2, '0')
}

/** Age of an RFC 3339 time; empty when there is none. */
export function ageSince(time: string, nowMs: number): string {
  const at = Date.parse(time)
  return Number.isNaN(at) ? '' : formatAge(nowMs - at)
}
