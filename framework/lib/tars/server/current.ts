import { longestDnsName } from '#base/address.ts'
import { packetType, type RequestPacket, type Texts } from '../packet.ts'
import type { Channel } from './channel.ts'

/** Who sent a request. */
export interface Peer {
  readonly address: string
  readonly port: number
}

/** The request that a servant method is working on: its last argument. */
export class Current {
  readonly peer: Peer
  readonly #packet: RequestPacket
  readonly #channel: Pick<Channel, 'peer' | 'gone'>
  #responseContext: Map<string, string> | undefined
  #responseStatus: Map<string, string> | undefined

  constructor(packet: RequestPacket, channel: Pick<Channel, 'peer' | 'gone'>) {
    this.#packet = packet
    this.#channel = channel
    this.peer = channel.peer
  }

  /** Nobody can be answered any more. */
  get gone(): boolean {
    return this.#channel.gone
  }

  /** Object name that was called, as `App.Server.Obj`. */
  get servant(): string {
    return this.#packet.servant
  }

  get function(): string {
    return this.#packet.func
  }

  get requestId(): number {
    return this.#packet.requestId
  }

  /** 1 Tars, 3 TUP, 5 JSON. */
  get version(): number {
    return this.#packet.version
  }

  get messageType(): number {
    return this.#packet.messageType
  }

  /** True when the caller wants no answer. */
  get oneWay(): boolean {
    return this.#packet.packetType === packetType.oneWay
  }

  /** How long the caller waits, milliseconds; 0 when it did not say. */
  get timeoutMs(): number {
    return this.#packet.timeoutMs
  }

  /** Context of the request. */
  get context(): Texts {
    return this.#packet.context
  }

  /** Status of the request. */
  get status(): Texts {
    return this.#packet.status
  }

  /** Name of the calling node: context key `node_name` when given and no longer than names are, else the peer's address (framework-services.md 0.2). */
  get caller(): string {
    const name = this.#packet.context.get('node_name')
    return name === undefined || name === '' || name.length > longestDnsName ? this.peer.address : name
  }

  /** Context of the response; fill it before the method returns. */
  get responseContext(): Map<string, string> {
    return (this.#responseContext ??= new Map())
  }

  /** Status of the response; fill it before the method returns. */
  get responseStatus(): Map<string, string> {
    return (this.#responseStatus ??= new Map())
  }

  /** The method asked for {@link responseContext} or {@link responseStatus}. */
  get touched(): boolean {
    return this.#responseContext !== undefined || this.#responseStatus !== undefined
  }

  /** What the method put into {@link responseContext}, if anything. */
  get givenContext(): Texts | undefined {
    return this.#responseContext
  }

  /** What the method put into {@link responseStatus}, if anything. */
  get givenStatus(): Texts | undefined {
    return this.#responseStatus
  }
}
