import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

/** The fields of /proc/<pid>/stat that the supervisor needs (proc_pid_stat(5)). */
export interface ProcessStat {
  readonly pid: number
  /** R, S, D, Z … */
  readonly state: string
  readonly ppid: number
  readonly pgrp: number
  /** Clock ticks since boot; with the pid it names a process for good. */
  readonly startTime: number
}

/** undefined when there is no such process. The name in parentheses may hold anything, so fields count from its end. */
export function readStat(pid: number): ProcessStat | undefined {
  if (!Number.isInteger(pid) || pid < 1) return undefined
  let text: string
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1')
  } catch {
    return undefined
  }
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return { pid, state: fields[0] ?? '', ppid: Number(fields[1]), pgrp: Number(fields[2]), startTime: Number(fields[19]) }
}

/** True for a process that exists and is no zombie. */
export function isAlive(pid: number): boolean {
  const stat = readStat(pid)
  return stat !== undefined && stat.state !== 'Z' && stat.state !== 'X'
}

/** True when `pid` is alive and `ancestor` is among its parents. */
export function isDescendant(pid: number, ancestor: number): boolean {
  if (pid === ancestor || !isAlive(pid)) return false
  for (let stat = readStat(pid), depth = 0; stat !== undefined && depth < 512; stat = readStat(stat.ppid), depth++) {
    if (stat.ppid === ancestor) return true
  }
  return false
}

/**
 * All living processes below `ancestor`, parents before their children; empty where the kernel does not list children. The children
 * of one that ends meanwhile go to somebody whose children were listed before, so it is looked again: until nobody has ended, or {@link LOOKING_MS} are over, as where processes come and go by the thousands.
 */
export function descendants(ancestor: number): readonly number[] {
  const deadline = performance.now() + LOOKING_MS
  const ended = new Set<number>()
  for (;;) {
    const before = ended.size
    const found: number[] = []
    const queue = [...childrenOf(ancestor)]
    for (let pid = queue.shift(); pid !== undefined; pid = queue.shift()) {
      const children = childrenOf(pid)
      if (isAlive(pid)) found.push(pid)
      else ended.add(pid)
      queue.push(...children)
    }
    if (ended.size === before || performance.now() > deadline) return found
  }
}

/** Longest time in which processes are looked at again and again, milliseconds: nothing else goes on meanwhile. */
export const LOOKING_MS = 100

/** The children of all threads of a process; it reads what it needs and not all of /proc. */
function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((task) => childrenOfTask(pid, task))
  } catch {
    return []
  }
}

export function childrenOfTask(pid: number, task: number | string): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${task}/children`, 'latin1').split(' ').filter((word) => word !== '').map(Number)
  } catch {
    return []
  }
}

/** Waits until `ancestor` has no living descendant, `timeoutMs` at most. */
export async function withoutDescendants(ancestor: number, timeoutMs: number): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (descendants(ancestor).length > 0 && performance.now() < deadline) await delay(POLL_MS)
}

/** Between two looks at processes that were sent SIGKILL, milliseconds. */
const POLL_MS = 5

/** Sends a signal to a process, or to a group when `pid` is negative; false when there is none. */
export function sendSignal(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal)
  } catch {
    return false
  }
}
