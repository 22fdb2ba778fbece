import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

type Collect = (options: { readonly type: 'major'; readonly execution: 'sync'; readonly flavor: 'last-resort' }) => void

/**
 * Collects all that is not used any more and gives its pages back to the system; nothing else happens meanwhile, the longer the more is
 * left. V8 itself waits with that until more is allocated: in a process that made most of its garbage as it started, for ever.
 */
export function collectGarbage(): void {
  // The collector is shown to contexts made after the flag was set; as a flag of the command line it would slow the start.
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as Collect
  collect({ type: 'major', execution: 'sync', flavor: 'last-resort' })
}
