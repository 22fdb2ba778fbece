/** A package file that is still being written while it is read. */
export interface Arrival {
  /** Bytes of the file as they were announced; no fewer than it will have. */
  readonly announced: number
  /**
   * Waits until there are more than so many bytes, or no more will come.
   * @returns whether there are more; rejects when the rest will not come, or with the signal's reason
   */
  more(than: number, signal?: AbortSignal): Promise<boolean>
}

/** The writer's side of an arrival. */
export class Arriving implements Arrival {
  readonly announced: number
  #bytes = 0
  #end: { readonly error?: unknown } | undefined
  readonly #waiting = new Set<() => void>()

  constructor(announced: number) {
    this.announced = announced
  }

  /** So many bytes more are in the file. */
  add(bytes: number): void {
    this.#bytes += bytes
    this.#wake()
  }

  /** The file is whole. */
  complete(): void {
    this.#end ??= {}
    this.#wake()
  }

  /** The rest will not come. */
  fail(error: unknown): void {
    this.#end ??= { error }
    this.#wake()
  }

  async more(than: number, signal?: AbortSignal): Promise<boolean> {
    while (this.#bytes <= than && this.#end === undefined) await this.#change(signal)
    if (this.#end !== undefined && 'error' in this.#end) throw this.#end.error
    return this.#bytes > than
  }

  #change(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#waiting.delete(wake)
        signal?.removeEventListener('abort', stop)
      }
      const wake = (): void => (leave(), resolve())
      const stop = (): void => (leave(), reject(signal?.reason as Error))
      if (signal?.aborted === true) return stop()
      this.#waiting.add(wake)
      signal?.addEventListener('abort', stop)
    })
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake()
  }
}
