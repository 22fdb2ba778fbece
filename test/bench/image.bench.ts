// `npm run bench image [-- wall small second memory crowd rebase]`: release packages to a local registry, against the other ways.
import type { Goal } from './goal.ts'
import { crowd } from './image/crowd.ts'
import { memory } from './image/memory.ts'
import { rebase } from './image/rebase.ts'
import { second } from './image/second.ts'
import { small } from './image/small.ts'
import { wall } from './image/wall.ts'
import { runParts } from './parts.ts'

const parts = { wall, small, second, memory, crowd, rebase }

export default (note: (line: string) => void, chosen: readonly string[]): Promise<readonly Goal[]> => runParts(parts, note, chosen)
