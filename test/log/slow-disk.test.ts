// A disk that takes its time: a pipe that is full, and whose reader reads on when it is told.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, expect, onTestFinished, test } from 'vitest'
import { systemClock } from '#base/clock.ts'
import { LogFiles } from '../../framework/log/files/log-files.ts'

const folder = await mkdtemp(join(tmpdir(), 'tarsk8s-slow-'))
afterAll(() => rm(folder, { recursive: true, force: true }))

test('where much comes, who has waited for it once goes on with other things the next time', async () => {
  execFileSync('mkfifo', [join(folder, 'slow.log')])
  // The first that waits cannot tell the reader to go on: that takes it a second. The second could, and has it wait; not for ever, if it cannot.
  const reader = spawn('bash', ['-c', 'exec 3< slow.log; read; sleep 1; head -c 100000 <&3; read -t 30; cat <&3'], { cwd: folder, stdio: ['pipe', 'pipe', 'inherit'] })
  onTestFinished(() => void reader.kill())
  const read: Buffer[] = []
  reader.stdout.on('data', (chunk: Buffer) => read.push(chunk))
  const files = new LogFiles({ root: folder, clock: systemClock, busyAt: 0 })
  // A pipe has room for 64 KiB (pipe(7)).
  const lines = ['a', 'b', 'c', 'd'].map((letter) => Buffer.alloc(50_000, letter))
  const append = (index: number): Promise<void> => files.append('slow.log', lines[index] as Buffer)
  await append(0)
  reader.stdin.write('\n')
  await append(1)
  await append(2)
  let written = false
  const last = append(3).then(() => (written = true))
  await pause(1)
  expect(written).toBe(false)
  reader.stdin.write('\n')
  await last
  const ended = once(reader, 'close')
  await files.stop()
  await ended
  expect(Buffer.concat(read).equals(Buffer.concat(lines))).toBe(true)
})
