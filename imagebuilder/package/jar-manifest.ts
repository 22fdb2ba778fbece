import { constants, inflateRawSync } from 'node:zlib'
import type { Observer } from './rewrite.ts'

const name = Buffer.from('META-INF/MANIFEST.MF')
const localHeader = Buffer.from('504b0304', 'hex')
const localHeaderBytes = 30
const [methodAt, nameBytesAt, extraBytesAt] = [8, 26, 28]
/** Tools write the manifest first; of a jar so much is looked at. Bytes. */
const headBytes = 512 << 10

/** Looks for the manifest of a jar on its way (JAR File Specification, "The META-INF directory"). */
export class JarManifest implements Observer {
  readonly #pieces: Buffer[] = []
  #kept = 0

  see(piece: Buffer): void {
    if (this.#kept >= headBytes) return
    this.#pieces.push(Buffer.from(piece.subarray(0, headBytes - this.#kept)))
    this.#kept += piece.length
  }

  /** True when the manifest was seen and names no class to start with. */
  get lacksMain(): boolean {
    const text = manifestIn(Buffer.concat(this.#pieces))
    return text !== undefined && !/^Main-Class: *\S/im.test(text)
  }
}

function manifestIn(head: Buffer): string | undefined {
  for (let at = head.indexOf(name); at >= 0; at = head.indexOf(name, at + 1)) {
    const start = at - localHeaderBytes
    if (start < 0 || !head.subarray(start, start + localHeader.length).equals(localHeader) || head.readUInt16LE(start + nameBytesAt) !== name.length) continue
    const content = head.subarray(at + name.length + head.readUInt16LE(start + extraBytesAt))
    return head.readUInt16LE(start + methodAt) === 0 ? content.toString('latin1', 0, headBytes) : inflated(content)
  }
  return undefined
}

/** As far as it is there. */
function inflated(content: Buffer): string | undefined {
  try {
    return inflateRawSync(content, { finishFlush: constants.Z_SYNC_FLUSH }).toString('latin1')
  } catch {
    return undefined
  }
}
