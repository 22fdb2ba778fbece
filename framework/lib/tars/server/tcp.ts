import { createServer, type AddressInfo, type Server as NetServer, type Socket } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Failure } from '#base/errors.ts'
import type { Adapter } from './adapter.ts'
import { Connection, type ConnectionHost } from './connection.ts'
import { listenFailure, type Listener, type ListenerParts } from './listener.ts'
import { adapterDefaults } from './options.ts'
import { Queue } from './queue.ts'
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
  /** Connections with bytes that are read in a later turn. */
  readonly #waiting = new Queue<Connection>()
  #held = 0
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
    this.#net = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket))
    this.#net.maxConnections = options.maxConnections ?? adapterDefaults.maxConnections
    this.#net.on('drop', () => {
      this.#arrived++
      parts.metrics?.onRefused?.(parts.name, 'TARS_CONNECTION_LIMIT')
    })
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
    this.#checks = setInterval(() => this.#check(), Math.min(checkEveryMs, partialPacketMs, writeStallMs, this.idleTimeoutMs))
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
    const timer = setInterval(() => {
      const now = this.now()
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
    if (this.#net.listening) this.#net.close()
    for (const connection of this.#connections) connection.drop()
    await this.#empty()
  }

  onPacket(bytes: Buffer, start: number, end: number, connection: Connection, now: number): void {
    this.#adapter.onPacket(bytes, start, end, connection, now)
  }

  get sated(): boolean {
    return this.#adapter.sated
  }

  reading(): number {
    return this.#adapter.reading()
  }

  read(since: number): void {
    this.#adapter.read(since)
  }

  readLater(connection: Connection): void {
    this.#waiting.push(connection)
    if (this.#waiting.size === 1) this.turn.atEnd(this.#readOn)
  }

  onHeld(delta: number): boolean {
    this.#held += delta
    return this.#held <= this.limits.maxPartialBytes
  }

  onClose(connection: Connection, failure: Failure | undefined): void {
    if (!this.#connections.delete(connection)) return
    this.#counted()
    if (failure !== undefined) this.#adapter.refused(failure, `${connection.peer.address}:${connection.peer.port}`)
    if (this.#connections.size === 0) this.#onEmpty?.()
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
    while (this.#waiting.size > 0 && !this.sated) this.#waiting.shift()?.readOn()
    if (this.#waiting.size > 0) this.turn.atEnd(this.#readOn)
  }

  #accept(socket: Socket): void {
    this.#arrived++
    this.#connections.add(new Connection(socket, this))
    this.#counted()
  }

  #counted(): void {
    this.#parts.metrics?.onConnections?.(this.#parts.name, this.#connections.size)
  }

  #check(): void {
    const now = this.now()
    for (const connection of this.#connections) connection.check(now)
  }

  #empty(): Promise<void> {
    if (this.#connections.size === 0) return Promise.resolve()
    return new Promise((resolve) => (this.#onEmpty = resolve))
  }
}
