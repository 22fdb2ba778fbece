import { metric } from './metrics.ts'

/** Counts requests of an HTTP server by what it offers and how it answered, for its `/metrics`. */
export class HttpCounters {
  readonly #counts = new Map<string, { readonly labels: Readonly<Record<string, string>>; requests: number }>()

  /** @param route as it was declared, with its parameters unnamed; undefined for what there is not, which is counted together */
  count(method: string, route: string | undefined, status: number): void {
    const labels = { method: route === undefined ? 'any' : method, route: route ?? 'unknown', status: String(status) }
    const key = JSON.stringify(Object.values(labels))
    const known = this.#counts.get(key)
    if (known === undefined) this.#counts.set(key, { labels, requests: 1 })
    else known.requests++
  }

  /** In Prometheus' text format. */
  text(): string {
    return metric('tars_http_requests_total', 'Requests that were answered, by route and status.', [...this.#counts.values()].map(({ labels, requests }) => [requests, labels]))
  }
}
