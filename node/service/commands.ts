import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import type { LaunchPlan } from '../launch/plan.ts'

/** Runs a command to its end. @returns its exit code as a shell shows it */
export type RunCommand = (plan: LaunchPlan) => Promise<number>

/** Where commands print: the service's own output. */
export interface CommandOutput {
  readonly stdout: number
  readonly stderr: number
}

/** Short commands beside the service, such as the one that ends it. */
export class Commands {
  readonly #output: CommandOutput
  readonly #running = new Set<number>()

  constructor(output: CommandOutput) {
    this.#output = output
  }

  /** True for a child that Node waits for: its status must be left alone. */
  isOurs(pid: number): boolean {
    return this.#running.has(pid)
  }

  readonly run: RunCommand = ({ file, argv: [argv0 = file, ...args], cwd, env }) =>
    new Promise((resolve, reject) => {
      const child = spawn(file, args, { argv0, cwd, env, stdio: ['ignore', this.#output.stdout, this.#output.stderr] })
      const { pid } = child
      if (pid !== undefined) this.#running.add(pid)
      child.on('error', reject)
      child.on('exit', (code, signal) => {
        if (pid !== undefined) this.#running.delete(pid)
        resolve(code ?? 128 + constants.signals[signal ?? 'SIGKILL'])
      })
    })
}
