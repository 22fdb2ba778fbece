// tarslog: how fast lines get into files, against a process that has them already and appends them to a file of its own,
// line by line through a buffer of 64 KiB. Beside it, what is no logger but bounds any: the same process writes one block of
// bytes, put together beforehand, again and again.
import { globSync } from 'node:fs'
import { truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { Writer } from '#tars/codec/writer.ts'
import { encodeRequest, version } from '#tars/packet.ts'
import { Log } from '#tars/protocol/LogF.ts'
import { median, type Goal } from '../goal.ts'
import type { Manner } from './append-process.ts'
import { Child } from './child.ts'
import { startCluster } from './cluster.ts'
import { contend, cpuOfAnswers, startEcho } from './contender.ts'
import { firstId } from './load.ts'
import { startRole } from './role.ts'

const rounds = 9
const appendMs = 400
const lineBytes = 128
const object = 'tars.tarslog.LogObj'
/** On each of four connections: a writer of native's sends its lines one call after the other, so these are sixteen services that write at once. */
const underWay = 4
/**
 * What a call brings: the writers of TarsCpp and TarsGo send at most 2000 lines at once. TarsCpp's sends what it has ten times a
 * second, so 20 lines are of a service that writes 200 a second.
 */
const batches = [2000, 20] as const

const line = (index: number): string => `2026-11-29 20:21:06|140213|INFO|order ${String(index).padStart(8, '0')} is on its way `.padEnd(lineBytes - 1, '.').concat('\n')

/** How many bytes of lines a second of CPU brings into files. */
export async function logger(note: (line: string) => void): Promise<readonly Goal[]> {
  const goals: Goal[] = []
  for (const lines of batches) goals.push(...(await batch(lines, note)))
  return goals
}

async function batch(lines: number, note: (line: string) => void): Promise<readonly Goal[]> {
  const cluster = await startCluster()
  const path = `${cluster.folder}/logs`
  const role = await startRole({ cluster, role: 'log', env: { TARSLOG_PORT: '0', TARSLOG_TOPOLOGY_PORT: '0', TARSLOG_PATH: path } })
  const all = Array.from({ length: lines }, (_, index) => line(index))
  const body = new Writer()
  Log.functions['logger']?.writeArgs(body, ['Shop', 'Cart', '', '%Y%m%d', all])
  const requests = [encodeRequest({ version: version.tars, requestId: firstId, servant: object, func: 'logger', body: body.bytes() })]
  const ours = await contend({ name: 'log', pid: role.pid, host: role.address, port: role.serves['log'] as number, stop: () => role.stop() }, requests)
  const echo = await contend(await startEcho({ object, interface: 'Log', body: Buffer.alloc(0) }), requests)
  // Each line begins with who sent it.
  const { child: appender } = await Child.start('append-process.ts', { file: `${cluster.folder}/plain.log`, lines: all.map((one) => `127.0.0.1|${one}`) })
  const bytes = lines * (lineBytes + '127.0.0.1|'.length)
  const appends: Record<Manner, { readonly perCpu: number; readonly perSecond: number }[]> = { lines: [], block: [] }
  /** Before the system begins to write out what is in memory: how busy the disk is says nothing of either. */
  const clean = async (): Promise<void> => {
    for (const file of globSync('**/*.log', { cwd: cluster.folder })) await truncate(join(cluster.folder, file))
  }
  const also = async (): Promise<void> => {
    for (const manner of ['lines', 'block'] as const) {
      await clean()
      const { times, seconds, cpu } = await appender.ask<{ times: number; seconds: number; cpu: number }>({ manner, ms: appendMs })
      appends[manner].push({ perCpu: (times * bytes) / cpu, perSecond: (times * bytes) / seconds / 1e6 })
    }
    await clean()
  }
  const said = (what: string, samples: readonly { readonly perCpu: number; readonly perSecond: number }[]): string =>
    `${what} ${median(samples.map(({ perSecond }) => perSecond)).toFixed(0)} MB/s and ${median(samples.map(({ perCpu }) => perCpu)).toFixed(0)} MB a second of CPU`
  try {
    const [own = [], bare = []] = await cpuOfAnswers([ours, echo], rounds, note, { underWay, also })
    const rated = (samples: typeof own): { readonly perCpu: number; readonly perSecond: number }[] => samples.map(({ cpu, perSecond }) => ({ perCpu: bytes / cpu, perSecond: (perSecond * bytes) / 1e6 }))
    note([`${lines} lines a call: ${said('tarslog', rated(own))}`, said('buffered appends', appends.lines), said('one block again and again', appends.block), said('a bare server that reads the calls', rated(bare))].join('; '))
    return [{ what: `logger, ${lines} lines of ${lineBytes} bytes a call, bytes a second of CPU, log ÷ plain buffered appends`, samples: own.map(({ cpu }, round) => bytes / cpu / (appends.lines[round]?.perCpu ?? NaN)), bar: 0.5, rule: 'least', unit: '×' }]
  } finally {
    await Promise.all([ours.stop(), echo.stop(), appender.stop()])
    await cluster.stop()
  }
}
