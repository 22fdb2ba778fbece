import { Failure } from '#base/errors.ts'

interface Waiting {
  readonly owner: string
  readonly go: () => void
}

/** Who is in the queue: of a task that waits, how many turns come before its own. */
export interface Place {
  ahead(): number
}

/** A place lent to work that goes on only as long as nobody else wants it. */
export interface Loan {
  /** Gives the place back, unless a task has it. */
  end(): void
}

interface Lent extends Loan {
  readonly owner: string
  readonly recall: () => void
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
  #lent: Lent | undefined
  #turn = 0
  #busy = 0
  #secondsEach = FIRST_GUESS_S

  constructor(width: number, depth: number) {
    this.#width = width
    this.#depth = depth
  }

  /** @throws QUEUE_FULL when one more could not even wait; `context.retryAfter` says when it may, in seconds */
  checkRoom(): void {
    if (this.#busy < this.#width || this.#lent !== undefined || this.#waiting.length < this.#depth) return
    const retryAfter = Math.max(1, Math.ceil(this.#secondsEach / this.#width))
    throw new Failure('QUEUE_FULL', `${this.#busy} builds run and ${this.#waiting.length} wait; this would be number ${this.#waiting.length + 1} in the queue`, { temporary: true, remedy: `try again in ${retryAfter} s`, context: { retryAfter } })
  }

  /**
   * Lends a place when nothing runs.
   * @param recall is called when somebody else wants it; the borrower ends the loan as soon as it can
   */
  lend(owner: string, recall: () => void): Loan | undefined {
    if (this.#busy > 0) return undefined
    this.#enter(owner)
    const lent: Lent = { owner, recall, end: () => this.#lent === lent && ((this.#lent = undefined), this.#leave(owner)) }
    this.#lent = lent
    return lent
  }

  /**
   * Resolves with the task's result once it had its turn; rejects with the signal's reason when that comes first.
   * @param owner whom the queue is fair to, such as an application
   * @param onWait hears of a task that has to wait
   * @param loan a place that was lent, which becomes the task's if it still is
   */
  async run<T>(owner: string, task: () => Promise<T>, signal: AbortSignal, onWait?: (place: Place) => void, loan?: Loan): Promise<T> {
    signal.throwIfAborted()
    if (loan !== undefined && loan === this.#lent) this.#lent = undefined
    else if (this.#busy >= this.#width) await this.#wait(owner, signal, onWait)
    else this.#enter(owner)
    const began = performance.now()
    try {
      return await task()
    } finally {
      this.#secondsEach += LATEST * ((performance.now() - began) / 1000 - this.#secondsEach)
      this.#leave(owner)
    }
  }

  #wait(owner: string, signal: AbortSignal, onWait: ((place: Place) => void) | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        owner,
        go: () => {
          signal.removeEventListener('abort', leave)
          resolve()
        },
      }
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1)
        reject(signal.reason as Error)
      }
      signal.addEventListener('abort', leave, { once: true })
      this.#waiting.push(waiting)
      onWait?.({ ahead: () => this.#order().indexOf(waiting) })
      this.#lent?.recall()
    })
  }

  #enter(owner: string): void {
    this.#busy++
    this.#turns.set(owner, ++this.#turn)
    count(this.#running, owner, 1)
  }

  /** The place goes to the next that waits, or is given up. */
  #leave(owner: string): void {
    count(this.#running, owner, -1)
    this.#busy--
    const next = nextOf(this.#waiting, this.#running, this.#turns)
    if (next === undefined) return
    this.#waiting.splice(this.#waiting.indexOf(next), 1)
    this.#enter(next.owner)
    next.go()
  }

  /** All that wait, in the order of their turns if nothing ended but in turn and nobody came. */
  #order(): Waiting[] {
    const [waiting, running, turns] = [[...this.#waiting], new Map(this.#running), new Map(this.#turns)]
    const order: Waiting[] = []
    for (let next = nextOf(waiting, running, turns); next !== undefined; next = nextOf(waiting, running, turns)) {
      waiting.splice(waiting.indexOf(next), 1)
      order.push(next)
      turns.set(next.owner, this.#turn + order.length)
    }
    return order
  }
}

function nextOf(waiting: readonly Waiting[], running: ReadonlyMap<string, number>, turns: ReadonlyMap<string, number>): Waiting | undefined {
  const of = (numbers: ReadonlyMap<string, number>, { owner }: Waiting): number => numbers.get(owner) ?? 0
  return waiting.toSorted((a, b) => of(running, a) - of(running, b) || of(turns, a) - of(turns, b))[0]
}

function count(numbers: Map<string, number>, key: string, by: number): void {
  const value = (numbers.get(key) ?? 0) + by
  if (value > 0) numbers.set(key, value)
  else numbers.delete(key)
}
