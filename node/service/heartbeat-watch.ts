import type { Clock } from '#base/clock.ts'
import { Heartbeats, type HeartbeatLimits } from '../supervisor/heartbeats.ts'

/** A timer that is so late, milliseconds, was held up by a standstill of this process. */
const STANDSTILL_MS = 1_000

/** Watches the heartbeats of one run by a timer that fires when the next one could be overdue. */
export class HeartbeatWatch {
  readonly #clock: Clock
  readonly #onOverdue: (adapters: readonly string[]) => void
  readonly #beats = new Heartbeats()
  #timer: NodeJS.Timeout | undefined
  #latestSeconds = 0
  #count = 0
  #countBefore = 0

  constructor(clock: Clock, onOverdue: (adapters: readonly string[]) => void) {
    this.#clock = clock
    this.#onOverdue = onOverdue
  }

  get latestSeconds(): number {
    return this.#latestSeconds
  }

  /** Heartbeats so far. */
  get count(): number {
    return this.#count
  }

  /** Whether there was any since the watch of this run began. */
  get heard(): boolean {
    return this.#count > this.#countBefore
  }

  ages(): ReturnType<Heartbeats['ages']> {
    return this.#beats.ages(this.#clock.monotonic())
  }

  begin(adapters: readonly string[], limits: HeartbeatLimits): void {
    this.end()
    this.#countBefore = this.#count
    this.#beats.begin(adapters, this.#clock.monotonic())
    this.#arm(Math.min(limits.timeoutMs, limits.firstMs), limits)
  }

  end(): void {
    clearTimeout(this.#timer)
    this.#beats.end()
  }

  beat(adapter: string): void {
    this.#count++
    this.#latestSeconds = Math.floor(this.#clock.now() / 1000)
    this.#beats.beat(adapter, this.#clock.monotonic())
  }

  #arm(ms: number, limits: HeartbeatLimits): void {
    const due = this.#clock.monotonic() + ms
    this.#timer = setTimeout(() => {
      const lateMs = this.#clock.monotonic() - due
      // Heartbeats that came meanwhile are only heard now, and a service that stood still, too, has sent none.
      if (lateMs > STANDSTILL_MS) return this.#arm(Math.min(lateMs, limits.timeoutMs), limits)
      const { adapters, nextInMs } = this.#beats.overdue(this.#clock.monotonic(), limits)
      if (adapters.length > 0) this.#onOverdue(adapters)
      else this.#arm(nextInMs, limits)
    }, Math.max(1, Math.ceil(ms)))
  }
}
