import { constants, crc32, createGzip, type Gzip, type ZlibReset } from 'node:zlib'
import { ownMemory } from '../memory.ts'
import { mediaTypes } from '../oci/types.ts'
import type { Codec, Packer } from './codec.ts'

/** A concatenation of members is a gzip file (RFC 1952, 2.2). */
export const gzip: Codec = { name: 'gzip', mediaType: mediaTypes.ociLayerGzip, packer: () => idle.pop() ?? new GzipPacker(), stored }

/**
 * Those of builds that have ended: the state of a compressor costs as much to make as a small member, and half a megabyte,
 * which V8 takes for garbage of its heap.
 */
const idle: GzipPacker[] = []
const mostIdle = 8

/** Makes one member after the other. Level 1 costs a fraction of the default and loses about a tenth of the ratio. */
class GzipPacker implements Packer {
  readonly #gzip = createGzip({ level: 1, chunkSize: 2 * ownMemory }) as Gzip & ZlibReset
  readonly #parts: Buffer[] = []
  #sound = true

  constructor() {
    this.#gzip.on('data', (part: Buffer) => this.#parts.push(part))
    this.#gzip.on('error', () => (this.#sound = false))
  }

  async pack(block: Buffer): Promise<Buffer[]> {
    const gzip = this.#gzip
    await new Promise<void>((resolve, reject) => {
      gzip.once('error', reject)
      gzip.write(block)
      gzip.flush(constants.Z_FINISH, () => {
        gzip.off('error', reject)
        resolve()
      })
    })
    gzip.reset()
    return this.#parts.splice(0)
  }

  close(): void {
    if (this.#sound && idle.length < mostIdle) idle.push(this)
    else this.#gzip.close()
  }
}

/** Magic, deflate, no flags, no time, compressed fastest, Unix (RFC 1952, 2.3). */
const memberHead = Buffer.from('1f8b0800000000000403', 'hex')
/** The longest stored block (RFC 1951, 3.2.4). */
const storedBytes = 0xffff

/** A member that holds the block as it is: nothing to compute but the checksum, and no copy. */
function stored(block: Buffer): Buffer[] {
  const parts: Buffer[] = [memberHead]
  for (let start = 0; start < block.length; start += storedBytes) {
    const content = block.subarray(start, start + storedBytes)
    const head = Buffer.alloc(5)
    head.writeUInt8(start + content.length === block.length ? 1 : 0, 0)
    head.writeUInt16LE(content.length, 1)
    head.writeUInt16LE(content.length ^ 0xffff, 3)
    parts.push(head, content)
  }
  const trailer = Buffer.alloc(8)
  trailer.writeUInt32LE(crc32(block), 0)
  trailer.writeUInt32LE(block.length, 4)
  return [...parts, trailer]
}
