import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Reader } from '#tars/codec/reader.ts'
import { Writer } from '#tars/codec/writer.ts'
import { Codecs } from '#tars/idl/codecs.ts'
import { JsonCodecs } from '#tars/idl/json-codecs.ts'
import { decodeJson, encodeJson } from '#tars/idl/json-forms.ts'
import type { Schema, Type } from '#tars/idl/schema.ts'
import { arbitraryTyped } from './arbitrary.ts'

interface Sample {
  readonly schema: Schema
  readonly type: Type
  readonly value: unknown
}

test('what is written is read back, for any type and value, between other fields', () => {
  fc.assert(fc.property(arbitraryTyped, fc.integer({ min: 1, max: 254 }), ({ schema, type, value }: Sample, tag) => {
    const codec = new Codecs(schema).of(type)
    const w = new Writer(1)
    w.writeString(tag - 1, 'before')
    codec.write(w, tag, value)
    w.writeInt(tag + 1, 99)
    const r = new Reader(w.bytes())
    expect(codec.read(r, tag)).toEqual(value)
    expect(r.readInt(tag + 1)).toBe(99)
    expect(r.remaining).toBe(0)
    expect(new Reader(w.bytes()).readInt(tag + 1)).toBe(99) // skipped as a whole
  }), { numRuns: 1000 })
})

test('what is written as JSON is read back', () => {
  fc.assert(fc.property(arbitraryTyped, ({ schema, type, value }: Sample) => {
    const codec = new JsonCodecs(schema, new Codecs(schema)).of(type)
    const text = encodeJson({ value: codec.to(value) })
    expect(codec.from((decodeJson(text) as { value: unknown }).value, 'value')).toEqual(value)
  }), { numRuns: 500 })
})
