import type { Socket } from 'node:net'
import { Failure } from '#base/errors.ts'
import { free } from '#base/free.ts'
import type { Writer } from '../codec/writer.ts'
import { encodeResponse, FrameReader, reconnectMessage } from '../packet.ts'
import type { Channel } from './channel.ts'
import type { Peer } from './current.ts'
import type { ServerLimits } from './options.ts'
import { Outbox } from './outbox.ts'
import type { Turn } from './turn.ts'
import type { Writers } from './writers.ts'

/** A batch is sent before its turn ends when it grows beyond this. */
const batchBytes = 64 * 1024

/** After our end of a connection is closed the peer has this long to close its own, milliseconds; then it is dropped. */
const lingerMs = 1000

/** What a connection needs of its adapter. */
export interface ConnectionHost {
  readonly limits: ServerLimits
  readonly idleTimeoutMs: number
  readonly turn: Turn
  readonly writers: Writers
  readonly now: () => number
  /** Whether packets are to be read now; {@link read} follows. */
  mayRead(): boolean
  read(): void
  /** Calls {@link Connection.readOn} when they are. */
  readLater(connection: Connection): void
  /** Starts the calls that were put off. Returns whether their bytes are needed no more. */
  readonly settle: () => boolean
  /** One packet without its header. Returns whether its bytes are needed no more, once `settle` says the same. Throws a Failure when it is none. */
  onPacket(bytes: Buffer, start: number, end: number, connection: Connection, arrivedAt: number): boolean
  /** Memory held for incomplete packets changed. Returns false when the adapter holds too much. */
  onHeld(delta: number, connection: Connection): boolean
  /** Bytes of responses that are unsent became more or fewer. */
  onUnsent(delta: number): void
  /** It is over; `failure` when the server ended it. */
  onClose(connection: Connection, failure: Failure | undefined): void
}

/** One accepted TCP connection: cuts packets, gathers responses of a turn into one write, and holds the limits. */
export class Connection implements Channel {
  readonly peer: Peer
  readonly maxBytes: number
  account: string | undefined
  readonly #socket: Socket
  readonly #host: ConnectionHost
  readonly #frames: FrameReader
  readonly #outbox: Outbox
  /** Bytes for a later turn, and when they came; the socket is paused meanwhile. */
  #unread: Buffer | undefined
  #unreadSince = 0
  #batch: Writer | undefined
  #inFlight = 0
  #held = 0
  #partialSince = 0
  #lastRead: number
  #lastSent: number
  #lastUnsent = 0
  /** Unsent bytes that the host knows of. */
  #unsent = 0
  #paused = false
  #asked = false
  #leaveVersion = 0
  #peerEnded = false
  #closing = false
  #finishedAt = -1
  #closed = false

  constructor(socket: Socket, host: ConnectionHost) {
    this.#socket = socket
    this.#host = host
    this.maxBytes = host.limits.maxPacketBytes
    this.peer = { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 }
    this.#frames = new FrameReader(host.limits.maxPacketBytes)
    this.#outbox = new Outbox(socket, this.#drained)
    this.#lastRead = this.#lastSent = host.now()
    socket.setNoDelay(true)
    socket.on('data', this.#read)
    socket.on('end', this.#ended)
    socket.on('error', () => {}) // 'close' follows
    socket.on('close', () => this.#over(undefined))
  }

  begin(): void {
    this.#inFlight++
  }

  end(): void {
    this.#inFlight--
    if (this.#inFlight === 0 && (this.#peerEnded || this.#closing)) this.#finish()
  }

  open(): Writer | undefined {
    if (this.#closed || this.#finishedAt >= 0) return undefined
    if (this.#batch === undefined) {
      this.#batch = this.#host.writers.borrow()
      this.#host.turn.atEnd(this.#flush)
    }
    return this.#batch
  }

  commit(): void {
    if (this.#batch !== undefined && this.#batch.length > batchBytes) this.#flush()
  }

  /** Nothing under way in either direction. */
  get quiet(): boolean {
    return this.#inFlight === 0 && this.#unread === undefined && !this.#frames.partial && this.#batch === undefined && this.#outbox.bytes === 0
  }

  /** Monotonic milliseconds of the last bytes received. */
  get lastRead(): number {
    return this.#lastRead
  }

  /** Bytes of a packet that is not complete. */
  get held(): number {
    return this.#held
  }

  /** Others need the memory that it holds. */
  dropForMemory(): void {
    this.drop(tooMuchHeld(this.#held))
  }

  /** Bytes of responses that the operating system has not taken; the host knows of them then. */
  countUnsent(): number {
    const delta = (this.#closed ? 0 : this.#outbox.bytes) - this.#unsent
    this.#unsent += delta
    if (delta !== 0) this.#host.onUnsent(delta)
    return this.#unsent
  }

  agreesToLeave(version: number): void {
    this.#leaveVersion = version
  }

  get gone(): boolean {
    return this.#closed
  }

  /** Asks a peer that understands it to use another connection; this one goes on serving until {@link close}. */
  askToLeave(): void {
    this.#asked = true
    if (this.#leaveVersion > 0) this.open()?.writeRaw(encodeResponse({ version: this.#leaveVersion, requestId: 0, description: reconnectMessage }))
  }

  /** Reads no more, and closes once what is under way has been answered and sent. */
  close(): void {
    if (this.#closing) return
    this.#closing = true
    this.#socket.pause()
    if (this.#inFlight === 0) this.#finish()
  }

  /** Closes now. */
  drop(failure?: Failure): void {
    this.#over(failure)
  }

  /** Holds the time limits; called now and then. */
  check(now: number): void {
    const { partialPacketMs, writeStallMs } = this.#host.limits
    if (this.#frames.partial && this.#unread === undefined && now - this.#partialSince > partialPacketMs) return this.drop(slow(partialPacketMs))
    if (this.#outbox.bytes !== this.#lastUnsent || this.#outbox.bytes === 0) this.#lastSent = now
    this.#lastUnsent = this.countUnsent()
    if (now - this.#lastSent > writeStallMs) return this.drop(stalled(this.#outbox.bytes, writeStallMs))
    if (this.#finishedAt >= 0 && this.#outbox.bytes === 0 && now - this.#finishedAt > lingerMs) return this.drop()
    if (this.quiet && now - this.#lastRead > this.#host.idleTimeoutMs) this.#retire()
  }

  // First asks the peer to leave, so that it does not send a call into a connection that is being closed.
  #retire(): void {
    if (this.#asked) return this.close()
    this.askToLeave()
  }

  /** Takes what was put off, and goes on. */
  readOn(): void {
    const unread = this.#unread
    this.#unread = undefined
    if (this.#closed || unread === undefined) return
    this.#lastRead = this.#host.now()
    this.#take(unread, this.#unreadSince)
    if (this.#closed) return
    if (!this.#paused && !this.#closing) this.#socket.resume()
    if (this.#inFlight === 0 && (this.#peerEnded || this.#closing)) this.#finish()
  }

  readonly #read = (chunk: Buffer): void => {
    this.#lastRead = this.#host.turn.read()
    if (this.#host.mayRead()) return this.#take(chunk, this.#lastRead)
    this.#unread = chunk
    this.#unreadSince = this.#lastRead
    this.#socket.pause()
    this.#host.readLater(this)
  }

  #take(chunk: Buffer, arrivedAt: number): void {
    try {
      const count = this.#frames.feed(chunk, (bytes, start, end) => this.#host.onPacket(bytes, start, end, this, arrivedAt), this.#host.settle)
      if (!this.#frames.partial || count > 0 || this.#held === 0) this.#partialSince = this.#lastRead
    } catch (error) {
      return this.drop(error as Failure)
    } finally {
      this.#host.read()
    }
    this.#account()
  }

  #account(): void {
    const delta = this.#frames.heldBytes - this.#held
    if (delta === 0) return
    this.#held += delta
    if (!this.#host.onHeld(delta, this) && delta > 0) this.drop(tooMuchHeld(this.#held))
  }

  readonly #flush = (): void => {
    const batch = this.#batch
    if (batch === undefined) return
    this.#batch = undefined
    if (this.#closed || batch.length === 0) this.#host.writers.give(batch)
    else this.#send(batch)
    if (this.#inFlight === 0 && (this.#peerEnded || this.#closing)) this.#finish()
  }

  #send(batch: Writer): void {
    const { pauseWriteBytes, maxWriteBytes } = this.#host.limits
    if (this.#outbox.bytes === 0) this.#outbox.push(batch.view(), () => this.#host.writers.give(batch))
    else {
      const copy = batch.bytes()
      this.#host.writers.give(batch)
      this.#outbox.push(copy, () => free(copy))
    }
    if (this.#outbox.bytes > maxWriteBytes) return this.drop(unread(this.#outbox.bytes, maxWriteBytes))
    if (this.#outbox.bytes !== this.#unsent) this.countUnsent()
    if (this.#outbox.bytes <= pauseWriteBytes || this.#paused || this.#closed) return
    this.#paused = true
    this.#socket.pause()
  }

  readonly #drained = (): void => {
    if (!this.#paused || this.#closing) return
    this.#paused = false
    if (this.#unread === undefined) this.#socket.resume()
  }

  // The peer sends no more; it may still read answers.
  readonly #ended = (): void => {
    this.#peerEnded = true
    if (this.#inFlight === 0) this.#finish()
  }

  #finish(): void {
    if (this.#closed || this.#finishedAt >= 0 || this.#batch !== undefined || this.#unread !== undefined) return // the flush or readOn comes back here
    this.#finishedAt = this.#host.now()
    this.#frames.stop()
    this.#outbox.end()
    if (!this.#peerEnded) this.#socket.resume() // so that the peer's end is seen
  }

  #over(failure: Failure | undefined): void {
    if (this.#closed) return
    this.#closed = true
    this.#frames.stop()
    this.#account()
    this.countUnsent()
    this.#socket.destroy()
    this.#host.onClose(this, failure)
  }
}

const slow = (ms: number): Failure => new Failure('TARS_PACKET_SLOW', `a packet was not complete ${ms} ms after its first byte`, { remedy: 'check the peer and the network between' })
const stalled = (bytes: number, ms: number): Failure => new Failure('TARS_PEER_STALLED', `the peer took none of ${bytes} response bytes for ${ms} ms`, { remedy: 'check that the peer reads its responses' })
const unread = (bytes: number, limit: number): Failure => new Failure('TARS_PEER_UNREAD', `${bytes} response bytes are unsent; at most ${limit} are kept`, { remedy: 'check that the peer reads its responses' })
const tooMuchHeld = (bytes: number): Failure => new Failure('TARS_PARTIAL_MEMORY', `incomplete packets of all connections need too much memory (${bytes} bytes for this one)`, { remedy: 'raise maxPartialBytes, or find the peers that send incomplete packets' })
