// Reads 30,000 files of a tar, and prints by how many bytes V8's heap has grown since nothing but the young generation was collected.
import { orDamaged } from '../../../imagebuilder/package/damaged.ts'
import { readTar } from '../../../imagebuilder/package/tar-reader.ts'
import { tarHeader, tarPadding } from '../../../imagebuilder/tar.ts'

const size = 700
const entry = Buffer.concat([tarHeader({ path: 'lib/module.js', type: 'file', mode: 0o644, size }), Buffer.alloc(size), tarPadding(size)])
const piece = Buffer.concat(Array.from({ length: 100 }, () => entry))

async function* pieces(): AsyncGenerator<Buffer> {
  for (let count = 0; count < 300; count++) {
    await new Promise((resolve) => setImmediate(resolve))
    yield piece
  }
}

globalThis.gc?.()
const before = process.memoryUsage().heapUsed
let bytes = 0
for await (const { content } of readTar(pieces())) for await (const part of orDamaged(content, '')) bytes += part.length
if (bytes !== 30_000 * size) throw new Error(`${bytes} bytes were read`)
console.log(process.memoryUsage().heapUsed - before)
