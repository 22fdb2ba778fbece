import { connect, type Socket } from 'node:net'
import { describe, Failure } from '#base/errors.ts'
import { authRequest, isAdmitted } from '../auth.ts'
import { Reader } from '../codec/reader.ts'
import { Writer } from '../codec/writer.ts'
import { FrameReader, readResponse, reconnectMessage } from '../packet.ts'
import type { Endpoint } from '../endpoint.ts'
import type { ClientCall } from './call.ts'
import { dialTls } from './dial-tls.ts'
import { failures } from './failures.ts'
import type { Link, LinkParts } from './link.ts'
import { PendingCalls } from './pending.ts'

/** Unsent request bytes beyond this make further calls fail at once. */
const maxUnsentBytes = 64 << 20

/** How long a server has to close its end after ours, milliseconds. */
const lingerMs = 500

/** A TCP connection to one endpoint, shared by many calls; it keeps the process alive only while calls are under way. */
export class TcpLink implements Link {
  readonly ready: Promise<void>
  readonly #parts: LinkParts
  readonly #frames: FrameReader
  readonly #reader = new Reader(Buffer.alloc(0))
  readonly #writer = new Writer(4096)
  readonly #pending = new PendingCalls(() => this.#emptied())
  readonly #closed = Promise.withResolvers<void>()
  #socket: Socket | undefined
  #state: 'connecting' | 'open' | 'leaving' | 'closed' = 'connecting'
  #first = true
  #flushing = false
  /** Until the server has taken the account. */
  #admission: PromiseWithResolvers<void> | undefined
  #linger: NodeJS.Timeout | undefined

  constructor(parts: LinkParts) {
    this.#parts = parts
    this.#frames = new FrameReader(parts.options.maxPacketBytes)
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
    if (this.#pending.size >= options.maxInFlight || (this.#socket?.writableLength ?? 0) > maxUnsentBytes) return call.fail(failures.overload(label, this.#pending.size))
    try {
      call.write(this.#writer, this.#first)
    } catch (error) {
      return call.fail(error)
    }
    this.#first = false
    this.#flushSoon()
    if (call.oneWay) return call.succeed(undefined)
    if (this.#pending.size === 0) this.#socket?.ref()
    this.#pending.add(call)
  }

  end(): void {
    this.#leave(false)
  }

  async #connect(): Promise<void> {
    const { endpoint, label, options } = this.#parts
    try {
      const host = options.resolve === undefined ? endpoint.host : await options.resolve(endpoint.host)
      if (this.#state === 'connecting') await this.#dial(host, endpoint)
    } catch (error) {
      this.#over()
      throw failures.connect(label, error)
    }
    if (this.#state !== 'connecting') throw failures.connect(label, failures.stopped())
    this.#state = 'open'
  }

  async #dial(host: string, endpoint: Endpoint): Promise<void> {
    const { localAddress, tls } = this.#parts.options
    const address = { host, port: endpoint.port, noDelay: true, keepAlive: true, ...(localAddress === undefined ? {} : { localAddress }) }
    const secure = endpoint.protocol === 'ssl'
    const socket = secure ? dialTls(address, endpoint.host, tls) : connect(address)
    this.#socket = socket
    const { connectTimeoutMs } = this.#parts.options
    let dialling = true
    const giveUp = (): void => {
      if (dialling) socket.destroy(new Error(`no connection within ${connectTimeoutMs} ms`))
    }
    // Once it is seen whether it is up: after a standstill of the process that may not be known yet.
    const timer = setTimeout(setImmediate, connectTimeoutMs, giveUp)
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once(secure ? 'secureConnect' : 'connect', resolve)
        socket.once('error', reject)
        socket.once('close', () => reject(failures.stopped()))
      })
      socket.on('data', this.#read)
      socket.on('error', (error) => this.#fail(describe(error)))
      // A server that ended its side answers nothing more, and what is sent now would be lost.
      socket.on('end', () => this.#fail('the server closed it'))
      socket.on('close', () => this.#fail('the server closed it'))
      if (endpoint.authType === 1) await this.#enter(socket)
    } finally {
      dialling = false
      clearTimeout(timer)
    }
    socket.unref()
  }

  /** Shows the account. A server that does not take it closes the connection. */
  async #enter(socket: Socket): Promise<void> {
    const { label, options: { object, account } } = this.#parts
    if (account === undefined) throw new Failure('TARS_AUTH', `"${label}" wants an account, and there is none for ${object}`, { remedy: 'give accesskey and secretkey of the object' })
    this.#admission = Promise.withResolvers()
    socket.write(authRequest(object, account, Math.floor(Date.now() / 1000)))
    await this.#admission.promise
  }

  #admitted(yes: boolean): void {
    if (!yes) return this.#fail('it does not take the account')
    this.#admission?.resolve()
    this.#admission = undefined
  }

  readonly #read = (chunk: Buffer): void => {
    try {
      this.#frames.feed(chunk, this.#receive)
    } catch (error) {
      this.#parts.options.log.error('connection dropped: malformed response', { endpoint: this.#parts.label, error })
      this.#over(failures.badReply(this.#parts.label, error))
    }
  }

  readonly #receive = (bytes: Buffer, start: number, end: number): void => {
    const packet = readResponse(this.#reader, bytes, start, end)
    if (this.#admission !== undefined) return this.#admitted(isAdmitted(packet.body))
    if (packet.requestId === 0 && packet.description === reconnectMessage) return this.#leave(true)
    this.#pending.find(packet.requestId)?.answer(packet, this.#reader)
  }

  #flushSoon(): void {
    if (this.#flushing) return
    this.#flushing = true
    process.nextTick(this.#flush)
  }

  readonly #flush = (): void => {
    this.#flushing = false
    if (this.#writer.length === 0) return
    if (this.#state !== 'closed') this.#socket?.write(this.#writer.bytes())
    this.#writer.reset()
    if (this.#state === 'leaving' && this.#pending.size === 0) this.#hangUp()
  }

  // Takes no more calls, and closes when the last is answered.
  #leave(lost: boolean): void {
    if (this.#state === 'connecting') return this.#over()
    if (this.#state !== 'open') return
    this.#state = 'leaving'
    this.#parts.onEnd(this, lost)
    if (this.#pending.size === 0 && !this.#flushing) this.#hangUp()
  }

  #emptied(): void {
    if (this.#state === 'leaving') this.#hangUp()
    else this.#socket?.unref()
  }

  // Sends what is unsent and closes; a server that does not close its end in turn is not waited for long.
  #hangUp(): void {
    this.#socket?.ref().end()
    this.#linger ??= setTimeout(() => this.#over(), lingerMs)
  }

  #fail(why: string): void {
    this.#over(failures.closed(this.#parts.label, why))
  }

  #over(failure = failures.closed(this.#parts.label, 'it was closed')): void {
    if (this.#state === 'closed') return
    const before = this.#state
    this.#state = 'closed'
    this.#admission?.reject(failure)
    this.#frames.stop()
    this.#socket?.destroy()
    clearTimeout(this.#linger)
    if (before !== 'leaving') this.#parts.onEnd(this, before === 'open')
    this.#pending.failAll(failure)
    this.#closed.resolve()
  }
}
