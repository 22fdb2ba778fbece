import type { Clock } from '#base/clock.ts'
import { Lifetime, type Running } from '#base/lifecycle.ts'
import type { Logger } from '#base/log.ts'
import { strftime } from '../model/strftime.ts'
import type { TraceLine } from './line.ts'
import type { TraceStore } from './store.ts'
import { addLine, boundsOf, graphOf, isComplete, type Trace } from './trace.ts'

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
  readonly dayBytes?: number
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

  constructor(options: CollectorOptions) {
    this.#options = { quietMs: 3000, overtimeMs: 100_000, gatherMs: 50, mostCallsATrace: 10_000, mostBytes: 128 << 20, dayBytes: 1 << 30, onTrace: () => {}, ...options }
    const now = this.#options.clock.monotonic()
    for (const { day, trace } of options.store.unfinished()) {
      const bytes = bytesOf(trace)
      this.#living.set(trace.trace, { day, trace, at: now, bytes })
      this.#bytes += bytes
    }
    const write = setInterval(() => this.flush(), this.#options.gatherMs)
    const look = setInterval(() => this.settle(), Math.max(20, this.#options.quietMs / 3))
    this.#lifetime.onStop(() => this.flush())
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
    const { clock, mostBytes, mostCallsATrace } = this.#options
    const today = strftime('%Y%m%d', new Date(clock.now()))
    const known = this.#living.get(line.trace)
    const isCall = known?.trace.spans.has(line.span) !== true
    const bytes = lineBytes + line.data.length + line.exception.length
    if (this.#waitingBytes + bytes > mostWaitingBytes) this.flush()
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
    if (this.#living.size > mostLiving || this.#bytes > mostBytes) for (const oldest of this.#living.values()) { this.#finish([oldest]); break }
  }

  /** Whether the index of today has room for so much more of an owner. */
  #admit(day: string, owner: string, bytes: number): boolean {
    const { dayBytes } = this.#options
    if (this.#today.day !== day) this.#today = { day, bytes: new Map(), all: 0 }
    const own = (this.#today.bytes.get(owner) ?? 0) + bytes
    if (own > dayBytes / 4 || this.#today.all + bytes > dayBytes) return false
    this.#today.bytes.set(owner, own)
    this.#today.all += bytes
    return true
  }

  flush(): void {
    const { store, log } = this.#options
    if (this.#waiting.length === 0) return
    try {
      for (const [day, entries] of Map.groupBy(this.#waiting, (entry) => entry.day)) store.addLines(day, entries.map(({ line }) => line))
      this.#waiting = []
      this.#waitingBytes = 0
    } catch (error) {
      log.error('lines of traces are not kept yet', { waiting: this.#waiting.length, error })
    }
  }

  /** Keeps the traces that are over by now. */
  settle(): void {
    const { clock, quietMs, overtimeMs } = this.#options
    const now = clock.monotonic()
    const over: Living[] = []
    for (const living of this.#living.values()) {
      const quiet = now - living.at
      if (quiet < quietMs) break
      if (quiet >= overtimeMs || isComplete(living.trace)) over.push(living)
    }
    this.#finish(over)
  }

  #finish(over: readonly Living[]): void {
    const { store, log, onTrace } = this.#options
    if (over.length === 0) return
    this.flush()
    // What could not be written must not be called over.
    if (this.#waiting.length > 0) return
    for (const { day, trace, bytes } of over) {
      try {
        store.finish(day, trace.trace, boundsOf(trace), { server: graphOf(trace, 'server'), function: graphOf(trace, 'function') })
        this.#living.delete(trace.trace)
        this.#bytes -= bytes
        onTrace(trace, bytes)
      } catch (error) {
        log.error('a trace is not kept yet', { trace: trace.trace, error })
      }
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
