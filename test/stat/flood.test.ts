// A pod that reports ever new names, within its own or made up: what is kept of it has a bound, and others are counted as ever.
import { describe, expect, test } from 'vitest'
import { otherName } from '#store/key-guard.ts'
import { createStatPropMsgHead, type StatPropMsgBody, type StatPropMsgHead } from '#tars/protocol/PropertyF.ts'
import { createStatMicMsgBody, createStatMicMsgHead } from '#tars/protocol/StatF.ts'
import { onFold, type OnFold } from './on-fold.ts'

const bounds = { perReporter: 100, inAll: 1000 }
const lines = 20_000
const batch = 100

const floods: readonly (readonly [string, (index: number) => string])[] = [
  ['sets of its own', (index) => `Evil.Pod.${index}`], ['made-up servers', (index) => `App${index}.Server`], ['made-up applications', (index) => `App${index}`], ['names of nothing', (index) => `.${index}`],
]
const batches = <T>(of: (index: number) => T): T[][] => Array.from({ length: lines / batch }, (_, part) => Array.from({ length: batch }, (_unused, index) => of(part * batch + index)))

describe.each(floods)('%s', (_what, nameOf) => {
  test.each([true, false])('calls, reported by the caller: %s', async (fromClient) => {
    const one = onFold('stat', bounds)
    const body = createStatMicMsgBody({ count: 1 })
    for (const some of batches((index) => [createStatMicMsgHead(fromClient ? { masterName: nameOf(index), slaveName: `To.${index}` } : { masterName: `From.${index}`, slaveName: nameOf(index) }), body] as const)) await one.calls('evil', some, fromClient)
    expect(one.fold.size).toBeLessThan(bounds.perReporter + 5)
    await one.calls('bank', [[createStatMicMsgHead({ masterName: 'Bank.Vault', slaveName: 'Bank.Store' }), body]], true)
    const sums = one.sums()
    expect(sums.some(({ names }) => names['master_name'] === 'Bank.Vault' && names['slave_name'] === 'Bank.Store')).toBe(true)
    expect(sums.reduce((sum, { value: [count = 0] }) => sum + count, 0)).toBe(lines + 1)
    expect(sums.filter(({ names }) => [names['master_name'], names['slave_name']].includes(otherName)).length).toBeGreaterThan(0)
  })

  test('properties', async () => {
    const one = onFold('property', bounds)
    const body = { vInfo: [{ policy: 'Sum', value: '1' }] }
    for (const some of batches((index) => [createStatPropMsgHead({ moduleName: nameOf(index), propertyName: 'p' }), body] as const)) await one.values('evil', some)
    expect(one.fold.size).toBeLessThan(bounds.perReporter + 5)
    await one.values('bank', [[createStatPropMsgHead({ moduleName: 'Bank.Vault', propertyName: 'p' }), body]])
    expect(one.sums().some(({ names }) => names['master_name'] === 'Bank.Vault')).toBe(true)
  })
})

test('what two strangers say of one thing is one', async () => {
  const one = onFold('property', bounds)
  for (const sender of ['10.0.0.1', '10.0.0.2']) await one.values(sender, [[createStatPropMsgHead({ moduleName: 'Native.Server', propertyName: 'p' }), { vInfo: [{ policy: 'Sum', value: '1' }] }]], 'node')
  expect(one.sums().map(({ value: [, total] }) => total)).toEqual([2])
})

describe('servers that a stranger makes up', () => {
  const [few, vault] = [100, 'Bank.Vault']
  const kept = (sums: ReturnType<OnFold['sums']>): number => sums.filter(({ names }) => names['master_name'] === vault && names['interface_name'] !== otherName && names['property_name'] !== otherName).length

  test('calls: they have their part, and a server that comes later has all of its own told apart', async () => {
    const one = onFold('stat', bounds)
    const body = createStatMicMsgBody({ count: 1 })
    for (const some of batches((index) => [createStatMicMsgHead({ masterName: `App${index}.Server` }), body] as const)) await one.calls('stranger', some, true)
    await one.calls('bank', Array.from({ length: few }, (_, index) => [createStatMicMsgHead({ masterName: vault, interfaceName: `f${index}` }), body]), true)
    expect(one.fold.size).toBeLessThan(bounds.inAll)
    const sums = one.sums()
    expect([kept(sums), sums.reduce((sum, { value: [count = 0] }) => sum + count, 0)]).toEqual([few, lines + few])
  })

  test('properties, too', async () => {
    const one = onFold('property', bounds)
    const body = { vInfo: [{ policy: 'Sum', value: '1' }] }
    for (const some of batches((index) => [createStatPropMsgHead({ moduleName: `App${index}.Server` }), body] as const)) await one.values('stranger', some)
    await one.values('bank', Array.from({ length: few }, (_, index) => [createStatPropMsgHead({ moduleName: vault, propertyName: `p${index}` }), body]))
    const sums = one.sums()
    expect([kept(sums), sums.reduce((sum, { value: [, total = 0] }) => sum + total, 0)]).toEqual([few, lines + few])
  })
})

test('buckets and policies without end are in bounds, too', async () => {
  const one = onFold('property', bounds)
  for (const some of batches((index) => [createStatPropMsgHead({ moduleName: 'Evil.Pod', propertyName: 'p' }), { vInfo: [{ policy: 'Distr', value: `${index}|1` }, { policy: `own${index}`, value: '1' }] } satisfies StatPropMsgBody] as [StatPropMsgHead, StatPropMsgBody])) await one.values('evil', some)
  expect(one.fold.size).toBeLessThan(bounds.perReporter + 5)
  expect(one.sums().filter(({ names }) => names['policy'] === 'Distr').reduce((sum, { value: [, count = 0] }) => sum + count, 0)).toBe(lines)
})

test('a property has at most 32 policies, and it shows how many were not taken', async () => {
  const one = onFold('property', bounds)
  await one.values('evil', [[createStatPropMsgHead({ moduleName: 'Evil.Pod', propertyName: 'p' }), { vInfo: Array.from({ length: 40 }, (_, index) => ({ policy: `own${index}`, value: '1' })) }]])
  expect([one.fold.size, one.intake.counts.taken, one.intake.counts.refused.invalid]).toEqual([32, 32, 8])
})

test('a sum that many reports of ever other bounds come to takes no more memory than one of all its bounds', async () => {
  const one = onFold('stat', bounds)
  const head = createStatMicMsgHead({ masterName: 'Evil.Pod' })
  for (let index = 0; index < lines; index++) await one.calls('evil', [[head, createStatMicMsgBody({ count: 1, intervalCount: new Map([[index % 50, 1], [50 + (index % 7), 2]]) })]], true)
  const { chunks, keys } = one.fold.release()
  expect([chunks.length, keys.size]).toEqual([1, 1])
})
