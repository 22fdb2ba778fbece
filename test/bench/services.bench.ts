// `npm run bench services [-- answers latency memory change config stat flush]`: roles as processes of their own against an embedded API server; the yardsticks are a bare echo server that sends the same bytes, and @tars/rpc.
import type { Goal } from './goal.ts'
import { runParts } from './parts.ts'
import { config } from './services/config.ts'
import { answers, change, latency, memory } from './services/registry.ts'
import { flush, stat } from './services/stat.ts'

const parts = { answers, latency, memory, change, config, stat, flush }

export default (note: (line: string) => void, chosen: readonly string[]): Promise<readonly Goal[]> => runParts(parts, note, chosen)
