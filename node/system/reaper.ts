import type { Libc } from './libc.ts'

/** Children reaped before the event loop gets a turn, so that a burst of them delays no heartbeat noticeably. */
const BATCH = 2_000
/** From this many at a time on it is a burst. */
const BURST = 8

export interface ReaperOptions {
  readonly libc: Pick<Libc, 'reapAny' | 'lastStatus'>
  /** Called for every child that ended, spawned or adopted, with waitpid's status word. */
  readonly onReaped: (pid: number, word: number) => void
}

/**
 * Reaps all children, adopted orphans and our own. It is the only one who waits: nothing in the supervisor is spawned
 * through Node's child_process, whose statuses a wait for any child would steal.
 */
export class Reaper {
  readonly #options: ReaperOptions
  #scheduled = false
  #listening = false
  #reaped = 0
  readonly #look = (): void => this.schedule()

  constructor(options: ReaperOptions) {
    this.#options = options
  }

  /** Children reaped so far. */
  get reaped(): number {
    return this.#reaped
  }

  start(): void {
    this.#listen(true)
    this.schedule()
  }

  stop(): void {
    this.#listen(false)
  }

  schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.#sweep()
    })
  }

  #sweep(): void {
    const count = this.#take()
    // SIGCHLD is coalesced: one may stand for many, so it only says that it is worth looking. In a burst it says so
    // thousands of times, each at the price of several orphans: then looking itself is the signal, until none is left.
    if (count >= BURST) this.#listen(false)
    else if (!this.#listening) this.#listen(true)
    else return
    this.schedule()
  }

  #take(): number {
    const { libc, onReaped } = this.#options
    for (let count = 0; count < BATCH; count++) {
      const pid = libc.reapAny()
      if (pid === 0) return count
      this.#reaped++
      onReaped(pid, libc.lastStatus)
    }
    return BATCH
  }

  #listen(on: boolean): void {
    if (on === this.#listening) return
    this.#listening = on
    if (on) process.on('SIGCHLD', this.#look)
    else process.off('SIGCHLD', this.#look)
  }
}
