import { existsSync, lstatSync, mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { unpackLayer } from '../../../framework/local/pods/image/unpack.ts'
import { prepareRoot } from '../../../framework/local/pods/root-file-system.ts'
import { sha256, tarOf } from './rig.ts'
import type { TarEntry } from './rig.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'tarsk8s-root-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

async function layer(name: string, below: readonly string[], entries: readonly TarEntry[]): Promise<string> {
  const tar = await tarOf(entries)
  const target = join(dir, name)
  await unpackLayer({ content: Readable.from([tar]), mediaType: 'x.tar', diffId: sha256(tar), target, below, userNamespace: false })
  return target
}

test('where overlay mounts are refused, layers are copied to what an overlay would show', async () => {
  const base = await layer('base', [], [
    { name: 'a/', type: 'directory', mode: 0o700, uid: 3 }, { name: 'a/keep', content: 'k', mode: 0o640 }, { name: 'a/gone', content: 'g' },
    { name: 'o/', type: 'directory' }, { name: 'o/old', content: 'x' }, { name: 'l', type: 'symlink', linkname: '/nowhere' }, { name: 'swap', content: 'file' },
  ])
  const top = await layer('top', [base], [
    { name: 'a/', type: 'directory', mode: 0o711, uid: 4 }, { name: 'a/.wh.gone' }, { name: 'o/', type: 'directory' }, { name: 'o/.wh..wh..opq' }, { name: 'o/new', content: 'y' },
    { name: 'swap/', type: 'directory' }, { name: 'swap/in', content: 'z' },
  ])
  const root = await prepareRoot({ rootFileSystem: 'copy' }, join(dir, 'c'), [top, base])
  const at = (...parts: string[]): string => join(root.kind === 'directory' ? root.path : '', ...parts)
  expect(readdirSync(at('a'))).toEqual(['keep'])
  expect(statSync(at('a')).mode & 0o7777).toBe(0o711)
  expect(statSync(at('a')).uid).toBe(4)
  expect(statSync(at('a/keep')).mode & 0o7777).toBe(0o640)
  expect(readdirSync(at('o'))).toEqual(['new'])
  expect(readlinkSync(at('l'))).toBe('/nowhere')
  expect(readFileSync(at('swap/in'), 'utf8')).toBe('z')
  expect(lstatSync(join(base, 'swap')).isFile()).toBe(true)
})

test('a new run begins with the image, not with what the last one wrote', async () => {
  const base = await layer('base', [], [{ name: 'x', content: '1' }])
  const first = await prepareRoot({ rootFileSystem: 'copy' }, join(dir, 'c'), [base])
  if (first.kind !== 'directory') throw new Error('not copied')
  rmSync(join(first.path, 'x'))
  await prepareRoot({ rootFileSystem: 'copy' }, join(dir, 'c'), [base])
  expect(existsSync(join(first.path, 'x'))).toBe(true)
})
