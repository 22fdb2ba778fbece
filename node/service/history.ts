import { signalName } from '../system/exit-status.ts'
import { countCrash, isCrashLoop, noCrashes, relaunchDelay, type CrashRecord } from '../supervisor/restart.ts'
import { backoff } from '#base/retry.ts'
import type { State } from '../supervisor/table.ts'
import type { Ending } from './process.ts'

/** Lines of output quoted in a message. */
export const QUOTED_LINES = 5
/** First and longest delay between tries to prepare a launch, milliseconds. */
const PREPARE_BACKOFF = { baseMs: 500, capMs: 15_000 }

/** What happened to the service so far, and what it says to an operator. */
export class History {
  #launches = 0
  #launchedAt = 0
  #crashes: CrashRecord = noCrashes
  #refusals = 0
  #ending: Ending | undefined
  #endingText = ''
  #refusal = ''
  #reason = ''
  #delayMs = 0

  /** Launches after the first one. */
  get restarts(): number {
    return Math.max(0, this.#launches - 1)
  }

  /** How the last run ended; undefined before that. */
  get ending(): Ending | undefined {
    return this.#ending
  }

  /** What an operator should know in this state; empty when there is nothing to tell. */
  story(state: State): string {
    const loop = this.crashLoop ? `crash loop, ${this.#crashes.inRow} in a row: ` : ''
    const last = this.#endingText === '' ? '' : loop + this.#endingText
    if (state !== 'waiting') return state === 'preparing' && this.#refusal !== '' ? this.#refusal : last
    const next = this.#delayMs === 0 ? '' : `; next try in ${seconds(this.#delayMs)}`
    return (this.#refusal === '' ? last : this.#refusal) + next
  }

  /** Milliseconds to wait before the next launch. */
  get delayMs(): number {
    return this.#delayMs
  }

  get crashesInRow(): number {
    return this.#crashes.inRow
  }

  get crashLoop(): boolean {
    return isCrashLoop(this.#crashes)
  }

  /** An operator's command clears the throttle. */
  pardon(): void {
    this.#crashes = noCrashes
    this.#refusals = 0
    this.#delayMs = 0
  }

  launched(now: number): void {
    this.#launches++
    this.#launchedAt = now
    this.#refusals = 0
    this.#refusal = ''
    this.#delayMs = 0
  }

  /** The run ended; `lines` are the last that it printed. */
  ended(ending: Ending, now: number, lines: readonly string[]): void {
    this.#ending = ending
    const output = lines.length === 0 ? '' : `; last output: ${lines.join(' | ')}`
    const why = this.#reason === '' ? '' : ` (${this.#reason})`
    this.#endingText = ending.error ?? `last run ${describeEnding(ending)} after ${seconds(now - this.#launchedAt)}${why}${output}`
    this.#reason = ''
  }

  /** The end was not asked for. */
  blamed(now: number): void {
    this.#crashes = countCrash(this.#crashes, now - this.#launchedAt)
    this.#delayMs = relaunchDelay(this.#crashes)
  }

  /** A launch could not be prepared. */
  unprepared(reason: string): void {
    this.#refusals++
    this.#delayMs = Math.round(backoff(this.#refusals, PREPARE_BACKOFF))
    this.#refusal = `cannot start: ${reason}`
  }

  /** Why the run is being ended by the supervisor itself. */
  because(reason: string): void {
    this.#reason = reason
  }
}

function describeEnding({ code, signal, core }: Ending): string {
  return signal === null ? `exited with code ${code}` : `killed by ${signalName(signal)}${core ? ' (core dumped)' : ''}`
}

/** The words of the reference's exit report (spec A.10), and what they leave out. */
export function exitReport({ code, signal, core, error }: Ending): string {
  if (error !== undefined) return error
  return signal === null ? `exit with code ${code}` : `exit with signal ${signal} (${signalName(signal)}${core ? ', core dumped' : ''})`
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`
