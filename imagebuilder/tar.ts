import { Failure } from '#base/errors.ts'

/** An entry of a layer. Owner and time are not here: they are always 0, so that the same files give the same bytes. */
export interface TarHeader {
  /** Relative, `/` separated, no leading or trailing slash. */
  readonly path: string
  readonly type: 'file' | 'directory' | 'symlink' | 'link'
  /** Permission bits, e.g. 0o755. */
  readonly mode: number
  /** Bytes of content; 0 for everything but files. */
  readonly size: number
  /** Target of a symbolic or hard link. */
  readonly target?: string
}

const blockBytes = 512
const flags = { file: '0', link: '1', symlink: '2', directory: '5' } as const
const largestOctal = 0o77777777777

/** Two empty blocks end an archive (POSIX ustar). */
export const tarEnd: Buffer = Buffer.alloc(2 * blockBytes)

/** Zeros that fill the last block of a file of this size. */
export function tarPadding(size: number): Buffer {
  return tarEnd.subarray(0, (blockBytes - (size % blockBytes)) % blockBytes)
}

/**
 * The header blocks of an entry: POSIX ustar, preceded by a pax header where path, target or size do not fit.
 * @throws LAYER_ENTRY_INVALID for a path with NUL
 */
export function tarHeader(header: TarHeader): Buffer {
  const { type, mode, size, target = '' } = header
  if (header.path.includes('\0') || target.includes('\0')) throw new Failure('LAYER_ENTRY_INVALID', `path "${header.path.replaceAll('\0', '\\0')}" has a NUL character`)
  const name = type === 'directory' ? `${header.path}/` : header.path
  const split = splitName(name)
  const records = [
    split === undefined ? paxRecord('path', name) : '',
    Buffer.byteLength(target) > 100 ? paxRecord('linkpath', target) : '',
    size > largestOctal ? paxRecord('size', String(size)) : '',
  ]
  const block = encode({ ...(split ?? { name: cut(name, 100), prefix: '' }), mode, size: Math.min(size, largestOctal), flag: flags[type], target: cut(target, 100) })
  const body = Buffer.from(records.join(''))
  if (body.length === 0) return block
  const pax = encode({ name: 'PaxHeader', prefix: '', mode: 0o644, size: body.length, flag: 'x', target: '' })
  return Buffer.concat([pax, body, tarPadding(body.length), block])
}

/** name (100) and prefix (155), cut at a slash; undefined when it does not fit or is not ASCII. */
function splitName(path: string): { name: string; prefix: string } | undefined {
  // oxlint-disable-next-line no-control-regex -- ustar names are ASCII
  if (!/^[\x01-\x7f]*$/.test(path)) return undefined
  if (path.length <= 100) return { name: path, prefix: '' }
  const slash = path.indexOf('/', path.length - 101)
  if (slash <= 0 || slash > 155 || slash === path.length - 1) return undefined
  return { name: path.slice(slash + 1), prefix: path.slice(0, slash) }
}

/** `<length> key=value\n`, the length counting itself. */
function paxRecord(key: string, value: string): string {
  const rest = Buffer.byteLength(` ${key}=${value}\n`)
  let length = rest
  while (length !== rest + String(length).length) length = rest + String(length).length
  return `${length} ${key}=${value}\n`
}

function cut(text: string, bytes: number): string {
  let end = text.length
  while (Buffer.byteLength(text.slice(0, end)) > bytes) end--
  return text.slice(0, end)
}

function encode(fields: { name: string; prefix: string; mode: number; size: number; flag: string; target: string }): Buffer {
  const block = Buffer.alloc(blockBytes)
  const octal = (value: number, at: number, digits: number): number => block.write(value.toString(8).padStart(digits, '0'), at, 'latin1')
  block.write(fields.name, 0, 'utf8')
  octal(fields.mode & 0o7777, 100, 7)
  octal(0, 108, 7)
  octal(0, 116, 7)
  octal(fields.size, 124, 11)
  octal(0, 136, 11)
  block.fill(' ', 148, 156)
  block.write(fields.flag, 156, 'latin1')
  block.write(fields.target, 157, 'utf8')
  block.write('ustar\u000000', 257, 'latin1')
  octal(0, 329, 7)
  octal(0, 337, 7)
  block.write(fields.prefix, 345, 'latin1')
  let sum = 0
  for (let at = 0; at < blockBytes; at++) sum += block[at] ?? 0
  octal(sum, 148, 6)
  block[154] = 0
  return block
}
