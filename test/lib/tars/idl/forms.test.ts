import stream from '@tars/stream'
import { describe, expect, test } from 'vitest'
import { Failure } from '#base/errors.ts'
import { Reader } from '#tars/codec/reader.ts'
import { Writer } from '#tars/codec/writer.ts'
import { defineInterface, type FunctionCodec, type Interface } from '#tars/idl/interface.ts'
import { decodeJson, encodeJson } from '#tars/idl/json-forms.ts'
import { parseTars } from '#tars/idl/parse.ts'
import { decodeTup, encodeTup } from '#tars/idl/tup-forms.ts'

const idl: Interface = defineInterface(parseTars('demo.tars', `module Demo {
  enum Color { Red, Green = 7 };
  struct Item { 0 require long id; 1 optional string name = "none"; 2 optional Color color; 3 optional bool on; 4 require string note; 5 optional byte raw[4]; };
  struct Key { 0 require int a; };
  interface Demo {
    int echo(string text, Item item, out string answer);
    long add(long a, long b);
    void keyed(map<Key, string> byKey, map<int, string> byNumber, map<bool, double> byBool, vector<byte> bytes);
    void nothing();
  };
};`).schema, 'Demo')

const fn = (name: string): FunctionCodec => idl.functions[name] as FunctionCodec
const item = { id: 9007199254740993n, name: 'x', color: 7, on: true, note: '', raw: Buffer.from([1, 255]) }

function failureOf(work: () => unknown): Failure {
  try {
    work()
  } catch (error) {
    if (error instanceof Failure) return error
    throw error
  }
  throw new Error('it did not fail')
}

describe('interface', () => {
  test('an unknown name is refused with the known ones', () => {
    const { schema } = parseTars('x.tars', 'module M { interface A { void f(); }; interface B { void f(); }; };')
    expect(defineInterface(schema, 'M::B').name).toBe('B')
    expect(failureOf(() => defineInterface(schema, 'C')).remedy).toContain('M::A, M::B')
  })

  test('function names are looked up among its own only', () => {
    expect(idl.functions['toString']).toBeUndefined()
    expect(idl.functions['__proto__']).toBeUndefined()
  })
})

// The attributes of Tars.js are the peer: typed access by name to the same body.
interface Attribute {
  decode(buffer: unknown): void
  encode(): { toNodeBuffer(): Buffer }
  readInt32(name: string): number
  readString(name: string): string
  writeString(name: string, value: string): void
  writeInt32(name: string, value: number): void
  writeInt64(name: string, value: string, text: boolean): void
}
const tars = stream as unknown as { UniAttribute: new () => Attribute; BinBuffer: new (bytes: Buffer) => unknown }

describe('TUP', () => {
  test('Tars.js reads our result: the return value under "" and tars_ret', () => {
    const attribute = new tars.UniAttribute()
    attribute.decode(new tars.BinBuffer(encodeTup(fn('echo').writeResultTup({ return: 42, answer: 'été' }))))
    expect([attribute.readInt32(''), attribute.readInt32('tars_ret'), attribute.readString('answer')]).toEqual([42, 42, 'été'])
  })

  test('we read the arguments and results of Tars.js', () => {
    const args = new tars.UniAttribute()
    args.writeInt64('a', '9007199254740993', true)
    args.writeInt64('b', '-1', true)
    args.writeString('unknown', 'ignored')
    expect(fn('add').readArgsTup(decodeTup(args.encode().toNodeBuffer()))).toEqual([9007199254740993n, -1n])
    for (const name of ['', 'tars_ret']) {
      const result = new tars.UniAttribute()
      result.writeInt64(name, '5', true)
      expect(fn('add').readResultTup(decodeTup(result.encode().toNodeBuffer()))).toBe(5n)
    }
  })

  test('a missing value is named', () => {
    expect(failureOf(() => fn('add').readArgsTup(new Map())).message).toContain('no value named "a"')
  })

  test('void without out parameters is an empty map', () => {
    expect(fn('nothing').writeResultTup(undefined).size).toBe(0)
    expect(encodeTup(new Map()).toString('hex')).toBe('080c')
    expect(fn('nothing').readResultTup(decodeTup(Buffer.from('080c', 'hex')))).toBeUndefined()
  })
})

describe('JSON', () => {
  test('the body by parameter name, 64-bit integers in full', () => {
    expect(encodeJson(fn('echo').argsToJson(['hi', item])).toString()).toBe('{"text":"hi","item":{"id":9007199254740993,"name":"x","color":7,"on":true,"note":"","raw":[1,-1]}}')
    expect(encodeJson(fn('add').resultToJson(-(2n ** 63n))).toString()).toBe('{"tars_ret":-9223372036854775808}')
    expect(fn('add').resultToJson(5n)).toEqual({ tars_ret: 5 })
  })

  test('integers are read from numbers and strings', () => {
    const read = (text: string): unknown => fn('add').argsFromJson(decodeJson(Buffer.from(text)))
    expect(read('{"a":9223372036854775807,"b":"-9223372036854775808"}')).toEqual([2n ** 63n - 1n, -(2n ** 63n)])
    expect(read('{"b":1,"a":2e3}')).toEqual([2000n, 1n])
  })

  test('maps: scalar keys as properties, struct keys as pairs', () => {
    const args = [new Map([[{ a: 1 }, 'one']]), new Map([[5, 'five'], [-1, 'minus']]), new Map([[true, 1.5], [false, Infinity]]), Buffer.from([0, 128])]
    const body = fn('keyed').argsToJson(args)
    expect(body).toEqual({ byKey: [{ key: { a: 1 }, value: 'one' }], byNumber: { 5: 'five', '-1': 'minus' }, byBool: { 0: 'Infinity', 1: 1.5 }, bytes: [0, -128] })
    expect(fn('keyed').argsFromJson(decodeJson(encodeJson(body)))).toEqual(args)
  })

  test('what a person leaves out takes its default; enums by name, bytes as text', () => {
    const [, filled] = fn('echo').argsFromJson({ text: 't', item: { id: 1, color: 'Green', raw: 'ab' } })
    expect(filled).toEqual({ id: 1n, name: 'none', color: 7, on: false, note: '', raw: Buffer.from('ab') })
    expect(fn('echo').argsFromJson({ item: { id: 1, name: null } })).toEqual(['', { id: 1n, name: 'none', color: 0, on: false, note: '', raw: Buffer.alloc(0) }])
  })

  test.each([
    [{ text: 't', item: {} }, 'item.id is required and missing'],
    [{ text: 5, item: { id: 1 } }, 'text must be a string, it is 5'],
    [{ item: 'x' }, 'item must be an object'],
    [{ item: [] }, 'item must be an object, it is an array of 0'],
    [{ item: { id: 1.5 } }, 'item.id must be an integer'],
    [{ item: { id: '99999999999999999999' } }, 'item.id must be an integer of -9223372036854775808…9223372036854775807'],
    [{ item: { id: 1, on: 'yes' } }, 'item.on must be true or false'],
    [{ item: { id: 1, color: 'Pink' } }, 'item.color must be an integer'],
    [{ item: { id: 1, raw: [1, 2, 3, 4, 5] } }, 'item.raw must be at most 4 bytes'],
    [{ item: { id: 1, raw: [256] } }, 'item.raw must be an array of bytes'],
    [null, 'the arguments must be an object, it is null'],
    [[], 'the arguments must be an object'],
  ])('%j is refused by path', (json, message) => {
    const failure = failureOf(() => fn('echo').argsFromJson(json))
    expect(failure.code).toBe('TARS_DECODE')
    expect(failure.message).toContain(message)
  })

  test('text that is no JSON is refused', () => {
    expect(failureOf(() => decodeJson(Buffer.from('{"a":'))).code).toBe('TARS_DECODE')
  })

  test('hostile property names find nothing', () => {
    expect(failureOf(() => fn('add').argsFromJson(decodeJson(Buffer.from('{"__proto__":{"a":1,"b":2}}')))).message).toContain('a is required')
  })

  test('JSON arguments of a person become the same bytes as typed ones', () => {
    const typed = new Writer()
    fn('echo').writeArgs(typed, ['hi', item])
    const given = new Writer()
    fn('echo').writeArgs(given, fn('echo').argsFromJson({ text: 'hi', item: { id: '9007199254740993', name: 'x', color: 'Green', on: true, raw: [1, 255] } }))
    expect(given.bytes()).toEqual(typed.bytes())
    expect(fn('echo').readArgs(new Reader(given.bytes()))).toEqual(['hi', item])
  })
})
