// tarsregistry on real sockets, fed by the embedded API server, asked by our own client and by @tars/rpc.
import { createRequire } from 'node:module'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { resources } from '#api/resources.ts'
import type { TEndpoint, TFrameworkConfig } from '#api/types.ts'
import { createLogger } from '#base/log.ts'
import { pods } from '#kube/resources.ts'
import type { AnyObject } from '#kube/types.ts'
import { Communicator } from '#tars/client.ts'
import { createServerStateInfo } from '#tars/protocol/NodeDescriptor.ts'
import { QueryF, type QueryFProxy } from '#tars/protocol/QueryF.ts'
import { Registry, type RegistryProxy } from '#tars/protocol/Registry.ts'
import { startRegistry, type RunningRegistry } from '../../framework/registry/registry.ts'
import { createEndpoint, createPod, createTemplate, namespace, setPodStatus, startCluster, tendpoint, until, type TestCluster } from './cluster.ts'

let cluster: TestCluster
let registry: RunningRegistry
const communicator = new Communicator({ timeoutMs: 60_000 })
const closing = [communicator]
let query: QueryFProxy
let node: RegistryProxy

const active = { state: 'Active/Active/7' }

/** What the registry logs. */
const lines: string[] = []
const log = createLogger({ write: (line) => void lines.push(line) })

beforeAll(async () => {
  cluster = await startCluster()
  const { client } = cluster
  await createTemplate(client, 'tars.default', 'tars.default', '<tars>\n<application>\n<client>\nx=default\ny=default\n</client>\n</application>\n</tars>\n')
  await createTemplate(client, 'tars.child', 'tars.default', '<tars>\n<application>\n<client>\nx=child\n</client>\n</application>\n</tars>\n')
  await createTemplate(client, 'loop.a', 'loop.b', '<tars>\na=1\n</tars>\n')
  await createTemplate(client, 'loop.b', 'loop.a', '<tars>\nb=1\n</tars>\n')
  await createTemplate(client, 'lost', 'nowhere', '<tars>\nlost=1\n</tars>\n')
  await createEndpoint(client, 'Test', 'Hello', [{ name: 'HelloObj', port: 9000 }, { name: 'UdpObj', port: 9001, isTcp: false, timeout: 3000 }], { template: 'tars.child', profile: '<tars>\n<application>\n<client>\nz=own\n</client>\n</application>\n</tars>\n', asyncThread: 5 })
  await createEndpoint(client, 'Test', 'Loop', [{ name: 'Obj', port: 1 }], { template: 'loop.a' })
  await createEndpoint(client, 'Test', 'Lost', [{ name: 'Obj', port: 1 }], { template: 'lost' })
  await createEndpoint(client, 'Test', 'State', [{ name: 'Obj', port: 5 }])
  await createEndpoint(client, 'Test', 'Host', [{ name: 'Obj', port: 7000 }])
  for (const [index, state] of [active.state, 'Active/Activating/8', active.state].entries()) {
    await createPod(client, { app: 'Test', server: 'Hello', name: `test-hello-${index}`, ip: `127.77.0.${index + 1}`, state })
  }
  await createPod(client, { app: 'Test', server: 'Host', name: 'test-host-abcde', ip: '127.77.1.1', ofDaemonSet: true, ...active })
  await createPod(client, { app: 'Test', server: 'Host', name: 'test-host-fghij', ip: '127.77.1.2', hostNetwork: true, ...active })
  await createPod(client, { app: 'Test', server: 'Host', name: 'test-host-noip', hostNetwork: true, ...active })
  await client.create(resources.tframeworkconfigs, {
    apiVersion: 'k8s.tars.io/v1beta3', kind: 'TFrameworkConfig', metadata: { name: 'tars-framework', namespace },
    imageBuild: {}, imageUpload: { registry: 'r' },
    upChain: { 'Far.Away.Obj': [{ host: 'far', port: 1 }], default: [{ host: 'catch', port: 2, isTcp: false, timeout: 9 }] },
  } as unknown as TFrameworkConfig)
  registry = await startRegistry({ client, namespace, address: '127.0.0.1', ports: { query: 0, registry: 0 }, log, signal: new AbortController().signal })
  query = communicator.proxy<QueryFProxy>(QueryF, `tars.tarsregistry.QueryObj@tcp -h 127.0.0.1 -p ${registry.ports.query}`)
  node = communicator.proxy<RegistryProxy>(Registry, `tars.tarsregistry.RegistryObj@tcp -h 127.0.0.1 -p ${registry.ports.registry}`)
})

afterAll(async () => {
  await Promise.all(closing.map((one) => one.close()))
  await registry?.stop()
  await cluster?.stop()
})

/** The registry as the node of a pod with this address speaks to it. */
function nodeAt(localAddress: string): RegistryProxy {
  const own = new Communicator({ timeoutMs: 60_000, localAddress })
  closing.push(own)
  return own.proxy<RegistryProxy>(Registry, `tars.tarsregistry.RegistryObj@tcp -h 127.0.0.1 -p ${registry.ports.registry}`)
}

const hosts = (list: readonly { host: string; port: number }[]) => list.map(({ host, port }) => `${host}:${port}`)
const hello = ['test-hello-0.test-hello:9000', 'test-hello-2.test-hello:9000']
const helloInactive = ['test-hello-1.test-hello:9000']

type Lists = { return: number; activeEp: { host: string; port: number }[]; inactiveEp: { host: string; port: number }[] }
const listFunctions: readonly [name: string, section: string, call: (id: string) => Promise<Lists>][] = [
  ['findObjectById4Any', '1.1', (id) => query.findObjectById4Any(id)],
  ['findObjectById4All', '1.1', (id) => query.findObjectById4All(id)],
  ['findObjectByIdInSameGroup', '1.1, 1.3', (id) => query.findObjectByIdInSameGroup(id)],
  ['findObjectByIdInSameSet, no set data', '1.4', (id) => query.findObjectByIdInSameSet(id, 'a.b.c')],
  ['findObjectByIdInSameSet, wildcard group', '1.4', (id) => query.findObjectByIdInSameSet(id, 'a.b.*')],
]

describe('QueryObj (framework-services 1)', () => {
  test.each(listFunctions)('%s splits by state, in a stable order (%s)', async (_name, _section, call) => {
    const answer = await call('Test.Hello.HelloObj')
    expect([answer.return, hosts(answer.activeEp), hosts(answer.inactiveEp)]).toEqual([0, hello, helloInactive])
  })

  test.each([
    ['unknown servant of a known server: no upchain (1.1)', 'Test.Hello.NoObj', []],
    ['unknown server: its own upchain (1.6)', 'Far.Away.Obj', ['far:1']],
    ['unknown server: default upchain (1.6)', 'Far.Away.OtherObj', ['catch:2']],
    ['two parts (1.1)', 'Test.Hello', []],
    ['four parts (1.1)', 'Test.Hello.HelloObj.x', []],
    ['an empty part (1.1)', 'Test..HelloObj', []],
    ['app and server in another case, as their Kubernetes names are lower case (1.1)', 'test.hello.HelloObj', hello],
    ['object in another case (1.1)', 'Test.Hello.helloobj', []],
    ['the registry itself, no pod known (1.1)', 'tars.tarsregistry.QueryObj', ['tars-tarsregistry:17890']],
    ['the registry itself (1.1)', 'tars.tarsregistry.RegistryObj', ['tars-tarsregistry:17891']],
    ['pods of DaemonSets and on the host network go by address (1.2)', 'Test.Host.Obj', ['127.77.1.1:7000', '127.77.1.2:7000']],
  ])('%s', async (_what, id, expected) => {
    expect(hosts(await query.findObjectById(id))).toEqual(expected)
    expect(hosts((await query.findObjectById4Any(id)).activeEp)).toEqual(expected)
  })

  test('an endpoint has every field as native fills it (0.3, 1.2)', async () => {
    const [endpoint] = await query.findObjectById('Test.Hello.UdpObj')
    expect(endpoint).toEqual({
      host: 'test-hello-0.test-hello', port: 9001, timeout: 3000, istcp: 0, grid: 0, groupworkid: -1, grouprealid: -1, setId: '', qos: 0, bakFlag: 0,
      weight: -1, weightType: 0, authType: 0, nodeName: 'test-hello-0.test-hello',
    })
  })

  test.each(['', 'a', 'a.b', 'a.b.c.d', '*.b.c', 'a.*.c', 'a..c'])('set id %j is refused with -1 (1.4)', async (setId) => {
    expect(await query.findObjectByIdInSameSet('Test.Hello.HelloObj', setId)).toEqual({ return: -1, activeEp: [], inactiveEp: [] })
  })

  test('no station is known, nothing is pushed, a lock of nobody is a data error, node names are there (1.1)', async () => {
    expect((await query.findObjectByIdInSameStation('Test.Hello.HelloObj', 'sz')).return).toBe(-1)
    expect(await query.findObjectNodeName('Test.Hello.HelloObj')).toEqual({ return: 0, nodeNames: ['test-hello-0.test-hello', 'test-hello-2.test-hello', 'test-hello-1.test-hello'] })
    expect(await query.registerChange(new Map(), 'x')).toBe(-1)
    expect(await query.registerQuery('x', 'x')).toBe(-1)
    expect(await query.getLocker({ application: '', server_name: '', node_name: '', isMaster: false, lastErr: false, timeout: 0, bakType: 0 })).toBe(2)
  })

  test.each([3, 5] as const)('answers version %i as well (0.2)', async (version) => {
    const answer = await query.findObjectById4Any('Test.Hello.HelloObj', { version })
    expect([answer.return, hosts(answer.activeEp), hosts(answer.inactiveEp)]).toEqual([0, hello, helloInactive])
  })

  test('@tars/registry reads the same', async () => {
    const require = createRequire(import.meta.url)
    const foreign = require('@tars/registry').New()
    foreign.setLocator(`tars.tarsregistry.QueryObj@tcp -h 127.0.0.1 -p ${registry.ports.query} -t 60000`)
    const { response } = await foreign.findObjectByIdInSameGroup('Test.Hello.HelloObj')
    expect(response.return).toBe(0)
    expect(hosts(response.arguments.activeEp.toObject())).toEqual(hello)
    expect(hosts(response.arguments.inactiveEp.toObject())).toEqual(helloInactive)
    foreign.disconnect?.()
    foreign._proxy?.disconnect?.()
  })
})

describe('changes', () => {
  const activeHosts = async () => hosts(await query.findObjectById('Test.Move.Obj'))

  test('a server, its pods and their ends are seen', async () => {
    const { client } = cluster
    await createEndpoint(client, 'Test', 'Move', [{ name: 'Obj', port: 5 }])
    const pod = await createPod(client, { app: 'Test', server: 'Move', name: 'test-move-0', ip: '127.77.2.1', ...active })
    await until(async () => (await activeHosts()).length === 1)
    await setPodStatus(client, pod, { ip: '127.77.2.1', ...active, ready: false })
    await until(async () => (await activeHosts()).length === 0)
    await setPodStatus(client, pod, { ip: '127.77.2.1', ...active })
    await until(async () => (await activeHosts()).length === 1)
    await client.delete(pods, { namespace, name: 'test-move-0' })
    await until(async () => (await activeHosts()).length === 0)
    await client.delete(resources.tendpoints, { namespace, name: 'test-move' })
    // Unknown again: the upchain takes over.
    await until(async () => (await activeHosts())[0] === 'catch:2')
  })

  test('every ready registry is an answer for the registry (1.1, F.3)', async () => {
    for (const index of [0, 1]) await createPod(cluster.client, { app: 'tars', server: 'tarsregistry', name: `tars-tarsregistry-${index}`, ip: `127.77.3.${index}`, ...active })
    await until(async () => (await query.findObjectById('tars.tarsregistry.QueryObj')).length === 2)
    expect(hosts(await query.findObjectById('tars.tarsregistry.QueryObj'))).toEqual(['tars-tarsregistry-0.tars-tarsregistry:17890', 'tars-tarsregistry-1.tars-tarsregistry:17890'])
    await createPod(cluster.client, { app: 'tars', server: 'tarsregistry', name: 'tars-tarsregistry-far-0', ip: '127.77.3.9', labels: { 'tars.io/ServerVariant': 'far' }, ...active })
    await until(async () => (await query.findObjectById('tars.tarsregistry.QueryObj')).length === 3)
    expect(hosts(await query.findObjectById('tars.tarsregistry.QueryObj')).at(-1)).toBe('tars-tarsregistry-far-0.tars-tarsregistry-far:17890')
  })
})

describe('RegistryObj (framework-services 1.7)', () => {
  test('getServerDescriptor: adapters, threads and the rendered template chain', async () => {
    const { return: code, descriptor } = await node.getServerDescriptor('Test', 'Hello')
    expect(code).toBe(0)
    expect(descriptor.asyncThreadNum).toBe(5)
    expect(descriptor.profile).toBe('<tars>\n  <application>\n    <client>\n      y=default\n      x=child\n      z=own\n    </client>\n  </application>\n</tars>\n')
    expect(descriptor.adapters.get('Test.Hello.UdpObjAdapter')).toEqual({
      adapterName: 'Test.Hello.UdpObjAdapter', servant: 'Test.Hello.UdpObj', endpoint: 'udp -h ${localip} -p 9001 -t 3000', threadNum: 3, maxConnections: 10000,
      allowIp: '', queuecap: 10000, queuetimeout: 3000, protocol: 'tars',
    })
  })

  test.each([
    ['unknown server', 'Test', 'Nothing', '', /"no descriptor: there is no such server","server":"Test.Nothing"/],
    ['empty names', '', '', '', /there is no such server/],
    ['a cycle of templates ends, with what was joined', 'Test', 'Loop', '<tars>\n  b=1\n  a=1\n</tars>\n', /"server":"Test.Loop","problem":"template chain .* is a cycle"/],
    ['a missing parent', 'Test', 'Lost', '<tars>\n  lost=1\n</tars>\n', /"server":"Test.Lost","problem":"template .* does not exist"/],
  ])('getServerDescriptor answers -1: %s', async (_what, app, server, profile, logged) => {
    const answer = await node.getServerDescriptor(app, server)
    expect([answer.return, answer.descriptor.profile]).toEqual([-1, profile])
    expect(lines).toContainEqual(expect.stringMatching(logged))
  })

  test('getServerDescriptor: the set of the caller, and the TServer of the caller of several', async () => {
    const { client } = cluster
    const endpointWith = (variant: string | undefined, port: number, instances: object[]) => {
      const endpoint = tendpoint('Test', 'Sets', [{ name: 'Obj', port }], { instances } as never)
      return client.create(resources.tendpoints, { ...endpoint, metadata: { ...endpoint.metadata, name: variant === undefined ? 'test-sets' : `test-sets-${variant}` }, spec: { ...endpoint['spec'], ...(variant === undefined ? {} : { variant }) } } as unknown as TEndpoint)
    }
    await endpointWith(undefined, 5, [{ pods: '1', set: 'a.b.1' }])
    await endpointWith('far', 6, [{ set: 'a.b.2' }])
    await createPod(client, { app: 'Test', server: 'Sets', name: 'test-sets-1', ip: '127.77.6.1', ...active })
    await createPod(client, { app: 'Test', server: 'Sets', name: 'test-sets-far-0', ip: '127.77.6.2', labels: { 'tars.io/ServerVariant': 'far' }, ...active })
    await until(async () => (await query.findObjectById('Test.Sets.Obj')).length === 2)
    const told = async (proxy: RegistryProxy, context: Record<string, string> = {}) => {
      const { descriptor } = await proxy.getServerDescriptor('Test', 'Sets', { context })
      return [descriptor.setdivision, descriptor.adapters.get('Test.Sets.ObjAdapter')?.endpoint.split(' ')[4]]
    }
    expect(await told(nodeAt('127.77.6.1'))).toEqual(['a.b.1', '5'])
    expect(await told(nodeAt('127.77.6.2'))).toEqual(['a.b.2', '6'])
    expect(await told(node, { node_name: 'test-sets-far-0.test-sets-far' })).toEqual(['a.b.2', '6'])
    expect(await told(node, { node_name: 'test-sets-0.test-sets' })).toEqual(['', '5'])
    // A pod of a TServer that the watch has not shown yet is not to run by what another one says.
    expect((await node.getServerDescriptor('Test', 'Sets', { context: { node_name: 'test-sets-near-0.test-sets-near' } })).return).toBe(-1)
    await createPod(client, { app: 'Test', server: 'Sets', name: 'test-sets-near-1', ip: '127.77.6.3', labels: { 'tars.io/ServerVariant': 'near' } })
    await until(async () => (await nodeAt('127.77.6.3').getServerDescriptor('Test', 'Sets')).return === -1)
    // A pod whose start the watch has not shown yet.
    await client.delete(pods, { namespace, name: 'test-sets-far-0' })
    await until(async () => (await query.findObjectById('Test.Sets.Obj')).length === 1)
    expect(await told(node, { node_name: 'test-sets-far-0.test-sets-far' })).toEqual(['a.b.2', '6'])
    await createPod(client, { app: 'Test', server: 'Sets', name: 'test-sets-far-0', ip: '127.77.6.2', labels: { 'tars.io/ServerVariant': 'far' }, ...active })
    await until(async () => (await query.findObjectById('Test.Sets.Obj')).length === 2)
    expect((await query.findObjectByIdInSameSet('Test.Sets.Obj', 'a.b.2')).activeEp.map(({ host, port, setId }) => [host, port, setId])).toEqual([['test-sets-far-0.test-sets-far', 6, 'a.b.2']])
    expect((await query.findObjectByIdInSameSet('Test.Sets.Obj', 'a.b.3')).return).toBe(-1)
  })

  test('the status of a pod that belongs to no server is not written, whoever asks', async () => {
    const { client } = cluster
    await client.create(pods, { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'foreign', namespace }, spec: { containers: [{ name: 'c', image: 'x' }] } } as AnyObject)
    await client.patch(pods, { namespace, name: 'foreign' }, { status: { podIP: '127.77.7.1', podIPs: [{ ip: '127.77.7.1' }] } }, { type: 'merge', subresource: 'status' })
    await nodeAt('127.77.7.1').updateServerState('foreign', 'Active', 'Active')
    expect(lines).toContainEqual(expect.stringMatching(/state report refused.*"pod":"foreign"/))
    await node.updateServerState('nobody', 'Active', 'Active')
    expect(lines).toContainEqual(expect.stringMatching(/state report refused.*"pod":"nobody"/))
    expect((await client.get(pods, { namespace, name: 'foreign' }))['status'].conditions).toBeUndefined()
  })

  test('a pod without an address is told to come again; who says no time says it once, and is heard when the address is known', async () => {
    await createPod(cluster.client, { app: 'Test', server: 'Fresh', name: 'test-fresh-0' })
    await expect(node.updateServerState('test-fresh-0', 'Active', 'Active', { context: { Time: '1' } })).rejects.toThrow(/address of pod test-fresh-0 is not known yet/)
    await nodeAt('127.77.5.1').updateServerState('test-fresh-0', 'Active', 'Active', { context: { PID: '41' } })
    await nodeAt('127.77.5.2').updateServerState('test-fresh-0', 'Active', 'Inactive', { context: { PID: '-1' } })
    await cluster.client.patch(pods, { namespace, name: 'test-fresh-0' }, { status: { podIP: '127.77.5.1', podIPs: [{ ip: '127.77.5.1' }] } }, { type: 'merge', subresource: 'status' })
    await until(async () => (await conditionOf('test-fresh-0'))?.reason === 'Active/Active/41')
  })

  const conditionOf = async (name: string, type = 'tars.io/active') => {
    const pod = await cluster.client.get(pods, { namespace, name })
    return pod['status'].conditions?.find((one: { type: string }) => one.type === type)
  }

  test('a state counts at once and becomes a condition of the pod', async () => {
    await createPod(cluster.client, { app: 'Test', server: 'State', name: 'test-state-0', ip: '127.77.4.1' })
    await until(async () => (await query.findObjectById4Any('Test.State.Obj')).inactiveEp.length === 1)
    await nodeAt('127.77.4.1').updateServerState('test-state-0', 'Active', 'Active', { context: { PID: '42', Message: 'up\nand well', Restarts: '3' } })
    expect(hosts(await query.findObjectById('Test.State.Obj'))).toEqual(['test-state-0.test-state:5'])
    const condition = await until(() => conditionOf('test-state-0'))
    expect(condition).toMatchObject({ status: 'True', reason: 'Active/Active/42', message: 'up and well' })
    expect(condition.lastTransitionTime).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
    expect(await conditionOf('test-state-0', 'tars.io/restarts')).toMatchObject({ status: 'True', reason: '3' })
    await nodeAt('127.77.4.1').updateServerState('test-state-0', 'Active', 'Deactivating', { context: { PID: '42' } })
    expect(await query.findObjectById('Test.State.Obj')).toEqual([])
    await until(async () => (await conditionOf('test-state-0')).status === 'False')
    // The other conditions stay.
    expect(await conditionOf('test-state-0', 'ContainersReady')).toMatchObject({ status: 'True' })
  })

  test('a tarsnode of K8SFramework 1.4 says -1 for the process of a service that it stopped, or could not start (1.7, H.1)', async () => {
    const own = nodeAt('127.77.4.8')
    await createPod(cluster.client, { app: 'Test', server: 'State', name: 'test-state-8', ip: '127.77.4.8', ...active })
    const isActive = async () => hosts(await query.findObjectById('Test.State.Obj')).includes('test-state-8.test-state:5')
    await until(isActive)
    await own.updateServerState('test-state-8', 'Inactive', 'Deactivating', { context: { PID: '7' } })
    await own.updateServerState('test-state-8', 'Inactive', 'Inactive', { context: { PID: '-1' } })
    expect(await isActive()).toBe(false)
    await until(async () => (await conditionOf('test-state-8')).reason === 'Inactive/Inactive/')
    await own.updateServerState('test-state-8', 'Active', 'Active', { context: { PID: '9' } })
    // It ended by itself, and does not start any more.
    await own.updateServerState('test-state-8', 'Active', 'Inactive', { context: { PID: '-1' } })
    expect(await isActive()).toBe(false)
    await cluster.client.delete(pods, { namespace, name: 'test-state-8' })
  })

  test('many reports in a row end in the last one', async () => {
    await createPod(cluster.client, { app: 'Test', server: 'State', name: 'test-state-1', ip: '127.77.4.2' })
    // One that is not known yet is looked up, and not for so many at once.
    await until(async () => (await query.findObjectById4Any('Test.State.Obj')).inactiveEp.some(({ host }) => host.startsWith('test-state-1.')))
    const states = ['Activating', 'Active', 'Deactivating', 'Inactive']
    const pod1 = nodeAt('127.77.4.2')
    await Promise.all(Array.from({ length: 200 }, (_, index) => pod1.updateServerState('test-state-1', 'Active', states[index % 4] ?? '', { context: { PID: String(index) } })))
    await pod1.updateServerState('test-state-1', 'Active', 'Active', { context: { PID: '999' } })
    await until(async () => (await conditionOf('test-state-1'))?.reason === 'Active/Active/999')
  })

  test.each([
    ['a state that is none', 'test-hello-0', 'Active', 'Dancing', {}],
    ['a name that is none', 'test-hello-0/status?x=', 'Active', 'Inactive', {}],
    ['a process id that is none', 'test-hello-0', 'Active', 'Inactive', { PID: '1/2' }],
  ])('a report with %s changes nothing', async (_what, pod, setting, present, context) => {
    await nodeAt('127.77.0.1').updateServerState(pod, setting, present, { context })
    expect(hosts(await query.findObjectById('Test.Hello.HelloObj'))).toEqual(hello)
    expect(await conditionOf('test-hello-0')).toMatchObject({ reason: 'Active/Active/7' })
  })

  test.each([
    ['of another machine', 'test-state-2', '192.0.2.7'],
    ['on the same loopback network', 'test-state-3', '127.77.4.3'],
  ])("a report about a pod %s that is not the caller's changes nothing", async (_what, name, ip) => {
    await createPod(cluster.client, { app: 'Test', server: 'State', name, ip, ...active })
    await until(async () => (await query.findObjectById('Test.State.Obj')).some(({ host }) => host.startsWith(name)))
    for (const [caller, peer] of [[node, '127.0.0.1'], [nodeAt('127.77.4.1'), '127.77.4.1']] as const) {
      await caller.updateServerState(name, 'Inactive', 'Inactive')
      expect(lines).toContainEqual(expect.stringContaining(`"pod":"${name}","peer":"${peer}","addresses":["${ip}"]`))
    }
    expect(hosts(await query.findObjectById('Test.State.Obj'))).toContain(`${name}.test-state:5`)
    expect(await conditionOf(name)).toMatchObject({ reason: 'Active/Active/7' })
  })

  test('native functions are answered (1.7, table)', async () => {
    expect(await node.getClientIp()).toEqual({ return: 0, sClientIp: '127.0.0.1' })
    expect((await node.getNodeTemplate('x')).profileTemplate).toContain('x=default')
    expect(await node.destroyNode('x')).toBe(0)
    const [server] = await node.getServers('', '', 'test-hello-0.test-hello')
    expect(server).toMatchObject({ application: 'Test', serverName: 'Hello', asyncThreadNum: 5, serverType: 'tars_cpp' })
    expect(server?.adapters.get('Test.Hello.HelloObjAdapter')).toMatchObject({ threadNum: '3', servant: 'Test.Hello.HelloObj' })
    expect(await node.getServers('Test', 'Nothing', 'n')).toEqual([])
    // A native node goes by its address.
    expect(await node.getServers('', '', '127.77.0.1')).toMatchObject([{ application: 'Test', serverName: 'Hello', nodeName: '127.77.0.1' }])
    await createEndpoint(cluster.client, 'Test', 'Native', [{ name: 'Obj', port: 6 }])
    await createPod(cluster.client, { app: 'Test', server: 'Native', name: 'test-native-0', ip: '127.77.9.2', state: 'Active/Activating/0' })
    await until(async () => (await node.getServers('Test', 'Native', '127.77.9.2'))[0]?.presentState === 'inactive')
    expect(await nodeAt('127.77.9.2').updateServer('127.77.9.2', 'Test', 'Native', createServerStateInfo({ serverState: 2, processId: 3 }))).toBe(0)
    expect(hosts(await query.findObjectById('Test.Native.Obj'))).toEqual(['test-native-0.test-native:6'])
    // One that was stopped is not to be started again by its node.
    await createEndpoint(cluster.client, 'Test', 'Stopped', [{ name: 'Obj', port: 6 }])
    await createPod(cluster.client, { app: 'Test', server: 'Stopped', name: 'test-stopped-0', ip: '127.77.9.1', state: 'Inactive/Inactive/0' })
    const stopped = await until(async () => (await node.getServers('Test', 'Stopped', 'test-stopped-0')).find(({ presentState }) => presentState === 'inactive'))
    expect(stopped.settingState).toBe('inactive')
  })
})
