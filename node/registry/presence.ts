import { createConnection, Socket } from 'node:net'
import { backoff } from '#base/retry.ts'
import { authRequest, type Account } from '#tars/auth.ts'
import type { ClientTls } from '#tars/client.ts'
import { dialTls } from '#tars/client/dial-tls.ts'
import { encodeRequest, pingFunction, version } from '#tars/packet.ts'

const RETRY = { baseMs: 500, capMs: 10_000 }
/** Shorter than a server's idle timeout; a registry that answered nothing in that time is gone. */
const PING_MS = 10_000

export const REGISTRY_OBJ = 'tars.tarsregistry.RegistryObj'

const ping = (requestId: number): Buffer => encodeRequest({ version: version.tars, requestId, servant: REGISTRY_OBJ, func: pingFunction, body: Buffer.alloc(0) })

export interface PresenceOptions {
  readonly host: string
  readonly port: number
  /** Whom it trusts; absent: it connects without TLS. */
  readonly tls: ClientTls | undefined
  /** What it shows first; absent: nothing is wanted. */
  readonly account: Account | undefined
  readonly onReturn: () => void
}

/**
 * Keeps a connection to the registry for one purpose: its end tells at once that the registry restarts, and its return
 * that the state must be told again.
 */
export class RegistryPresence {
  readonly #options: PresenceOptions
  #socket: Socket | undefined
  #timer: NodeJS.Timeout | undefined
  #failures = 0
  #pings = 0
  #heard = true
  #wasLost = false
  #stopped = false

  constructor(options: PresenceOptions) {
    this.#options = options
  }

  start(): void {
    if (this.#stopped) return
    const { host, port, tls } = this.#options
    const socket = this.#dial({ host, port })
    this.#socket = socket
    socket.on(tls === undefined ? 'connect' : 'secureConnect', () => this.#connected(socket))
    socket.on('data', () => {
      this.#heard = true
    })
    socket.on('error', () => {})
    socket.on('close', () => this.#lost())
  }

  /** Authorities that cannot be read are a registry that is away: they may come. */
  #dial(address: { readonly host: string; readonly port: number }): Socket {
    const { tls } = this.#options
    if (tls === undefined) return createConnection(address)
    try {
      return dialTls(address, address.host, tls)
    } catch {
      return new Socket().destroy(new Error('no authorities'))
    }
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
    this.#socket?.destroy()
  }

  #connected(socket: Socket): void {
    this.#failures = 0
    this.#heard = true
    if (this.#wasLost) this.#options.onReturn()
    const { account } = this.#options
    if (account !== undefined) socket.write(authRequest(REGISTRY_OBJ, account, Math.floor(Date.now() / 1000)))
    const next = (): void => {
      if (!this.#heard) return void socket.destroy()
      this.#heard = false
      socket.write(ping(++this.#pings & 0x7fffffff))
      this.#timer = setTimeout(next, PING_MS * (0.9 + 0.2 * Math.random()))
    }
    next()
  }

  #lost(): void {
    this.#wasLost = true
    this.#failures++
    clearTimeout(this.#timer)
    if (!this.#stopped) this.#timer = setTimeout(() => this.start(), backoff(this.#failures, RETRY))
  }
}
