import { ret } from '#tars/packet.ts'
import { median } from '../goal.ts'
import { processorSeconds } from '../proc.ts'
import { Child } from './child.ts'
import type { EchoQuestion } from './echo-process.ts'
import { LoadGenerator } from './load.ts'

/** A server that is measured beside others. */
export interface Contender {
  readonly name: string
  readonly pid: number
  readonly load: LoadGenerator
  stop(): Promise<void>
}

export interface Where {
  readonly name: string
  readonly pid: number
  readonly host: string
  readonly port: number
  readonly stop: () => Promise<void>
}

const connections = 4

/** A server with a client of its own. */
export async function contend({ host, port, stop, ...who }: Where, requests: readonly Buffer[]): Promise<Contender> {
  const load = await LoadGenerator.start({ host, port, requests, connections, refusals: [ret.overload] })
  return { ...who, load, stop: () => load.stop().then(stop) }
}

/** The bare echo server: sends the same bytes whatever it is asked. */
export async function startEcho(question: EchoQuestion): Promise<Where> {
  const { child, ready } = await Child.start<number>('echo-process.ts', question)
  return { name: 'bare echo', pid: child.pid, host: '127.0.0.1', port: ready, stop: () => child.stop() }
}

export interface Sample {
  readonly perSecond: number
  /** Microseconds of the server's CPU an answer. */
  readonly cpu: number
}

interface Contest {
  /** Requests under way on each connection. */
  readonly underWay?: number
  /** What else is measured each round, before the servers. */
  readonly also?: () => Promise<void>
}

/** Default of requests under way on each connection. */
export const underWay = 16
export const warmUpMs = 3000
const windowMs = 1500

/** CPU an answer of each server under load, in turn, round after round. */
export async function cpuOfAnswers(contenders: readonly Contender[], rounds: number, note: (line: string) => void, { underWay: many = underWay, also = async () => {} }: Contest = {}): Promise<Sample[][]> {
  for (const { load } of contenders) await load.saturate({ underWay: many, ms: warmUpMs })
  const samples: Sample[][] = contenders.map(() => [])
  for (let round = 0; round < rounds; round++) {
    await also()
    for (const [index, { pid, load }] of contenders.entries()) {
      const before = processorSeconds(pid)
      const { answered, seconds } = await load.saturate({ underWay: many, ms: windowMs })
      samples[index]?.push({ perSecond: answered / seconds, cpu: ((processorSeconds(pid) - before) * 1e6) / answered })
    }
  }
  for (const [index, { name }] of contenders.entries()) {
    const own = samples[index] ?? []
    note(`${name}: ${median(own.map(({ cpu }) => cpu)).toFixed(2)} µs CPU an answer, ${median(own.map(({ perSecond }) => perSecond)).toFixed(0)} answers/s`)
  }
  return samples
}

/** By round, how much more CPU one server takes than another. */
export function cpuRatios(ours: readonly Sample[] = [], theirs: readonly Sample[] = []): number[] {
  return ours.map(({ cpu }, round) => cpu / (theirs[round]?.cpu ?? NaN))
}
