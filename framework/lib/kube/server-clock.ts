import { systemClock, type Clock } from '#base/clock.ts'

/**
 * The API server's time, learned from the Date of its answers (RFC 9110, 6.6.1). All who work with one API server so have one time,
 * whatever their own clocks say, and it is the one by which the server judges certificates and dates objects. It is never
 * ahead, and behind by no more than the second that Date counts in and the way of an answer; less so with every answer. Until the
 * first one it is this machine's.
 */
export class ServerClock implements Clock {
  readonly #own: Clock
  /** The server's time less the own monotonic one is between the two. Milliseconds. */
  #difference: { readonly least: number; readonly most: number } | undefined

  constructor(own: Clock = systemClock) {
    this.#own = own
  }

  now(): number {
    return this.#difference === undefined ? this.#own.now() : this.#own.monotonic() + this.#difference.least
  }

  monotonic(): number {
    return this.#own.monotonic()
  }

  /**
   * Takes an answer in: the server dated it, in whole seconds, after it was asked for and before it came.
   * @param date the header, if there is one
   * @param askedAt monotonic milliseconds
   */
  note(date: string | undefined, askedAt: number): void {
    const dated = Date.parse(date ?? '')
    if (Number.isNaN(dated)) return
    const seen = { least: dated - this.#own.monotonic(), most: dated + 1000 - askedAt }
    const both = { least: Math.max(seen.least, this.#difference?.least ?? -Infinity), most: Math.min(seen.most, this.#difference?.most ?? Infinity) }
    // What agrees with nothing before tells of a clock that was set.
    this.#difference = both.least <= both.most ? both : seen
  }
}
