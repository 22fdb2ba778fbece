// The framework's own pods, in which no tarsnode runs: as TServers of the seed have them, by AdminRegObj and by tarsadmin.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { resources } from '#api/resources.ts'
import { frameworkServer } from '#api/seed/servers.ts'
import { silentLogger } from '#base/log.ts'
import { pods } from '#kube/resources.ts'
import { Communicator } from '#tars/client.ts'
import { AdminReg, type AdminRegProxy } from '#tars/protocol/AdminReg.ts'
import { startAdmin, type RunningAdmin } from '../../framework/admin/admin.ts'
import { startAdminRegistry, type RunningAdminRegistry } from '../../framework/admin/adminreg/adminreg.ts'
import { peek } from '../controller/cluster.ts'
import { createPod, namespace, startCluster, until, type TestCluster } from '../registry/cluster.ts'
import { ownAddress } from '../rig/own-address.ts'
import { setPods } from './rig.ts'

let cluster: TestCluster
let registry: RunningAdminRegistry
let admin: RunningAdmin
let proxy: AdminRegProxy
const communicator = new Communicator({ timeoutMs: 60_000 })
/** Where nothing answers. */
const silent = ownAddress()
const stat = ['tars', 'tarsstat', 'tars-tarsstat-0'] as const

beforeAll(async () => {
  cluster = await startCluster()
  const { client } = cluster
  const options = { client, namespace, address: '127.0.0.1', port: 0, log: silentLogger, signal: new AbortController().signal }
  registry = await startAdminRegistry(options)
  admin = await startAdmin({ ...options, agentPort: 8000 })
  proxy = communicator.proxy<AdminRegProxy>(AdminReg, `tars.tarsAdminRegistry.AdminRegObj@tcp -h 127.0.0.1 -p ${registry.port} -t 60000`)
  for (const [role, server, ip] of [['registry', 'tarsregistry', silent], ['stat', 'tarsstat', silent], ['adminregistry', 'tarsAdminRegistry', '127.0.0.1']] as const) {
    await client.create(resources.tservers, frameworkServer(role, { namespace, release: { id: 'v1', image: 'i' }, time: '2026-01-01T00:00:00Z' }))
    const name = `tars-${server.toLowerCase()}-0`
    await createPod(client, { app: 'tars', server, name, ip })
    await setPods(client, 'tars', server, [{ name, podIP: ip, pid: '' }])
  }
  await until(async () => (await proxy.getServers()).servers.length === 4)
})
afterAll(async () => {
  await communicator.close()
  await admin?.stop()
  await registry?.stop()
  await cluster?.stop()
})

test('their objects are told, and they alone can be checked', async () => {
  const { servers } = await proxy.getServers()
  const of = (server: string, object: string, ip: string, port: number) => ({ serverName: `tars.${server}`, nodeName: `tars-${server.toLowerCase()}-0`, objName: `tars.${server}.${object}@tcp -h ${ip} -p ${port} -t 3000` })
  const own = of('tarsAdminRegistry', 'AdminRegObj', '127.0.0.1', 19_111)
  expect(servers).toEqual([own, of('tarsregistry', 'QueryObj', silent, 17_890), of('tarsregistry', 'RegistryObj', silent, 17_891), of('tarsstat', 'StatObj', silent, 17_000)])
  expect(await proxy.checkServer({ ...own, objName: `tars.tarsAdminRegistry.AdminRegObj@tcp -h 127.0.0.1 -p ${registry.port}` })).toBe(1007)
  expect(await proxy.checkServer(of('tarsstat', 'StatObj', silent, 17_000))).toBe(-1)
  expect(await proxy.getVersion()).toEqual({ return: 0, version: 'v1' })
})

test('Kubernetes says how they are', async () => {
  expect(await proxy.pingNode(stat[2])).toEqual({ return: true, result: 'Success' })
  expect(await proxy.getServerState(...stat)).toMatchObject({ return: 0, state: { settingStateInReg: 'active', presentStateInReg: 'active', presentStateInNode: 'Active' } })
  await setPods(cluster.client, stat[0], stat[1], [{ name: stat[2], podIP: silent, pid: '', presentState: 'CrashLoopBackOff' }])
  await until(async () => !(await proxy.pingNode(stat[2])).return)
  expect((await proxy.pingNode(stat[2])).result).toContain('CrashLoopBackOff')
  expect(await proxy.getServerState(...stat)).toMatchObject({ return: 0, state: { presentStateInReg: 'inactive', presentStateInNode: 'Inactive' } })
})

test('nobody starts and stops what runs in them; a restart replaces them', async () => {
  for (const verb of ['startServer', 'stopServer'] as const) expect(await proxy[verb](...stat)).toMatchObject({ return: 1011, result: expect.stringContaining('no tarsnode runs') as string })
  const answer = await fetch(`${admin.url}/api/v1/servers/tars-tarsstat/restart`, { method: 'POST' })
  expect([answer.status, await answer.json()]).toEqual([409, expect.objectContaining({ code: 'SERVER_HAS_NO_NODE' })])
  for (const [app, server, pod] of [stat, ['tars', 'tarsregistry', 'tars-tarsregistry-0']] as const) {
    expect(await proxy.restartServer(app, server, pod)).toEqual({ return: 0, result: `Success: the pod ${pod} is being replaced` })
    await until(async () => (await peek(cluster.client, pods, namespace, pod)) === undefined)
  }
})
