import type { Libc } from './libc.ts'

/** Quiet time before memory is given back, milliseconds. A collection of everything takes some 20 ms. */
const QUIET_MS = 2_000

type Collect = (options: { readonly type: 'major'; readonly execution: 'sync'; readonly flavor: 'last-resort' }) => void

/**
 * Gives memory back to the system once nothing has happened for a while: starting leaves garbage and free blocks that an
 * idle supervisor would hold for ever, in every pod.
 * @returns to be called at each event
 */
export function trimWhenQuiet(libc: Pick<Libc, 'trim'>): () => void {
  let timer: NodeJS.Timeout | undefined
  let collect: Collect | undefined
  const trim = (): void => {
    collect ??= garbageCollector()
    collect({ type: 'major', execution: 'sync', flavor: 'last-resort' })
    libc.trim()
  }
  return () => {
    clearTimeout(timer)
    timer = setTimeout(trim, QUIET_MS).unref()
  }
}

/**
 * V8 shows its collector to contexts made after the flag was set; as a flag of the command line it would slow the start. And
 * code that has not run since the last collection is dropped, as most of the start's will not run again.
 */
function garbageCollector(): Collect {
  for (const flag of ['--expose-gc', '--bytecode-old-age=1']) process.getBuiltinModule('node:v8').setFlagsFromString(flag)
  return process.getBuiltinModule('node:vm').runInNewContext('gc') as Collect
}
