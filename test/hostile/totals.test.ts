// Statistics and properties: what is kept of an application is what its own pods report, however much and whatever others do.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Communicator } from '#tars/client.ts'
import { createStatPropInfo, createStatPropMsgBody, createStatPropMsgHead, PropertyF, type PropertyFProxy } from '#tars/protocol/PropertyF.ts'
import { createStatMicMsgBody, createStatMicMsgHead, StatF, type StatFProxy } from '#tars/protocol/StatF.ts'
import { createPod, until } from '../registry/cluster.ts'
import { bounds, eq, like, startMonitored, type Monitored } from '../stat/rig.ts'

const base = `127.${10 + Math.floor(Math.random() * 200)}.${Math.floor(Math.random() * 250)}`
const [shop, evil] = [`${base}.1`, `${base}.2`]
const communicators = [shop, evil].map((localAddress) => new Communicator({ timeoutMs: 20_000, localAddress }))
afterAll(async () => {
  for (const communicator of communicators) await communicator.close()
})

/** Names that are somebody else's, or look so. */
const lies = ['Mall.Shop', 'Mall.Shop.set', 'Mall.Shop@1.0', 'Mall.Shop.set.a@1.0', 'mall.shop', 'MALL.SHOP', 'Mall.Shop ', ' Mall.Shop', 'Mall.Shop\u0000', 'Mall', 'Mall.', '.Shop', 'Mall..Shop', '%', '*', '']
const numbers = [1, -1, 2_147_483_647, -2_147_483_648]

/** @param mode of the check */
async function monitored(kind: 'stat' | 'property', mode: 'enforce' | 'off'): Promise<Monitored> {
  const one = await startMonitored(kind, { callers: { mode, trusts: () => false } })
  one.clock.set(2026, 1, 5, 8, 30)
  await createPod(one.cluster.client, { app: 'Mall', server: 'Shop', name: 'mall-shop-0', ip: shop })
  await createPod(one.cluster.client, { app: 'Demo', server: 'Evil', name: 'demo-evil-0', ip: evil })
  return one
}
const proxies = <P extends object>(definition: Parameters<Communicator['proxy']>[0], object: string, one: Monitored): readonly [P, P] =>
  communicators.map((communicator) => communicator.proxy<P>(definition, `${object}@tcp -h ${one.address} -p ${one.gatherer.port}`)) as unknown as readonly [P, P]

describe.each(['enforce', 'off'] as const)('where callers are: %s', (mode) => {
  let stat: Monitored
  let property: Monitored
  beforeAll(async () => {
    [stat, property] = await Promise.all([monitored('stat', mode), monitored('property', mode)])
  })
  afterAll(async () => {
    await stat?.stop()
    await property?.stop()
  })

  test('calls', { timeout: 20_000 }, async () => {
    const [mine, theirs] = proxies<StatFProxy>(StatF, 'tars.tarsstat.StatObj', stat)
    const call = (masterName: string, slaveName: string, count: number, interfaceName = 'f') => [createStatMicMsgHead({ masterName, slaveName, interfaceName }), createStatMicMsgBody({ count, timeoutCount: count, execCount: count, totalRspTime: BigInt(count), maxRspTime: count, minRspTime: count })] as const
    // Both pods are known.
    const taken = () => stat.metric('tarsstat_lines_total')
    await until(async () => {
      const before = (await taken()) ?? 0
      await mine.reportMicMsg(new Map([call('Mall.Ping', 'X.Y', 1)]), true)
      await theirs.reportMicMsg(new Map([call('Demo.Evil', 'X.Y', 1)]), true)
      await mine.reportMicMsg(new Map([call('Demo.Evil', 'X.Y', 1)]), true)
      return (await taken()) === before + (mode === 'enforce' ? 2 : 3)
    })
    await mine.reportMicMsg(new Map([call('Mall.Shop', 'Mall.Store', 3)]), true)
    await mine.reportMicMsg(new Map([call('Demo.Other', 'Mall.Shop', 5)]), false)
    for (const name of lies) {
      for (const count of numbers) {
        await theirs.reportMicMsg(new Map([call(name, 'Mall.Store', count)]), true)
        await theirs.reportMicMsg(new Map([call('Demo.Other', name, count)]), false)
      }
    }
    for (let report = 0; report < 10; report++) await theirs.reportMicMsg(new Map(Array.from({ length: 1000 }, (_, index) => call('Demo.Evil', 'Mall.Store', 1, `f${report}-${index}`))), true)
    await stat.gatherer.flush()
    const called = await stat.result({ conditions: [eq('slave_name', 'Mall.Store')], groupby: ['master_name'] })
    const served = await stat.result({ conditions: [like('slave_name', 'Mall.Shop%')], groupby: ['slave_name'] })
    const own = { called: called['Mall.Shop'], served: served['Mall.Shop'] }
    if (mode === 'enforce') expect({ ...own, names: Object.keys(served).filter((name) => name.toLowerCase() === 'mall.shop') }).toEqual({ called: [3], served: [5], names: ['Mall.Shop'] })
    else expect(own).not.toEqual({ called: [3], served: [5] })
    expect(called['Demo.Evil']?.[0]).toBeGreaterThan(0)
    const rows = await stat.ask({ groupby: ['master_name', 'slave_name', 'interface_name'] })
    expect(rows.result.size).toBeLessThan(bounds.perReporter + 100)
  })

  test('properties', { timeout: 20_000 }, async () => {
    const [mine, theirs] = proxies<PropertyFProxy>(PropertyF, 'tars.tarsproperty.PropertyObj', property)
    const value = (moduleName: string, sum: number, propertyName = 'p') => [createStatPropMsgHead({ moduleName, propertyName }), createStatPropMsgBody({ vInfo: [createStatPropInfo({ policy: 'Sum', value: String(sum) })] })] as const
    const taken = () => property.metric('tarsproperty_values_total')
    await until(async () => {
      const before = (await taken()) ?? 0
      await theirs.reportPropMsg(new Map([value('Demo.Evil', 1)]))
      await mine.reportPropMsg(new Map([value('Demo.Evil', 1)]))
      return (await taken()) === before + (mode === 'enforce' ? 1 : 2)
    })
    await mine.reportPropMsg(new Map([value('Mall.Shop', 3)]))
    for (const name of lies) for (const sum of numbers) await theirs.reportPropMsg(new Map([value(name, sum)]))
    for (let report = 0; report < 10; report++) await theirs.reportPropMsg(new Map(Array.from({ length: 1000 }, (_, index) => value('Demo.Evil', 1, `p${report}-${index}`))))
    await property.gatherer.flush()
    const sums = await property.result({ conditions: [like('master_name', 'Mall.Shop%')], groupby: ['master_name'] })
    const own = { sum: sums['Mall.Shop'], names: Object.keys(sums).filter((name) => name.toLowerCase() === 'mall.shop') }
    if (mode === 'enforce') expect(own).toEqual({ sum: [3], names: ['Mall.Shop'] })
    else expect(own.names.length).toBeGreaterThan(1)
    const rows = await property.ask({ groupby: ['master_name', 'property_name'] })
    expect(rows.result.size).toBeLessThan(bounds.perReporter + 100)
  })
})
