// What a question may cost: it is answered in slices, as long as somebody waits, and its answer has an end.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { steadyTime, type Group, type TotalsQuestion } from '#store/dataset.ts'
import { SqliteDays, type Steps } from '#store/sqlite/days.ts'
import { dataset, row } from './rig.ts'

const folder = await mkdtemp(join(tmpdir(), 'tarsk8s-bounds-'))
afterAll(() => rm(folder, { recursive: true, force: true }))
const open = (name: string, rowsALook?: number): SqliteDays => new SqliteDays({ folder: join(folder, name), maxBytes: Infinity, ...(rowsALook === undefined ? {} : { rowsALook }) })
const question = (more: Partial<TotalsQuestion> = {}): TotalsQuestion => ({ from: '20260101', to: '20260103', where: [], groupBy: ['name'], measures: [{ field: 'count', by: 'sum' }, { field: 'least', by: 'min' }], ...more })
/** All steps at once. */
function whole<T>(steps: Steps<T>): T {
  for (let step = steps.next(); ; step = steps.next()) if (step.done === true) return step.value
}
const totals = (one: SqliteDays, asked: TotalsQuestion): readonly Group[] => whole(one.totals(dataset, asked))
const sorted = (groups: readonly Group[]): readonly Group[] => groups.toSorted((a, b) => (a.keys.join() < b.keys.join() ? -1 : 1))

describe('slices', () => {
  const minute = fc.tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 60 })).map(([hour, at]) => `${hour * 100 + at}`.padStart(4, '0'))
  const flag = fc.oneof(minute, fc.constantFrom('0000', '0860', '0900', '2360', '', '9', '12', '12345', 'z'))
  const rows = fc.array(fc.record({ day: fc.constantFrom('20260101', '20260102', '20260103'), flag, name: fc.constantFrom('a', 'b', 'c') }), { minLength: 1, maxLength: 60 })
  const compare = { eq: (a: string, b: string) => a === b, gt: (a: string, b: string) => a > b, gte: (a: string, b: string) => a >= b, lt: (a: string, b: string) => a < b, lte: (a: string, b: string) => a <= b } as const
  const where = fc.array(fc.record({ field: fc.constant('f_tflag'), op: fc.constantFrom(...Object.keys(compare) as (keyof typeof compare)[]), value: flag }), { maxLength: 3 })
  let number = 0

  test('come to the same as all at once, whatever minutes are asked for', () => {
    fc.assert(fc.property(rows, fc.array(where, { minLength: 10, maxLength: 10 }), fc.integer({ min: 1, max: 9 }), (given, wheres, rowsALook) => {
      const one = open(`slices-${number++}`, rowsALook)
      one.write(dataset, given.map((each, index) => row(String(index), { f_date: each.day, f_tflag: each.flag, name: each.name, count: 1 })))
      for (const conditions of wheres) {
        const expected = Object.entries(Object.groupBy(given.filter((each) => conditions.every(({ op, value }) => compare[op](each.flag, value))), ({ name }) => name))
        expect(sorted(totals(one, question({ where: conditions })))).toEqual(sorted(expected.map(([name, of]) => ({ keys: [name], values: [of?.length, undefined] }))))
      }
      one.close()
    }), { numRuns: 25 })
  })

  test('are looked at only while somebody waits', () => {
    const one = open('late', 1)
    one.write(dataset, [row('1', { f_date: '20260101', f_tflag: '0100', name: 'x', count: 1 })])
    expect(totals(one, question({ until: steadyTime() + 60_000 }))).toHaveLength(1)
    expect(() => totals(one, question({ until: steadyTime() - 1 }))).toThrow(expect.objectContaining({ code: 'STORE_QUESTION', message: 'the answer takes too long' }))
    expect(() => whole(one.find(dataset, { from: '20260101', to: '20260101', where: [], offset: 0, limit: 1, until: steadyTime() - 1 }))).toThrow('the answer takes too long')
    one.close()
  })
})

describe('an answer', () => {
  test.each([
    ['groups of one day', [51_000], 10],
    ['groups of several days together', [20_000, 20_000, 20_000], 10],
    ['characters', [42_000], 200],
  ] as const)('has no more than so many %s', (what, counts, length) => {
    const one = open(what)
    for (const [day, count] of counts.entries()) one.write(dataset, Array.from({ length: count }, (_, index) => row(`${index}`, { f_date: `2026010${day + 1}`, name: `${day}-${index}-`.padEnd(length, 'n'), count: 1 })))
    expect(() => totals(one, question())).toThrow(/more than 50000 groups, or 8388608 characters/)
    expect(totals(one, question({ groupBy: ['f_date'] }))).toHaveLength(counts.length)
    one.close()
  })
})
