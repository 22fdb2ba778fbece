import { backoff } from '#base/retry.ts'
import { formatEndpoint, type Endpoint } from '../endpoint.ts'
import type { Link, LinkOptions, LinkParts } from './link.ts'
import { TcpLink } from './tcp-link.ts'
import { UdpLink } from './udp-link.ts'

/** Calls in a row that time out before the endpoint is taken for dead. */
const timeoutsToDeath = 5

/** An endpoint whose connection was lost is used only when no other is left for this long, milliseconds. */
const avoidMs = 1000

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
  #avoidUntil = 0
  readonly #onLost: (node: EndpointNode) => void

  /** @param onLost told when an established connection is lost, or the server asked to leave it */
  constructor(endpoint: Endpoint, options: LinkOptions, onLost: (node: EndpointNode) => void) {
    this.endpoint = endpoint
    this.label = formatEndpoint(endpoint)
    this.#options = options
    this.#onLost = onLost
  }

  /** @param now monotonic milliseconds */
  alive(now: number): boolean {
    return this.backAt <= now
  }

  /** True while it is taken for unreachable, which a lost connection alone does not make it. @param now monotonic milliseconds */
  dead(now: number): boolean {
    return this.#deadUntil > now
  }

  /** Monotonic milliseconds; an excluded endpoint is as good as the others again after this. */
  get backAt(): number {
    return Math.max(this.#deadUntil, this.#avoidUntil)
  }

  /** The connection for the next call: open or being opened. */
  link(): Link {
    if (this.#current !== undefined) return this.#current
    const parts: LinkParts = {
      endpoint: this.endpoint,
      label: this.label,
      options: this.#options,
      onEnd: (ended, lost) => {
        if (this.#current === ended) this.#current = undefined
        if (lost) this.#onLost(this)
      },
    }
    const link = this.endpoint.protocol === 'udp' ? new UdpLink(parts) : new TcpLink(parts)
    this.#links.add(link)
    this.#current = link
    void link.closed.then(() => this.#links.delete(link))
    return link
  }

  /** A call was answered, whatever the answer; over a connection that is being left this says nothing about the next one. */
  succeeded(link: Link): void {
    if (link === this.#current) this.#failures = this.#timeouts = this.#deadUntil = this.#avoidUntil = 0
  }

  /** An established connection was lost: the server may be ending. */
  avoid(now: number): void {
    this.#avoidUntil = now + avoidMs
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
