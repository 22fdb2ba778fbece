import { backoff } from '#base/retry.ts'

/** Milliseconds a run must last for the crashes before it to be forgotten. */
export const STABLE_RUN_MS = 60_000
/** First delay after the second crash in a row; it doubles with each further one. */
const BASE_MS = 1_000
/** Longest delay between two launches of a crashing service. */
const CAP_MS = 60_000
/** From this many crashes in a row on it is called a crash loop. */
export const CRASH_LOOP_AFTER = 3

/** Crashes in a row and what follows from them; a value. */
export interface CrashRecord {
  readonly inRow: number
}

export const noCrashes: CrashRecord = Object.freeze({ inRow: 0 })

/** Counts an unexpected end of a run that lasted `ranMs`. */
export function countCrash(record: CrashRecord, ranMs: number): CrashRecord {
  return { inRow: ranMs >= STABLE_RUN_MS ? 1 : record.inRow + 1 }
}

/**
 * Milliseconds to wait before the next launch: none after no crash and after the first, then exponential with
 * jitter up to {@link CAP_MS}.
 */
export function relaunchDelay(record: CrashRecord, random?: () => number): number {
  if (record.inRow <= 1) return 0
  return Math.round(backoff(record.inRow - 1, { baseMs: BASE_MS, capMs: CAP_MS, ...(random && { random }) }))
}

export const isCrashLoop = (record: CrashRecord): boolean => record.inRow >= CRASH_LOOP_AFTER
