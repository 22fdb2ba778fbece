import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Reader } from '#tars/codec/reader.ts'
import { Strings } from '#tars/codec/strings.ts'

const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex')
const read = (hex: string, tag = 2): Strings => new Reader(bytes(hex)).readStrings(tag)
const texts = (strings: Strings): string[] => [...strings].map((one) => one.toString('latin1'))
const copied = (strings: Strings, head = ''): string => {
  const target = Buffer.alloc(strings.length + strings.count * head.length + 2, '.')
  strings.copy(target, 1, Buffer.from(head))
  return target.toString('latin1')
}

describe('strings as they were sent', () => {
  test('short and long forms, an empty one, bytes that are no UTF-8, and a tag in a byte of its own', () => {
    // List at tag 2 of 5: "ab", "", "c" as STRING4, C8 D5 (GBK), "d" whose tag 0 takes two bytes. Then an int at tag 3.
    const reader = new Reader(bytes('29 0005 06026162 0600 070000000163 0602c8d5 f6000164 3007'))
    const strings = reader.readStrings(2)
    expect([strings.count, strings.length]).toEqual([5, 6])
    expect(texts(strings)).toEqual(['ab', '', 'c', '\xc8\xd5', 'd'])
    expect(copied(strings, 'n|')).toBe('.n|abn|n|cn|\xc8\xd5n|d.')
    expect(texts(strings.kept())).toEqual(texts(strings))
    expect(reader.readInt(3)).toBe(7)
  })

  test('none: an empty list, and no list', () => {
    expect([read('29 0c').count, read('').count, copied(read('29 0c'), 'n|')]).toEqual([0, 0, '..'])
  })

  test.each([
    ['more are announced than there are', '29 0002 0601 61'],
    ['one is longer than what is there', '29 0001 0605 6162'],
    ['a length beyond 2 GiB', '29 0001 07ffffffff 61'],
    ['a number among them', '29 0002 060161 0007'],
    ['another tag', '29 0001 160161'],
    ['no list', '26 0161'],
    ['the data ends in a head', '29 0001 f6'],
  ])('refused: %s', (_, hex) => {
    expect(() => read(hex)).toThrow(expect.objectContaining({ code: 'TARS_DECODE' }))
  })

  test('whatever they are, each comes behind its head, once', () => {
    fc.assert(fc.property(fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 30 }), fc.string({ maxLength: 100 }), (parts, head) => {
      const lines = parts.map((part) => Buffer.from(part))
      const strings = Strings.of(lines)
      const before = Buffer.from(head)
      const target = Buffer.alloc(strings.length + strings.count * before.length)
      strings.copy(target, 0, before)
      expect([...strings]).toEqual(lines)
      expect(target).toEqual(Buffer.concat(lines.flatMap((line) => [before, line])))
    }))
  })
})
