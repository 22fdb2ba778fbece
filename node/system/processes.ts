import { readdirSync, readFileSync } from 'node:fs'

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

/** All living processes below `ancestor`, parents before their children. */
export function descendants(ancestor: number): readonly ProcessStat[] {
  const children = new Map<number, ProcessStat[]>()
  for (const name of readdirSync('/proc')) {
    const stat = /^\d+$/.test(name) ? readStat(Number(name)) : undefined
    if (stat === undefined || stat.state === 'Z' || stat.state === 'X') continue
    const siblings = children.get(stat.ppid)
    if (siblings === undefined) children.set(stat.ppid, [stat])
    else siblings.push(stat)
  }
  const found: ProcessStat[] = []
  const queue = [...(children.get(ancestor) ?? [])]
  for (let stat = queue.shift(); stat !== undefined; stat = queue.shift()) {
    found.push(stat)
    queue.push(...(children.get(stat.pid) ?? []))
  }
  return found
}

/** Sends a signal to a process, or to a group when `pid` is negative; false when there is none. */
export function sendSignal(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal)
  } catch {
    return false
  }
}
