import { setTimeout as pause } from 'node:timers/promises'
import { describe } from '#base/errors.ts'

/** What every run is told. */
export interface ChaosOptions {
  readonly seed: number
  readonly seconds: number
  readonly note: (line: string) => void
  /** Ends the run early; what it started is ended all the same. */
  readonly signal: AbortSignal
}

/** Asks until there is no fault, with pauses; who does not answer has one. @returns those that are left after `limitMs` */
export async function healed(faults: () => Promise<readonly string[]>, limitMs: number, signal: AbortSignal, pauseMs = 100): Promise<readonly string[]> {
  const deadline = performance.now() + limitMs
  for (;;) {
    const left = await faults().catch((error: unknown) => [`it cannot be asked: ${describe(error)}`])
    if (left.length === 0 || performance.now() > deadline) return left
    await pause(pauseMs, undefined, { signal })
  }
}
