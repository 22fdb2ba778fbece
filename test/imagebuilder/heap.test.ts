// V8's options of tarsimage, where it has the process to itself.
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const main = join(import.meta.dirname, '../../framework/main.ts')

test('buffers that come and go have the heap marked when it has doubled, and not before', async () => {
  const args = ['--expose-gc', '--trace-gc-verbose', '--disable-warning=ExperimentalWarning', '--import', 'data:text/javascript,process.on("exit",()=>gc())', main, 'image']
  // Without more of an environment the role has ended at once, and its options were set before.
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { env: { Namespace: 'x' } }).catch((ended: unknown) => ended as { stdout: string; stderr: string })
  expect(stderr).toMatch(/PodName/)
  expect(stdout.match(/factor \d+\.\d/g)?.at(-1)).toBe('factor 2.0')
})

test('outside of a pod "image" is the command, which says how it is called', async () => {
  const ended = await promisify(execFile)(process.execPath, ['--disable-warning=ExperimentalWarning', main, 'image'], { env: {} }).catch((failure: unknown) => failure as { code: number; stderr: string })
  expect(ended).toMatchObject({ code: 2, stderr: expect.stringContaining('usage: tarsk8s image build') as string })
})

test('files of a package that were read do not wait for the whole heap to be marked', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', '--max-semi-space-size=2', '--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'rig/read-entries.ts')])
  expect(Number(stdout)).toBeLessThan(6e6)
})
