import { backoff } from '#base/retry.ts'
import { formatEndpoint, type Endpoint } from '../endpoint.ts'
import type { Link, LinkOptions, LinkParts } from './link.ts'
import { TcpLink } from './tcp-link.ts'
import { UdpLink } from './udp-link.ts'

/** Calls in a row that time out before the endpoint is taken for dead. */
const timeoutsToDeath = 5

/** One endpoint of an object: its connection, and whether it is worth trying. */
export class EndpointNode {
  readonly endpoint: Endpoint
  readonly label: string
  readonly #options: LinkOptions
  readonly #links = new Set<Link>()
  #current: Link | undefined
  #failures = 0
  #timeouts = 0
  #deadUntil = 0

  constructor(endpoint: Endpoint, options: LinkOptions) {
    this.endpoint = endpoint
    this.label = formatEndpoint(endpoint)
    this.#options = options
  }

  /** @param now monotonic milliseconds */
  alive(now: number): boolean {
    return this.#deadUntil <= now
  }

  /** Monotonic milliseconds; an endpoint found dead is tried again after this. */
  get deadUntil(): number {
    return this.#deadUntil
  }

  /** The connection for the next call: open or being opened. */
  link(): Link {
    if (this.#current !== undefined) return this.#current
    const parts: LinkParts = {
      endpoint: this.endpoint,
      label: this.label,
      options: this.#options,
      onEnd: (ended) => {
        if (this.#current === ended) this.#current = undefined
      },
    }
    const link = this.endpoint.protocol === 'udp' ? new UdpLink(parts) : new TcpLink(parts)
    this.#links.add(link)
    this.#current = link
    void link.closed.then(() => this.#links.delete(link))
    return link
  }

  /** A call was answered, whatever the answer. */
  succeeded(): void {
    this.#failures = this.#timeouts = this.#deadUntil = 0
  }

  /** It could not be connected. Excluded for 0.5 to 30 s, longer each time. */
  failed(now: number): void {
    this.#deadUntil = now + backoff(++this.#failures, { baseMs: 1000, capMs: 30_000 })
  }

  /** A call was not answered in time. */
  timedOut(now: number): void {
    if (++this.#timeouts >= timeoutsToDeath) this.failed(now)
  }

  /** Ends its connections once their calls have settled. */
  async end(): Promise<void> {
    const links = [...this.#links]
    for (const link of links) link.end()
    await Promise.all(links.map((link) => link.closed))
  }
}
