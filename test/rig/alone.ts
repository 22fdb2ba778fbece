import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

const lookMs = 500

/**
 * Runs work that no other process on this machine does at the same time: whoever comes later waits. A lock whose owner is
 * gone is nobody's.
 * @param lock a folder that is not there
 */
export async function alone<T>(lock: string, work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      await mkdir(lock)
      break
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    if (await isAbandoned(lock)) await rm(lock, { recursive: true, force: true })
    else await delay(lookMs)
  }
  try {
    await writeFile(join(lock, 'pid'), String(process.pid))
    return await work()
  } finally {
    await rm(lock, { recursive: true, force: true })
  }
}

async function isAbandoned(lock: string): Promise<boolean> {
  const pid = Number(await readFile(join(lock, 'pid'), 'utf8').catch(() => NaN))
  if (!(pid > 0)) return false
  try {
    process.kill(pid, 0)
    return false
  } catch {
    return true
  }
}
