import type { Clock } from '#base/clock.ts'
import type { Logger } from '#base/log.ts'
import { metric } from '#base/metrics.ts'

/** Text that stands for all names beyond the bounds. */
export const otherName = '__other__'

/** Against whom keys count. */
export interface Account {
  readonly id: string
  /** `App.Server` of who reports. */
  readonly server: string
  /** Whose room it takes: that server's own, or that of who only says that it is this one. */
  readonly sender: string
}

/** @param sender the server that sends, or the address of a stranger */
export const accountOf = (server: string, sender = server): Account => ({ id: server === sender ? server : `${sender} ${server}`, server, sender })

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

/** What one has. */
interface Share {
  /** In the window that is open. */
  keys: number
  /** Of its rows, and less with time. */
  bytes: number
  /** What all have together that its sender calls itself; undefined: the sender is this one. */
  readonly all: Share | undefined
}

/** Who took how much, for another process. */
export interface Ledger {
  /** Milliseconds since the epoch. */
  readonly at: number
  /** Bytes of all. */
  readonly taken: number
  /** Of each the bytes, and whose they are together with others. */
  readonly shares: readonly (readonly [id: string, bytes: number, all: string | null])[]
}

/** What was taken is forgotten in so long, milliseconds, by an exponential: long enough for the peak of a day, and a flood has much less of it at once than in a day. */
const forgetMs = 6 * 3600_000
const dayMs = 24 * 3600_000
/** Of the room so small a part is not remembered of who took it: that bounds how many are. */
const smallPart = 2 ** -14
const shareOf = (all?: Share, bytes = 0): Share => ({ keys: 0, bytes, all })
const nothing = shareOf()
/** How many times the keys that are left one may have: three quarters of all alone, three sevenths each with one like it. */
const timesLeft = 3

/**
 * Keeps keys in bounds, so that one reporter's many keys neither fill memory and disk nor take room from others. Of both one may
 * take so much of what is left (dynamic thresholds: Choudhury and Hahne, 1998): of the disk as much, half of it alone, a third each with
 * one like it; whoever takes little always has room. Names that one sender makes up share what it may take.
 */
export class KeyGuard {
  readonly #bounds: KeyBounds
  /** Bytes that are not forgotten, of all. */
  readonly #room: number
  readonly #shares = new Map<string, Share>()
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
    for (const [id, share] of this.#shares) {
      share.keys = 0
      share.bytes *= kept
      if (share.bytes < this.#room * smallPart) this.#shares.delete(id)
    }
    this.#taken *= kept
    this.#began = now
    this.#admitted = 0
    return this
  }

  /** @param account of a key that was not admitted in this window */
  admit({ id, server, sender }: Account): Admission {
    const { perReporter, inAll } = this.#bounds
    const known = this.#shares.get(id)
    const own = known ?? shareOf(sender === server ? undefined : (this.#shares.get(sender) ?? shareOf()))
    const others = own.all ?? nothing
    const together = known === undefined ? 'rest of all' : 'rest of reporter'
    if (own.keys >= Math.min(perReporter, timesLeft * (inAll - this.#admitted) - others.keys)) return together
    if (own.bytes >= this.#room - this.#taken - others.bytes) {
      this.#overspent++
      return together
    }
    if (known === undefined) {
      this.#shares.set(id, own)
      if (own.all !== undefined) this.#shares.set(sender, own.all)
    }
    this.#admitted++
    own.keys++
    if (own.all !== undefined) own.all.keys++
    return 'own'
  }

  /** Bytes of rows are on their way to the disk. */
  charge({ id }: Account, bytes: number): void {
    const share = this.#shares.get(id)
    if (share !== undefined) share.bytes += bytes
    if (share?.all !== undefined) share.all.bytes += bytes
    this.#taken += bytes
  }

  /** @param at milliseconds since the epoch */
  ledger(at: number): Ledger {
    const ids = new Map([...this.#shares].map(([id, share]) => [share, id]))
    return { at, taken: this.#taken, shares: [...this.#shares].map(([id, { bytes, all }]) => [id, bytes, all === undefined ? null : (ids.get(all) ?? null)]) }
  }

  /** Goes on where an earlier process was, before the first window. */
  goOn({ at, taken, shares }: Ledger, clock: Clock): void {
    const kept = Math.exp(Math.min(0, at - clock.now()) / forgetMs)
    this.#began = clock.monotonic()
    this.#taken = taken * kept
    // Those first that others are part of.
    for (const [id, bytes, all] of shares.toSorted((a, b) => Number(a[2] !== null) - Number(b[2] !== null))) this.#shares.set(id, shareOf(all === null ? undefined : this.#shares.get(all), bytes * kept))
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
      const [most] = [...this.#shares].reduce((a, b) => (b[1].bytes > a[1].bytes ? b : a), ['', nothing])
      this.#log?.error('too many kinds of things are reported for the store; of servers that take much of it new ones are counted together', { kinds, most })
    }
    this.#isTold = kinds > 0
  }
}
