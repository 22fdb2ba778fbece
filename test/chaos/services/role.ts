import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ownAddress } from '../../rig/own-address.ts'
import { faultProxy, type FaultProxy } from '../../rig/fault-proxy.ts'
import { fakedClock } from '../clock-library.ts'
import { Daemon, type Footprint } from '../daemon.ts'
import type { Disks } from '../../rig/disks.ts'
import { Reach } from './reach.ts'

const framework = join(import.meta.dirname, '../../../framework/main.ts')
const gatherer = join(import.meta.dirname, 'gatherer-process.ts')

/** A server of the framework. */
export interface RoleKind {
  /** What `tarsk8s` calls it. */
  readonly role: string
  /** Name of the server in application `tars`. */
  readonly server: string
  /** Ports of its servants, by a name. */
  readonly ports: Readonly<Record<string, number>>
  /** Of `/metrics`. */
  readonly httpPort: number
  /** Megabytes of its disk; absent: it keeps nothing. */
  readonly diskMb?: number
  /** @param data its folder */
  readonly env: (data: string) => Readonly<Record<string, string>>
  /** Gathers by windows of time, which are made short here. */
  readonly hasWindows?: true
}

export interface RoleSurroundings {
  readonly folder: string
  readonly namespace: string
  readonly disks: Disks
  /** host:port of the API server. */
  readonly api: string
  /** Its kubeconfig. */
  readonly kubeconfig: string
  /** Where Node keeps what it compiled. */
  readonly cache: string
}

/** One process of a role, the ways of its clients to it, and its way to the API server. */
export class Role extends Daemon {
  readonly kind: RoleKind
  readonly address: string
  /** From clients to its servants, by the names of their ports. */
  readonly links: Readonly<Record<string, FaultProxy>>
  readonly api: FaultProxy
  readonly reach = new Reach()
  readonly hasDisk: boolean
  readonly #disks: Disks
  readonly #clockFile: string
  #back: (() => void) | undefined
  /** Its footprint when nobody had disturbed it. */
  first: Footprint | undefined
  /** When its clock was set last, which what it keeps may still be dated by. */
  clockSetAt = Number.NEGATIVE_INFINITY

  private constructor(name: string, kind: RoleKind, made: { env: Readonly<Record<string, string>>; links: Readonly<Record<string, FaultProxy>>; api: FaultProxy; disks: Disks; clockFile: string; address: string }) {
    const { env, links, api, disks, clockFile, address } = made
    const program = kind.hasWindows === true ? [gatherer, kind.role] : [framework, kind.role]
    super({ name, env, argv: [...disks.within, process.execPath, '--disable-warning=ExperimentalWarning', ...program] })
    this.kind = kind
    this.address = address
    this.links = links
    this.api = api
    this.hasDisk = kind.diskMb !== undefined
    this.#disks = disks
    this.#clockFile = clockFile
    this.setClock(0)
    this.clockSetAt = Number.NEGATIVE_INFINITY
  }

  static async create(name: string, kind: RoleKind, { folder, namespace, disks, api, kubeconfig, cache }: RoleSurroundings): Promise<Role> {
    const address = ownAddress()
    const clockFile = join(folder, `${name}.clock`)
    const link = await faultProxy(api)
    const config = join(folder, `${name}.kubeconfig`)
    writeFileSync(config, kubeconfig.replace(api, link.address))
    const links = Object.fromEntries(await Promise.all(Object.entries(kind.ports).map(async ([port, number]) => [port, await faultProxy(`${address}:${number}`)] as const)))
    const env = {
      ...(await fakedClock(clockFile)), NO_FAKE_STAT: '1', PATH: process.env['PATH'] ?? '', NODE_COMPILE_CACHE: cache, KUBECONFIG: config,
      Namespace: namespace, PodName: `tars-${name}`, PodIP: address, ...kind.env(disks.inside(name)),
    }
    return new Role(name, kind, { env, links, api: link, disks, clockFile, address })
  }

  /** Its disk, seen from here. */
  get disk(): string {
    return this.#disks.outside(this.name)
  }

  get files(): readonly string[] {
    return this.hasDisk ? this.#disks.files(this.name) : []
  }

  override async takeDown(signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<boolean> {
    this.#back ??= this.reach.cut()
    this.reach.forget()
    return super.takeDown(signal)
  }

  override bringUp(): void {
    super.bringUp()
    if (!this.isUp) return
    this.#back?.()
    this.#back = undefined
  }

  override pause(): (() => void) | undefined {
    const resume = super.pause()
    if (resume === undefined) return undefined
    const back = this.reach.cut()
    return () => {
      resume()
      back()
    }
  }

  /** @param seconds by which its clock is wrong */
  setClock(seconds: number): void {
    this.clockSetAt = performance.now()
    writeFileSync(this.#clockFile, `${seconds < 0 ? '' : '+'}${seconds}\n`)
  }

  /** A number of its metrics. @throws when it does not answer */
  async metric(name: string): Promise<number> {
    const response = await fetch(`http://${this.address}:${this.kind.httpPort}/metrics`, { signal: AbortSignal.timeout(5_000) })
    const value = new RegExp(`^${name}(?:\\{.*\\})? (\\S+)$`, 'm').exec(await response.text())?.[1]
    if (value === undefined) throw new Error(`${this.name} has no metric ${name}`)
    return Number(value)
  }

  /** An object of one of its servants, to be called over its link. */
  object(servant: string, port: string): string {
    const [host, number] = (this.links[port]?.address ?? '').split(':')
    return `tars.${this.kind.server}.${servant}@tcp -h ${host} -p ${number} -t 60000`
  }

  async stop(): Promise<void> {
    await this.takeDown()
    await Promise.all([this.api, ...Object.values(this.links)].map((link) => link.stop()))
  }
}
