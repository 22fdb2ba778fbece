import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

const lookMs = 500

/**
 * Runs work that no other process on this machine does at the same time: whoever comes later waits. The kernel lets go of what a
 * process held that is gone.
 * @param what names the work, e.g. by the file that it makes
 */
export async function alone<T>(what: string, work: () => Promise<T>): Promise<T> {
  // A socket of Linux' abstract namespace (unix(7)), whose names are short.
  const name = `\0tarsk8s-${createHash('sha256').update(what).digest('hex')}`
  for (;;) {
    const claim = createServer().listen(name)
    try {
      await once(claim, 'listening')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
      await delay(lookMs)
      continue
    }
    try {
      return await work()
    } finally {
      claim.close()
    }
  }
}
