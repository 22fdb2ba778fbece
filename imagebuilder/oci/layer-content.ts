import { createGunzip, createZstdDecompress } from 'node:zlib'
import type { Transform } from 'node:stream'
import { readBytes, unpacked } from '../package/stream.ts'
import { mediaTypes } from './types.ts'

const decompressors: Readonly<Record<string, (() => Transform) | undefined>> = {
  [mediaTypes.ociLayer]: undefined,
  [mediaTypes.dockerLayer]: undefined,
  [mediaTypes.ociLayerGzip]: () => createGunzip({ chunkSize: readBytes }),
  [mediaTypes.dockerLayerGzip]: () => createGunzip({ chunkSize: readBytes }),
  [mediaTypes.ociLayerZstd]: () => createZstdDecompress({ chunkSize: readBytes }),
}

/** Whether layers of this media type can be read. */
export const isReadableLayer = (mediaType: string): boolean => mediaType in decompressors

/** The tar within the bytes of a layer; each piece is good until the next is asked for. */
export function layerTar(bytes: AsyncIterable<Buffer>, mediaType: string): AsyncIterable<Buffer> {
  const decompressor = decompressors[mediaType]
  return decompressor === undefined ? bytes : unpacked(bytes, decompressor())
}
