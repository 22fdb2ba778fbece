// All services of the framework in this process, each with something to say.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { accountName } from '#api/mutate/taccount.ts'
import { resources } from '#api/resources.ts'
import type { TConfig, TEndpoint } from '#api/types.ts'
import { Lifetime } from '#base/lifecycle.ts'
import { silentLogger } from '#base/log.ts'
import { pods } from '#kube/resources.ts'
import type { AnyObject, Resource } from '#kube/types.ts'
import { Communicator } from '#tars/client.ts'
import type { Interface } from '#tars/idl/interface.ts'
import { AdminReg, createTaskItemReq, createTaskReq, EMTaskStatus, type AdminRegProxy } from '#tars/protocol/AdminReg.ts'
import { Config } from '#tars/protocol/ConfigF.ts'
import { Log } from '#tars/protocol/LogF.ts'
import { LogView } from '#tars/protocol/LogView.ts'
import { MonitorQuery } from '#tars/protocol/MonitorQuery.ts'
import { Node, type NodeServant } from '#tars/protocol/Node.ts'
import { createServerStateInfo, ServerState } from '#tars/protocol/NodeDescriptor.ts'
import { Notify } from '#tars/protocol/NotifyF.ts'
import { createStatPropMsgBody, createStatPropMsgHead, PropertyF, type PropertyFProxy } from '#tars/protocol/PropertyF.ts'
import { QueryF } from '#tars/protocol/QueryF.ts'
import { Registry } from '#tars/protocol/Registry.ts'
import { createStatMicMsgBody, createStatMicMsgHead, StatF, type StatFProxy } from '#tars/protocol/StatF.ts'
import { Topology } from '#tars/protocol/Topology.ts'
import { createServer } from '#tars/server.ts'
import { startAdminRegistry } from '../../../framework/admin/adminreg/adminreg.ts'
import { startConfig } from '../../../framework/config/config.ts'
import { startLog } from '../../../framework/log/log.ts'
import { startNotify } from '../../../framework/notify/notify.ts'
import { startRegistry } from '../../../framework/registry/registry.ts'
import { startCluster as startControlledCluster } from '../../controller/cluster.ts'
import { createPod, createTemplate, namespace, startCluster, tendpoint, until } from '../../registry/cluster.ts'
import { startMonitored } from '../../stat/rig.ts'
import type { Target } from './clients.ts'
import { admins, alive } from './rows/admin.ts'
import { configs } from './rows/config.ts'
import { logs, topologies, views } from './rows/log.ts'
import { properties, propertyQueries, statQueries, stats } from './rows/monitor.ts'
import { notifies } from './rows/notify.ts'
import { query, registers } from './rows/registry.ts'

/** The servants of the framework's services (framework-services 0.1). */
export const servants: Readonly<Record<string, Interface>> = {
  [query]: QueryF, [registers]: Registry, [configs]: Config, [notifies]: Notify, [logs]: Log, [topologies]: Topology, [views]: LogView,
  [stats]: StatF, [properties]: PropertyF, [statQueries]: MonitorQuery, [propertyQueries]: MonitorQuery, [admins]: AdminReg,
}

export interface Services {
  target(servant: string): Target
  /** Where tarslog writes. */
  readonly folder: string
  readonly communicator: Communicator
  stop(): Promise<void>
}

export async function startServices(): Promise<Services> {
  const lifetime = new Lifetime()
  const folder = await mkdtemp(join(tmpdir(), 'tarsk8s-matrix-'))
  lifetime.onStop(() => rm(folder, { recursive: true, force: true }))
  try {
    const communicator = new Communicator({ timeoutMs: 60_000 })
    lifetime.onStop(() => communicator.close())
    const ports = Object.assign(await startReadModels(folder, lifetime), await startMonitors(lifetime), await startAdmin(communicator, lifetime))
    return { target: (servant) => ({ servant, port: ports[servant] ?? 0 }), folder, communicator, stop: () => lifetime.stop() }
  } catch (error) {
    await lifetime.stop()
    throw error
  }
}

type Ports = Record<string, number>

async function startReadModels(folder: string, lifetime: Lifetime): Promise<Ports> {
  const cluster = await startCluster()
  lifetime.onStop(() => cluster.stop())
  const { client } = cluster
  await createTemplate(client, 'tars.default', 'tars.default', '<tars>\nx=1\n</tars>\n')
  await client.create(resources.tendpoints, tendpoint('Test', 'Hello', [{ name: 'Obj', port: 9000 }], { instances: [{ pods: '1', set: 'a.b.c' }] } as never) as unknown as TEndpoint)
  for (const index of [0, 1, 2]) await createPod(client, { app: 'Test', server: 'Hello', name: `test-hello-${index}`, ip: `127.83.0.${index + 1}`, state: index === 2 ? 'Active/Inactive/7' : 'Active/Active/7' })
  for (const [name, given] of Object.entries<Partial<TConfig>>({ one: { configContent: '<tars>\na=1\n</tars>' }, two: { configContent: 'of one', podSeq: '1' }, set: { configContent: 'in set', set: 'a.b.c' }, app: { server: '', configName: 'app.conf', configContent: 'of app' } })) {
    await client.create(resources.tconfigs, { apiVersion: 'k8s.tars.io/v1beta3', kind: 'TConfig', metadata: { name, namespace }, app: 'Test', server: 'Hello', configName: 'f.conf', podSeq: 'm', activated: true, version: 'v', configContent: '', ...given } as TConfig)
  }
  const common = { client, namespace, address: '127.0.0.1', log: silentLogger, signal: new AbortController().signal }
  const registry = lifetime.own(await startRegistry({ ...common, ports: { query: 0, registry: 0 } }))
  const config = lifetime.own(await startConfig({ ...common, port: 0, notFound: -1 }))
  const notify = lifetime.own(await startNotify({ ...common, port: 0, httpPort: 0, limit: { windowMs: 60_000, count: 10_000 }, store: { data: join(folder, 'notify'), days: 1, bytes: 1 << 30, spoolBytes: 16 << 20 } }))
  const log = lifetime.own(await startLog({ address: '127.0.0.1', ports: { log: 0, topology: 0 }, path: folder, data: join(folder, '.index'), namesNode: true, conf: undefined, keeping: { maxAgeMs: Infinity, gzipAgeMs: Infinity, maxBytes: Infinity }, traceDays: 7, openFiles: 16, otlp: undefined, healthPort: undefined, log: silentLogger, quietMs: 20 }))
  return { [query]: registry.ports.query, [registers]: registry.ports.registry, [configs]: config.port, [notifies]: notify.port, [logs]: log.ports.log, [topologies]: log.ports.topology, [views]: log.ports.topology }
}

/** Each has one report of the fourth of January. */
async function startMonitors(lifetime: Lifetime): Promise<Ports> {
  const stat = await startMonitored('stat', { address: '127.0.0.1' })
  lifetime.onStop(() => stat.stop())
  const property = await startMonitored('property', { address: '127.0.0.1' })
  lifetime.onStop(() => property.stop())
  for (const { clock } of [stat, property]) clock.set(2026, 1, 4, 9, 30)
  await stat.communicator.proxy<StatFProxy>(StatF, `${stats}@tcp -h 127.0.0.1 -p ${stat.gatherer.port}`)
    .reportMicMsg(new Map([[createStatMicMsgHead({ masterName: 'Old.Web', slaveName: 'Old.Cart', interfaceName: 'f' }), createStatMicMsgBody({ count: 3, timeoutCount: 1, totalRspTime: 9n, maxRspTime: 4, minRspTime: 2 })]]), true)
  await property.communicator.proxy<PropertyFProxy>(PropertyF, `${properties}@tcp -h 127.0.0.1 -p ${property.gatherer.port}`)
    .reportPropMsg(new Map([[createStatPropMsgHead({ moduleName: 'Old.Web', propertyName: 'wait' }), createStatPropMsgBody({ vInfo: [{ policy: 'Avg', value: '5=2' }] })]]))
  for (const one of [stat, property]) {
    await one.gatherer.flush()
    one.clock.set(2026, 1, 5, 10, 0)
  }
  return { [stats]: stat.gatherer.port, [properties]: property.gatherer.port, [statQueries]: stat.queryPort, [propertyQueries]: property.queryPort }
}

/** A server with a pod whose node answers, a task that is done, and somebody who may do everything. */
async function startAdmin(communicator: Communicator, lifetime: Lifetime): Promise<Ports> {
  const cluster = await startControlledCluster()
  lifetime.onStop(() => cluster.stop())
  const { client, namespace: home } = cluster
  const create = (resource: unknown, object: { readonly metadata: object }): Promise<AnyObject> => client.create(resource as Resource, { ...object, metadata: { namespace: home, ...object.metadata } } as never)
  const release = { id: 'v1', image: 'r/demo.hello:v1', time: '2024-01-01T00:00:00Z' }
  await create(resources.tservers, { metadata: { name: 'demo-hello' }, spec: { app: 'Demo', server: 'Hello', subType: 'tars', tars: { template: 'tars.cpp', servants: [{ name: 'Obj', port: 8000 }], profile: '<tars>\n  own=1\n</tars>' }, k8s: {}, release } } as never)
  await create(resources.tservers, { metadata: { name: 'dcache-kv1-1', annotations: { 'tars.io/NodeNames': '10.0.0.1' } }, spec: { app: 'DCache', server: 'Kv1-1', subType: 'tars', tars: { template: 'tars.cpp', servants: [] }, k8s: {} } } as never)
  await client.patch(resources.tframeworkconfigs as Resource, { namespace: home, name: 'tars-framework' }, { topology: { groups: [{ name: 'sz', addresses: ['10.83.1.*'] }] } })
  const marks = { 'tars.io/ServerApp': 'Demo', 'tars.io/ServerName': 'Hello' }
  await create(pods, { metadata: { name: 'demo-hello-0', labels: marks }, spec: { containers: [{ name: 'hello', image: 'i' }] } } as never)
  await create(resources.tendpoints, { metadata: { name: 'demo-hello' }, spec: { app: 'Demo', server: 'Hello', subType: 'tars', tars: { template: 'tars.cpp', servants: [] } } } as never)
  await client.patch(resources.tendpoints as Resource, { namespace: home, name: 'demo-hello' }, { status: { pods: [{ uid: 'u', name: 'demo-hello-0', settingState: 'Active', presentState: 'Active', id: 'v1', startTime: '2026-01-01T00:00:00Z', podIP: alive, pid: '77' }] } }, { subresource: 'status' })
  await create(resources.timages, { metadata: { name: 'demo-hello', labels: marks }, imageType: 'server', releases: [{ id: 'v1', image: 'r/demo.hello:v1' }] } as never)
  await create(resources.taccounts, { metadata: { name: accountName('alice') }, spec: { username: 'alice', authentication: { bcryptPassword: 'x'.repeat(60), tokens: [] }, authorization: [{ role: 'admin', flag: '' }] } } as never)
  await client.patch(resources.taccounts as Resource, { namespace: home, name: accountName('alice') }, { spec: { authentication: { tokens: [{ name: 'ci', content: 'ticket-1', valid: true }] } } })
  const node = createServer({ adapters: [{ endpoint: `tcp -h ${alive} -p 19385 -t 60000`, servants: { 'tars.tarsnode.NodeObj': { interface: Node, servant: nodeServant } } }] })
  await node.start()
  lifetime.own(node)
  const registry = lifetime.own(await startAdminRegistry({ client, namespace: home, address: '127.0.0.1', port: 0, drainMs: 10, log: silentLogger, signal: new AbortController().signal }))
  const admin = communicator.proxy<AdminRegProxy>(AdminReg, `${admins}@tcp -h 127.0.0.1 -p ${registry.port} -t 60000`)
  await admin.addTaskReq(createTaskReq({ taskNo: 't0', taskItemReq: [createTaskItemReq({ application: 'Demo', serverName: 'Hello', nodeName: alive, command: 'start' })] }))
  await until(async () => (await admin.getTaskRsp('t0')).taskRsp.status === EMTaskStatus.EM_T_SUCCESS)
  return { [admins]: registry.port }
}

const took = (verb: string) => () => ({ return: 0, result: `Success: ${verb}` })
const nodeServant: NodeServant = {
  startServer: took('start'), stopServer: took('stop'), restartServer: took('restart'), loadServer: took('load'),
  notifyServer: (app, server, command) => ({ return: 0, result: `${app}.${server} heard ${command}` }),
  delCache: (name, _backup, key) => ({ return: 0, result: `${name} ${key}` }),
  addFile: () => ({ return: 0, result: '' }),
  getLogFileList: () => ({ return: 0, logFileList: ['app.log'] }),
  getLogData: (_app, _server, file, cmd) => ({ return: 0, fileData: `${file}: ${cmd}` }),
  getNodeLoad: (_app, _server, pid) => ({ return: 0, fileData: `load of ${pid}` }),
  getStateInfo: () => ({ return: 0, result: 'Active/Active', info: createServerStateInfo({ serverState: ServerState.Active, processId: 77 }) }),
}
