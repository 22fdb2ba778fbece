// What Prometheus is told has a bound, and one that reports ever new names does not push the others out of it, whatever it calls itself.
import { afterAll, describe, expect, onTestFinished, test } from 'vitest'
import { Communicator } from '#tars/client.ts'
import { createStatPropMsgHead, PropertyF, type PropertyFProxy } from '#tars/protocol/PropertyF.ts'
import { createStatMicMsgBody, createStatMicMsgHead, StatF, type StatFProxy } from '#tars/protocol/StatF.ts'
import { CallCounters } from '../../framework/stat/model/call-counters.ts'
import { propertyText } from '../../framework/property/model/property-rules.ts'
import { startMonitored, type Monitored } from './rig.ts'

const bounds = { perReporter: 30_000, inAll: 60_000 }
const [mostSeries, few, batch] = [20_000, 50, 1000]
type Name = (index: number) => string
type Report = (from: Communicator, name: Name, indices: readonly number[]) => Promise<unknown>

const base = `127.${10 + Math.floor(Math.random() * 200)}.${Math.floor(Math.random() * 250)}`
const [evil, bank] = [1, 2].map((last) => new Communicator({ timeoutMs: 60_000, localAddress: `${base}.${last}` })) as [Communicator, Communicator]
afterAll(async () => {
  for (const communicator of [evil, bank]) await communicator.close()
})

async function inBatches(report: Report, sender: Communicator, name: Name, count: number): Promise<void> {
  for (let from = 0; from < count; from += batch) await report(sender, name, indices(from, Math.min(count, from + batch)))
}
const indices = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index)
const series = (text: string, name: string): string[] => text.split('\n').filter((one) => one.startsWith(`${name}{`))

async function start(kind: 'stat' | 'property'): Promise<Monitored> {
  const one = await startMonitored(kind, { bounds })
  onTestFinished(() => one.stop())
  return one
}

describe.each<[string, Name]>([['one server', () => 'Evil.Pod'], ['one who makes servers up', (index) => `Evil${index}.Pod`]])('of %s that fills the page', (_what, evilName) => {
  const vault: Name = () => 'Bank.Vault'

  test('calls give way to those of others that come later, and none is lost', async () => {
    const one = await start('stat')
    const report: Report = (from, name, some) => from.proxy<StatFProxy>(StatF, `tars.tarsstat.StatObj@tcp -h ${one.address} -p ${one.gatherer.port}`).reportMicMsg(new Map(some.map((index) => [createStatMicMsgHead({ masterName: name(index), slaveName: 'Bank.Store', interfaceName: `f${index}` }), createStatMicMsgBody({ count: 1 })])), true)
    const page = async (minute: number): Promise<string[]> => {
      await one.gatherer.flush()
      // A new one is 0 for a minute.
      one.clock.set(2026, 1, 5, 11, minute)
      return series(await one.page('/calls'), 'tars_calls_total')
    }
    await inBatches(report, evil, evilName, mostSeries + few)
    expect((await page(2)).length).toBe(mostSeries + 1)
    await inBatches(report, bank, vault, few)
    const told = await page(4)
    expect([told.length, told.filter((each) => each.includes('master="Bank.Vault"') && each.endsWith(' 1')).length]).toEqual([mostSeries + 1, few])
    expect(told.reduce((sum, each) => sum + Number(each.split(' ').at(-1)), 0)).toBe(mostSeries + 2 * few)
  })

  test('properties give way in the same minute', async () => {
    const one = await start('property')
    const report: Report = (from, name, some) => from.proxy<PropertyFProxy>(PropertyF, `tars.tarsproperty.PropertyObj@tcp -h ${one.address} -p ${one.gatherer.port}`).reportPropMsg(new Map(some.map((index) => [createStatPropMsgHead({ moduleName: name(index), propertyName: `p${index}` }), { vInfo: [{ policy: 'Sum', value: '1' }] }])))
    await inBatches(report, evil, evilName, mostSeries)
    await inBatches(report, bank, vault, few)
    await one.gatherer.flush()
    const told = series(await one.page('/properties'), 'tars_property')
    expect([told.length, told.filter((each) => each.includes('module="Bank.Vault"')).length]).toEqual([mostSeries, few])
  })
})

describe('of several who fill the page', () => {
  const call = (by: string, index: number) => ({ by, names: { master_name: by, slave_name: 'C.D', interface_name: `f${index}`, return_value: 0 }, value: Float64Array.of(1, 0, 0, 1000, 1, 1) })
  const kinds = (text: string[], by: string): number => text.filter((each) => each.includes(`="${by}"`)).length

  test('each has as many calls told as another', () => {
    const counters = new CallCounters()
    for (const by of ['Evil.A', 'Evil.B', 'Evil.C', 'Bank.Vault']) for (let index = 0; index < (by === 'Bank.Vault' ? few : mostSeries); index++) counters.add(call(by, index), 0)
    const told = series(counters.text(60_000), 'tars_calls_total')
    expect(['Evil.A', 'Evil.B', 'Evil.C', 'Bank.Vault'].map((by) => kinds(told, by)).toSorted((a, b) => a - b)).toEqual([few, 6650, 6650, 6650])
    expect(told.reduce((sum, each) => sum + Number(each.split(' ').at(-1)), 0)).toBe(3 * mostSeries + few)
  })

  test('nobody gets around it by the name under which the rest is counted', () => {
    const counters = new CallCounters()
    for (let index = 0; index < mostSeries + few; index++) counters.add({ ...call('Evil.A', index), names: { ...call('Evil.A', index).names, master_name: '__other__' } }, 0)
    expect(series(counters.text(0), 'tars_calls_total').length).toBe(mostSeries + 1)
  })

  test('each has as many properties told as another', () => {
    const sums = [['Evil.A', mostSeries], ['Evil.B', 15_000], ['Bank.Vault', few]] as const
    const told = series(propertyText(sums.flatMap(([by, count]) => indices(0, count).map((index) => ({ by, names: { master_name: by, master_ip: 'n', property_name: `p${index}`, set_name: '', set_area: '', set_id: '', policy: 'Sum', bucket: '' }, value: Float64Array.of(1, 1) })))), 'tars_property')
    expect(sums.map(([by]) => kinds(told, by))).toEqual([9975, 9975, few])
  })
})
