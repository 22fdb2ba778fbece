// AdminRegObj about pods that have the tarsnode of K8SFramework still: it takes four commands and says nothing of its server (framework-services 10.1, H.1).
import { afterAll, beforeAll, expect, test } from 'vitest'
import { resources } from '#api/resources.ts'
import { silentLogger } from '#base/log.ts'
import { Communicator } from '#tars/client.ts'
import { AdminReg, type AdminRegProxy } from '#tars/protocol/AdminReg.ts'
import { Node } from '#tars/protocol/Node.ts'
import { createServer, type TarsServer } from '#tars/server.ts'
import { startAdminRegistry, type RunningAdminRegistry } from '../../framework/admin/adminreg/adminreg.ts'
import { namespace, startCluster, until, type TestCluster } from '../registry/cluster.ts'
import { ownAddress } from '../rig/own-address.ts'
import { createTserver, setPods } from './rig.ts'

let cluster: TestCluster
let registry: RunningAdminRegistry
let admin: AdminRegProxy
const nodes: TarsServer[] = []
const communicator = new Communicator({ timeoutMs: 60_000 })
const addresses = { background: ownAddress(), foreground: ownAddress() }
const taken = () => ({ return: 0, result: 'Success' })
const four = { startServer: taken, stopServer: taken, restartServer: taken, notifyServer: taken }
const former = { ...Node, functions: Object.fromEntries(Object.entries(Node.functions).filter(([name]) => name in four)) }

beforeAll(async () => {
  cluster = await startCluster()
  // In the foreground it is the service's own AdminObj that is at the port.
  for (const [servant, address] of [['tars.tarsnode.NodeObj', addresses.background], ['AdminObj', addresses.foreground]] as const) {
    const node = createServer({ adapters: [{ endpoint: `tcp -h ${address} -p 19385 -t 10000`, servants: { [servant]: { interface: former, servant: four } } }] })
    await node.start()
    nodes.push(node)
  }
  await createTserver(cluster.client, 'Test', 'Old', { replicas: 2 })
  await setPods(cluster.client, 'Test', 'Old', [{ name: 'test-old-0', podIP: addresses.background, pid: '7' }, { name: 'test-old-1', podIP: addresses.foreground, presentState: 'Activating', pid: '-1' }])
  registry = await startAdminRegistry({ client: cluster.client, namespace, address: '127.0.0.1', port: 0, log: silentLogger, signal: new AbortController().signal })
  admin = communicator.proxy<AdminRegProxy>(AdminReg, `tars.tarsAdminRegistry.AdminRegObj@tcp -h 127.0.0.1 -p ${registry.port} -t 60000`)
})
afterAll(async () => {
  await communicator.close()
  await registry?.stop()
  for (const node of nodes) await node.stop()
  await cluster?.stop()
})

test.each([
  ['test-old-0', { presentStateInReg: 'active', presentStateInNode: 'Active', processId: 7 }],
  ['test-old-1', { presentStateInReg: 'inactive', presentStateInNode: 'Inactive', processId: 0 }],
])('the state of %s is its pod\'s', async (pod, state) => {
  expect(await admin.getServerState('Test', 'Old', pod)).toMatchObject({ return: 0, state: { settingStateInReg: 'active', patchVersion: 'v1', ...state }, result: 'Success' })
})

test('commands are taken as before', async () => {
  expect(await admin.restartServer('Test', 'Old', 'test-old-0')).toEqual({ return: 0, result: 'Success' })
  expect(await admin.notifyServer('Test', 'Old', 'test-old-0', 'tars.viewversion')).toEqual({ return: 0, result: 'Success' })
  expect(await admin.pingNode('test-old-0')).toEqual({ return: true, result: 'Success' })
})

test.each(['test-old-0', 'test-old-1'])('%s refuses what is new, and says why', async (pod) => {
  expect(await admin.loadServer('Test', 'Old', pod)).toEqual({ return: 1011, result: expect.stringMatching(/tarsnode in test-old-\d is one of K8SFramework.*release Test\.Old again/) })
  expect((await admin.getLogFileList('Test', 'Old', pod)).return).toBe(1011)
})

test('a server is uninstalled when its pod says that it was stopped', async () => {
  expect(await admin.uninstallServer('Test', 'Old', 'test-old-1')).toMatchObject({ return: 1004 })
  await setPods(cluster.client, 'Test', 'Old', [{ name: 'test-old-0', podIP: addresses.background }, { name: 'test-old-1', podIP: addresses.foreground, settingState: 'Inactive', presentState: 'Inactive' }])
  await until(async () => (await admin.uninstallServer('Test', 'Old', 'test-old-1')).return === 0)
  expect(await cluster.client.get(resources.tservers, { namespace, name: 'test-old' })).toMatchObject({ spec: { k8s: { replicas: 1 } } })
})
