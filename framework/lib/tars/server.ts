import type { AddressInfo } from 'node:net'
import { Failure } from '#base/errors.ts'
import type { Running } from '#base/lifecycle.ts'
import { silentLogger } from '#base/log.ts'
import type { Accounts } from './auth.ts'
import { parseEndpoint } from './endpoint.ts'
import { Adapter } from './server/adapter.ts'
import { guarded } from './server/metrics.ts'
import type { Listener, ListenerParts } from './server/listener.ts'
import { defaultLimits, type AdapterOptions, type ServerLimits, type ServerOptions } from './server/options.ts'
import { TcpListener } from './server/tcp.ts'
import { CertificateFolder } from './tls.ts'
import { Turn } from './server/turn.ts'
import { UdpListener } from './server/udp.ts'

export { TarsCallError } from './packet.ts'
export { Current, type Peer } from './server/current.ts'
export { bodyOf, encoded, type Encoded } from './server/encoded.ts'
export type { RequestRecord, ServerMetrics } from './server/metrics.ts'
export { ReadyAnswers } from './server/ready-answers.ts'
export { RequestCounters } from './server/request-counters.ts'
export type { AdapterOptions, ServantOptions, ServerOptions } from './server/options.ts'

/** Where an adapter really listens. */
export interface BoundEndpoint {
  readonly adapter: string
  readonly protocol: 'tcp' | 'udp' | 'ssl'
  readonly host: string
  readonly port: number
}

export interface TarsServer extends Running {
  /**
   * Resolves when every adapter listens.
   * @throws Failure `TARS_LISTEN` naming the endpoint; no adapter listens then
   */
  start(): Promise<void>
  /** In the order of the adapters; empty before start. */
  readonly endpoints: readonly BoundEndpoint[]
  /** Requests accepted and not answered yet. */
  readonly pending: number
  /**
   * Ends without losing a call: accepts no more connections, asks clients to leave, answers what arrives meanwhile,
   * closes each connection once it is silent. At the deadline the rest is cut off.
   * @param deadlineMs milliseconds from now
   */
  drain(deadlineMs: number): Promise<void>
}

/** How long {@link Running.stop} of a server drains, milliseconds. */
const stopDrainMs = 5000

/**
 * A Tars server: ports, each with servants by object name, over TCP or UDP, for protocol versions 1, 3 (TUP) and 5 (JSON).
 *
 * A servant's method gets the in parameters and {@link Current}, and returns the result or a promise of it. When it throws
 * {@link TarsCallError} the caller gets that code, for anything else -99; the server goes on in any case.
 * Codes of the server itself: framework-services.md 0.2.
 * @throws Failure `TARS_ENDPOINT` or `TARS_SERVANT_INCOMPLETE` for options that cannot work
 */
export function createServer(options: ServerOptions): TarsServer {
  return new Server(options)
}

interface Port {
  readonly adapter: Adapter
  readonly listener: Listener
  readonly name: string
  readonly protocol: 'tcp' | 'udp' | 'ssl'
}

class Server implements TarsServer {
  readonly #ports: readonly Port[]
  readonly #certificates: CertificateFolder | undefined
  readonly #ended = Promise.withResolvers<void>()
  #endpoints: readonly BoundEndpoint[] = []
  #stopping: Promise<void> | undefined

  constructor(options: ServerOptions) {
    const now = (): number => performance.now()
    const limits = limitsOf(options)
    this.#certificates = options.tls === undefined ? undefined : new CertificateFolder(options.tls.folder, options.log ?? silentLogger)
    const tls = this.#certificates && { certificates: this.#certificates, required: options.tls?.required === true }
    this.#ports = options.adapters.map((adapter) => makePort({ ...common(options), ...adapterParts(adapter, options.accounts), limits, turn: new Turn(now), now, tls }))
    if (this.#certificates !== undefined) this.#certificates.onChange = () => this.#ports.forEach(({ listener }) => listener.renew?.())
    this.#ended.promise.catch(() => {})
  }

  get done(): Promise<void> {
    return this.#ended.promise
  }

  get endpoints(): readonly BoundEndpoint[] {
    return this.#endpoints
  }

  get pending(): number {
    return this.#ports.reduce((sum, port) => sum + port.adapter.pending, 0)
  }

  async start(): Promise<void> {
    const bound: BoundEndpoint[] = []
    try {
      for (const port of this.#ports) bound.push(boundEndpoint(port, await port.listener.start()))
    } catch (error) {
      await Promise.all(this.#ports.slice(0, bound.length).map((port) => port.listener.close()))
      throw error
    }
    this.#endpoints = bound
  }

  drain(deadlineMs: number): Promise<void> {
    this.#stopping ??= this.#drain(deadlineMs)
    return this.#stopping
  }

  stop(): Promise<void> {
    return this.drain(stopDrainMs)
  }

  async #drain(deadlineMs: number): Promise<void> {
    const deadline = Promise.withResolvers<void>()
    const timer = setTimeout(deadline.resolve, deadlineMs)
    for (const port of this.#ports) port.listener.stopAccepting()
    const drained = Promise.all(this.#ports.map((port) => port.listener.drained(deadlineMs).then(() => port.adapter.idle())))
    await Promise.race([drained, deadline.promise])
    clearTimeout(timer)
    for (const port of this.#ports) port.adapter.refuseWaiting()
    await Promise.all(this.#ports.map((port) => port.listener.close()))
    this.#certificates?.stop()
    this.#ended.resolve()
  }
}

function common(options: ServerOptions): Pick<ListenerParts, 'log' | 'metrics'> {
  const log = options.log ?? silentLogger
  return { log, metrics: guarded(options.metrics, log) }
}

function adapterParts(options: AdapterOptions, accounts: Accounts | undefined): Pick<ListenerParts, 'name' | 'options' | 'endpoint' | 'accounts'> {
  const endpoint = parseEndpoint(options.endpoint)
  const name = options.name ?? options.endpoint
  const closed = endpoint.authType === 1 || Object.keys(options.servants).some((object) => accounts?.objects.has(object))
  if (closed && (accounts === undefined || endpoint.protocol === 'udp')) throw new Failure('TARS_ENDPOINT', `callers of adapter ${name} are to show accounts, ${accounts === undefined ? 'and there are none' : 'which they can over connections only'}`, { remedy: 'give accounts and a tcp or ssl endpoint, or leave "-e 1" out' })
  return { name, options, endpoint, accounts: closed ? accounts : undefined }
}

function limitsOf(options: ServerOptions): ServerLimits {
  const given = Object.entries(options).filter(([name, value]) => name in defaultLimits && value !== undefined)
  return { ...defaultLimits, ...Object.fromEntries(given) }
}

function makePort(parts: ListenerParts): Port {
  const adapter = new Adapter(parts)
  const { protocol } = parts.endpoint
  if (protocol === 'ssl') {
    if (parts.tls === undefined) throw new Failure('TARS_ENDPOINT', `the endpoint "${parts.options.endpoint}" of adapter ${parts.name} is ssl, and there is no certificate`, { remedy: 'give tls, or use tcp' })
    return { adapter, protocol, name: parts.name, listener: new TcpListener({ ...parts, tls: { ...parts.tls, required: true } }, adapter) }
  }
  if (protocol === 'tcp') return { adapter, protocol, name: parts.name, listener: new TcpListener(parts, adapter) }
  return { adapter, protocol, name: parts.name, listener: new UdpListener(parts, adapter) }
}

function boundEndpoint(port: Port, address: AddressInfo): BoundEndpoint {
  return { adapter: port.name, protocol: port.protocol, host: address.address, port: address.port }
}
