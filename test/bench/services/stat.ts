// tarsstat: what a line of a report costs, and whether reporters wait while a minute of many keys goes into the store.
import { setTimeout as delay } from 'node:timers/promises'
import { startSearchNode } from '../../rig/search-node/search-node.ts'
import { median, type Goal } from '../goal.ts'
import { prefer, processorSeconds, threadSeconds } from '../proc.ts'
import { Child } from './child.ts'
import { startCluster, type Cluster } from './cluster.ts'
import { contend, cpuOfAnswers, startEcho, underWay, warmUpMs, type Where } from './contender.ts'
import { LoadGenerator } from './load.ts'
import { startRole, type RoleProcess } from './role.ts'
import { linesABatch, reportBodies, reports, statObject } from './stat-reports.ts'

const cpuRounds = 9
const decodeMs = 1000
const keys = 100_000
const flushWarmUps = 2
const flushRounds = 3
/** Reports a second of the one who must not wait. */
const steady = 200
const minuteMs = 60_000
/** Second of a minute in which its keys come: there is time before it for what was stored last, and after it for the end of the minute. */
const loadAt = 35
/** How long the steady reporter is watched, from a second before the end of the minute, milliseconds. */
const watchMs = 15_000
const aliveMs = 20_000

const startStat = (cluster: Cluster, name: string, env: Readonly<Record<string, string>> = {}): Promise<RoleProcess> =>
  startRole({ cluster, role: 'stat', env: { TARSSTAT_PORT: '0', TARSSTAT_HTTP_PORT: '0', TARSSTAT_KEYS: String(keys * 2), TARSSTORE_DATA: `${cluster.folder}/${name}`, PodName: 'tars-tarsstat-0', ...env } })
const where = ({ pid, address, serves }: RoleProcess, name: string, stop: () => Promise<void>) => ({ name, pid, host: address, port: serves['port'] as number, stop })

/** CPU a line under load, against decoding the same bytes: alone, and in a server that answers at once. */
export async function stat(note: (line: string) => void): Promise<readonly Goal[]> {
  const bodies = reportBodies(1000)
  const cluster = await startCluster()
  const role = await startStat(cluster, 'stat')
  const ours = await contend(where(role, 'stat', () => role.stop()), reports(bodies))
  const echo = await contend(await startEcho({ object: statObject, interface: 'StatF', body: Buffer.from([0x0c]) }), reports(bodies))
  const { child: decoder } = await Child.start('decode-process.ts', { bodies })
  const alone: number[] = []
  const decode = async (): Promise<void> => {
    const { decoded, cpu } = await decoder.ask<{ decoded: number; cpu: number }>({ ms: decodeMs })
    alone.push(cpu / decoded)
  }
  try {
    await decode()
    alone.pop()
    const [own, bare] = await cpuOfAnswers([ours, echo], cpuRounds, note, { also: decode })
    note(`decoding alone: ${(median(alone) / linesABatch).toFixed(3)} µs CPU a line; tarsstat ${(median((own ?? []).map(({ cpu }) => cpu)) / linesABatch).toFixed(3)} µs`)
    return [
      { what: `reportMicMsg in batches of ${linesABatch}, CPU a head, stat ÷ decoding alone`, samples: (own ?? []).map(({ cpu }, round) => cpu / (alone[round] ?? NaN)), bar: 1.5, rule: 'most', unit: '×' },
      { what: `reportMicMsg in batches of ${linesABatch}, CPU a head, stat ÷ a bare server that decodes`, samples: (own ?? []).map(({ cpu }, round) => cpu / (bare?.[round]?.cpu ?? NaN)), bar: 1.5, rule: 'most', unit: '×' },
    ]
  } finally {
    await Promise.all([ours.stop(), echo.stop(), decoder.stop()])
    await cluster.stop()
  }
}

/** A minute of 100,000 keys: what a head costs that is new to its minute, and how long a steady reporter waits while the minute is stored. */
export async function flush(note: (line: string) => void): Promise<readonly Goal[]> {
  const cluster = await startCluster()
  const node = await startSearchNode('opensearch')
  const stages: Stage[] = []
  try {
    stages.push(await stage(cluster, 'SQLite'), await stage(cluster, 'OpenSearch', { TARSSTORE_NODES: `127.0.0.1:${node.port}` }))
    // The first minutes make the heads known, and the code warm: also that which has memory of an earlier minute.
    for (let round = 0; round < flushWarmUps; round++) await Promise.all(stages.map((one) => minute(one)))
    // One is loaded while the other rests: a minute each.
    for (let round = 0; round < flushRounds; round++) {
      for (const one of stages) {
        const others = stages.filter((other) => other !== one).flatMap(({ all, allBare, steady: reporter, bare }) => [all, allBare, reporter, bare])
        const ended = minute(one, note)
        await Promise.all([ended, aliveWhile(ended, others)])
      }
    }
    return stages.flatMap(({ name, pauses, heads }) => [
      { what: `${keys} keys a minute to ${name}, the longest that a steady reporter waits`, samples: pauses, bar: 20, rule: 'most', unit: ' ms' },
      { what: `heads that are new to their minute, ${name}, CPU a head, stat ÷ decoding alone`, samples: heads.map(({ stat: own, decoding }) => own / decoding), bar: 1.5, rule: 'most', unit: '×' },
      { what: `heads that are new to their minute, ${name}, CPU a head, stat ÷ a bare server that decodes`, samples: heads.map(({ stat: own, bare }) => own / bare), bar: 1.5, rule: 'most', unit: '×' },
    ] satisfies Goal[])
  } finally {
    for (const { stop } of stages) await stop()
    await node.remove()
    await cluster.stop()
  }
}

/** CPU a head, microseconds: of tarsstat for heads that are new to their minute, of a bare server that decodes, and of decoding alone. */
interface HeadsCpu {
  readonly stat: number
  readonly bare: number
  readonly decoding: number
}

interface Stage {
  readonly name: string
  readonly role: RoleProcess
  readonly echo: Where
  /** All keys: to tarsstat, and to a bare server beside it. */
  readonly all: LoadGenerator
  readonly allBare: LoadGenerator
  /** One who reports a little all the time, to both. */
  readonly steady: LoadGenerator
  readonly bare: LoadGenerator
  readonly decoder: Child
  readonly pauses: number[]
  readonly heads: HeadsCpu[]
  stop(): Promise<void>
}

async function stage(cluster: Cluster, name: string, env: Readonly<Record<string, string>> = {}): Promise<Stage> {
  const role = await startStat(cluster, name, env)
  const [host, port] = [role.address, role.serves['port'] as number]
  const bodies = reportBodies(keys / linesABatch)
  const few = reports(bodies.slice(0, 100))
  const echo = await startEcho({ object: statObject, interface: 'StatF', body: Buffer.from([0x0c]) })
  const all = await LoadGenerator.start({ host, port, requests: reports(bodies), connections: 4 })
  const allBare = await LoadGenerator.start({ host: echo.host, port: echo.port, requests: reports(bodies), connections: 4 })
  const steadyOne = await LoadGenerator.start({ host, port, requests: few, connections: 1 })
  const bare = await LoadGenerator.start({ host: echo.host, port: echo.port, requests: few, connections: 1 })
  const { child: decoder } = await Child.start('decode-process.ts', { bodies })
  return {
    name, role, echo, all, allBare, steady: steadyOne, bare, decoder, pauses: [], heads: [],
    async stop() {
      await Promise.all([all.stop(), allBare.stop(), steadyOne.stop(), bare.stop(), decoder.stop()])
      await echo.stop()
      await role.stop()
    },
  }
}

async function minute(one: Stage, note?: (line: string) => void): Promise<void> {
  const { name, role, echo, all, allBare, steady: reporter, bare, pauses, heads } = one
  await until(untilSecond(loadAt), [all, allBare, reporter, bare])
  const cpu = await headsCpu(one)
  if (note === undefined) for (const load of [all, allBare]) await load.saturate({ underWay, ms: warmUpMs })
  const written = await writtenRows(role)
  await until(untilSecond(59), [all, allBare, reporter, bare])
  const [flushing, stored] = [processorSeconds(role.pid), allStored(role, written + keys)]
  const watch = { perSecond: steady, ms: watchMs }
  // Whatever else the machine does, the store's own work among it, is not what a reporter is to wait for. Not so under load: a server that comes before its clients takes what they send one by one.
  const preferred = [role.pid, reporter.pid, echo.pid, bare.pid]
  for (const pid of preferred) prefer(pid)
  const [waits, bareWaits, took] = await Promise.all([reporter.paced(watch), bare.paced(watch), stored])
  for (const pid of preferred) prefer(pid, false)
  const longest = Math.max(...waits.latencies)
  if (note === undefined) return
  pauses.push(longest)
  heads.push(cpu)
  note(`${name}: ${cpu.stat.toFixed(3)} µs CPU a head that is new to its minute, a bare server ${cpu.bare.toFixed(3)} µs, decoding alone ${cpu.decoding.toFixed(3)} µs; stored after ${took.toFixed(1)} s with ${(processorSeconds(role.pid) - flushing).toFixed(1)} s of CPU; the longest wait ${longest.toFixed(1)} ms, of a bare server at the same time ${Math.max(...bareWaits.latencies).toFixed(1)} ms`)
}

/** All keys of a minute, as fast as each server takes them. */
async function headsCpu({ role, echo, all, allBare, decoder }: Stage): Promise<HeadsCpu> {
  const cpuOf = async (pid: number, load: LoadGenerator): Promise<number> => {
    const before = threadSeconds(pid)
    await load.once({ underWay })
    return ((threadSeconds(pid) - before) * 1e6) / keys
  }
  const [own, bare] = [await cpuOf(role.pid, all), await cpuOf(echo.pid, allBare)]
  const { decoded, cpu } = await decoder.ask<{ decoded: number; cpu: number }>({ ms: decodeMs })
  return { stat: own, bare, decoding: cpu / decoded / linesABatch }
}

async function aliveWhile(work: Promise<void>, connected: readonly LoadGenerator[]): Promise<void> {
  let working = true
  const done = work.finally(() => (working = false))
  while (working) {
    for (const one of connected) await one.saturate({ underWay: 1, ms: 1 })
    await Promise.race([done, delay(aliveMs)])
  }
}

/** Milliseconds until the clock shows this second of a minute. */
const untilSecond = (second: number): number => (second * 1000 - (Date.now() % minuteMs) + minuteMs) % minuteMs

/** Waits so many milliseconds; a connection that is silent for a minute would be closed. */
async function until(ms: number, connected: readonly LoadGenerator[]): Promise<void> {
  const end = performance.now() + ms
  do {
    for (const one of connected) await one.saturate({ underWay: 1, ms: 1 })
    await delay(Math.max(0, Math.min(aliveMs, end - performance.now())))
  } while (performance.now() < end)
}

async function writtenRows({ address, serves }: RoleProcess): Promise<number> {
  const text = await (await fetch(`http://${address}:${String(serves['http'])}/metrics`)).text()
  return Number(/^tarsstore_written_rows_total\S* (\d+)$/m.exec(text)?.[1] ?? 0)
}

/** Seconds from the end of the minute until the store has so many rows. */
async function allStored(role: RoleProcess, rows: number): Promise<number> {
  const end = Date.now() + minuteMs - (Date.now() % minuteMs)
  for (; Date.now() < end + minuteMs * 0.9; await delay(250)) if ((await writtenRows(role)) >= rows) return (Date.now() - end) / 1000
  throw new Error(`after most of a minute the store has only ${await writtenRows(role)} rows of ${rows}`)
}
