import type { Endpoint } from '../endpoint.ts'
import type { LinkOptions } from './link.ts'
import { EndpointNode } from './node.ts'

/** The endpoints of one object, used in turn. */
export class EndpointSet {
  readonly #options: LinkOptions
  #nodes: readonly EndpointNode[] = []
  #next = 0
  /** Told when an established connection to one of them is lost, or its server asked to leave it. */
  onLost: (node: EndpointNode) => void = () => {}

  constructor(options: LinkOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#nodes.length
  }

  /** Takes another list: endpoints that stay keep their connections, the others end theirs once their calls have settled. */
  update(endpoints: readonly Endpoint[]): void {
    const before = new Map(this.#nodes.map((node) => [key(node.endpoint), node]))
    const wanted = new Map(endpoints.map((endpoint) => [key(endpoint), endpoint]))
    this.#nodes = [...wanted].map(([name, endpoint]) => before.get(name) ?? new EndpointNode(endpoint, this.#options, (node) => this.onLost(node)))
    for (const [name, node] of before) if (!wanted.has(name)) void node.end()
  }

  /**
   * The endpoint for the next call: the next living one that was not tried for it; of only excluded ones that which comes
   * back first, because trying beats failing for sure.
   */
  pick(tried: ReadonlySet<unknown>, now: number): EndpointNode | undefined {
    let best: EndpointNode | undefined
    for (let i = 0; i < this.#nodes.length; i++) {
      const node = this.#nodes[(this.#next + i) % this.#nodes.length] as EndpointNode
      if (tried.has(node)) continue
      if (node.alive(now)) {
        this.#next = (this.#next + i + 1) % this.#nodes.length
        return node
      }
      if (best === undefined || node.backAt < best.backAt) best = node
    }
    return best
  }

  /** True when none can be reached. */
  dead(now: number): boolean {
    return this.#nodes.every((node) => node.dead(now))
  }

  async end(): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node.end()))
  }
}

// What makes two endpoints the same place to connect to.
function key(endpoint: Endpoint): string {
  return `${endpoint.protocol} ${endpoint.host} ${endpoint.port} ${endpoint.authType}`
}

