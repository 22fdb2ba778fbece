// The end of a machine: what stands in for something else is on the disk before that goes.
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, expect, test } from 'vitest'
import { debianTool } from '../../rig/tools.ts'

const folder = await mkdtemp(join(tmpdir(), 'tarsk8s-flushed-'))
afterAll(() => rm(folder, { recursive: true, force: true }))

test('a journal that was written anew before the one that it was, and rows with their names before they are handed over', async () => {
  const trace = join(folder, 'trace')
  await promisify(execFile)(await debianTool('strace', 'strace'), ['-f', '-y', '-qq', '-o', trace, '-e', 'trace=write,pwrite64,fsync,fdatasync,rename,unlink,unlinkat,openat', process.execPath, '--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'flushed-process.ts'), folder])
  const calls = (await readFile(trace, 'utf8')).split('\n')
  const call = (name: string, file: string): number => calls.findIndex((one) => new RegExp(`\\b${name}\\(`).test(one) && one.includes(file))
  const [first, second, rows] = [join(folder, 'journal', 'w.0000.tapes'), join(folder, 'journal', 'w.0001.tapes'), join(folder, 'spool', '1-a.0000.1.json')]
  const order = [call('write', `<${second}>`), call('fdatasync', `<${second}>`), call('unlink', `"${first}"`), call('fsync', `<${rows}.part>`), call('rename', `"${rows}.part"`), call('fsync', `<${join(folder, 'spool')}>`), call('openat', `"${join(folder, 'over')}"`)]
  expect([order.includes(-1), order]).toEqual([false, order.toSorted((a, b) => a - b)])
})
