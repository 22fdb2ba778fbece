// The load of the benchmark: requests that are encoded before the clock starts, over a few connections, in a process of its own.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { Reader } from '#tars/codec/reader.ts'
import { FrameReader, readResponse, type ResponsePacket } from '#tars/packet.ts'

export interface Target {
  readonly host: string
  readonly port: number
  /** Whole request packets, sent in turn, each with an id of {@link firstId} or more. */
  readonly requests: readonly Buffer[]
  readonly connections: number
  /** Codes besides 0 that an answer may have, e.g. -9 for what was shed. Default none. */
  readonly refusals?: readonly number[]
}

export interface Load {
  /** Requests answered with 0 within the window. */
  readonly answered: number
  /** Requests answered with one of {@link Target.refusals}. */
  readonly refused: number
  readonly seconds: number
  /** CPU time of the client process over the window, share of one core. */
  readonly clientCpu: number
  /** Milliseconds from send to answer; of a window at a fixed rate. */
  readonly latencies: Float64Array
}

/** Ids from here on take four bytes, so that a packet is sent with another one in place. */
export const firstId = 1 << 16
/** Of a request packet: length header, version, packet type, message type, head of the id. */
const idOffset = 9
const idHead = 0x42
/** Milliseconds whose requests are sent at once at most, at a fixed rate. */
const longestTickMs = 5
/** Requests under way at once that are told apart. */
const ring = 1 << 20

/** A client with its connections open. */
export class LoadClient {
  readonly #target: Target
  readonly #sockets: Socket[] = []
  readonly #sentAt = new Float64Array(ring)
  readonly #reader = new Reader(Buffer.alloc(0))
  #next = 0
  #answered = 0
  #refused = 0
  #failure: Error | undefined
  readonly #broken = Promise.withResolvers<never>()
  /** What to do about answers on a connection. */
  #onAnswers: (socket: Socket, count: number) => void = () => {}
  #latencies: number[] | undefined

  constructor(target: Target) {
    this.#target = target
    this.#broken.promise.catch(() => {})
    if (target.requests.some((request) => request[idOffset - 1] !== idHead)) throw new Error(`each request must have an id of ${firstId} or more`)
  }

  async open(): Promise<void> {
    for (let i = 0; i < this.#target.connections; i++) this.#sockets.push(await this.#connect())
  }

  /** Keeps `underWay` requests under way on each connection for `ms`, after as long as `warmUpMs`. */
  async saturate({ underWay, ms, warmUpMs = 0 }: { readonly underWay: number; readonly ms: number; readonly warmUpMs?: number }): Promise<Load> {
    let running = true
    let open = 0
    const idle = Promise.withResolvers<void>()
    this.#onAnswers = (socket, count) => {
      if (running) return this.#send(socket, count)
      open -= count
      if (open === 0) idle.resolve()
    }
    for (const socket of this.#sockets) this.#send(socket, underWay)
    await pause(warmUpMs)
    const load = await this.#window(() => pause(ms))
    open = underWay * this.#sockets.length
    running = false
    await Promise.race([idle.promise, this.#broken.promise])
    return load
  }

  /** Sends each request once, with `underWay` of them under way on each connection while there are more, and waits for the answers. */
  async once({ underWay }: { readonly underWay: number }): Promise<Load> {
    let unsent = this.#target.requests.length
    let open = unsent
    const done = Promise.withResolvers<void>()
    const send = (socket: Socket, most: number): void => {
      const count = Math.min(most, unsent)
      unsent -= count
      if (count > 0) this.#send(socket, count)
    }
    this.#onAnswers = (socket, count) => {
      open -= count
      if (open === 0) done.resolve()
      send(socket, count)
    }
    return this.#window(() => {
      for (const socket of this.#sockets) send(socket, underWay)
      return Promise.race([done.promise, this.#broken.promise])
    })
  }

  /** Sends `perSecond` requests a second for `ms`, whatever is answered, and waits for the answers. */
  async paced({ perSecond, ms }: { readonly perSecond: number; readonly ms: number }): Promise<Load> {
    let open = 0
    this.#onAnswers = (_, count) => void (open -= count)
    this.#latencies = []
    const load = await this.#window(async () => {
      const began = performance.now()
      let [sent, last, due] = [0, began, 0]
      for (let now = began; now - began < ms; now = performance.now()) {
        // What was not sent because this process did not run is left out: all of it at once would be another load.
        due += (Math.min(now - last, longestTickMs) * perSecond) / 1000
        last = now
        const count = Math.floor(due)
        due -= count
        sent += count
        open += count
        this.#spread(count)
        await pause(1)
      }
      const patience = performance.now() + 5000
      while (open > 0 && performance.now() < patience) await pause(1)
      if (open > 0) throw new Error(`${open} of ${sent} requests were not answered`)
    })
    this.#latencies = undefined
    return load
  }

  async close(): Promise<void> {
    this.#onAnswers = () => {}
    await Promise.all(this.#sockets.map((socket) => {
      socket.removeAllListeners('close').destroy()
      return once(socket, 'close')
    }))
  }

  async #window(work: () => Promise<void>): Promise<Load> {
    const [began, cpu, answered, refused] = [performance.now(), process.cpuUsage(), this.#answered, this.#refused]
    await work()
    const seconds = (performance.now() - began) / 1000
    const used = process.cpuUsage(cpu)
    if (this.#failure !== undefined) throw this.#failure
    return { answered: this.#answered - answered, refused: this.#refused - refused, seconds, clientCpu: (used.user + used.system) / 1e6 / seconds, latencies: Float64Array.from(this.#latencies ?? []) }
  }

  #fail(error: Error): void {
    this.#failure ??= error
    this.#broken.reject(error)
  }

  #spread(count: number): void {
    const each = Math.ceil(count / this.#sockets.length)
    for (const socket of this.#sockets) {
      const some = Math.min(each, count)
      if (some > 0) this.#send(socket, some)
      count -= some
    }
  }

  #send(socket: Socket, count: number): void {
    const { requests } = this.#target
    const now = performance.now()
    const batch = Buffer.concat(Array.from({ length: count }, (_, i) => requests[(this.#next + i) % requests.length] as Buffer))
    for (let at = 0; at < batch.length; at += batch.readUInt32BE(at)) {
      const id = this.#next++ % ring
      this.#sentAt[id] = now
      batch.writeInt32BE(firstId + id, at + idOffset)
    }
    socket.write(batch)
  }

  async #connect(): Promise<Socket> {
    const { host, port } = this.#target
    const socket = connect({ host, port, noDelay: true })
    await once(socket, 'connect')
    const frames = new FrameReader(64 << 20)
    socket.on('error', (error) => this.#fail(error))
    socket.on('close', () => this.#fail(new Error('the server closed a connection')))
    socket.on('data', (chunk: Buffer) => {
      const count = frames.feed(chunk, this.#take)
      if (count > 0) this.#onAnswers(socket, count)
    })
    return socket
  }

  readonly #take = (bytes: Buffer, start: number, end: number): void => {
    const response = readResponse(this.#reader, bytes, start, end)
    if (response.ret === 0) this.#answered++
    else if (this.#target.refusals?.includes(response.ret) === true) this.#refused++
    else this.#fail(unexpected(response))
    this.#latencies?.push(performance.now() - (this.#sentAt[response.requestId - firstId] as number))
  }
}

const unexpected = ({ ret, description, body }: ResponsePacket): Error => new Error(`unexpected answer: code ${ret} ${description}, ${body.length} bytes`)
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

