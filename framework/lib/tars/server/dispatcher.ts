import { packetType, ret } from '../packet.ts'
import type { Call } from './call.ts'
import { FairQueue } from '#base/queue.ts'
import type { Turn } from './turn.ts'

/**
 * Until so much of a turn of the event loop is used for methods, milliseconds, more is read; then other sockets are served.
 * What a long turn begins and does not end (methods that wait for a write that many share) is cold and old by then.
 */
const readMs = 3
/** Until so much of it is used what is read is started at once; the rest waits. */
const startMs = 2 * readMs
/** Calls that wait are started for so long in one turn, milliseconds. */
const sliceMs = 2
/** While so many wait the others are not read: what waits in memory is cold when its turn comes, and old for the garbage collector. */
const enough = 512
/** Others are refused, though the queue is not full, once something was left unread for so long, milliseconds: before that it may be over soon. */
const burstMs = 500
/** So much of the CPU time may go into refusing calls; what the system does for it comes to as much again. */
const refusingShare = 0.03
/** While none can be started it is looked so often whether others may be refused, milliseconds, and each time so much may go into it. */
const lookMs = 1
const refusingMs = lookMs * refusingShare
/** What did not go into it is kept up to this, milliseconds. */
const mostKept = 1
/** A queue as full as this is filled again only once there is more room. */
const fullShare = 15 / 16

const tooMany = 'as many requests wait already as may'
const tooMuch = 'requests that wait already have as many bytes as may'

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
 * Decides when a call starts: at once while few are under way and the turn has time left, else in order of arrival, peer after peer.
 * The queue is bounded in calls and in bytes, and a call waits no longer than its deadline. What is beyond is not read, or
 * refused where that lasts: for a share of the time only, as refusing all that comes would take the time of those that can
 * be answered.
 */
export class Dispatcher {
  readonly #options: DispatcherOptions
  readonly #waiting = new FairQueue<Call>()
  #waitingBytes = 0
  #active = 0
  /** CPU milliseconds that may go into refusing; below 0 what went into it too much. */
  #credit = refusingMs
  #pumping = false
  /** Something was left unread in this turn, and since when in each. */
  #behind = false
  #behindSince: number | undefined
  #overloaded = false
  /** CPU time when that was looked at last, milliseconds. */
  #lookedAt = 0
  /** What is being read is refused, and CPU time when that began. */
  #shedding = false
  #shedFrom = 0
  #timer: NodeJS.Timeout | undefined

  constructor(options: DispatcherOptions) {
    this.#options = options
  }

  /** Calls that were accepted and are not done. */
  get pending(): number {
    return this.#active + this.#waiting.size
  }

  /** Whether packets are to be read now; {@link read} follows. If not, {@link readLater} says when to ask again. */
  mayRead(): boolean {
    const full = this.#full
    const enoughRead = full || this.#waiting.size > enough || (!this.#blocked && this.#options.turn.used > readMs)
    this.#shedding = enoughRead && this.#credit > 0 && (full || this.#overloaded)
    if (this.#shedding) this.#shedFrom = cpuMs()
    return this.#shedding || !enoughRead
  }

  read(): void {
    if (this.#shedding) this.#credit -= cpuMs() - this.#shedFrom
    this.#shedding = false
  }

  /** Something is unread: calls `task` when it may be time. */
  readLater(task: () => void): void {
    const [now, cpu] = [this.#options.now(), cpuMs()]
    if (this.#behindSince === undefined) [this.#behindSince, this.#lookedAt] = [now, cpu]
    this.#behind = true
    this.#overloaded = now - this.#behindSince > burstMs
    this.#credit = Math.min(mostKept, this.#credit + (this.#blocked ? refusingMs : (cpu - this.#lookedAt) * refusingShare))
    this.#lookedAt = cpu
    if (this.#blocked) setTimeout(task, lookMs)
    else this.#options.turn.atEnd(task)
  }

  /** What was unread is read; if sockets have no more than can be taken in the next turn, it is over. */
  caughtUp(): void {
    this.#behind = false
    this.#options.turn.atEnd(this.#lookBehind)
  }

  readonly #lookBehind = (): void => {
    if (this.#behind) return
    this.#behindSince = undefined
    this.#overloaded = false
  }

  /** @returns whether its bytes are needed no more: it was refused, or started, when its arguments have been read */
  admit(call: Call): boolean {
    if (this.#shedding) return this.#shed(call, tooMany)
    if (this.#waiting.size > 0 || this.#blocked || this.#options.turn.used > startMs) return this.#enqueue(call)
    this.#startDue(call)
    return true
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

  // Whether the turn has time was looked at just now.
  #startDue(call: Call): void {
    if (call.deadline < this.#options.turn.at || isAbandoned(call)) return this.#expire(call)
    this.#active++
    this.#options.start(call)
  }

  #enqueue(call: Call): boolean {
    const { queueCapacity, maxQueueBytes } = this.#options
    const size = call.bodyBytes
    if (this.#waiting.size >= queueCapacity) return this.#shed(call, tooMany)
    if (this.#waitingBytes + size > maxQueueBytes) return this.#shed(call, tooMuch)
    this.#waiting.push(call, call.channel.peer.address)
    this.#waitingBytes += size
    this.#watchDeadlines(call.deadline)
    if (!this.#blocked) this.#pumpLater()
    return false
  }

  #shed(call: Call, why: string): true {
    this.#refuse(call, ret.overload, why)
    return true
  }

  /** No call can be started before another one is done. */
  get #blocked(): boolean {
    return this.#active >= this.#options.concurrency
  }

  get #full(): boolean {
    const { queueCapacity, maxQueueBytes } = this.#options
    return this.#waiting.size > queueCapacity * fullShare || this.#waitingBytes > maxQueueBytes * fullShare
  }

  #pumpLater(): void {
    if (this.#pumping) return
    this.#pumping = true
    this.#options.turn.atEnd(this.#pump)
  }

  readonly #pump = (): void => {
    const { turn } = this.#options
    this.#pumping = false
    for (const began = turn.start(); this.#waiting.size > 0 && !this.#blocked && turn.start() - began <= sliceMs;) {
      const call = this.#waiting.shift() as Call
      this.#waitingBytes -= call.bodyBytes
      this.#startDue(call)
    }
    if (this.#waiting.size > 0 && !this.#blocked) this.#pumpLater()
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
