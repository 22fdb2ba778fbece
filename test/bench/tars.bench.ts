// Our server against @tars/rpc: the same client process, the same Node, each server a process of its own, rounds in turn.
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { Writer } from '#tars/codec/writer.ts'
import { encodeRequest, version } from '#tars/packet.ts'
import { startTarsJs, tarsJsVersion } from '../compat/tarsjs/rig.ts'
import { objectName } from '../lib/tars/server/echo.ts'
import { median, type Goal } from './goal.ts'
import { Echo, type Item } from './tars/Echo.ts'
import { LoadClient } from './tars/load.ts'

const rounds = 15
const warmUpMs = 2000
const windowMs = 700
const connections = 4
const concurrentEach = 16

interface Rival {
  readonly name: string
  readonly process: ChildProcess
  readonly host: string
  readonly port: number
}

interface Sample {
  readonly perSecond: number
  /** Microseconds of server CPU a request. */
  readonly cpu: number
}

const item = (id: number): Item => ({ id, name: `item number ${id}`, on: id % 2 === 0, small: 300 + id, big: 2n ** 40n + BigInt(id), rate: id / 3, part: id / 4, tiny: id, tags: ['red', 'green'] })

const cases = [
  { what: 'echo of a 64-byte string', func: 'text', args: ['x'.repeat(64)], rateBar: 1.3 },
  { what: 'echo of 20 structs', func: 'items', args: [Array.from({ length: 20 }, (_, index) => item(index + 1))], rateBar: 2 },
] as const

export default async function bench(note: (line: string) => void): Promise<Goal[]> {
  note(`our server and @tars/rpc ${tarsJsVersion} on Node ${process.version}; ${connections} connections, ${connections * concurrentEach} requests under way, many in one segment as from a client that shares connections, ${rounds} rounds of ${windowMs} ms each`)
  const theirs = await startTarsJs()
  const ours = await startOurs()
  const rivals: readonly [Rival, Rival] = [ours, { name: `@tars/rpc ${tarsJsVersion}`, process: theirs.process, host: theirs.host, port: theirs.port }]
  try {
    const goals: Goal[] = []
    for (const one of cases) goals.push(...(await compare(one, rivals, note)))
    return goals
  } finally {
    ours.process.kill()
    await theirs.stop()
  }
}

async function startOurs(): Promise<Rival> {
  const child = fork(join(import.meta.dirname, 'tars/server.ts'), [objectName], { execArgv: [] })
  const [port] = (await once(child, 'message')) as [number]
  return { name: 'ours', process: child, host: '127.0.0.1', port }
}

async function compare({ what, func, args, rateBar }: (typeof cases)[number], rivals: readonly [Rival, Rival], note: (line: string) => void): Promise<Goal[]> {
  const body = new Writer()
  Echo.functions[func]?.writeArgs(body, args)
  const request = encodeRequest({ version: version.tars, requestId: 1, servant: objectName, func, body: body.bytes() })
  const samples: Sample[][] = [[], []]
  for (const rival of rivals) await run(rival, request, warmUpMs)
  for (let round = 0; round < rounds; round++) {
    for (const [index, rival] of rivals.entries()) samples[index]?.push(await run(rival, request, windowMs, round === 0 ? (line) => note(`${what}, ${line}`) : undefined))
  }
  const [ours = [], theirs = []] = samples
  for (const [index, rival] of rivals.entries()) note(`${what}, ${rival.name}: ${figures(samples[index] ?? [])}`)
  const against = `ours ÷ @tars/rpc ${tarsJsVersion}`
  return [
    { what: `${what}, requests/s, ${against}`, samples: ours.map((one, round) => one.perSecond / (theirs[round]?.perSecond ?? NaN)), bar: rateBar, rule: 'least', unit: '×' },
    { what: `${what}, server CPU a request, ${against}`, samples: ours.map((one, round) => one.cpu / (theirs[round]?.cpu ?? NaN)), bar: 0.5, rule: 'most', unit: '×' },
  ]
}

async function run(rival: Rival, request: Buffer, ms: number, note?: (line: string) => void): Promise<Sample> {
  const client = new LoadClient({ host: rival.host, port: rival.port, request, connections, concurrentEach })
  await client.start()
  await client.measure(100)
  const before = await cpuOf(rival)
  const load = await client.measure(ms)
  const cpu = (await cpuOf(rival)) - before
  await client.stop()
  note?.(`${rival.name}: server ${percent(cpu / 1e6 / load.seconds)} of a core, client ${percent(load.clientCpu)}`)
  return { perSecond: load.answered / load.seconds, cpu: cpu / load.answered }
}

async function cpuOf({ process: child }: Rival): Promise<number> {
  const answer = once(child, 'message')
  child.send('cpu')
  const [usage] = (await answer) as [NodeJS.CpuUsage]
  return usage.user + usage.system
}

const percent = (share: number): string => `${(share * 100).toFixed(0)} %`
const figures = (samples: readonly Sample[]): string => `${median(samples.map((one) => one.perSecond)).toFixed(0)} requests/s, ${median(samples.map((one) => one.cpu)).toFixed(2)} µs CPU a request`
