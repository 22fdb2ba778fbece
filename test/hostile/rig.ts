// All roles that pods speak to, in one real process beside the embedded API server, and raw bytes sent to their ports.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Interface } from '#tars/idl/interface.ts'
import { decodeResponse, encodeRequest, FrameReader, type RequestHead } from '#tars/packet.ts'
import { AdminReg } from '#tars/protocol/AdminReg.ts'
import { Config } from '#tars/protocol/ConfigF.ts'
import { Log } from '#tars/protocol/LogF.ts'
import { MonitorQuery } from '#tars/protocol/MonitorQuery.ts'
import { Notify } from '#tars/protocol/NotifyF.ts'
import { PropertyF } from '#tars/protocol/PropertyF.ts'
import { QueryF } from '#tars/protocol/QueryF.ts'
import { Registry } from '#tars/protocol/Registry.ts'
import { StatF } from '#tars/protocol/StatF.ts'
import { Topology } from '#tars/protocol/Topology.ts'
import { namespace, startCluster, type TestCluster } from '../registry/cluster.ts'
import { ownAddress } from '../rig/own-address.ts'

const main = join(import.meta.dirname, '../../framework/main.ts')

/** Servants of the framework that pods reach, and their ports. */
export const servants: readonly (readonly [object: string, port: number, definition: Interface])[] = [
  ['tars.tarsregistry.QueryObj', 17890, QueryF],
  ['tars.tarsregistry.RegistryObj', 17891, Registry],
  ['tars.tarsconfig.ConfigObj', 11111, Config],
  ['tars.tarsnotify.NotifyObj', 13111, Notify],
  ['tars.tarslog.LogObj', 12111, Log],
  ['tars.tarslog.TopologyObj', 13030, Topology],
  ['tars.tarsstat.StatObj', 17000, StatF],
  ['tars.tarsproperty.PropertyObj', 14000, PropertyF],
  ['tars.tarsquerystat.QueryObj', 16000, MonitorQuery],
  ['tars.tarsqueryproperty.QueryObj', 15000, MonitorQuery],
  ['tars.tarsAdminRegistry.AdminRegObj', 19111, AdminReg],
]
/** Their ports of HTTP, and of the text protocol. */
export const httpPorts = [17899, 11199, 13112, 12199, 17001, 14001, 16001, 15001, 17101, 8080] as const
export const textPorts = [16002, 15002] as const

export interface Roles {
  readonly cluster: TestCluster
  readonly address: string
  readonly folder: string
  /** Folder of tarslog. */
  readonly logs: string
  readonly process: ChildProcess
  /** Everything that it said. */
  readonly said: string[]
  /** Resident memory, MiB. */
  memory(): number
  /** Open files. */
  files(): number
  /** @throws when it has ended, with its last words */
  alive(): void
  stop(): Promise<void>
}

const roles = ['registry', 'config', 'notify', 'log', 'stat', 'property', 'querystat', 'queryproperty', 'kevent', 'admin', 'adminregistry']

/** Starts them on an address of their own. */
export async function startRoles(prepare: (cluster: TestCluster) => Promise<unknown>, env: Readonly<Record<string, string>> = {}, which: readonly string[] = roles): Promise<Roles> {
  const folder = await mkdtemp(join(tmpdir(), 'tarsk8s-hostile-'))
  const cluster = await startCluster()
  await prepare(cluster)
  const address = ownAddress()
  const kubeconfig = join(folder, 'kubeconfig')
  await writeFile(kubeconfig, cluster.api.kubeconfig())
  const logs = join(folder, 'logs')
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', main, which.join(',')], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      PATH: process.env['PATH'], KUBECONFIG: kubeconfig, Namespace: namespace, PodName: 'framework-0', PodIP: address, TARSSTORE_DATA: join(folder, 'store'), TARSLOG_PATH: logs,
      TARSREGISTRY_HEALTH_PORT: '17899', TARSCONFIG_HEALTH_PORT: '11199', TARSLOG_HEALTH_PORT: '12199', HTTP_PORT: '8080', TARSLOG_OPEN_FILES: '64', ...env,
    },
  })
  const said: string[] = []
  const lines = createInterface({ input: child.stderr as NodeJS.ReadableStream })
  lines.on('line', (line) => {
    said.push(line)
    if (said.length > 2000) said.splice(0, 1000)
  })
  const served = new Set<string>()
  const ready = new Promise<void>((resolve) => {
    lines.on('line', (line) => {
      const role = /"message":"[a-z ]+ serves".*?"role":"(\w+)"/.exec(line)?.[1] ?? (/"role":"kevent"/.test(line) ? 'kevent' : undefined)
      if (role !== undefined) served.add(role)
      if (which.every((one) => served.has(one) || one === 'kevent')) resolve()
    })
  })
  const ended = once(child, 'exit').then(() => {
    throw new Error(`it ended:\n${said.slice(-40).join('\n')}`)
  })
  await Promise.race([ready, ended])
  ended.catch(() => {})
  const status = (): string => readFileSync(`/proc/${child.pid}/status`, 'utf8')
  return {
    cluster, address, folder, logs, process: child, said,
    memory: () => Number(/^VmRSS:\s+(\d+) kB/m.exec(status())?.[1]) / 1024,
    files: () => readdirSync(`/proc/${child.pid}/fd`).length,
    alive() {
      if (child.exitCode !== null || child.signalCode !== null || !existsSync(`/proc/${child.pid}`)) throw new Error(`the process has ended:\n${said.slice(-40).join('\n')}`)
    },
    async stop() {
      const gone = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined
      child.kill('SIGKILL')
      await gone
      await cluster.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** A connection that sends bytes. */
export interface Wire {
  readonly socket: Socket
  readonly closed: Promise<void>
  send(bytes: Uint8Array): Promise<void>
  /** Resolves when a response with this id comes, or the connection is closed. */
  settled(requestId: number): Promise<void>
}

export async function wireTo(host: string, port: number, localAddress?: string): Promise<Wire> {
  const socket = connect({ host, port, ...(localAddress === undefined ? {} : { localAddress }) })
  socket.on('error', () => {})
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  await Promise.race([once(socket, 'connect'), closed])
  const waiting = new Map<number, () => void>()
  void closed.then(() => {
    for (const settle of waiting.values()) settle()
  })
  const frames = new FrameReader(64 << 20)
  socket.on('data', (chunk: Buffer) => frames.feed(chunk, (bytes, start, end) => {
    const response = decodeResponse(Buffer.from(bytes.subarray(start, end)))
    waiting.get(response.requestId)?.()
    waiting.delete(response.requestId)
  }))
  return {
    socket, closed,
    send: (bytes) => new Promise((resolve) => socket.write(bytes, () => resolve())),
    settled: (requestId) => new Promise<void>((resolve) => void (socket.destroyed ? resolve() : waiting.set(requestId, resolve))),
  }
}

/** A request with a body of any bytes. */
export function request(servant: string, func: string, body: Uint8Array, head: Partial<RequestHead> & { readonly requestId: number }): Buffer {
  return encodeRequest({ version: 1, servant, func, ...head, body })
}
