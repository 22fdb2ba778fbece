import { rmSync, statSync, writeFileSync } from 'node:fs'
import { appendFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ChaosPod } from '../pod.ts'
import type { PodDisturbance } from './pod-disturbance.ts'

/** Jumps of the clock in seconds: small ones, and beyond every time-out and back-off. */
const jumps = [-86_400, -3_600, -61, -2, 2, 61, 3_600, 86_400, 31_536_000] as const

export const fullDisk: PodDisturbance = {
  weight: 2,
  lasts: [500, 6_000],
  async begin(pod) {
    const file = join(pod.logDisk, 'filler')
    const bytes = await fill(file)
    return { did: `the log folder is full after ${bytes} bytes`, undo: () => rmSync(file, { force: true }) }
  },
}

async function fill(file: string): Promise<number> {
  for (const block of [65_536, 1_024, 1]) {
    const content = Buffer.alloc(block)
    for (;;) {
      const error = await appendFile(file, content).catch((reason: unknown) => reason as NodeJS.ErrnoException)
      if (error?.code === 'ENOSPC') break
      if (error !== undefined) throw error
    }
  }
  return statSync(file).size
}

export const clockJump: PodDisturbance = {
  weight: 2,
  lasts: [1_500, 6_000],
  begin(pod, { choice }) {
    const seconds = jumps[choice % jumps.length] ?? 0
    setClock(pod, seconds)
    return { did: `the clock jumps by ${seconds} s`, undo: () => setClock(pod, 0) }
  },
}

const setClock = ({ clockFile }: ChaosPod, seconds: number): void => writeFileSync(clockFile, `${seconds < 0 ? '' : '+'}${seconds}\n`)
