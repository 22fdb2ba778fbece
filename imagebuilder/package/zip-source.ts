import { createReadStream } from 'node:fs'
import { open, stat, type FileHandle } from 'node:fs/promises'
import { pipeline } from 'node:stream'
import { crc32, createInflateRaw } from 'node:zlib'
import { damaged, orDamaged } from './damaged.ts'
import { noContent, type PackageEntry, type PackageSource } from './entry.ts'
import { contentOffset, readZipDirectory, type ZipMember } from './zip-directory.ts'

const readBytes = 256 << 10
const typeMask = 0o170000
const kinds: Readonly<Record<number, PackageEntry['type']>> = { 0o040000: 'directory', 0o100000: 'file', 0o120000: 'symlink', 0: 'file' }
const longestLink = 4096

/** Opens a zip, jar or war; members come in the order of its directory. */
export async function openZip(path: string): Promise<PackageSource> {
  const { size } = await stat(path)
  let consumed = 0
  return {
    description: 'zip',
    size,
    consumed: () => consumed,
    async *entries(signal) {
      consumed = 0
      const file = await open(path, 'r')
      try {
        for (const member of await readZipDirectory(file, size)) {
          signal?.throwIfAborted()
          const entry = await entryOf(file, path, member)
          yield entry
          consumed += member.packedBytes
        }
      } catch (error) {
        throw damaged(error, path)
      } finally {
        await file.close()
      }
    },
  }
}

function typeOf(member: ZipMember): PackageEntry['type'] {
  if (member.name.endsWith('/')) return 'directory'
  if (member.encrypted || (member.method !== 0 && member.method !== 8)) return 'unsupported'
  return member.unixMode === undefined ? 'file' : (kinds[member.unixMode & typeMask] ?? 'unsupported')
}

function kindOf(member: ZipMember): string {
  if (member.encrypted) return 'encrypted member'
  if (member.method !== 0 && member.method !== 8) return `member of compression method ${member.method}`
  return 'device or named pipe'
}

async function entryOf(file: FileHandle, path: string, member: ZipMember): Promise<PackageEntry> {
  const type = typeOf(member)
  const content = (): AsyncIterable<Buffer> => orDamaged(contentOf(file, path, member), path)
  return {
    name: member.name,
    type,
    kind: kindOf(member),
    mode: member.unixMode === undefined ? undefined : member.unixMode & 0o7777,
    size: type === 'file' ? member.bytes : 0,
    target: type === 'symlink' ? await linkTarget(member, content) : '',
    content: type === 'file' ? content() : noContent(),
  }
}

async function linkTarget(member: ZipMember, content: () => AsyncIterable<Buffer>): Promise<string> {
  if (member.bytes > longestLink) throw new Error(`zip: the link ${member.name} has a target of ${member.bytes} bytes`)
  const parts: Buffer[] = []
  for await (const part of content()) parts.push(part)
  return Buffer.concat(parts).toString('utf8')
}

/** The member's content; its announced size and CRC are enforced, so a lying header ends in an error. */
async function* contentOf(file: FileHandle, path: string, member: ZipMember): AsyncGenerator<Buffer> {
  if (member.packedBytes === 0 && member.bytes === 0) return
  const start = await contentOffset(file, member)
  const raw = createReadStream(path, { start, end: start + member.packedBytes - 1, highWaterMark: readBytes })
  const stream = member.method === 0 ? raw : pipeline(raw, createInflateRaw({ chunkSize: readBytes }), () => {})
  let sum = 0
  let bytes = 0
  for await (const part of stream as AsyncIterable<Buffer>) {
    bytes += part.length
    if (bytes > member.bytes) throw new Error(`zip: ${member.name} is longer than its header says`)
    sum = crc32(part, sum)
    yield part
  }
  if (bytes !== member.bytes || sum !== member.crc32) throw new Error(`zip: ${member.name} has a wrong length or checksum`)
}
