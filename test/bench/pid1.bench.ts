// `npm run bench pid1`: tarsnode as PID 1 against the small inits and the supervisors, rounds interleaved.
import { setTimeout as delay } from 'node:timers/promises'
import type { Goal } from './goal.ts'
import { growth } from './pid1/growth.ts'
import { idle } from './pid1/idle.ts'
import { layer } from './pid1/layer.ts'
import { reaping } from './pid1/reaping.ts'
import { restart } from './pid1/restart.ts'
import { findRivals } from './pid1/rivals.ts'
import { start } from './pid1/start.ts'

/** Making 25,000 zombies takes 20 s a burst, and a long life its time; a part that takes longer than this hangs and must say so. */
const PATIENCE_MS = 400_000

async function bounded(name: string, part: Promise<readonly Goal[]>): Promise<readonly Goal[]> {
  const waited = new AbortController()
  const late = delay(PATIENCE_MS, undefined, { signal: waited.signal }).then(() => Promise.reject(new Error(`${name} took longer than ${PATIENCE_MS / 1000} s`)))
  try {
    return await Promise.race([part, late])
  } finally {
    late.catch(() => undefined)
    waited.abort()
  }
}

export default async function bench(note: (line: string) => void): Promise<readonly Goal[]> {
  const rivals = await findRivals()
  const goals: Goal[] = []
  goals.push(...(await bounded('start', start(rivals, note))))
  goals.push(...(await bounded('restart', restart(rivals, note))))
  goals.push(...(await bounded('reaping', reaping(rivals, note))))
  goals.push(...(await bounded('idle', idle(note))))
  goals.push(...(await bounded('growth', growth(note))))
  goals.push(...(await bounded('layer', layer(note))))
  return goals
}
