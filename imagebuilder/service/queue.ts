import { Failure } from '#base/errors.ts'

/** Runs tasks in the order they came, so many at a time; a bounded number may wait. */
export class TaskQueue {
  readonly #width: number
  readonly #depth: number
  readonly #waiting: (() => void)[] = []
  #running = 0

  constructor(width: number, depth: number) {
    this.#width = width
    this.#depth = depth
  }

  /** @throws QUEUE_FULL when one more could not even wait */
  checkRoom(): void {
    if (this.#running < this.#width || this.#waiting.length < this.#depth) return
    throw new Failure('QUEUE_FULL', `${this.#running} builds run and ${this.#waiting.length} wait; this would be number ${this.#waiting.length + 1} in the queue`, { temporary: true, remedy: 'try again in a while' })
  }

  /** Resolves with the task's result once it had its turn. */
  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#width) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    else this.#running++
    try {
      return await task()
    } finally {
      // The place goes to the next that waits, or is given up.
      const next = this.#waiting.shift()
      if (next === undefined) this.#running--
      else next()
    }
  }
}
