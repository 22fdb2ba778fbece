import type { Logger } from '#base/log.ts'
import { metric } from '#base/metrics.ts'

/** Text that stands for all names beyond the bounds. */
export const otherName = '__other__'

export interface KeyBounds {
  /** Keys of one reporter in a window. */
  readonly perReporter: number
  /** Keys in a window. */
  readonly inAll: number
  /** Bytes of rows that all reporters together may come to in a day, as {@link KeyGuard.charge} is told. Default: no bound. */
  readonly bytesADay?: number
}

/** Under what a key that is new is counted: itself, one for the rest of its reporter, or one for the rest of all. */
export type Admission = 'own' | 'rest of reporter' | 'rest of all'

interface Account {
  /** In the window that is open. */
  keys: number
  /** Of its rows, and less with time. */
  bytes: number
}

/** What was taken is forgotten in so long, milliseconds, by an exponential: long enough for the peak of a day, and a flood has much less of it at once than in a day. */
const forgetMs = 6 * 3600_000
const dayMs = 24 * 3600_000
/** Of the room so small a part is not remembered of who took it: that bounds how many are. */
const smallPart = 2 ** -14

/**
 * Keeps keys in bounds, so that one reporter's many keys neither fill memory and disk nor take room from others. Of the disk one may
 * take as much as is left (dynamic thresholds: Choudhury and Hahne, 1998): half of it alone, a third each with one like it; whoever
 * takes little always has room. The end of the process forgets it: that gives who takes much an eighth of a day's at most, and nobody who reports can end it.
 */
export class KeyGuard {
  readonly #bounds: KeyBounds
  /** Bytes that are not forgotten, of all. */
  readonly #room: number
  #accounts = new Map<string, Account>()
  #admitted = 0
  /** Bytes of all, of those without an account, too. */
  #taken = 0
  #began = 0
  readonly #log: Logger | undefined
  /** Keys that there was no room on the disk for; before this window, and when that was said. */
  #overspent = 0
  #before = 0
  #isTold = false

  constructor(bounds: KeyBounds, log?: Logger) {
    this.#bounds = bounds
    this.#log = log
    this.#room = ((bounds.bytesADay ?? Number.POSITIVE_INFINITY) * forgetMs) / dayMs
  }

  /** A window begins. @param now monotonic, milliseconds */
  begin(now: number): this {
    this.#tell()
    const kept = Math.exp((this.#began - now) / forgetMs)
    for (const [reporter, account] of this.#accounts) {
      account.keys = 0
      account.bytes *= kept
      if (account.bytes < this.#room * smallPart) this.#accounts.delete(reporter)
    }
    this.#taken *= kept
    this.#began = now
    this.#admitted = 0
    return this
  }

  /** @param reporter of a key that was not admitted in this window */
  admit(reporter: string): Admission {
    const { perReporter, inAll } = this.#bounds
    const account = this.#accounts.get(reporter)
    const keys = account?.keys ?? 0
    // A quarter of the room is only for reporters that have no key yet.
    if (this.#admitted >= (keys === 0 ? inAll : inAll * 0.75)) return keys === 0 ? 'rest of all' : 'rest of reporter'
    if (keys >= perReporter) return 'rest of reporter'
    if ((account?.bytes ?? 0) >= this.#room - this.#taken) {
      this.#overspent++
      return account === undefined ? 'rest of all' : 'rest of reporter'
    }
    this.#admitted++
    if (account === undefined) this.#accounts.set(reporter, { keys: 1, bytes: 0 })
    else account.keys++
    return 'own'
  }

  /** Bytes of rows are on their way to the disk. */
  charge(reporter: string, bytes: number): void {
    const account = this.#accounts.get(reporter)
    if (account !== undefined) account.bytes += bytes
    this.#taken += bytes
  }

  /** @param prefix of names */
  metrics(prefix: string): string {
    return metric(`${prefix}_overspent_total`, 'Kinds of things that were counted together with others in a window, because their server took too much of the store.', [[this.#overspent]])
  }

  /** Once, until there is room for all again. */
  #tell(): void {
    const kinds = this.#overspent - this.#before
    this.#before = this.#overspent
    if (kinds > 0 && !this.#isTold) {
      const [most] = [...this.#accounts].reduce((a, b) => (b[1].bytes > a[1].bytes ? b : a), ['', { keys: 0, bytes: 0 }])
      this.#log?.error('too many kinds of things are reported for the store; of servers that take much of it new ones are counted together', { kinds, most })
    }
    this.#isTold = kinds > 0
  }
}
