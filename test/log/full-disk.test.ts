// A disk that is full: lines that were not taken leave nothing of themselves behind.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { systemClock } from '#base/clock.ts'
import { LogFiles } from '../../framework/log/files/log-files.ts'
import { Disks } from '../rig/disks.ts'

const folder = await mkdtemp(join(tmpdir(), 'tarsk8s-full-'))
const disks = await Disks.mount(folder, { log: 1 })
afterAll(async () => {
  await disks.unmount()
  await rm(folder, { recursive: true, force: true })
})

/** Whether much comes or little. */
const loads = [['much', 0], ['little', Infinity]] as const

test.each(loads)('a line that found no room for all of it is not the start of the next one, where %s comes', async (_load, busyAt) => {
  const files = new LogFiles({ root: disks.outside('log'), clock: systemClock, busyAt })
  await files.append('a.log', Buffer.from('first\n'))
  const refused = files.append('a.log', Buffer.alloc(2 << 20, 'y'))
  await expect(refused).rejects.toThrow(/a\.log cannot be written/)
  await files.append('a.log', Buffer.from('second\n'))
  await files.stop()
  expect(await readFile(join(disks.outside('log'), 'a.log'), 'utf8')).toBe('first\nsecond\n')
  await rm(join(disks.outside('log'), 'a.log'))
})

test.each(loads)('nor is a short one, where %s comes', async (_load, busyAt) => {
  const files = new LogFiles({ root: disks.outside('log'), clock: systemClock, busyAt })
  const line = Buffer.from(`${'y'.repeat(9998)}\n`)
  let taken = 0
  const fill = async (): Promise<void> => {
    for (;; taken++) await files.append('b.log', line)
  }
  await expect(fill()).rejects.toThrow(/b\.log cannot be written/)
  await files.stop()
  const text = await readFile(join(disks.outside('log'), 'b.log'))
  expect(text.equals(Buffer.concat(Array.from({ length: taken }, () => line)))).toBe(true)
  await rm(join(disks.outside('log'), 'b.log'))
})
