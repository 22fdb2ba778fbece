import type { Socket } from 'node:net'
import type { Server as TlsServer } from 'node:tls'
import type { Certificate } from '../tls.ts'

export interface TlsGateOptions {
  readonly certificate: Certificate
  readonly required: boolean
  /** A connection without traffic is closed, milliseconds. */
  readonly idleMs: number
  readonly accept: (socket: Socket) => void
  /** A connection was closed for the reason `code`. */
  readonly refused: (code: string, peer: string) => void
}

/** What begins with this byte is TLS (RFC 8446, 5.1: handshake); no Tars packet does, as that would have a length of 352 MiB. */
const handshakeByte = 0x16
const handshakeMs = 10_000

/** Tells connections of a port apart by their first byte: TLS is taken off, and plain ones pass or are refused. */
export class TlsGate {
  readonly #options: TlsGateOptions
  readonly #tls: TlsServer
  readonly #waiting = new Set<Socket>()

  constructor(options: TlsGateOptions) {
    this.#options = options
    // Whoever serves no TLS does not load it.
    this.#tls = process.getBuiltinModule('node:tls').createServer({ ...options.certificate, allowHalfOpen: true, handshakeTimeout: handshakeMs, minVersion: 'TLSv1.2' }, options.accept)
    this.#tls.on('tlsClientError', (_error, socket) => {
      options.refused('TARS_TLS', socket.remoteAddress ?? '')
      socket.destroy()
    })
  }

  /** For connections that come from now on; those that are open stay. */
  use(certificate: Certificate): void {
    this.#tls.setSecureContext({ ...certificate, minVersion: 'TLSv1.2' })
  }

  enter(socket: Socket): void {
    this.#waiting.add(socket)
    socket.setTimeout(this.#options.idleMs, () => socket.destroy())
    socket.on('error', () => {}) // 'close' follows
    socket.once('close', () => this.#waiting.delete(socket))
    socket.once('end', () => {
      if (this.#waiting.has(socket)) socket.destroy()
    })
    socket.once('data', (chunk: Buffer) => this.#tell(socket, chunk))
  }

  /** Closes one that has said nothing yet. @returns false when there is none from this address */
  evict(address: string): boolean {
    for (const socket of this.#waiting) {
      if (socket.remoteAddress !== address) continue
      this.#waiting.delete(socket)
      socket.destroy()
      return true
    }
    return false
  }

  close(): void {
    for (const socket of this.#waiting) socket.destroy()
  }

  #tell(socket: Socket, chunk: Buffer): void {
    const { required, accept, refused } = this.#options
    this.#waiting.delete(socket)
    socket.setTimeout(0)
    socket.pause()
    socket.unshift(chunk)
    if (chunk[0] === handshakeByte) return void this.#tls.emit('connection', socket)
    if (required) {
      refused('TARS_TLS_REQUIRED', socket.remoteAddress ?? '')
      return void socket.destroy()
    }
    accept(socket)
    socket.resume()
  }
}
