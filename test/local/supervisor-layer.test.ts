// The supervisor's files, made by several at once in one cache.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { withSupervisorFiles } from '../../framework/local/supervisor-layer.ts'
import type { LayerFile } from '../../node/files.ts'
import { cacheDir } from '../rig/tools.ts'

/** In the cache, where Debian's packages are. */
const kept = join(cacheDir, 'local')
/** What is bundled from the sources, by its path in the image. */
const bundled = (files: readonly LayerFile[]): LayerFile[] => files.filter(({ path }) => /\.(?:cjs|cache)$/.test(path))
const contents = (files: readonly LayerFile[]): string[] => bundled(files).map(({ path, source = '' }) => `${path} ${readFileSync(source).toString('base64')}`)

test('one that bundles leaves what another has bundled alone', async () => {
  await withSupervisorFiles(kept, undefined, async (files) => {
    const first = contents(files)
    expect(first.length).toBeGreaterThan(2)
    await withSupervisorFiles(kept, undefined, async (others) => {
      expect(contents(others)).toEqual(first)
      const own = new Set(bundled(files).map(({ source }) => source))
      expect(bundled(others).filter(({ source }) => own.has(source))).toEqual([])
    })
    expect(contents(files)).toEqual(first)
  })
})

test('one that fails leaves nothing', async () => {
  let work = ''
  await expect(withSupervisorFiles(kept, undefined, async (_files, folder) => ((work = folder), Promise.reject(new Error('no'))))).rejects.toThrow('no')
  expect([work === '', existsSync(work)]).toEqual([false, false])
})
