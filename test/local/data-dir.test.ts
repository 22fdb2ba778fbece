import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openDataDir } from '../../framework/local/data-dir.ts'

let dir = ''
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tarsk8s-data-'))
})
afterEach(() => rm(dir, { recursive: true, force: true }))

describe('a data directory', () => {
  it('is one cluster’s at a time; the refusal names the process', async () => {
    const first = await openDataDir(dir)
    await expect(openDataDir(dir)).rejects.toMatchObject({ code: 'LOCAL_ALREADY_RUNNING', message: expect.stringContaining(String(process.pid)) })
    await first.stop()
    await (await openDataDir(dir)).stop()
  })

  it('keeps its subnet, and leaves nothing but that behind', async () => {
    const first = await openDataDir(dir)
    await first.stop()
    const second = await openDataDir(dir)
    await second.stop()
    expect(second.subnet).toBe(first.subnet)
    expect(first.subnet).toMatch(/^127\.\d+\.\d+$/)
    expect(await readdir(dir)).toEqual(['subnet'])
  })

  it('that cannot be made is refused with what to do', async () => {
    await writeFile(join(dir, 'file'), '')
    await expect(openDataDir(join(dir, 'file', 'below'))).rejects.toMatchObject({ code: 'LOCAL_DATA_DIR', remedy: expect.stringContaining('--data DIR') })
  })

  it('has a subnet of its own beside another cluster', async () => {
    const one = await openDataDir(join(dir, 'one'))
    const two = await openDataDir(join(dir, 'two'))
    expect(two.subnet).not.toBe(one.subnet)
    await Promise.all([one.stop(), two.stop()])
  })
})
