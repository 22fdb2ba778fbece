import { describe, expect, test } from 'vitest'
import { Failure } from '#base/errors.ts'
import { Reader } from '#tars/codec/reader.ts'
import { maxComposites, maxDepth, wire } from '#tars/codec/wire.ts'
import { Writer } from '#tars/codec/writer.ts'

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex')
const reader = (text: string): Reader => new Reader(hex(text))

function failureOf(work: () => unknown): Failure {
  try {
    work()
  } catch (error) {
    if (error instanceof Failure) return error
    throw error
  }
  throw new Error('it did not fail')
}

describe('fields', () => {
  test('lower and unknown tags of every type are skipped', () => {
    const w = new Writer()
    w.writeInt(0, 7)
    w.writeString(1, 'x'.repeat(300))
    w.writeBytes(2, Buffer.alloc(20))
    w.beginMap(3, 1)
    w.writeString(0, 'k')
    w.beginList(1, 2)
    w.writeDouble(0, 1.5)
    w.writeFloat(0, 1.5)
    w.beginStruct(4)
    w.writeLong(0, 1n << 40n)
    w.beginStruct(9)
    w.endStruct()
    w.endStruct()
    w.writeShort(200, 300)
    expect(new Reader(w.bytes()).readShort(200)).toBe(300)
  })

  test('of duplicates the first counts, and what comes after a higher tag is not found', () => {
    const r = reader('10 05 10 06 30 07 20 08')
    expect([r.readInt(1), r.readInt(2, -1), r.readInt(3), r.readInt(4, -1)]).toEqual([5, -1, 7, -1])
  })

  test('a struct ends where it ends, whatever follows', () => {
    const w = new Writer()
    w.beginStruct(1)
    w.writeInt(0, 1)
    w.endStruct()
    w.writeInt(5, 9)
    const r = new Reader(w.bytes())
    r.beginStruct(1)
    expect(r.readInt(5, -1)).toBe(-1)
    r.endStruct()
    expect(r.readInt(5)).toBe(9)
  })

  test('absent: strings and bytes are empty, numbers fail unless they have a fallback', () => {
    const r = reader('')
    expect([r.readString(1), r.readBytes(1), r.readInt(1, 3), r.beginList(1), r.beginMap(1), r.beginStruct(1)]).toEqual(['', Buffer.alloc(0), 3, -1, -1, false])
    const failure = failureOf(() => r.readInt(4))
    expect(failure).toMatchObject({ code: 'TARS_DECODE', context: { tag: 4, offset: 0 } })
    expect(failure.message).toContain('required and missing')
  })

  test('tag 0 to 14 in the long form too', () => {
    expect(reader('f0 03 2a').readInt(3)).toBe(42)
  })
})

describe('leniency', () => {
  const widths = { zero: '1c', int8: '10 07', int16: '11 00 07', int32: '12 00 00 00 07', int64: '13 00 00 00 00 00 00 00 07' }

  test.each(Object.entries(widths))('any integer type reads %s', (name, bytes) => {
    const value = name === 'zero' ? 0 : 7
    expect(reader(bytes).readByte(1)).toBe(value)
    expect(reader(bytes).readShort(1)).toBe(value)
    expect(reader(bytes).readInt(1)).toBe(value)
    expect(reader(bytes).readLong(1)).toBe(BigInt(value))
    expect(reader(bytes).readUByte(1)).toBe(value)
    expect(reader(bytes).readUShort(1)).toBe(value)
    expect(reader(bytes).readUInt(1)).toBe(value)
    expect(reader(bytes).readBool(1)).toBe(value !== 0)
  })

  test('a value that does not fit is refused, not cut', () => {
    expect(failureOf(() => reader('11 01 00').readByte(1)).message).toContain('256 does not fit byte')
    expect(failureOf(() => reader('13 00 00 00 01 00 00 00 00').readInt(1)).message).toContain('does not fit int')
    expect(failureOf(() => reader('10 ff').readUInt(1)).message).toContain('-1 does not fit unsigned int')
  })

  test('float for double, double for float, list for bytes', () => {
    expect(reader('14 3f c0 00 00').readDouble(1)).toBe(1.5)
    expect(reader('15 3f f8 00 00 00 00 00 00').readFloat(1)).toBe(1.5)
    expect(reader('19 00 03 00 01 0c 00 ff').readBytes(1)).toEqual(Buffer.from([1, 0, 255]))
  })
})

describe('bounds', () => {
  test('every wire type cut off anywhere fails and reads nothing outside', () => {
    const whole: Record<string, string> = {
      int8: '10 2a', int16: '11 01 00', int32: '12 00 01 00 00', int64: '13 00 00 00 01 00 00 00 00', float: '14 3f 80 00 00',
      double: '15 3f f0 00 00 00 00 00 00', string1: '16 03 61 62 63', string4: '17 00 00 00 03 61 62 63', map: '18 00 01 00 05 10 06',
      list: '19 00 02 00 05 00 06', struct: '1a 00 05 0b', simpleList: '1d 00 00 03 01 02 03', longTag: 'f0 10 2a',
    }
    for (const bytes of Object.values(whole)) {
      const full = hex(bytes)
      const tail = Buffer.concat([full, Buffer.alloc(64, 0xaa)])
      for (let size = 1; size < full.length; size++) {
        // The bytes after `size` exist in memory; a reader that ends at `size` must not see them.
        const r = new Reader(tail, 0, size)
        expect(failureOf(() => r.seek(255)).code).toBe('TARS_DECODE')
        expect(r.offset).toBeLessThanOrEqual(size)
      }
      expect(new Reader(full).seek(255)).toBe(false)
    }
  })

  test('every pair of head bytes: a Failure or a result, never beyond the end', () => {
    const bytes = Buffer.alloc(2)
    for (let first = 0; first < 256; first++) {
      for (let second = 0; second < 256; second++) {
        bytes[0] = first
        bytes[1] = second
        const r = new Reader(bytes)
        try {
          r.seek(255)
        } catch (error) {
          expect((error as Failure).code).toBe('TARS_DECODE')
        }
        expect(r.offset).toBeLessThanOrEqual(2)
      }
    }
  })

  test('a claimed length is checked before anything is allocated', () => {
    const before = process.memoryUsage().arrayBuffers
    const claims: Record<string, (r: Reader) => unknown> = {
      '17 7f ff ff ff 61': (r) => r.readString(1),
      '17 ff ff ff ff 61': (r) => r.readString(1),
      '1d 00 02 7f ff ff ff 61': (r) => r.readBytes(1),
      '1d 00 02 80 00 00 00 61': (r) => r.readBytes(1),
      '19 02 7f ff ff ff 00': (r) => r.beginList(1),
      '19 02 ff ff ff ff 00': (r) => r.beginList(1),
      '18 02 40 00 00 00 00': (r) => r.beginMap(1),
    }
    for (const [bytes, read] of Object.entries(claims)) expect(failureOf(() => read(reader(bytes))).code).toBe('TARS_DECODE')
    for (const bytes of Object.keys(claims)) expect(failureOf(() => reader(bytes).seek(2)).code).toBe('TARS_DECODE')
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1 << 20)
  })

  test('nesting is bounded, read or skipped, in structs, lists and maps', () => {
    const deep = Buffer.alloc(200_000, 0x0a)
    expect(failureOf(() => new Reader(deep).seek(1)).message).toContain('deeper')
    expect(failureOf(() => new Reader(Buffer.from('090001'.repeat(100_000), 'hex')).seek(1)).message).toContain('deeper')
    const r = new Reader(deep)
    expect(failureOf(() => {
      for (;;) r.beginStruct(0)
    }).message).toContain(`deeper than ${maxDepth}`)
  })

  test('many small structs in one body are refused before they fill the memory', () => {
    const structs = Buffer.concat([hex('19 02 00 20 00 00'), Buffer.from('0a0b'.repeat(0x200000), 'hex')])
    const r = new Reader(structs)
    const count = r.beginList(1)
    expect(count).toBe(0x200000)
    expect(failureOf(() => {
      for (let i = 0; i < count; i++) {
        r.beginStruct(0)
        r.endStruct()
      }
    }).message).toContain(`more than ${maxComposites} structs`)
  })

  test('a struct end without a struct is left alone at the top and refused inside a value', () => {
    expect(reader('0b').seek(1)).toBe(false)
    expect(failureOf(() => reader('09 00 01 0b').seek(1)).message).toContain('never began')
  })

  test('wire types 14 and 15 are refused', () => {
    for (const type of [14, 15]) expect(failureOf(() => new Reader(Buffer.from([0x10 | type, 0])).seek(2)).message).toContain(`unknown wire type ${type}`)
  })

  test('an element that is missing fails even where a field would not', () => {
    const r = reader('19 00 02 06 01 61')
    expect(r.beginList(1)).toBe(2)
    r.expect(0)
    expect(r.readString(0)).toBe('a')
    expect(failureOf(() => r.expect(0)).message).toContain('missing')
  })

  test('reading one type as another names both', () => {
    for (const [type, bytes] of [[wire.string1, '16 01 61'], [wire.structBegin, '1a 0b'], [wire.list, '19 0c']] as const) {
      const failure = failureOf(() => new Reader(hex(bytes)).readInt(1))
      expect(failure.message).toContain('expected an integer')
      expect(failure.context).toMatchObject({ tag: 1 })
      expect(type).toBeGreaterThan(5)
    }
  })
})

describe('writer', () => {
  test.each([
    ['byte', (w: Writer) => w.writeByte(3, 128)],
    ['short', (w: Writer) => w.writeShort(3, 1.5)],
    ['int', (w: Writer) => w.writeInt(3, 2 ** 31)],
    ['int', (w: Writer) => w.writeInt(3, Number.NaN)],
    ['int', (w: Writer) => w.writeInt(3, undefined as unknown as number)],
    ['long', (w: Writer) => w.writeLong(3, 2n ** 63n)],
    ['long', (w: Writer) => w.writeLong(3, 5 as unknown as bigint)],
    ['unsigned byte', (w: Writer) => w.writeUByte(3, -1)],
    ['unsigned short', (w: Writer) => w.writeUShort(3, 65536)],
    ['unsigned int', (w: Writer) => w.writeUInt(3, -1)],
    ['bool', (w: Writer) => w.writeBool(3, 1 as unknown as boolean)],
    ['string', (w: Writer) => w.writeString(3, null as unknown as string)],
    ['float', (w: Writer) => w.writeFloat(3, '1' as unknown as number)],
    ['double', (w: Writer) => w.writeDouble(3, undefined as unknown as number)],
    ['vector<byte>', (w: Writer) => w.writeBytes(3, 'x' as unknown as Buffer)],
  ])('a value that is no %s is refused by name and tag', (type, write) => {
    const w = new Writer()
    const failure = failureOf(() => write(w))
    expect(failure).toMatchObject({ code: 'TARS_ENCODE', context: { tag: 3 } })
    expect(failure.message).toContain(type)
    expect(w.length).toBe(0)
  })

  test('nothing of an earlier use shows in a later one', () => {
    const w = new Writer(16)
    w.writeString(1, 'secret'.repeat(100))
    w.reset().writeInt(1, 5)
    expect(w.bytes()).toEqual(hex('10 05'))
    w.reset().reserveInt32()
    expect(w.view()).toEqual(Buffer.alloc(4))
  })

  test('a body written in place is the same as one written apart, at every length of its length', () => {
    for (const size of [0, 1, 127, 128, 32767, 32768, 70000]) {
      const apart = new Writer()
      apart.writeBytes(7, Buffer.alloc(size, 1))
      const inPlace = new Writer()
      const mark = inPlace.beginBytes(7)
      inPlace.writeRaw(Buffer.alloc(size, 1))
      inPlace.endBytes(mark)
      inPlace.writeInt(8, 1)
      apart.writeInt(8, 1)
      expect(inPlace.bytes().equals(apart.bytes())).toBe(true)
    }
  })

  test('lone surrogates and the longest string1 keep their lengths right', () => {
    for (const text of ['\ud800', 'a\udfff', '\ud800'.repeat(85), '\ud800'.repeat(86), `${'x'.repeat(200)}é`.repeat(1)]) {
      const w = new Writer(1)
      w.writeString(1, text)
      w.writeInt(2, 77)
      const r = new Reader(w.bytes())
      expect(r.readString(1)).toBe(text.toWellFormed())
      expect(r.readInt(2)).toBe(77)
    }
  })
})
