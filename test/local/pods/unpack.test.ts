import { createReadStream, lstatSync, mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync, statSync, writeFileSync, existsSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Failure } from '#base/errors.ts'
import { ImageStore } from '../../../framework/local/pods/image/store.ts'
import { unpackLayer } from '../../../framework/local/pods/image/unpack.ts'
import { sha256, tarOf } from './rig.ts'
import type { TarEntry } from './rig.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'tarsk8s-unpack-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

async function unpack(entries: readonly TarEntry[], below: readonly string[] = [], name = 'layer') {
  const tar = await tarOf(entries)
  const blob = join(dir, `${name}.tar`)
  writeFileSync(blob, tar)
  const target = join(dir, name)
  const result = await unpackLayer({ content: createReadStream(blob), mediaType: 'application/vnd.oci.image.layer.v1.tar', diffId: sha256(tar), target, below, userNamespace: false })
  return { ...result, target }
}

/** What the kernel makes of layers, uppermost first. */
function merged<T>(layers: readonly string[], look: (root: string) => T): T {
  const mount = join(dir, 'merged')
  execFileSync('mkdir', ['-p', mount, join(dir, 'empty')])
  execFileSync('mount', ['-t', 'overlay', 'overlay', '-o', `ro,lowerdir=${[...layers, join(dir, 'empty')].join(':')}`, mount])
  try {
    return look(mount)
  } finally {
    execFileSync('umount', [mount])
  }
}

describe('a layer that wants out of its root is refused, and writes nothing outside', () => {
  const outside: readonly [string, readonly TarEntry[]][] = [
    ['a name with ..', [{ name: '../evil', content: 'x' }]],
    ['.. in the middle', [{ name: 'a/../../evil', content: 'x' }]],
    ['a hard link to ..', [{ name: 'link', type: 'link', linkname: '../../etc/passwd' }]],
    ['a hard link to what is not there', [{ name: 'link', type: 'link', linkname: 'etc/passwd' }]],
    ['a file below a file', [{ name: 'a', content: 'x' }, { name: 'a/b', content: 'x' }]],
    ['links in a circle', [{ name: 'a', type: 'symlink', linkname: 'b' }, { name: 'b', type: 'symlink', linkname: 'a' }, { name: 'a/x', content: 'x' }]],
    ['a whiteout of ..', [{ name: '.wh...', content: '' }]],
  ]
  test.for(outside)('%s', async ([, entries]) => {
    await expect(unpack(entries)).rejects.toMatchObject({ code: 'IMAGE_LAYER_PATH' })
    expect(existsSync(join(dir, 'evil'))).toBe(false)
  })

  test('a link out is followed inside the root only', async () => {
    const { target } = await unpack([
      { name: 'up', type: 'symlink', linkname: '../../../..' }, { name: 'up/tmp/evil', content: 'inside' },
      { name: 'abs', type: 'symlink', linkname: '/var/x' }, { name: 'abs/file', content: 'also' },
      { name: '/rooted', content: 'r' },
    ])
    expect(readFileSync(join(target, 'tmp/evil'), 'utf8')).toBe('inside')
    expect(readFileSync(join(target, 'var/x/file'), 'utf8')).toBe('also')
    expect(readFileSync(join(target, 'rooted'), 'utf8')).toBe('r')
    expect(existsSync('/tmp/evil')).toBe(false)
  })

  test('a link that replaces a folder does not lead later entries astray', async () => {
    const { target } = await unpack([
      { name: 'd/', type: 'directory' }, { name: 'd/f', content: '1' },
      { name: 'd', type: 'symlink', linkname: '/etc' }, { name: 'd/passwd', content: 'mine' },
    ])
    expect(readlinkSync(join(target, 'd'))).toBe('/etc')
    expect(readFileSync(join(target, 'etc/passwd'), 'utf8')).toBe('mine')
  })
})

test('modes, owners, links, times; device files are left out', async () => {
  const { target, skipped } = await unpack([
    { name: 'bin/', type: 'directory', mode: 0o750, uid: 5, gid: 6 },
    { name: 'bin/su', content: 'x', mode: 0o4755, uid: 7 },
    { name: 'bin/same', type: 'link', linkname: 'bin/su' },
    { name: 'bin/sym', type: 'symlink', linkname: 'su', uid: 9 },
    { name: 'dev/sda', type: 'character-device' },
  ])
  expect(statSync(join(target, 'bin'))).toMatchObject({ uid: 5, gid: 6 })
  expect(statSync(join(target, 'bin')).mode & 0o7777).toBe(0o750)
  expect(statSync(join(target, 'bin/su')).mode & 0o7777).toBe(0o4755)
  expect(statSync(join(target, 'bin/same')).ino).toBe(statSync(join(target, 'bin/su')).ino)
  expect(lstatSync(join(target, 'bin/sym')).uid).toBe(9)
  expect(statSync(join(target, 'bin/su')).mtimeMs).toBe(1_700_000_000_000)
  expect(statSync(join(target, 'bin')).mtimeMs).toBe(1_700_000_000_000)
  expect(skipped).toBe(1)
})

test('whiteouts and opaque folders hide what is below, as the kernel sees it', async () => {
  const base = await unpack([{ name: 'a/', type: 'directory' }, { name: 'a/keep', content: '1' }, { name: 'a/gone', content: '2' }, { name: 'o/', type: 'directory' }, { name: 'o/old', content: '3' }], [], 'base')
  const top = await unpack([{ name: 'a/', type: 'directory' }, { name: 'a/.wh.gone' }, { name: 'o/', type: 'directory' }, { name: 'o/.wh..wh..opq' }, { name: 'o/new', content: '4' }], [base.target], 'top')
  merged([top.target, base.target], (root) => {
    expect(readdirSync(join(root, 'a'))).toEqual(['keep'])
    expect(readdirSync(join(root, 'o'))).toEqual(['new'])
  })
})

test('a file under a link of a lower layer goes where the link points; an implied folder keeps its looks', async () => {
  const base = await unpack([{ name: 'usr/lib/', type: 'directory', mode: 0o755 }, { name: 'lib', type: 'symlink', linkname: 'usr/lib' }, { name: 'tmp/', type: 'directory', mode: 0o1777 }], [], 'base')
  const top = await unpack([{ name: 'lib/new.so', content: 'x' }, { name: 'tmp/x', content: 'y' }], [base.target], 'top')
  expect(top.dependsOnBelow).toBe(true)
  merged([top.target, base.target], (root) => {
    expect(lstatSync(join(root, 'lib')).isSymbolicLink()).toBe(true)
    expect(readFileSync(join(root, 'usr/lib/new.so'), 'utf8')).toBe('x')
    expect(statSync(join(root, 'tmp')).mode & 0o7777).toBe(0o1777)
  })
})

describe('the store', () => {
  const fetch = (bytes: Buffer) => async () => Readable.from([bytes])

  async function openStore(): Promise<ImageStore> {
    const store = new ImageStore(join(dir, 'store'), false)
    await store.open()
    return store
  }

  test('gzip and zstd layers; the same layer is unpacked once for two chains', async () => {
    const store = await openStore()
    const tar = await tarOf([{ name: 'app/', type: 'directory', mode: 0o755 }, { name: 'app/x', content: 'x' }])
    const [gz, zst] = [gzipSync(tar), zstdCompressSync(tar)]
    const layer = (bytes: Buffer, mediaType: string, chain: string) => store.layer({ digest: sha256(bytes), mediaType, size: bytes.length }, sha256(tar), chain, [], fetch(bytes))
    const one = await layer(gz, 'application/vnd.oci.image.layer.v1.tar+gzip', sha256(tar))
    const two = await layer(zst, 'application/vnd.oci.image.layer.v1.tar+zstd', sha256(Buffer.from('chain')))
    expect(one).toBe(two)
    expect(readFileSync(join(one, 'app/x'), 'utf8')).toBe('x')
  })

  test('bytes that are not what their digest says are refused and not kept', async () => {
    const store = await openStore()
    const wanted = sha256(Buffer.from('right'))
    await expect(store.blob(wanted, fetch(Buffer.from('wrong')))).rejects.toMatchObject({ code: 'IMAGE_DIGEST' })
    expect(readFileSync(await store.blob(wanted, fetch(Buffer.from('right'))), 'utf8')).toBe('right')
  })

  test.for([
    ['no gzip', Buffer.from('not an archive')],
    ['cut off', gzipSync(Buffer.alloc(5000, 1)).subarray(0, 20)],
  ] as const)('a layer that is %s leaves nothing behind', async ([, bytes]) => {
    const store = await openStore()
    const attempt = store.layer({ digest: sha256(bytes), mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', size: bytes.length }, sha256(Buffer.from('x')), sha256(Buffer.from('x')), [], fetch(bytes))
    await expect(attempt).rejects.toMatchObject({ code: 'IMAGE_LAYER_CORRUPT' })
    expect(readdirSync(join(dir, 'store/layers'))).toEqual([])
    expect(readdirSync(join(dir, 'store/tmp'))).toEqual([])
  })

  test('a digest that is a path is refused', async () => {
    const store = await openStore()
    await expect(store.blob('sha256:../../../etc/passwd', fetch(Buffer.from('x')))).rejects.toBeInstanceOf(Failure)
  })

  test('a layer that unpacks to more than is allowed is stopped', async () => {
    const tar = await tarOf([{ name: 'zeros', content: Buffer.alloc(1 << 20) }])
    const blob = join(dir, 'bomb')
    writeFileSync(blob, gzipSync(tar))
    await expect(unpackLayer({ content: createReadStream(blob), mediaType: 'x+gzip', diffId: sha256(tar), target: join(dir, 't'), below: [], userNamespace: false, maxBytes: 1000 })).rejects.toMatchObject({ code: 'IMAGE_LAYER_TOO_LARGE' })
  })
})
