// tarsproperty on real sockets and a real store, asked through tarsqueryproperty.
import { createRequire } from 'node:module'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createStatPropMsgHead, PropertyF, type PropertyFProxy, type StatPropMsgHead } from '#tars/protocol/PropertyF.ts'
import { createPod, until } from '../registry/cluster.ts'
import { propertyText } from '../../framework/property/model/property-rules.ts'
import { startPromLint } from '../rig/promlint.ts'
import { eq, like, startMonitored, type Monitored } from '../stat/rig.ts'

let one: Monitored
let day = 5
beforeAll(async () => {
  one = await startMonitored('property', { bounds: { perReporter: 50, inAll: 200 } })
})
afterAll(() => one?.stop())
beforeEach(() => {
  day++
  one.clock.set(2026, 1, day, 10, 0, 30)
})

const date = (): string => `202601${String(day).padStart(2, '0')}`
const proxy = () => one.communicator.proxy<PropertyFProxy>(PropertyF, `tars.tarsproperty.PropertyObj@tcp -h ${one.address} -p ${one.gatherer.port}`)
type Values = Readonly<Record<string, string>>
const entry = (head: Partial<StatPropMsgHead>, values: Values) => [createStatPropMsgHead({ moduleName: 'Shop.Cart', propertyName: 'size', ...head }), { vInfo: Object.entries(values).map(([policy, value]) => ({ policy, value })) }] as const
const report = (head: Partial<StatPropMsgHead>, values: Values, options = {}) => proxy().reportPropMsg(new Map([entry(head, values)]), options)
const result = (question: Parameters<Monitored['result']>[0]) => one.result({ date: date(), ...question })

describe('policies (7)', () => {
  /** What is reported in one minute by two pods, and in the next by the first; and what it comes to. */
  const cases: readonly [what: string, policy: string, reports: readonly [string, string, string], minutes: readonly [number, number], day: number][] = [
    ['Count adds', 'Count', ['3', '4', '5'], [7, 5], 12],
    ['Sum adds, fractions too', 'Sum', ['1.5', '2.25', '-1'], [3.75, -1], 2.75],
    ['Min is the least', 'Min', ['7', '3', '5'], [3, 5], 3],
    ['Max is the greatest', 'Max', ['7', '30', '50'], [30, 50], 50],
    ['Max of negative values', 'Max', ['-7', '-3', '-5'], [-3, -5], -3],
    ['Avg of plain averages', 'Avg', ['10', '20', '60'], [15, 60], 30],
    ['Avg of sums and counts weighs them', 'Avg', ['10=1', '90=3', '100=1'], [25, 100], 40],
    ['Avg of both kinds', 'Avg', ['10', '90=3', '100'], [25, 100], 40],
    ['Min of TarsJava without values', 'Min', ['2147483647', '9', '2147483647'], [9, Number.NaN], 9],
    ['Max of TarsJava without values', 'Max', ['-2147483648', '9', '-2147483648'], [9, Number.NaN], 9],
    ['Distr counts all', 'Distr', ['10|1,50|2', '10|3,50|4', '10|5'], [10, 5], 15],
  ]
  test.each(cases)('%s', async (_what, policy, [first, second, later], minutes, whole) => {
    await report({ propertyName: policy }, { [policy]: first }, { context: { node_name: 'a-0.a' } })
    await report({ propertyName: policy }, { [policy]: second }, { context: { node_name: 'a-1.a' } })
    one.clock.set(2026, 1, day, 10, 1, 1)
    await report({ propertyName: policy }, { [policy]: later }, { context: { node_name: 'a-0.a' } })
    await one.gatherer.flush()
    const of = { conditions: [eq('property_name', policy)] }
    const expected = Object.entries({ 1001: minutes[0], 1002: minutes[1] }).filter(([, value]) => !Number.isNaN(value)).map(([flag, value]) => [flag, [value]])
    expect(await result({ ...of, groupby: ['f_tflag'] })).toEqual(Object.fromEntries(expected))
    expect(await result({ ...of, groupby: ['f_date', 'property_name'] })).toEqual({ [`${date()},${policy}`]: [whole] })
    expect(await result({ conditions: [eq('policy', policy)], groupby: [] })).toEqual({ '': [whole] })
  })

  test('Distr of unequal bounds comes together by bound', async () => {
    const texts = ['0|1,10|2,50|3,max|4', '10|10,100|20', '10|100', 'max|1000']
    for (const text of texts) await report({}, { Distr: text })
    await one.gatherer.flush()
    expect(await result({ groupby: ['bucket'] })).toEqual({ 0: [1], 10: [112], 50: [3], 100: [20], max: [1004] })
  })

  test('what is no value of its policy is refused alone, and counted', async () => {
    const bad: Values = { Count: 'many', Sum: '', Min: '0x10', Max: 'Infinity', Avg: '1=2=3', Distr: 'a|b', '': '1' }
    await report({}, { ...bad, Total: '5' })
    for (const value of ['NaN', '1e999', '1e300', '1 2', '--1']) await report({}, { Count: value })
    for (const value of ['', '|', '1|', '1|-5', Array.from({ length: 65 }, (_, index) => `${index}|1`).join(','), `${'x'.repeat(33)}|1`, `1|1${','.repeat(4096)}`]) await report({}, { Distr: value })
    await one.gatherer.flush()
    expect(await result({ groupby: ['policy'] })).toEqual({ Total: [5] })
    expect(await one.page('/metrics')).toContain('tarsproperty_refused_values_total{reason="invalid"} 19\n')
  })
})

test('several policies of several properties, each in its own way; keys are whole', async () => {
  await proxy().reportPropMsg(new Map([entry({}, { Sum: '1', Max: '10', Min: '4', Avg: '6=2' }), entry({ propertyName: 'other' }, { Sum: '100' }), entry({ setName: 's', setArea: 'a', setID: '1' }, { Sum: '7' })]))
  await one.gatherer.flush()
  expect(await result({ groupby: ['property_name', 'policy'] })).toEqual({ 'size,Sum': [8], 'size,Max': [10], 'size,Min': [4], 'size,Avg': [3], 'other,Sum': [100] })
  expect(await result({ groupby: ['set_name', 'set_area', 'set_id'], conditions: [eq('policy', 'Sum'), like('property_name', 'siz_')] })).toEqual({ ',,': [1], 's,a,1': [7] })
})

test('who reports is its pod; another server is not believed', async () => {
  await report({ ip: '9.9.9.9' }, { Count: '1' }, { context: { node_name: 'shop-cart-0.shop-cart' } })
  await report({ moduleName: 'tars.tarsnode' }, { Count: '1' })
  await createPod(one.cluster.client, { app: 'Evil', server: 'Pod', name: 'evil-pod-0', ip: '127.0.0.1' })
  await createPod(one.cluster.client, { app: 'Bank', server: 'Vault', name: 'bank-vault-0', ip: '10.0.0.9' })
  await until(async () => {
    await report({ moduleName: 'Bank.Vault', propertyName: 'probe' }, { Count: '1' })
    return (await one.page('/metrics')).includes('{reason="foreign"} 1\n')
  })
  await report({ moduleName: 'Bank.Vault.setX' }, { Sum: '1000000' })
  await report({ moduleName: 'Evil.Pod' }, { Count: '1' })
  await one.gatherer.flush()
  expect(await result({ groupby: ['master_name', 'master_ip'], conditions: [eq('property_name', 'size')] })).toEqual({ 'Shop.Cart,shop-cart-0.shop-cart': [1], 'Evil.Pod,evil-pod-0': [1] })
  await one.cluster.client.delete({ group: '', version: 'v1', plural: 'pods', kind: 'Pod', namespaced: true }, { namespace: 'tars', name: 'evil-pod-0' })
  // From now on what comes from here is no pod's.
  await until(async () => {
    await report({ moduleName: 'Probe.Server', propertyName: 'probe' }, { Count: '1' }, { context: { node_name: 'probe-0' } })
    await one.gatherer.flush()
    return 'probe-0' in (await result({ groupby: ['master_ip'], conditions: [eq('property_name', 'probe')] }))
  })
})

test("one server's many properties are counted together, by policy, and it shows", async () => {
  await proxy().reportPropMsg(new Map(Array.from({ length: 300 }, (_, index) => entry({ moduleName: 'Loud.Server', propertyName: `p${index}` }, { Count: '2' }))))
  await one.gatherer.flush()
  expect(await result({ groupby: ['master_name'], conditions: [eq('master_name', 'Loud.Server')] })).toEqual({ 'Loud.Server': [600] })
  expect(await result({ groupby: ['property_name'], conditions: [eq('property_name', '__other__')] })).toEqual({ __other__: [500] })
  expect(await one.metric('tarsproperty_overflow_total')).toBe(250)
})

test('values of the last minute that is over are there for Prometheus', async () => {
  await report({ propertyName: 'load' }, { Avg: '3=2', Distr: '1|2,max|3' }, { context: { node_name: 'x-0' } })
  await one.gatherer.flush()
  const text = await one.page('/properties')
  expect(text).toContain('tars_property{module="Shop.Cart",instance="x-0",property="load",policy="Avg"} 1.5\n')
  expect(text).toContain('tars_property{module="Shop.Cart",instance="x-0",property="load",policy="Distr",bucket="max"} 3\n')
  const lint = await startPromLint()
  const { problems, families } = await lint.read(text)
  await lint.stop()
  expect([problems, families['tars_property']?.type, families['tars_property_omitted']?.series]).toEqual([[], 'gauge', 1])
  // Two minutes later it is no longer what services measure.
  one.clock.set(2026, 1, day, 10, 3, 1)
  expect(await one.page('/properties')).not.toContain('module=')
  // Nor when the clock was set back meanwhile.
  await report({ propertyName: 'load' }, { Sum: '1' })
  await one.gatherer.flush()
  one.clock.set(2026, 1, day, 9, 0)
  expect(await one.page('/properties')).toContain('property="load",policy="Sum"} 1\n')
  one.clock.set(2026, 1, day, 9, 3)
  expect(await one.page('/properties')).not.toContain('module=')
})

test('there are at most 20,000 series for Prometheus, and how many are left out is told', async () => {
  const sums = Array.from({ length: 24_000 }, (_, index) => ({ names: { master_name: 'A.B', master_ip: 'n', property_name: `p${index >> 2}`, set_name: '', set_area: '', set_id: '', policy: 'Distr', bucket: String(index % 4) }, value: Float64Array.of(0, 1, 1) }))
  const text = propertyText(sums)
  expect([text.split('\n').filter((line) => line.startsWith('tars_property{')).length, text.includes('tars_property_omitted 4000\n')]).toEqual([20_000, true])
})

test('@tars/monitor is understood', async () => {
  const require = createRequire(import.meta.url)
  const { property } = require('@tars/monitor') as { property: { init(config: unknown): void; create(name: string, policies: unknown[]): { report(value: number): void } } }
  const policy = require('@tars/monitor/policy') as Record<string, new () => unknown>
  const { Config } = require('@tars/utils') as { Config: new () => { parseText(text: string): void } }
  const config = new Config()
  config.parseText('<tars>\n<application>\n<client>\nmodulename=Foreign.Server\nproperty=tars.tarsproperty.PropertyObj@tcp -h ' + `${one.address} -p ${one.gatherer.port} -t 60000\nreport-interval=20\n</client>\n<server>\nlocalip=1.2.3.4\n</server>\n</application>\n</tars>`)
  property.init(config)
  const policies = ['Max', 'Min', 'Count', 'Sum', 'Avg'].map((name) => new (policy[name] as new () => unknown)())
  const made = property.create('length', policies)
  for (const value of [4, 10, 7]) made.report(value)
  await until(async () => {
    await one.gatherer.flush()
    return Object.keys(await result({ groupby: ['policy'], conditions: [eq('master_name', 'Foreign.Server')] })).length === 5
  })
  expect(await result({ groupby: ['policy'], conditions: [eq('master_name', 'Foreign.Server')] })).toEqual({ Max: [10], Min: [4], Count: [3], Sum: [21], Avg: [7] })
})
