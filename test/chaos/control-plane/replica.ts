import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { ownAddress } from '../../node/rig.ts'
import { faultProxy, type FaultProxy } from '../../rig/fault-proxy.ts'
import type { Machine } from '../../rig/kubernetes/machine.ts'
import { fakedClock } from '../clock-library.ts'

const main = join(import.meta.dirname, '../../../framework/main.ts')
/** Lines kept of what a replica wrote. */
const KEPT_LINES = 4_000
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
  /** Ends that nobody wished. */
  readonly faults: string[] = []
  readonly #clockFile: string
  readonly #env: Readonly<Record<string, string>>
  readonly #lines: string[] = []
  readonly #terms: Term[] = []
  #child: ChildProcess | undefined
  #ended: Promise<unknown> = Promise.resolve()
  /** How many want it down. */
  #holds = 1
  #leadsSince: number | undefined
  #slept = false

  private constructor(name: string, made: { link: FaultProxy; host: string; clockFile: string; env: Readonly<Record<string, string>> }) {
    this.name = name
    this.link = made.link
    this.webhooks = { host: made.host, port: webhookPort }
    this.#clockFile = made.clockFile
    this.#env = made.env
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
    return this.#child !== undefined
  }

  /** By its own word. */
  get leads(): boolean {
    return this.#leadsSince !== undefined
  }

  get terms(): readonly Term[] {
    return this.#leadsSince === undefined ? this.#terms : [...this.#terms, { from: this.#leadsSince, until: performance.now(), slept: this.#slept }]
  }

  get lines(): readonly string[] {
    return this.#lines
  }

  /** Ends it, and keeps it down until as many have asked for it again. @returns whether it was up */
  async takeDown(signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<boolean> {
    this.#holds++
    const child = this.#child
    if (child === undefined) return false
    this.#child = undefined
    // A stopped process does not hear SIGTERM.
    child.kill('SIGCONT')
    child.kill(signal)
    await this.#ended
    return true
  }

  bringUp(): void {
    if (--this.#holds === 0) this.#start()
  }

  /** Stops the process as it is. @returns lets it go on, if it is still the same; undefined when there is none */
  pause(): (() => void) | undefined {
    const child = this.#child
    if (child === undefined) return undefined
    child.kill('SIGSTOP')
    this.#slept = true
    return () => void (child === this.#child && child.kill('SIGCONT'))
  }

  /** @param seconds by which its clock is wrong */
  setClock(seconds: number): void {
    writeFileSync(this.#clockFile, `${seconds < 0 ? '' : '+'}${seconds}\n`)
  }

  async stop(): Promise<void> {
    await this.takeDown()
    await this.link.stop()
  }

  #start(): void {
    // It ends with the test, however that ends.
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', process.execPath, '--disable-warning=ExperimentalWarning', main, 'controller'], { env: this.#env, stdio: ['ignore', 'pipe', 'pipe'] })
    this.#child = child
    for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on('line', (line) => this.#hear(line))
    this.#ended = once(child, 'close').then(() => {
      this.#endTerm()
      if (this.#child !== child) return
      this.#child = undefined
      this.faults.push(`${this.name} ended by itself: ${this.#lines.slice(-3).join(' | ')}`)
      // As a kubelet would.
      this.#start()
    })
  }

  #hear(line: string): void {
    this.#lines.push(line)
    if (this.#lines.length > KEPT_LINES) this.#lines.splice(0, KEPT_LINES / 2)
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
