// Most strings on the wire are a few ASCII characters: a host, a name, a key. For those, calling into the runtime's
// encoder costs more than the work itself.

/** Up to this many characters the loops below are faster than the runtime's calls. */
export const shortText = 16

/**
 * Copies ASCII text into a buffer that has room for it.
 * @returns false when a character is not ASCII; then what was copied is to be overwritten
 */
export function writeShort(buf: Buffer, at: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code > 0x7f) return false
    buf[at + i] = code
  }
  return true
}

/** The text of a few bytes, or undefined when one of them is not ASCII. */
export function readShort(buf: Buffer, start: number, end: number): string | undefined {
  let text = ''
  let seen = 0
  let at = start
  for (; at + 4 <= end; at += 4) {
    const a = buf[at] as number
    const b = buf[at + 1] as number
    const c = buf[at + 2] as number
    const d = buf[at + 3] as number
    seen |= a | b | c | d
    text += String.fromCharCode(a, b, c, d)
  }
  for (; at < end; at++) {
    const a = buf[at] as number
    seen |= a
    text += String.fromCharCode(a)
  }
  return seen > 0x7f ? undefined : text
}
