// What DCache's OptServer asks of AdminRegObj, in its order (framework-services 10, 12): files of an application's servers before the
// servers, files of nodes that are empty or alone, a port a node, a release whose progress is asked for at once, nodes removed from the first on.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { resources } from '#api/resources.ts'
import type { TConfig } from '#api/types.ts'
import { silentLogger } from '#base/log.ts'
import type { AnyObject, Resource } from '#kube/types.ts'
import { Communicator } from '#tars/client.ts'
import { AdminReg, createAdapterConf, createPatchRequest, createServerConf, type AdminRegProxy } from '#tars/protocol/AdminReg.ts'
import { startAdminRegistry, type RunningAdminRegistry } from '../../framework/admin/adminreg/adminreg.ts'
import { ConfigLibrary } from '../../framework/config/model/library.ts'
import { eventually, peek, startCluster, type TestCluster } from '../controller/cluster.ts'

let cluster: TestCluster
let registry: RunningAdminRegistry
let admin: AdminRegProxy
const communicator = new Communicator({ timeoutMs: 60_000 })

beforeAll(async () => {
  cluster = await startCluster()
  registry = await startAdminRegistry({ client: cluster.client, namespace: cluster.namespace, address: '127.0.0.1', port: 0, log: silentLogger, signal: new AbortController().signal })
  admin = communicator.proxy<AdminRegProxy>(AdminReg, `tars.tarsAdminRegistry.AdminRegObj@tcp -h 127.0.0.1 -p ${registry.port} -t 60000`)
})
afterAll(async () => {
  await communicator.close()
  await registry?.stop()
  await cluster?.stop()
})

const live = (name: string): Promise<AnyObject | undefined> => peek(cluster.client, resources.tservers as Resource, cluster.namespace, name)
const server = (serverName: string, nodeName: string) => admin.insertServerConf(createServerConf({ application: 'DCache', serverName, nodeName, profile: 'tars.cpp', serverType: 'tars_cpp' }), false)
const port = (serverName: string, node: string, number: number, replace = false) => admin.insertAdapterConf('DCache', serverName, node, createAdapterConf({ adapterName: `DCache.${serverName}.RouterObjAdapter`, endpoint: `tcp -h ${node} -t 60000 -p ${number}`, servant: `DCache.${serverName}.RouterObj` }), replace)
const file = async (serverName: string, content: string, node: string) => {
  const place = [`DCache.${serverName}`, `${serverName}.conf`] as const
  const inserted = await admin.insertConfigFile(...place, content, node, node === '' ? 2 : 3, false)
  const { return: found, configFileId } = await admin.getConfigFileId(...place, node, node === '' ? 2 : 3)
  return [inserted, found, configFileId > 0, await admin.insertHistoryConfigFile(configFileId, '', content, false)]
}
const good = [0, 0, true, 0]

/** What tarsconfig would answer to the pods of a server. */
async function texts(serverName: string, pods: number): Promise<(string | undefined)[]> {
  const library = new ConfigLibrary()
  const { items } = await cluster.client.list<TConfig>(resources.tconfigs, { namespace: cluster.namespace })
  for (const config of items) library.set(config)
  return Array.from({ length: pods }, (_, podSeq) => library.text({ app: 'DCache', server: serverName, name: `${serverName}.conf`, podSeq: String(podSeq) }))
}

/** Pods as the controller says of them. */
async function pods(serverName: string, entries: readonly object[]): Promise<void> {
  const name = `dcache-${serverName.toLowerCase()}`
  const of = { namespace: cluster.namespace, name }
  if ((await peek(cluster.client, resources.tendpoints as Resource, cluster.namespace, name)) === undefined) await cluster.client.create(resources.tendpoints as Resource, { metadata: of, spec: { app: 'DCache', server: serverName, subType: 'tars', tars: { template: 'tars.cpp', servants: [] } } } as never)
  const status = entries.map((entry, index) => ({ uid: String(index), name: `${name}-${index}`, settingState: 'Active', startTime: '2026-01-01T00:00:00Z', ...entry }))
  await cluster.client.patch(resources.tendpoints as Resource, of, { status: { pods: status } }, { subresource: 'status' })
}

test('its routers know AdminRegObj by its former name (0.1)', async () => {
  const former = communicator.proxy<AdminRegProxy>(AdminReg, `tars.tarsregistry.AdminRegObj@tcp -h 127.0.0.1 -p ${registry.port} -t 60000`)
  expect((await former.getServerState('DCache', 'None', 'n1')).return).toBe(1003)
})

describe('an application is installed', () => {
  test('files come before their servers, those of nodes may be empty', async () => {
    expect(await file('ARouterServer', 'common', '')).toEqual(good)
    for (const node of ['10.0.0.1', '10.0.0.2']) expect(await file('ARouterServer', '', node)).toEqual(good)
    expect(await file('AProxyServer', 'common', '')).toEqual(good)
    for (const node of ['10.0.0.1', '10.0.0.2', '10.0.0.3']) expect(await file('AProxyServer', `of ${node}`, node)).toEqual(good)
    for (const node of ['10.0.0.1', '10.0.0.2']) expect(await server('ARouterServer', node)).toBe(0)
    for (const node of ['10.0.0.1', '10.0.0.2', '10.0.0.3']) expect(await server('AProxyServer', node)).toBe(0)
    expect(await texts('ARouterServer', 2)).toEqual(['common', 'common'])
    expect(await texts('AProxyServer', 4)).toEqual(['common\r\n\r\nof 10.0.0.1', 'common\r\n\r\nof 10.0.0.2', 'common\r\n\r\nof 10.0.0.3', 'common'])
  })

  test('whose nodes come in another order, and later', async () => {
    expect(await file('BProxyServer', 'common', '')).toEqual(good)
    for (const node of ['n1', 'n2', 'n3']) expect(await file('BProxyServer', `of ${node}`, node)).toEqual(good)
    for (const node of ['n3', 'n1', 'n2']) expect(await server('BProxyServer', node)).toBe(0)
    expect(await texts('BProxyServer', 3)).toEqual(['n3', 'n1', 'n2'].map((node) => `common\r\n\r\nof ${node}`))
    expect(await file('BProxyServer', 'of n4', 'n4')).toEqual(good)
    expect(await server('BProxyServer', 'n4')).toBe(0)
    expect((await texts('BProxyServer', 4))[3]).toBe('common\r\n\r\nof n4')
  })

  test('a node has no file of the one that had its number before', async () => {
    expect(await file('DOneServer', 'of n1', 'n1')).toEqual(good)
    for (const node of ['n1', 'n2']) expect(await server('DOneServer', node)).toBe(0)
    expect(await file('DOneServer', 'of n2', 'n2')).toEqual(good)
    expect((await admin.undeploy('DCache', 'DOneServer', 'n2', '')).return).toBe(0)
    expect(await server('DOneServer', 'n3')).toBe(0)
    expect(await texts('DOneServer', 2)).toEqual(['of n1', ''])
  })

  test('a file may be for a node alone', async () => {
    expect(await file('COneServer', 'alone', '10.0.0.1')).toEqual(good)
    expect(await server('COneServer', '10.0.0.1')).toBe(0)
    expect(await texts('COneServer', 1)).toEqual(['alone'])
  })

  test('a node takes part in groups as its row says (1.3)', async () => {
    const row = (nodeName: string, groups: object) => admin.insertServerConf(createServerConf({ application: 'DCache', serverName: 'EProxyServer', nodeName, profile: 'tars.cpp', ...groups }), true)
    const instances = async () => (await live('dcache-eproxyserver'))?.['spec'].tars.instances
    expect([await row('n1', { enableGroup: 'Y' }), await row('n2', { enableGroup: 'M' }), await row('n3', { enableGroup: 'N', ipGroupName: 'sz' })]).toEqual([0, 0, 0])
    expect(await instances()).toEqual([{ pods: '0', enableGroup: true }, { pods: '2', enableGroup: false, group: 'sz' }])
    expect([await row('n1', { enableGroup: 'Y', ipGroupName: 'bj' }), await row('n3', {})]).toEqual([0, 0])
    expect(await instances()).toEqual([{ pods: '0', enableGroup: true, group: 'bj' }])
    await pods('EProxyServer', [{ presentState: 'Active' }])
    await eventually(async () => ((await admin.getServerNameList([{ application: 'DCache', serverName: 'EProxyServer' }])).rows.length === 1 ? true : undefined))
    const { rows } = await admin.getServerNameList([{ application: 'DCache', serverName: 'EProxyServer' }])
    expect(Object.fromEntries(rows[0] ?? [])).toMatchObject({ node_name: 'n1', enable_group: 'Y', ip_group_name: 'bj' })
  })

  test('each node brings a port: that of the first is the port of all', async () => {
    expect(await port('ARouterServer', '10.0.0.1', 20_001)).toBe(0)
    expect(await port('ARouterServer', '10.0.0.2', 20_777)).toBe(0)
    expect(await port('ARouterServer', '10.0.0.1', 20_002)).toBe(1007)
    expect((await live('dcache-arouterserver'))?.['spec'].tars.servants).toMatchObject([{ name: 'RouterObj', port: 20_001 }])
  })
})

test('a port is as its endpoint says: by TLS, for those who authenticate, by weight (F.4)', async () => {
  const adapter = (servant: string, endpoint: string, replace = false) => admin.insertAdapterConf('DCache', 'GProxyServer', 'n1', createAdapterConf({ endpoint, servant: `DCache.GProxyServer.${servant}` }), replace)
  expect(await server('GProxyServer', 'n1')).toBe(0)
  expect(await adapter('SafeObj', 'ssl -h n1 -t 60000 -p 12300 -e 1 -q 16 -w 40 -v 1')).toBe(0)
  expect(await adapter('OpenObj', 'tcp -h n1 -t 60000 -p 12301 -e 0 -w 400')).toBe(0)
  expect((await live('dcache-gproxyserver'))?.['spec'].tars.servants).toEqual([
    expect.objectContaining({ name: 'SafeObj', isTcp: true, isSsl: true, auth: true, qos: 16, weightType: 'static', weight: 40 }),
    { name: 'OpenObj', port: 12_301, isTcp: true, isTars: true, thread: 5, capacity: 100_000, connection: 10_240, timeout: 600_000 },
  ])
})

test('a release is followed from the first moment on, and is done when the node has it, whether its server runs or not', async () => {
  await cluster.client.create(resources.timages as Resource, { metadata: { namespace: cluster.namespace, name: 'dcache-routerserver' }, imageType: 'server', releases: [{ id: 'd1', image: 'r/d:1' }] } as never)
  expect((await admin.batchPatch(createPatchRequest({ appname: 'DCache', servername: 'ARouterServer', nodename: '10.0.0.1', version: 'd1' }))).return).toBe(0)
  const percent = async () => {
    const { return: code, tPatchInfo: { bPatching, iPercent, bSucc } } = await admin.getPatchPercent('DCache', 'ARouterServer', '10.0.0.1')
    return [code, bPatching, iPercent, bSucc]
  }
  expect(await percent()).toEqual([0, true, 0, false])
  await pods('ARouterServer', [{ presentState: 'PodScheduled', id: 'd1' }])
  await eventually(async () => ((await percent())[2] === 50 ? true : undefined))
  expect(await percent()).toEqual([0, true, 50, false])
  await pods('ARouterServer', [{ presentState: 'Inactive', presentMessage: 'exit code 1', id: 'd1' }])
  await eventually(async () => ((await percent())[2] === 100 ? true : undefined))
  expect(await percent()).toEqual([0, false, 100, true])
  expect((await admin.getPatchPercent('DCache', 'ARouterServer', '10.0.0.9')).return).toBe(1001)
})

test.each([['FKVCacheServer1-1', 'KVCacheServer'], ['FMKVCacheServer1-2', 'MKVCacheServer'], ['FDbAccessServer', 'CombinDbAccessServer']])('%s gets what was uploaded as %s (12)', async (name, program) => {
  const { client, namespace } = cluster
  const labels = { 'tars.io/ServerApp': 'DCache', 'tars.io/ServerName': program }
  await client.create(resources.timages as Resource, { metadata: { namespace, name: `dcache-${program.toLowerCase()}`, labels }, imageType: 'server', default: 'd1', releases: [{ id: 'd1', image: `r/${program.toLowerCase()}:1` }] } as never)
  const released = { id: 'd1', image: `r/${program.toLowerCase()}:1` }
  expect(await server(name, 'n1')).toBe(0)
  expect((await admin.batchPatch(createPatchRequest({ appname: 'DCache', servername: name, nodename: 'n1', groupname: program, version: '' }))).return).toBe(0)
  expect((await live(`dcache-${name.toLowerCase()}`))?.['spec'].release).toMatchObject(released)
  const asked = await client.create(resources.tservers as Resource, { metadata: { namespace, name: `dcache-g${name.toLowerCase()}`, annotations: { 'tars.io/AutoRelease': 'true' } }, spec: { app: 'DCache', server: `G${name}`, subType: 'tars', tars: { template: 'tars.cpp', servants: [] }, k8s: {} } } as never)
  expect(asked['spec'].release).toMatchObject(released)
  // Nor does a server of the same program that does not run it take it away from them.
  await client.create(resources.tservers as Resource, { metadata: { namespace, name: `dcache-h${name.toLowerCase()}`, annotations: { 'tars.io/AutoRelease': 'false' } }, spec: { app: 'DCache', server: `H${name}`, subType: 'tars', tars: { template: 'tars.cpp', servants: [] }, k8s: {} } } as never)
  const codes = { noServer: 1003, state: 1004 }
  const code = await eventually(async () => admin.deletePatchFile('DCache', `H${name}`, 'd1').then((answer) => (answer === codes.noServer ? undefined : answer)))
  expect(code).toBe(codes.state)
})

test('a server that was never released does not run, so that it can be uninstalled', async () => {
  expect(await admin.getServerState('DCache', 'COneServer', '10.0.0.1')).toMatchObject({ return: 0, state: { settingStateInReg: 'inactive', presentStateInReg: 'inactive', presentStateInNode: 'Inactive' } })
  // delCache: any code but -1 lets DCache go on.
  expect((await admin.delCache('10.0.0.1', 'DCache.COneServer', '/data/dcacheuninstall', '')).return).toBe(1001)
  expect((await admin.uninstallServer('DCache', 'COneServer', '10.0.0.1')).return).toBe(0)
  expect((await admin.getServerState('DCache', 'COneServer', '10.0.0.1')).return).not.toBe(0)
})

test('a node without a pod is dead to a router that asks, one that was never there is a mistake', async () => {
  const state = async (node: string) => {
    const { return: code, state: { settingStateInReg, presentStateInReg }, result } = await admin.getServerState('DCache', 'ARouterServer', node)
    return [code, settingStateInReg, presentStateInReg, result.includes('TimeOut')]
  }
  expect(await state('10.0.0.2')).toEqual([1002, 'active', 'inactive', true])
  await pods('ARouterServer', [{ presentState: 'Active', id: 'd1' }])
  expect(await state('10.0.0.1')).toEqual([1002, 'active', expect.any(String), true])
  expect(await state('10.0.0.9')).toEqual([1001, '', '', false])
})

test('nodes are pinged and listed by the names that they were given', async () => {
  await pods('EProxyServer', [{ presentState: 'Active', podIP: '127.81.9.1' }])
  await eventually(async () => ((await admin.pingNode('n1')).result.startsWith('TimeOut') ? true : undefined))
  expect((await admin.pingNode('n9')).result).toContain('there is no node n9')
  expect((await admin.getAllNodeNames()).return).toContain('n1')
  expect((await admin.getAllServerIds()).return).toContainEqual(['DCache.EProxyServer_n1', 'active', 'active', 'tars_cpp'])
})

test('its nodes leave from the first to the last, and the server with them', async () => {
  await pods('AProxyServer', [])
  const leave = async (node: string) => (await admin.undeploy('DCache', 'AProxyServer', node, '')).return
  expect(await leave('10.0.0.2')).toBe(0)
  expect(await leave('10.0.0.9')).toBe(1001)
  expect(await leave('10.0.0.1')).toBe(0)
  expect((await live('dcache-aproxyserver'))?.metadata.annotations).toMatchObject({ 'tars.io/NodeNames': '10.0.0.1,10.0.0.2,10.0.0.3', 'tars.io/LeavingNodes': '10.0.0.2,10.0.0.1' })
  // One that comes back stays, and the others wait for it.
  expect(await server('AProxyServer', '10.0.0.1')).toBe(0)
  expect(await leave('10.0.0.3')).toBe(0)
  expect((await live('dcache-aproxyserver'))?.metadata.annotations?.['tars.io/NodeNames']).toBe('10.0.0.1')
  expect(await leave('10.0.0.1')).toBe(0)
  await eventually(async () => ((await live('dcache-aproxyserver')) === undefined ? true : undefined))
})

test('nodes that come at once, and that go at once, are as those one after the other', async () => {
  const nodes = ['n1', 'n2', 'n3']
  expect(await Promise.all(nodes.map((node) => server('FProxyServer', node)))).toEqual([0, 0, 0])
  expect((await live('dcache-fproxyserver'))?.metadata.annotations?.['tars.io/NodeNames']?.split(',').toSorted()).toEqual(nodes)
  expect((await Promise.all(nodes.map((node) => admin.undeploy('DCache', 'FProxyServer', node, '')))).map(({ return: code, log }) => code === 0 || log)).toEqual([true, true, true])
  expect(await live('dcache-fproxyserver')).toBeUndefined()
})
