// Callers beyond all measure: calls at a fixed rate over many connections, whatever becomes of them. Each connection is of a process that can wait for so many answers at once; what is more fails there.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { Reader } from '#tars/codec/reader.ts'
import { FrameReader, readResponse, ret } from '#tars/packet.ts'
import { answerEach } from './answering.ts'
import { firstId } from './load-client.ts'

export interface StormQuestion {
  readonly host: string
  readonly port: number
  /** As of a LoadClient. */
  readonly requests: readonly Buffer[]
  readonly connections: number
  /** Calls under way at most on each. */
  readonly callers: number
  readonly perSecond: number
  readonly ms: number
  /** How long a caller waits, milliseconds. */
  readonly patienceMs: number
}

export interface Storm {
  /** Answered with 0 in time, and too late. */
  readonly good: number
  readonly late: number
  /** By code. */
  readonly refused: Readonly<Record<number, number>>
  readonly other: number
  readonly sent: number
  /** Those for which no caller was free. */
  readonly unsent: number
  /** Those that nothing was heard of in time. */
  readonly lost: number
  readonly seconds: number
  readonly closed: number
}

const idOffset = 9
const ring = 1 << 21
class Process {
  readonly socket: Socket
  /** Calls under way. */
  open = 0

  constructor(socket: Socket) {
    this.socket = socket
  }
}

answerEach<StormQuestion>(async ({ host, port, requests: given, connections, callers, perSecond, ms, patienceMs }) => {
  const requests = given.map((one) => Buffer.from(one))
  const sentAt = new Float64Array(ring)
  const waiting: (Process | undefined)[] = Array.from({ length: ring }, () => undefined)
  const reader = new Reader(Buffer.alloc(0))
  const refused: Record<number, number> = { [ret.overload]: 0, [ret.queueTimeout]: 0 }
  const counts = { good: 0, late: 0, other: 0, sent: 0, unsent: 0, lost: 0, closed: 0 }
  let [next, oldest] = [0, 0]
  /** The caller goes on. @returns whether it had not given up */
  const settle = (id: number): boolean => {
    const caller = waiting[id]
    waiting[id] = undefined
    if (caller !== undefined) caller.open--
    return caller !== undefined
  }
  const take = (bytes: Buffer, start: number, end: number): void => {
    const { ret: code, requestId } = readResponse(reader, bytes, start, end)
    const inTime = settle(requestId - firstId)
    if (code in refused) refused[code] = (refused[code] ?? 0) + 1
    else if (code !== 0) counts.other++
    else if (inTime) counts.good++
    else counts.late++
  }
  const open = async (): Promise<Process> => {
    const socket = connect({ host, port, noDelay: true })
    await once(socket, 'connect')
    const frames = new FrameReader(64 << 20)
    socket.on('data', (chunk: Buffer) => void frames.feed(chunk, take)).on('error', () => {}).on('close', () => counts.closed++)
    return new Process(socket)
  }
  const processes = await Promise.all(Array.from({ length: connections }, open))
  const send = (process_: Process, wanted: number): void => {
    const count = process_.socket.destroyed ? 0 : Math.min(wanted, callers - process_.open)
    counts.unsent += wanted - count
    counts.sent += count
    if (count === 0) return
    const batch = Buffer.concat(Array.from({ length: count }, (_, index) => requests[(next + index) % requests.length] as Buffer))
    for (let at = 0; at < batch.length; at += batch.readUInt32BE(at)) {
      const id = next++ % ring
      sentAt[id] = performance.now()
      waiting[id] = process_
      batch.writeInt32BE(firstId + id, at + idOffset)
    }
    process_.open += count
    process_.socket.write(batch)
  }
  const giveUp = (now: number): void => {
    for (; oldest < next && now - (sentAt[oldest % ring] ?? 0) > patienceMs; oldest++) if (settle(oldest % ring)) counts.lost++
  }
  const began = performance.now()
  let due = 0
  for (let now = began; now - began < ms; now = performance.now()) {
    giveUp(now)
    const each = Math.ceil((Math.floor(((now - began) * perSecond) / 1000) - due) / processes.length)
    if (each > 0) for (const one of processes) send(one, each)
    due += Math.max(0, each) * processes.length
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  const result: Storm = { ...counts, refused, seconds: (performance.now() - began) / 1000 }
  for (const { socket } of processes) socket.destroy()
  return result
})
