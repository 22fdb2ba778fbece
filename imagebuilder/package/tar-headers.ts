/** What the header blocks of one entry say together: its own, and the pax and GNU headers before it. */
export interface TarEntryHeader {
  readonly name: string
  /** ustar type flag, e.g. `0` file, `2` symbolic link, `5` folder. */
  readonly flag: string
  /** Permission bits. */
  readonly mode: number
  /** Bytes of content that follow. */
  readonly size: number
  /** Target of a link. */
  readonly target: string
  /** A pax header says that the content is a map of a file with holes (GNU tar). */
  readonly sparse: boolean
}

export const tarBlockBytes = 512

const sumAt = 148
const sumEnd = 156

/** Sum of a header's bytes, its own field counted as spaces (POSIX ustar). */
function sumOf(block: Buffer): number {
  let sum = 8 * 0x20
  for (let at = 0; at < sumAt; at++) sum += block[at] ?? 0
  for (let at = sumEnd; at < tarBlockBytes; at++) sum += block[at] ?? 0
  return sum
}

/** True for a block of zeros, which ends or fills an archive. */
export function isEmptyBlock(block: Buffer): boolean {
  return block.every((byte) => byte === 0)
}

function text(block: Buffer, start: number, length: number): string {
  const field = block.subarray(start, start + length)
  const end = field.indexOf(0)
  return field.toString('utf8', 0, end < 0 ? length : end)
}

/** Octal digits, or GNU's base 256 when the first bit is set. @throws when it is neither */
function number(block: Buffer, start: number, length: number): number {
  const field = block.subarray(start, start + length)
  if (((field[0] ?? 0) & 0x80) !== 0) return base256(field)
  const digits = field.toString('latin1').replace(/[\0 ]+$/, '').trimStart()
  if (!/^[0-7]*$/.test(digits)) throw new Error(`tar: "${digits}" is no octal number`)
  return digits === '' ? 0 : Number.parseInt(digits, 8)
}

function base256(field: Buffer): number {
  if (field[0] !== 0x80) throw new Error('tar: a negative number')
  let value = 0
  for (const byte of field.subarray(1)) value = value * 256 + byte
  if (!Number.isSafeInteger(value)) throw new Error('tar: a number beyond all sizes')
  return value
}

/** Reads one header block. @throws when its checksum is wrong */
export function parseTarHeader(block: Buffer): TarEntryHeader {
  if (number(block, sumAt, 8) !== sumOf(block)) throw new Error('tar: wrong checksum of a header')
  const prefix = block.toString('latin1', 257, 263) === 'ustar\0' ? text(block, 345, 155) : ''
  const own = text(block, 0, 100)
  const name = prefix === '' ? own : `${prefix}/${own}`
  const flag = block[156] === 0 ? '0' : String.fromCharCode(block[156] ?? 0)
  const size = number(block, 124, 12)
  // Tars older than POSIX tell folders by their name.
  const folder = flag === '0' && size === 0 && name.endsWith('/')
  return { name, flag: folder ? '5' : flag, mode: number(block, 100, 8) & 0o7777, size, target: text(block, 157, 100), sparse: false }
}

/** The records of a pax header, `<length> key=value\n` each. @throws when they contradict themselves */
export function parsePax(body: Buffer): Map<string, string> {
  const records = new Map<string, string>()
  for (let at = 0; at < body.length; ) {
    const space = body.indexOf(0x20, at)
    const length = space < 0 ? NaN : Number(body.toString('latin1', at, space))
    const record = body.toString('utf8', space + 1, at + length - 1)
    const equals = record.indexOf('=')
    if (!Number.isInteger(length) || at + length > body.length || at + length <= space || equals < 0) throw new Error('tar: a broken pax header')
    records.set(record.slice(0, equals), record.slice(equals + 1))
    at += length
  }
  return records
}

/** The header with what the pax records say instead. @throws when their size is none */
export function withPax(header: TarEntryHeader, pax: ReadonlyMap<string, string>): TarEntryHeader {
  const size = Number(pax.get('size') ?? header.size)
  if (!Number.isSafeInteger(size) || size < 0) throw new Error('tar: a broken size in a pax header')
  const sparse = [...pax.keys()].some((key) => key.startsWith('GNU.sparse.'))
  return { ...header, size, sparse, name: pax.get('path') ?? header.name, target: pax.get('linkpath') ?? header.target }
}
