import { readFileSync, statSync } from 'node:fs'
import type { Logger } from '#base/log.ts'
import { noOverrides, parseOverrides, type Overrides } from './model/overrides.ts'

/** The overrides of a conf file; a bad one leaves the last good ones in force. */
export class ConfFile {
  readonly #path: string
  readonly #log: Logger
  #seen = ''
  #overrides = noOverrides

  constructor(path: string, log: Logger) {
    this.#path = path
    this.#log = log
    this.reload()
  }

  get overrides(): Overrides {
    return this.#overrides
  }

  /** Reads the file if it changed. */
  reload(): void {
    try {
      const { mtimeMs, size, ino } = statSync(this.#path)
      const state = `${mtimeMs}/${size}/${ino}`
      if (state === this.#seen) return
      this.#seen = state
      this.#overrides = parseOverrides(readFileSync(this.#path, 'utf8'))
      this.#log.info('settings of logs read', { file: this.#path, hourly: this.#overrides.hourly.size, types: this.#overrides.types.size })
    } catch (error) {
      const state = String((error as Error).message)
      if (this.#seen.endsWith(state)) return
      this.#seen += state
      this.#log.error('settings of logs cannot be read; the last good ones stay in force', { file: this.#path, error })
    }
  }
}
