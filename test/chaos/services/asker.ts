import { setTimeout as sleep } from 'node:timers/promises'
import { Communicator } from '#tars/client.ts'
import { QueryF, type QueryFProxy } from '#tars/protocol/QueryF.ts'
import type { Pod } from './pod.ts'
import { PROMPT_MS } from './reach.ts'
import type { Role } from './role.ts'

const GAP_MS = 60
const CALL_MS = 3_000
/** Kept of what was wrong. */
const MOST_FAULTS = 20

/** Asks one registry for endpoints all the time, and holds each against when its pod was active. */
export class Asker {
  readonly faults: string[] = []
  answers = 0
  readonly #registry: Role
  readonly #pods: readonly Pod[]
  readonly #communicator = new Communicator({ timeoutMs: CALL_MS })

  constructor(registry: Role, pods: readonly Pod[]) {
    this.#registry = registry
    this.#pods = pods
  }

  async run(signal: AbortSignal): Promise<void> {
    const objects = [...new Set(this.#pods.map(({ app, server }) => `${app}.${server}.Obj`))]
    while (!signal.aborted) {
      for (const object of objects) await this.#ask(object).catch(() => {})
      await sleep(GAP_MS, undefined, { signal }).catch(() => {})
    }
    await this.#communicator.close()
  }

  /** Names of pods that it gives to callers. */
  async serving(object: string): Promise<readonly string[]> {
    const registry = this.#communicator.proxy<QueryFProxy>(QueryF, this.#registry.object('QueryObj', 'query'))
    return (await registry.findObjectById(object)).map(({ host }) => host.split('.')[0] ?? '')
  }

  async #ask(object: string): Promise<void> {
    const { starts } = this.#registry
    const metricAt = performance.now()
    const ageMs = (await this.#registry.metric('tarsregistry_knowledge_age_seconds')) * 1_000
    const askedAt = performance.now()
    const allowed = this.#registry.reach.staleness(metricAt)
    const names = await this.serving(object)
    const now = performance.now()
    // What it says of another run of itself says nothing of this one.
    if (this.#registry.starts !== starts) return
    this.answers++
    for (const name of names) {
      const pod = this.#pods.find((one) => one.name === name)
      const age = pod?.active.ageAt(askedAt, now) ?? Infinity
      const claimed = ageMs + (askedAt - metricAt) + PROMPT_MS
      const lies = [
        ...(age === Infinity ? ['which never was active'] : []),
        ...(age !== Infinity && age > allowed ? [`which has not been active for ${seconds(age)}, and ${seconds(allowed)} are allowed`] : []),
        ...(age !== Infinity && age > claimed ? [`which has not been active for ${seconds(age)}, and it says that it knows all of ${seconds(ageMs)} ago`] : []),
        ...(pod?.leftAt(this.#registry, askedAt) === true ? ['which had told it that it is not active'] : []),
      ]
      for (const lie of lies) this.#say(`${this.#registry.name} gives ${name} to callers, ${lie}`)
    }
  }

  #say(fault: string): void {
    if (this.faults.length < MOST_FAULTS) this.faults.push(`${fault} (after ${seconds(performance.now())})`)
  }
}

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`
