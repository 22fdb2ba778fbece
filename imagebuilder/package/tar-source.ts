import { createReadStream, type ReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { pipeline, type Transform } from 'node:stream'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { extract, type Extract, type Header } from 'tar-stream'
import { damaged, orDamaged } from './damaged.ts'
import { noContent, type PackageEntry, type PackageSource } from './entry.ts'

const readBytes = 256 << 10

const decompressors = {
  tar: undefined,
  'tar.gz': () => createGunzip({ chunkSize: readBytes }),
  'tar.zst': () => createZstdDecompress({ chunkSize: readBytes }),
} as const satisfies Record<string, (() => Transform) | undefined>

const descriptions = { tar: 'tar', 'tar.gz': 'gzip-compressed tar', 'tar.zst': 'zstd-compressed tar' } as const

type Entry = Extract extends AsyncIterable<infer T> ? T : never

const types: Readonly<Record<string, PackageEntry['type']>> = { file: 'file', 'contiguous-file': 'file', directory: 'directory', symlink: 'symlink', link: 'link' }

/** Opens a tar, plain or compressed; entries are read in one pass without unpacking. */
export async function openTar(path: string, format: keyof typeof decompressors): Promise<PackageSource> {
  const { size } = await stat(path)
  let file: ReadStream | undefined
  return {
    description: descriptions[format],
    size,
    consumed: () => file?.bytesRead ?? 0,
    async *entries(signal) {
      const input = createReadStream(path, { highWaterMark: readBytes })
      file = input
      const unpacked = extract()
      const chain = decompressors[format]
      const failure = Promise.withResolvers<never>()
      failure.promise.catch(() => {})
      const done = (error: Error | null | undefined): void => (error ? failure.reject(error) : undefined)
      const sink = unpacked as unknown as NodeJS.WritableStream
      if (chain === undefined) pipeline(input, sink, done)
      else pipeline(input, chain(), sink, done)
      const stop = (): void => void input.destroy(signal?.reason as Error)
      signal?.addEventListener('abort', stop, { once: true })
      try {
        const iterator = unpacked[Symbol.asyncIterator]()
        for (;;) {
          const next = await Promise.race([iterator.next(), failure.promise])
          if (next.done === true) break
          yield entryOf(next.value, path)
        }
      } catch (error) {
        throw signal?.aborted === true ? signal.reason : damaged(error, path)
      } finally {
        signal?.removeEventListener('abort', stop)
        input.destroy()
        unpacked.destroy()
      }
    },
  }
}

function entryOf(entry: Entry, path: string): PackageEntry {
  const { name, type: flag, mode, linkname } = entry.header
  const sparse = isSparse(entry.header)
  const type = sparse ? 'unsupported' : (types[flag] ?? 'unsupported')
  const size = type === 'file' ? entry.header.size : 0
  const content = size > 0 ? orDamaged(entry as unknown as AsyncIterable<Buffer>, path) : skip(entry)
  return { name, type, kind: sparse ? 'sparse file' : kindOf(flag), mode, size, target: linkname ?? '', content }
}

function isSparse(header: Header): boolean {
  return Object.keys(header.pax ?? {}).some((key) => key.startsWith('GNU.sparse.'))
}

function kindOf(type: string | null | undefined): string {
  if (type === 'character-device') return 'character device'
  if (type === 'block-device') return 'block device'
  if (type === 'fifo') return 'named pipe'
  return type ?? 'entry of an unknown type (sparse file or vendor extension)'
}

/** Lets the extractor go on to the next entry. */
function skip(entry: Entry): AsyncIterable<Buffer> {
  entry.resume()
  return noContent()
}
