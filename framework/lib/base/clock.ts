/** Time as a value that can be handed in, so that pure code and tests need no real clock. */
export interface Clock {
  /** Wall time, milliseconds since the epoch. */
  now(): number
  /** Milliseconds since an arbitrary start; never jumps. Use it for intervals and deadlines. */
  monotonic(): number
}

export const systemClock: Clock = Object.freeze({
  now: () => Date.now(),
  monotonic: () => performance.now(),
})

/** `YYYY-MM-DD HH:MM:SS` of the local time zone, as native prints times and its tables have them. @param ms since the epoch */
export function localTime(ms: number): string {
  const offsetMs = new Date(ms).getTimezoneOffset() * 60_000
  return new Date(ms - offsetMs).toISOString().slice(0, 19).replace('T', ' ')
}
