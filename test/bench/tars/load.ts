// The client of the benchmark: it keeps a fixed number of requests under way over a few connections. The requests are
// encoded before the clock starts, and a response is checked by its length and code, so that it costs little beside a server.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { decodeResponse, FrameReader } from '#tars/packet.ts'

export interface Load {
  /** Requests answered within the window. */
  readonly answered: number
  readonly seconds: number
  /** CPU time of this client process over the window, share of one core. */
  readonly clientCpu: number
}

export interface LoadOptions {
  readonly host: string
  readonly port: number
  /** One whole request packet. */
  readonly request: Buffer
  readonly connections: number
  readonly concurrentEach: number
}

/** A client with its connections open and the load running. */
export class LoadClient {
  readonly #options: LoadOptions
  readonly #sockets: Socket[] = []
  #answered = 0
  #expected = 0
  #running = true
  #failure: Error | undefined

  constructor(options: LoadOptions) {
    this.#options = options
  }

  async start(): Promise<void> {
    const { connections, concurrentEach, request } = this.#options
    for (let i = 0; i < connections; i++) await this.#open()
    for (const socket of this.#sockets) socket.write(Buffer.concat(Array.from({ length: concurrentEach }, () => request)))
  }

  /** Runs on for `ms` and tells what was answered meanwhile. */
  async measure(ms: number): Promise<Load> {
    const [began, cpu, before] = [performance.now(), process.cpuUsage(), this.#answered]
    await new Promise((resolve) => setTimeout(resolve, ms))
    const seconds = (performance.now() - began) / 1000
    const used = process.cpuUsage(cpu)
    if (this.#failure !== undefined) throw this.#failure
    return { answered: this.#answered - before, seconds, clientCpu: (used.user + used.system) / 1e6 / seconds }
  }

  async stop(): Promise<void> {
    this.#running = false
    await Promise.all(this.#sockets.map((socket) => {
      socket.destroy()
      return once(socket, 'close')
    }))
  }

  async #open(): Promise<void> {
    const socket = connect({ host: this.#options.host, port: this.#options.port, noDelay: true })
    await once(socket, 'connect')
    const frames = new FrameReader(10 << 20)
    const batch = Buffer.concat(Array.from({ length: this.#options.concurrentEach }, () => this.#options.request))
    socket.on('error', (error) => (this.#failure ??= error))
    socket.on('close', () => { if (this.#running) this.#failure ??= new Error('the server closed a connection') })
    socket.on('data', (chunk: Buffer) => {
      const count = frames.feed(chunk, this.#check)
      this.#answered += count
      if (count > 0 && this.#running) socket.write(batch.subarray(0, count * this.#options.request.length))
    })
    this.#sockets.push(socket)
  }

  readonly #check = (bytes: Buffer, start: number, end: number): void => {
    if (end - start === this.#expected) return
    const { ret, description, body } = decodeResponse(Buffer.from(bytes.subarray(start, end)))
    if (this.#expected !== 0 || ret !== 0 || body.length < 60) this.#failure ??= new Error(`unexpected response: code ${ret} ${description}, ${body.length} bytes`)
    this.#expected = end - start
  }
}
