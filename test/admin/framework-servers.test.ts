// AdminRegObj about the framework's own servers (framework-services 10.1): no tarsnode runs them, and the registry is no tars server.
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { resources } from '#api/resources.ts'
import type { TServer } from '#api/types.ts'
import { silentLogger } from '#base/log.ts'
import { pods } from '#kube/resources.ts'
import { Communicator } from '#tars/client.ts'
import { AdminReg, createTaskItemReq, createTaskReq, EMTaskStatus, type AdminRegProxy } from '#tars/protocol/AdminReg.ts'
import { LogView } from '#tars/protocol/LogView.ts'
import { createServer } from '#tars/server.ts'
import { startAdminRegistry, type RunningAdminRegistry } from '../../framework/admin/adminreg/adminreg.ts'
import { createPod, namespace, startCluster, until, type TestCluster } from '../registry/cluster.ts'
import { ownAddress } from '../rig/own-address.ts'
import { setPods } from './rig.ts'

let cluster: TestCluster
let registry: RunningAdminRegistry
let admin: AdminRegProxy
const communicator = new Communicator({ timeoutMs: 60_000 })
/** Nothing answers there. */
const address = ownAddress()
const own = ['tars', 'tarsconfig', 'tars-tarsconfig-0'] as const

const make = (server: string, role: string, spec: object): Promise<TServer> => cluster.client.create(resources.tservers, {
  apiVersion: 'k8s.tars.io/v1beta3', kind: 'TServer', metadata: { name: `tars-${server}`, namespace }, spec: { app: 'tars', server, ...spec, k8s: { replicas: 1, command: ['tarsk8s', role] }, release: { id: 'v1', image: 'r/tarsk8s:v1' } },
} as unknown as TServer)

const start = (more: object = {}): Promise<RunningAdminRegistry> => startAdminRegistry({ client: cluster.client, namespace, address: '127.0.0.1', port: 0, log: silentLogger, signal: new AbortController().signal, ...more })

beforeAll(async () => {
  cluster = await startCluster()
  await make('tarsconfig', 'config', { subType: 'tars', tars: { template: 'tars.cpp', servants: [{ name: 'ConfigObj', port: 11_111 }] } })
  await make('tarsregistry', 'registry', { subType: 'normal', normal: { ports: [{ name: 'queryobj', port: 17_890 }, { name: 'registryobj', port: 17_891 }] } })
  await setPods(cluster.client, 'tars', 'tarsconfig', [{ name: own[2], podIP: address }])
  registry = await start()
  admin = communicator.proxy<AdminRegProxy>(AdminReg, `tars.tarsAdminRegistry.AdminRegObj@tcp -h 127.0.0.1 -p ${registry.port} -t 60000`)
})
afterAll(async () => {
  await communicator.close()
  await registry?.stop()
  await cluster?.stop()
})

const isLeaving = async (): Promise<boolean> => (await cluster.client.get(pods, { namespace, name: own[2] })).metadata.deletionTimestamp !== undefined

describe('what no node runs', () => {
  test('is as its pod is', async () => {
    expect(await admin.getServerState(...own)).toMatchObject({ return: 0, state: { settingStateInReg: 'active', presentStateInReg: 'active', presentStateInNode: 'Active' }, result: 'Success' })
    expect(await admin.pingNode(own[2])).toEqual({ return: true, result: 'Success' })
    await setPods(cluster.client, 'tars', 'tarsconfig', [{ name: own[2], podIP: address, presentState: 'ContainersReady' }])
    await until(async () => (await admin.getServerState(...own)).state.presentStateInReg === 'inactive')
    expect(await admin.getServerState(...own)).toMatchObject({ return: 0, state: { presentStateInNode: 'Inactive' } })
    expect(await admin.pingNode(own[2])).toEqual({ return: false, result: 'the pod tars-tarsconfig-0 is ContainersReady' })
  })

  test.each(['startServer', 'stopServer', 'loadServer'] as const)('takes no %s', async (command) => {
    expect(await admin[command](...own)).toEqual({ return: 1011, result: expect.stringContaining('no node runs tars.tarsconfig') })
  })

  test('starts anew in another pod', async () => {
    await createPod(cluster.client, { app: 'tars', server: 'tarsconfig', name: own[2], gate: false })
    await cluster.client.patch(pods, { namespace, name: own[2] }, { metadata: { finalizers: ['test/kept'] } })
    expect(await admin.restartServer(...own)).toEqual({ return: 0, result: 'Success: the pod tars-tarsconfig-0 is being replaced' })
    expect(await isLeaving()).toBe(true)
  })

  test('by a task, too', async () => {
    const [application, serverName, nodeName] = own
    expect(await admin.addTaskReq(createTaskReq({ taskNo: 't', taskItemReq: [createTaskItemReq({ application, serverName, nodeName, command: 'restart' })] }))).toBe(0)
    await until(async () => (await admin.getTaskRsp('t')).taskRsp.status !== EMTaskStatus.EM_T_RUNNING)
    expect((await admin.getTaskRsp('t')).taskRsp).toMatchObject({ status: EMTaskStatus.EM_T_SUCCESS, taskItemRsp: [{ executeLog: expect.stringContaining('being replaced') }] })
  })
})

describe('getServers', () => {
  const there = ownAddress()
  const objects = async (of: AdminRegProxy) => (await of.getServers()).servers.map(({ serverName, nodeName, objName }) => `${serverName} ${nodeName} ${objName}`)
  const registryAt = (index: number, ip: string, scheme = 'tcp', account = '') => [`QueryObj@${scheme} -h ${ip} -p 17890 -t 3000${account}`, `RegistryObj@${scheme} -h ${ip} -p 17891 -t 3000`].map((object) => `tars.tarsregistry tars-tarsregistry-${index} tars.tarsregistry.${object}`)
  const config = `tars.tarsconfig tars-tarsconfig-0 tars.tarsconfig.ConfigObj@tcp -h ${address} -p 11111 -t 3000`

  test('has every registry, which can be checked', async () => {
    await setPods(cluster.client, 'tars', 'tarsregistry', [{ name: 'tars-tarsregistry-0', podIP: there }, { name: 'tars-tarsregistry-1', podIP: address }, { name: 'tars-tarsregistry-2' }])
    await until(async () => (await objects(admin)).length === 5)
    expect(await objects(admin)).toEqual([config, ...registryAt(0, there), ...registryAt(1, address)])
    const serving = createServer({ adapters: [{ endpoint: `tcp -h ${there} -p 17890 -t 60000`, servants: { 'tars.tarsregistry.QueryObj': { interface: LogView, servant: { getLogFileList: () => ({ return: 0, logFileList: [] }), getLogData: () => ({ return: 0, fileData: '' }) } } } }] })
    await serving.start()
    const { servers } = await admin.getServers()
    expect(await Promise.all(servers.filter(({ objName }) => objName.includes('QueryObj')).map((server) => admin.checkServer(server)))).toEqual([0, -1])
    await serving.stop()
    // Nothing else is knocked at.
    expect(await admin.checkServer({ serverName: 'tars.tarsconfig', nodeName: '', objName: config.replace('11111', '11112') })).toBe(1007)
  })

  test('says how they are called: by TLS alone, with an account', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tarsk8s-admin-tls-'))
    onTestFinished(() => rm(folder, { recursive: true, force: true }))
    await promisify(execFile)('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=own', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', join(folder, 'tls.key'), '-out', join(folder, 'tls.crt')])
    const guarded = await start({ tls: { folder, required: true }, accounts: { objects: new Set(['tars.tarsregistry.QueryObj']), secretOf: () => undefined } })
    onTestFinished(() => guarded.stop())
    const caller = new Communicator({ timeoutMs: 60_000, tls: { ca: () => readFileSync(join(folder, 'tls.crt'), 'utf8') } })
    onTestFinished(() => caller.close())
    const other = caller.proxy<AdminRegProxy>(AdminReg, `tars.tarsAdminRegistry.AdminRegObj@ssl -h 127.0.0.1 -p ${guarded.port} -t 60000`)
    expect(await objects(other)).toEqual([config, ...registryAt(0, there, 'ssl', ' -e 1'), ...registryAt(1, address, 'ssl', ' -e 1')])
  })
})
