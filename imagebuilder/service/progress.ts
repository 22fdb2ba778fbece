import { isTemporary } from '#base/errors.ts'
import type { BuildProgress } from '../build.ts'
import type { Phase } from './timage.ts'

/** A percentage is written no more often than this, so that a build does not flood the API server. Milliseconds. */
const spacingMs = 2000

/**
 * Writes phases to the TImage, one write at a time, in order; percentages are dropped while a write is under way.
 * A write that says that the build was ended from outside cancels it.
 */
export class ProgressReporter {
  readonly #write: (phase: Phase, message: string) => Promise<void>
  readonly #cancel: (error: unknown) => void
  #chain: Promise<void> = Promise.resolve()
  #busy = false
  #phase: BuildProgress['phase'] | undefined
  #last = 0

  constructor(write: (phase: Phase, message: string) => Promise<void>, cancel: (error: unknown) => void) {
    this.#write = write
    this.#cancel = cancel
  }

  /** Notes a phase; returns at once. */
  say(phase: Phase, message: string): void {
    this.#busy = true
    this.#chain = this.#chain
      .then(() => this.#write(phase, message))
      .catch((error: unknown) => {
        // Progress may get lost with the API server away; the end of the build is written with retries.
        if (!isTemporary(error)) this.#cancel(error)
      })
      .finally(() => (this.#busy = false))
  }

  /** Notes how far the build is; returns at once. */
  at(progress: BuildProgress): void {
    const entered = progress.phase !== this.#phase
    const now = performance.now()
    if (!entered && (this.#busy || now - this.#last < spacingMs)) return
    this.#phase = progress.phase
    this.#last = now
    if (progress.phase === 'publish') this.say('Pushing', 'pushing image')
    else this.say('Building', progress.read === 0 ? 'building image' : `building image, ${Math.floor((100 * progress.read) / Math.max(1, progress.size))} %`)
  }

  /** Resolves when nothing is being written any more. */
  end(): Promise<void> {
    return this.#chain
  }
}
