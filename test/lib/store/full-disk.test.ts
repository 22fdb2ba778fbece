// A disk that is full: what cannot be written is told so, leaves nothing behind, and is taken once there is room.
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, expect, test } from 'vitest'
import { Disks } from '../../rig/disks.ts'

const folder = await mkdtemp(join(tmpdir(), 'tarsk8s-full-'))
const disks = await Disks.mount(folder, { store: 2 })
afterAll(async () => {
  await disks.unmount()
  await rm(folder, { recursive: true, force: true })
})

test('a day that cannot begin leaves no draft and no open file; it begins when there is room', async () => {
  const [program, ...words] = disks.within
  const { stdout } = await promisify(execFile)(program, [...words, process.execPath, '--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'full-disk-process.ts'), disks.inside('store')])
  expect(JSON.parse(stdout)).toEqual({ first: 0, refused: { code: 'STORE_SQLITE', temporary: true }, more: 0, drafts: [], second: 0, total: [2] })
})
