import { FairQueue } from './queue.ts'

/** What took less, milliseconds, is not rested from. */
const shortMs = 5

/** Has so many do something at once; the others wait, owner after owner. */
export class Turns {
  readonly #waiting = new FairQueue<() => void>()
  readonly #rest: number
  #free: number

  /** @param rest so many times as long as one took nobody takes its place: what it took of the event loop is no larger share of it */
  constructor(count: number, rest = 0) {
    this.#free = count
    this.#rest = rest
  }

  /** Resolves with what the work comes to, once it had its turn. */
  async take<T>(owner: string, work: () => T | Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>((resolve) => this.#waiting.push(resolve, owner))
    const began = performance.now()
    try {
      return await work()
    } finally {
      const restMs = (performance.now() - began) * this.#rest
      if (restMs < shortMs * this.#rest || restMs === 0) this.#next()
      else setTimeout(() => this.#next(), restMs).unref()
    }
  }

  #next(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#free++
    else next()
  }
}
