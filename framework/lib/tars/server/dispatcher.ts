import { packetType, ret } from '../packet.ts'
import type { Call } from './call.ts'
import { Queue } from './queue.ts'
import type { Turn } from './turn.ts'

/** Calls that wait are started for so long in one turn of the event loop, CPU milliseconds; then sockets are served. */
const sliceMs = 2
/** Calls after which that is looked at. */
const callsALook = 8
/** So much of the CPU time that waiting calls take may go into refusing others. */
const refusingShare = 0.05
/** As much of a turn in which none were started may go into it, milliseconds; what was not used is kept up to some turns. */
const refusingMs = 0.05
const mostKept = 20 * refusingMs
/** A queue as full as this is filled again only once there is more room. */
const fullShare = 15 / 16

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
 * The queue is bounded in calls and in bytes, and a call waits no longer than its deadline. What is beyond is refused, but
 * for a share of each turn only, and then not read any more until the next: refusing all that comes would take the time
 * of those that can be answered.
 */
export class Dispatcher {
  readonly #options: DispatcherOptions
  readonly #waiting = new Queue<Call>()
  #waitingBytes = 0
  #active = 0
  /** Calls refused so far. */
  #refusals = 0
  /** CPU milliseconds that may go into refusing; below 0 what went into it too much. */
  #credit = refusingMs
  #earning = false
  /** Waiting calls were started in this turn. */
  #pumped = false
  #pumping = false
  #timer: NodeJS.Timeout | undefined

  constructor(options: DispatcherOptions) {
    this.#options = options
  }

  /** Calls that were accepted and are not done. */
  get pending(): number {
    return this.#active + this.#waiting.size
  }

  /** The queue is full, and enough went into refusing others: no more is to be read in this turn. */
  get sated(): boolean {
    return this.#credit <= 0 && this.#full
  }

  /** Calls are about to be read. @returns what {@link read} is told */
  reading(): number {
    if (!this.#full) return 0
    this.#refusals = 0
    return cpuMs()
  }

  read(since: number): void {
    if (since === 0 || this.#refusals === 0) return
    this.#credit -= cpuMs() - since
    this.#earn()
  }

  /** @returns whether it was started: its arguments have been read then */
  admit(call: Call): boolean {
    const { concurrency, turn } = this.#options
    const atOnce = this.#waiting.size === 0 && this.#active < concurrency && !turn.spent
    if (atOnce) this.#start(call)
    else this.#enqueue(call)
    return atOnce
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
    const size = call.bodyBytes
    if (this.#waiting.size >= queueCapacity) return this.#shed(call, `${this.#waiting.size} requests wait already`)
    if (this.#waitingBytes + size > maxQueueBytes) return this.#shed(call, `${this.#waitingBytes} bytes of requests wait already`)
    this.#waiting.push(call)
    this.#waitingBytes += size
    this.#watchDeadlines(call.deadline)
    if (this.#active < this.#options.concurrency) this.#pumpLater()
  }

  #shed(call: Call, why: string): void {
    this.#refusals++
    this.#refuse(call, ret.overload, why)
  }

  get #full(): boolean {
    const { queueCapacity, maxQueueBytes } = this.#options
    return this.#waiting.size > queueCapacity * fullShare || this.#waitingBytes > maxQueueBytes * fullShare
  }

  #earn(): void {
    if (this.#earning || this.#credit >= mostKept) return
    this.#earning = true
    this.#options.turn.atEnd(this.#newTurn)
  }

  readonly #newTurn = (): void => {
    this.#earning = false
    if (!this.#pumped) this.#credit += refusingMs
    this.#pumped = false
    this.#earn()
  }

  #pumpLater(): void {
    if (this.#pumping) return
    this.#pumping = true
    this.#options.turn.atEnd(this.#pump)
  }

  readonly #pump = (): void => {
    const { concurrency, turn } = this.#options
    this.#pumping = false
    this.#pumped = true
    const [began, from] = [cpuMs(), this.#options.now()]
    for (let count = 1; this.#waiting.size > 0 && this.#active < concurrency; count++) {
      const call = this.#waiting.shift() as Call
      this.#waitingBytes -= call.bodyBytes
      if (call.deadline < turn.start() || isAbandoned(call)) this.#expire(call)
      else this.#start(call)
      // The clock is read quicker, and runs no slower.
      if (count % callsALook === 0 && this.#options.now() - from > sliceMs && cpuMs() - began > sliceMs) break
    }
    this.#credit = Math.min(mostKept, this.#credit + (cpuMs() - began) * refusingShare)
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
      this.#waitingBytes -= call.bodyBytes
      this.#expire(call)
    }
    if (this.#waiting.size > 0) this.#watchDeadlines(now + 100)
  }
}

/** CPU time of this thread, milliseconds: on a machine that has other work, too, that of the clock says little. */
function cpuMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

// Nobody waits for its answer any more. One that wants none is carried out all the same.
function isAbandoned(call: Call): boolean {
  return call.channel.gone && call.packet.packetType !== packetType.oneWay
}
