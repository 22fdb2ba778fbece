import type { Clock } from '#base/clock.ts'
import { Lifetime, type Running } from '#base/lifecycle.ts'
import type { Logger } from '#base/log.ts'
import { inGroups } from '#store/groups.ts'
import { strftime } from '../model/strftime.ts'
import type { TraceLine } from './line.ts'
import type { Finished, Unfinished } from './store.ts'
import { addLine, boundsOf, isComplete, type Trace } from './trace.ts'

/** Where traces are kept. */
export interface TraceStore {
  /** Keeps lines of traces that go on, all or none. */
  addLines(day: string, lines: readonly TraceLine[]): void | Promise<void>
  /** Keeps what traces that are over come to, of all or of none. Of one that was kept as over before nothing is counted again. */
  finish(over: readonly Finished[]): void | Promise<void>
}

export interface CollectorOptions {
  readonly store: TraceStore
  readonly clock: Clock
  readonly log: Logger
  /** Milliseconds without a new line after which a trace of which nothing is missing is over. Default 3000. */
  readonly quietMs?: number
  /** The same for a trace of which something is missing. Default 100,000. */
  readonly overtimeMs?: number
  /** Milliseconds lines are gathered for one write. Default 50. */
  readonly gatherMs?: number
  /** Calls of one trace; of more the lines are in the log file only. Default 10,000. */
  readonly mostCallsATrace?: number
  /** Bytes of all traces that go on; beyond, the trace that was quiet longest is taken for over. Default 128 MiB. */
  readonly mostBytes?: number
  /** Bytes of one day that are indexed, of which one server has a quarter at most; of more the lines are in the log file only. Default 1 GiB. */
  readonly dayBytes?: () => number
  /** Told of every trace that is over, and what it takes. */
  readonly onTrace?: (trace: Trace, bytes: number) => void
}

interface Living {
  readonly day: string
  readonly trace: Trace
  bytes: number
  /** Monotonic milliseconds of the last line. */
  at: number
}

/** Traces that go on at once; beyond, the one that was quiet longest is taken for over. */
const mostLiving = 100_000
/** Lines that wait to be written; beyond, new ones are lost, as they are in the log file. */
const mostWaiting = 200_000
const mostWaitingBytes = 64 << 20
/** What a line takes besides its data, bytes. */
const lineBytes = 256
/** Traces that are kept as over at once. */
const finishedAtOnce = 200

/** Puts traces together from the lines of services as they come, and keeps each when it is over. */
export class TraceCollector implements Running {
  readonly #options: Required<CollectorOptions>
  /** By id; the one with the oldest last line first. */
  readonly #living = new Map<string, Living>()
  readonly #lifetime = new Lifetime()
  #waiting: { readonly day: string; readonly line: TraceLine }[] = []
  #waitingBytes = 0
  /** Of all traces that go on. */
  #bytes = 0
  #today = { day: '', bytes: new Map<string, number>(), all: 0 }
  #lost = 0
  #writing: Promise<boolean> | undefined
  #settling: Promise<void> | undefined

  /** @param unfinished when the process before ended */
  constructor(options: CollectorOptions, unfinished: readonly Unfinished[] = []) {
    this.#options = { quietMs: 3000, overtimeMs: 100_000, gatherMs: 50, mostCallsATrace: 10_000, mostBytes: 128 << 20, dayBytes: () => 1 << 30, onTrace: () => {}, ...options }
    const now = this.#options.clock.monotonic()
    for (const { day, trace } of unfinished) {
      const bytes = bytesOf(trace)
      this.#living.set(trace.trace, { day, trace, at: now, bytes })
      this.#bytes += bytes
    }
    const write = setInterval(() => void this.#write(), this.#options.gatherMs)
    const look = setInterval(() => void this.settle(), Math.max(20, this.#options.quietMs / 3))
    this.#lifetime.onStop(() => this.flush())
    this.#lifetime.onStop(() => this.#settling)
    this.#lifetime.onStop(() => (clearInterval(write), clearInterval(look)))
  }

  get done(): Promise<void> {
    return this.#lifetime.done
  }

  /** Writes what waits; traces that go on are found again at the next start. */
  stop(): Promise<void> {
    return this.#lifetime.stop()
  }

  /** Numbers for metrics. */
  get size(): { readonly living: number; readonly lost: number } {
    return { living: this.#living.size, lost: this.#lost }
  }

  /** @param owner whom it counts against */
  add(line: TraceLine, owner: string): void {
    const { clock, mostCallsATrace } = this.#options
    const today = strftime('%Y%m%d', new Date(clock.now()))
    const known = this.#living.get(line.trace)
    const isCall = known?.trace.spans.has(line.span) !== true
    const bytes = lineBytes + line.data.length + line.exception.length
    if (this.#waiting.length >= mostWaiting || this.#waitingBytes + bytes > mostWaitingBytes || (isCall && (known?.trace.spans.size ?? 0) >= mostCallsATrace) || !this.#admit(today, owner, bytes)) {
      this.#lost++
      return
    }
    // A line that comes after its trace was over makes it go on, on the day of its own.
    const living = known ?? { day: today, trace: { trace: line.trace, spans: new Map() }, at: 0, bytes: 0 }
    this.#living.delete(line.trace)
    living.at = clock.monotonic()
    living.bytes += bytes
    this.#bytes += bytes
    this.#living.set(line.trace, living)
    addLine(living.trace, line)
    this.#waiting.push({ day: living.day, line })
    this.#waitingBytes += bytes
    if (this.#isSurplus(this.#living.size, this.#bytes)) void this.settle()
  }

  /** Whether the index of today has room for so much more of an owner. */
  #admit(day: string, owner: string, bytes: number): boolean {
    const dayBytes = this.#options.dayBytes()
    if (this.#today.day !== day) this.#today = { day, bytes: new Map(), all: 0 }
    const own = (this.#today.bytes.get(owner) ?? 0) + bytes
    if (own > dayBytes / 4 || this.#today.all + bytes > dayBytes) return false
    this.#today.bytes.set(owner, own)
    this.#today.all += bytes
    return true
  }

  #isSurplus(traces: number, bytes: number): boolean {
    return traces > mostLiving || bytes > this.#options.mostBytes
  }

  /** Writes what came until now. @returns whether it is written */
  async flush(): Promise<boolean> {
    await this.#writing
    return this.#write()
  }

  /** Writes what waits, unless some of it is being written. */
  #write(): Promise<boolean> {
    return (this.#writing ??= this.#writeWaiting().finally(() => (this.#writing = undefined)))
  }

  async #writeWaiting(): Promise<boolean> {
    const { store, log } = this.#options
    const [count, bytes] = [this.#waiting.length, this.#waitingBytes]
    try {
      for (const [day, entries] of Map.groupBy(this.#waiting, (entry) => entry.day)) await store.addLines(day, entries.map(({ line }) => line))
      this.#waiting = this.#waiting.slice(count)
      this.#waitingBytes -= bytes
      return true
    } catch (error) {
      log.error('lines of traces are not kept yet', { waiting: this.#waiting.length, error })
      return false
    }
  }

  /** Keeps the traces that are over by now, and those for which there is no room. */
  settle(): Promise<void> {
    return (this.#settling ??= this.#settle().finally(() => (this.#settling = undefined)))
  }

  async #settle(): Promise<void> {
    const over = this.#over().map((living) => ({ living, bytes: living.bytes }))
    // What could not be written must not be called over, nor what goes on since.
    if (over.length === 0 || !(await this.flush())) return
    for (const some of inGroups(over.filter(({ living, bytes }) => living.bytes === bytes), finishedAtOnce)) await this.#finish(some.map(({ living }) => living))
  }

  #over(): Living[] {
    const { clock, quietMs, overtimeMs } = this.#options
    const now = clock.monotonic()
    const over: Living[] = []
    let [traces, bytes] = [this.#living.size, this.#bytes]
    for (const living of this.#living.values()) {
      const isSurplus = this.#isSurplus(traces, bytes)
      const quiet = now - living.at
      if (quiet < quietMs && !isSurplus) break
      if (quiet < overtimeMs && !isSurplus && !isComplete(living.trace)) continue
      over.push(living)
      traces--
      bytes -= living.bytes
    }
    return over
  }

  async #finish(over: readonly Living[]): Promise<void> {
    const { store, log, onTrace } = this.#options
    try {
      await store.finish(over.map(({ day, trace }) => ({ day, trace: trace.trace, ...boundsOf(trace) })))
    } catch (error) {
      log.error('traces are not kept yet', { traces: over.length, error })
      return
    }
    for (const { trace, bytes } of over) {
      this.#living.delete(trace.trace)
      this.#bytes -= bytes
      onTrace(trace, bytes)
    }
  }
}

/** What its lines take, about. */
function bytesOf({ spans }: Trace): number {
  let bytes = 0
  for (const { times, data, exception } of spans.values()) {
    bytes += exception.length + lineBytes * Object.keys(times).length
    for (const text of Object.values(data)) bytes += text.length
  }
  return bytes
}
