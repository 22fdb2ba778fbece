import { FairQueue } from './queue.ts'

/** Has so many do something at once; the others wait, owner after owner. */
export class Turns {
  readonly #waiting = new FairQueue<() => void>()
  #free: number

  constructor(count: number) {
    this.#free = count
  }

  /** Resolves with what the work comes to, once it had its turn. */
  async take<T>(owner: string, work: () => T | Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>((resolve) => this.#waiting.push(resolve, owner))
    try {
      return await work()
    } finally {
      this.#next()
    }
  }

  #next(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#free++
    else next()
  }
}
