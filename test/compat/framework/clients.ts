// Clients of other make, all told what to send by tags and names.
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { connect } from 'node:net'
import { body, field, readBody, readResponse, requestPacket, type Fields, type Read, type Value } from './spec-codec.ts'

/** One call: parameters by tag and name, and the names of what comes back by tag, `return` for the return value. */
export interface Call {
  readonly func: string
  readonly args: readonly (readonly [tag: number, name: string, value: Value])[]
  readonly results: Readonly<Record<number, string>>
  /** JSON form of the arguments by name, where it differs from {@link Value}. */
  readonly json?: Readonly<Record<string, unknown>>
}

/** What came back, by name. Structs are fields by tag in the binary versions, and by name in JSON. */
export type Answer = Readonly<Record<string, unknown>>

export interface Target {
  readonly servant: string
  readonly port: number
}

export type Client = (target: Target, call: Call) => Promise<Answer>

function binaryBody(version: number, { args }: Call): Buffer {
  if (version === 1) return body(Object.fromEntries(args.map(([tag, , value]) => [tag, value])) as Fields)
  return field(0, { map: args.map(([, name, value]) => [name, { bytes: field(0, value) }] as const) })
}

function binaryAnswer(version: number, { results }: Call, sBuffer: Buffer): Answer {
  if (version === 1) {
    const fields = readBody(sBuffer)
    return Object.fromEntries(Object.entries(results).map(([tag, name]) => [name, fields[Number(tag)]]))
  }
  const parts = new Map((readBody(sBuffer)[0] as readonly (readonly [string, Buffer])[]).map(([name, bytes]) => [name, readBody(bytes)[0]]))
  return Object.fromEntries(Object.values(results).map((name) => [name, parts.get(name === 'return' ? 'tars_ret' : name)]))
}

/** Bytes on a socket, written from the tags of the spec. */
export function rawClient(version: 1 | 3 | 5): Client {
  return async ({ servant, port }, call) => {
    const sBuffer = version === 5 ? Buffer.from(JSON.stringify(call.json ?? Object.fromEntries(call.args.map(([, name, value]) => [name, value])))) : binaryBody(version, call)
    const socket = connect({ host: '127.0.0.1', port })
    try {
      await once(socket, 'connect')
      socket.write(requestPacket({ version, id: 7, servant, func: call.func, sBuffer }))
      const { ret, sBuffer: answer } = readResponse(await onePacket(socket), version)
      if (ret !== 0) throw new Error(`${call.func} answered ${ret}`)
      if (version !== 5) return binaryAnswer(version, call, answer)
      const json = JSON.parse(answer.toString()) as Record<string, unknown>
      return Object.fromEntries(Object.values(call.results).map((name) => [name, json[name === 'return' ? 'tars_ret' : name]]))
    } finally {
      socket.destroy()
    }
  }
}

async function onePacket(socket: ReturnType<typeof connect>): Promise<Buffer> {
  let bytes = Buffer.alloc(0)
  for await (const chunk of socket) {
    bytes = Buffer.concat([bytes, chunk as Buffer])
    if (bytes.length >= 4 && bytes.length >= bytes.readUInt32BE()) return bytes.subarray(4, bytes.readUInt32BE())
  }
  throw new Error('the connection ended without an answer')
}

interface PeerBuffer {
  toNodeBuffer(): Buffer
}
interface PeerWorker {
  version: number
  tars_invoke(func: string, buffer: PeerBuffer, property?: object): Promise<{ response: { sBuffer?: PeerBuffer; tup?: { encode(): PeerBuffer } } }>
}

/** The client of @tars/rpc, which frames, matches and checks by itself; bodies are those of the spec's tags. */
export function tarsJsClient(version: 1 | 3): Client {
  const load = createRequire(import.meta.url)
  const { Communicator } = load('@tars/rpc') as { Communicator: new () => { stringToProxy(type: unknown, name: string): { _worker: PeerWorker } } }
  // Its connections are of one version.
  const communicator = new Communicator()
  const { BinBuffer } = load('@tars/stream') as { BinBuffer: new (bytes: Buffer) => PeerBuffer }
  class Proxy {
    _name = undefined
    _worker: PeerWorker | undefined = undefined
  }
  return async ({ servant, port }, call) => {
    const proxy = communicator.stringToProxy(Proxy, `${servant}@tcp -h 127.0.0.1 -p ${port} -t 60000`)
    const worker = proxy._worker
    worker.version = version
    const { response } = await worker.tars_invoke(call.func, new BinBuffer(binaryBody(version, call)), version === 3 ? { iVersion: 3 } : undefined)
    // It takes the outer layer of TUP off by itself.
    const answer = version === 3 ? response.tup?.encode() : response.sBuffer
    return binaryAnswer(version, call, answer?.toNodeBuffer() ?? Buffer.alloc(0))
  }
}

/** Numbers as numbers, whatever came; for comparing. */
export function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value)
  if (Array.isArray(value)) return value.map(plain)
  if (value instanceof Map) return [...value].map(plain)
  if (typeof value === 'object' && value !== null && !Buffer.isBuffer(value)) return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(one)]))
  return value
}

export type { Read }
