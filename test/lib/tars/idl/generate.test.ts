import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Failure } from '#base/errors.ts'
import { Reader } from '#tars/codec/reader.ts'
import { Writer } from '#tars/codec/writer.ts'
import { generateFile } from '#tars/idl/generate/file.ts'
import { defineInterface, type FunctionCodec, type Interface } from '#tars/idl/interface.ts'
import { parseTars } from '#tars/idl/parse.ts'
import type { Schema } from '#tars/idl/schema.ts'
import { QueryF, QueryFSchema } from '#tars/protocol/QueryF.ts'
import { Registry, RegistrySchema } from '#tars/protocol/Registry.ts'
import { arbitraryOf } from '../codec/arbitrary.ts'
import { mutate, Random } from '../codec/random.ts'
import { Far, Greeting } from '../protocol/all.ts'
import { createAll, createDefaults, Every, everySchema, keyOfHead, Second, type All, type EveryServant } from '../protocol/every.ts'

const protocol = join(import.meta.dirname, '../../../../framework/lib/tars/protocol')
const read = (path: string): string => readFileSync(path, 'utf8')
const files = [protocol, join(import.meta.dirname, '../protocol'), join(import.meta.dirname, '../../../bench/tars')].flatMap((folder) => readdirSync(folder).filter((name) => name.endsWith('.tars')).map((name) => join(folder, name)))

describe('generated files', () => {
  test.each(files.map((file) => [basename(file), file]))('%s and its .ts are in step', (_, file) => {
    expect(read(file.replace(/tars$/, 'ts'))).toBe(generateFile(file, read))
  })

  test('two modules with the same name are refused', () => {
    const text = { 'a.tars': '#include "b.tars"\nmodule A { struct X { 0 require B::X x; }; };', 'b.tars': 'module B { struct X { 0 require int a; }; };' }
    expect(() => generateFile('a.tars', (path) => text[path as keyof typeof text])).toThrow('B::X and A::X have the same name')
  })

  test('defaults, constants and keys', () => {
    expect(createDefaults()).toEqual({ a: false, b: true, c: -7, d: 5n, e: "x'y\\z", f: 1.5, g: 6, h: 0, i: { id: 0, name: 'shared' }, j: [], k: new Map(), l: Buffer.alloc(0), m: 3, n: 4294967295, default: 1 })
    expect(createDefaults({ a: true, c: 0 })).toMatchObject({ a: true, b: true, c: 0 })
    expect([Greeting, Far]).toEqual(['it\'s "quoted"\n', 9007199254740993n])
    expect(keyOfHead({ name: 'a', id: 1n })).toBe(keyOfHead({ name: 'a', id: 1n }))
    expect(keyOfHead({ name: 'a', id: 1n })).not.toBe(keyOfHead({ name: 'a1', id: 0n }))
  })

  test('a servant can be written against its type', () => {
    const servant: Pick<EveryServant, 'plain' | 'out'> = {
      plain: (a, b) => a + b.length,
      out: async (value) => ({ text: value.k, list: [value] }),
    }
    expect(servant.plain(1, 'xx', undefined as never)).toBe(3)
  })
})

const subjects: readonly (readonly [Interface, Schema])[] = [[Every, everySchema], [Second, everySchema], [QueryF, QueryFSchema], [Registry, RegistrySchema]]

const functions = subjects.flatMap(([generated, schema]) => {
  const runtime = defineInterface(schema, generated.name)
  return Object.values(generated.functions).map((fn) => [`${generated.name}.${fn.name}`, { fast: fn, plain: runtime.functions[fn.name] as FunctionCodec, schema }] as const)
})

function argsOf(fn: FunctionCodec, schema: Schema): fc.Arbitrary<unknown[]> {
  return fc.tuple(...fn.params.filter((param) => !param.out).map((param) => arbitraryOf(param.type, schema)))
}

function resultOf(fn: FunctionCodec, schema: Schema): fc.Arbitrary<unknown> {
  const outs = fn.params.filter((param) => param.out)
  const returned = fn.result === null ? undefined : arbitraryOf(fn.result, schema)
  if (outs.length === 0) return returned ?? fc.constant(undefined)
  const parts = outs.map((param) => [param.name, arbitraryOf(param.type, schema)] as const)
  return fc.record(Object.fromEntries(returned === undefined ? parts : [['return', returned], ...parts]), { noNullPrototype: true })
}

describe('generated and run-time code agree', () => {
  test.each(functions)('%s: bytes, values, TUP and JSON', (_, { fast, plain, schema }) => {
    const write = (work: (w: Writer) => void): Buffer => {
      const w = new Writer()
      work(w)
      return w.bytes()
    }
    fc.assert(fc.property(argsOf(fast, schema), resultOf(fast, schema), (args, result) => {
      const argBytes = write((w) => fast.writeArgs(w, args))
      expect(argBytes).toEqual(write((w) => plain.writeArgs(w, args)))
      expect(fast.readArgs(new Reader(argBytes))).toEqual(args)
      expect(plain.readArgs(new Reader(argBytes))).toEqual(args)
      const resultBytes = write((w) => fast.writeResult(w, result))
      expect(resultBytes).toEqual(write((w) => plain.writeResult(w, result)))
      expect(fast.readResult(new Reader(resultBytes))).toEqual(result)
      expect(plain.readResult(new Reader(resultBytes))).toEqual(result)
      expect(fast.readArgsTup(fast.writeArgsTup(args))).toEqual(args)
      expect(fast.readResultTup(fast.writeResultTup(result))).toEqual(result)
      expect(fast.argsFromJson(fast.argsToJson(args))).toEqual(args)
      expect(fast.resultFromJson(fast.resultToJson(result))).toEqual(result)
    }), { numRuns: 60 })
  })

  test('on mutated bytes too: the same value or the same failure', () => {
    const random = new Random(7)
    for (const [name, { fast, plain, schema }] of functions) {
      for (const args of fc.sample(argsOf(fast, schema), { numRuns: 20, seed: 7 })) {
        const w = new Writer()
        fast.writeArgs(w, args)
        for (let i = 0; i < 20; i++) {
          const bytes = mutate(w.view(), random)
          expect(outcome(() => fast.readArgs(new Reader(bytes))), `${name} ${bytes.toString('hex')}`).toEqual(outcome(() => plain.readArgs(new Reader(bytes))))
        }
      }
    }
  })

  test('and on values that do not fit', () => {
    const all = createAll({ s: [1, 2, 3], t: Buffer.alloc(4) })
    const wrong: readonly unknown[] = [undefined, null, 5, ...Object.keys(all).map((name) => ({ ...all, [name]: undefined })), { ...all, s: [1, 2, 3, 4] }, { ...all, t: Buffer.alloc(5) }, { ...all, d: 1.5 }, { ...all, n: [1] }, { ...all, o: {} }]
    const runtime = defineInterface(everySchema, 'Every')
    for (const value of wrong) {
      const failures = [Every, runtime].map((one) => outcome(() => one.functions['all']?.writeArgs(new Writer(), [value as All])))
      expect(failures[0]).toMatchObject({ code: 'TARS_ENCODE' })
      expect(failures[0]).toEqual(failures[1])
    }
    for (const one of [Every, runtime]) expect(() => one.functions['out']?.writeResult(new Writer(), undefined)).toThrow('is not an object')
  })

  test('absent fields take the same defaults', () => {
    const empty = Buffer.from('1a0b', 'hex')
    const { functions: runtime } = defineInterface(parseTars('d.tars', 'module D { struct S { 0 optional int a = 4; 1 optional string s; 2 require string t; 3 optional bool b; }; interface I { void f(S s); }; };').schema, 'I')
    expect(runtime['f']?.readArgs(new Reader(empty))).toEqual([{ a: 4, s: '', t: '', b: false }])
    const bytes = Buffer.from('3a0b', 'hex')
    const parts = [Every, defineInterface(everySchema, 'Every')].map((one) => (one.functions['mixed'] as FunctionCodec).readResult(new Reader(Buffer.concat([Buffer.from('06002c', 'hex'), Buffer.from('4a0b', 'hex')]))))
    expect(parts[0]).toEqual({ return: '', number: 0, defaults: createDefaults() })
    expect(parts[1]).toEqual(parts[0])
    expect(bytes.length).toBe(2)
  })
})

function outcome(work: () => unknown): unknown {
  try {
    return { value: work() }
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    return { code: error.code, message: error.message }
  }
}
