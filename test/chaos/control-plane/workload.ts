import { setTimeout as pause } from 'node:timers/promises'
import { describe } from '#base/errors.ts'
import type { Action } from '../disturbance.ts'
import { actLine } from '../disturber.ts'
import { operations } from './operations.ts'
import type { Space } from './space.ts'

export interface Workload {
  readonly plan: readonly Action[]
  readonly spaces: readonly Space[]
  readonly note: (line: string) => void
}

/**
 * Carries out a plan of operations: in one space one after the other and none left out, each not before its time, so that what is
 * known in the end depends on the seed alone. @returns what was refused that should not have been
 */
export async function runWorkload({ plan, spaces, note }: Workload, signal: AbortSignal): Promise<readonly string[]> {
  const started = performance.now()
  const faults: string[] = []
  await Promise.all(spaces.map(async (space, index) => {
    for (const { number, atMs, kind, choice } of plan.filter(({ target }) => target === index)) {
      await pause(Math.max(0, atMs - (performance.now() - started)), undefined, { signal })
      const say = (what: string): void => note(actLine({ sinceMs: performance.now() - started, number: `w${number}`, where: space.namespace, kind, what }))
      try {
        const operation = operations[kind]
        if (operation === undefined) throw new Error(`the plan names what is not there: ${kind}`)
        say(await operation.run(space, choice))
      } catch (error) {
        signal.throwIfAborted()
        faults.push(`w${number} ${kind}: ${describe(error)}`)
        say(`failed: ${describe(error)}`)
      }
    }
  }))
  return faults
}
