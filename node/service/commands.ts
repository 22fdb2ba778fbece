import { getSystemErrorName } from 'node:util'
import { Failure } from '#base/errors.ts'
import type { LaunchPlan } from '../launch/plan.ts'
import { decodeStatus, outcomeCode } from '../system/exit-status.ts'
import type { Descriptors, Libc } from '../system/libc.ts'

/** Runs a command to its end. @returns its exit code as a shell shows it */
export type RunCommand = (plan: LaunchPlan) => Promise<number>

/** Short commands beside the service, such as the one that ends it; they print where the service prints. */
export class Commands {
  readonly #libc: Pick<Libc, 'spawn'>
  readonly #output: Descriptors
  readonly #running = new Map<number, (code: number) => void>()

  constructor(libc: Pick<Libc, 'spawn'>, output: Descriptors) {
    this.#libc = libc
    this.#output = output
  }

  readonly run: RunCommand = async (plan) => {
    const pid = this.#libc.spawn(plan, this.#output)
    if (pid < 0) throw new Failure('COMMAND_NOT_STARTED', `${plan.file} cannot be started: ${getSystemErrorName(pid)}`)
    return new Promise((resolve) => this.#running.set(pid, resolve))
  }

  /** A child was reaped: was it a command? */
  reaped(pid: number, word: number): void {
    const ended = this.#running.get(pid)
    if (ended === undefined) return
    this.#running.delete(pid)
    ended(outcomeCode(decodeStatus(word)))
  }
}
