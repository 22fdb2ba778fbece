import { describe, expect, test } from 'vitest'
import { Reader } from '#tars/codec/reader.ts'
import { Writer } from '#tars/codec/writer.ts'
import { Codecs } from '#tars/idl/codecs.ts'
import { typeText } from '#tars/idl/constants.ts'
import { cases, schema, tags } from './cases.ts'
import { streamDecode, streamEncode } from './stream-peer.ts'

const codecs = new Codecs(schema)

describe('against @tars/stream', () => {
  test.each(cases.map((one) => [typeText(one.type), one] as const))('%s: same bytes, and both read them', (_, { type, values }) => {
    const codec = codecs.of(type)
    for (const tag of tags) {
      for (const value of values) {
        const w = new Writer(1)
        codec.write(w, tag, value)
        const ours = w.bytes()
        expect(ours).toEqual(streamEncode(type, tag, value))
        expect(codec.read(new Reader(ours), tag)).toEqual(value)
        expect(streamDecode(type, tag, ours)).toEqual(value)
      }
    }
  })

  test('every tag', () => {
    for (let tag = 0; tag < 256; tag++) {
      const w = new Writer()
      w.writeInt(tag, 1000)
      expect(w.bytes()).toEqual(streamEncode('int', tag, 1000))
      expect(new Reader(w.bytes()).readInt(tag)).toBe(1000)
      expect(streamDecode('int', tag, w.bytes())).toBe(1000)
    }
  })

  test('every integer of 17 bits', () => {
    const w = new Writer()
    const r = new Reader(Buffer.alloc(0))
    const wrong: number[] = []
    for (let value = -65536; value <= 65536; value++) {
      w.reset().writeInt(3, value)
      if (!w.view().equals(streamEncode('int', 3, value)) || r.reset(w.bytes()).readInt(3) !== value) wrong.push(value)
    }
    expect(wrong).toEqual([])
  })

  test('every length of string and bytes up to 300', () => {
    for (let length = 0; length <= 300; length++) {
      const w = new Writer(1)
      const text = 'é'.repeat(length)
      w.writeString(1, text)
      expect(w.bytes()).toEqual(streamEncode('string', 1, text))
      const bytes = Buffer.alloc(length, length)
      w.reset().writeBytes(1, bytes)
      expect(w.bytes()).toEqual(streamEncode('bytes', 1, bytes))
      const mark = w.reset().beginBytes(1)
      w.writeRaw(bytes)
      w.endBytes(mark)
      expect(w.bytes()).toEqual(streamEncode('bytes', 1, bytes))
    }
  })
})
