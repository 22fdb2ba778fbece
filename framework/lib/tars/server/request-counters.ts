import { metricsOf, type Sample } from '#base/metrics.ts'
import { ret } from '../packet.ts'
import type { RequestRecord, ServerMetrics } from './metrics.ts'

interface Count {
  requests: number
  handleMs: number
}

/** Counts requests by function and code, for a server's `/metrics`. */
export class RequestCounters implements ServerMetrics {
  /** By servant, function and code. */
  readonly #counts = new Map<string, Map<string, Map<number, Count>>>()

  onResponse({ servant, function: name, ret: code, handleMs }: RequestRecord): void {
    // What a caller makes up must not fill the memory.
    const isKnown = code !== ret.noServant && code !== ret.noFunction
    const count = isKnown ? this.#count(servant, name, code) : this.#count('unknown', 'unknown', code)
    count.requests++
    count.handleMs += handleMs
  }

  #count(servant: string, name: string, code: number): Count {
    return this.#counts.get(servant)?.get(name)?.get(code) ?? this.#newCount(servant, name, code)
  }

  #newCount(servant: string, name: string, code: number): Count {
    const count = { requests: 0, handleMs: 0 }
    const functions = this.#counts.get(servant) ?? new Map<string, Map<number, Count>>()
    const codes = functions.get(name) ?? new Map<number, Count>()
    this.#counts.set(servant, functions.set(name, codes.set(code, count)))
    return count
  }

  /** In Prometheus' text format. */
  text(): string {
    const metric = metricsOf('tars_server_')
    const counts = [...this.#counts].flatMap(([servant, functions]) => [...functions].flatMap(([name, codes]) => [...codes].map(([code, count]) => ({ labels: { servant, function: name, ret: String(code) }, count }))))
    const samples = (value: (count: Count) => number): Sample[] => counts.map(({ labels, count }) => [value(count), labels])
    return [
      metric('requests_total', 'Requests that were handled, by function and return code of the protocol.', samples(({ requests }) => requests)),
      metric('request_seconds_total', 'Time that handling them took.', samples(({ handleMs }) => handleMs / 1000)),
    ].join('')
  }
}
