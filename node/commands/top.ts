import { readdirSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import pidusage from 'pidusage'
import type { CommandIo } from '#base/command-io.ts'
import { cgroupFigures } from '../eyes/usage.ts'
import { readText } from '../system/atomic-write.ts'
import { readStat } from '../system/processes.ts'

const usage = `usage: tarsk8s node top [-n SECONDS]

The processes of this container as a tree, with their share of a core over the last SECONDS (1), resident memory, threads and age.
`

interface Process {
  readonly pid: number
  readonly ppid: number
  readonly threads: number
  readonly command: string
}

export async function run(args: readonly string[], { out, err }: CommandIo): Promise<number> {
  const seconds = args.length === 0 ? 1 : args.length === 2 && args[0] === '-n' ? Number(args[1]) : NaN
  if (!(seconds > 0 && seconds <= 3600)) {
    const asked = args.includes('--help')
    ;(asked ? out : err).write(usage)
    return asked ? 0 : 2
  }
  const processes = allProcesses()
  const pids = processes.map(({ pid }) => pid)
  // The second look tells the share since the first.
  await usageOf(pids)
  await delay(seconds * 1000)
  const figures = await usageOf(pids)
  out.write(cgroupLine() + HEAD)
  for (const { process: one, depth } of tree(processes)) {
    const figure = figures[one.pid]
    if (figure === undefined) continue
    const row = [String(one.pid).padStart(7), figure.cpu.toFixed(1).padStart(6), (figure.memory / 1048576).toFixed(1).padStart(9), String(one.threads).padStart(4), age(figure.elapsed).padStart(9)]
    out.write(`${row.join(' ')}  ${'  '.repeat(depth)}${one.command}\n`)
  }
  return 0
}

const HEAD = '    PID   CPU%   RSS MiB  THR       AGE  COMMAND\n'

type Figures = Readonly<Record<number, { readonly cpu: number; readonly memory: number; readonly elapsed: number } | undefined>>

/** Processes that have ended meanwhile are left out. */
async function usageOf(pids: readonly number[]): Promise<Figures> {
  const each = await Promise.all(pids.map((pid) => pidusage(pid).then((figure) => [pid, figure] as const, () => undefined)))
  return Object.fromEntries(each.filter((one) => one !== undefined))
}

function allProcesses(): Process[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number)
  return pids.flatMap((pid): Process[] => {
    const stat = readStat(pid)
    if (stat === undefined || pid === process.pid) return []
    const words = (readText(`/proc/${pid}/cmdline`) ?? '').split('\0').join(' ').trim()
    const name = readText(`/proc/${pid}/comm`)?.trim() ?? '?'
    const threads = Number(/^Threads:\s+(\d+)$/m.exec(readText(`/proc/${pid}/status`) ?? '')?.[1] ?? 0)
    return [{ pid, ppid: stat.ppid, threads, command: stat.state === 'Z' ? `${name} (zombie)` : words === '' ? `[${name}]` : words.slice(0, 200) }]
  })
}

/** Children below their parents, in the order of their pids. */
function tree(processes: readonly Process[]): readonly { readonly process: Process; readonly depth: number }[] {
  const known = new Set(processes.map(({ pid }) => pid))
  const below = (parent: number | undefined, depth: number): { process: Process; depth: number }[] =>
    processes.filter(({ ppid }) => (parent === undefined ? !known.has(ppid) : ppid === parent)).flatMap((process) => [{ process, depth }, ...below(process.pid, depth + 1)])
  return below(undefined, 0)
}

function cgroupLine(): string {
  const { memory_bytes: memory, memory_limit_bytes: limit } = cgroupFigures()
  if (memory === undefined) return ''
  return `container: ${(memory / 1048576).toFixed(1)} MiB${limit === undefined ? '' : ` of ${(limit / 1048576).toFixed(0)} MiB`}\n`
}

function age(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m${String(seconds % 60).padStart(2, '0')}s`
  return seconds < 86_400 ? `${Math.floor(seconds / 3600)}h${String(Math.floor((seconds % 3600) / 60)).padStart(2, '0')}m` : `${Math.floor(seconds / 86_400)}d${Math.floor((seconds % 86_400) / 3600)}h`
}
