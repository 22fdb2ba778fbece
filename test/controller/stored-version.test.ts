// Objects that older versions stored, and the definitions that must not forget it.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { customResourceDefinitions } from '#api/crds.ts'
import { group, type Version } from '#api/names.ts'
import { inVersion, resources } from '#api/resources.ts'
import type { Running } from '#base/lifecycle.ts'
import { silentLogger } from '#base/log.ts'
import { customResourceDefinitions as crds, events } from '#kube/resources.ts'
import type { AnyObject, Resource } from '#kube/types.ts'
import { startClusterWide } from '../../framework/controller/cluster-wide.ts'
import { clientAs, eventually, startCluster, type TestCluster } from './cluster.ts'
import { tarsServer } from './fixtures.ts'

let cluster: TestCluster
const running: Running[] = []
beforeAll(async () => { cluster = await startCluster({ roles: [] }) })
afterEach(async () => { await Promise.all(running.splice(0).map((one) => one.stop())) })
afterAll(() => cluster?.stop())

const ns = 'ns'
const served = ['v1beta1', 'v1beta2', 'v1beta3'] as const
const tservers = resources.tservers as unknown as Resource
const tplugins = resources.tplugins as unknown as Resource
const ttemplates = resources.ttemplates as unknown as Resource

interface CrdSpec { names: { plural: string }; versions: { name: string; served: boolean; storage: boolean }[] }
const definition = (plural: string): Promise<AnyObject> => cluster.client.get(crds, { name: `${plural}.${group}` })
const storedVersions = async (plural: string): Promise<string[]> => (await definition(plural))['status'].storedVersions as string[]

const probes: Readonly<Record<string, () => object>> = {
  tservers: () => { const { metadata: { uid: _, ...metadata }, ...probe } = tarsServer({ server: 'Probe' }, { name: 'demo-probe' }); return { ...probe, metadata } },
  ttemplates: () => ({ metadata: { name: 'demo-probe', namespace: ns }, spec: { content: '', parent: 'tars.default' } }),
  tplugins: () => plugin('demo-probe'),
}

/** As an upgrade of the chart does, with another `crds.storage`; done when the API server has heard of it, and so stores a probe anew. */
async function storeAs(plural: 'tservers' | 'ttemplates' | 'tplugins', storage: Version, versions: readonly Version[] = served): Promise<void> {
  const resource = resources[plural] as unknown as Resource
  const target = { namespace: ns, name: 'demo-probe' }
  const probe = await cluster.client.get(resource, target).catch(() => cluster.client.create(resource, probes[plural]?.() as never))
  const current = ((await definition(plural))['spec'] as CrdSpec).versions.find((version) => version.storage)?.name
  const wanted = customResourceDefinitions({ served, storage }).map((crd) => crd['spec'] as CrdSpec).find((spec) => spec.names.plural === plural)
  const spec = { versions: wanted?.versions.filter(({ name }) => versions.includes(name as Version)) }
  await cluster.client.patch(crds, { name: `${plural}.${group}` }, { spec })
  if (current !== storage) await eventually(async () => ((await cluster.client.patch(resource, target, {})).metadata.resourceVersion !== probe.metadata.resourceVersion || undefined))
}

async function migrate(as = 'system:serviceaccount:tars-system:tars-controller'): Promise<Running> {
  const client = clientAs(cluster, as)
  const started = await startClusterWide({ client, log: silentLogger, settleMs: 0 })
  void started.done.finally(() => client.close())
  running.push(started)
  return started
}

async function create(name: string): Promise<string> {
  const { metadata: { uid: _, ...metadata }, ...server } = tarsServer({ server: name, k8s: { command: ['run', 'it'], readinessGates: ['tars.io/active', 'mine'] } }, { name: `demo-${name.toLowerCase()}` })
  await cluster.client.create(tservers, { ...server, metadata } as never)
  return metadata.name
}
const server = (name: string): Promise<AnyObject> => cluster.client.get(tservers, { namespace: ns, name })
const plugin = (name: string, labels: object = {}): object => ({ metadata: { name, namespace: ns, labels }, spec: { name: '插件', name_en: 'plugin', obj: 'A.B.C', type: 1, path: '/p', extern: 0 } })
const content = ({ metadata: { resourceVersion: _version, managedFields: _fields, ...metadata }, ...rest }: AnyObject): object => ({ metadata, ...rest })
const trimmed = (plural: string, version: Version = 'v1beta3') => eventually(async () => ((await storedVersions(plural)).join() === version ? true : undefined))

test('objects of all storage versions become those of the one that counts, and nothing else of them changes', async () => {
  await storeAs('tservers', 'v1beta1')
  const oldest = await create('Oldest')
  const bare = { metadata: { namespace: ns, name: 'demo-bare' }, spec: { app: 'Demo', server: 'Bare', subType: 'normal', normal: { ports: [] }, k8s: {} } }
  await cluster.client.create(inVersion(resources.tservers, 'v1beta1') as Resource, bare as never)
  await storeAs('tservers', 'v1beta2')
  const older = await create('Older')
  await storeAs('tservers', 'v1beta3')
  const newest = await create('Newest')
  expect(await storedVersions('tservers')).toEqual(['v1beta3', 'v1beta1', 'v1beta2'])
  const all = [oldest, bare.metadata.name, older, newest]
  const before = await Promise.all(all.map(server))
  await migrate()
  await trimmed('tservers')
  const after = await Promise.all(all.map(server))
  expect(after.map(content)).toEqual(before.map(content))
  expect(after.map(({ metadata }, index) => metadata.resourceVersion === before[index]?.metadata.resourceVersion)).toEqual([false, false, false, true])
  // Nothing is stored any more in versions that the definition does not have: the API server could not read it.
  await storeAs('tservers', 'v1beta3', ['v1beta3'])
  expect((await Promise.all(all.map(server))).map(content)).toEqual(before.map(content))
  await storeAs('tservers', 'v1beta3')
})

test('kinds that are not converted by webhook, too, and back to an older version', async () => {
  await cluster.client.create(ttemplates, { metadata: { namespace: ns, name: 'a.template' }, spec: { content: 'a=1', parent: 'tars.default' } } as never)
  await storeAs('ttemplates', 'v1beta2')
  const before = (await cluster.client.list(ttemplates, { namespace: ns })).items
  expect(before.length).toBeGreaterThan(4)
  await migrate()
  await trimmed('ttemplates', 'v1beta2')
  const after = (await cluster.client.list(ttemplates, { namespace: ns })).items
  expect(after.map(content)).toEqual(before.map(content))
  const same = after.filter(({ metadata }) => before.some((one) => one.metadata.resourceVersion === metadata.resourceVersion))
  expect(same.map(({ metadata }) => metadata.name)).toEqual(['demo-probe'])
  await storeAs('ttemplates', 'v1beta3')
  await trimmed('ttemplates')
})

test('an object that the rules of today would refuse is brought along as it is', async () => {
  const name = await create('Stale')
  const template = (parent: string): object => ({ metadata: { namespace: ns, name: 'its.template' }, spec: { content: '', parent } })
  await cluster.client.create(ttemplates, template('tars.default') as never)
  await cluster.client.patch(tservers, { namespace: ns, name }, { spec: { tars: { template: 'its.template' } } })
  // Somebody took the template away past the webhooks, as an administrator of the API server can.
  await clientAs(cluster, 'system:serviceaccount:kube-system:somebody').delete(ttemplates, { namespace: ns, name: 'its.template' })
  await expect(cluster.client.patch(tservers, { namespace: ns, name }, { spec: { important: 5 } })).rejects.toThrow('its.template not exists')
  await storeAs('tservers', 'v1beta2')
  const before = await server(name)
  await migrate()
  await trimmed('tservers', 'v1beta2')
  const after = await server(name)
  expect(content(after)).toEqual(content(before))
  expect(after.metadata.resourceVersion).not.toBe(before.metadata.resourceVersion)
  await cluster.client.delete(tservers, { namespace: ns, name })
  await storeAs('tservers', 'v1beta3')
})

describe('no version is forgotten before every object is stored anew', () => {
  test('when one is refused, it is named, and the rest goes on; then it is tried again', async () => {
    await storeAs('tplugins', 'v1beta2')
    for (const [name, labels] of [['free', {}], ['held', { policy: 'fixed' }], ['later', {}]] as const) await cluster.client.create(tplugins, plugin(name, labels) as never)
    await storeAs('tplugins', 'v1beta3')
    const get = (name: string): Promise<AnyObject> => cluster.client.get(tplugins, { namespace: ns, name })
    const before = await Promise.all(['free', 'held', 'later'].map(get))
    await migrate()
    const event = await eventually(async () => (await cluster.client.list(events, { namespace: ns })).items.find((item) => item['reason'] === 'StorageMigrationBlocked'))
    expect(event).toMatchObject({ type: 'Warning', involvedObject: { kind: 'TPlugin', name: 'held', namespace: ns }, message: expect.stringMatching(/"policy\.test\.io" denied the request: it is fixed; correct it, or delete it/) as string })
    await eventually(async () => ((await get('later')).metadata.resourceVersion !== before[2]?.metadata.resourceVersion ? true : undefined))
    expect((await get('free')).metadata.resourceVersion).not.toBe(before[0]?.metadata.resourceVersion)
    expect(await storedVersions('tplugins')).toContain('v1beta2')
    await cluster.client.patch(tplugins, { namespace: ns, name: 'held' }, { metadata: { labels: { policy: null } } })
    await trimmed('tplugins')
  })

  test('when it is interrupted; the next one does the rest', async () => {
    await storeAs('tplugins', 'v1beta2')
    const many = Array.from({ length: 60 }, (_, index) => `p${String(index).padStart(2, '0')}`)
    for (const name of many) await cluster.client.create(tplugins, plugin(name) as never)
    await storeAs('tplugins', 'v1beta3')
    const versions = async (): Promise<Map<string, string | undefined>> => new Map((await cluster.client.list(tplugins, { namespace: ns })).items.map(({ metadata }) => [metadata.name, metadata.resourceVersion]))
    const before = await versions()
    const watching = new AbortController()
    const first = cluster.client.watch(tplugins, { namespace: ns, resourceVersion: [...before.values()].map(Number).toSorted((a, b) => b - a)[0]?.toString(), signal: watching.signal })
    const interrupted = await migrate()
    for await (const event of first) if (event.type === 'MODIFIED') break
    watching.abort()
    await interrupted.stop()
    const between = await versions()
    const done = many.filter((name) => between.get(name) !== before.get(name))
    expect(done.length).toBeGreaterThan(0)
    expect(done.length).toBeLessThan(many.length)
    expect(await storedVersions('tplugins')).toContain('v1beta2')
    await migrate()
    await trimmed('tplugins')
    const after = await versions()
    expect(many.filter((name) => after.get(name) === before.get(name))).toEqual([])
    // What was done was not done again.
    expect(done.filter((name) => after.get(name) !== between.get(name))).toEqual([])
  })
})

test('nothing is written while the definition has not rested: not every API server knows it yet', async () => {
  await storeAs('tplugins', 'v1beta2')
  const client = clientAs(cluster, 'system:serviceaccount:tars-system:tars-controller')
  let [now, asked] = [0, 0]
  const clock = { now: () => Date.now(), monotonic: () => (asked++, now) }
  const before = await cluster.client.get(tplugins, { namespace: ns, name: 'p00' })
  running.push(await startClusterWide({ client, log: silentLogger, settleMs: 100, clock }))
  await eventually(async () => (asked > 8 ? true : undefined))
  expect((await cluster.client.get(tplugins, { namespace: ns, name: 'p00' })).metadata.resourceVersion).toBe(before.metadata.resourceVersion)
  expect(await storedVersions('tplugins')).toContain('v1beta3')
  now = 100
  await trimmed('tplugins', 'v1beta2')
  client.close()
})

test('older versions are still served', async () => {
  const name = await create('Served')
  expect(await cluster.client.get(inVersion(resources.tservers, 'v1beta1') as Resource, { namespace: ns, name })).toMatchObject({ apiVersion: `${group}/v1beta1` })
})
