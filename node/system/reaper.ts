import type { ExitStatus, Libc } from './libc.ts'
import { childrenOfTask } from './processes.ts'

/** Orphans reaped before the event loop gets a turn, so that a burst of them delays no heartbeat noticeably. */
const BATCH = 5_000
/** More than this many at a time count as a burst. */
const FEW = 8

export interface ReaperOptions {
  readonly libc: Pick<Libc, 'peekEnded' | 'reap'>
  /** Children that Node waits for itself: their status must be left alone. */
  readonly isOurs: (pid: number) => boolean
  readonly onReaped?: (pid: number, status: ExitStatus) => void
}

/**
 * Reaps adopted orphans. Node waits only for children that it spawned, and waitpid(-1) would steal their statuses:
 * so the reaper looks without taking (WNOWAIT), and takes by pid what is not ours. When one of ours is at the head of
 * the queue, Node's own turn comes first and the reaper looks again after it.
 */
export class Reaper {
  readonly #options: ReaperOptions
  #scheduled = false
  #reaped = 0
  readonly #look = (): void => this.schedule()

  constructor(options: ReaperOptions) {
    this.#options = options
  }

  /** Orphans reaped so far. */
  get reaped(): number {
    return this.#reaped
  }

  start(): void {
    // SIGCHLD is coalesced: one may stand for many, so it only says that it is worth looking.
    process.on('SIGCHLD', this.#look)
    this.schedule()
  }

  stop(): void {
    process.off('SIGCHLD', this.#look)
  }

  schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      if (this.#sweep()) this.schedule()
    })
  }

  /** @returns true when it is worth looking again */
  #sweep(): boolean {
    const { libc, isOurs } = this.#options
    for (let count = 0; count < FEW; count++) {
      const pid = libc.peekEnded()
      if (pid === 0) return false
      if (isOurs(pid) || !this.#take(pid)) return true
    }
    return this.#sweepMany()
  }

  /** A burst: one look at the list of children, and then one system call an orphan instead of two. */
  #sweepMany(): boolean {
    let left = BATCH
    for (const pid of childrenOfTask(process.pid, process.pid)) {
      if (left === 0) break
      if (!this.#options.isOurs(pid) && this.#take(pid)) left--
    }
    return true
  }

  #take(pid: number): boolean {
    const status = this.#options.libc.reap(pid)
    if (status === undefined) return false
    this.#reaped++
    this.#options.onReaped?.(pid, status)
    return true
  }
}
