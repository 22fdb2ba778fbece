import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

/** Lines kept of what it wrote. */
const KEPT_LINES = 4_000

export interface DaemonOptions {
  readonly name: string
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Told each line that it writes. */
  readonly onLine?: (line: string) => void
  /** Told when it has ended, whoever wished that. */
  readonly onEnd?: () => void
}

/** What a process has of the machine. */
export interface Footprint {
  readonly pid: number
  readonly megabytes: number
  readonly openFiles: number
}

/** A program that is meant to run: it can be ended, stopped and started again, and its end by itself is a fault. It ends with the test, however that ends. */
export class Daemon {
  readonly name: string
  /** Ends that nobody wished. */
  readonly faults: string[] = []
  readonly #options: DaemonOptions
  readonly #lines: string[] = []
  #child: ChildProcess | undefined
  #ended: Promise<unknown> = Promise.resolve()
  /** How many want it down. */
  #holds = 1
  /** How many want it to stand still. */
  #pauses = 0
  #starts = 0

  constructor(options: DaemonOptions) {
    this.name = options.name
    this.#options = options
  }

  get isUp(): boolean {
    return this.#child !== undefined
  }

  /** Changes with each start. */
  get starts(): number {
    return this.#starts
  }

  get lines(): readonly string[] {
    return this.#lines
  }

  /** Ends it, and keeps it down until as many have asked for it again. @returns whether it was up */
  async takeDown(signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<boolean> {
    this.#holds++
    const child = this.#child
    if (child === undefined) return false
    this.#child = undefined
    // A stopped process does not hear SIGTERM.
    child.kill('SIGCONT')
    child.kill(signal)
    await this.#ended
    return true
  }

  bringUp(): void {
    if (--this.#holds === 0) this.#start()
  }

  /** Stops the process as it is. @returns lets it go on, if it is still the same; undefined when there is none */
  pause(): (() => void) | undefined {
    const child = this.#child
    if (child === undefined) return undefined
    this.#pauses++
    child.kill('SIGSTOP')
    return () => {
      if (child === this.#child && --this.#pauses === 0) child.kill('SIGCONT')
    }
  }

  footprint(): Footprint | undefined {
    const pid = this.#child?.pid
    if (pid === undefined) return undefined
    try {
      const kilobytes = Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0)
      return { pid, megabytes: kilobytes / 1024, openFiles: readdirSync(`/proc/${pid}/fd`).length }
    } catch {
      return undefined
    }
  }

  #start(): void {
    const { argv, env, onLine, onEnd, name } = this.#options
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', ...argv], { env, stdio: ['ignore', 'pipe', 'pipe'] })
    this.#child = child
    this.#pauses = 0
    this.#starts++
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        this.#lines.push(line)
        if (this.#lines.length > KEPT_LINES) this.#lines.splice(0, KEPT_LINES / 2)
        onLine?.(line)
      })
    }
    this.#ended = once(child, 'close').then(() => {
      onEnd?.()
      if (this.#child !== child) return
      this.#child = undefined
      this.faults.push(`${name} ended by itself: ${this.#lines.slice(-3).join(' | ')}`)
      // As a kubelet would.
      this.#start()
    })
  }
}
