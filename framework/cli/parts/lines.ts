import { once } from 'node:events'

const newline = 0x0a
/** A line longer than this is passed on in pieces. */
const longestLine = 1 << 20

/** Passes bytes on; with a prefix, whole lines, each with it. Waits for a slow reader. */
export async function writeLines(source: AsyncIterable<Uint8Array>, prefix: string, out: NodeJS.WritableStream): Promise<void> {
  let rest = Buffer.alloc(0)
  for await (const chunk of source) {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    if (prefix === '') {
      await write(out, bytes)
      continue
    }
    const all = rest.length === 0 ? bytes : Buffer.concat([rest, bytes])
    const end = all.length > longestLine ? all.length : all.lastIndexOf(newline) + 1
    rest = Buffer.from(all.subarray(end))
    if (end > 0) await write(out, prefixed(all.subarray(0, end), prefix))
  }
  if (rest.length > 0) await write(out, prefixed(rest, prefix))
}

function prefixed(lines: Buffer, prefix: string): string {
  const text = lines.toString('utf8')
  const whole = text.endsWith('\n') ? text.slice(0, -1) : text
  return `${prefix}${whole.replaceAll('\n', `\n${prefix}`)}\n`
}

async function write(out: NodeJS.WritableStream, data: string | Buffer): Promise<void> {
  if (!out.write(data)) await once(out as NodeJS.EventEmitter, 'drain')
}
