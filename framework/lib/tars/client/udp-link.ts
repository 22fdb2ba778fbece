import { createSocket, type Socket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import { Reader } from '../codec/reader.ts'
import { Writer } from '../codec/writer.ts'
import { readResponse } from '../packet.ts'
import type { ClientCall } from './call.ts'
import { failures } from './failures.ts'
import type { Link, LinkParts } from './link.ts'
import { PendingCalls } from './pending.ts'

/** A UDP socket to one endpoint, one packet a datagram; datagrams that are no response are ignored. */
export class UdpLink implements Link {
  readonly ready: Promise<void>
  readonly #parts: LinkParts
  readonly #reader = new Reader(Buffer.alloc(0))
  readonly #writer = new Writer()
  readonly #pending = new PendingCalls(() => this.#emptied())
  readonly #closed = Promise.withResolvers<void>()
  #socket: Socket | undefined
  #state: 'connecting' | 'open' | 'leaving' | 'closed' = 'connecting'

  constructor(parts: LinkParts) {
    this.#parts = parts
    this.ready = this.#connect()
    this.ready.catch(() => {})
  }

  get closed(): Promise<void> {
    return this.#closed.promise
  }

  get open(): boolean {
    return this.#state === 'open'
  }

  send(call: ClientCall): void {
    const { label, options } = this.#parts
    if (this.#pending.size >= options.maxInFlight) return call.fail(failures.overload(label, this.#pending.size))
    try {
      call.write(this.#writer.reset())
    } catch (error) {
      return call.fail(error)
    }
    if (!call.oneWay) this.#await(call)
    this.#socket?.send(this.#writer.bytes(), (error) => {
      if (error !== null) call.fail(failures.closed(label, error.message, error))
      else if (call.oneWay) call.succeed(undefined)
    })
  }

  end(): void {
    if (this.#state === 'open') this.#state = 'leaving'
    if (this.#pending.size === 0) this.#over()
  }

  #await(call: ClientCall): void {
    if (this.#pending.size === 0) this.#socket?.ref()
    this.#pending.add(call)
  }

  async #connect(): Promise<void> {
    const { endpoint, label, options } = this.#parts
    try {
      // Loaded when needed: it starts a resolver of its own, which few processes use.
      const { lookup } = await import('node:dns/promises')
      const host = options.resolve === undefined ? (await lookup(endpoint.host)).address : await options.resolve(endpoint.host)
      const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4')
      this.#socket = socket
      await new Promise<void>((resolve, reject) => {
        socket.once('error', reject)
        socket.connect(endpoint.port, host, resolve)
      })
      socket.removeAllListeners('error')
      // A port that nobody listens on shows up here, by ICMP.
      socket.on('error', (error) => this.#pending.failAll(failures.closed(label, error.message, error)))
      socket.on('message', this.#receive)
      socket.unref()
    } catch (error) {
      this.#over()
      throw failures.connect(label, error)
    }
    if (this.#state === 'connecting') this.#state = 'open'
  }

  readonly #receive = (datagram: Buffer): void => {
    try {
      const packet = readResponse(this.#reader, datagram, 4, datagram.length)
      this.#pending.find(packet.requestId)?.answer(packet, this.#reader)
    } catch (error) {
      this.#parts.options.log.error('datagram ignored: malformed response', { endpoint: this.#parts.label, error })
    }
  }

  #emptied(): void {
    if (this.#state === 'leaving') this.#over()
    else this.#socket?.unref()
  }

  #over(): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#parts.onEnd(this, false)
    this.#socket?.close()
    this.#pending.failAll(failures.closed(this.#parts.label, 'it was closed'))
    this.#closed.resolve()
  }
}
