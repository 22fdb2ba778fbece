// Whatever a pod reports: what is made of it is taken by the store whole, in bounded names and finite numbers, under who may say so.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { propertyDataset, statDataset } from '#store/datasets.ts'
import type { Dataset, Row, Store } from '#store/dataset.ts'
import { Fold } from '#store/fold.ts'
import { Tape } from '#store/tape.ts'
import { openSqliteStore } from '#store/sqlite/store.ts'
import type { FunctionCodec } from '#tars/idl/interface.ts'
import { createStatPropMsgHead } from '#tars/protocol/PropertyF.ts'
import { Reader } from '#tars/codec/reader.ts'
import { Writer } from '#tars/codec/writer.ts'
import { createStatMicMsgBody, createStatMicMsgHead, StatF } from '#tars/protocol/StatF.ts'
import { propertyText, propertyRules } from '../../framework/property/model/property-rules.ts'
import { recordsOf, type PropertyRecord } from '../../framework/property/model/record.ts'
import { faultOf, keyOfHead, type StatRecord } from '../../framework/stat/model/record.ts'
import { Heads } from '../../framework/stat/heads.ts'
import { statOfLines, type StatLine } from '../../framework/stat/stat-lines.ts'
import { statRules } from '../../framework/stat/model/stat-rules.ts'

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
const evil = { node: 'evil-pod-0', owner: 'Evil.Pod', isOwner: (name: string) => ['Bank.Vault', 'Evil.Pod'].includes(name), mayReport: (name: string) => name !== 'Bank.Vault', host: (name: string) => name }
let batch = 0

async function taken(dataset: Dataset, fold: { rows(): Iterable<Row['fields']> }): Promise<void> {
  batch++
  // As the spool has them: through JSON.
  const rows = JSON.parse(JSON.stringify([...fold.rows()].map((fields, index) => ({ id: `${batch}-${index}`, day: '20260105', fields: { f_timestamp: 1, f_date: '20260105', f_tflag: '0001', ...fields } })))) as Row[]
  expect(await store.write(dataset, rows)).toBe(0)
  for (const { fields } of rows) {
    for (const [name, field] of Object.entries(fields)) {
      expect([name, typeof field, typeof field === 'number' ? Number.isFinite(field) : field.length <= 400]).toEqual([name, dataset.fields[name]?.type === 'keyword' ? 'string' : 'number', true])
    }
  }
}

const total = (all: Iterable<StatRecord>): number => [...all].reduce((sum, { value: { count } }) => sum + count, 0)

test('calls', async () => {
  await fc.assert(fc.asyncProperty(fc.array(fc.tuple(head, body), { maxLength: 60 }), fc.boolean(), async (lines, fromClient) => {
    const fold = new Fold(statRules('p'), bounds)
    const report = new Writer()
    StatF.functions['reportMicMsg']?.writeArgs(report, [new Map(lines.map(([one, other]) => [createStatMicMsgHead(one), createStatMicMsgBody(other)])), fromClient])
    const heads = new Heads(10)
    const { readArgs } = statOfLines(heads).functions['reportMicMsg'] as FunctionCodec
    const [read] = readArgs(new Reader(report.bytes())) as [StatLine[]]
    const records = read.map((one) => ({ key: keyOfHead(one.head.read(), fromClient, evil), value: one.value })).filter((record): record is StatRecord => typeof record.key !== 'string' && faultOf(record.value) === undefined)
    const counted = total(records)
    for (const record of records) fold.add(record, new Tape())
    // Nothing is said by another server than the one that speaks.
    expect(records.filter(({ key }) => key.by === 'Bank.Vault')).toEqual([])
    expect(records.every(({ key }) => (fromClient ? key.names.masterIp : key.names.slaveIp) === 'evil-pod-0')).toBe(true)
    expect(total(fold.sums())).toBe(counted)
    expect(fold.size).toBeLessThanOrEqual(3 * bounds.inAll + 1)
    await taken(statDataset, fold)
  }), { numRuns: 30 })
})

test('properties', async () => {
  await fc.assert(fc.asyncProperty(fc.array(entry, { maxLength: 30 }), async (entries) => {
    const fold = new Fold(propertyRules('p'), bounds)
    const records = entries.flatMap(({ values, ...one }) => recordsOf(createStatPropMsgHead(one), { vInfo: values }, evil)).filter((record): record is PropertyRecord => typeof record !== 'string')
    for (const record of records) fold.add(record, new Tape())
    expect(records.filter(({ key }) => key.by === 'Bank.Vault')).toEqual([])
    await taken(propertyDataset, fold)
    expect((await propertyText(fold.sums())).split('\n').every((line) => line === '' || /^(# |tars_property\{.*\} \S+$|tars_property_omitted 0$)/.test(line))).toBe(true)
  }), { numRuns: 30 })
})
