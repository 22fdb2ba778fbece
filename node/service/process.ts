import { existsSync } from 'node:fs'
import { getSystemErrorMap } from 'node:util'
import type { LaunchPlan } from '../launch/plan.ts'
import { decodeStatus, type ExitStatus } from '../system/exit-status.ts'
import { isShellText, obstacleOf } from '../system/executable.ts'
import { descendants, isAlive, LOOKING_MS, sendSignal } from '../system/processes.ts'

/** How a run ended; `error` when it could not be spawned at all. */
export interface Ending extends ExitStatus {
  readonly error?: string
}

export interface SpawnOptions {
  readonly plan: LaunchPlan
  /** Starts the program; its pid, or a negative error number. */
  readonly spawn: (plan: LaunchPlan) => number
  readonly onGone: (ending: Ending) => void
  /** The end of this process is to be heard of, too; false when there is none any more. */
  readonly watch: (pid: number) => boolean
  /** The service may leave its first process by itself and go on in another one, as daemons do. */
  readonly mayDaemonise: boolean
}

/** Exit codes of a shell for a program that cannot be run, used where no process came to be. */
const NOT_FOUND = 127
const NOT_EXECUTABLE = 126

/** One run of the service, in a session and process group of its own. */
export class ServiceProcess {
  readonly #onGone: (ending: Ending) => void
  readonly #watch: (pid: number) => boolean
  #mayDaemonise: boolean
  /** The process that we spawned, which leads the group. */
  readonly #leader: number
  /** The process that stands for the service: the one that we spawned, or the successor that it left behind. */
  #pid: number
  /** The process that sent the latest heartbeat, 0 before the first. */
  #beating = 0
  #over = false

  constructor({ plan, spawn, onGone, watch, mayDaemonise }: SpawnOptions) {
    this.#onGone = onGone
    this.#watch = watch
    this.#mayDaemonise = mayDaemonise
    const pid = spawnOrShell(plan, spawn)
    this.#leader = this.#pid = Math.max(0, pid)
    if (pid < 0) queueMicrotask(() => this.#end(notSpawned(plan, pid)))
  }

  get pid(): number {
    return this.#pid
  }

  get running(): boolean {
    return !this.#over && this.#pid !== 0
  }

  /** A heartbeat came from this process of the service: when the present one ends, that one stands for it. */
  heardFrom(pid: number): void {
    this.#beating = pid
  }

  /** A process has ended: was it the one that stood for the service? */
  ended(pid: number, word: number): void {
    if (pid !== this.#pid || this.#over) return
    const status = decodeStatus(word)
    const successor = this.#successor(status)
    if (successor === undefined) this.#end(status)
    else this.#pid = successor
  }

  /** Signals the process that stands for the service. */
  signal(signal: NodeJS.Signals): void {
    if (this.running) sendSignal(this.#pid, signal)
  }

  /** Signals the whole process group, and the successor, which may have left it. */
  signalGroup(signal: NodeJS.Signals): void {
    // What leaves now does so because it was told to.
    this.#mayDaemonise = false
    if (this.#leader !== 0) sendSignal(-this.#leader, signal)
    if (this.running && this.#pid !== this.#leader) sendSignal(this.#pid, signal)
  }

  /**
   * SIGKILL for everything that this run left behind, whatever group or session it went to: a new run must find its
   * ports free. All our descendants are of the service; a shell that an operator opened in the container is not ours.
   */
  sweep(): void {
    if (this.#leader !== 0) sendSignal(-this.#leader, 'SIGKILL')
    for (const pid of descendants(process.pid)) sendSignal(pid, 'SIGKILL')
  }

  /**
   * Who stands for the service after its process ended: the one that sends the heartbeats (a graceful restart), or,
   * when it left with 0 before it sent any, the eldest of what it left running (a daemon that forked itself away).
   */
  #successor(status: ExitStatus): number | undefined {
    const beating = this.#beating
    if (beating !== 0) return beating !== this.#pid && isAlive(beating) && this.#watch(beating) ? beating : undefined
    return status.code === 0 && this.#mayDaemonise ? this.#eldest() : undefined
  }

  /** The eldest that can be watched; who ends before that may have left another. None when no descriptor is to be had. */
  #eldest(): number | undefined {
    const deadline = performance.now() + LOOKING_MS
    for (;;) {
      const left = descendants(process.pid)
      const eldest = left.find(this.#watch)
      if (eldest !== undefined || left.length === 0 || performance.now() > deadline) return eldest
    }
  }

  #end(ending: Ending): void {
    if (this.#over) return
    this.#over = true
    this.#onGone(ending)
  }
}

/** A script without a `#!` line is run by the shell, as execvp(3) does it. */
function spawnOrShell(plan: LaunchPlan, spawn: SpawnOptions['spawn']): number {
  const pid = spawn(plan)
  return errorName(pid) === 'ENOEXEC' && isShellText(plan.file) ? spawn(byShell(plan)) : pid
}

export const byShell = (plan: LaunchPlan): LaunchPlan => ({ ...plan, file: '/bin/sh', argv: ['sh', plan.file, ...plan.argv.slice(1)] })

const errorName = (number: number): string | undefined => (number < 0 ? getSystemErrorMap().get(number)?.[0] : undefined)

function notSpawned({ file, cwd }: LaunchPlan, error: number): Ending {
  const [name = `error ${-error}`, text = ''] = getSystemErrorMap().get(error) ?? []
  const why = existsSync(cwd) ? (obstacleOf(file) ?? text) : `its working folder ${cwd} is missing`
  return { code: name === 'ENOENT' ? NOT_FOUND : NOT_EXECUTABLE, signal: null, core: false, error: `${file} cannot be started: ${name}, ${why}` }
}
