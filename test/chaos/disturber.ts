import { setTimeout as pause } from 'node:timers/promises'
import type { Action } from './disturbance.ts'
import { disturbances } from './disturbances/all.ts'
import type { ChaosPod } from './pod.ts'
import type { SharedRegistry } from './shared-registry.ts'

export interface Field {
  readonly pods: readonly ChaosPod[]
  readonly registry: SharedRegistry
  readonly note: (line: string) => void
}

/** Carries out a plan: each action at its time, undone at its time, whatever the others do. */
export class Disturber {
  readonly counts = new Map<string, number>()
  readonly #field: Field
  readonly #underWay = new Set<string>()
  readonly #started = performance.now()

  constructor(field: Field) {
    this.#field = field
  }

  /** Resolves when all is done and undone; rejects when a disturbance itself failed. */
  async run(plan: readonly Action[], signal: AbortSignal): Promise<void> {
    const failed = new AbortController()
    const either = AbortSignal.any([signal, failed.signal])
    try {
      await Promise.all(plan.map((action) => this.#perform(action, either)))
    } finally {
      failed.abort()
    }
  }

  async #perform(action: Action, signal: AbortSignal): Promise<void> {
    await pause(action.atMs, undefined, { signal })
    const pod = this.#field.pods[action.pod]
    const disturbance = disturbances[action.kind]
    if (pod === undefined || disturbance === undefined) throw new Error(`the plan names what is not there: ${action.kind} in pod ${action.pod}`)
    const key = disturbance.shared ? action.kind : `${action.kind} ${action.pod}`
    if (this.#underWay.has(key)) return this.#say(action, 'is under way already')
    this.#underWay.add(key)
    this.counts.set(action.kind, (this.counts.get(action.kind) ?? 0) + 1)
    const { did, undo } = await disturbance.begin(pod, action, this.#field.registry)
    this.#say(action, did)
    if (undo !== undefined) {
      await pause(action.lastsMs, undefined, { signal })
      const undone: unknown = await undo()
      this.#say(action, typeof undone === 'string' ? `undone: ${undone}` : 'undone')
    }
    this.#underWay.delete(key)
  }

  #say({ number, pod, kind }: Action, what: string): void {
    const seconds = ((performance.now() - this.#started) / 1000).toFixed(2)
    this.#field.note(`${seconds.padStart(7)} s  #${String(number).padEnd(4)} pod ${pod}  ${kind.padEnd(17)} ${what}`)
  }
}
