import { Failure } from './errors.ts'
import { FairQueue } from './queue.ts'

/** Has so many do something at once; the others wait, owner after owner. */
export class Turns {
  readonly #waiting = new FairQueue<() => void>()
  #free: number

  constructor(count: number) {
    this.#free = count
  }

  /** Resolves with what the work comes to, once it had its turn. */
  async take<T>(owner: string, work: () => T | Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>((resolve) => this.#waiting.push(resolve, owner))
    try {
      return await work()
    } finally {
      this.#next()
    }
  }

  #next(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#free++
    else next()
  }
}

export interface PartedBounds {
  readonly inAll: number
  /** At once; less than in all, so that one owner's long ones do not hold up the others. */
  readonly perOwner: number
  /** Of one owner, with those that wait. */
  readonly mostOfOwner: number
}

/** {@link Turns} of which each owner has some at once. */
export class PartedTurns {
  readonly #bounds: PartedBounds
  readonly #all: Turns
  readonly #owners = new Map<string, { readonly turns: Turns; count: number }>()

  constructor(bounds: PartedBounds) {
    this.#bounds = bounds
    this.#all = new Turns(bounds.inAll)
  }

  /** Whether no more of an owner is taken now. */
  isFull(owner: string): boolean {
    return (this.#owners.get(owner)?.count ?? 0) >= this.#bounds.mostOfOwner
  }

  /** Resolves with what the work comes to, once it had its turn. @throws Failure TURNS_BUSY when {@link isFull} */
  async take<T>(owner: string, work: () => T | Promise<T>): Promise<T> {
    const own = this.#owners.get(owner) ?? { turns: new Turns(this.#bounds.perOwner), count: 0 }
    if (this.isFull(owner)) throw new Failure('TURNS_BUSY', `${own.count} questions of ${owner} are not answered yet`, { temporary: true, remedy: 'ask again in a moment' })
    this.#owners.set(owner, own)
    own.count++
    try {
      return await own.turns.take(owner, () => this.#all.take(owner, work))
    } finally {
      if (--own.count === 0) this.#owners.delete(owner)
    }
  }
}
