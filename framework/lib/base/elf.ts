import { closeSync, copyFileSync, fstatSync, ftruncateSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs'
import { Failure } from './errors.ts'

const HEADER = 64
const MAGIC = Buffer.from('7f454c460201', 'hex')

/**
 * Copies an executable without what only linkers and debuggers read: the section table and all that lies behind the last
 * segment, the symbols above all. A program is loaded by its segments alone (System V ABI, chapter 5). The same file gives
 * the same bytes; `target` appears whole or not at all.
 * @param source an ELF-64 little-endian executable
 * @throws Failure ELF_INVALID for any other file, or one that is cut short
 */
export function copyStripped(source: string, target: string): void {
  const draft = `${target}.${process.pid}.part`
  copyFileSync(source, draft)
  const file = openSync(draft, 'r+')
  try {
    const header = read(file, 0, HEADER)
    if (!header.subarray(0, MAGIC.length).equals(MAGIC)) throw invalid(source, 'is not a 64-bit little-endian ELF file')
    const end = endOfSegments(file, header)
    if (end > fstatSync(file).size) throw invalid(source, 'is cut short')
    ftruncateSync(file, end)
    header.writeBigUInt64LE(0n, 40) // e_shoff
    header.fill(0, 58, 64) // e_shentsize, e_shnum, e_shstrndx
    writeSync(file, header, 0, HEADER, 0)
    renameSync(draft, target)
  } finally {
    closeSync(file)
    rmSync(draft, { force: true })
  }
}

const invalid = (source: string, what: string): Failure => new Failure('ELF_INVALID', `${source} ${what}`, { remedy: 'give a whole executable of x64 or arm64' })

/** The first byte that neither a segment nor the table of segments has. */
function endOfSegments(file: number, header: Buffer): number {
  const table = Number(header.readBigUInt64LE(32))
  const size = header.readUInt16LE(54)
  const count = header.readUInt16LE(56)
  const segments = read(file, table, size * count)
  let end = table + size * count
  for (let at = 0; at < segments.length; at += size) {
    end = Math.max(end, Number(segments.readBigUInt64LE(at + 8) + segments.readBigUInt64LE(at + 32)))
  }
  return end
}

function read(file: number, position: number, length: number): Buffer {
  const bytes = Buffer.alloc(length)
  readSync(file, bytes, 0, length, position)
  return bytes
}
