/** First in, first out; shifting costs the same however long it is. */
class Queue<T> {
  #items: (T | undefined)[] = []
  #first = 0

  get size(): number {
    return this.#items.length - this.#first
  }

  push(item: T): void {
    this.#items.push(item)
  }

  shift(): T | undefined {
    if (this.#first === this.#items.length) return undefined
    const item = this.#items[this.#first]
    this.#items[this.#first++] = undefined
    if (this.#first === this.#items.length) this.#clear()
    else if (this.#first > 1024 && this.#first * 2 > this.#items.length) this.#compact()
    return item
  }

  /** Takes out every item that `take` accepts. */
  remove(take: (item: T) => boolean): T[] {
    const taken: T[] = []
    const kept: T[] = []
    for (let i = this.#first; i < this.#items.length; i++) {
      const item = this.#items[i] as T
      ;(take(item) ? taken : kept).push(item)
    }
    this.#items = kept
    this.#first = 0
    return taken
  }

  #clear(): void {
    this.#items = []
    this.#first = 0
  }

  #compact(): void {
    this.#items = this.#items.slice(this.#first)
    this.#first = 0
  }
}

/** First in, first out for each owner, and one owner after the other: one that has much delays its own. */
export class FairQueue<T> {
  /** The owner whose turn is longest ago first; none is empty. */
  readonly #owners = new Map<string, Queue<T>>()
  #size = 0

  get size(): number {
    return this.#size
  }

  push(item: T, owner: string): void {
    const own = this.#owners.get(owner) ?? new Queue<T>()
    if (own.size === 0) this.#owners.set(owner, own)
    own.push(item)
    this.#size++
  }

  shift(): T | undefined {
    for (const [owner, own] of this.#owners) {
      this.#size--
      if (own.size === 1) this.#owners.delete(owner)
      else if (this.#owners.size > 1) {
        this.#owners.delete(owner)
        this.#owners.set(owner, own)
      }
      return own.shift()
    }
    return undefined
  }

  /** Takes out every item that `take` accepts. */
  remove(take: (item: T) => boolean): T[] {
    const taken: T[] = []
    for (const [owner, own] of this.#owners) {
      for (const item of own.remove(take)) taken.push(item)
      if (own.size === 0) this.#owners.delete(owner)
    }
    this.#size -= taken.length
    return taken
  }
}
