// A pod that reports ever new names, within its own or made up: what is kept of it has a bound, and others are counted as ever.
import { describe, expect, test } from 'vitest'
import { Fold } from '#store/fold.ts'
import { Tape } from '#store/tape.ts'
import { otherName } from '#store/key-guard.ts'
import { createStatPropMsgBody, createStatPropMsgHead, createStatPropInfo } from '#tars/protocol/PropertyF.ts'
import { createStatMicMsgHead } from '#tars/protocol/StatF.ts'
import { propertyRules } from '../../framework/property/model/property-rules.ts'
import { recordsOf, type PropertyRecord } from '../../framework/property/model/record.ts'
import { keyOfHead, type StatKey, type StatValue } from '../../framework/stat/model/record.ts'
import { statRules } from '../../framework/stat/model/stat-rules.ts'

const bounds = { perReporter: 100, inAll: 1000 }
const lines = 20_000
const podOf = (owner: string) => ({ node: `${owner}-0`, owner, isOwner: (name: string) => ['Bank.Vault', 'Evil.Pod'].includes(name), mayReport: (name: string) => name === owner || !['Bank.Vault', 'Evil.Pod'].includes(name), host: (name: string) => name })
const [evil, bank] = [podOf('Evil.Pod'), podOf('Bank.Vault')]

const floods: readonly (readonly [string, (index: number) => string])[] = [
  ['sets of its own', (index) => `Evil.Pod.${index}`], ['made-up servers', (index) => `App${index}.Server`], ['made-up applications', (index) => `App${index}`], ['names of nothing', (index) => `.${index}`],
]

describe.each(floods)('%s', (_what, nameOf) => {
  test.each([true, false])('calls, reported by the caller: %s', (fromClient) => {
    const fold = new Fold(statRules('p'), bounds)
    const value = (): StatValue => ({ count: 1, timeouts: 0, failures: 0, intervals: [], total: 0, max: 0, min: 0 })
    for (let index = 0; index < lines; index++) {
      const names = fromClient ? { masterName: nameOf(index), slaveName: `To.${index}` } : { masterName: `From.${index}`, slaveName: nameOf(index) }
      fold.add({ key: keyOfHead(createStatMicMsgHead(names), fromClient, evil) as StatKey, value: value() }, new Tape())
    }
    expect(fold.size).toBeLessThan(bounds.perReporter + 5)
    const own = keyOfHead(createStatMicMsgHead({ masterName: 'Bank.Vault', slaveName: 'Bank.Store' }), true, bank) as StatKey
    fold.add({ key: own, value: value() }, new Tape())
    expect([...fold.sums()].some(({ key }) => key.text === own.text)).toBe(true)
    expect([...fold.sums()].reduce((sum, { value: { count } }) => sum + count, 0)).toBe(lines + 1)
    expect([...fold.sums()].filter(({ key }) => [key.names.master, key.names.slave].includes(otherName)).length).toBeGreaterThan(0)
  })

  test('properties', () => {
    const fold = new Fold(propertyRules('p'), bounds)
    const body = createStatPropMsgBody({ vInfo: [createStatPropInfo({ policy: 'Sum', value: '1' })] })
    const add = (moduleName: string, reporter: typeof evil): void => {
      for (const record of recordsOf(createStatPropMsgHead({ moduleName, propertyName: 'p' }), body, reporter)) fold.add(record as PropertyRecord, new Tape())
    }
    for (let index = 0; index < lines; index++) add(nameOf(index), evil)
    expect(fold.size).toBeLessThan(bounds.perReporter + 5)
    add('Bank.Vault', bank)
    expect([...fold.sums()].some(({ key }) => key.names.module === 'Bank.Vault')).toBe(true)
  })
})
