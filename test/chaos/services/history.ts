/** Times in which something was so. Milliseconds of performance.now(); where it is not known when one began or ended, it is the longest that can be. */
export class History {
  readonly #spans: { readonly from: number; until: number }[] = []

  /** From now on. Does nothing when it is so already. */
  begin(): void {
    if (this.#spans.at(-1)?.until !== Infinity) this.#spans.push({ from: performance.now(), until: Infinity })
  }

  end(): void {
    const last = this.#spans.at(-1)
    if (last?.until === Infinity) last.until = performance.now()
  }

  /** How long ago it was so for the last time, of a moment that is over; Infinity when it never was. */
  ageAt(moment: number, now: number): number {
    const latest = Math.max(Number.NEGATIVE_INFINITY, ...this.#spans.filter(({ from }) => from <= now).map(({ until }) => until))
    return Math.max(0, moment - latest)
  }
}
