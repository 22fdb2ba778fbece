import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { setPriority } from 'node:os'

/** Private memory (USS) of a process in MB: what would be free if it ended (proc_pid_smaps(5)). */
export function privateMegabytes(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  const kilobytes = [...text.matchAll(/^Private_(?:Clean|Dirty):\s+(\d+) kB$/gm)].map(([, value]) => Number(value))
  return kilobytes.reduce((sum, value) => sum + value, 0) / 1024
}

/** Resident memory of a process in MB of 10^6 bytes: now, and at its highest (proc_pid_status(5)). */
export function residentMegabytes(pid: number): { readonly now: number; readonly peak: number } {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8')
  const megabytes = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1]) * 1024 / 1e6
  return { now: megabytes('VmRSS'), peak: megabytes('VmHWM') }
}

/** Seconds of processor time that a process has used: utime and stime, in clock ticks (proc_pid_stat(5)). */
export function processorSeconds(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond()
}

/**
 * The same to the nanosecond, of the threads that there are now (schedstat, proc_pid(5)): for what takes less than a few
 * hundredths of a second. A thread that is running has used up to a tick more.
 */
export function threadSeconds(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`).map((thread) => readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1'))
  return threads.reduce((sum, text) => sum + Number(text.split(' ')[0]), 0) / 1e9
}

let ticks = 0
const ticksPerSecond = (): number => (ticks ||= Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' })))

/** The main thread of a process comes before others, where this process may say so (setpriority(2)): what it does is measured, not the machine's other work. */
export function prefer(pid: number): void {
  try {
    setPriority(pid, -10)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_SYSTEM_ERROR') throw error
  }
}

/** Keeps a process, all its threads and those that it starts, to some of the machine's processors: `0`, `1-3` (taskset(1)). */
export function keepTo(pid: number, processors: string): void {
  execFileSync('taskset', ['-apc', processors, String(pid)], { stdio: 'ignore' })
}
