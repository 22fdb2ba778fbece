// `npm run bench image [-- wall small second memory crowd rebase]`: release packages to a local registry, against the other ways.
import type { Goal } from './goal.ts'
import { crowd } from './image/crowd.ts'
import { memory } from './image/memory.ts'
import { rebase } from './image/rebase.ts'
import { second } from './image/second.ts'
import { small } from './image/small.ts'
import { wall } from './image/wall.ts'

type Part = (note: (line: string) => void) => Promise<readonly Goal[]>

const parts: Readonly<Record<string, Part>> = { wall, small, second, memory, crowd, rebase }

export default async function bench(note: (line: string) => void, chosen: readonly string[]): Promise<readonly Goal[]> {
  const unknown = chosen.find((name) => parts[name] === undefined)
  if (unknown !== undefined) throw new Error(`there is no part "${unknown}"; parts: ${Object.keys(parts).join(', ')}`)
  const goals: Goal[] = []
  for (const [name, part] of Object.entries(parts)) {
    if (chosen.length > 0 && !chosen.includes(name)) continue
    note(`${name} …`)
    goals.push(...(await part(note)))
  }
  return goals
}
