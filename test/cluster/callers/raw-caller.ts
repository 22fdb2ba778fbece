// A caller in a pod that does everything by hand: sockets that it keeps, endpoints that it asks the registry for each minute as
// native clients do, a call every few milliseconds to each in turn, and no second try. Says each second how it went.
import { connect, type Socket } from 'node:net'
import { Writer } from '#tars/codec/writer.ts'
import { Communicator } from '#tars/client.ts'
import { decodeResponse, encodeRequest, FrameReader, version } from '#tars/packet.ts'
import { QueryF, type EndpointF, type QueryFProxy } from '#tars/protocol/QueryF.ts'

/** What it prints, one JSON document a line. */
export interface Tally {
  readonly calls: number
  readonly failures: readonly string[]
  /** Calls by the address that answered them. */
  readonly peers: Readonly<Record<string, number>>
}

const refreshMs = 60_000
const pauseMs = 20
/** Long: a call that is not answered for want of a CPU is not lost. */
const timeoutMs = 60_000
const [object = '', locator = ''] = process.argv.slice(2)

const query = new Communicator({ timeoutMs }).proxy<QueryFProxy>(QueryF, locator)
const tally = { calls: 0, failures: [] as string[], peers: {} as Record<string, number> }
let endpoints: readonly EndpointF[] = []

/** One connection; it is made anew when a call finds it ended. */
class Line {
  readonly #waiting = new Map<number, { done(): void; fail(why: string): void }>()
  #socket: Socket | undefined
  #ids = 0
  readonly #host: string
  readonly #port: number

  constructor(host: string, port: number) {
    this.#host = host
    this.#port = port
  }

  greet(): Promise<void> {
    const id = ++this.#ids
    const body = new Writer(64)
    body.writeString(1, 'you')
    const socket = (this.#socket ??= this.#open())
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => fail('no answer in time'), timeoutMs)
      const end = (): void => (clearTimeout(timer), void this.#waiting.delete(id))
      const fail = (why: string): void => (end(), reject(new Error(why)))
      this.#waiting.set(id, { done: () => (end(), resolve()), fail })
      socket.write(encodeRequest({ version: version.tars, requestId: id, servant: object, func: 'greet', body: body.take(0) }))
    })
  }

  #open(): Socket {
    const frames = new FrameReader(1 << 20)
    const socket = connect({ host: this.#host, port: this.#port })
    const over = (why: string): void => {
      if (this.#socket === socket) this.#socket = undefined
      for (const call of [...this.#waiting.values()]) call.fail(why)
    }
    socket.on('data', (chunk: Buffer) => void frames.feed(chunk, (bytes, start, end) => this.#answered(socket, bytes.subarray(start, end))))
    socket.on('error', (error) => over(String(error))).on('close', () => over('the connection was closed under the call'))
    return socket
  }

  #answered(socket: Socket, packet: Buffer): void {
    const { requestId, ret, description } = decodeResponse(packet)
    const call = this.#waiting.get(requestId)
    if (ret !== 0) return call?.fail(`ret ${ret} ${description}`)
    const peer = socket.remoteAddress ?? ''
    tally.peers[peer] = (tally.peers[peer] ?? 0) + 1
    call?.done()
  }
}

const lines = new Map<string, Line>()
function lineTo({ host, port }: EndpointF): Line {
  const known = lines.get(host) ?? new Line(host, port)
  lines.set(host, known)
  return known
}

async function refresh(): Promise<void> {
  const found = await query.findObjectByIdInSameGroup(object)
  // As native clients take it: nobody is no news.
  if (found.return === 0 && found.activeEp.length > 0) endpoints = found.activeEp
}

await refresh()
if (endpoints.length === 0) throw new Error(`nobody serves ${object}`)
setInterval(() => void refresh().catch((error: unknown) => tally.failures.push(`${new Date().toISOString()} refresh: ${String(error)}`)), refreshMs)
setInterval(() => console.log(JSON.stringify(tally)), 1000)
process.once('SIGTERM', () => process.exit(0))
setInterval(() => {
  const endpoint = endpoints[tally.calls++ % endpoints.length]
  if (endpoint === undefined) return
  lineTo(endpoint).greet().catch((error: Error) => tally.failures.push(`${new Date().toISOString()} ${endpoint.host}: ${error.message}`))
}, pauseMs)
