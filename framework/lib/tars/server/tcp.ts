import { createServer, type AddressInfo, type Server as NetServer, type Socket } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Failure } from '#base/errors.ts'
import type { Adapter } from './adapter.ts'
import { Connection, type ConnectionHost } from './connection.ts'
import { listenFailure, type Listener, type ListenerParts } from './listener.ts'
import { adapterDefaults } from './options.ts'
import { FairQueue } from '#base/queue.ts'
import { TlsGate } from './tls-gate.ts'
import { Writers } from './writers.ts'

/** How often the time limits of connections are held, milliseconds; less when a limit is shorter. */
const checkEveryMs = 1000

/** Connections that the system makes for the server before it accepts them. */
const backlog = 1024

/** During a drain a connection that stayed silent this long, with nothing under way, is closed, milliseconds. */
const drainQuietMs = 200

/** A TCP port of a server. */
export class TcpListener implements Listener, ConnectionHost {
  readonly limits: ListenerParts['limits']
  readonly idleTimeoutMs: number
  readonly turn: ListenerParts['turn']
  readonly writers = new Writers()
  readonly now: () => number
  readonly #parts: ListenerParts
  readonly #adapter: Adapter
  readonly #connections = new Set<Connection>()
  readonly #net: NetServer
  /** Connections with bytes that are read in a later turn, by peer: with many of them nobody keeps the others waiting. */
  readonly #waiting = new FairQueue<Connection>()
  readonly #most: number
  /** Sockets by the address of their peer, those that have not become connections yet included. */
  readonly #peers = new Map<string, number>()
  #sockets = 0
  #gate: TlsGate | undefined
  #held = 0
  /** Unsent response bytes of all connections, as they were counted last. */
  #unsent = 0
  /** Connections so far, those that were one too many among them. */
  #arrived = 0
  #stopped: Promise<void> | undefined
  #checks: NodeJS.Timeout | undefined
  #onEmpty: (() => void) | undefined

  constructor(parts: ListenerParts, adapter: Adapter) {
    const { options, endpoint } = parts
    this.#parts = parts
    this.#adapter = adapter
    this.limits = parts.limits
    this.turn = parts.turn
    this.now = parts.now
    this.idleTimeoutMs = options.idleTimeoutMs ?? Math.max(endpoint.timeoutMs, adapterDefaults.idleTimeoutMs)
    this.#net = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#arrive(socket))
    this.#most = options.maxConnections ?? adapterDefaults.maxConnections
    if (parts.tls !== undefined) this.#gate = this.#gateOf(parts.tls)
  }

  async start(): Promise<AddressInfo> {
    const { host, port } = this.#parts.endpoint
    const { fd } = this.#parts.options
    await new Promise<void>((resolve, reject) => {
      this.#net.once('error', (error) => reject(listenFailure(this.#parts, error)))
      this.#net.listen(fd === undefined ? { host, port, backlog } : { fd }, resolve)
    })
    this.#net.on('error', (error) => this.#parts.log.error('accepting a connection failed', { adapter: this.#parts.name, error }))
    const { partialPacketMs, writeStallMs } = this.limits
    this.#checks = this.#afterReading((now) => this.#check(now), Math.min(checkEveryMs, partialPacketMs, writeStallMs, this.idleTimeoutMs))
    this.#checks.unref()
    return this.#net.address() as AddressInfo
  }

  stopAccepting(): void {
    this.#stopped ??= this.#acceptWaiting().then(() => {
      this.#net.close()
      for (const connection of this.#connections) connection.askToLeave()
    })
  }

  /**
   * Closes each connection once it is silent and has nothing under way; one that is never silent is read no more after
   * half of the time and closed when all that was read is answered. Resolves when no connection is left.
   */
  drained(deadlineMs: number): Promise<void> {
    const started = this.now()
    const timer = this.#afterReading((now) => {
      for (const connection of this.#connections) {
        const silent = connection.quiet && now - Math.max(started, connection.lastRead) >= drainQuietMs
        if (silent || now - started > deadlineMs / 2) connection.close()
        connection.check(now)
      }
    }, Math.min(drainQuietMs, deadlineMs) / 4)
    return Promise.resolve(this.#stopped).then(() => this.#empty()).finally(() => clearInterval(timer))
  }

  async close(): Promise<void> {
    clearInterval(this.#checks)
    this.#gate?.close()
    if (this.#net.listening) this.#net.close()
    for (const connection of this.#connections) connection.drop()
    await this.#empty()
  }

  onPacket(bytes: Buffer, start: number, end: number, connection: Connection, arrivedAt: number): boolean {
    return this.#adapter.onPacket(bytes, start, end, connection, arrivedAt)
  }

  readonly settle = (): boolean => this.#adapter.settle()

  mayRead(): boolean {
    return this.#adapter.mayRead()
  }

  read(): void {
    this.#adapter.read()
  }

  readLater(connection: Connection): void {
    this.#waiting.push(connection, connection.peer.address)
    if (this.#waiting.size === 1) this.#adapter.readLater(this.#readOn)
  }

  /** The connection that holds most pays for it when all together hold too much, not the one that needs a little more. */
  onHeld(delta: number, connection: Connection): boolean {
    this.#held += delta
    while (this.#held > this.limits.maxPartialBytes) {
      let most = connection
      for (const other of this.#connections) if (other.held > most.held) most = other
      if (most === connection) return false
      most.dropForMemory()
    }
    return true
  }

  /** Who reads little by each of many connections pays, not who reads slowly by one. */
  onUnsent(delta: number): void {
    this.#unsent += delta
    const { maxUnsentBytes } = this.limits
    if (delta < 0 || this.#unsent <= maxUnsentBytes) return
    // They may have sent much since.
    const peers = Map.groupBy([...this.#connections].filter((connection) => connection.countUnsent() > 0), ({ peer }) => peer.address)
    const sum = (connections: readonly Connection[]): number => connections.reduce((bytes, connection) => bytes + connection.countUnsent(), 0)
    const [most = []] = [...peers.values()].toSorted((a, b) => sum(b) - sum(a))
    for (const connection of most.toSorted((a, b) => b.countUnsent() - a.countUnsent())) if (this.#unsent > maxUnsentBytes) connection.drop(unsent(this.#unsent, maxUnsentBytes))
  }

  onClose(connection: Connection, failure: Failure | undefined): void {
    if (!this.#connections.delete(connection)) return
    this.#counted()
    if (failure !== undefined) this.#adapter.refused(failure, `${connection.peer.address}:${connection.peer.port}`)
    if (this.#connections.size === 0) this.#onEmpty?.()
  }

  #arrive(socket: Socket): void {
    this.#arrived++
    const address = socket.remoteAddress ?? ''
    if (this.#sockets >= this.#most && !this.#makeRoom(address)) {
      this.#parts.metrics?.onRefused?.(this.#parts.name, 'TARS_CONNECTION_LIMIT')
      return void socket.destroy()
    }
    this.#count(address, 1)
    socket.once('close', () => this.#count(address, -1))
    if (this.#gate === undefined) this.#accept(socket)
    else this.#gate.enter(socket)
  }

  #count(address: string, by: 1 | -1): void {
    this.#sockets += by
    const count = (this.#peers.get(address) ?? 0) + by
    if (count === 0) this.#peers.delete(address)
    else this.#peers.set(address, count)
  }

  /** When all are taken, one who has fewer gets one of the peer that has most: nobody can keep the others out. */
  #makeRoom(address: string): boolean {
    let [heaviest, most] = ['', 0]
    for (const [peer, count] of this.#peers) if (count > most) [heaviest, most] = [peer, count]
    if ((this.#peers.get(address) ?? 0) + 1 >= most) return false
    if (this.#gate?.evict(heaviest) === true) return true
    let longest: Connection | undefined
    for (const connection of this.#connections) if (connection.peer.address === heaviest && (longest === undefined || connection.lastRead < longest.lastRead)) longest = connection
    longest?.drop(shared(most))
    return longest !== undefined
  }

  #gateOf({ certificates, required }: NonNullable<ListenerParts['tls']>): TlsGate {
    return new TlsGate({
      certificate: certificates.current, required, idleMs: this.idleTimeoutMs,
      accept: (socket) => this.#accept(socket),
      refused: (code, peer) => this.#adapter.refused(notServed(code), peer),
    })
  }

  /** Another certificate is in force. */
  renew(): void {
    if (this.#parts.tls !== undefined) this.#gate?.use(this.#parts.tls.certificates.current)
  }

  /** To their peers these connections are made, and may have carried calls already. One is accepted a turn of the event loop. */
  async #acceptWaiting(): Promise<void> {
    for (let seen = -1, left = backlog; seen !== this.#arrived && left > 0; left--) {
      seen = this.#arrived
      // After the second of them, a whole turn is over.
      await nextTurn()
      await nextTurn()
    }
  }

  readonly #readOn = (): void => {
    while (this.#waiting.size > 0 && this.mayRead()) this.#waiting.shift()?.readOn()
    if (this.#waiting.size > 0) this.#adapter.readLater(this.#readOn)
    else this.#adapter.caughtUp()
  }

  #accept(socket: Socket): void {
    this.#connections.add(new Connection(socket, this))
    this.#counted()
  }

  #counted(): void {
    this.#parts.metrics?.onConnections?.(this.#parts.name, this.#connections.size)
  }

  /** Calls every `ms` with the time, once what had come by then is read: after a standstill of the process nobody is silent whose bytes only wait. */
  #afterReading(work: (now: number) => void, ms: number): NodeJS.Timeout {
    return setInterval(() => setImmediate(work, this.now()), ms)
  }

  #check(now: number): void {
    for (const connection of this.#connections) connection.check(now)
  }

  #empty(): Promise<void> {
    if (this.#connections.size === 0) return Promise.resolve()
    return new Promise((resolve) => (this.#onEmpty = resolve))
  }
}

const shared = (count: number): Failure => new Failure('TARS_CONNECTION_SHARE', `all connections are taken, ${count} of them by this peer, and another one needs one`, { remedy: 'raise maxConnections, or find out why the peer needs so many' })
const unsent = (bytes: number, limit: number): Failure => new Failure('TARS_UNSENT_MEMORY', `${bytes} response bytes of all connections are unsent; at most ${limit} are kept, and this peer has most of them`, { remedy: 'check that the peer reads its responses' })
const notServed = (code: string): Failure => new Failure(code, code === 'TARS_TLS' ? 'a TLS handshake failed' : 'the caller does not use TLS', { remedy: code === 'TARS_TLS' ? 'see whether the caller trusts the certificate' : 'use an ssl endpoint, or set TARS_TLS_REQUIRED to false' })
