import { promisify } from 'node:util'
import { constants, zstdCompress } from 'node:zlib'
import { mediaTypes } from '../oci/types.ts'
import type { Codec } from './codec.ts'

const compress = promisify(zstdCompress)

/** The library's own default: smaller than gzip's best, at the price of its fastest. */
const level = 3

/** A concatenation of frames is a zstd file (RFC 8878, 3). */
export const zstd: Codec = {
  name: 'zstd',
  mediaType: mediaTypes.ociLayerZstd,
  packer: () => ({ pack: async (block) => [await compress(block, { params: { [constants.ZSTD_c_compressionLevel]: level } })], close: () => {} }),
  stored,
}

/** Magic, and a descriptor: one segment, its size in four bytes, no checksum (RFC 8878, 3.1.1). */
const frameHead = Buffer.from('28b52ffda0', 'hex')
/** The largest block (RFC 8878, 3.1.1.2). */
const blockBytes = 128 << 10

/** A frame of raw blocks. */
function stored(content: Buffer): Buffer[] {
  const size = Buffer.alloc(4)
  size.writeUInt32LE(content.length)
  const parts: Buffer[] = [frameHead, size]
  for (let start = 0; start < content.length; start += blockBytes) {
    const block = content.subarray(start, start + blockBytes)
    const head = Buffer.alloc(3)
    head.writeUIntLE((block.length << 3) | (start + block.length === content.length ? 1 : 0), 0, 3)
    parts.push(head, block)
  }
  return parts
}
