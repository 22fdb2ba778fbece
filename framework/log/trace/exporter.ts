import { setTimeout as delay } from 'node:timers/promises'
import { Failure } from '#base/errors.ts'
import type { Running } from '#base/lifecycle.ts'
import type { Logger } from '#base/log.ts'
import { backoff } from '#base/retry.ts'
import { otlpRequest } from './otlp.ts'
import type { Trace } from './trace.ts'

export interface ExporterOptions {
  /** OTLP/HTTP endpoint of traces, e.g. `http://collector:4318/v1/traces`. */
  readonly url: string
  /** Of each request, e.g. credentials. */
  readonly headers: Readonly<Record<string, string>>
  readonly log: Logger
  /** Traces that wait while the endpoint does not take them; the oldest go first. Default 10,000. */
  readonly capacity?: number
}

/** Traces in one request. */
const mostTraces = 200
const requestMs = 10_000
/** Milliseconds that what waits may still take when it is stopped. */
const graceMs = 2000
/** Answers after which the same request may succeed (OTLP/HTTP, "Failures"). */
const temporary = new Set([408, 429, 502, 503, 504])

/** Sends traces to an OpenTelemetry collector, in order, as long as it takes. */
export class TraceExporter implements Running {
  readonly #options: Required<ExporterOptions>
  readonly #abort = new AbortController()
  readonly #ended = Promise.withResolvers<void>()
  #waiting: Trace[] = []
  #sending: Promise<void> | undefined
  #lost = 0
  #sent = 0

  constructor(options: ExporterOptions) {
    this.#options = { capacity: 10_000, ...options }
  }

  get done(): Promise<void> {
    return this.#ended.promise
  }

  /** Numbers for metrics. */
  get size(): { readonly waiting: number; readonly sent: number; readonly lost: number } {
    return { waiting: this.#waiting.length, sent: this.#sent, lost: this.#lost }
  }

  add(trace: Trace): void {
    this.#waiting.push(trace)
    const excess = this.#waiting.length - this.#options.capacity
    if (excess > 0) this.#lost += this.#waiting.splice(0, excess).length
    this.#sending ??= this.#send().finally(() => {
      this.#sending = undefined
    })
  }

  async stop(): Promise<void> {
    const timer = setTimeout(() => this.#abort.abort(), graceMs)
    await this.#sending
    clearTimeout(timer)
    this.#ended.resolve()
  }

  async #send(): Promise<void> {
    const { log } = this.#options
    const { signal } = this.#abort
    for (let failures = 0; this.#waiting.length > 0 && !signal.aborted; ) {
      const batch = this.#waiting.slice(0, mostTraces)
      try {
        await this.#post(batch)
        this.#sent += batch.length
        failures = 0
      } catch (error) {
        if (!(error instanceof Failure) || error.temporary) {
          if (failures++ === 0) log.error('traces are not exported yet', { waiting: this.#waiting.length, error })
          await delay(backoff(failures, { baseMs: 500, capMs: 30_000 }), undefined, { signal }).catch(() => {})
          continue
        }
        this.#lost += batch.length
        log.error('traces were refused', { traces: batch.length, error })
      }
      this.#waiting = this.#waiting.filter((trace) => !batch.includes(trace))
    }
  }

  async #post(batch: readonly Trace[]): Promise<void> {
    const { url, headers } = this.#options
    const signal = AbortSignal.any([this.#abort.signal, AbortSignal.timeout(requestMs)])
    const answer = await fetch(url, { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify(otlpRequest(batch)), signal })
    const text = await answer.text()
    if (answer.ok) return
    throw new Failure('LOG_OTLP', `${url} answered ${answer.status}: ${text.slice(0, 200)}`, { temporary: temporary.has(answer.status), remedy: 'check OTEL_EXPORTER_OTLP_ENDPOINT and OTEL_EXPORTER_OTLP_HEADERS' })
  }
}
