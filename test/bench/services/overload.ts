// Every server under ten times the load that it can bear.
import { globSync, mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { truncate } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { resources } from '#api/resources.ts'
import type { TConfig } from '#api/types.ts'
import { pods } from '#kube/resources.ts'
import type { AnyObject } from '#kube/types.ts'
import { dayOf, type Row } from '#store/dataset.ts'
import { propertyDataset, statDataset } from '#store/datasets.ts'
import { openSqliteStore } from '#store/sqlite/store.ts'
import { Writer } from '#tars/codec/writer.ts'
import type { Interface } from '#tars/idl/interface.ts'
import { encodeRequest, ret, version } from '#tars/packet.ts'
import { Config } from '#tars/protocol/ConfigF.ts'
import { Log } from '#tars/protocol/LogF.ts'
import { MonitorQuery } from '#tars/protocol/MonitorQuery.ts'
import { Notify } from '#tars/protocol/NotifyF.ts'
import { createStatPropMsgHead, PropertyF } from '#tars/protocol/PropertyF.ts'
import { QueryF } from '#tars/protocol/QueryF.ts'
import { createStatMicMsgBody, createStatMicMsgHead, StatF } from '#tars/protocol/StatF.ts'
import type { Goal } from '../goal.ts'
import { keepTo, processorSeconds, residentMegabytes } from '../proc.ts'
import { Child } from './child.ts'
import { namespace, startCluster, type Cluster } from './cluster.ts'
import { firstId, LoadGenerator } from './load.ts'
import { servantOf, serverOf } from './population.ts'
import { startRole, type RoleProcess } from './role.ts'
import type { Storm, StormQuestion } from './storm-process.ts'

const rounds = 3
/** tmpfs(5) of the usual systems, and what logs take between two times that they are emptied, bytes. */
const memory = { folder: '/dev/shm', room: 4 * 2 ** 30 } as const
/** Of the machine. */
const processors = availableParallelism()
const times = 10
/** What its callers ask it for to find its peak, times what it answers to few callers. */
const rising = [1, 2] as const
const risingMs = 2000
const stormMs = 4000
const patienceMs = 3000
const usualMs = 1500
/** Processes that call, and calls that each has under way at most: together more than a server lets wait. */
const connections = 64
const callers = 500

interface Server {
  readonly role: string
  /** What it is called with. */
  readonly object: string
  readonly interface: Interface
  readonly func: string
  readonly args: (index: number) => readonly unknown[]
  readonly env?: (folder: string, logs: string) => Record<string, string>
  /** Calls under way on each of four connections that keep it busy all the time. Default 16; more where all of a moment are answered at once. */
  readonly underWay?: number
  /** The field of the line with which it says that it serves. */
  readonly port?: string
}

const kinds = 200
const today = dayOf(Date.now())
const stored = (folder: string): Record<string, string> => ({ TARSSTORE_DATA: folder })
const line = '2026-11-29 20:21:06|140213|INFO|an order is on its way '.padEnd(127, '.').concat('\n')
const question = (dataid: string, index: string) => (number: number): readonly unknown[] => [{ uid: '', method: 'query', dataid, date: today, tflag1: '0000', tflag2: '2360', conditions: [{ field: 'master_name', op: 0, val: `Shop.Web${number % 10}` }], indexs: [index], groupby: ['f_tflag'] }]
const calls = (index: number) => Array.from({ length: 20 }, (_, place) => [createStatMicMsgHead({ masterName: 'Shop.Web', slaveName: 'Shop.Cart.CartObj', interfaceName: `f${index}-${place}`, slaveIp: '10.0.0.1' }), createStatMicMsgBody({ count: 60, intervalCount: new Map([[5, 40], [10, 20]]), totalRspTime: 600n, maxRspTime: 48, minRspTime: 1 })] as const)
const values = (index: number) => Array.from({ length: 20 }, (_, place) => [createStatPropMsgHead({ moduleName: 'Shop.Web', propertyName: `p${index}-${place}` }), { vInfo: [{ policy: 'Sum', value: '3' }, { policy: 'Avg', value: '9=3' }] }] as const)

const servers: readonly Server[] = [
  { role: 'registry', object: 'tars.tarsregistry.QueryObj', interface: QueryF, func: 'findObjectByIdInSameGroup', args: (index) => [servantOf(index)], env: (folder) => ({ TARSREGISTRY_DATA: folder }), port: 'query' },
  { role: 'config', object: 'tars.tarsconfig.ConfigObj', interface: Config, func: 'loadConfig', args: () => ['Bench', serverOf(0), 'server.conf'], env: (folder) => ({ TARSCONFIG_PORT: '0', TARSCONFIG_DATA: folder }) },
  { role: 'notify', object: 'tars.tarsnotify.NotifyObj', interface: Notify, func: 'reportServer', args: (index) => [`Shop.Web${index}`, '1', `message ${index}`], env: (folder) => ({ ...stored(folder), TARSNOTIFY_PORT: '0', TARSNOTIFY_HTTP_PORT: '0', TARSNOTIFY_LIMIT: '1:1000000' }), underWay: 1000 },
  { role: 'log', object: 'tars.tarslog.LogObj', interface: Log, func: 'logger', args: (index) => ['Shop', `Web${index % 20}`, '', '%Y%m%d', Array.from({ length: 20 }, () => line)], env: (_folder, logs) => ({ TARSLOG_PORT: '0', TARSLOG_TOPOLOGY_PORT: '0', TARSLOG_PATH: logs }), port: 'log' },
  { role: 'stat', object: 'tars.tarsstat.StatObj', interface: StatF, func: 'reportMicMsg', args: (index) => [new Map(calls(index)), true], env: (folder) => ({ ...stored(folder), TARSSTAT_PORT: '0', TARSSTAT_HTTP_PORT: '0' }) },
  { role: 'property', object: 'tars.tarsproperty.PropertyObj', interface: PropertyF, func: 'reportPropMsg', args: (index) => [new Map(values(index))], env: (folder) => ({ ...stored(folder), TARSPROPERTY_PORT: '0', TARSPROPERTY_HTTP_PORT: '0' }) },
  { role: 'querystat', object: 'tars.tarsquerystat.QueryObj', interface: MonitorQuery, func: 'query', args: question('tars_stat', 'succ_count') },
  { role: 'queryproperty', object: 'tars.tarsqueryproperty.QueryObj', interface: MonitorQuery, func: 'query', args: question('tars_property', 'value') },
]

/**
 * One server after the other, each on a processor of its own, with what keeps what it is asked for: those who call have the
 * rest, so that they take no time of it, neither at its peak nor in the storm. Its peak is the most that those get who bring the storm, when they ask for as
 * much as it answers to few, and for twice of that. `BENCH_ROLES=stat,log` takes only those.
 */
export async function overload(note: (line: string) => void): Promise<readonly Goal[]> {
  if (processors > 1) keepTo(process.pid, `1-${processors - 1}`)
  const logs = mkdtempSync(join(hasRoom(memory) ? memory.folder : tmpdir(), 'tarsk8s-bench-logs-'))
  const removeLogs = (): void => rmSync(logs, { recursive: true, force: true })
  process.once('exit', removeLogs)
  const cluster = { ...(await startCluster({ servers: kinds, replicas: 3 })), logs }
  try {
    await cluster.client.create(resources.tconfigs, { apiVersion: 'k8s.tars.io/v1beta3', kind: 'TConfig', metadata: { name: 'config', namespace }, app: 'Bench', server: serverOf(0), set: '', podSeq: 'm', configName: 'server.conf', version: 'v1', configContent: 'key = value\n'.repeat(800), activated: true } as unknown as TConfig)
    const goals: Goal[] = []
    const only = process.env['BENCH_ROLES']?.split(',')
    for (const server of servers.filter(({ role }) => only?.includes(role) ?? true)) goals.push(...(await underStorm(cluster, server, note)))
    return goals
  } finally {
    await cluster.stop()
    process.off('exit', removeLogs)
    removeLogs()
    if (processors > 1) keepTo(process.pid, `0-${processors - 1}`)
  }
}

/** A cluster, and where logs are written: in memory where there is enough of it, as how busy the disk is says nothing of a server. */
type WithLogs = Cluster & { readonly logs: string }

function hasRoom({ folder, room }: typeof memory): boolean {
  try {
    const { bavail, bsize } = statfsSync(folder)
    return bavail * bsize >= room
  } catch {
    return false
  }
}

/** Before they fill the memory or, on a disk, the system begins to write them out. */
async function emptyLogs({ logs }: WithLogs): Promise<void> {
  for (const file of globSync('**/*.log', { cwd: logs })) await truncate(join(logs, file))
}

/** Goodput of a server: what it answers well, and with how much of a processor. */
interface Goodput {
  readonly perSecond: number
  readonly share: number
}

async function underStorm(cluster: WithLogs, server: Server, note: (line: string) => void): Promise<Goal[]> {
  const { role, owner, stop } = await started(cluster, server)
  const [host, port] = [role.address, role.serves[server.port ?? 'port'] as number]
  if (processors > 1) for (const one of [role, ...(owner === undefined ? [] : [owner])]) keepTo(one.pid, '0')
  const requests = Array.from({ length: kinds }, (_, index) => {
    const body = new Writer()
    server.interface.functions[server.func]?.writeArgs(body, server.args(index))
    return encodeRequest({ version: version.tars, requestId: firstId + index, servant: server.object, func: server.func, body: body.bytes(), timeoutMs: patienceMs })
  })
  const load = await LoadGenerator.start({ host, port, requests, connections: 4, refusals: [ret.overload, ret.queueTimeout] })
  const usual = async (ms: number): Promise<Goodput> => {
    await emptyLogs(cluster)
    const before = processorSeconds(role.pid)
    const { answered, seconds } = await load.saturate({ underWay: server.underWay ?? 16, ms })
    return { perSecond: answered / seconds, share: (processorSeconds(role.pid) - before) / seconds }
  }
  /** What the many callers get, who ask so many times a second. */
  const asked = async (perSecond: number, ms: number): Promise<Goodput & { readonly storm: Storm }> => {
    await emptyLogs(cluster)
    const before = processorSeconds(role.pid)
    const { child, ready: storm } = await Child.start<Storm>('storm-process.ts', { host, port, requests, connections, callers, perSecond: Math.ceil(perSecond), ms, patienceMs } satisfies StormQuestion)
    const share = (processorSeconds(role.pid) - before) / storm.seconds
    await child.stop()
    return { perSecond: storm.good / storm.seconds, share, storm }
  }
  const [kept, recovered, grown]: [number[], number[], number[]] = [[], [], []]
  try {
    await usual(2000)
    for (let round = 0; round < rounds; round++) {
      const before = await usual(usualMs)
      const ascent: Goodput[] = []
      for (const one of rising) ascent.push(await asked(before.perSecond * one, risingMs))
      const peak = Math.max(...ascent.map(({ perSecond }) => perSecond))
      const memory = residentMegabytes(role.pid).now
      const { storm, ...under } = await asked(peak * times, stormMs)
      await delay(1000)
      const after = await usual(usualMs)
      kept.push(under.perSecond / peak)
      recovered.push(after.perSecond / before.perSecond)
      grown.push(residentMegabytes(role.pid).peak - memory)
      note(`${server.role}: to few callers ${before.perSecond.toFixed(0)} answers/s with ${before.share.toFixed(2)} of a processor, to many ${ascent.map(({ perSecond, share }) => `${perSecond.toFixed(0)} with ${share.toFixed(2)}`).join(', ')}; in the storm ${under.perSecond.toFixed(0)}/s good, ${(storm.late / storm.seconds).toFixed(0)} late, ${codes(storm)} of ${((storm.sent + storm.unsent) / storm.seconds).toFixed(0)} (${(storm.unsent / storm.seconds).toFixed(0)} without a free caller${storm.closed > 0 ? `; ${storm.closed} connections closed` : ''}); a second after it ${after.perSecond.toFixed(0)}/s to few`)
    }
  } finally {
    await load.stop()
    await stop()
  }
  return [
    { what: `${server.role} at ${times} times its peak, good answers a second ÷ at its peak`, samples: kept, bar: 0.8, rule: 'least', unit: '×' },
    { what: `${server.role} a second after it, answers a second ÷ before it`, samples: recovered, bar: 0.8, rule: 'least', unit: '×' },
    { what: `${server.role} at ${times} times its peak, memory grown by`, samples: grown, bar: 512, rule: 'most', unit: ' MB' },
  ]
}

const codes = ({ refused, other, seconds }: Storm): string => [...Object.entries(refused).map(([code, count]) => `${(count / seconds).toFixed(0)}/s ${code}`), ...(other > 0 ? [`${(other / seconds).toFixed(0)}/s another code`] : [])].join(', ')

async function started(cluster: WithLogs, server: Server): Promise<{ readonly role: RoleProcess; readonly owner?: RoleProcess; stop(): Promise<void> }> {
  if (server.role !== 'querystat' && server.role !== 'queryproperty') {
    const role = await startRole({ cluster, role: server.role, env: server.env?.(`${cluster.folder}/${server.role}`, cluster.logs) ?? {} })
    return { role, stop: () => role.stop() }
  }
  const owner = await startOwner(cluster, server.role === 'querystat' ? 'stat' : 'property')
  const name = `TARS${server.role.toUpperCase()}`
  const role = await startRole({ cluster, role: server.role, env: { [`${name}_PORT`]: '0', [`${name}_HTTP_PORT`]: '0', [`${name}_TEXT_PORT`]: '0', [`${name}_OWNERS_PORT`]: String(owner.serves['http']) } })
  return { role, owner, stop: () => role.stop().then(() => owner.stop()) }
}

/** Who keeps what is asked for: a day of an application, and the pod by which it is found. */
async function startOwner(cluster: Cluster, kind: 'stat' | 'property'): Promise<RoleProcess> {
  const folder = `${cluster.folder}/asked-${kind}`
  const store = openSqliteStore(`${folder}/rows`)
  const dataset = kind === 'stat' ? statDataset : propertyDataset
  const rows = Array.from({ length: 20_000 }, (_, index): Row => {
    const minute = { f_timestamp: 1, f_date: today, f_tflag: `${String(Math.floor(index / 60) % 24).padStart(2, '0')}${String((index % 60) + 1).padStart(2, '0')}` }
    const master = { master_name: `Shop.Web${index % 10}`, master_ip: 'web-0', source_id: 'x' }
    return { id: String(index), day: today, fields: { ...minute, ...master, ...(kind === 'stat' ? { slave_name: 'Shop.Cart.CartObj', succ_count: 3 } : { property_name: 'p', policy: 'Sum', bucket: '', value: 1, total: 1, weight: 1 }) } }
  })
  await store.write(dataset, rows)
  await store.close()
  const name = `TARS${kind.toUpperCase()}`
  const owner = await startRole({ cluster, role: kind, env: { [`${name}_PORT`]: '0', [`${name}_HTTP_PORT`]: '0', TARSSTORE_DATA: folder } })
  const labels = { 'tars.io/ServerApp': 'tars', 'tars.io/ServerName': `tars${kind}` }
  const pod = await cluster.client.create(pods, { apiVersion: 'v1', kind: 'Pod', metadata: { name: `tars-tars${kind}-0`, namespace, labels }, spec: { hostNetwork: true, containers: [{ name: 'x', image: 'x' }] } } as unknown as AnyObject)
  await cluster.client.patch(pods, { namespace, name: pod.metadata.name }, { status: { phase: 'Running', podIP: owner.address } }, { type: 'merge', subresource: 'status' })
  return owner
}
