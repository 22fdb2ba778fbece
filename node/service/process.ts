import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { describe } from '#base/errors.ts'
import type { LaunchPlan } from '../launch/plan.ts'
import { descendants, isAlive, sendSignal } from '../system/processes.ts'
import type { ExitStatus } from '../system/libc.ts'

/** How a run ended; `error` when it could not be spawned at all. */
export interface Ending extends ExitStatus {
  readonly error?: string
}

export interface SpawnOptions {
  readonly plan: LaunchPlan
  readonly stdout: number
  readonly stderr: number
  readonly onGone: (ending: Ending) => void
}

/** Exit codes of a shell for a program that cannot be run, used where no process came to be. */
const NOT_FOUND = 127
const NOT_EXECUTABLE = 126

/** One run of the service, in a session and process group of its own. */
export class ServiceProcess {
  readonly #child
  readonly #onGone: (ending: Ending) => void
  /** The process that stands for the service: our child, or the successor that it left behind. */
  #pid: number
  #successor = 0
  #over = false

  constructor({ plan, stdout, stderr, onGone }: SpawnOptions) {
    const [argv0 = plan.file, ...args] = plan.argv
    this.#onGone = onGone
    this.#child = spawn(plan.file, args, { argv0, cwd: plan.cwd, env: plan.env, detached: true, stdio: ['ignore', stdout, stderr] })
    this.#pid = this.#child.pid ?? 0
    this.#child.on('error', (error: NodeJS.ErrnoException) => {
      if (this.#pid === 0) this.#end({ code: error.code === 'ENOENT' ? NOT_FOUND : NOT_EXECUTABLE, signal: null, core: false, error: `${plan.file} cannot be started: ${describe(error)}` })
    })
    this.#child.on('exit', (code, signal) => this.#childExited({ code, signal: signal === null ? null : constants.signals[signal], core: false }))
  }

  get pid(): number {
    return this.#pid
  }

  /** The pid that Node waits for; 0 once it has. */
  get waitedPid(): number {
    return this.#child.exitCode === null && this.#child.signalCode === null ? (this.#child.pid ?? 0) : 0
  }

  get running(): boolean {
    return !this.#over && this.#pid !== 0
  }

  /** Heartbeats come from another process of the service: when our child ends, that one stands for it. */
  heardFrom(pid: number): void {
    this.#successor = pid
  }

  /** An adopted process was reaped: was it the one that stood for the service? */
  reaped(pid: number, status: ExitStatus): void {
    if (pid === this.#pid && this.waitedPid === 0) this.#end(status)
  }

  /** Signals the process that stands for the service. */
  signal(signal: NodeJS.Signals): void {
    if (this.running) sendSignal(this.#pid, signal)
  }

  /** Signals the whole process group, and the successor, which may have left it. */
  signalGroup(signal: NodeJS.Signals): void {
    if (this.#child.pid !== undefined) sendSignal(-this.#child.pid, signal)
    if (this.running && this.#pid !== this.#child.pid) sendSignal(this.#pid, signal)
  }

  /**
   * SIGKILL for everything that this run left behind, whatever group or session it went to: a new run must find its
   * ports free. All our descendants are of the service; a shell that an operator opened in the container is not ours.
   */
  sweep(): void {
    if (this.#child.pid !== undefined) sendSignal(-this.#child.pid, 'SIGKILL')
    for (const pid of descendants(process.pid)) sendSignal(pid, 'SIGKILL')
  }

  #childExited(status: ExitStatus): void {
    const successor = this.#successor
    if (successor !== 0 && successor !== this.#pid && isAlive(successor)) this.#pid = successor
    else this.#end(status)
  }

  #end(ending: Ending): void {
    if (this.#over) return
    this.#over = true
    this.#onGone(ending)
  }
}
