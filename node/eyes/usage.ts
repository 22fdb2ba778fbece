import { readText } from '../system/atomic-write.ts'
import { descendants } from '../system/processes.ts'

/** What processes used: CPU seconds since they began, and resident bytes now. */
export interface Usage {
  readonly cpuSeconds: number
  readonly memoryBytes: number
  readonly processes: number
}

/** Clock ticks a second in /proc: fixed in Linux' interface to user space (proc_pid_stat(5), sysconf(3)). */
const TICKS = 100

/** Counters rather than the percentages of a sampler: Prometheus makes rates itself, over any time it likes. */
export function usageOf(pids: readonly number[]): Usage {
  const each = pids.map(usageOfOne)
  const sum = (pick: (usage: Usage) => number): number => each.reduce((total, usage) => total + pick(usage), 0)
  return { cpuSeconds: sum(({ cpuSeconds }) => cpuSeconds), memoryBytes: sum(({ memoryBytes }) => memoryBytes), processes: sum(({ processes }) => processes) }
}

/** Of everything below the supervisor: the service, and what it forked. */
export const usageOfService = (): Usage => usageOf(descendants(process.pid))

function usageOfOne(pid: number): Usage {
  const stat = readText(`/proc/${pid}/stat`)
  const resident = /^VmRSS:\s+(\d+) kB$/m.exec(readText(`/proc/${pid}/status`) ?? '')?.[1] ?? '0'
  if (stat === undefined) return { cpuSeconds: 0, memoryBytes: 0, processes: 0 }
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return { cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS, memoryBytes: Number(resident) * 1024, processes: 1 }
}

/** The container's control group, version 2 or 1, as far as it can be read from inside; figures by name of the metric. */
export function cgroupFigures(): Readonly<Record<string, number>> {
  const number = (...paths: readonly string[]): number | undefined => {
    const found = paths.map((path) => readText(`/sys/fs/cgroup/${path}`)).find((value) => value !== undefined && /^\d+\n?$/.test(value))
    return found === undefined ? undefined : Number(found)
  }
  const usec = /^usage_usec (\d+)$/m.exec(readText('/sys/fs/cgroup/cpu.stat') ?? '')?.[1]
  const nsec = number('cpuacct/cpuacct.usage')
  const figures = {
    memory_bytes: number('memory.current', 'memory/memory.usage_in_bytes'),
    memory_limit_bytes: number('memory.max', 'memory/memory.limit_in_bytes'),
    cpu_seconds_total: usec === undefined ? (nsec === undefined ? undefined : nsec / 1e9) : Number(usec) / 1e6,
  }
  return Object.fromEntries(Object.entries(figures).filter((entry): entry is [string, number] => entry[1] !== undefined))
}
