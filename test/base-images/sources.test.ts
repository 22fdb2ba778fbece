// Where base images come from: suites of Debian by this machine's mirrors, and packages of npm by their content.
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { sourcesOf } from '../../base-images/debian-sources.ts'
import { fetchPackages } from '../../base-images/debian.ts'
import { fetchNpmPackage } from '../../base-images/npm.ts'

const cacheDir = mkdtempSync(join(tmpdir(), 'tarsk8s-sources-'))
afterAll(() => rmSync(cacheDir, { recursive: true }))

const suitesIn = (list: string | undefined): string[] => [...(list ?? '').matchAll(/^Suites: (.*)$/gm)].map(([, suite = '']) => suite)

describe('a suite of Debian', () => {
  it('is read with its fixes, from the mirrors of this machine', async () => {
    expect(suitesIn(await sourcesOf('trixie'))).toEqual(['trixie', 'trixie-updates', 'trixie-security'])
    expect(suitesIn(await sourcesOf('sid'))).toEqual(['sid'])
    expect(await sourcesOf('trixie')).toMatch(/^(Types: deb\nURIs: \S+\nSuites: \S+\nComponents: main\n(Signed-By: \S+\n)?\n?){3}$/)
  })

  it('is that of this machine where none is named', async () => {
    expect(await sourcesOf(undefined)).toBeUndefined()
  })

  it('that lacks a package is named in the error, and nothing is kept', async () => {
    await expect(fetchPackages({ names: ['no-such-package'], suite: 'sid' }, { cacheDir })).rejects.toMatchObject({ code: 'DEBIAN_FETCH_FAILED', message: 'Debian packages could not be fetched from sid: no-such-package' })
    expect(readdirSync(cacheDir)).toEqual([])
  })
})

describe('a package of npm', () => {
  const tarStream = { name: 'tar-stream', version: '3.2.2' }

  it('is refused when its content is not the one that was named', async () => {
    await expect(fetchNpmPackage({ ...tarStream, integrity: 'sha512-other' }, { cacheDir })).rejects.toMatchObject({ code: 'NPM_INTEGRITY', message: expect.stringMatching(/^the npm package tar-stream@3\.2\.2 is sha512-\S+, not sha512-other$/) })
    expect(readdirSync(cacheDir)).toEqual([])
  })

  it('is unpacked when it is', async () => {
    const { packages } = (await import('../../package-lock.json', { with: { type: 'json' } })).default
    const folder = await fetchNpmPackage({ ...tarStream, integrity: packages['node_modules/tar-stream'].integrity }, { cacheDir })
    expect(existsSync(join(folder, 'package.json'))).toBe(true)
    expect(await fetchNpmPackage({ ...tarStream, integrity: 'looked at when it is fetched' }, { cacheDir })).toBe(folder)
  })
})
