import type { Descriptors, Libc, Program } from './libc.ts'

/** Children waited for before the event loop gets a turn, so that a burst of them delays no heartbeat noticeably. */
const BATCH = 2_000
/** From this many at a time on it is a burst. */
const BURST = 8
/** The first Linux that tells by a process descriptor how a process ended that nobody waited for. */
const TELLS_ENDINGS = [6, 15] as const
/** Longest pause between two looks at a process that has ended and is not yet released, milliseconds. */
const LOOK_MS = 16
/** Longest time that the end of a child is not heard of, milliseconds. */
const REST_MS = 2

export interface ReaperOptions {
  readonly libc: Pick<Libc, 'spawn' | 'reapAny' | 'lastStatus' | 'onChildEnd' | 'openProcess' | 'tellsStatus' | 'statusOf' | 'close'>
  /** Its release, such as `6.18.44`: what it offers follows from that. */
  readonly kernel: string
  /** Called for every process that was spawned or watched and has ended, and maybe for others, with waitpid's status word. */
  readonly onEnded: (pid: number, word: number) => void
}

/**
 * Leaves no zombie and loses no status of our own children. Orphans are of no interest, so the kernel releases them by
 * itself, however many there are, and what we spawned or watch is held by a process descriptor, which tells how it
 * ended. Where the kernel does not offer that, every child is waited for. Nothing in the supervisor is spawned through
 * Node's child_process, whose statuses either way would take.
 */
export class Reaper {
  readonly #options: ReaperOptions
  /** The descriptor of each process that is watched. */
  readonly #watched = new Map<number, number>()
  #releases: boolean
  #scheduled = false
  #listening = false
  #resting = false
  readonly #look = (): void => {
    this.#schedule()
    if (this.#releases && !this.#resting) this.#rest()
  }

  constructor(options: ReaperOptions) {
    this.#options = options
    this.#releases = tellsEndings(options.kernel) && options.libc.tellsStatus()
  }

  /** From now on nothing becomes a zombie for good. */
  start(): void {
    this.#listen(true)
    if (this.#releases) this.#options.libc.onChildEnd('release')
    this.#schedule()
  }

  /** Starts a program and watches it. @returns its pid, or the error number of posix_spawn(3) as a negative number */
  spawn(program: Program, descriptors: Descriptors): number {
    const { libc } = this.#options
    if (!this.#releases) return libc.spawn(program, descriptors)
    // One that ends at once must not be released before its descriptor is open.
    libc.onChildEnd('keep')
    const pid = libc.spawn(program, descriptors)
    const watched = pid < 0 || this.watch(pid)
    if (watched) {
      libc.onChildEnd('release')
      while (libc.reapAny() !== 0);
    } else {
      this.#releases = false
    }
    this.#schedule()
    return pid
  }

  /** Watches a process that somebody else started. @returns false when there is no such process any more */
  watch(pid: number): boolean {
    if (!this.#releases || this.#watched.has(pid)) return true
    const descriptor = this.#options.libc.openProcess(pid)
    if (descriptor === undefined) return false
    this.#watched.set(pid, descriptor)
    return true
  }

  /** In a burst of orphans SIGCHLD comes thousands of times and means nothing: after one, none is heard for a moment. */
  #rest(): void {
    const { libc } = this.#options
    this.#resting = true
    libc.onChildEnd('release unheard')
    setTimeout(() => {
      this.#resting = false
      if (this.#releases) libc.onChildEnd('release')
      this.#schedule()
    }, REST_MS)
  }

  #schedule(delayMs = 0): void {
    if (this.#scheduled) return
    this.#scheduled = true
    const sweep = (): void => {
      this.#scheduled = false
      if (!this.#releases) this.#wait()
      // Also where children are waited for now: one may have been released before.
      this.#ask(delayMs)
    }
    if (delayMs === 0) setImmediate(sweep)
    else setTimeout(sweep, delayMs)
  }

  /** Asks for all that is watched whether it has ended. */
  #ask(delayMs: number): void {
    let ending = false
    for (const [pid, descriptor] of this.#watched) {
      const word = this.#options.libc.statusOf(descriptor)
      if (typeof word === 'number') this.#ended(pid, word)
      else ending ||= word === 'ending'
    }
    // SIGCHLD comes a moment before the kernel releases the child.
    if (ending) this.#schedule(Math.min(LOOK_MS, delayMs * 2 || 1))
  }

  /** Waits for all children that have ended. */
  #wait(): void {
    const { libc } = this.#options
    let count = 0
    for (; count < BATCH; count++) {
      const pid = libc.reapAny()
      if (pid === 0) break
      this.#ended(pid, libc.lastStatus)
    }
    // SIGCHLD is coalesced: one may stand for many, so it only says that it is worth looking. In a burst it says so
    // thousands of times, each at the price of several orphans: then looking itself is the signal, until none is left.
    if (count >= BURST) this.#listen(false)
    else if (!this.#listening) this.#listen(true)
    else return
    this.#schedule()
  }

  #ended(pid: number, word: number): void {
    const descriptor = this.#watched.get(pid)
    if (descriptor !== undefined) this.#options.libc.close(descriptor)
    this.#watched.delete(pid)
    this.#options.onEnded(pid, word)
  }

  #listen(on: boolean): void {
    if (on === this.#listening) return
    this.#listening = on
    if (on) process.on('SIGCHLD', this.#look)
    else process.off('SIGCHLD', this.#look)
  }
}

/** Whether a kernel of this release tells how a process ended by its descriptor; what stands before the kernel may not pass the question on. */
function tellsEndings(kernel: string): boolean {
  const [major = 0, minor = 0] = kernel.split('.').map(Number.parseFloat)
  return major > TELLS_ENDINGS[0] || (major === TELLS_ENDINGS[0] && minor >= TELLS_ENDINGS[1])
}
