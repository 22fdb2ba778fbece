// Distinguished Encoding Rules (ITU-T X.690), as far as certificates need them.

function encode(tag: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([tag]), lengthOf(content.length), content])
}

function lengthOf(size: number): Buffer {
  if (size < 0x80) return Buffer.from([size])
  const hex = size.toString(16)
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex')
  return Buffer.concat([Buffer.from([0x80 | bytes.length]), bytes])
}

export const sequence = (...parts: readonly Buffer[]): Buffer => encode(0x30, Buffer.concat(parts))
export const set = (...parts: readonly Buffer[]): Buffer => encode(0x31, Buffer.concat(parts))
export const boolean = (value: boolean): Buffer => encode(0x01, Buffer.from([value ? 0xff : 0]))
/** @param bytes big-endian, of a number that is not negative; the first bit must be 0 */
export const integer = (bytes: Buffer): Buffer => encode(0x02, bytes)
/** @param unused bits at the end that do not count */
export const bitString = (bytes: Buffer, unused = 0): Buffer => encode(0x03, Buffer.concat([Buffer.from([unused]), bytes]))
export const octetString = (bytes: Buffer): Buffer => encode(0x04, bytes)
export const utf8 = (text: string): Buffer => encode(0x0c, Buffer.from(text, 'utf8'))
/** A context-specific tag around (`constructed`) or instead of another encoding. */
export const context = (tag: number, content: Buffer, constructed = true): Buffer => encode((constructed ? 0xa0 : 0x80) | tag, content)

/** @param dotted e.g. `2.5.4.3` */
export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  return encode(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]))
}

function base128(value: number): number[] {
  const digits = [value % 128]
  for (let left = Math.floor(value / 128); left > 0; left = Math.floor(left / 128)) digits.unshift((left % 128) | 0x80)
  return digits
}

/** UTCTime until 2049, GeneralizedTime after (RFC 5280, 4.1.2.5). @param ms since the epoch */
export function time(ms: number): Buffer {
  const digits = `${new Date(ms).toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`
  return Number(digits.slice(0, 4)) < 2050 ? encode(0x17, Buffer.from(digits.slice(2))) : encode(0x18, Buffer.from(digits))
}

export function pem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}
