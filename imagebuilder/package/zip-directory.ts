import type { FileHandle } from 'node:fs/promises'
import { Failure } from '#base/errors.ts'

/** A member of a zip file, from its central directory (APPNOTE.TXT 6.3.10, 4.3.12). */
export interface ZipMember {
  readonly name: string
  /** 0 stored, 8 deflated. */
  readonly method: number
  readonly encrypted: boolean
  readonly crc32: number
  readonly packedBytes: number
  readonly bytes: number
  /** st_mode of the file where the zip was made on Unix, else undefined. */
  readonly unixMode: number | undefined
  /** Where its local header begins. */
  readonly offset: number
}

const endSignature = 0x06054b50
const end64Signature = 0x06064b50
const locatorSignature = 0x07064b50
const memberSignature = 0x02014b50
const endBytes = 22
const longestComment = 0xffff
/** A central directory beyond this is no release package's. Bytes. */
const largestDirectory = 256 << 20
const unixHost = 3

interface DirectoryPlace {
  readonly offset: number
  readonly bytes: number
  readonly members: number
}

function damaged(rule: string): never {
  throw new Error(`zip: ${rule}`)
}

async function readAt(file: FileHandle, offset: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length)
  const { bytesRead } = await file.read(buffer, 0, length, offset)
  return bytesRead === length ? buffer : damaged('the file ends early')
}

function safe(value: bigint): number {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : damaged('a size is out of range')
}

async function findDirectory(file: FileHandle, fileBytes: number): Promise<DirectoryPlace> {
  const length = Math.min(fileBytes, endBytes + longestComment)
  const tail = await readAt(file, fileBytes - length, length)
  for (let at = tail.length - endBytes; at >= 0; at--) {
    if (tail.readUInt32LE(at) !== endSignature) continue
    const place = { members: tail.readUInt16LE(at + 10), bytes: tail.readUInt32LE(at + 12), offset: tail.readUInt32LE(at + 16) }
    const wide = place.members === 0xffff || place.bytes === 0xffffffff || place.offset === 0xffffffff
    return wide ? findDirectory64(file, fileBytes - length + at - 20) : place
  }
  return damaged('there is no end-of-central-directory record')
}

async function findDirectory64(file: FileHandle, locatorAt: number): Promise<DirectoryPlace> {
  const locator = await readAt(file, locatorAt, 20)
  if (locator.readUInt32LE(0) !== locatorSignature) damaged('the zip64 locator is missing')
  const end = await readAt(file, safe(locator.readBigUInt64LE(8)), 56)
  if (end.readUInt32LE(0) !== end64Signature) damaged('the zip64 record is missing')
  return { members: safe(end.readBigUInt64LE(32)), bytes: safe(end.readBigUInt64LE(40)), offset: safe(end.readBigUInt64LE(48)) }
}

/** The 64-bit values of the zip64 extra field stand in for 32-bit fields that are all ones, in this order. */
function widen(extra: Buffer, fields: { bytes: number; packedBytes: number; offset: number }): typeof fields {
  const wide = { ...fields }
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) !== 1) continue
    let value = at + 4
    for (const key of ['bytes', 'packedBytes', 'offset'] as const) {
      if (wide[key] !== 0xffffffff) continue
      wide[key] = safe(extra.readBigUInt64LE(value))
      value += 8
    }
  }
  return wide
}

function memberAt(directory: Buffer, at: number): { member: ZipMember; next: number } {
  if (directory.readUInt32LE(at) !== memberSignature) damaged('the central directory is broken')
  const nameBytes = directory.readUInt16LE(at + 28)
  const extraBytes = directory.readUInt16LE(at + 30)
  const name = directory.toString('utf8', at + 46, at + 46 + nameBytes)
  const extraAt = at + 46 + nameBytes
  const narrow = { packedBytes: directory.readUInt32LE(at + 20), bytes: directory.readUInt32LE(at + 24), offset: directory.readUInt32LE(at + 42) }
  const made = directory.readUInt8(at + 5)
  const mode = directory.readUInt32LE(at + 38) >>> 16
  const member = {
    name,
    method: directory.readUInt16LE(at + 10),
    encrypted: (directory.readUInt16LE(at + 8) & 1) === 1,
    crc32: directory.readUInt32LE(at + 16),
    unixMode: made === unixHost && mode !== 0 ? mode : undefined,
    ...widen(directory.subarray(extraAt, extraAt + extraBytes), narrow),
  }
  return { member, next: extraAt + extraBytes + directory.readUInt16LE(at + 32) }
}

/** Reads the central directory. @throws an Error for a damaged file, PACKAGE_TOO_LARGE for an absurd directory */
export async function readZipDirectory(file: FileHandle, fileBytes: number): Promise<ZipMember[]> {
  const place = await findDirectory(file, fileBytes)
  if (place.bytes > largestDirectory) throw new Failure('PACKAGE_TOO_LARGE', `the zip's directory has ${place.bytes} bytes; at most ${largestDirectory} are read`)
  const directory = await readAt(file, place.offset, place.bytes)
  const members: ZipMember[] = []
  for (let at = 0, count = 0; count < place.members; count++) {
    const { member, next } = memberAt(directory, at)
    members.push(member)
    at = next
  }
  return members
}

/** Where the member's bytes begin: behind its local header, whose name and extra lengths may differ from the directory's. */
export async function contentOffset(file: FileHandle, member: ZipMember): Promise<number> {
  const local = await readAt(file, member.offset, 30)
  if (local.readUInt32LE(0) !== 0x04034b50) damaged(`the local header of ${member.name} is missing`)
  return member.offset + 30 + local.readUInt16LE(26) + local.readUInt16LE(28)
}
