// Members of a layer, which are made in any order and are delivered in that of their contents.
import { createHash } from 'node:crypto'
import { gunzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { ParallelCompressor } from '../../imagebuilder/compression/parallel.ts'
import type { BuildMembers } from '../../imagebuilder/member-cache.ts'

const blockBytes = 1 << 20

/** Hexadecimal digits of no pattern: they shrink to somewhat more than half, which is more than a packer's memory at a time. */
function digits(seed: string, bytes: number): Buffer {
  const parts: Buffer[] = []
  for (let index = 0; index * 64 < bytes; index++) parts.push(Buffer.from(createHash('sha256').update(`${seed} ${index}`).digest('hex')))
  return Buffer.concat(parts).subarray(0, bytes)
}

test('one that is looked for in vain while the one after it is made, by the same packer, costs that one nothing', async () => {
  const content = Buffer.concat([digits('a', blockBytes), digits('b', blockBytes), digits('c', blockBytes)])
  const second = Promise.withResolvers<void>()
  let asked = 0
  const members: BuildMembers = {
    nameOf: (block) => block.toString('latin1', 0, 64),
    // The first waits until the second has been made.
    find: async () => (asked++ === 0 ? second.promise.then(() => undefined) : undefined),
    keep: async () => second.resolve(),
    close: async () => {},
  }
  const delivered: Buffer[] = []
  const compressor = new ParallelCompressor(async (part) => void delivered.push(Buffer.from(part)), { members })
  await compressor.write(content)
  await compressor.end()
  expect(gunzipSync(Buffer.concat(delivered)).equals(content)).toBe(true)
})

test('what one has ended with is lent to one other at a time, also when it is given up then', async () => {
  const compress = async (content: Buffer, giveUp: boolean): Promise<Buffer> => {
    const delivered: Buffer[] = []
    const compressor = new ParallelCompressor(async (part) => void delivered.push(Buffer.from(part)))
    await compressor.write(content)
    await compressor.end()
    if (giveUp) await compressor.abort()
    return Buffer.concat(delivered)
  }
  await compress(digits('first', 3 * blockBytes), true)
  const contents = Array.from({ length: 6 }, (_, index) => digits(`later ${index}`, 3 * blockBytes))
  const compressed = await Promise.all(contents.map((content) => compress(content, false)))
  expect(compressed.map((one, index) => gunzipSync(one).equals(contents[index] ?? Buffer.alloc(0)))).toEqual(contents.map(() => true))
})
