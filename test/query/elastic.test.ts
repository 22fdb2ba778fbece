// The same from end to end with OpenSearch and Elasticsearch: reported, kept under K8SFramework's names, and asked for.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { MonitorOp } from '#tars/protocol/MonitorQuery.ts'
import { createStatPropMsgHead, PropertyF, type PropertyFProxy } from '#tars/protocol/PropertyF.ts'
import { createStatMicMsgBody, createStatMicMsgHead, StatF, type StatFProxy } from '#tars/protocol/StatF.ts'
import { startSearchNode, type SearchNode } from '../rig/search-node/search-node.ts'
import { like, startMonitored, type Monitored } from '../stat/rig.ts'

describe.each(['opensearch', 'elasticsearch'] as const)('%s', (kind) => {
  let node: SearchNode
  let stat: Monitored
  let property: Monitored
  const folder = mkdtempSync(join(tmpdir(), 'tarsk8s-elastic-'))
  beforeAll(async () => {
    node = await startSearchNode(kind)
    // The first node of the list is not there.
    const elastic = { urls: ['http://127.255.255.254:1', node.url], prefix: 'tars_', user: undefined, password: undefined }
    const store = (data: string) => ({ data, days: 15, bytes: 1 << 30, spoolBytes: 64 << 20, elastic })
    const data = (name: string): string => mkdtempSync(join(folder, name))
    stat = await startMonitored('stat', { store: store(data('stat')) })
    property = await startMonitored('property', { store: store(data('property')) })
  })
  afterAll(async () => {
    await stat?.stop()
    await property?.stop()
    await node?.remove()
    rmSync(folder, { recursive: true, force: true })
  })
  const refresh = () => fetch(`${node.url}/_refresh`, { method: 'POST' })
  const json = async (path: string): Promise<Record<string, unknown>> => (await (await fetch(node.url + path)).json()) as Record<string, unknown>

  test('nothing is there: empty, and no error', async () => {
    expect(await stat.ask({})).toMatchObject({ ret: 0, lastTime: '99999999 9999', activeDb: 1, totalDb: 1, result: new Map() })
  })

  test('what K8SFramework kept, whose texts Elasticsearch guessed to be of words', async () => {
    const call = (f_tflag: string, more: object) => ({ source_id: 'tars-tarsstat-0', f_timestamp: new Date(2026, 0, 4, 9, 1).getTime() / 1000, f_date: '20260104', f_tflag, master_name: 'Shop.Web', slave_name: 'Shop.Cart', interface_name: 'pay', tars_version: '1.0', master_ip: '10.0.0.1', slave_ip: 'shop-cart-0.shop-cart', slave_port: 0, return_value: 0, timeout_count: 0, exce_count: 0, total_count: 1, interv_count: '5|1', ave_time: 4, maxrsp_time: 9, minrsp_time: 1, ...more })
    const value = (policy: string, number: number) => ({ f_timestamp: 1, f_date: '20260104', f_tflag: '0901', master_name: 'Shop.Cart', master_ip: '10.0.0.1', property_name: 'queue size', set_name: '', set_area: '', set_id: '', policy, value: number })
    const documents = { tars_stat_20260104: [call('0901', { succ_count: 1, total_time: 4 }), call('0960', { succ_count: 2, total_time: 8 }), call('0960', { slave_name: 'Shop.Pay', succ_count: 4, total_time: 20 })], tars_property_20260104: [value('Avg', 2.5), value('Max', 7)] }
    for (const [index, some] of Object.entries(documents)) for (const one of some) expect((await fetch(`${node.url}/${index}/_doc?refresh=true`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(one) })).status).toBe(201)
    expect(await stat.ask({ date: '20260104', tflag1: '0902', groupby: ['f_date', 'slave_name'], conditions: [like('slave_name', 'shop.%')], indexs: ['succ_count', 'ave_time', 'maxrsp_time'] })).toEqual({ ret: 0, msg: '', lastTime: expect.stringMatching(/^20260104 09/) as string, activeDb: 1, totalDb: 1, retThreads: [0], result: new Map([['20260104,Shop.Cart', [2, 4, 9]], ['20260104,Shop.Pay', [4, 5, 9]]]) })
    expect(await property.result({ date: '20260104', groupby: ['property_name', 'policy'] })).toEqual({ 'queue size,Avg': [2.5], 'queue size,Max': [7] })
  })

  test('calls', async () => {
    const proxy = stat.communicator.proxy<StatFProxy>(StatF, `tars.tarsstat.StatObj@tcp -h ${stat.address} -p ${stat.gatherer.port}`)
    for (const [hour, minute, count] of [[9, 59, 1], [10, 0, 2], [23, 59, 4]] as const) {
      stat.clock.set(2026, 1, 5, hour, minute, 30)
      await proxy.reportMicMsg(new Map([[createStatMicMsgHead({ masterName: 'Shop.Web@1', slaveName: 'Shop.Cart', interfaceName: 'a"b\\', returnValue: -1 }), createStatMicMsgBody({ count, totalRspTime: BigInt(count), maxRspTime: count, minRspTime: count, intervalCount: new Map([[5, count]]) })]]), true)
    }
    await stat.gatherer.flush()
    await refresh()
    expect(await stat.ask({ indexs: ['succ_count', 'maxrsp_time', 'minrsp_time', 'ave_time'], groupby: ['f_date', 'interface_name'], conditions: [like('slave_name', 'shop.%')] })).toEqual({ ret: 0, msg: '', lastTime: '20260105 2360', activeDb: 1, totalDb: 1, retThreads: [0], result: new Map([['20260105,a"b\\', [7, 4, 1, 1]]]) })
    expect(await stat.result({ groupby: ['f_tflag'], tflag1: '0900', tflag2: '1001' })).toEqual({ '0960': [1], 1001: [2] })
    // With days that K8SFramework kept.
    expect(await stat.result({ date: '', groupby: ['f_date'], conditions: [{ field: 'f_date', op: MonitorOp.GTE, val: '20260103' }, { field: 'f_date', op: MonitorOp.LTE, val: '20260106' }] })).toEqual({ 20260104: [7], 20260105: [7] })
    const { hits } = (await json('/tars_stat_20260105/_search?q=f_tflag:1001')) as { hits: { hits: { _source: object }[] } }
    expect(hits.hits[0]?._source).toEqual({
      source_id: 'tars-tarsstat-0', f_timestamp: new Date(2026, 0, 5, 10, 1).getTime() / 1000, f_date: '20260105', f_tflag: '1001', master_name: 'Shop.Web', slave_name: 'Shop.Cart', interface_name: 'a"b\\', tars_version: '1',
      master_ip: '127.0.0.1', slave_ip: '', slave_port: 0, return_value: -1, slave_set_name: '', slave_set_area: '', slave_set_id: '',
      succ_count: 2, timeout_count: 0, exce_count: 0, total_count: 2, total_time: 2, interv_count: '5|2', ave_time: 1, maxrsp_time: 2, minrsp_time: 2,
    })
  })

  test('properties come together by policy', async () => {
    const proxy = property.communicator.proxy<PropertyFProxy>(PropertyF, `tars.tarsproperty.PropertyObj@tcp -h ${property.address} -p ${property.gatherer.port}`)
    const reports: Readonly<Record<string, string>>[] = [{ Sum: '1', Max: '-5', Min: '-5', Avg: '10=1', Distr: '5|1,max|1' }, { Sum: '2.5', Max: '-7', Min: '-7', Avg: '90=3', Distr: '5|1,10|4' }]
    for (const [minute, values] of reports.entries()) {
      property.clock.set(2026, 1, 5, 10, minute)
      await proxy.reportPropMsg(new Map([[createStatPropMsgHead({ moduleName: 'Shop.Cart', propertyName: 'p' }), { vInfo: Object.entries(values).map(([policy, value]) => ({ policy, value })) }]]))
    }
    await property.gatherer.flush()
    await refresh()
    expect(await property.result({ groupby: ['property_name', 'policy'] })).toEqual({ 'p,Sum': [3.5], 'p,Max': [-5], 'p,Min': [-7], 'p,Avg': [25], 'p,Distr': [7] })
    expect(await property.result({ groupby: ['bucket'], conditions: [like('policy', 'distr')] })).toEqual({ 5: [2], 10: [4], max: [1] })
    expect(Object.keys(await json('/tars_*')).toSorted()).toEqual(['20260104', '20260105'].flatMap((day) => [`tars_property_${day}`, `tars_stat_${day}`]).toSorted())
  })

  test('a bad question is told from a store that is away', async () => {
    expect(await stat.ask({ groupby: ['nothing'] })).toMatchObject({ ret: -1, msg: expect.stringContaining('no field "nothing"') as string })
    await node.stop()
    expect(await stat.ask({})).toMatchObject({ ret: -1, activeDb: 0, msg: expect.stringContaining('does not answer') as string })
    const proxy = stat.communicator.proxy<StatFProxy>(StatF, `tars.tarsstat.StatObj@tcp -h ${stat.address} -p ${stat.gatherer.port}`)
    expect(await proxy.reportMicMsg(new Map([[createStatMicMsgHead({ masterName: 'a', slaveName: 'b' }), createStatMicMsgBody({ count: 1 })]]), true)).toBe(0)
  })
})
