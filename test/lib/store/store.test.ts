// What every store does, on SQLite and on a real OpenSearch and Elasticsearch.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Condition, Group, TotalsQuestion } from '#store/dataset.ts'
import { keventDataset } from '#store/datasets.ts'
import { dataset, row, startStore, storeKinds, type TestStore } from './rig.ts'

const question = (more: Partial<TotalsQuestion> = {}): TotalsQuestion => ({ from: '20260101', to: '20260101', where: [], groupBy: ['name'], measures: [{ field: 'count', by: 'sum' }], ...more })
const asMap = (groups: readonly Group[]): Record<string, readonly (number | undefined)[]> => Object.fromEntries(groups.map(({ keys, values }) => [keys.join(','), values]))
const where = (field: string, op: Condition['op'], value: string): Condition => ({ field, op, value })

const odd = `100%_\\"'*?\n\u{1F600},é`
const rows = [
  row('a1', { f_date: '20260101', f_tflag: '0859', name: 'Shop.Cart', code: 0, count: 5, value: 1.5, least: 7 }),
  row('a2', { f_date: '20260101', f_tflag: '0860', name: 'Shop.Cart', code: -3, count: 2, value: 2.25, least: 3 }),
  row('a3', { f_date: '20260101', f_tflag: '0901', name: 'shop.pay', code: 0, count: 4, value: -1 }),
  row('a4', { f_date: '20260101', f_tflag: '2360', name: odd, code: 12, count: 9_007_199_254_740_991 }),
  row('b1', { f_date: '20260102', f_tflag: '0001', name: 'Shop.Cart', code: 0, count: 10, least: 1 }),
  row('c1', { f_date: '20260105', f_tflag: '0001', name: 'Shop.Cart', code: 0, count: 100 }),
]

describe.each(storeKinds)('%s', (kind) => {
  let one: TestStore
  beforeAll(async () => {
    one = await startStore(kind)
    expect(await one.store.totals(dataset, question())).toEqual([])
    expect(await one.store.last(dataset)).toBeUndefined()
    expect(await one.store.write(dataset, rows)).toBe(0)
    await one.settle()
  })
  afterAll(() => one?.stop())

  const totals = async (more: Partial<TotalsQuestion>) => asMap(await one.store.totals(dataset, question(more)))

  test('sums by group, and names come back as they were', async () => {
    expect(await totals({})).toEqual({ 'Shop.Cart': [7], 'shop.pay': [4], [odd]: [9_007_199_254_740_991] })
  })

  test('least, greatest, and sums of fractions; a field that no row of a group has is no zero', async () => {
    const measures = [{ field: 'least', by: 'min' }, { field: 'least', by: 'max' }, { field: 'value', by: 'sum' }] as const
    expect(await totals({ measures, where: [where('name', 'like', 'shop%')] })).toEqual({ 'Shop.Cart': [3, 7, 3.75], 'shop.pay': [undefined, undefined, -1] })
  })

  test('several days, with some missing; and days of which nothing is there', async () => {
    expect(await totals({ to: '20260104', groupBy: ['f_date', 'name'], where: [where('name', 'eq', 'Shop.Cart')] })).toEqual({ '20260101,Shop.Cart': [7], '20260102,Shop.Cart': [10] })
    expect(await totals({ to: '20260105', where: [where('name', 'eq', 'Shop.Cart')] })).toEqual({ 'Shop.Cart': [117] })
    expect(await totals({ from: '20250101', to: '20250102' })).toEqual({})
  })

  test('no group: one of all, or none at all', async () => {
    expect(await totals({ groupBy: [], to: '20260102', where: [where('code', 'lte', '0')] })).toEqual({ '': [21] })
    expect(await totals({ groupBy: [], where: [where('name', 'eq', 'nobody')] })).toEqual({})
    expect([await totals({ groupBy: [], measures: [] }), await totals({ groupBy: [], measures: [], where: [where('name', 'eq', 'nobody')] })]).toEqual([{ '': [] }, {}])
  })

  const conditions: readonly [string, Condition, readonly string[]][] = [
    ['equal text', where('name', 'eq', 'shop.pay'), ['shop.pay']],
    ['equal text is exact', where('name', 'eq', 'SHOP.PAY'), []],
    ['equal number', where('code', 'eq', '-3'), ['Shop.Cart']],
    ['numbers are numbers', where('code', 'gt', '2'), [odd]],
    ['text is text', where('f_tflag', 'gte', '0901'), ['shop.pay', odd]],
    ['below', where('f_tflag', 'lt', '0860'), ['Shop.Cart']],
    ['like in either case', where('name', 'like', 'SHOP.%'), ['Shop.Cart', 'shop.pay']],
    ['like one character', where('name', 'like', 'shop_pay'), ['shop.pay']],
    ['like a plain per cent', where('name', 'like', String.raw`100\%\_%`), [odd]],
    ['like a star, a question mark and a backslash', where('name', 'like', String.raw`%\\%*?%`), [odd]],
    ['a quote closes nothing', where('name', 'eq', `' OR 1=1 --`), []],
    ['a quote in a pattern closes nothing', where('name', 'like', `%' OR '1'='1`), []],
    ['braces open nothing', where('name', 'like', `"}}}],"x":{"%`), []],
  ]
  test.each(conditions)('%s', async (_what, condition, expected) => {
    expect(Object.keys(await totals({ where: [condition] })).toSorted()).toEqual(expected.toSorted())
  })

  test('what is there already is left as it is, however often it comes', async () => {
    const again = [row('a1', { f_date: '20260101', name: 'Shop.Cart', count: 1000 }), row('d1', { f_date: '20260101', name: 'New.One', count: 1 })]
    for (let time = 0; time < 2; time++) expect(await one.store.write(dataset, again)).toBe(0)
    await one.reopen()
    expect(await one.store.write(dataset, again)).toBe(0)
    await one.settle()
    expect(await totals({ where: [where('name', 'like', '%.%')] })).toEqual({ 'Shop.Cart': [7], 'shop.pay': [4], 'New.One': [1] })
  })

  test('a row with a value that does not fit is refused alone', async () => {
    expect(await one.store.write(dataset, [row('e1', { f_date: '20260103', name: 'Good', count: 1 }), row('e2', { f_date: '20260103', name: 'Bad', count: 'many' }), row('e3', { f_date: '20260103', name: 'Good', count: 1 })])).toBe(1)
    await one.settle()
    expect(await totals({ from: '20260103', to: '20260103' })).toEqual({ Good: [2] })
  })

  test('many groups come whole', async () => {
    const many = Array.from({ length: 12_000 }, (_, index) => row(`m${index}`, { f_date: '20260110', name: `n${index % 6000}`, count: 1 }))
    for (let from = 0; from < many.length; from += 2000) await one.store.write(dataset, many.slice(from, from + 2000))
    await one.settle()
    const groups = await totals({ from: '20260110', to: '20260110' })
    expect(Object.keys(groups)).toHaveLength(6000)
    expect(Object.values(groups).every(([count]) => count === 2)).toBe(true)
  })

  const bad: readonly [string, Partial<TotalsQuestion>, RegExp][] = [
    ['a field that is not there', { groupBy: ['name"; DROP TABLE rows'] }, /no field "name"; DROP TABLE rows"/],
    ['a measure that is not there', { measures: [{ field: '__proto__', by: 'sum' }] }, /no field "__proto__"/],
    ['LIKE on a number', { where: [where('code', 'like', '1%')] }, /code is a number/],
    ['a number that is none', { where: [where('code', 'eq', '1 OR 1=1')] }, /cannot be compared with "1 OR 1=1"/],
    ['a day that is none', { from: '20260231', to: '20260231' }, /"20260231" is no day/],
    ['a path for a day', { from: '../../et', to: '20260101' }, /is no day/],
    ['days in the wrong order', { from: '20260102', to: '20260101' }, /before the first/],
    ['too many days', { from: '20250101', to: '20260101' }, /366 days/],
  ]
  test.each(bad)('%s is refused, with what can be asked', async (_what, more, says) => {
    await expect(one.store.totals(dataset, question(more))).rejects.toThrow(says)
  })

  test('the last is known, and old days go as a whole', async () => {
    expect(await one.store.last(dataset)).toMatchObject({ day: '20260110' })
    expect(await one.store.trim(dataset, '20260105')).toBe(3)
    expect(await one.store.trim(dataset, '20260105')).toBe(0)
    await one.settle()
    expect(await totals({ to: '20260131', where: [where('name', 'like', 'Shop%')] })).toEqual({ 'Shop.Cart': [100] })
    // A day that was dropped can be begun anew.
    await one.store.write(dataset, [row('z1', { f_date: '20260101', name: 'Late', count: 1 })])
    await one.settle()
    expect(await totals({})).toEqual({ Late: [1] })
  })
})

// Elasticsearch's data streams are in its plugins, which are not to be had as libraries.
describe.each(['SQLite', 'OpenSearch'] as const)('documents in %s', (kind) => {
  let one: TestStore
  const at = (minute: number): number => new Date(2026, 0, 5, 10, minute).getTime()
  const event = (id: string, minute: number, name: string, reason: string) => ({
    id, day: '20260105',
    fields: { time: at(minute), kind: 'Pod', name, namespace: 'prod', type: 'Normal', reason },
    document: { '@timestamp': new Date(at(minute)).toISOString(), type: 'Normal', reason, message: 'x "y" {z}', involvedObject: { kind: 'Pod', name, namespace: 'prod' }, count: 3 },
  })
  const events = [event('u1:1', 1, 'a-0', 'Pulled'), event('u1:2', 5, 'a-0', 'Started'), event('u2:3', 3, 'b-0', 'Killing'), event('u3:4', 4, 'ab-0', 'Pulled')]
  beforeAll(async () => {
    one = await startStore(kind)
    expect(await one.store.find(keventDataset, { from: '20260105', to: '20260105', where: [], offset: 0, limit: 10 })).toEqual([])
    expect(await one.store.write(keventDataset, events)).toBe(0)
    expect(await one.store.write(keventDataset, events.slice(1))).toBe(0)
    await one.settle()
  })
  afterAll(() => one?.stop())

  const find = async (more: object = {}) => (await one.store.find(keventDataset, { from: '20260104', to: '20260106', where: [], offset: 0, limit: 10, ...more })).map(({ fields }) => `${fields['name']} ${fields['reason']}`)

  test('the newest first, once each, in pages', async () => {
    expect(await find()).toEqual(['a-0 Started', 'ab-0 Pulled', 'b-0 Killing', 'a-0 Pulled'])
    expect(await find({ offset: 1, limit: 2 })).toEqual(['ab-0 Pulled', 'b-0 Killing'])
  })

  test('by what they are about, and only the newest of each', async () => {
    expect(await find({ where: [where('name', 'like', 'a-%')] })).toEqual(['a-0 Started', 'a-0 Pulled'])
    expect(await find({ where: [where('reason', 'eq', 'Pulled'), where('time', 'gte', String(at(2)))] })).toEqual(['ab-0 Pulled'])
    expect(await find({ newestOf: 'name' })).toEqual(['a-0 Started', 'ab-0 Pulled', 'b-0 Killing'])
    expect(await find({ from: '20260106' })).toEqual([])
  })

  test('as they were given', async () => {
    const [first] = await one.store.find(keventDataset, { from: '20260105', to: '20260105', where: [], offset: 0, limit: 1 })
    expect(first).toEqual({ fields: events[1]?.fields, document: events[1]?.document })
    expect(await one.store.last(keventDataset)).toEqual({ day: '20260105', order: String(at(5)) })
  })

  test('trimming leaves what is young', async () => {
    expect(await one.store.trim(keventDataset, '20260105')).toBe(0)
    await one.settle()
    expect(await find()).toHaveLength(4)
  })
})
