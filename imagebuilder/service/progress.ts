import { isTemporary } from '#base/errors.ts'
import { sleep } from '#base/retry.ts'
import type { BuildProgress } from '../build.ts'
import type { Phase } from './timage.ts'

/** A percentage is written no more often than this, so that a build does not flood the API server. Milliseconds. */
const spacingMs = 2000

export interface ProgressOptions {
  /** Writes to the TImage. */
  readonly write: (phase: Phase, message: string) => Promise<void>
  /** Hears that the build was ended from outside. */
  readonly cancel: (error: unknown) => void
  /** The TImage says already that the package is being built, which is nearly done: what does not last is not written. */
  readonly begun: boolean
}

/** So long a phase lasts that is written when most is done. Milliseconds. */
const settleMs = 100

/**
 * Writes phases to the TImage, one write at a time, in order; what was overtaken while a write was under way is not
 * written. A write that says that the build was ended from outside cancels it.
 */
export class ProgressReporter {
  readonly #options: ProgressOptions
  readonly #ended = new AbortController()
  #next: readonly [Phase, string] | undefined
  #writing: Promise<void> | undefined
  #phase: BuildProgress['phase'] | undefined
  #last = 0

  constructor(options: ProgressOptions) {
    this.#options = options
    if (!options.begun) return
    this.#phase = 'package'
    this.#last = performance.now()
  }

  /** Notes a phase; returns at once. */
  say(phase: Phase, message: string): void {
    this.#next = [phase, message]
    this.#writing ??= this.#drain().finally(() => (this.#writing = undefined))
  }

  /** Notes how far the build is, unless that was told a moment ago. @returns the phase and message that it noted */
  at(progress: BuildProgress): readonly [Phase, string] | undefined {
    const entered = progress.phase !== this.#phase
    const now = performance.now()
    if (!entered && (this.#writing !== undefined || now - this.#last < spacingMs)) return undefined
    this.#phase = progress.phase
    this.#last = now
    const building = progress.read === 0 ? 'building image' : `building image, ${Math.floor((100 * progress.read) / Math.max(1, progress.size))} %`
    const noted: readonly [Phase, string] = progress.phase === 'publish' ? ['Pushing', 'pushing image'] : ['Building', building]
    this.say(...noted)
    return noted
  }

  /** Resolves when nothing is being written any more; what waits is dropped, for the end of the build is written next. */
  async end(): Promise<void> {
    this.#next = undefined
    this.#ended.abort()
    await this.#writing
  }

  async #drain(): Promise<void> {
    const { write, cancel, begun } = this.#options
    while (this.#next !== undefined) {
      if (begun) await sleep(settleMs, this.#ended.signal).catch(() => {})
      const next = this.#next
      this.#next = undefined
      if (next === undefined) return
      await write(...next).catch((error: unknown) => {
        // Progress may get lost with the API server away; the end of the build is written with retries.
        if (!isTemporary(error)) cancel(error)
      })
    }
  }
}
