import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { constants } from 'node:os'
import { dirname } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { Failure } from '#base/errors.ts'
import { namespaceFlags } from './platform.ts'
import type { Platform } from './platform.ts'
import type { LaunchReport } from './plan.ts'

const maxWords = 4096
const launcher = fileURLToPath(new URL('main.ts', import.meta.url))

/** How a container's first process ended. `exitCode` is 128 + signal for a signal, as shells and Kubernetes have it. */
export interface Exit {
  readonly exitCode: number
  readonly signal?: number
  /** Set when the container's program never ran. */
  readonly startError?: string
  /** The last words of a role that broke. */
  readonly message?: string
}

/** A started container. */
export interface ContainerProcess {
  /** PID 1 of the container, as this process sees it; undefined until it reported. */
  readonly pid: number | undefined
  /** Of the process that waits for it; its end ends the container. */
  readonly outerPid: number | undefined
  /** Resolves when the program runs; rejects with CONTAINER_START when it cannot. */
  readonly started: Promise<void>
  /** Resolves when all its processes are gone. */
  readonly exited: Promise<Exit>
  /** Sends a signal to PID 1. False when it is gone. */
  signal(name: NodeJS.Signals): boolean
  readonly stdout: Readable
  readonly stderr: Readable
}

/**
 * Starts the program of a launch plan as PID 1 of new namespaces. The chain is setpriv (dies with this process) →
 * unshare (waits, passes the outcome on) → launcher → the program; the kernel ends them all when this process is gone.
 * @param planFile JSON of a LaunchPlan
 */
export function startContainer(platform: Platform, planFile: string): ContainerProcess {
  const node = [process.execPath, '--disable-warning=ExperimentalWarning', launcher, planFile]
  const argv = ['--pdeathsig', 'KILL', platform.unshare, ...namespaceFlags(platform.userNamespace), '--', ...node]
  // a session of its own: the terminal's Ctrl-C is for the runner, which stops pods in order
  const stdio = ['ignore', 'ignore', 'pipe', 'pipe', 'pipe', 'pipe'] as const
  const child = spawn(platform.setpriv, argv, { stdio: [...stdio], env: {}, detached: true, cwd: dirname(planFile) })
  const [, , own, reports, stdout, stderr] = child.stdio as unknown as readonly [null, null, Readable, Readable, Readable, Readable]
  const started = Promise.withResolvers<void>()
  started.promise.catch(() => {})
  let pid: number | undefined
  let startError: string | undefined
  let hasBegun = false
  let ownWords = ''
  own.on('data', (chunk: Buffer) => (ownWords = (ownWords + chunk.toString()).slice(-maxWords)))
  createInterface({ input: reports }).on('line', (line) => {
    const report = JSON.parse(line) as LaunchReport
    if (report.type === 'process') pid = report.pid
    if (report.type === 'executing') {
      hasBegun = true
      ownWords = ''
      started.resolve()
    }
    if (report.type === 'failed') startError = `${report.step}: ${report.message}`
  })
  const exited = outcome(child, () => ({ hasBegun, ownWords: ownWords.trim(), startError }))
  exited.then(
    (exit) => started.reject(new Failure('CONTAINER_START', exit.startError ?? 'the container ended before its program ran')),
    (error: unknown) => started.reject(error),
  )
  const signal = (name: NodeJS.Signals): boolean => {
    if (child.exitCode !== null || child.signalCode !== null) return false
    // not yet reported: end the launcher itself; unshare takes the namespace with it
    if (pid === undefined) return child.kill('SIGKILL')
    return kill(pid, name)
  }
  return { get pid() { return pid }, outerPid: child.pid, started: started.promise, exited, signal, stdout, stderr }
}

interface Seen {
  readonly hasBegun: boolean
  /** What setpriv, unshare and the launcher wrote on their own standard error since then. */
  readonly ownWords: string
  readonly startError: string | undefined
}

function outcome(child: ChildProcess, seen: () => Seen): Promise<Exit> {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code: number | null, name: NodeJS.Signals | null) => resolve(exitOf(code ?? 0, name, seen())))
  })
}

/**
 * unshare(1) ends as its child did, by the same signal; only for SIGKILL, which it cannot prepare for, it complains and
 * exits with 1 (util-linux 2.38). Nothing else makes it write once the program runs.
 */
function exitOf(code: number, name: NodeJS.Signals | null, { hasBegun, ownWords, startError }: Seen): Exit {
  const wasKilled = name === null && hasBegun && code === 1 && ownWords !== ''
  const signal = wasKilled ? constants.signals.SIGKILL : name === null ? undefined : constants.signals[name]
  const error = startError ?? (hasBegun ? undefined : signal === undefined ? ownWords : undefined)
  const failed = error === undefined ? {} : { startError: error === '' ? 'the launcher ended without a word' : error }
  return signal === undefined ? { exitCode: code, ...failed } : { exitCode: 128 + signal, signal, ...failed }
}

/** kill(2) that answers instead of throwing when there is nobody. */
export function kill(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal)
  } catch {
    return false
  }
}

/** Clock ticks after boot at which a process started (proc(5), stat field 22), which tells it from a later one with its number. */
export function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    return undefined
  }
}
