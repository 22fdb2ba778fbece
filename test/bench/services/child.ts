// Processes of the benchmark besides the roles: each runs one file, is asked one thing at a time, and goes with this process.
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

export class Child {
  readonly #process: ChildProcess
  readonly #name: string

  private constructor(name: string, child: ChildProcess) {
    this.#name = name
    this.#process = child
  }

  /**
   * Starts a file of this folder.
   * @param first told to it at once
   * @returns the process, and what it said when it was ready
   */
  static async start<T>(file: string, first?: unknown): Promise<{ readonly child: Child; readonly ready: T }> {
    const process_ = fork(join(import.meta.dirname, file), [], { execArgv: ['--disable-warning=ExperimentalWarning'], serialization: 'advanced' })
    const child = new Child(file, process_)
    const ready = await child.ask<T>(first ?? {})
    return { child, ready }
  }

  get pid(): number {
    return this.#process.pid ?? -1
  }

  /** One message there and one back. */
  async ask<T>(question: unknown): Promise<T> {
    const answered = new AbortController()
    const ended = once(this.#process, 'exit', { signal: answered.signal }).then(([code]) => { throw new Error(`${this.#name} ended with ${String(code)}`) })
    try {
      const answer = once(this.#process, 'message', { signal: answered.signal }) as Promise<[T]>
      this.#process.send(question as object)
      const [value] = await Promise.race([answer, ended as Promise<never>])
      return value
    } finally {
      ended.catch(() => {})
      answered.abort()
    }
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    const ended = once(this.#process, 'exit')
    this.#process.kill()
    await ended
  }
}
