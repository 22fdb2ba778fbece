// AdminRegObj (framework-services 10) as TarsWeb, DCache and plug-ins call it: a @tars/rpc client, webhooks, and nodes in pods.
import { createRequire } from 'node:module'
import { crc32 } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { accountName } from '#api/mutate/taccount.ts'
import { resources } from '#api/resources.ts'
import type { TServer } from '#api/types.ts'
import { silentLogger } from '#base/log.ts'
import { nodes, pods, statefulSets } from '#kube/resources.ts'
import type { AnyObject, Resource } from '#kube/types.ts'
import { Communicator } from '#tars/client.ts'
import { AdminReg, createTaskItemReq, createTaskReq, EMTaskItemStatus, EMTaskStatus, type AdminRegProxy } from '#tars/protocol/AdminReg.ts'
import { createServerStateInfo, ServerState } from '#tars/protocol/NodeDescriptor.ts'
import { Node, type NodeServant } from '#tars/protocol/Node.ts'
import { createServer, type TarsServer } from '#tars/server.ts'
import { startView } from '../../framework/admin/model/view.ts'
import { startAdminRegistry, type RunningAdminRegistry } from '../../framework/admin/adminreg/adminreg.ts'
import { eventually, peek, startCluster, type TestCluster } from '../controller/cluster.ts'
import { ownAddress } from '../rig/own-address.ts'

/* The peer is untyped JavaScript: any is what it is. */
// oxlint-disable-next-line typescript/no-explicit-any
const peer = createRequire(import.meta.url)('../compat/tarsjs/admin-reg.cjs') as any

let cluster: TestCluster
let registry: RunningAdminRegistry
let node: TarsServer
let namespace: string
// oxlint-disable-next-line typescript/no-explicit-any
let admin: any
let ours: AdminRegProxy
const communicator = new Communicator({ timeoutMs: 60_000 })
const theirs = peer.rpc.Communicator.New()
const calls: string[] = []
let running = true
let words = ''
/** Where a node answers, and where nothing does. */
const [alive, dead] = [ownAddress(), ownAddress()]

beforeAll(async () => {
  cluster = await startCluster()
  namespace = cluster.namespace
  node = createServer({ adapters: [{ endpoint: `tcp -h ${alive} -p 19385 -t 60000`, servants: { 'tars.tarsnode.NodeObj': { interface: Node, servant: nodeServant } } }] })
  await node.start()
  await makeServer('Demo', 'Hello', { release: { id: 'v1', image: 'r/demo.hello:v1', time: '2024-01-01T00:00:00Z' }, k8s: { replicas: 2 } })
  await makePod('Demo', 'Hello', 0, { podIP: alive, pid: '7' })
  await makePod('Demo', 'Hello', 1, { podIP: dead, presentState: 'Inactive' })
  await create(resources.timages, {
    metadata: { name: 'demo-hello', labels: { 'tars.io/ServerApp': 'Demo', 'tars.io/ServerName': 'Hello' } }, imageType: 'server', default: 'v2',
    releases: [{ id: 'v3', image: 'r/demo.hello:v3' }, { id: 'v2', image: 'r/demo.hello:v2', secret: 'pull' }, { id: 'v1', image: 'r/demo.hello:v1' }],
  })
  registry = await startAdminRegistry({ client: cluster.client, namespace, address: '127.0.0.1', port: 0, drainMs: 10, log: silentLogger, signal: new AbortController().signal })
  const object = `tars.tarsAdminRegistry.AdminRegObj@tcp -h 127.0.0.1 -p ${registry.port} -t 60000`
  admin = theirs.stringToProxy(peer.AdminRegProxy, object)
  admin.setTimeout(60_000)
  ours = communicator.proxy<AdminRegProxy>(AdminReg, object)
})
afterAll(async () => {
  theirs.disconnect()
  await communicator.close()
  await registry?.stop()
  await node?.stop()
  await cluster?.stop()
})

const take = (verb: string) => (app: string, server: string) => {
  calls.push(`${verb} ${app}.${server}`)
  return { return: 0, result: `Success: ${verb}${words}` }
}
const nodeServant: NodeServant = {
  startServer: take('start'), stopServer: take('stop'), restartServer: take('restart'), loadServer: take('load'),
  notifyServer: (app, server, command) => ({ return: 0, result: `${app}.${server} heard ${command}` }),
  delCache: (name, _backup, key) => ({ return: 0, result: `${name} ${key}` }),
  addFile: () => ({ return: 0, result: '' }),
  getLogFileList: () => ({ return: 0, logFileList: ['app.log', 'old.log'] }),
  getLogData: (_app, _server, file, cmd) => ({ return: 0, fileData: `${file}: ${cmd}` }),
  getNodeLoad: (_app, _server, pid) => ({ return: 0, fileData: `load of ${pid}` }),
  getStateInfo: () => ({ return: 0, result: 'Active/Active', info: createServerStateInfo({ serverState: running ? ServerState.Active : ServerState.Inactive, processId: running ? 77 : 0 }) }),
}

const create = (resource: unknown, object: object): Promise<AnyObject> => cluster.client.create(resource as Resource, { ...object, metadata: { namespace, ...(object as { metadata: object }).metadata } } as never)
const makeServer = (app: string, server: string, spec: object = {}): Promise<AnyObject> => create(resources.tservers, { metadata: { name: `${app}-${server}`.toLowerCase() }, spec: { app, server, subType: 'tars', tars: { template: 'tars.cpp', servants: [{ name: 'Obj', port: 8000 }], profile: '<tars>\n  own=1\n</tars>' }, k8s: {}, ...spec } })
const live = (name: string): Promise<AnyObject | undefined> => peek(cluster.client, resources.tservers as Resource, namespace, name)

/** A pod, and what the controller says of it. */
async function makePod(app: string, server: string, index: number, entry: object): Promise<void> {
  const name = `${app}-${server}`.toLowerCase()
  const pod = `${name}-${index}`
  const labels = { 'tars.io/ServerApp': app, 'tars.io/ServerName': server }
  if ((await peek(cluster.client, pods, namespace, pod)) === undefined) await create(pods, { metadata: { name: pod, labels }, spec: { containers: [{ name, image: 'i' }] } })
  const endpoint = await peek(cluster.client, resources.tendpoints as Resource, namespace, name) ?? (await create(resources.tendpoints, { metadata: { name }, spec: { app, server, subType: 'tars', tars: { template: 'tars.cpp', servants: [] } } }))
  const known = ((endpoint['status']?.pods ?? []) as { name: string }[]).filter((one) => one.name !== pod)
  const one = { uid: pod, name: pod, settingState: 'Active', presentState: 'Active', id: 'v1', startTime: '2026-01-01T00:00:00Z', ...entry }
  await cluster.client.patch(resources.tendpoints as Resource, { namespace, name }, { status: { pods: [...known, one] } }, { subresource: 'status' })
}

/** The read model follows the cluster a moment later. */
const until = (check: () => Promise<void>): Promise<void> => vi.waitFor(check, { timeout: 120_000, interval: 20 })

describe('nodes', () => {
  test.each(['demo-hello-0', 'demo-hello-0.demo-hello', 'demo-hello-0.demo-hello.ns.svc.cluster.local', alive])('a node is a pod, called %s', async (name) => {
    expect(await admin.pingNode(name)).toEqual([true, 'Success'])
  })
  test('one that does not answer, and one that is not there', async () => {
    expect(await admin.pingNode('demo-hello-1')).toEqual([false, expect.stringContaining('TimeOut')])
    expect(await admin.pingNode('nobody')).toEqual([false, expect.stringContaining('there is no node nobody')])
  })
  test('commands reach the node, and only the one that is meant', async () => {
    calls.length = 0
    expect(await admin.startServer('Demo', 'Hello', 'demo-hello-0')).toEqual([0, 'Success: start'])
    expect(await admin.stopServer('Demo', 'Hello', alive)).toEqual([0, 'Success: stop'])
    expect(await admin.restartServer('Demo', 'Hello', 'demo-hello-0')).toEqual([0, 'Success: restart'])
    expect(await admin.loadServer('Demo', 'Hello', 'demo-hello-0')).toEqual([0, 'Success: load'])
    expect(await admin.notifyServer('Demo', 'Hello', 'demo-hello-0', 'tars.viewversion')).toEqual([0, 'Demo.Hello heard tars.viewversion'])
    expect(calls).toEqual(['start Demo.Hello', 'stop Demo.Hello', 'restart Demo.Hello', 'load Demo.Hello'])
  })
  test('what cannot be done has native codes', async () => {
    expect(await admin.startServer('Demo', 'Nobody', 'x')).toEqual([1003, expect.stringContaining('there is no server Demo.Nobody')])
    expect(await admin.startServer('Demo', 'Hello', 'x')).toEqual([1001, expect.stringContaining('demo-hello-0, demo-hello-1')])
    expect(await admin.stopServer('Demo', 'Hello', 'demo-hello-1')).toEqual([1002, expect.stringContaining('TimeOut')])
    expect(await admin.restartServer('tars', 'tarsimage', 'x')).toEqual([1001, expect.any(String)])
    expect(await admin.delCache('demo-hello-0', 'Demo.Hello', '', '4711')).toEqual([0, 'Demo.Hello 4711'])
    expect(await admin.delCache('demo-hello-0', 'DCache', '', '1')).toEqual([1007, expect.stringContaining('write App.Server')])
    expect(await admin.delCache('demo-hello-0', 'DCache.A', '', '1')).toEqual([1003, expect.any(String)])
  })
  test('the state is what the registry tells and what the node says', async () => {
    const [code, state] = await admin.getServerState('Demo', 'Hello', alive)
    expect([code, state]).toEqual([0, { settingStateInReg: 'active', presentStateInReg: 'active', presentStateInNode: 'Active', processId: 77, patchVersion: 'v1', patchTime: '2024-01-01 00:00:00', patchUser: '' }])
    const [silent, known, why] = await admin.getServerState('Demo', 'Hello', 'demo-hello-1')
    expect([silent, known.presentStateInReg, why]).toEqual([1002, 'inactive', expect.stringContaining('TimeOut')])
  })
  test('logs and load come from the node', async () => {
    expect((await admin.getLogFileList('Demo', 'Hello', 'demo-hello-0')).map((one: { value?: unknown }) => one.value ?? one)).toEqual([0, ['app.log', 'old.log']])
    expect(await admin.getLogData('Demo', 'Hello', 'demo-hello-0', 'app.log', 'tail -n 5')).toEqual([0, 'app.log: tail -n 5'])
    expect((await ours.getLogFileList('Demo', 'Hello', 'demo-hello-0')).logFileList).toEqual(['app.log', 'old.log'])
    expect(await ours.getNodeLoad('Demo', 'Hello', 'demo-hello-0', 7)).toEqual({ return: 0, fileData: 'load of 7' })
  })
  test('a node whose callers are sent elsewhere is marked, and unmarked', async () => {
    const flow = async (): Promise<unknown> => (await peek(cluster.client, pods, namespace, 'demo-hello-0'))?.metadata.annotations?.['tars.io/Flow']
    expect(await admin.updateServerFlowState('Demo', 'Hello', peer.texts([alive]), false)).toEqual([0])
    expect(await flow()).toBe('inactive')
    expect(await admin.updateServerFlowState('Demo', 'Hello', peer.texts([alive]), true)).toEqual([0])
    expect(await flow()).toBeUndefined()
    expect(await admin.updateServerFlowState('Demo', 'Hello', peer.texts(['nobody']), true)).toEqual([1001])
    expect(await admin.updateServerFlowState('Demo', 'Nobody', peer.texts([]), true)).toEqual([1003])
  })
  test('a pod that is gone keeps no other one of a server from being marked', async () => {
    await makeServer('Demo', 'Flow')
    for (const index of [0, 1]) await makePod('Demo', 'Flow', index, {})
    await cluster.client.delete(pods, { namespace, name: 'demo-flow-0' }, { gracePeriodSeconds: 0 })
    await until(async () => expect((await ours.getAllServerIds()).return.filter(([id]) => id?.startsWith('Demo.Flow_'))).toHaveLength(2))
    expect(await ours.updateServerFlowState('Demo', 'Flow', [], false)).toBe(-1)
    expect((await peek(cluster.client, pods, namespace, 'demo-flow-1'))?.metadata.annotations).toMatchObject({ 'tars.io/Flow': 'inactive' })
  })
  test('shutting a node down replaces its pod', async () => {
    await makePod('Demo', 'Gone', 0, {})
    await makeServer('Demo', 'Gone')
    await until(async () => expect((await ours.shutdownNode('demo-gone-0')).return).toBe(0))
    await eventually(async () => {
      const pod = await peek(cluster.client, pods, namespace, 'demo-gone-0')
      return pod === undefined || pod.metadata.deletionTimestamp !== undefined ? true : undefined
    })
  })
})

describe('what there is', () => {
  test('applications, nodes, servers and their tree', async () => {
    expect((await ours.getAllApplicationNames()).return).toEqual(['Demo', 'tars'])
    expect((await ours.getAllNodeNames()).return).toContain('demo-hello-0')
    expect((await ours.getAllServerIds()).return).toContainEqual(['Demo.Hello_demo-hello-1', 'active', 'inactive', 'tars_cpp'])
    expect((await admin.getServerTree())[0]).toBe(0)
    expect((await ours.getServerTree()).tree).toContainEqual(expect.objectContaining({ application: 'Demo', server_name: 'Hello', enable_set: 'N' }))
    const { rows } = await ours.getServerNameList([{ application: 'Demo', serverName: 'Hello' }])
    expect(Object.fromEntries(rows[0] ?? [])).toMatchObject({ application: 'Demo', server_name: 'Hello', node_name: 'demo-hello-0', setting_state: 'active', present_state: 'active', process_id: '7', patch_version: 'v1', server_type: 'tars_cpp', template_name: 'tars.cpp' })
  })
  test('sets, by pod, and the pods of a variant', async () => {
    await makeServer('Demo', 'Sets', { tars: { template: 'tars.cpp', servants: [], instances: [{ pods: '1', set: 'mall.sz.1' }] } })
    await create(resources.tservers, { metadata: { name: 'demo-sets-far' }, spec: { app: 'Demo', server: 'Sets', variant: 'far', subType: 'tars', tars: { template: 'tars.java', servants: [], instances: [{ set: 'mall.sz.*' }], profile: '<tars>\n  own=far\n</tars>' }, k8s: {} } })
    for (const index of [0, 1, 2]) await makePod('Demo', 'Sets', index, {})
    await makePod('Demo', 'Sets-far', 0, { podIP: alive })
    const rowsOf = async () => (await ours.getServerNameList([{ application: 'Demo', serverName: 'Sets' }])).rows.map((row) => ['node_name', 'enable_set', 'set_name', 'set_area', 'set_group'].map((name) => row.get(name)).join(' '))
    await until(async () => expect(await rowsOf()).toEqual(['demo-sets-0 N   ', 'demo-sets-1 Y mall sz 1', 'demo-sets-2 N   ', 'demo-sets-far-0 Y mall sz *']))
    const { tree } = await ours.getServerTree()
    expect(tree.filter(({ server_name: name }) => name === 'Sets').map((one) => [one.enable_set, one.set_name, one.set_area, one.set_group].join(' '))).toEqual(['N   ', 'Y mall sz 1', 'Y mall sz *'])
    expect(await admin.stopServer('Demo', 'Sets', 'demo-sets-far-0')).toEqual([0, 'Success: stop'])
    const templateOf = async (node: string) => /own=\w+/.exec((await ours.getServerProfileTemplate('Demo', 'Sets', node)).profileTemplate)?.[0]
    expect([await templateOf('demo-sets-0'), await templateOf('demo-sets-far-0'), await templateOf('')]).toEqual([undefined, 'own=far', undefined])
    expect(await admin.undeploy('Demo', 'Sets', 'demo-sets-far-0', '')).toEqual([1011, expect.stringContaining('of the variant far of Demo.Sets')])
    expect((await live('demo-sets')) !== undefined && (await live('demo-sets-far')) !== undefined).toBe(true)
    expect(await admin.stopServer('Demo', 'Sets', 'nobody')).toEqual([1001, expect.stringContaining('demo-sets-2, demo-sets-far-0')])
  })
  test('when nodes were well, and who asks', async () => {
    const { heartbeats } = await ours.getNodeList(['demo-hello-0', 'demo-hello-1', 'nobody'])
    expect([...heartbeats.keys()]).toEqual(['demo-hello-0', 'demo-hello-1'])
    expect(heartbeats.get('demo-hello-1')).toBe('2026-01-01 00:00:00')
    expect(await admin.getClientIp()).toEqual([0, '127.0.0.1'])
    // As native does, by the name that a caller gives itself (0.2).
    expect(await ours.getClientIp({ context: { node_name: 'demo-hello-0.demo-hello' } })).toEqual({ return: 0, sClientIp: 'demo-hello-0.demo-hello' })
  })
  test('groups of machines, as tarsregistry has them: by configured address, and by node (1.3)', async () => {
    const [address, ofPod] = [ownAddress(), ownAddress()]
    await cluster.client.patch(resources.tframeworkconfigs as Resource, { namespace, name: 'tars-framework' }, { topology: { groups: [{ name: 'gz', addresses: ['10.83.1.*'] }] } })
    await create(nodes, { metadata: { name: 'machine', namespace: undefined, labels: { 'topology.kubernetes.io/zone': 'sz' } }, spec: {} })
    await cluster.client.patch(nodes, { name: 'machine' }, { status: { addresses: [{ type: 'InternalIP', address }] } }, { subresource: 'status' })
    await create(pods, { metadata: { name: 'demo-placed-0', labels: { 'tars.io/ServerApp': 'Demo', 'tars.io/ServerName': 'Placed' } }, spec: { nodeName: 'machine', containers: [{ name: 'placed', image: 'i' }] } })
    await cluster.client.patch(pods, { namespace, name: 'demo-placed-0' }, { status: { podIP: ofPod, podIPs: [{ ip: ofPod }] } }, { subresource: 'status' })
    const group = (name: string): object => ({ return: crc32(name) & 0x7fffffff, groupId: crc32(name) & 0x7fffffff, result: 'Success' })
    for (const [ip, name] of [[ofPod, 'sz'], [address, 'sz'], ['10.83.1.7', 'gz'], ['::ffff:10.83.1.7', 'gz']] as const) await until(async () => expect(await ours.getGroupId(ip)).toEqual(group(name)))
    expect(await ours.getGroupId('10.0.0.1')).toEqual({ return: -1, groupId: -1, result: '10.0.0.1 is in no group' })
  })
  test('templates, joined as nodes get them', async () => {
    expect((await admin.getProfileTemplate('tars.cpp'))[0]).toBe(0)
    const { return: code, profileTemplate } = await ours.getServerProfileTemplate('Demo', 'Hello', '')
    expect([code, profileTemplate]).toEqual([0, expect.stringMatching(/own=1[\s\S]*locator|locator[\s\S]*own=1/)])
    expect(await admin.getProfileTemplate('none')).toEqual([1007, '', 'template none does not exist'])
  })
  test('its version is that of its release', async () => expect(await admin.getVersion()).toEqual([0, 'v1']))
  test('what Kubernetes does by itself says so', async () => {
    expect((await ours.checkDockerRegistry('r', 'u', 'p')).return).toBe(1011)
    expect(await ours.dockerPull('x')).toBe(1011)
    await expect(theirs.stringToProxy(peer.AdminRegProxy, `tars.tarsAdminRegistry.AdminRegObj@tcp -h 127.0.0.1 -p ${registry.port}`).hasServer('Demo', 'Hello')).resolves.toEqual([0, true])
  })
})

describe('releases', () => {
  const request = (version: string, servername = 'Hello', nodename = alive) => peer.patchRequest({ appname: 'Demo', servername, nodename, groupname: '', binname: '', version, user: 'alice', servertype: '', patchobj: '', md5: '' })

  test('a release is named by id or by its number, and runs when its pod says so', async () => {
    expect(await admin.getPatchPercent('Demo', 'Hello', alive)).toEqual([0, { bPatching: false, iPercent: 100, iModifyTime: 1_704_067_200, sVersion: 'v1', sResult: 'Success', bSucc: true }])
    const [, { id }] = await admin.getPatchPackage('Demo', 'Hello', 0, 1)
    expect(await admin.batchPatch(request(String(id)))).toEqual([0, 'Success: Demo.Hello gets release v2'])
    const server = await live('demo-hello')
    expect(server?.['spec'].release).toMatchObject({ id: 'v2', image: 'r/demo.hello:v2', secret: 'pull' })
    expect(server?.['spec'].k8s.replicas).toBe(2)
    await until(async () => expect((await admin.getPatchPercent('Demo', 'Hello', alive))[1]).toMatchObject({ bPatching: true, iPercent: 0, sVersion: 'v2' }))
    await makePod('Demo', 'Hello', 0, { podIP: alive, id: 'v2', presentState: 'ContainersReady' })
    await until(async () => expect((await admin.getPatchPercent('Demo', 'Hello', alive))[1]).toMatchObject({ bPatching: true, iPercent: 50 }))
    await makePod('Demo', 'Hello', 0, { podIP: alive, id: 'v2', presentState: 'ImagePullBackOff', presentMessage: 'no such image' })
    await until(async () => expect((await admin.getPatchPercent('Demo', 'Hello', alive))[1]).toMatchObject({ bPatching: false, iPercent: 50, bSucc: false, sResult: 'ImagePullBackOff: no such image' }))
    await makePod('Demo', 'Hello', 0, { podIP: alive, id: 'v2' })
    await until(async () => expect((await admin.getPatchPercent('Demo', 'Hello', alive))[1]).toMatchObject({ bPatching: false, iPercent: 100, bSucc: true }))
    expect((await admin.getServerState('Demo', 'Hello', alive))[1]).toMatchObject({ patchVersion: 'v2', patchUser: 'alice' })
  })
  test('who waits for a server to be as wanted is told when it is, or that the time is over', async () => {
    const view = startView({ client: cluster.client, namespace, log: silentLogger })
    await view.synced()
    const isMarked = ({ metadata }: TServer): boolean => metadata.annotations?.['mark'] === 'yes'
    expect(await view.untilServer('Demo.Hello', () => true, 60_000)).toBe(true)
    expect(await view.untilServer('Demo.Hello', isMarked, 1)).toBe(false)
    const told = view.untilServer('demo-hello', isMarked, 60_000)
    await cluster.client.patch(resources.tservers as Resource, { namespace, name: 'demo-hello' }, { metadata: { annotations: { mark: 'yes' } } })
    expect(await told).toBe(true)
    expect(view.tserver('demo-hello')?.metadata.annotations).toMatchObject({ mark: 'yes' })
    await view.stop()
  })
  test('the same again changes nothing; another without a secret forgets it', async () => {
    const before = (await live('demo-hello'))?.metadata.resourceVersion
    expect((await admin.batchPatch(request('v2')))[0]).toBe(0)
    expect((await live('demo-hello'))?.metadata.resourceVersion).toBe(before)
    expect((await admin.batchPatch(request('v3')))[0]).toBe(0)
    expect((await live('demo-hello'))?.['spec'].release).not.toHaveProperty('secret')
    const secretOf = async (secret: string | undefined) => {
      await cluster.client.patch(resources.timages as Resource, { namespace, name: 'demo-hello' }, { releases: [{ id: 'v3', image: 'r/demo.hello:v3', ...(secret === undefined ? {} : { secret }) }, { id: 'v2', image: 'r/demo.hello:v2', secret: 'pull' }, { id: 'v1', image: 'r/demo.hello:v1' }] })
      expect((await admin.batchPatch(request('v3')))[0]).toBe(0)
      return (await live('demo-hello'))?.['spec'].release.secret as unknown
    }
    expect([await secretOf('new'), await secretOf(undefined)]).toEqual(['new', undefined])
  })
  test('one that is not there is refused with those that are', async () => {
    expect(await admin.batchPatch(request('v9'))).toEqual([1009, expect.stringContaining('its releases are v3, v2, v1')])
    expect(await admin.batchPatch(request('v1', 'Nobody'))).toEqual([1009, expect.stringContaining('tarsk8s release')])
  })
  test('it is for the TServer of the node; without one, for the server and its variants', async () => {
    await create(resources.timages, { metadata: { name: 'demo-sets', labels: { 'tars.io/ServerApp': 'Demo', 'tars.io/ServerName': 'Sets' } }, imageType: 'server', releases: [{ id: 's2', image: 'r/demo.sets:s2' }, { id: 's1', image: 'r/demo.sets:s1' }] })
    const released = async () => Promise.all(['demo-sets', 'demo-sets-far'].map(async (name) => (await live(name))?.['spec'].release?.id))
    expect(await admin.batchPatch(request('s1', 'Sets', 'demo-sets-far-0'))).toEqual([0, 'Success: Demo.Sets/far gets release s1'])
    expect(await released()).toEqual([undefined, 's1'])
    expect(await admin.batchPatch(request('s2', 'Sets', ''))).toEqual([0, 'Success: Demo.Sets, Demo.Sets/far get release s2'])
    expect(await released()).toEqual(['s2', 's2'])
    expect(await admin.batchPatch(request('s1', 'Sets', 'demo-sets-0'))).toEqual([0, 'Success: Demo.Sets gets release s1'])
    expect(await released()).toEqual(['s1', 's2'])
    await until(async () => expect(await ours.deletePatchFile('Demo', 'Sets', 's2')).toBe(1004))
  })
  test('one that runs cannot be deleted, another can', async () => {
    await until(async () => expect(await ours.deletePatchFile('Demo', 'Hello', 'v3')).toBe(1004))
    expect(await ours.deletePatchFile('Demo', 'Hello', 'v1.tgz')).toBe(0)
    expect((await cluster.client.get(resources.timages as Resource, { namespace, name: 'demo-hello' }))['releases'].map(({ id }: { id: string }) => id)).toEqual(['v3', 'v2'])
  })
})

describe('DCache', () => {
  const conf = (nodeName: string, fields: object = {}) => peer.serverConf({ application: 'DCache', serverName: 'TestKVCacheServer1-1', nodeName, basePath: '', exePath: '', settingState: 'active', profile: 'tars.cpp', serverType: 'tars_cpp', asyncThreadNum: 5, ...fields })
  const adapter = (name: string, port: number) => peer.adapterConf({ adapterName: `DCache.TestKVCacheServer1-1.${name}Adapter`, threadNum: 7, endpoint: `tcp -h 10.0.0.1 -t 60000 -p ${port}`, maxConnections: 2048, servant: `DCache.TestKVCacheServer1-1.${name}`, queuecap: 5000, queuetimeout: 30_000, protocol: 'tars' })
  const name = 'dcache-testkvcacheserver1-1'
  const of = (server: string, node: string) => ['DCache', server, node] as const

  test('makes a server a node at a time', async () => {
    expect(await admin.hasServer('DCache', 'TestKVCacheServer1-1')).toEqual([0, false])
    expect(await admin.insertServerConf(conf('10.0.0.1'), false)).toEqual([0])
    expect(await admin.insertServerConf(conf('10.0.0.1'), false)).toEqual([1007])
    expect(await admin.insertServerConf(conf('10.0.0.2'), false)).toEqual([0])
    expect(await admin.hasServer('DCache', 'TestKVCacheServer1-1')).toEqual([0, true])
    const server = await live(name)
    expect(server).toMatchObject({ metadata: { annotations: { 'tars.io/NodeNames': '10.0.0.1,10.0.0.2' } }, spec: { app: 'DCache', server: 'TestKVCacheServer1-1', tars: { template: 'tars.cpp', asyncThread: 5 }, k8s: { replicas: 0 } } })
    expect(await admin.insertServerConf(conf('10.0.0.1', { profile: 'none' }), true)).toEqual([-1])
  })
  test('gives it servants, which its nodes share', async () => {
    expect(await admin.insertAdapterConf(...of('TestKVCacheServer1-1', '10.0.0.1'), adapter('CacheObj', 12_345), false)).toEqual([0])
    expect(await admin.insertAdapterConf(...of('TestKVCacheServer1-1', '10.0.0.1'), adapter('WCacheObj', 12_346), false)).toEqual([0])
    expect(await admin.insertAdapterConf(...of('TestKVCacheServer1-1', '10.0.0.2'), adapter('CacheObj', 12_345), false)).toEqual([0])
    expect(await admin.insertAdapterConf(...of('TestKVCacheServer1-1', '10.0.0.1'), adapter('CacheObj', 12_399), false)).toEqual([1007])
    expect(await admin.insertAdapterConf(...of('TestKVCacheServer1-1', '10.0.0.1'), adapter('WCacheObj', 12_347), true)).toEqual([0])
    expect(await admin.insertAdapterConf(...of('Nobody', 'x'), adapter('CacheObj', 1), false)).toEqual([1007])
    expect((await live(name))?.['spec'].tars.servants).toMatchObject([{ name: 'CacheObj', port: 12_345, thread: 7, capacity: 5000, connection: 2048, timeout: 30_000, isTcp: true, isTars: true }, { name: 'WCacheObj', port: 12_347 }])
  })
  test('and files, for all nodes and for one', async () => {
    const file = (content: string, node: string, level: number, replace: boolean) => admin.insertConfigFile('DCache.TestKVCacheServer1-1', 'CacheServer.conf', content, node, level, replace)
    await until(async () => expect(await file('all', '', 2, false)).toEqual([0]))
    expect(await file('all', '', 2, false)).toEqual([0])
    expect(await file('other', '', 2, false)).toEqual([1007])
    expect(await file('one', '10.0.0.2', 3, false)).toEqual([0])
    expect(await admin.insertConfigFile('Demo.Hello', 'a.conf', 'x', 'nobody', 3, false)).toEqual([1001])
    expect(await file('all of them', '', 2, true)).toEqual([0])
    const { items } = await cluster.client.list(resources.tconfigs as Resource, { namespace, labelSelector: 'tars.io/ServerApp=DCache' })
    expect(items.map((one) => `${one['podSeq']} ${one['configContent']}`).toSorted()).toEqual(['1 one', 'm all', 'm all of them'])
    const [code, id] = await admin.getConfigFileId('DCache.TestKVCacheServer1-1', 'CacheServer.conf', '', 2)
    const [, other] = await admin.getConfigFileId('DCache.TestKVCacheServer1-1', 'CacheServer.conf', '10.0.0.2', 3)
    expect([code, id > 0, other > 0, id === other]).toEqual([0, true, true, false])
    expect(await admin.insertHistoryConfigFile(id, 'why', 'all of them', true)).toEqual([0])
    // Names are names, and no selectors.
    for (const name of ['none', 'CacheServer.conf,tars.io/ServerApp', '', '.', 'x'.repeat(64)]) expect([name, (await admin.getConfigFileId('DCache.TestKVCacheServer1-1', name, '', 2))[0]]).toEqual([name, 1007])
    expect((await admin.getConfigFileId('DCache,tars.io/ServerApp.TestKVCacheServer1-1', 'CacheServer.conf', '', 2))[0]).toBe(1007)
  })
  test('releases it: only then there are pods, one a node', async () => {
    await create(resources.timages, { metadata: { name: 'dcache-testkvcacheserver1-1', labels: { 'tars.io/ServerApp': 'DCache', 'tars.io/ServerName': 'TestKVCacheServer1-1' } }, imageType: 'server', releases: [{ id: 'd1', image: 'r/d:1' }] })
    expect((await admin.batchPatch(peer.patchRequest({ appname: 'DCache', servername: 'TestKVCacheServer1-1', nodename: '10.0.0.1', groupname: '', binname: '', version: 'd1', user: '', servertype: '', patchobj: '', md5: '' })))[0]).toBe(0)
    expect((await live(name))?.['spec']).toMatchObject({ release: { id: 'd1' }, k8s: { replicas: 2 } })
    expect(await admin.insertServerConf(conf('10.0.0.3'), false)).toEqual([0])
    expect((await live(name))?.['spec'].k8s.replicas).toBe(3)
  })
  test('and asks by the names it gave', async () => {
    await makePod('DCache', 'TestKVCacheServer1-1', 1, { podIP: alive, id: 'd1' })
    await until(async () => expect((await admin.getServerState(...of('TestKVCacheServer1-1', '10.0.0.2')))[0]).toBe(0))
    expect((await admin.stopServer(...of('TestKVCacheServer1-1', '10.0.0.2')))[0]).toBe(0)
  })
  test('takes nodes away, when they were stopped', async () => {
    running = true
    expect(await admin.uninstallServer(...of('TestKVCacheServer1-1', '10.0.0.2'))).toEqual([1004, expect.stringContaining('stop it first')])
    running = false
    calls.length = 0
    expect(await admin.uninstallServer(...of('TestKVCacheServer1-1', '10.0.0.2'))).toEqual([0, expect.stringContaining('whose pod goes when those with higher numbers have gone')])
    expect([calls, (await live(name))?.['spec'].k8s.replicas]).toEqual([['stop DCache.TestKVCacheServer1-1'], 3])
    expect(await admin.undeploy(...of('TestKVCacheServer1-1', '10.0.0.3'), 'alice')).toEqual([0, expect.stringContaining('has left 10.0.0.3')])
    expect((await live(name))?.['spec'].k8s.replicas).toBe(1)
    expect(await admin.undeploy('Demo', 'Hello', 'demo-hello-0', '')).toEqual([1011, expect.stringContaining('first demo-hello-1')])
    expect((await admin.undeploy(...of('TestKVCacheServer1-1', '10.0.0.1'), ''))[0]).toBe(0)
    await eventually(async () => ((await live(name)) === undefined ? true : undefined))
    running = true
  })
})

describe('tasks', () => {
  const item = (command: string, fields: object = {}) => createTaskItemReq({ application: 'Demo', serverName: 'Hello', nodeName: alive, command, userName: 'alice', ...fields })
  const ended = async (taskNo: string) => {
    let found = (await ours.getTaskRsp(taskNo)).taskRsp
    await eventually(async () => {
      found = (await ours.getTaskRsp(taskNo)).taskRsp
      return found.status === EMTaskStatus.EM_T_RUNNING ? undefined : true
    })
    return found
  }

  test('carry commands out, and tell of each', async () => {
    calls.length = 0
    expect(await ours.addTaskReq(createTaskReq({ taskNo: 't1', taskItemReq: [item('stop'), item('start')], serial: true }))).toBe(0)
    expect(await ours.addTaskReq(createTaskReq({ taskNo: 't1', taskItemReq: [item('stop')] }))).toBe(1007)
    const task = await ended('t1')
    expect(task).toMatchObject({ status: EMTaskStatus.EM_T_SUCCESS, taskItemRsp: [{ status: EMTaskItemStatus.EM_I_SUCCESS, statusInfo: 'EM_I_SUCCESS', percent: 100, executeLog: 'Success: stop' }, { executeLog: 'Success: start' }] })
    expect(calls).toEqual(['stop Demo.Hello', 'start Demo.Hello'])
    expect((await ours.getTaskHistory('Demo', 'Hello', 'stop')).taskRsps.map(({ taskNo }) => taskNo)).toEqual(['t1'])
    expect((await ours.getTaskRsp('none')).return).toBe(1007)
  })
  test('a serial one ends at the first failure; else the others go on', async () => {
    const bad = item('stop', { nodeName: 'nobody' })
    await ours.addTaskReq(createTaskReq({ taskNo: 't2', taskItemReq: [bad, item('start')], serial: true }))
    expect((await ended('t2')).taskItemRsp.map(({ status, statusInfo }) => [status, statusInfo])).toEqual([[EMTaskItemStatus.EM_I_FAILED, 'EM_I_FAILED'], [EMTaskItemStatus.EM_I_CANCEL, 'EM_I_CANCEL']])
    await ours.addTaskReq(createTaskReq({ taskNo: 't3', taskItemReq: [bad, item('start'), item('dance')] }))
    const task = await ended('t3')
    expect(task.status).toBe(EMTaskStatus.EM_T_PARIAL)
    expect(task.taskItemRsp[2]?.executeLog).toContain('there is no command dance')
  })
  test('a release is done when the node runs it', async () => {
    await ours.addTaskReq(createTaskReq({ taskNo: 't4', taskItemReq: [item('patch_tars', { parameters: new Map([['patch_id', 'v3']]) })] }))
    await eventually(async () => ((await live('demo-hello'))?.['spec'].release.id === 'v3' ? true : undefined))
    expect((await ours.getTaskRsp('t4')).taskRsp).toMatchObject({ status: EMTaskStatus.EM_T_RUNNING, taskItemRsp: [{ statusInfo: 'EM_I_RUNNING' }] })
    await makePod('Demo', 'Hello', 0, { podIP: alive, id: 'v3' })
    expect(await ended('t4')).toMatchObject({ status: EMTaskStatus.EM_T_SUCCESS })
  })
  test('an elegant one sends callers elsewhere meanwhile', async () => {
    const flows: unknown[] = []
    const watching = new AbortController()
    const watch = (async () => {
      for await (const { object } of cluster.client.watch(pods, { namespace, fieldSelector: 'metadata.name=demo-hello-0', signal: watching.signal })) {
        const flow = (object as AnyObject).metadata.annotations?.['tars.io/Flow'] ?? 'open'
        if (flow !== flows.at(-1)) flows.push(flow)
      }
    })().catch(() => {})
    await eventually(async () => (flows.length > 0 ? true : undefined))
    await ours.addTaskReq(createTaskReq({ taskNo: 't5', taskItemReq: [item('restart')], isElegant: true }))
    await ended('t5')
    await eventually(async () => (flows.length >= 3 ? true : undefined))
    watching.abort()
    await watch
    expect(flows).toEqual(['open', 'inactive', 'open'])
  })
  test('nodes whose callers were not sent elsewhere yet are left alone by who stops', async () => {
    const stopped = await startAdminRegistry({ client: cluster.client, namespace, address: '127.0.0.1', port: 0, drainMs: 600_000, log: silentLogger, signal: new AbortController().signal })
    const flow = async (): Promise<unknown> => (await peek(cluster.client, pods, namespace, 'demo-hello-0'))?.metadata.annotations?.['tars.io/Flow']
    calls.length = 0
    await communicator.proxy<AdminRegProxy>(AdminReg, `tars.tarsAdminRegistry.AdminRegObj@tcp -h 127.0.0.1 -p ${stopped.port} -t 60000`).addTaskReq(createTaskReq({ taskItemReq: [item('restart'), item('stop')], isElegant: true, eachNum: 1 }))
    await eventually(async () => ((await flow()) === 'inactive' ? true : undefined))
    await stopped.stop()
    expect([calls, await flow()]).toEqual([[], undefined])
  })
  test('what a node says of an item is cut', async () => {
    words = 'x'.repeat(5000)
    await ours.addTaskReq(createTaskReq({ taskNo: 'long', taskItemReq: [item('start')] }))
    const [told] = (await ended('long')).taskItemRsp
    words = ''
    expect([told?.executeLog.length, told?.statusInfo]).toEqual([4096, 'EM_I_SUCCESS'])
  })
  test('have so many items, each so long, and the oldest are forgotten', async () => {
    const many = (count: number, fields: object = {}) => createTaskReq({ taskItemReq: Array.from({ length: count }, () => item('dance')), ...fields })
    for (const refused of [many(0), many(10_001), many(1, { userName: 'x'.repeat(4097) }), createTaskReq({ taskItemReq: [item('dance', { parameters: new Map([['x', 'x'.repeat(4096)]]) })] })]) expect(await ours.addTaskReq(refused)).toBe(1007)
    expect(await ours.addTaskReq(many(10_000, { taskNo: 't6' }))).toBe(0)
    await ended('t6')
    expect((await ours.getTaskRsp('t5')).return).toBe(1007)
    expect(await ours.addTaskReq(many(1, { taskNo: 't7' }))).toBe(0)
    expect([(await ours.getTaskRsp('t6')).return, (await ended('t7')).taskItemRsp.length]).toEqual([1007, 1])
  })
})

describe('accounts and plug-ins', () => {
  const person = (username: string, authorization: object[], tokens: object[] = []) => create(resources.taccounts, { metadata: { name: accountName(username) }, spec: { username, authentication: { bcryptPassword: 'x'.repeat(60), tokens }, authorization } })
  beforeAll(async () => {
    await person('alice', [{ role: 'admin', flag: '' }])
    await person('bobby', [{ role: 'developer', flag: 'Demo.*' }, { role: 'operator', flag: 'Demo.Hello' }])
    const tokens = [{ name: 'ci', content: 'ticket-1', valid: true }, { name: 'old', content: 'ticket-2', valid: true, expirationTime: '2020-01-01T00:00:00Z' }, { name: 'off', content: 'ticket-3', valid: false }]
    // Tokens are given out after the account was made.
    await cluster.client.patch(resources.taccounts as Resource, { namespace, name: accountName('bobby') }, { spec: { authentication: { tokens } } })
  })
  test.each<[string, string, string, boolean, boolean]>([
    ['alice', 'Demo', 'Hello', true, true], ['bobby', 'Demo', 'Hello', true, true], ['bobby', 'Demo', 'Other', true, false], ['bobby', 'Else', 'Hello', false, false], ['nobody', 'Demo', 'Hello', false, false],
  ])('%s may for %s.%s', async (uid, app, server, develop, operate) => {
    expect(await admin.hasDevAuth(app, server, uid)).toEqual([0, develop])
    expect(await admin.hasOpeAuth(app, server, uid)).toEqual([0, operate])
    expect(await admin.hasAdminAuth(uid)).toEqual([0, uid === 'alice'])
  })
  test.each([['ticket-1', 'bobby'], ['ticket-2', ''], ['ticket-3', ''], ['ticket-9', ''], ['', '']])('the ticket "%s" is that of "%s"', async (ticket, uid) => {
    expect(await admin.checkTicket(ticket)).toEqual([0, uid])
  })
  test('a plug-in registers, and again when it is upgraded', async () => {
    const plugin = (path: string) => admin.registerPlugin(peer.pluginConf({ name: '缓存', name_en: 'DCache', obj: 'DCache.WebServer.WebObj', type: 1, path, k8s: true, fextern: 0 }))
    expect(await plugin('/a')).toEqual([0])
    expect(await plugin('/b')).toEqual([0])
    expect(await cluster.client.get(resources.tplugins as Resource, { namespace, name: 'dcache.webserver.webobj' })).toMatchObject({ metadata: { labels: { type: '1' } }, spec: { name: '缓存', name_en: 'DCache', obj: 'DCache.WebServer.WebObj', type: 1, path: '/b', extern: 0 } })
    expect(await admin.registerPlugin(peer.pluginConf({ name: '', name_en: '', obj: '', type: 1, path: '', k8s: true, fextern: 0 }))).toEqual([1007])
  })
})

test('nothing here makes workloads by itself', async () => {
  expect((await cluster.client.list(statefulSets, { namespace })).items).toEqual([])
})
