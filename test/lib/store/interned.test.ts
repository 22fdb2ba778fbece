// What reports say is known by its bytes: as a map would know it, outside of V8's heap, and no longer than it is true.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Fold, sumsOf, sumsTakenDown, type FoldRules, type Sums } from '#store/fold.ts'
import { Interned, internedText, longestInterned } from '#store/interned.ts'
import { accountOf, KeyGuard } from '#store/key-guard.ts'
import { Known } from '#store/known.ts'
import { headBytes, Tape, TapeReader } from '#store/tape.ts'
import { statRules } from '../../../framework/stat/model/stat-rules.ts'

const string = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes))

test('strings have the numbers that a map would give them, each below its parent', () => {
  let used = new Interned()
  fc.assert(fc.property(fc.array(fc.tuple(string, fc.integer({ min: -3, max: 3 })), { maxLength: 300 }), (strings) => {
    // Its memory is that of the last round's.
    const [interned, other, model] = [new Interned(used.release()), new Interned(), new Map<string, number>()]
    used = interned
    for (const [bytes, parent] of strings) {
      const key = `${parent} ${bytes.toString('hex')}`
      const number = model.get(key) ?? model.size
      model.set(key, number)
      expect(interned.number(bytes, parent)).toBe(number)
      expect([interned.bytesOf(number).equals(bytes), interned.parentOf(number)]).toEqual([true, parent])
      const known = other.findAs(interned, number)
      const there = known < 0 ? other.addAs(interned, number) : known
      expect([other.bytesOf(there).equals(bytes), other.findAs(interned, number), other.number(bytes)]).toEqual([true, there, there])
    }
    expect([interned.size, other.size]).toEqual([model.size, new Set(strings.map(([bytes]) => bytes.toString('hex'))).size])
  }))
})

test('as many as there are, and as long as they may be', () => {
  const interned = new Interned()
  const long = 'x'.repeat(longestInterned - 6)
  for (let index = 0; index < 20_000; index++) expect(interned.number(Buffer.from(String(index)))).toBe(index)
  for (let index = 0; index < 200; index++) expect(interned.number(Buffer.from(`${long}${index}`))).toBe(20_000 + index)
  for (let index = 0; index < 20_000; index += 7) expect(interned.number(Buffer.from(String(index)))).toBe(index)
  expect(() => interned.number(Buffer.alloc(longestInterned + 1))).toThrow(RangeError)
  const given = interned.release()
  expect([given.size, internedText(given, 12_345), internedText(given, 20_199), interned.size]).toEqual([20_200, '12345', `${long}199`, 0])
  // All of its memory is there for another one, which finds in it only what it has itself.
  const again = new Interned(given)
  expect([again.number(Buffer.from('7')), again.number(Buffer.from('8')), again.number(Buffer.from('7'))]).toEqual([0, 1, 0])
  expect(new Set(again.release().chunks.map(({ buffer }) => buffer))).toEqual(new Set(given.chunks.map(({ buffer }) => buffer)))
})

test('a tape says what it was told, and is told of its end', () => {
  const piece = fc.oneof(fc.double(), fc.string({ unit: 'binary' }), fc.array(fc.double(), { maxLength: 9 }))
  fc.assert(fc.property(fc.array(piece, { maxLength: 100 }), (pieces) => {
    const tape = new Tape()
    for (const one of pieces) {
      if (typeof one === 'number') tape.number(one)
      else if (typeof one === 'string') tape.bytes(Buffer.from(`..${one}`), 2, Buffer.byteLength(one))
      else tape.numbers({ column: Float64Array.from([0, ...one]), from: 1, to: one.length + 1 })
    }
    const reader = new TapeReader(Buffer.from(tape.taken.subarray(headBytes)))
    for (const one of pieces) expect(typeof one === 'number' ? reader.number() : typeof one === 'string' ? reader.text() : [...reader.numbers()]).toEqual(typeof one === 'string' ? one.toWellFormed() : one)
    expect(reader.done).toBe(true)
    expect(() => reader.number()).toThrow(RangeError)
  }))
})

const names = { master_name: 'a', slave_name: 'b', interface_name: '', tars_version: '', master_ip: '', slave_ip: '', slave_port: 0, return_value: 0, slave_set_name: '', slave_set_area: '', slave_set_id: '' }
const bounds = { perReporter: 1000, inAll: 2000 }
const rules: FoldRules = statRules('p')

describe('sums', () => {
  const call = fc.record({ key: fc.integer({ min: 0, max: 12 }), count: fc.integer({ min: 0, max: 1000 }), least: fc.integer({ min: 0, max: 9 }), intervals: fc.dictionary(fc.constantFrom('5', '10', '50', '100', '2000'), fc.integer({ min: 1, max: 9 })) })

  test('are those of the values, and what was taken down comes to them at every place', () => {
    let memory: Sums | undefined
    fc.assert(fc.property(fc.array(call, { maxLength: 80 }), fc.nat(80), (calls, rewrittenAt) => {
      // Its memory is that of the last round's.
      const [fold, keys, tape] = [new Fold(rules, new KeyGuard(bounds), memory), new Interned(), new Tape()]
      const model = new Map<number, { count: number; max: number; min: number; intervals: Record<string, number> }>()
      for (const [index, { key, count, least, intervals }] of calls.entries()) {
        if (index === rewrittenAt) {
          tape.clear()
          for (const _ of fold.takeDown(() => tape));
        }
        const value = Float64Array.of(count, 1, 2, count * 3, least + 7, least, ...Object.entries(intervals).flatMap(([bound, calls_]) => [Number(bound), calls_]))
        fold.add(fold.slot(keys, keys.number(Buffer.from(JSON.stringify(Object.values({ ...names, interface_name: `f${key}` })))), accountOf('a.b')), { column: value, from: 0, to: value.length }, tape)
        const sum = model.get(key) ?? { count: 0, max: 0, min: 0, intervals: {} }
        for (const [bound, more] of Object.entries(intervals)) sum.intervals[bound] = (sum.intervals[bound] ?? 0) + more
        model.set(key, { ...sum, count: sum.count + count, max: Math.max(sum.max, least + 7), min: least === 0 ? sum.min : sum.min === 0 ? least : Math.min(sum.min, least) })
      }
      const times = (key: number): number => calls.filter((one) => one.key === key).length
      const expected = [...model].map(([key, { count, max, min, intervals }]) => [`f${key}`, count, times(key), 2 * times(key), count * 3, max, min, ...Object.entries(intervals).flatMap(([bound, calls_]) => [Number(bound), calls_])])
      const takenDown = [...sumsTakenDown(rules, [new TapeReader(Buffer.from(tape.taken.subarray(headBytes)))])]
      const chunks = memory?.chunks.length ?? 0
      memory = fold.release()
      expect(memory.chunks.length).toBe(Math.max(chunks, Math.min(calls.length, 1)))
      const kept = [...sumsOf(rules, memory)]
      for (const sums of [kept, takenDown]) expect(sums.map(({ slot, names: { interface_name: name }, value }) => [slot, name, ...value])).toEqual(expected.map((sum, slot) => [slot, ...sum]))
    }))
  })

  test('of a key that was lost are left out, and the others keep their places', () => {
    const tape = new Tape()
    for (const [slot, key] of [[0, true], [1, false], [2, true]] as const) {
      tape.number(slot * 2 + Number(key))
      tape.numbers({ column: Float64Array.of(slot), from: 0, to: 1 })
      if (key) tape.bytes(Buffer.from('["k"]'), 0, 5)
    }
    expect([...sumsTakenDown({ fields: ['name'] }, [new TapeReader(Buffer.from(tape.taken.subarray(headBytes)))])]).toEqual([0, 2].map((slot) => ({ slot, names: { name: 'k' }, value: Float64Array.of(slot) })))
  })
})

describe('what is known of reports', () => {
  /** Fields of a report, one after the other. */
  class Fields {
    readonly #fields: Buffer[]
    /** Times that a field was read. */
    reads = 0

    constructor(fields: readonly string[]) {
      this.#fields = fields.map((field) => Buffer.from(field))
    }

    readWhole(): Buffer {
      this.reads++
      return this.#fields.shift() as Buffer
    }

    passOver(bytes: Buffer, from: number, length: number): boolean {
      const isNext = this.#fields[0]?.equals(bytes.subarray(from, from + length)) ?? false
      if (isNext) this.#fields.shift()
      return isNext
    }
  }
  const take = (known: Known, sender: string, fields: readonly string[]): { readonly entries: number[]; readonly reads: number } => {
    const source = new Fields(fields)
    const parent = known.sender(sender)
    const entries: number[] = []
    for (const _ of fields) entries.push(known.take(source, 0, parent, entries.at(-1) ?? -1, () => Buffer.from('short')))
    return { entries, reads: source.reads }
  }
  const key = (name: string) => ({ by: accountOf('a.b'), names: { ...names, interface_name: name } })

  test('what comes in the order of the last time is not read again; of another sender it is something else', () => {
    const known = new Known(rules, 1, 100)
    known.begin(1)
    const first = take(known, 'x', ['a', 'b', 'c', 'a'])
    expect(first.reads).toBe(4)
    expect(take(known, 'x', ['a', 'b', 'c', 'a'])).toEqual({ entries: first.entries, reads: 1 })
    // Nor with another version: only what it means may have changed.
    known.learn(first.entries[1] as number, 'foreign')
    known.begin(2)
    expect([take(known, 'x', ['a', 'b', 'c', 'a']), known.meaning(first.entries[1] as number)]).toEqual([{ entries: first.entries, reads: 1 }, 0])
    expect(take(known, 'x', ['c', 'b', 'a']).entries).toEqual([first.entries[2], first.entries[1], first.entries[0]])
    const other = take(known, 'y', ['a', 'b'])
    expect(other.entries.filter((entry) => first.entries.includes(entry))).toEqual([])
    expect(take(known, 'x', ['a', 'x'.repeat(longestInterned + 1)]).entries[1]).toBe(known.entry(Buffer.from('short'), known.sender('x')))
  })

  test('is forgotten when it is no longer true, or too much; and each time counted as it is then', () => {
    const known = new Known(rules, 2, 40)
    const folds = [new Fold(rules, new KeyGuard(bounds)), new Fold(rules, new KeyGuard(bounds))]
    const tape = new Tape()
    let learned = 0
    const count = (version: number, fold: Fold, name: string, by = name): void => {
      known.begin(version)
      const sense = known.entry(Buffer.from(name), known.sender('x')) * 2 + 1
      const meaning = known.meaning(sense) || (learned++, known.learn(sense, key(by)))
      fold.add(known.slot(fold, meaning), { column: Float64Array.of(1, 0, 0, 0, 0, 0), from: 0, to: 6 }, tape)
    }
    const counts = (fold: Fold) => Object.fromEntries([...sumsOf(rules, fold.release())].map(({ names: { interface_name: name }, value }) => [String(name), value[0]]))
    const [one, other] = folds as [Fold, Fold]
    for (let round = 0; round < 3; round++) count(1, one, 'a')
    expect(learned).toBe(1)
    // Known, and in another window.
    count(1, other, 'a')
    count(2, other, 'a', 'b')
    expect(learned).toBe(2)
    for (let index = 0; index < 200; index++) count(2, other, `n${index % 100}`)
    expect(learned).toBeGreaterThan(110)
    // Whoever says so, it is counted once: as who says so since takes its room.
    known.begin(3)
    const [sense, again] = ['x', 'y'].map((sender) => known.entry(Buffer.from('a'), known.sender(sender)) * 2 + 1) as [number, number]
    const strangers = new Fold(rules, new KeyGuard({ perReporter: 1, inAll: 100 }))
    const meanings = [known.learn(sense, { ...key('c'), by: accountOf('a.b', '10.0.0.1') }), known.learn(again, { ...key('c'), by: accountOf('a.b', '10.0.0.2') }), known.learn(sense, { ...key('d'), by: accountOf('a.b', '10.0.0.1') })]
    for (const meaning of meanings) strangers.add(known.slot(strangers, meaning), { column: Float64Array.of(1, 0, 0, 0, 0, 0), from: 0, to: 6 }, tape)
    expect(counts(strangers)).toEqual({ c: 2, d: 1 })
    expect([counts(one), counts(other)]).toEqual([{ a: 3 }, { a: 1, b: 1, ...Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`n${index}`, 2])) }])
  })

  test('why a line is not counted is known, too', () => {
    const known = new Known(rules, 1, 10)
    known.begin(1)
    const sense = known.entry(Buffer.from('a'), known.sender('x'))
    expect([known.meaning(sense), known.learn(sense, 'foreign'), known.meaning(sense)]).toEqual([0, -4, -4])
  })
})
