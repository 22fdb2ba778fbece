import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fill } from '../../rig/fill.ts'
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
