import type { Logger } from '#base/log.ts'
import { metric } from '#base/metrics.ts'
import type { Row } from './dataset.ts'
import { sumsOf, sumsTakenDown, type FoldRules, type Sum, type Sums } from './fold.ts'
import { tapesIn } from './journal.ts'
import { minuteOf } from './minute.ts'
import type { Spool } from './spool.ts'

/** A window of time that is over. */
export interface Closed {
  /** `<end in milliseconds>-<run>`: its journal, its batch, and the start of its rows' ids. */
  readonly name: string
  /** Of its time, milliseconds. */
  readonly end: number
  /** Monotonic: when it was found to be over. */
  readonly closedAt: number
  /** What it came to; undefined: what its journal says. */
  readonly sums: Sums | undefined
}

/** Takes windows over that are over. */
export interface Keeping {
  /** Takes one over, and tries to hand on all that it has. @returns names of those that are done with: their journals may go */
  take(closed?: Closed): Promise<readonly string[]>
}

export interface KeeperOptions {
  /** Of journals. */
  readonly folder: string
  readonly rules: FoldRules
  readonly spool: Pick<Spool, 'put'>
  /** Told of each window that is over, or was found of an earlier process. */
  readonly told?: (sums: Iterable<Sum>, window: Pick<Closed, 'end' | 'closedAt'>) => void
  readonly log: Logger
}

/** Windows that wait because the disk refuses them; beyond it the oldest go. */
const mostWaiting = 60

/** Makes rows of windows and hands them on to the spool. What an earlier process left has that process' own ids: whether it was handed on already or not, it counts once. */
export class Keeper implements Keeping {
  readonly #options: KeeperOptions
  readonly #waiting: Closed[] = []
  #work: Promise<unknown> = Promise.resolve()
  #lost = 0

  constructor(options: KeeperOptions) {
    this.#options = options
  }

  /** One after the other. */
  take(closed?: Closed): Promise<readonly string[]> {
    if (closed !== undefined) {
      this.#waiting.push(closed)
      this.#tell(closed)
    }
    const work = this.#work.then(() => this.#handOn())
    this.#work = work
    return work
  }

  /** @param prefix of names */
  metrics(prefix: string): string {
    return metric(`${prefix}_windows_lost_total`, 'Windows lost because the disk refused them for too long.', [[this.#lost]])
  }

  async #handOn(): Promise<readonly string[]> {
    const { spool, log } = this.#options
    const done: string[] = []
    for (let window = this.#waiting[0]; window !== undefined; window = this.#waiting[0]) {
      try {
        await spool.put(window.name, rowsOf(window, this.#options.rules, this.#sums(window)))
      } catch (error) {
        log.error('a window could not be handed on; it is tried again', { window: window.name, waiting: this.#waiting.length, error })
        if (this.#waiting.length > mostWaiting) done.push(this.#lose())
        // Something may be the matter with this one only: the next one is tried before it.
        else this.#waiting.push(...this.#waiting.splice(0, 1))
        return done
      }
      this.#waiting.shift()
      done.push(window.name)
    }
    return done
  }

  /** What was not told is kept all the same. */
  #tell(closed: Closed): void {
    try {
      this.#options.told?.(this.#sums(closed), closed)
    } catch (error) {
      this.#options.log.error('a window is not on the page for Prometheus', { window: closed.name, error })
    }
  }

  /** The oldest goes. @returns its name */
  #lose(): string {
    const oldest = this.#waiting.reduce((a, b) => (b.end < a.end ? b : a))
    this.#waiting.splice(this.#waiting.indexOf(oldest), 1)
    this.#lost++
    return oldest.name
  }

  #sums({ name, sums }: Closed): Iterable<Sum> {
    const { folder, rules } = this.#options
    return sums === undefined ? sumsTakenDown(rules, tapesIn(folder, name)) : sumsOf(rules, sums)
  }
}

function* rowsOf({ name, end }: Closed, { row }: FoldRules, sums: Iterable<Sum>): Iterable<Row> {
  const minute = minuteOf(end)
  const when = { f_timestamp: Math.floor(end / 1000), ...minute }
  for (const { slot, names, value } of sums) yield { id: `${name}-${slot.toString(36)}`, day: minute.f_date, fields: { ...when, ...names, ...row(value) } }
}
