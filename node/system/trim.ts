import type { Libc } from './libc.ts'

/** Quiet time before memory is given back, milliseconds. A collection of everything takes some 20 ms. */
const QUIET_MS = 2_000

/**
 * Gives memory back to the system once nothing has happened for a while: starting leaves garbage and free blocks that an
 * idle supervisor would hold for ever, in every pod.
 * @returns to be called at each event
 */
export function trimWhenQuiet(libc: Pick<Libc, 'trim'>): () => void {
  let timer: NodeJS.Timeout | undefined
  return () => {
    clearTimeout(timer)
    timer = setTimeout(() => {
      globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' })
      libc.trim()
    }, QUIET_MS).unref()
  }
}
