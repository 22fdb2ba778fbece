import { closeSync, fsync, openSync } from 'node:fs'

const pauseMs = 50

/**
 * Brings a file to the disk soon after it was written, off the main thread. What was written survives the end of
 * the process in any case; with this, a power cut costs no more than the last moments, and no write waits for the disk.
 */
export class Flusher {
  readonly #path: string
  #file: number | undefined
  #timer: NodeJS.Timeout | undefined
  #flushing = false
  #dirty = false
  #closed = false

  constructor(path: string) {
    this.#path = path
  }

  /** To be called after each write. */
  written(): void {
    this.#dirty = true
    if (this.#timer !== undefined || this.#flushing || this.#closed) return
    this.#timer = setTimeout(() => this.#flush(), pauseMs).unref()
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
    if (!this.#flushing) this.#release()
  }

  #flush(): void {
    this.#timer = undefined
    this.#dirty = false
    this.#flushing = true
    this.#file ??= openSync(this.#path, 'r')
    fsync(this.#file, () => {
      this.#flushing = false
      if (this.#closed) this.#release()
      else if (this.#dirty) this.written()
    })
  }

  #release(): void {
    if (this.#file !== undefined) closeSync(this.#file)
    this.#file = undefined
  }
}
