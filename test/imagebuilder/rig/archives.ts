// Archives made entry by entry, so that they can hold what no packer would write.
import { writeFile } from 'node:fs/promises'
import { deflateRawSync, gzipSync, crc32 } from 'node:zlib'

export interface TarEntry {
  readonly name: string
  readonly content?: Buffer | string
  readonly mode?: number
  /** ustar typeflag: 0 file, 1 hard link, 2 symbolic link, 3 and 4 devices, 5 folder, 6 pipe, S sparse, x pax. */
  readonly flag?: string
  readonly target?: string
  /** The size told by the header, when it lies. */
  readonly size?: number
  readonly uid?: number
  readonly mtime?: number
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0')
}

/** One entry: header, content, padding. */
export function tarEntry(entry: TarEntry): Buffer {
  const content = Buffer.from(entry.content ?? '')
  const header = Buffer.alloc(512)
  header.write(entry.name, 0, 100, 'utf8')
  header.write(octal(entry.mode ?? 0o644, 7), 100)
  header.write(octal(entry.uid ?? 1000, 7), 108)
  header.write(octal(entry.uid ?? 1000, 7), 116)
  header.write(octal(entry.size ?? content.length, 11), 124)
  header.write(octal(entry.mtime ?? 1_700_000_000, 11), 136)
  header.fill(' ', 148, 156)
  header.write(entry.flag ?? '0', 156)
  header.write(entry.target ?? '', 157, 100, 'utf8')
  header.write('ustar\u000000', 257, 'latin1')
  header.write(`${octal(header.reduce((sum, byte) => sum + byte, 0), 6)}\0`, 148)
  return Buffer.concat([header, content, Buffer.alloc((512 - (content.length % 512)) % 512)])
}

export function tar(entries: readonly TarEntry[]): Buffer {
  return Buffer.concat([...entries.map(tarEntry), Buffer.alloc(1024)])
}

export function tgz(entries: readonly TarEntry[]): Buffer {
  return gzipSync(tar(entries))
}

/** A pax header that overrides fields of the next entry. */
export function pax(fields: Readonly<Record<string, string>>): TarEntry {
  const record = (key: string, value: string): string => {
    const rest = ` ${key}=${value}\n`
    const bytes = Buffer.byteLength(rest)
    let length = bytes
    while (length !== bytes + String(length).length) length = bytes + String(length).length
    return length + rest
  }
  return { name: 'PaxHeader', flag: 'x', content: Object.entries(fields).map(([key, value]) => record(key, value)).join('') }
}

export interface ZipEntry {
  readonly name: string
  readonly content?: Buffer | string
  /** Unix st_mode; left out: a zip made on Windows. */
  readonly unixMode?: number
  readonly encrypted?: boolean
  /** Size that the headers tell, when they lie. */
  readonly size?: number
}

/** A zip, deflated. */
export function zip(entries: readonly ZipEntry[]): Buffer {
  const parts: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const entry of entries) {
    const content = Buffer.from(entry.content ?? '')
    const packed = deflateRawSync(content)
    const name = Buffer.from(entry.name)
    const fields = Buffer.alloc(26)
    fields.writeUInt16LE(20, 0)
    fields.writeUInt16LE(entry.encrypted === true ? 1 : 0, 2)
    fields.writeUInt16LE(8, 4)
    fields.writeUInt32LE(crc32(content), 10)
    fields.writeUInt32LE(packed.length, 14)
    fields.writeUInt32LE(entry.size ?? content.length, 18)
    fields.writeUInt16LE(name.length, 22)
    const central = Buffer.alloc(46)
    central.writeUInt32LE(0x02014b50, 0)
    central.writeUInt8(entry.unixMode === undefined ? 0 : 3, 5)
    fields.copy(central, 6)
    central.writeUInt32LE(((entry.unixMode ?? 0) << 16) >>> 0, 38)
    central.writeUInt32LE(offset, 42)
    const local = Buffer.concat([Buffer.from('504b0304', 'hex'), fields, name, packed])
    parts.push(local)
    directory.push(central, name)
    offset += local.length
  }
  const central = Buffer.concat(directory)
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(entries.length, 8)
  end.writeUInt16LE(entries.length, 10)
  end.writeUInt32LE(central.length, 12)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...parts, central, end])
}

/** The head of an ELF executable. @param machine e_machine: 62 x86-64, 183 AArch64 */
export function elf(machine = 62): Buffer {
  const head = Buffer.alloc(64)
  head.write('7f454c46020101', 0, 'hex')
  head.writeUInt16LE(2, 16)
  head.writeUInt16LE(machine, 18)
  return head
}

export async function write(path: string, content: Buffer): Promise<string> {
  await writeFile(path, content)
  return path
}
