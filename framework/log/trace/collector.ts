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
  /** Calls of all traces that go on; beyond, the trace that was quiet longest is taken for over. Default 500,000. */
  readonly mostCalls?: number
  /** Told of every trace that is over. */
  readonly onTrace?: (trace: Trace) => void
}

interface Living {
  readonly day: string
  readonly trace: Trace
  /** Monotonic milliseconds of the last line. */
  at: number
}

/** Traces that go on at once; beyond, the one that was quiet longest is taken for over. */
const mostLiving = 100_000
/** Lines that wait to be written; beyond, new ones are lost, as they are in the log file. */
const mostWaiting = 200_000

/** Puts traces together from the lines of services as they come, and keeps each when it is over. */
export class TraceCollector implements Running {
  readonly #options: Required<CollectorOptions>
  /** By id; the one with the oldest last line first. */
  readonly #living = new Map<string, Living>()
  readonly #lifetime = new Lifetime()
  #waiting: { readonly day: string; readonly line: TraceLine }[] = []
  /** Of all traces that go on. */
  #calls = 0
  #lost = 0

  constructor(options: CollectorOptions) {
    this.#options = { quietMs: 3000, overtimeMs: 100_000, gatherMs: 50, mostCallsATrace: 10_000, mostCalls: 500_000, onTrace: () => {}, ...options }
    const now = this.#options.clock.monotonic()
    for (const { day, trace } of options.store.unfinished()) {
      this.#living.set(trace.trace, { day, trace, at: now })
      this.#calls += trace.spans.size
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

  add(line: TraceLine): void {
    const { clock, mostCalls, mostCallsATrace } = this.#options
    const known = this.#living.get(line.trace)
    const isCall = known?.trace.spans.has(line.span) !== true
    if (this.#waiting.length >= mostWaiting || (isCall && (known?.trace.spans.size ?? 0) >= mostCallsATrace)) {
      this.#lost++
      return
    }
    // A line that comes after its trace was over makes it go on, on the day of its own.
    const living = known ?? { day: strftime('%Y%m%d', new Date(clock.now())), trace: { trace: line.trace, spans: new Map() }, at: 0 }
    this.#living.delete(line.trace)
    living.at = clock.monotonic()
    this.#living.set(line.trace, living)
    addLine(living.trace, line)
    this.#waiting.push({ day: living.day, line })
    if (isCall) this.#calls++
    if (this.#living.size > mostLiving || this.#calls > mostCalls) for (const oldest of this.#living.values()) { this.#finish([oldest]); break }
  }

  flush(): void {
    const { store, log } = this.#options
    if (this.#waiting.length === 0) return
    try {
      for (const [day, entries] of Map.groupBy(this.#waiting, (entry) => entry.day)) store.addLines(day, entries.map(({ line }) => line))
      this.#waiting = []
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
    for (const { day, trace } of over) {
      try {
        store.finish(day, trace.trace, boundsOf(trace), { server: graphOf(trace, 'server'), function: graphOf(trace, 'function') })
        this.#living.delete(trace.trace)
        this.#calls -= trace.spans.size
        onTrace(trace)
      } catch (error) {
        log.error('a trace is not kept yet', { trace: trace.trace, error })
      }
    }
  }
}
