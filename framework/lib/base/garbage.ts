import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

type Collect = (options: { readonly type: 'major'; readonly execution: 'sync'; readonly flavor: 'last-resort' }) => void

/**
 * V8's collector: it collects all that is not used any more and gives its pages back to the system. V8 itself waits with that
 * until more is allocated, which in a process that made much of its garbage as it started may be never. It is shown to contexts made after the flag was set; as a flag of the command line it would slow the start.
 * @param flags V8 flags to set besides
 */
export function garbageCollector(...flags: readonly string[]): () => void {
  for (const flag of ['--expose-gc', ...flags]) setFlagsFromString(flag)
  const collect = runInNewContext('gc') as Collect
  return () => collect({ type: 'major', execution: 'sync', flavor: 'last-resort' })
}
