import { readFileSync, statSync } from 'node:fs'
import { Lifetime, type Running } from '#base/lifecycle.ts'
import type { Logger } from '#base/log.ts'

export interface ConfFileOptions<T> {
  readonly path: string
  /** Makes the settings of the text. @throws when it cannot */
  readonly parse: (text: string) => T
  /** What counts until the file could be read. */
  readonly initial: T
  readonly log: Logger
  /** Milliseconds between looks at the file. Default 10,000. */
  readonly everyMs?: number
}

/** Settings in a file, taken as soon as it changes; a bad one leaves the last good ones in force. */
export class ConfFile<T> implements Running {
  readonly #options: ConfFileOptions<T>
  readonly #lifetime = new Lifetime()
  #settings: T
  #seen = ''

  constructor(options: ConfFileOptions<T>) {
    this.#options = options
    this.#settings = options.initial
    this.reload()
    const timer = setInterval(() => this.reload(), options.everyMs ?? 10_000)
    this.#lifetime.onStop(() => clearInterval(timer))
  }

  get settings(): T {
    return this.#settings
  }

  get done(): Promise<void> {
    return this.#lifetime.done
  }

  stop(): Promise<void> {
    return this.#lifetime.stop()
  }

  /** Reads the file if it changed. */
  reload(): void {
    const { path, parse, log } = this.#options
    let state = 'missing'
    try {
      const { mtimeMs, size, ino } = statSync(path)
      state = `${mtimeMs}/${size}/${ino}`
      if (state === this.#seen) return
      this.#seen = state
      this.#settings = parse(readFileSync(path, 'utf8'))
      log.info('settings read', { file: path })
    } catch (error) {
      if (state === 'missing' && this.#seen === 'missing') return
      this.#seen = state
      log.error('settings cannot be read; the last good ones stay in force', { file: path, error })
    }
  }
}
