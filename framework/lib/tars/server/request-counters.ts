import { metricsOf, type Sample } from '#base/metrics.ts'
import { ret } from '../packet.ts'
import type { RequestRecord, ServerMetrics } from './metrics.ts'

interface Count {
  requests: number
  handleMs: number
}

/** Counts requests by function and code, for a server's `/metrics`. */
export class RequestCounters implements ServerMetrics {
  readonly #counts = new Map<string, Count>()

  onResponse({ servant, function: name, ret: code, handleMs }: RequestRecord): void {
    // What a caller makes up must not fill the memory.
    const key = code === ret.noServant || code === ret.noFunction ? `unknown unknown ${code}` : `${servant} ${name} ${code}`
    const count = this.#counts.get(key) ?? { requests: 0, handleMs: 0 }
    count.requests++
    count.handleMs += handleMs
    this.#counts.set(key, count)
  }

  /** In Prometheus' text format. */
  text(): string {
    const metric = metricsOf('tars_server_')
    const samples = (value: (count: Count) => number): Sample[] => [...this.#counts].map(([key, count]) => {
      const [servant = '', name = '', code = ''] = key.split(' ')
      return [value(count), { servant, function: name, ret: code }]
    })
    return [
      metric('requests_total', 'Requests that were handled, by function and return code of the protocol.', samples(({ requests }) => requests)),
      metric('request_seconds_total', 'Time that handling them took.', samples(({ handleMs }) => handleMs / 1000)),
    ].join('')
  }
}
