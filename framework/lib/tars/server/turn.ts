/**
 * Work of one turn of the event loop, of one adapter, so that none takes the time of another: it says how long methods
 * have run, and runs what was put off to the end of the turn (flushing the responses of a turn in one write each).
 */
export class Turn {
  readonly #now: () => number
  #began = -1
  /** What {@link read} said, until {@link used} goes by it; -1 when the clock is to be read. */
  #fresh = -1
  #at = 0
  #scheduled = false
  #tasks: (() => void)[] = []

  constructor(now: () => number) {
    this.#now = now
  }

  /** Milliseconds since methods were first called in this turn: they begin with the first look. */
  get used(): number {
    const now = (this.#at = this.#fresh < 0 ? this.#now() : this.#fresh)
    this.#fresh = -1
    if (this.#began < 0) {
      this.#began = now
      this.#schedule()
    }
    return now - this.#began
  }

  /** A call starts, whatever its turn was used for. @returns monotonic milliseconds */
  start(): number {
    this.#fresh = -1
    return (this.#at = this.#now())
  }

  /** When {@link used} or {@link start} was asked last: a call that starts then starts now. Monotonic milliseconds. */
  get at(): number {
    return this.#at
  }

  /** Monotonic milliseconds, at the arrival or the end of calls. The next call goes by it: reading the clock costs as much as many a method. */
  read(): number {
    return (this.#fresh = this.#now())
  }

  /** Runs `task` after everything that is ready now. */
  atEnd(task: () => void): void {
    this.#tasks.push(task)
    this.#schedule()
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(this.#end)
  }

  readonly #end = (): void => {
    this.#scheduled = false
    this.#began = this.#fresh = -1
    const tasks = this.#tasks
    this.#tasks = []
    for (const task of tasks) task()
  }
}
