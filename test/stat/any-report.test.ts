// Whatever a pod reports: what is made of it is taken by the store whole, in bounded names and finite numbers, under who may say so.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { propertyDataset, statDataset } from '#store/datasets.ts'
import type { Dataset, Row, Store } from '#store/dataset.ts'
import type { FoldRules, Sum } from '#store/fold.ts'
import { openSqliteStore } from '#store/sqlite/store.ts'
import { createStatPropMsgHead } from '#tars/protocol/PropertyF.ts'
import { createStatMicMsgBody, createStatMicMsgHead } from '#tars/protocol/StatF.ts'
import { propertyText, propertyRules } from '../../framework/property/model/property-rules.ts'
import { statRules } from '../../framework/stat/model/stat-rules.ts'
import { onFold } from './on-fold.ts'

let folder: string
let store: Store
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tarsk8s-any-'))
  store = openSqliteStore(folder)
})
afterAll(async () => {
  await store?.close()
  await rm(folder, { recursive: true, force: true })
})

const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 300 }), fc.constantFrom('Bank.Vault', 'Bank.Vault@1', 'Bank.Vault.set', 'Evil.Pod', '__other__', '__proto__', 'tars.tarsstat', '', ',', '\uD800'))
const int = fc.oneof(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), fc.constantFrom(0, 1, -1, 2 ** 31 - 1, -(2 ** 31)))
const long = fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.constantFrom(0n, 2n ** 63n - 1n))
const head = fc.record({ masterName: text, slaveName: text, interfaceName: text, masterIp: text, slaveIp: text, slavePort: int, returnValue: int, slaveSetName: text, slaveSetArea: text, slaveSetID: text, tarsVersion: text })
const body = fc.record({ count: int, timeoutCount: int, execCount: int, intervalCount: fc.array(fc.tuple(int, int), { maxLength: 50 }).map((pairs) => new Map(pairs)), totalRspTime: long, maxRspTime: int, minRspTime: int })
const number = fc.oneof(fc.double().map(String), fc.integer().map(String), fc.constantFrom('1e308', '-1e308', '9007199254740993', '0', 'NaN', 'Infinity', '1e-320', '0x1', ' 7 ', ''))
const value = fc.oneof(number, fc.tuple(number, number).map(([sum, count]) => `${sum}=${count}`), fc.array(fc.tuple(number, number), { maxLength: 70 }).map((pairs) => pairs.map(([bound, count]) => `${bound}|${count}`).join(',')), text)
const entry = fc.record({ moduleName: text, ip: text, propertyName: text, setName: text, setArea: text, setID: text, values: fc.array(fc.record({ policy: fc.oneof(fc.constantFrom('Count', 'Sum', 'Min', 'Max', 'Avg', 'Distr'), text), value }), { maxLength: 40 }) })

const bounds = { perReporter: 10, inAll: 30 }
let batch = 0

async function taken(dataset: Dataset, { row }: FoldRules, sums: readonly Sum[]): Promise<void> {
  batch++
  // As the spool has them: through JSON.
  const rows = JSON.parse(JSON.stringify(sums.map(({ slot, names, value: sum }) => ({ id: `${batch}-${slot}`, day: '20260105', fields: { f_timestamp: 1, f_date: '20260105', f_tflag: '0001', ...names, ...row(sum) } })))) as Row[]
  expect(await store.write(dataset, rows)).toBe(0)
  for (const { fields } of rows) {
    for (const [name, field] of Object.entries(fields)) {
      expect([name, typeof field, typeof field === 'number' ? Number.isFinite(field) : field.length <= 400]).toEqual([name, dataset.fields[name]?.type === 'keyword' ? 'string' : 'number', true])
    }
  }
}

const serverOf = (name: unknown): string => String(name).split('.').slice(0, 2).join('.')

test('calls', async () => {
  await fc.assert(fc.asyncProperty(fc.array(fc.tuple(head, body), { maxLength: 60 }), fc.boolean(), async (lines, fromClient) => {
    const one = onFold('stat', bounds)
    const calls = lines.map(([names, counts]) => [createStatMicMsgHead(names), createStatMicMsgBody(counts)] as const)
    await one.calls('evil', calls, fromClient)
    const { taken: lineCount, refused } = one.intake.counts
    expect(lineCount + Object.values(refused).reduce((sum, count) => sum + count, 0)).toBe(lines.length)
    // Said again, each is counted again: whatever it was known by the first time.
    await one.calls('evil', calls, fromClient)
    expect(one.intake.counts.taken).toBe(lineCount * 2)
    expect(one.fold.size).toBeLessThanOrEqual(3 * bounds.inAll + 1)
    const sums = one.sums()
    const own = (masterName: string, slaveName: string): string => serverOf(fromClient ? (masterName.split('@')[0] ?? '') : slaveName)
    const counted = calls.filter(([{ masterName, slaveName }, { count, timeoutCount, execCount, totalRspTime, maxRspTime, minRspTime }]) =>
      own(masterName, slaveName) !== 'Bank.Vault' && slaveName !== 'tars.tarsstat' && (count !== 0 || timeoutCount !== 0 || execCount !== 0) && [count, timeoutCount, execCount, Number(totalRspTime), maxRspTime, minRspTime].every((number) => number >= 0))
    expect(lineCount).toBeLessThanOrEqual(counted.length)
    if (lineCount === counted.length) expect(sums.reduce((sum, { value: [count = 0] }) => sum + count, 0)).toBe(2 * counted.reduce((sum, [, { count }]) => sum + count, 0))
    // Nothing is said by another server than the one that speaks.
    const mine = sums.filter(({ names }) => names['interface_name'] !== '__other__')
    expect(mine.filter(({ names }) => serverOf(names[fromClient ? 'master_name' : 'slave_name']) === 'Bank.Vault')).toEqual([])
    expect(mine.every(({ names }) => names[fromClient ? 'master_ip' : 'slave_ip'] === 'evil-pod-0')).toBe(true)
    await taken(statDataset, statRules('p'), sums)
  }), { numRuns: 30 })
})

test('properties', async () => {
  await fc.assert(fc.asyncProperty(fc.array(entry, { maxLength: 30 }), async (entries) => {
    const one = onFold('property', bounds)
    await one.values('evil', entries.map(({ values, ...names }) => [createStatPropMsgHead(names), { vInfo: values }] as const))
    const sums = one.sums()
    expect(sums.filter(({ names }) => serverOf(names['master_name']) === 'Bank.Vault')).toEqual([])
    await taken(propertyDataset, propertyRules('p'), sums)
    expect(propertyText(sums).split('\n').every((line) => line === '' || /^(# |tars_property\{.*\} \S+$|tars_property_omitted 0$)/.test(line))).toBe(true)
  }), { numRuns: 30 })
})
