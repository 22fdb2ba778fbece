/** The adapter that every Tars server has besides those of its servants. */
const ADMIN_ADAPTER = 'AdminAdapter'

/** Longest time without a heartbeat, and from the launch to the first, milliseconds. */
export interface HeartbeatLimits {
  readonly timeoutMs: number
  readonly firstMs: number
}

/**
 * When each watched adapter was last heard of. Times are monotonic milliseconds, handed in.
 * A heartbeat without an adapter name counts for all of them; unknown names are not added.
 */
export class Heartbeats {
  readonly #last = new Map<string, number>()
  /** Adapters that were not heard of since the launch. */
  #silent = new Set<string>()
  #latest = 0

  /** A process was launched: its adapters have their time from now on. */
  begin(adapters: Iterable<string>, now: number): void {
    this.#last.clear()
    for (const adapter of [...adapters, ADMIN_ADAPTER]) this.#last.set(adapter, now)
    this.#silent = new Set(this.#last.keys())
  }

  /** The process is gone or being stopped: nothing is watched. */
  end(): void {
    this.#last.clear()
  }

  beat(adapter: string, now: number): void {
    this.#latest = now
    for (const name of adapter === '' ? this.#last.keys() : this.#last.has(adapter) ? [adapter] : []) {
      this.#last.set(name, now)
      this.#silent.delete(name)
    }
  }

  /** Milliseconds since each watched adapter was last heard of, or since the launch. */
  ages(now: number): readonly { readonly adapter: string; readonly ageMs: number }[] {
    return Array.from(this.#last, ([adapter, last]) => ({ adapter, ageMs: Math.round(now - last) }))
  }

  /** Monotonic time of the last heartbeat of any kind, 0 when there was none. */
  get latest(): number {
    return this.#latest
  }

  /** Adapters not heard of for `timeoutMs`, or for `firstMs` since the launch, and the milliseconds until the next one may be overdue. */
  overdue(now: number, { timeoutMs, firstMs }: HeartbeatLimits): { readonly adapters: readonly string[]; readonly nextInMs: number } {
    const adapters: string[] = []
    let nextInMs = Math.max(timeoutMs, firstMs)
    for (const [name, last] of this.#last) {
      const left = last + (this.#silent.has(name) ? firstMs : timeoutMs) - now
      if (left <= 0) adapters.push(name)
      else nextInMs = Math.min(nextInMs, left)
    }
    return { adapters, nextInMs }
  }
}
