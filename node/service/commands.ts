import { getSystemErrorName } from 'node:util'
import { Failure } from '#base/errors.ts'
import type { LaunchPlan } from '../launch/plan.ts'
import { decodeStatus, outcomeCode } from '../system/exit-status.ts'
import type { Descriptors } from '../system/libc.ts'
import type { Reaper } from '../system/reaper.ts'

/** Runs a command to its end. @returns its exit code as a shell shows it */
export type RunCommand = (plan: LaunchPlan) => Promise<number>

/** Short commands beside the service, such as the one that ends it; they print where the service prints. */
export class Commands {
  readonly #reaper: Pick<Reaper, 'spawn'>
  readonly #output: Descriptors
  readonly #running = new Map<number, (code: number) => void>()

  constructor(reaper: Pick<Reaper, 'spawn'>, output: Descriptors) {
    this.#reaper = reaper
    this.#output = output
  }

  readonly run: RunCommand = async (plan) => {
    const pid = this.#reaper.spawn(plan, this.#output)
    if (pid < 0) throw new Failure('COMMAND_NOT_STARTED', `${plan.file} cannot be started: ${getSystemErrorName(pid)}`)
    return new Promise((resolve) => this.#running.set(pid, resolve))
  }

  /** A process has ended: was it a command? */
  ended(pid: number, word: number): void {
    const resolve = this.#running.get(pid)
    if (resolve === undefined) return
    this.#running.delete(pid)
    resolve(outcomeCode(decodeStatus(word)))
  }
}
