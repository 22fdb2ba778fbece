// Members kept from one build to the next: the same bytes come out, whatever was kept and whatever became of it.
import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readlink, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { LayerStream } from '../../imagebuilder/layer-stream.ts'
import { MemberCache, type BuildMembers } from '../../imagebuilder/member-cache.ts'

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tarsk8s-members-'))
})
afterEach(async () => {
  for (const cache of opened.splice(0)) await cache.close()
  await rm(dir, { recursive: true, force: true })
})

const opened: MemberCache[] = []
async function openCache(mostBytes: number): Promise<MemberCache> {
  const cache = await MemberCache.open(dir, mostBytes)
  opened.push(cache)
  return cache
}

/** The files that have no name, as this process has them open. */
async function packs(): Promise<string[]> {
  const fds = (await readdir('/proc/self/fd')).map((fd) => `/proc/self/fd/${fd}`)
  const targets = await Promise.all(fds.map((fd) => readlink(fd).catch(() => '')))
  return fds.filter((_, index) => targets[index]?.startsWith(dir))
}

const sizeOf = async (path: string): Promise<number> => (await stat(path)).size

const text = (number: number): Buffer => Buffer.from(`line ${number} of a text that shrinks\n`.repeat(4000))
const noise = (number: number): Buffer => Buffer.concat(Array.from({ length: 2000 }, (_, index) => createHash('sha256').update(`${number} ${index}`).digest()))

/** A layer of text files, every other one between files that do not shrink. */
async function layer(numbers: readonly number[], members?: BuildMembers): Promise<string> {
  const stream = new LayerStream(async () => {}, { members })
  for (const number of numbers) {
    for (const content of [text(number), noise(number)]) await stream.entry({ path: `file-${number}-${content.length}`, type: 'file', mode: 0o644, size: content.length }, [content])
  }
  return (await stream.end()).digest
}

interface Counted {
  readonly digest: string
  readonly found: number
  readonly kept: number
}

/** A build with the cache, and how much of it was found and kept. */
async function build(cache: MemberCache, numbers: readonly number[]): Promise<Counted> {
  const members = await cache.build()
  let [found, kept] = [0, 0]
  const counting: BuildMembers = {
    nameOf: (content) => members.nameOf(content),
    find: async (key) => {
      const member = await members.find(key)
      if (member !== undefined) found++
      return member
    },
    keep: (key, parts) => (kept++, members.keep(key, parts)),
    close: () => members.close(),
  }
  try {
    return { digest: await layer(numbers, counting), found, kept }
  } finally {
    await members.close()
  }
}

test('the next release compresses what has changed, and is the same image', async () => {
  const cache = await openCache(1 << 30)
  const first = await build(cache, [1, 2, 3, 4])
  expect(first.digest).toBe(await layer([1, 2, 3, 4]))
  const second = await build(cache, [1, 2, 9, 4])
  expect(second.digest).toBe(await layer([1, 2, 9, 4]))
  expect([first.found, second.kept]).toEqual([0, 1])
  expect(second.found).toBe(first.kept - 1)
})

test('what the disk has changed is compressed anew', async () => {
  const cache = await openCache(1 << 30)
  await build(cache, [1, 2])
  for (const pack of await packs()) await writeFile(pack, Buffer.alloc(await sizeOf(pack)), { flag: 'r+' })
  const again = await build(cache, [1, 2])
  expect([again.digest, again.found]).toEqual([await layer([1, 2]), 0])
})

test('the oldest go when it becomes too large, and none is kept without room', async () => {
  const cache = await openCache(6000)
  for (let number = 0; number < 20; number++) expect((await build(cache, [number])).digest).toBe(await layer([number]))
  const sizes = await Promise.all((await packs()).map(sizeOf))
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(6000)
  expect(sizes.length).toBeGreaterThan(0)
  expect((await build(cache, [19])).found).toBeGreaterThan((await build(cache, [0])).found)
  const none = await openCache(0)
  expect((await build(none, [1])).digest).toBe(await layer([1]))
  expect(await packs()).toHaveLength(sizes.length)
  expect(await readdir(dir)).toEqual([])
})

test('builds at once share what is kept', async () => {
  const cache = await openCache(2000)
  const wanted = await layer([1, 2, 3])
  const built = await Promise.all(Array.from({ length: 8 }, () => build(cache, [1, 2, 3])))
  expect(built.map(({ digest }) => digest)).toEqual(built.map(() => wanted))
})

test('builds that end at once leave nothing open that was not kept', async () => {
  const cache = await openCache(1 << 30)
  const kept = await build(cache, [1])
  expect(kept.kept).toBeGreaterThan(0)
  const idle = await Promise.all(Array.from({ length: 8 }, () => cache.build()))
  await Promise.all(idle.map((members) => members.close()))
  expect(await packs()).toHaveLength(1)
  expect((await build(cache, [1])).found).toBe(kept.kept)
})
