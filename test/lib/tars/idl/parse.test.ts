import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Failure } from '#base/errors.ts'
import { parseTars } from '#tars/idl/parse.ts'
import type { Schema } from '#tars/idl/schema.ts'
import { mutate, Random } from '../codec/random.ts'

const parse = (text: string): Schema => parseTars('file.tars', text).schema
const fieldTypes = (schema: Schema, name: string): unknown[] => schema.structs[name]?.fields.map((field) => field.type) ?? []

describe('grammar', () => {
  test('every type', () => {
    const schema = parse(`module M {
      enum E { A };
      struct T { 0 require int x; };
      struct S {
        0 require bool a; 1 require byte b; 2 require short c; 3 require int d; 4 require long e;
        5 require unsigned byte f; 6 require unsigned short g; 7 require unsigned int h;
        8 require float i; 9 require double j; 10 require string k; 11 require vector<byte> l;
        12 require vector<unsigned byte> m; 13 require map<string, vector<map<int, T> > > n; 14 require E o; 15 require T p;
        16 require int q[4]; 17 require byte r[16]; 18 require int *s; 19 require M::T t; 20 require ::M::E u; 21 require string v:32;
      };
    };`)
    expect(fieldTypes(schema, 'M::S')).toEqual([
      'bool', 'byte', 'short', 'int', 'long', 'ubyte', 'ushort', 'uint', 'float', 'double', 'string', 'bytes',
      { vector: 'ubyte' }, { map: ['string', { vector: { map: ['int', { struct: 'M::T' }] } }] }, { enum: 'M::E' }, { struct: 'M::T' },
      { vector: 'int', limit: 4 }, { bytes: 16 }, { vector: 'int' }, { struct: 'M::T' }, { enum: 'M::E' }, 'string',
    ])
  })

  test('defaults, constants and enum values', () => {
    const schema = parse(`module M {
      enum E { A, B = 5, C, D = B, F = 0x10, G = -1, H };
      const int Max = 010; const string Name = "a\\"b\\n\\x41\\101"; const bool Yes = true; const float Pi = 3.14f; const long Big = 9223372036854775807;
      struct S { 0 optional int a = 1; 1 optional bool b; 2 optional long c = -5; 3 optional E d = C; 4 optional E e = E::B; 5 optional string f = "x"; 6 optional double g = 2; 7 optional int h = Max; 8 optional float i = -1.5e3; };
    };`)
    expect(schema.enums['M::E']?.members).toEqual({ A: 0, B: 5, C: 6, D: 5, F: 16, G: -1, H: 0 })
    expect(Object.values(schema.constants).map((one) => one.value)).toEqual([8, 'a"b\nAA', true, 3.14, 9223372036854775807n])
    expect(schema.structs['M::S']?.fields.map((field) => field.default)).toEqual([1, undefined, -5n, 6, 5, 'x', 2, 8, -1500])
  })

  test('functions: out, routekey, void, positions', () => {
    const { functions } = parse('module M { interface I { void f(); int g(routekey string a, out vector<string> b, int c, out long d); }; };').interfaces['M::I'] ?? { functions: {} }
    expect(functions['f']).toEqual({ params: [], result: null })
    expect(functions['g']).toEqual({
      params: [
        { name: 'a', tag: 1, out: false, routeKey: true, type: 'string' },
        { name: 'b', tag: 2, out: true, type: { vector: 'string' } },
        { name: 'c', tag: 3, out: false, type: 'int' },
        { name: 'd', tag: 4, out: true, type: 'long' },
      ],
      result: 'int',
    })
  })

  test('fields come in tag order, keys and comments are kept, names may be used before their definition', () => {
    const schema = parse(`module M {
      /** Doc of S. */
      struct S {
        // doc of b
        3 require T b;
        1 require string a;
      };
      key[S, a];
      struct T { 0 require vector<T> more; };
    };`)
    expect(schema.structs['M::S']).toEqual({ fields: [{ tag: 1, name: 'a', required: true, type: 'string' }, { tag: 3, name: 'b', required: true, type: { struct: 'M::T' }, doc: 'doc of b' }], key: ['a'], doc: 'Doc of S.' })
  })

  test('includes are read once and know their file', () => {
    const files: Record<string, string> = { 'a.tars': '#include "b.tars"\n#include "c.tars"\nmodule M { struct A { 0 require B b; 1 require N::C c; }; };', 'b.tars': '#include "a.tars"\nmodule M { struct B { 0 require int x; }; };', 'c.tars': '#include "b.tars"\nmodule N { struct C { 0 require M::B b; }; };' }
    const parsed = parseTars('a.tars', files['a.tars'] ?? '', (name) => (files[name] === undefined ? undefined : { file: name, text: files[name] }))
    expect(Object.fromEntries(parsed.definedIn)).toEqual({ 'M::A': 'a.tars', 'M::B': 'b.tars', 'N::C': 'c.tars' })
  })

  test('the files that Tars.js ships', () => {
    const folder = join(import.meta.dirname, '../../../../node_modules/@tars')
    for (const file of ['registry/EndpointF', 'config/ConfigF', 'notify/NotifyF', 'monitor/stat/StatF', 'monitor/property/PropertyF', 'monitor/propertyplus/PropertyPlusF']) {
      expect(Object.keys(parse(readFileSync(join(folder, `${file}.tars`), 'utf8')).structs).length).toBeGreaterThan(0)
    }
  })
})

test('any mutation of a file parses or is refused in words', () => {
  const text = readFileSync(join(import.meta.dirname, '../protocol/all.tars'))
  const included = readFileSync(join(import.meta.dirname, '../protocol/included.tars'), 'utf8')
  const random = new Random(20261123)
  const outcome = { parsed: 0, refused: 0 }
  for (let i = 0; i < 5000; i++) {
    try {
      parseTars('all.tars', mutate(text, random).toString(), (name) => (name === 'included.tars' ? { file: name, text: included } : undefined))
      outcome.parsed++
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== 'TARS_IDL') throw error
      outcome.refused++
    }
  }
  expect(outcome.parsed).toBeGreaterThan(100)
  expect(outcome.refused).toBeGreaterThan(100)
})

test('hostile files are refused quickly', () => {
  const chain = Array.from({ length: 2000 }, (_, index) => `struct S${index} { 0 require S${index + 1} s; };`).join('\n')
  const enums = Array.from({ length: 60 }, (_, index) => `enum E${index} { ${['a', 'b', 'c'].map((name) => `E${index}${name} = E${index + 1}${name}`).join(', ')} };`).join('\n')
  expect(() => parse(`module M { ${chain} struct S2000 { 0 require int a; }; };`)).toThrow('deeper than 100')
  expect(() => parse(`module M { ${enums} enum E60 { E60a, E60b, E60c }; };`)).toThrow('refer to one another')
})

describe('errors name file, line and column', () => {
  test.each([
    ['struct S {};', 'file.tars:1:1: expected `module`'],
    ['module M { struct S { 0 require Foo a; }; };', 'file.tars:1:33: the type Foo is not defined'],
    ['module M {\n  struct S { 0 require int a };\n};', 'file.tars:2:30: expected `;` after the field, found `}`'],
    ['module M { struct S { 256 require int a; }; };', 'the tag 256 is not one of 0…255'],
    ['module M { struct S { 0 require int a; 0 require int b; }; };', 'S has the tag 0 twice'],
    ['module M { struct S { 0 require int a; 1 require int a; }; };', 'S has the field a twice'],
    ['module M { struct S { }; };', 'the struct S has no fields'],
    ['module M { struct S { 0 require int a; }; struct S { 0 require int a; }; };', 'M::S is defined twice, first at file.tars:1'],
    ['module M { struct S { require int a; }; };', 'expected a field: tag'],
    ['module M { struct S { 0 int a; }; };', 'expected `optional` or `require` after the tag'],
    ['module M { struct int { 0 require int a; }; };', 'the reserved word `int` cannot be a struct name'],
    ['module M { struct S { 0 require int __proto__; }; };', 'cannot be a field name'],
    ['module M { struct S { 0 require byte a = 300; }; };', 'the value 300 does not fit byte'],
    ['module M { struct S { 0 require int a = "x"; }; };', 'does not fit int'],
    ['module M { struct S { 0 require int a = Foo; }; };', 'the value Foo is not defined'],
    ['module M { struct S { 0 require S s; }; };', 'M::S holds M::S, without end'],
    ['module M { struct A { 0 require B b; }; struct B { 0 require A a; }; };', 'without end'],
    ['module M { enum E { A = B }; enum F { B = A }; };', 'is not defined'],
    ['module M { struct S { 0 require int a[0]; }; };', 'has the size 0'],
    ['module M { interface I { int f(int a, int a); }; };', 'f has the parameter a twice'],
    ['module M { interface I { int f(); int f(); }; };', 'I has the function f twice'],
    ['module M { key[S, a]; };', 'the struct S is not defined'],
    ['module M { struct S { 0 require int a; }; key[S, b]; };', 'has no field b'],
    ['module M { struct S { 0 require unsigned long a; }; };', 'expected byte, short or int after unsigned'],
    ['#include "none.tars"\nmodule M { };', 'file.tars:1:1: the included file "none.tars" was not found'],
    ['module M { /* open', 'file.tars:1:12: this comment is never closed'],
    ['module M { const string s = "open\n"; };', 'this string is not closed on its line'],
    ['module M { $ };', 'unexpected character "$"'],
    ['module M {', 'the end of the file'],
    [`module M { struct S { 0 require ${'vector<'.repeat(100)}int${'>'.repeat(100)} a; }; };`, 'nests deeper than 32'],
  ])('%j', (text, message) => {
    try {
      parse(text)
    } catch (error) {
      expect(error).toBeInstanceOf(Failure)
      expect((error as Failure).code).toBe('TARS_IDL')
      expect((error as Failure).message).toContain(message)
      expect((error as Failure).message).toMatch(/^file\.tars:\d+:\d+: /)
      return
    }
    throw new Error('it parsed')
  })
})
