import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { isIPv6, type AddressInfo } from 'node:net'
import { Failure } from '#base/errors.ts'
import { Writer } from '../codec/writer.ts'
import type { Adapter } from './adapter.ts'
import type { Channel } from './channel.ts'
import type { Peer } from './current.ts'
import { listenFailure, type Listener, type ListenerParts } from './listener.ts'

/** What one UDP datagram holds at most over IPv4. */
const maxDatagramBytes = 65_507

/** A UDP port of a server: one packet a datagram. A malformed datagram is dropped, as nothing identifies its call. */
export class UdpListener implements Listener {
  readonly #parts: ListenerParts
  readonly #adapter: Adapter
  readonly #socket: Socket
  #closed = false

  constructor(parts: ListenerParts, adapter: Adapter) {
    this.#parts = parts
    this.#adapter = adapter
    this.#socket = createSocket(isIPv6(parts.endpoint.host) ? 'udp6' : 'udp4')
  }

  async start(): Promise<AddressInfo> {
    const { host, port } = this.#parts.endpoint
    await new Promise<void>((resolve, reject) => {
      this.#socket.once('error', (error) => reject(listenFailure(this.#parts, error)))
      this.#socket.bind({ address: host, port }, resolve)
    })
    this.#socket.on('error', (error) => this.#parts.log.error('a datagram socket failed', { adapter: this.#parts.name, error }))
    this.#socket.on('message', this.#receive)
    return this.#socket.address()
  }

  stopAccepting(): void {
    this.#socket.off('message', this.#receive)
  }

  async drained(): Promise<void> {
    await this.#adapter.idle()
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()))
  }

  readonly #receive = (datagram: Buffer, from: RemoteInfo): void => {
    try {
      const size = datagram.length < 4 ? 0 : datagram.readUInt32BE(0)
      if (size !== datagram.length || size < 5) throw new Failure('TARS_PACKET_LENGTH', `a datagram of ${datagram.length} bytes claims ${size}`)
      this.#adapter.onPacket(datagram, 4, size, new DatagramPeer(from, this.#send), this.#parts.turn.read())
    } catch (error) {
      this.#adapter.refused(error as Failure, `${from.address}:${from.port}`)
    }
  }

  readonly #send = (bytes: Buffer, peer: Peer): void => {
    if (this.#closed) return
    this.#socket.send(bytes, peer.port, peer.address)
  }
}

/** The sender of one datagram: it gets one datagram back. */
class DatagramPeer implements Channel {
  readonly peer: Peer
  readonly maxBytes = maxDatagramBytes
  readonly account = undefined
  readonly gone = false
  readonly #send: (bytes: Buffer, peer: Peer) => void
  #writer: Writer | undefined

  constructor(from: RemoteInfo, send: (bytes: Buffer, peer: Peer) => void) {
    this.peer = { address: from.address, port: from.port }
    this.#send = send
  }

  agreesToLeave(): void {}

  begin(): void {}

  end(): void {}

  open(): Writer {
    return (this.#writer ??= new Writer())
  }

  commit(): void {
    const writer = this.#writer
    this.#writer = undefined
    if (writer !== undefined && writer.length > 0) this.#send(writer.take(0), this.peer)
  }
}
