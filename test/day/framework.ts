// The framework's roles that have to do with monitoring, each a process of its own, and 200 services that report to them.
import { fork, type ChildProcess } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { env } from 'node:process'
import { createEndpoint, createPod, namespace, startCluster, until, type TestCluster } from '../registry/cluster.ts'
import { serviceCount, serviceOf } from './plan.ts'
import { RoleProcess } from './role.ts'
import type { Counted, Sent } from './services.ts'
import { together } from './tally.ts'

/** Which keeper's rows are in OpenSearch; those of the other are in SQLite. */
export type InOpenSearch = 'stat' | 'property'

/** `stat4` and `stat6` are two pods of tarsstat, one of them with an IPv6 address. */
const names = ['registry', 'stat4', 'stat6', 'property', 'querystat', 'queryproperty'] as const
export type Name = (typeof names)[number]
/** Those that take reports in and keep them. */
export const keepers = ['stat4', 'stat6', 'property'] as const

const processes = 2

export interface FrameworkOptions {
  readonly inOpenSearch: InOpenSearch
  /** host:port of OpenSearch. */
  readonly elastic: string
  /** Milliseconds since the epoch. */
  readonly now: number
  readonly seed: number
  /** Folder for what Node compiles, as processes are started many times. */
  readonly compiled: string
}

export class Framework {
  readonly roles: Readonly<Record<Name, RoleProcess>>
  readonly #cluster: TestCluster
  readonly #folder: string
  readonly #clients: readonly ChildProcess[]
  /** What was sent and not yet seen to arrive since the counters below were read. */
  #sent = { lines: 0, values: 0 }
  #before = { lines: 0, values: 0 }

  private constructor(parts: { readonly roles: Framework['roles']; readonly cluster: TestCluster; readonly folder: string; readonly clients: readonly ChildProcess[] }) {
    this.roles = parts.roles
    this.#cluster = parts.cluster
    this.#folder = parts.folder
    this.#clients = parts.clients
  }

  static async start({ inOpenSearch, elastic, now, seed, compiled }: FrameworkOptions): Promise<Framework> {
    const folder = await mkdtemp(join(tmpdir(), 'tarsk8s-day-'))
    const cluster = await startCluster()
    await writeFile(join(folder, 'kubeconfig'), cluster.api.kubeconfig(namespace))
    // A part of the loopback of its own, where every port is free.
    const net = `127.${64 + Math.floor(Math.random() * 128)}`
    const addresses: Readonly<Record<Name, string>> = { registry: `${net}.0.1`, stat4: `${net}.0.2`, stat6: '::1', property: `${net}.0.3`, querystat: `${net}.0.4`, queryproperty: `${net}.0.5` }
    const roleOf = (name: Name): RoleProcess => {
      const role = name === 'stat4' || name === 'stat6' ? 'stat' : name
      const stored = name.includes(inOpenSearch) ? { TARSSTORE_NODES: elastic } : {}
      // All services call from the addresses of this machine, and none from its pod's.
      const env = { TARS_CALLERS: 'off', NODE_COMPILE_CACHE: compiled, KUBECONFIG: join(folder, 'kubeconfig'), Namespace: namespace, PodIP: addresses[name], TARSSTORE_DATA: join(folder, name), ...stored }
      return new RoleProcess({ role, now, env })
    }
    const roles = Object.fromEntries(names.map((name) => [name, roleOf(name)])) as Record<Name, RoleProcess>
    const clients: ChildProcess[] = []
    const framework = new Framework({ roles, cluster, folder, clients })
    try {
      await framework.#startRoles(addresses)
      await framework.#startServices({ net, seed, compiled, clients })
      return framework
    } catch (error) {
      await framework.stop()
      throw error
    }
  }

  /** Pods of one server have their ports in common, so the one that shares its address with others is first. */
  async #startRoles(addresses: Readonly<Record<Name, string>>): Promise<void> {
    const { registry, stat4, stat6, property, querystat, queryproperty } = this.roles
    await stat6.start({ PodName: 'tars-tarsstat-1', TARSSTAT_PORT: '0', TARSSTAT_HTTP_PORT: '0' })
    const ports = { TARSSTAT_PORT: String(stat6.ports['port']), TARSSTAT_HTTP_PORT: String(stat6.ports['http']) }
    const query = { TARSQUERYSTAT_OWNERS_PORT: ports.TARSSTAT_HTTP_PORT }
    await Promise.all([stat4.start({ PodName: 'tars-tarsstat-0', ...ports }), property.start({ PodName: 'tars-tarsproperty-0' }), registry.start(), querystat.start(query), queryproperty.start()])
    for (const [server, object, port] of [['tarsstat', 'StatObj', stat6.ports['port']], ['tarsproperty', 'PropertyObj', property.ports['port']]] as const) {
      await createEndpoint(this.#cluster.client, 'tars', server, [{ name: object, port: port ?? 0 }], { endpointHost: 'ip' })
    }
    const state = 'Active/Active/7'
    // On the network of its machine, as what comes from that address is not all its own.
    for (const [server, name, ip] of [['tarsstat', 'tars-tarsstat-0', addresses.stat4], ['tarsstat', 'tars-tarsstat-1', addresses.stat6], ['tarsproperty', 'tars-tarsproperty-0', addresses.property]] as const) {
      await createPod(this.#cluster.client, { app: 'tars', server, name, ip, state, hostNetwork: ip === '::1' })
    }
  }

  async #startServices({ net, seed, compiled, clients }: Pick<FrameworkOptions, 'seed' | 'compiled'> & { readonly net: string; readonly clients: ChildProcess[] }): Promise<void> {
    for (let number = 0; number < serviceCount; number++) {
      const service = serviceOf(number, net)
      await createPod(this.#cluster.client, { app: service.app, server: service.server, name: service.pod, ip: service.ip, state: 'Active/Active/7' })
      // As tarsnode writes it.
      await writeFile(join(this.#folder, `${service.pod}.conf`), `<tars>
  <application>
    enableset=${service.set === '' ? 'n' : 'y'}
    setdivision=${service.set === '' ? 'NULL' : service.set}
    <client>
      locator=tars.tarsregistry.QueryObj@tcp -h ${net}.0.1 -p 17890
      modulename=${service.app}.${service.server}
      stat=tars.tarsstat.StatObj
      property=tars.tarsproperty.PropertyObj
      report-interval=10000
    </client>
    <server>
      localip=${service.ip}
    </server>
  </application>
</tars>
`)
    }
    const each = serviceCount / processes
    for (let process = 0; process < processes; process++) {
      const args = [process * each, (process + 1) * each, net, this.#folder, seed + process].map(String)
      clients.push(fork(join(import.meta.dirname, 'services.ts'), args, { execArgv: ['--disable-warning=ExperimentalWarning'], env: { ...env, NODE_COMPILE_CACHE: compiled } }))
    }
  }

  async setClock(now: number): Promise<void> {
    await Promise.all(keepers.map((name) => this.roles[name].setClock(now)))
  }

  /** Services that report in this step do; resolves when they have sent all of it. */
  async step(step: { readonly step: number; readonly time: number; readonly services: number }): Promise<void> {
    for (const { lines, values } of (await this.#ask(step)) as Sent[]) this.#sent = { lines: this.#sent.lines + lines, values: this.#sent.values + values }
  }

  /** Resolves when what was sent has arrived: the services say so. */
  async arrived(): Promise<void> {
    await until(async () => {
      const { lines, values } = await this.#taken()
      const missing = [this.#before.lines + this.#sent.lines - lines, this.#before.values + this.#sent.values - values]
      if (missing.some((count) => count < 0)) throw new Error(`more has arrived than was sent: ${missing.map((count) => -count).join(' lines and ')} values`)
      return missing.every((count) => count === 0)
    })
  }

  /** Ends some and starts them again where they were. What their counters will say is forgotten: how many of them had arrived is seen at the end of the day. */
  async restart(restarted: readonly Name[], signal: 'SIGTERM' | 'SIGKILL', meanwhile = async (): Promise<void> => {}): Promise<void> {
    await Promise.all(restarted.map((name) => this.roles[name].end(signal)))
    await meanwhile()
    await Promise.all(restarted.map((name) => this.roles[name].start({ ...portsAgain(name, this.roles[name].ports) })))
    this.#before = await this.#taken()
    this.#sent = { lines: 0, values: 0 }
  }

  /** Hands all on to the stores: what is in windows by the orderly end, what is in spools after it. */
  async settle(): Promise<void> {
    await this.restart(keepers, 'SIGTERM')
    for (const name of keepers) await until(async () => (await this.roles[name].metric('tarsstore_spool_rows')) === 0)
  }

  /** All that services have counted. */
  async counted(): Promise<Counted> {
    const parts = (await this.#ask({})) as Counted[]
    const of = (which: keyof Counted) => together(parts.map((part) => part[which]))
    return { calls: of('calls'), callsByMinute: of('callsByMinute'), callsBySet: of('callsBySet'), properties: of('properties'), propertiesByMinute: of('propertiesByMinute') }
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) client.disconnect()
    await Promise.all(names.map((name) => this.roles[name].end('SIGKILL')))
    await this.#cluster.stop()
    await rm(this.#folder, { recursive: true, force: true })
  }

  #ask(message: object): Promise<unknown[]> {
    return Promise.all(this.#clients.map((client) => new Promise((resolve, reject) => {
      const ended = (code: number | null): void => reject(new Error(`services ended with ${code}`))
      client.once('exit', ended).once('message', (answer) => {
        client.off('exit', ended)
        resolve(answer)
      })
      client.send(message)
    })))
  }

  async #taken(): Promise<{ readonly lines: number; readonly values: number }> {
    const { stat4, stat6, property } = this.roles
    const [one, other, values] = await Promise.all([stat4.metric('tarsstat_lines_total'), stat6.metric('tarsstat_lines_total'), property.metric('tarsproperty_values_total')])
    return { lines: one + other, values }
  }
}

/** The environment that gives a role the ports that it had. */
function portsAgain(name: Name, ports: Readonly<Record<string, number>>): Record<string, string> {
  if (name === 'registry') return {}
  const role = `TARS${name.startsWith('stat') ? 'STAT' : name.toUpperCase()}`
  return { [`${role}_PORT`]: String(ports['port']), [`${role}_HTTP_PORT`]: String(ports['http']), ...(ports['text'] === undefined ? {} : { [`${role}_TEXT_PORT`]: String(ports['text']) }) }
}
