// Whatever is asked, by either protocol: what a small reference comes to that was written from the specification (framework-services 6.3, 7, 8).
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { silentLogger } from '#base/log.ts'
import type { Row } from '#store/dataset.ts'
import { single } from '#store/remote.ts'
import { openSqliteStore } from '#store/sqlite/store.ts'
import { MonitorOp, type MonitorCondition } from '#tars/protocol/MonitorQuery.ts'
import { createStatPropMsgHead } from '#tars/protocol/PropertyF.ts'
import { createStatMicMsgBody, createStatMicMsgHead } from '#tars/protocol/StatF.ts'
import { propertyRules } from '../../framework/property/model/property-rules.ts'
import { createAnswerer, type Answerer } from '../../framework/query/answer.ts'
import { propertyKind, statKind, type Kind } from '../../framework/query/model/kind.ts'
import type { Asked } from '../../framework/query/model/question.ts'
import { parseText, textOf } from '../../framework/query/model/text-protocol.ts'
import { statRules } from '../../framework/stat/model/stat-rules.ts'
import { onFold } from '../stat/on-fold.ts'

const days = ['20260105', '20260106', '20260108'] as const
/** Windows that end at these minutes, the last of an hour and of a day among them (6.3). */
const minutes = ['0001', '0859', '0860', '0901', '1230', '2360'] as const
const seed = 20_260_105
const source = 'p'
const asker = { peer: '', timeoutMs: 0, gone: false }
const bounds = { perReporter: 1000, inAll: 1000 }

/** What one reporter told in one window. */
interface Report {
  readonly fields: Readonly<Record<string, string>>
  readonly rows: readonly Row['fields'][]
  readonly said: unknown
}

interface Subject {
  readonly kind: Kind
  readonly reports: readonly Report[]
  readonly indexes: readonly string[]
  readonly usual: string
  readonly groups: readonly string[]
  readonly patterns: readonly (readonly [field: string, pattern: string])[]
  /** Values of one group of reports. */
  readonly value: (index: string, reports: readonly Report[]) => number
}

const window = fc.record({ f_date: fc.constantFrom(...days), f_tflag: fc.constantFrom(...minutes) })
const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0)

async function stat(): Promise<Subject> {
  const one = fc.record({ window, master: fc.constantFrom('Shop.Web', 'Shop.App'), slave: fc.constantFrom('Shop.Cart', 'Shop.Pay', 'Bank.Pay'), node: fc.constantFrom('a-0', 'a-1'), count: fc.nat(9), timeouts: fc.nat(3), failures: fc.nat(3), total: fc.nat(90), max: fc.nat(50), min: fc.nat(5) })
  type Said = typeof one extends fc.Arbitrary<infer T> ? T : never
  const reports: Report[] = []
  const { row } = statRules(source)
  // What came to nothing is not kept (6.2).
  for (const said of fc.sample(one, { seed, numRuns: 150 }).filter(({ count, timeouts, failures }) => count + timeouts + failures > 0)) {
    const head = createStatMicMsgHead({ masterName: said.master, slaveName: said.slave, interfaceName: 'f', slavePort: 1 })
    const body = createStatMicMsgBody({ count: said.count, timeoutCount: said.timeouts, execCount: said.failures, totalRspTime: BigInt(said.total), maxRspTime: said.max, minRspTime: said.min })
    const tarsstat = onFold('stat', bounds)
    await tarsstat.calls(said.node, [[head, body]], true)
    const rows = tarsstat.sums().map(({ names, value }) => ({ ...names, ...row(value) }))
    reports.push({ said, fields: { ...said.window, master_name: said.master, slave_name: said.slave, master_ip: said.node }, rows })
  }
  return {
    kind: statKind, reports, usual: 'succ_count', indexes: ['succ_count', 'timeout_count', 'exce_count', 'total_count', 'total_time', 'maxrsp_time', 'minrsp_time', 'ave_time'], groups: ['f_date', 'f_tflag', 'master_name', 'slave_name', 'master_ip'],
    patterns: [['slave_name', 'shop.%'], ['slave_name', '%.Pay'], ['master_name', 'Shop._pp'], ['master_ip', 'a-1']],
    value(index, group) {
      const all = group.map(({ said }) => said as Said)
      const total = (of: (said: Said) => number): number => sum(all.map(of))
      const values: Readonly<Record<string, number>> = {
        succ_count: total(({ count }) => count), timeout_count: total(({ timeouts }) => timeouts), exce_count: total(({ failures }) => failures), total_count: total(({ count, timeouts, failures }) => count + timeouts + failures),
        total_time: total((said) => said.total), maxrsp_time: Math.max(...all.map(({ max }) => max)),
        // 0 is no time (6.3: min non-zero).
        minrsp_time: Math.min(...all.map(({ min }) => min || Infinity)), ave_time: total((said) => said.total) / total(({ count }) => count),
      }
      const value = values[index] ?? NaN
      return Number.isFinite(value) ? value : 0
    },
  }
}

async function property(): Promise<Subject> {
  const policies = { Sum: ['1', '2.5', '-3'], Count: ['1', '7'], Min: ['-5', '4', '9'], Max: ['-5', '4', '9'], Avg: ['10', '90=3', '0=0'], Distr: ['5|1,10|2', '10|4,max|1'], Own: ['3'] } as const
  const value = fc.constantFrom(...Object.keys(policies) as (keyof typeof policies)[]).chain((policy) => fc.array(fc.constantFrom<string>(...policies[policy]), { minLength: 1, maxLength: 3 }).map((texts) => ({ policy, texts })))
  const one = fc.record({ window, name: fc.constantFrom('size', 'load'), node: fc.constantFrom('a-0', 'a-1'), value })
  const reports: Report[] = []
  const { row } = propertyRules(source)
  for (const { window: at, name, node, value: { policy, texts } } of fc.sample(one, { seed, numRuns: 150 })) {
    const tarsproperty = onFold('property', bounds)
    await tarsproperty.values(node, [[createStatPropMsgHead({ moduleName: 'Shop.Cart', propertyName: name }), { vInfo: texts.map((text) => ({ policy, value: text })) }]])
    // Of Distr each bucket is found by itself.
    for (const { names, value: came } of tarsproperty.sums()) {
      const bucket = String(names['bucket'])
      reports.push({ fields: { ...at, master_name: 'Shop.Cart', property_name: name, master_ip: node, policy, bucket }, rows: [{ ...names, ...row(came) }], said: { policy, numbers: numbersOf(policy, texts, bucket) } })
    }
  }
  return {
    kind: propertyKind, reports, usual: 'value', indexes: ['value'], groups: ['f_date', 'f_tflag', 'property_name', 'master_ip', 'policy', 'bucket'],
    patterns: [['property_name', 'S%'], ['policy', 'm__'], ['policy', 'Avg'], ['master_ip', '%0'], ['bucket', '%a%']],
    value: (_, group) => sum([...Map.groupBy(group.map(({ said }) => said as { policy: string; numbers: readonly (readonly [number, number])[] }), ({ policy }) => policy)].map(([policy, of]) => together(policy, of.flatMap(({ numbers }) => numbers)))),
  }
}

/** What was reported, as numbers with the weight of each. */
function numbersOf(policy: string, texts: readonly string[], bucket: string): (readonly [value: number, weight: number])[] {
  if (policy === 'Distr') return texts.flatMap((text) => text.split(',').map((part) => part.split('|'))).filter(([bound]) => bound === bucket).map(([, count]) => [Number(count), 1])
  if (policy === 'Avg') return texts.map((text) => text.split('=')).map(([total, count]) => [Number(total), Number(count ?? 1)])
  // Of what nobody knows how to bring together, the first in a window counts (7).
  return (policy === 'Own' ? texts.slice(0, 1) : texts).map((text) => [Number(text), 1])
}

/** How values of one policy come together (7, 8.2). */
function together(policy: string, numbers: readonly (readonly [value: number, weight: number])[]): number {
  const values = numbers.map(([value]) => value)
  if (policy === 'Min') return Math.min(...values)
  if (policy === 'Max') return Math.max(...values)
  if (policy !== 'Avg') return sum(values)
  const weight = sum(numbers.map(([, one]) => one))
  return weight === 0 ? 0 : sum(values) / weight
}

const like = (pattern: string): RegExp => new RegExp(`^${pattern.replaceAll('.', String.raw`\.`).replaceAll('%', '.*').replaceAll('_', '.')}$`, 'i')

describe.each([['stat', await stat()], ['property', await property()]] as const)('%s', (name, subject) => {
  const { usual } = subject
  let folder: string
  let store: ReturnType<typeof openSqliteStore>
  let answerer: Answerer
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), `tarsk8s-answers-${name}-`))
    store = openSqliteStore(folder)
    const rows = subject.reports.flatMap(({ fields, rows: some }) => some.map((row) => ({ ...row, f_date: fields['f_date'] ?? '', f_tflag: fields['f_tflag'] ?? '', f_timestamp: 0 })))
    await store.write(subject.kind.dataset, rows.map((fields, index) => ({ id: String(index), day: fields.f_date, fields })))
    answerer = createAnswerer({ kind: subject.kind, reader: single(store), atOnce: { inAll: 9, perOwner: 9, mostOfOwner: 9 }, log: silentLogger })
  })
  afterAll(async () => {
    await store.close()
    await rm(folder, { recursive: true, force: true })
  })

  const flag = fc.constantFrom('0000', '0001', '0860', '0900', '1200', '2359', '2360')
  const question = fc.record({
    from: fc.constantFrom('20260101', ...days), length: fc.constantFrom(0, 1, 4), flags: fc.tuple(flag, flag),
    indexs: fc.uniqueArray(fc.constantFrom(...subject.indexes), { minLength: 1 }), groupby: fc.uniqueArray(fc.constantFrom(...subject.groups), { maxLength: 4 }),
    patterns: fc.uniqueArray(fc.constantFrom(...subject.patterns), { maxLength: 2 }), equal: fc.option(fc.constantFrom(...subject.reports.flatMap(({ fields }) => Object.entries(fields))), { nil: undefined }),
  })

  test('as the reference answers', async () => {
    await fc.assert(fc.asyncProperty(question, async ({ from, length, flags: [tflag1, tflag2], indexs, groupby, patterns, equal }) => {
      const to = String(Number(from) + length)
      const compared = equal === undefined || equal[0] === 'f_date' ? [] : [equal]
      const expected = new Map([...Map.groupBy(subject.reports.filter(({ fields }) => {
        const [date = '', minute = ''] = [fields['f_date'], fields['f_tflag']]
        return date >= from && date <= to && minute >= tflag1 && minute <= tflag2 && patterns.every(([field, pattern]) => like(pattern).test(fields[field] ?? '')) && compared.every(([field, value]) => fields[field] === value)
      }), ({ fields }) => groupby.map((field) => fields[field]).join(','))].map(([key, group]) => [key, indexs.map((index) => subject.value(index, group))]))
      const conditions: MonitorCondition[] = [
        { field: 'f_date', op: MonitorOp.GTE, val: from }, { field: 'f_date', op: MonitorOp.LTE, val: to },
        ...patterns.map(([field, val]) => ({ field, op: MonitorOp.LIKE, val })), ...compared.map(([field, val]) => ({ field, op: MonitorOp.EQ, val })),
      ]
      const asked: Asked = { date: '', tflag1, tflag2, conditions, indexs, groupby }
      const answer = await answerer.answer(asked, asker)
      expect({ ret: answer.ret, msg: answer.msg, lastTime: answer.lastTime }).toEqual({ ret: 0, msg: '', lastTime: '20260108 2360' })
      expect(rounded(answer.result)).toEqual(rounded(expected))
      // Native's date is one day (8.1).
      if (length === 0) expect(await answerer.answer({ ...asked, date: from, conditions: conditions.slice(2) }, asker)).toEqual(answer)
      // In text days and minutes are conditions like others, and one index is usual (8.4).
      const filter = [`f_date>=${from}`, `f_date<=${to}`, `f_tflag>=${tflag1}`, `f_tflag<=${tflag2}`, ...patterns.map(([field, pattern]) => `${field} like '${pattern}'`), ...compared.map(([field, value]) => `${field}='${value}'`)]
      const text = parseText(JSON.stringify({ method: 'query', filter, groupby, ...(indexs.join() === usual ? {} : { indexs }) }), answerer.usualIndex)
      if (text.method !== 'query') throw new Error('no query')
      expect(textOf(await answerer.answer(text.asked, asker), groupby.length)).toBe(textOf(answer, groupby.length))
    }), { numRuns: 400, seed })
  })
})

const rounded = (result: ReadonlyMap<string, readonly number[]>): Record<string, readonly number[]> => Object.fromEntries([...result].map(([key, values]) => [key, values.map((value) => Number(value.toFixed(6)))]))
