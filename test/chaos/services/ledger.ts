/** What was sent of each kind, and how much of it was acknowledged. */
export class Ledger {
  readonly #kinds = new Map<string, { sent: number; acknowledged: number }>()

  /** @returns to be called when it is acknowledged */
  send(amounts: ReadonlyMap<string, number>): () => void {
    for (const [kind, amount] of amounts) this.#of(kind).sent += amount
    return () => {
      for (const [kind, amount] of amounts) this.#of(kind).acknowledged += amount
    }
  }

  get acknowledged(): number {
    return [...this.#kinds.values()].reduce((sum, one) => sum + one.acknowledged, 0)
  }

  get sent(): number {
    return [...this.#kinds.values()].reduce((sum, one) => sum + one.sent, 0)
  }

  /** What is found more often than it was sent. */
  excess(found: ReadonlyMap<string, number>): string[] {
    return [...found].flatMap(([kind, amount]) => {
      const sent = this.#kinds.get(kind)?.sent ?? 0
      return amount > sent ? [`${kind} was sent ${sent} times, and counts ${amount}`] : []
    })
  }

  /** What was acknowledged, and is not found. */
  lack(found: ReadonlyMap<string, number>): string[] {
    return [...this.#kinds].flatMap(([kind, { acknowledged }]) => {
      const amount = found.get(kind) ?? 0
      return amount < acknowledged ? [`${kind} was acknowledged ${acknowledged} times, and counts ${amount}`] : []
    })
  }

  #of(kind: string): { sent: number; acknowledged: number } {
    const known = this.#kinds.get(kind) ?? { sent: 0, acknowledged: 0 }
    this.#kinds.set(kind, known)
    return known
  }
}
