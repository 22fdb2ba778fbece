import { setTimeout as sleep } from 'node:timers/promises'
import { Communicator } from '#tars/client.ts'
import { createGetMasterSlaveLock, QueryF, type QueryFProxy } from '#tars/protocol/QueryF.ts'
import { seeded, type Random } from '../random.ts'
import type { Pod } from './pod.ts'
import type { Role } from './role.ts'

/** Milliseconds for which a master is one. */
const TERM_MS = 3_000
const GAP_MS = 250
const CALL_MS = 2_000
/** Kept of what was wrong. */
const MOST_FAULTS = 20
const master = 0

/** The pods of one server, of which one is to be master at any time; each asks whichever registry it finds. */
export class Masters {
  readonly faults: string[] = []
  grants = 0
  readonly #pods: readonly Pod[]
  readonly #registries: readonly Role[]
  readonly #random: Random
  /** Until when a pod may act as master, milliseconds of performance.now(). */
  readonly #until = new Map<Pod, number>()

  constructor(pods: readonly Pod[], registries: readonly Role[], seed: number) {
    this.#pods = pods
    this.#registries = registries
    this.#random = seeded(seed)
  }

  get master(): Pod | undefined {
    return this.#pods.find((pod) => (this.#until.get(pod) ?? 0) > performance.now())
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#pods.map((pod) => this.#campaign(pod, signal)))
  }

  async #campaign(pod: Pod, signal: AbortSignal): Promise<void> {
    const communicator = new Communicator({ timeoutMs: CALL_MS, localAddress: pod.address })
    while (!signal.aborted) {
      await this.#ask(pod, communicator).catch(() => {})
      // Now and then one is silent for longer than its term.
      const pause = this.#random.whole(0, 40) === 0 ? TERM_MS * 2 : GAP_MS
      await sleep(pause, undefined, { signal }).catch(() => {})
    }
    await communicator.close()
  }

  async #ask(pod: Pod, communicator: Communicator): Promise<void> {
    const registry = this.#random.pick(this.#registries)
    const request = createGetMasterSlaveLock({ application: pod.app, server_name: pod.server, node_name: pod.name, timeout: TERM_MS, bakType: 2 })
    const answer = await communicator.proxy<QueryFProxy>(QueryF, registry.object('QueryObj', 'query')).getLocker(request)
    const now = performance.now()
    if (answer !== master) return
    this.grants++
    for (const other of this.#pods) {
      const until = this.#until.get(other) ?? 0
      if (other !== pod && until > now && this.faults.length < MOST_FAULTS) this.faults.push(`${registry.name} made ${pod.name} master, and ${other.name} is it for ${(until - now).toFixed(0)} ms more`)
    }
    // As services have it, however long the answer took.
    this.#until.set(pod, now + TERM_MS)
  }
}
