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
  const trim = async (): Promise<void> => {
    collect ??= await garbageCollector()
    collect({ type: 'major', execution: 'sync', flavor: 'last-resort' })
    libc.trim()
  }
  return () => {
    clearTimeout(timer)
    timer = setTimeout(() => void trim(), QUIET_MS).unref()
  }
}

/** V8 shows its collector to contexts made after the flag was set; as a flag of the command line it would slow the start. */
async function garbageCollector(): Promise<Collect> {
  const [{ setFlagsFromString }, { runInNewContext }] = await Promise.all([import('node:v8'), import('node:vm')])
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as Collect
}
