// Layers that are made once: whoever looks meanwhile sees the whole of one, or none.
import { createHash } from 'node:crypto'
import { watch } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { keptLayer } from '../../framework/local/base-image.ts'

let dir: string
let root: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tarsk8s-layer-'))
  root = join(dir, 'root')
  await mkdir(root)
  await writeFile(join(root, 'file'), 'content')
})
afterEach(() => rm(dir, { recursive: true, force: true }))

test('a layer and its description appear whole', async () => {
  const events: string[] = []
  const seen = Promise.withResolvers<void>()
  const watcher = watch(dir, (event, name) => (name === 'seen' ? seen.resolve() : events.push(`${event} ${name ?? ''}`)))
  await keptLayer(root)
  // Events come in the order in which things happened.
  await writeFile(join(dir, 'seen'), '')
  await seen.promise
  watcher.close()
  const own = (name: string): string[] => events.filter((event) => event.endsWith(` ${name}`))
  // Each was renamed into its place, and never written to there.
  expect([own('root.layer.json'), own('root.tar.gz')]).toEqual([['rename root.layer.json'], ['rename root.tar.gz']])
  expect((await readdir(dir)).sort()).toEqual(['root', 'root.layer.json', 'root.tar.gz', 'seen'])
})

test('made by several at once, it is one', async () => {
  const made = await Promise.all([keptLayer(root), keptLayer(root), keptLayer(root)])
  const digest = `sha256:${createHash('sha256').update(await readFile(join(dir, 'root.tar.gz'))).digest('hex')}`
  expect(made.map((layer) => layer.digest)).toEqual([digest, digest, digest])
  expect(await keptLayer(root)).toEqual(made[0])
})
