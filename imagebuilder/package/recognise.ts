import { open } from 'node:fs/promises'
import { Failure } from '#base/errors.ts'

/** What a package file is, by its content; its name does not matter. */
export type PackageFormat = 'tar' | 'tar.gz' | 'tar.zst' | 'zip'

/** By which it is recognised. */
export const headBytes = 512
const remedy = 'pack the release as tgz, tar, tar.zst, zip, jar or war'

function refuse(path: string, what: string): never {
  throw new Failure('PACKAGE_FORMAT', `package ${path} ${what}`, { remedy, context: { path } })
}

/** A tar header carries the sum of its own bytes, the sum field counted as spaces (POSIX ustar). */
function isTarHeader(head: Buffer): boolean {
  if (head.length < 512) return false
  const told = Number.parseInt(head.toString('latin1', 148, 156).trim(), 8)
  let sum = 8 * 32
  for (const [at, byte] of head.entries()) if (at < 148 || at >= 156) sum += byte
  return told === sum
}

/** Formats that people try and that are not taken, by their magic numbers. */
const others: readonly (readonly [magic: string, name: string])[] = [
  ['fd377a585a00', 'is an xz archive'],
  ['425a68', 'is a bzip2 archive'],
  ['377abcaf271c', 'is a 7z archive'],
  ['526172211a07', 'is a rar archive'],
  ['7f454c46', 'is a bare executable, not an archive'],
  ['2321', 'is a script, not an archive'],
]

/** @throws PACKAGE_FORMAT for anything else, PACKAGE_UNREADABLE when the file cannot be read */
export async function recognise(path: string): Promise<PackageFormat> {
  const head = await readHead(path)
  const hex = head.toString('hex', 0, 8)
  if (head.length === 0) refuse(path, 'is empty')
  if (hex.startsWith('1f8b')) return 'tar.gz'
  if (hex.startsWith('28b52ffd')) return 'tar.zst'
  if (hex.startsWith('504b0304') || hex.startsWith('504b0506')) return 'zip'
  if (isTarHeader(head)) return 'tar'
  return refuse(path, others.find(([magic]) => hex.startsWith(magic))?.[1] ?? 'is not an archive')
}

async function readHead(path: string): Promise<Buffer> {
  try {
    const file = await open(path, 'r')
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(headBytes), 0, headBytes, 0)
      return buffer.subarray(0, bytesRead)
    } finally {
      await file.close()
    }
  } catch (cause) {
    throw new Failure('PACKAGE_UNREADABLE', `package ${path} cannot be read`, { cause, remedy: 'check the path and its permissions', context: { path } })
  }
}
