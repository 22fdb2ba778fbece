import { loadavg } from 'node:os'
import type { Goal } from './goal.ts'

/** A part of a benchmark, which can be run by itself. */
export type Part = (note: (line: string) => void) => Promise<readonly Goal[]>

/** Runs the parts that were asked for, or all, in their order. */
export async function runParts(parts: Readonly<Record<string, Part>>, note: (line: string) => void, chosen: readonly string[]): Promise<readonly Goal[]> {
  const unknown = chosen.find((name) => parts[name] === undefined)
  if (unknown !== undefined) throw new Error(`there is no part "${unknown}"; parts: ${Object.keys(parts).join(', ')}`)
  const goals: Goal[] = []
  for (const [name, part] of Object.entries(parts)) {
    if (chosen.length > 0 && !chosen.includes(name)) continue
    note(`${name} … (load of the machine: ${loadavg().map((load) => load.toFixed(1)).join(', ')})`)
    goals.push(...(await part(note)))
  }
  return goals
}
