import type { Reader } from '../codec/reader.ts'
import type { Writer } from '../codec/writer.ts'

/** map<string,string>: context or status of a packet. */
export type Texts = ReadonlyMap<string, string>

class NoTexts extends Map<string, string> {
  override set(): this {
    throw new TypeError('the map of a received packet is read-only')
  }
}

/** The empty map that all packets without context or status share. */
export const noTexts: Texts = new NoTexts()

export function readTexts(reader: Reader, tag: number): Texts {
  const count = reader.beginMap(tag)
  if (count <= 0) return noTexts
  const texts = new Map<string, string>()
  for (let i = 0; i < count; i++) {
    const key = reader.readString(0)
    texts.set(key, reader.readString(1))
  }
  return texts
}

export function writeTexts(writer: Writer, tag: number, texts: Texts): void {
  writer.beginMap(tag, texts.size)
  if (texts.size === 0) return
  for (const [key, value] of texts) {
    writer.writeString(0, key)
    writer.writeString(1, value)
  }
}
