import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Reader } from '#tars/codec/reader.ts'
import { Writer } from '#tars/codec/writer.ts'
import { Codecs } from '#tars/idl/codecs.ts'
import { typeText } from '#tars/idl/constants.ts'
import type { Type } from '#tars/idl/schema.ts'
import { startJavaPeer, type JavaPeer } from '../../../compat/java-codec/java-peer.ts'
import { cases, schema, tags } from './cases.ts'

const codecs = new Codecs(schema)
let java: JavaPeer

beforeAll(async () => {
  java = await startJavaPeer(schema)
})

afterAll(() => java.stop())

function holdsRealZero(type: Type, value: unknown): boolean {
  if (type === 'float' || type === 'double') return value === 0
  if (typeof type !== 'object') return false
  if ('vector' in type) return (value as unknown[]).some((element) => holdsRealZero(type.vector, element))
  const fields = 'struct' in type ? schema.structs[type.struct]?.fields ?? [] : []
  return fields.some((field) => holdsRealZero(field.type, (value as Record<string, unknown>)[field.name]))
}

describe('against TarsJava', () => {
  test.each(cases.map((one) => [typeText(one.type), one] as const))('%s: same bytes, and both read them', async (_, { type, values }) => {
    const codec = codecs.of(type)
    await Promise.all(tags.flatMap((tag) => values.map(async (value) => {
      const w = new Writer(1)
      codec.write(w, tag, value)
      const ours = w.bytes()
      const theirs = await java.encode(type, tag, value)
      // TarsJava alone writes a float or double of zero in full; everything else is the same to the byte.
      if (holdsRealZero(type, value)) expect(ours.length).toBeLessThan(theirs.length)
      else expect(ours).toEqual(theirs)
      expect(codec.read(new Reader(theirs), tag)).toEqual(value)
      expect(await java.decode(type, tag, ours)).toEqual(value)
    })))
  })
})
