import { packetType, ret } from '../packet.ts'
import type { Call } from './call.ts'
import { Queue } from './queue.ts'
import type { Turn } from './turn.ts'

export interface DispatcherOptions {
  readonly queueCapacity: number
  readonly maxQueueBytes: number
  readonly concurrency: number
  readonly now: () => number
  readonly turn: Turn
  /** Calls the method. `done` of the dispatcher follows when it has been answered. */
  readonly start: (call: Call) => void
  /** Answers without calling the method. */
  readonly refuse: (call: Call, code: number, why: string) => void
}

/**
 * Decides when a call starts: at once while few are under way and the turn has time left, else in order of arrival.
 * The queue is bounded in calls and in bytes, and a call waits no longer than its deadline.
 */
export class Dispatcher {
  readonly #options: DispatcherOptions
  readonly #waiting = new Queue<Call>()
  #waitingBytes = 0
  #active = 0
  #pumping = false
  #timer: NodeJS.Timeout | undefined

  constructor(options: DispatcherOptions) {
    this.#options = options
  }

  /** Calls that were accepted and are not done. */
  get pending(): number {
    return this.#active + this.#waiting.size
  }

  admit(call: Call): void {
    const { concurrency, turn } = this.#options
    if (this.#waiting.size === 0 && this.#active < concurrency && !turn.spent) this.#start(call)
    else this.#enqueue(call)
  }

  /** A started call has been answered. */
  done(): void {
    this.#active--
    if (this.#waiting.size > 0) this.#pumpLater()
  }

  /** Answers all waiting calls with `code`. */
  refuseWaiting(code: number, why: string): void {
    for (const call of this.#waiting.remove(() => true)) this.#refuse(call, code, why)
    this.#waitingBytes = 0
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #start(call: Call): void {
    this.#active++
    this.#options.start(call)
  }

  #enqueue(call: Call): void {
    const { queueCapacity, maxQueueBytes } = this.#options
    const size = call.packet.body.length
    if (this.#waiting.size >= queueCapacity) return this.#refuse(call, ret.overload, `${this.#waiting.size} requests wait already`)
    if (this.#waitingBytes + size > maxQueueBytes) return this.#refuse(call, ret.overload, `${this.#waitingBytes} bytes of requests wait already`)
    this.#waiting.push(call)
    this.#waitingBytes += size
    this.#watchDeadlines(call.deadline)
    if (this.#active < this.#options.concurrency) this.#pumpLater()
  }

  #pumpLater(): void {
    if (this.#pumping) return
    this.#pumping = true
    this.#options.turn.atEnd(this.#pump)
  }

  readonly #pump = (): void => {
    const { concurrency, now, turn } = this.#options
    this.#pumping = false
    while (this.#waiting.size > 0 && this.#active < concurrency && !turn.spent) {
      const call = this.#waiting.shift() as Call
      this.#waitingBytes -= call.packet.body.length
      if (call.deadline < now() || isAbandoned(call)) this.#expire(call)
      else this.#start(call)
    }
    if (this.#waiting.size > 0 && this.#active < concurrency) this.#pumpLater()
  }

  #expire(call: Call): void {
    this.#refuse(call, ret.queueTimeout, `waited ${Math.round(call.deadline - call.arrivedAt)} ms for its turn`)
  }

  #refuse(call: Call, code: number, why: string): void {
    this.#options.refuse(call, code, why)
  }

  // One timer for all waiting calls, so that they are answered in time even when no method ever returns.
  #watchDeadlines(deadline: number): void {
    if (this.#timer !== undefined) return
    const delay = Math.max(1, Math.ceil(deadline - this.#options.now()) + 1)
    this.#timer = setTimeout(this.#expireDue, Math.min(delay, 100))
    this.#timer.unref()
  }

  readonly #expireDue = (): void => {
    this.#timer = undefined
    const now = this.#options.now()
    for (const call of this.#waiting.remove((waiting) => waiting.deadline < now)) {
      this.#waitingBytes -= call.packet.body.length
      this.#expire(call)
    }
    if (this.#waiting.size > 0) this.#watchDeadlines(now + 100)
  }
}

// Nobody waits for its answer any more. One that wants none is carried out all the same.
function isAbandoned(call: Call): boolean {
  return call.channel.gone && call.packet.packetType !== packetType.oneWay
}
