import { Failure } from '#base/errors.ts'

interface Waiting {
  readonly owner: string
  readonly go: () => void
}

/** What a build is thought to take before any has run, seconds. */
const FIRST_GUESS_S = 10
/** The weight of the latest build in what one is thought to take. */
const LATEST = 0.2

/**
 * Runs tasks, so many at a time; a bounded number may wait. The next turn is that of the owner of whom the fewest run, and
 * of these the one whose last turn is longest ago: who sends a hundred builds delays his own.
 */
export class FairQueue {
  readonly #width: number
  readonly #depth: number
  readonly #waiting: Waiting[] = []
  readonly #running = new Map<string, number>()
  /** The number of the latest turn of each owner. */
  readonly #turns = new Map<string, number>()
  #turn = 0
  #busy = 0
  #secondsEach = FIRST_GUESS_S

  constructor(width: number, depth: number) {
    this.#width = width
    this.#depth = depth
  }

  /** @throws QUEUE_FULL when one more could not even wait; `context.retryAfter` says when it may, in seconds */
  checkRoom(): void {
    if (this.#busy < this.#width || this.#waiting.length < this.#depth) return
    const retryAfter = Math.max(1, Math.ceil(this.#secondsEach / this.#width))
    throw new Failure('QUEUE_FULL', `${this.#busy} builds run and ${this.#waiting.length} wait; this would be number ${this.#waiting.length + 1} in the queue`, { temporary: true, remedy: `try again in ${retryAfter} s`, context: { retryAfter } })
  }

  /** Resolves with the task's result once it had its turn. @param owner whom the queue is fair to, such as an application */
  async run<T>(owner: string, task: () => Promise<T>): Promise<T> {
    if (this.#busy >= this.#width) await new Promise<void>((go) => this.#waiting.push({ owner, go }))
    else this.#enter(owner)
    const began = performance.now()
    try {
      return await task()
    } finally {
      this.#secondsEach += LATEST * ((performance.now() - began) / 1000 - this.#secondsEach)
      this.#leave(owner)
    }
  }

  #enter(owner: string): void {
    this.#busy++
    this.#turns.set(owner, ++this.#turn)
    this.#running.set(owner, (this.#running.get(owner) ?? 0) + 1)
  }

  /** The place goes to the next that waits, or is given up. */
  #leave(owner: string): void {
    const left = (this.#running.get(owner) ?? 0) - 1
    if (left > 0) this.#running.set(owner, left)
    else this.#running.delete(owner)
    this.#busy--
    const next = this.#next()
    if (next === undefined) return
    this.#enter(next.owner)
    next.go()
  }

  #next(): Waiting | undefined {
    const running = ({ owner }: Waiting): number => this.#running.get(owner) ?? 0
    const turn = ({ owner }: Waiting): number => this.#turns.get(owner) ?? 0
    const [first] = this.#waiting.toSorted((a, b) => running(a) - running(b) || turn(a) - turn(b))
    if (first !== undefined) this.#waiting.splice(this.#waiting.indexOf(first), 1)
    return first
  }
}
