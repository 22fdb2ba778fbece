// The tar formats that packers write, read in pieces of any size.
import { execFileSync } from 'node:child_process'
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readTar } from '../../imagebuilder/package/tar-reader.ts'
import { tar, tarEntry } from './rig/archives.ts'

async function* pieces(archive: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < archive.length; at += size) yield archive.subarray(at, at + size)
}

/** `flag name target content` of every entry. */
async function read(archive: Buffer, size = archive.length): Promise<string[]> {
  const found: string[] = []
  for await (const { header, content } of readTar(pieces(archive, size))) {
    const parts: Buffer[] = []
    for await (const piece of content) parts.push(Buffer.from(piece))
    found.push(`${header.flag} ${header.name} ${header.target} ${Buffer.concat(parts).toString()}`.trimEnd())
  }
  return found
}

let dir: string
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'tarsk8s-tar-'))
  mkdirSync(join(dir, 'in/sub'), { recursive: true })
  writeFileSync(join(dir, 'in/a'), 'content')
  linkSync(join(dir, 'in/a'), join(dir, 'in/b'))
  symlinkSync('../a', join(dir, 'in/sub/link'))
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

function packed(format: string): Buffer {
  return execFileSync('tar', ['-C', join(dir, 'in'), `--format=${format}`, '--sort=name', '-cf', '-', '.'], { maxBuffer: 1 << 24 })
}

const short = ['5 ./', '0 ./a  content', '1 ./b ./a', '5 ./sub/', '2 ./sub/link ../a']

describe.each(['v7', 'oldgnu', 'ustar', 'gnu', 'posix'])('tar --format=%s', (format) => {
  test.each([1, 100, 511, 513, 1 << 20])('in pieces of %i bytes', async (size) => {
    expect(await read(packed(format), size)).toEqual(short)
  })
})

test.each(['gnu', 'posix'])('long names of --format=%s', async (format) => {
  const name = `${'n'.repeat(200)}é`
  const inside = join(dir, 'in/long')
  mkdirSync(inside)
  writeFileSync(join(inside, name), 'x')
  symlinkSync(name, join(inside, 'z'))
  const found = await read(packed(format), 700)
  rmSync(inside, { recursive: true })
  expect(found).toContain(`0 ./long/${name}  x`)
  expect(found).toContain(`2 ./long/z ${name}`)
})

test('content that nobody reads is skipped', async () => {
  const names: string[] = []
  for await (const { header } of readTar(pieces(tar([{ name: 'a', content: 'x'.repeat(2000) }, { name: 'b' }]), 300))) names.push(header.name)
  expect(names).toEqual(['a', 'b'])
})

test('links have no content, whatever size some packers write to them', async () => {
  const links = [{ name: 'h', flag: '1', target: 'a', size: 3 }, { name: 's', flag: '2', target: 'a', size: 600 }]
  expect(await read(tar([{ name: 'a', content: 'abc' }, ...links, { name: 'b', content: 'x' }]))).toEqual(['0 a  abc', '1 h a', '2 s a', '0 b  x'])
})

test('what lies behind the end of an archive is not in it, as for every other reader', async () => {
  const archive = tar([{ name: 'a', content: 'abc' }])
  for (const rest of [tar([{ name: 'hidden' }]), Buffer.alloc(700, 'x')]) expect(await read(Buffer.concat([archive, rest]), 513)).toEqual(['0 a  abc'])
  // One empty block ends nothing.
  expect(await read(Buffer.concat([tarEntry({ name: 'a' }), Buffer.alloc(512), tar([{ name: 'b' }])]))).toEqual(['0 a', '0 b'])
})

test('a size in base 256', async () => {
  const entry = tarEntry({ name: 'a', content: 'abc' })
  entry.fill(0, 124, 136).writeUInt8(0x80, 124)
  entry.writeUInt8(3, 135)
  const sum = entry.subarray(0, 512).fill(' ', 148, 156).reduce((all, byte) => all + byte, 0)
  entry.write(`${sum.toString(8).padStart(6, '0')}\0`, 148)
  expect(await read(entry)).toEqual(['0 a  abc'])
})

test.each([600, 1030, 1200])('an archive that ends after %i bytes', async (bytes) => {
  await expect(read(tar([{ name: 'a', content: 'abc' }, { name: 'b', content: 'x'.repeat(600) }]).subarray(0, bytes))).rejects.toThrow('unexpected end')
})
