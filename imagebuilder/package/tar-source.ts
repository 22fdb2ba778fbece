import { stat } from 'node:fs/promises'
import type { Transform } from 'node:stream'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import type { Arrival } from './arrival.ts'
import { damaged, orDamaged } from './damaged.ts'
import type { PackageEntry, PackageSource } from './entry.ts'
import { piecesOf, readBytes, unpacked } from './stream.ts'
import { readTar, type TarMember } from './tar-reader.ts'

const decompressors = {
  tar: undefined,
  'tar.gz': () => createGunzip({ chunkSize: readBytes }),
  'tar.zst': () => createZstdDecompress({ chunkSize: readBytes }),
} as const satisfies Record<string, (() => Transform) | undefined>

const descriptions = { tar: 'tar', 'tar.gz': 'gzip-compressed tar', 'tar.zst': 'zstd-compressed tar' } as const

/** ustar type flags; `7` is a file that was to lie in one piece. */
const types: Readonly<Record<string, PackageEntry['type']>> = { '0': 'file', '7': 'file', '5': 'directory', '2': 'symlink', '1': 'link' }
const kinds: Readonly<Record<string, string>> = { '3': 'character device', '4': 'block device', '6': 'named pipe' }

/** Opens a tar, plain or compressed; entries are read in one pass without unpacking, as far as it has arrived. */
export async function openTar(path: string, format: keyof typeof decompressors, arrival?: Arrival): Promise<PackageSource> {
  const size = arrival?.announced ?? (await stat(path)).size
  let consumed = 0
  return {
    description: descriptions[format],
    size,
    consumed: () => consumed,
    async *entries(signal) {
      consumed = 0
      const pieces = piecesOf(path, (bytes) => (consumed += bytes), signal, arrival)
      const chain = decompressors[format]
      try {
        for await (const member of readTar(chain === undefined ? pieces : unpacked(pieces, chain()))) yield entryOf(member, path)
      } catch (error) {
        throw signal?.aborted === true ? signal.reason : damaged(error, path)
      }
    },
  }
}

function entryOf({ header, content }: TarMember, path: string): PackageEntry {
  const { name, flag, mode, target, sparse } = header
  const type = sparse ? 'unsupported' : (types[flag] ?? 'unsupported')
  const kind = sparse ? 'sparse file' : (kinds[flag] ?? 'entry of an unknown type (sparse file or vendor extension)')
  return { name, type, kind, mode, size: type === 'file' ? header.size : 0, target, content: orDamaged(content, path) }
}
