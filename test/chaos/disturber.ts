import { setTimeout as pause } from 'node:timers/promises'
import type { Action, Disturbance } from './disturbance.ts'

export interface Field<Target, Shared> {
  readonly disturbances: Readonly<Record<string, Disturbance<Target, Shared>>>
  readonly targets: readonly Target[]
  /** What a target is called in the log. */
  readonly targetName: string
  readonly shared: Shared
  readonly note: (line: string) => void
}

/** Carries out a plan: each action at its time, undone at its time, whatever the others do. */
export class Disturber<Target, Shared> {
  readonly counts = new Map<string, number>()
  readonly #field: Field<Target, Shared>
  readonly #underWay = new Set<string>()
  readonly #started = performance.now()

  constructor(field: Field<Target, Shared>) {
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
    for (const [kind, count] of [...this.counts].toSorted(([a], [b]) => a.localeCompare(b))) this.#field.note(`${String(count).padStart(5)} × ${kind}`)
  }

  async #perform(action: Action, signal: AbortSignal): Promise<void> {
    await pause(action.atMs, undefined, { signal })
    const { targets, targetName, disturbances, shared } = this.#field
    const target = targets[action.target]
    const disturbance = disturbances[action.kind]
    if (target === undefined || disturbance === undefined) throw new Error(`the plan names what is not there: ${action.kind} of ${targetName} ${action.target}`)
    const key = disturbance.shared ? action.kind : `${action.kind} ${action.target}`
    if (this.#underWay.has(key)) return this.#say(action, 'is under way already')
    this.#underWay.add(key)
    this.counts.set(action.kind, (this.counts.get(action.kind) ?? 0) + 1)
    const { did, undo } = await disturbance.begin(target, action, shared)
    this.#say(action, did)
    if (undo !== undefined) {
      await pause(action.lastsMs, undefined, { signal })
      const undone: unknown = await undo()
      this.#say(action, typeof undone === 'string' ? `undone: ${undone}` : 'undone')
    }
    this.#underWay.delete(key)
  }

  #say({ number, target, kind }: Action, what: string): void {
    const { targetName, note } = this.#field
    note(actLine({ sinceMs: performance.now() - this.#started, number: `#${number}`, where: `${targetName} ${target}`, kind, what }))
  }
}

/** A line of the log. */
export function actLine({ sinceMs, number, where, kind, what }: { readonly sinceMs: number; readonly number: string; readonly where: string; readonly kind: string; readonly what: string }): string {
  return `${(sinceMs / 1000).toFixed(2).padStart(7)} s  ${number.padEnd(5)} ${where.padEnd(12)}  ${kind.padEnd(17)} ${what}`
}
