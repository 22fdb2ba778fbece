/** Writes a batch somewhere; calls back when it is done, with an error when it (or a part) failed. */
export type WriteBatch = (chunks: readonly Buffer[], done: (error?: Error | null) => void) => void

/** Bytes kept for a slow destination before output is dropped. */
const CAPACITY = 1 << 20
/** Pieces kept, because each takes some hundred bytes besides its own. */
const MOST_PIECES = 1 << 14
/** A destination that fails is tried again after this many milliseconds, with the output that comes then. */
const RETRY_MS = 1_000

/**
 * A queue in front of a destination that may be slow, full or broken. write() never waits: beyond the capacity it
 * drops, counts the lines, and says so at the destination once there is room again.
 */
export class BoundedWriter {
  readonly #writeBatch: WriteBatch
  readonly #capacity: number
  #queue: Buffer[] = []
  #bytes = 0
  #pieces = 0
  #busy = false
  #held = false
  #lost = 0
  #lostTotal = 0
  #pausedUntil = 0
  #idle: (() => void)[] = []

  constructor(writeBatch: WriteBatch, capacity = CAPACITY) {
    this.#writeBatch = writeBatch
    this.#capacity = capacity
  }

  /** Lines dropped since the start. */
  get lostLines(): number {
    return this.#lostTotal
  }

  /** Keeps what comes, until release(). */
  hold(): void {
    this.#held = true
  }

  release(): void {
    this.#held = false
    this.#flush()
  }

  write(chunk: Buffer): void {
    if (this.#bytes + chunk.length > this.#capacity || this.#pieces >= MOST_PIECES || performance.now() < this.#pausedUntil) return this.#drop(chunk)
    if (this.#lost > 0) this.#confess()
    this.#push(chunk)
    this.#flush()
  }

  /** Resolves when everything was written, or after `timeoutMs`. */
  settled(timeoutMs: number): Promise<void> {
    if (!this.#busy) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs)
      this.#idle.push(() => (clearTimeout(timer), resolve()))
    })
  }

  #push(chunk: Buffer): void {
    this.#queue.push(chunk)
    this.#bytes += chunk.length
    this.#pieces++
  }

  #drop(chunk: Buffer): void {
    let lines = 0
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) lines++
    this.#lost += Math.max(1, lines)
    this.#lostTotal += Math.max(1, lines)
  }

  #confess(): void {
    this.#push(Buffer.from(`\n[tarsnode] ${this.#lost} lines of output were lost: the destination did not keep up\n`))
    this.#lost = 0
  }

  #flush(): void {
    if (this.#busy || this.#held) return
    if (this.#queue.length === 0) {
      for (const resolve of this.#idle.splice(0)) resolve()
      return
    }
    this.#busy = true
    const batch = this.#queue
    const size = this.#bytes
    this.#queue = []
    this.#writeBatch(batch, (error) => {
      this.#busy = false
      this.#bytes -= size
      this.#pieces -= batch.length
      if (error) {
        for (const chunk of batch) this.#drop(chunk)
        this.#pausedUntil = performance.now() + RETRY_MS
      }
      this.#flush()
    })
  }
}
