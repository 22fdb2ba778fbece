import type { Logger } from './log.ts'

/** A role's or component's environment: parsed by the role itself, once, into a frozen typed value. */
export type Environment = Readonly<Record<string, string | undefined>>

/** Something that was started and can be stopped. */
export interface Running {
  /** Stops in order: no new work, finish what is under way, release everything. Idempotent; resolves when all is gone. */
  stop(): Promise<void>
  /** Resolves when it has ended by itself or by stop(); rejects when it broke. */
  readonly done: Promise<void>
}

export interface RoleContext {
  readonly env: Environment
  readonly log: Logger
  /** Aborts when the process was asked to stop; stop() is called as well. */
  readonly signal: AbortSignal
}

/**
 * A role of the framework (`tarsk8s <role>`). It resolves once the role serves. No package-level state:
 * several instances run side by side in one process.
 */
export type Role = (context: RoleContext) => Promise<Running>

/**
 * Collects clean-ups while something starts, and turns them into its Running.
 * Clean-ups run in reverse order, each exactly once; the first error is thrown after all ran.
 */
export class Lifetime implements Running {
  readonly #cleanups: (() => unknown)[] = []
  readonly #ended = Promise.withResolvers<void>()
  #stopping: Promise<void> | undefined
  #stopped = false

  constructor() {
    this.#ended.promise.catch(() => {})
  }

  get done(): Promise<void> {
    return this.#ended.promise
  }

  /** Runs `cleanup` on stop, before those added earlier; at once when it has stopped already, as one that is stopped while it starts. */
  onStop(cleanup: () => unknown): void {
    if (this.#stopped) void Promise.resolve().then(cleanup).catch((error: unknown) => this.#ended.reject(error))
    else this.#cleanups.push(cleanup)
  }

  /** Adds a started part: stopped with this one, and its failure is this one's failure. */
  own<T extends Running>(part: T): T {
    this.onStop(() => part.stop())
    part.done.catch((error: unknown) => this.fail(error))
    return part
  }

  /** Ends this lifetime as broken: stops everything and lets `done` reject. */
  fail(error: unknown): void {
    this.#ended.reject(error)
    this.stop().catch(() => {})
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<void> {
    const errors: unknown[] = []
    for (let cleanup = this.#cleanups.pop(); cleanup !== undefined; cleanup = this.#cleanups.pop()) {
      try {
        await cleanup()
      } catch (error) {
        errors.push(error)
      }
    }
    this.#stopped = true
    this.#ended.resolve()
    if (errors.length > 0) throw errors[0]
  }
}
