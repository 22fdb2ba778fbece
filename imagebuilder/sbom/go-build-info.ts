// The build information of a Go executable (debug/buildinfo): a magic, and, where bit 1 of its flags is set, behind 32
// bytes two strings with their lengths before them: the compiler's version, and the modules between two marks of 16 bytes.

const magic = Buffer.from('\xff Go buildinf:', 'latin1')
const headBytes = 32
const flagsAt = 15
const inlineStrings = 2
const markBytes = 16
/** More modules than any executable has. Bytes. */
const most = 1 << 20

/** Looks for it in the content of a file on its way. */
export class GoBuildInfo {
  #kept = Buffer.alloc(0)
  #found = false

  see(piece: Buffer): void {
    if (this.#found) {
      if (this.#kept.length < most) this.#kept = Buffer.concat([this.#kept, piece])
      return
    }
    const joined = Buffer.concat([this.#kept, piece])
    const at = joined.indexOf(magic)
    this.#found = at >= 0
    // The magic may lie across two pieces.
    this.#kept = Buffer.from(joined.subarray(this.#found ? at : Math.max(0, joined.length - magic.length)))
  }

  /** The text about modules; empty when there is none. */
  text(): string {
    const bytes = this.#kept
    if (!this.#found || bytes.length < headBytes || ((bytes[flagsAt] ?? 0) & inlineStrings) === 0) return ''
    const version = stringAt(bytes, headBytes)
    const modules = version && stringAt(bytes, version.end)
    return modules === undefined ? '' : modules.bytes.subarray(markBytes, -markBytes).toString('utf8')
  }
}

/** A string with its length as a varint before it. */
function stringAt(bytes: Buffer, start: number): { readonly bytes: Buffer; readonly end: number } | undefined {
  let [length, at] = [0, start]
  for (let factor = 1; ; factor *= 128) {
    const byte = bytes[at++]
    if (byte === undefined || factor > 2 ** 28) return undefined
    length += (byte & 0x7f) * factor
    if (byte < 0x80) break
  }
  return at + length > bytes.length ? undefined : { bytes: bytes.subarray(at, at + length), end: at + length }
}
