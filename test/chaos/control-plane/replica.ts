import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ownAddress } from '../../rig/own-address.ts'
import { faultProxy, type FaultProxy } from '../../rig/fault-proxy.ts'
import type { Machine } from '../../rig/kubernetes/machine.ts'
import { fakedClock } from '../clock-library.ts'
import { Daemon } from '../daemon.ts'

const main = join(import.meta.dirname, '../../../framework/main.ts')
const webhookPort = 9443

export interface ReplicaOptions {
  readonly machine: Machine
  readonly folder: string
  /** Namespace of the controllers. */
  readonly home: string
  /** Where the API server calls the webhooks of all replicas. */
  readonly webhookUrl: string
  readonly apiServer: { readonly address: string; readonly name: string; readonly ca: string }
  readonly token: string
}

/** A time in which a replica held itself for the leader. Milliseconds of performance.now(). */
export interface Term {
  readonly from: number
  readonly until: number
  /** Its process was stopped at some time in it, so that it could not know better. */
  readonly slept: boolean
}

/** One process of the whole controller role, its own way to the API server, and its own clock. */
export class Replica {
  readonly name: string
  readonly link: FaultProxy
  /** Where it serves its webhooks. */
  readonly webhooks: { readonly host: string; readonly port: number }
  readonly #clockFile: string
  readonly #daemon: Daemon
  readonly #terms: Term[] = []
  #leadsSince: number | undefined
  #slept = false

  private constructor(name: string, made: { link: FaultProxy; host: string; clockFile: string; env: Readonly<Record<string, string>> }) {
    this.name = name
    this.link = made.link
    this.webhooks = { host: made.host, port: webhookPort }
    this.#clockFile = made.clockFile
    this.#daemon = new Daemon({
      name, env: made.env, argv: [process.execPath, '--disable-warning=ExperimentalWarning', main, 'controller'],
      onLine: (line) => this.#hear(line), onEnd: () => this.#endTerm(),
    })
  }

  static async create(number: number, { machine, folder, home, webhookUrl, apiServer, token }: ReplicaOptions): Promise<Replica> {
    const name = `controller-${number}`
    const link = await faultProxy(apiServer.address, machine.hostAddress)
    const host = ownAddress()
    const clockFile = join(folder, `${name}.clock`)
    const kubeconfig = join(folder, `${name}.json`)
    writeFileSync(kubeconfig, JSON.stringify({
      'current-context': 'c', contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }], users: [{ name: 'u', user: { token } }],
      clusters: [{ name: 'c', cluster: { server: `https://${link.address}`, 'tls-server-name': apiServer.name, 'certificate-authority-data': Buffer.from(apiServer.ca).toString('base64') } }],
    }))
    const env = {
      ...(await fakedClock(clockFile)), PATH: process.env['PATH'] ?? '', KUBECONFIG: kubeconfig, TARSCONTROLLER_NAMESPACE: home,
      TARSCONTROLLER_WEBHOOK_URL: webhookUrl, TARSCONTROLLER_WEBHOOK_LISTEN: host, TARSCONTROLLER_WEBHOOK_PORT: String(webhookPort),
      TARSCONTROLLER_WEBHOOK_CREATE: 'false', TARSCONTROLLER_WEBHOOK_DRAIN: '1', TARSCONTROLLER_WEBHOOK_OVERLAP: '2',
    }
    const replica = new Replica(name, { link, host, clockFile, env })
    replica.setClock(0)
    return replica
  }

  get isUp(): boolean {
    return this.#daemon.isUp
  }

  /** Ends that nobody wished. */
  get faults(): readonly string[] {
    return this.#daemon.faults
  }

  /** By its own word. */
  get leads(): boolean {
    return this.#leadsSince !== undefined
  }

  get terms(): readonly Term[] {
    return this.#leadsSince === undefined ? this.#terms : [...this.#terms, { from: this.#leadsSince, until: performance.now(), slept: this.#slept }]
  }

  get lines(): readonly string[] {
    return this.#daemon.lines
  }

  /** See {@link Daemon}. */
  takeDown(signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<boolean> {
    return this.#daemon.takeDown(signal)
  }

  bringUp(): void {
    this.#daemon.bringUp()
  }

  pause(): (() => void) | undefined {
    const undo = this.#daemon.pause()
    if (undo !== undefined) this.#slept = true
    return undo
  }

  /** @param seconds by which its clock is wrong */
  setClock(seconds: number): void {
    writeFileSync(this.#clockFile, `${seconds < 0 ? '' : '+'}${seconds}\n`)
  }

  async stop(): Promise<void> {
    await this.takeDown()
    await this.link.stop()
  }

  #hear(line: string): void {
    if (line.includes('"message":"became leader"')) {
      this.#leadsSince = performance.now()
      this.#slept = false
    } else if (line.includes('"message":"no longer leader"')) this.#endTerm()
  }

  #endTerm(): void {
    if (this.#leadsSince !== undefined) this.#terms.push({ from: this.#leadsSince, until: performance.now(), slept: this.#slept })
    this.#leadsSince = undefined
  }
}
