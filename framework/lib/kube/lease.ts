import { Lifetime } from '#base/lifecycle.ts'
import type { Running } from '#base/lifecycle.ts'
import type { Logger } from '#base/log.ts'
import { sleep } from '#base/retry.ts'
import type { KubeClient } from './client.ts'
import { isConflict, isNotFound } from './errors.ts'
import { leases } from './resources.ts'
import type { KubeObject, Resource } from './types.ts'

/** coordination.k8s.io/v1 Lease, as far as elections use it. Times are RFC 3339 with microseconds. */
export interface Lease extends KubeObject {
  spec?: {
    holderIdentity?: string
    leaseDurationSeconds?: number
    acquireTime?: string
    renewTime?: string
    leaseTransitions?: number
  }
}

export interface ElectionOptions {
  readonly client: KubeClient
  readonly namespace: string
  /** Name of the Lease. */
  readonly name: string
  /** Who this is; unique among the candidates. */
  readonly identity: string
  readonly log: Logger
  /** How long the lease holds without renewal. Default 15,000 ms. */
  readonly leaseMs?: number
  /** A leader that could not renew for so long gives up. Less than `leaseMs`. Default 10,000 ms. */
  readonly renewDeadlineMs?: number
  /** Time between tries. Default 2,000 ms. */
  readonly retryMs?: number
  /**
   * Leads: resolves once the work is under way; the Running is stopped when the lease is lost or given up.
   * @param signal aborts when that happens while the work is only starting
   * @param holds false as soon as the lease may have passed to another, as after a sleep: what is written then may undo what the other did
   */
  readonly lead: (signal: AbortSignal, holds: () => boolean) => Promise<Running>
}

export interface Election extends Running {
  readonly isLeader: boolean
}

const resource: Resource<Lease> = leases as Resource<Lease>

/**
 * Takes part in an election by a Lease. While it holds the lease, what `lead` started runs; when the lease is lost it
 * is stopped and the election goes on. `stop()` gives the lease back, so that the next one need not wait.
 * Expiry is judged by how long the record stayed the same on the local monotonic clock, never by comparing clocks.
 */
export function startElection(options: ElectionOptions): Election {
  const candidate = new Candidate(options)
  const done = candidate.run()
  return {
    get isLeader() {
      return candidate.isLeader
    },
    stop: () => candidate.stop(),
    done,
  }
}

class Candidate {
  readonly #options: Required<ElectionOptions>
  readonly #abort = new AbortController()
  #seen: { readonly version: string; readonly at: number } | undefined
  /** As we wrote it last. */
  #held: Lease | undefined
  #leading: Lifetime | undefined
  /** When the last renewal was asked for: by others the lease runs out no earlier than counted from then. */
  #renewedAt = instant()
  #loop: Promise<void> | undefined

  constructor(options: ElectionOptions) {
    this.#options = { leaseMs: 15_000, renewDeadlineMs: 10_000, retryMs: 2_000, ...options }
  }

  get isLeader(): boolean {
    return this.#leading !== undefined
  }

  run(): Promise<void> {
    return (this.#loop ??= this.#run())
  }

  async stop(): Promise<void> {
    this.#abort.abort()
    await this.#loop
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort
    while (!signal.aborted) {
      await this.#turn()
      await sleep(this.#options.retryMs, signal).catch(() => {})
    }
    const led = this.isLeader
    await this.#stepDown('stopped')
    if (led) await this.#release()
  }

  async #turn(): Promise<void> {
    const { log, name, renewDeadlineMs } = this.#options
    const askedAt = instant()
    try {
      if (await this.#acquire()) {
        this.#renewedAt = askedAt
        this.#stepUp()
      } else if (this.isLeader) await this.#stepDown('another candidate holds the lease')
    } catch (error) {
      log.info('lease could not be acquired or renewed', { lease: name, error })
      if (this.isLeader && msSince(this.#renewedAt) > renewDeadlineMs) await this.#stepDown('renewal deadline passed')
    }
  }

  /** True when the lease is ours now. */
  async #acquire(): Promise<boolean> {
    const { client, namespace, name, identity, leaseMs } = this.#options
    const signal = AbortSignal.timeout(this.#options.renewDeadlineMs)
    if (await this.#renewUnread(signal)) return true
    const current = await client.get(resource, { namespace, name }, { signal }).catch((error: unknown) => (isNotFound(error) ? undefined : Promise.reject(error)))
    const now = microTime()
    const fresh = { holderIdentity: identity, leaseDurationSeconds: Math.ceil(leaseMs / 1000), renewTime: now }
    if (current === undefined) {
      this.#held = await client.create(resource, { metadata: { namespace, name }, spec: { ...fresh, acquireTime: now, leaseTransitions: 0 } } as Lease, { signal })
      return true
    }
    const spec = current.spec ?? {}
    const mine = spec.holderIdentity === identity
    if (!mine && !this.#isFree(current)) return false
    const taken = mine ? {} : { acquireTime: now, leaseTransitions: (spec.leaseTransitions ?? 0) + 1 }
    this.#held = await client.update(resource, { ...current, spec: { ...spec, ...fresh, ...taken } }, { signal }).catch(unlessTouched)
    return this.#held !== undefined
  }

  /** A leader whose record nobody has touched since renews it without reading it. */
  async #renewUnread(signal: AbortSignal): Promise<boolean> {
    if (this.#held === undefined || !this.isLeader) return false
    const { spec } = this.#held
    this.#held = await this.#options.client.update(resource, { ...this.#held, spec: { ...spec, renewTime: microTime() } }, { signal }).catch(unlessTouched)
    return this.#held !== undefined
  }

  /** Nobody holds it, or its record has not changed for its whole duration while we looked. */
  #isFree({ metadata, spec }: Lease): boolean {
    if ((spec?.holderIdentity ?? '') === '') return true
    const version = metadata.resourceVersion ?? ''
    if (this.#seen?.version !== version) this.#seen = { version, at: performance.now() }
    const durationMs = (spec?.leaseDurationSeconds ?? 15) * 1000
    return performance.now() - this.#seen.at > durationMs
  }

  #stepUp(): void {
    if (this.isLeader) return
    const { log, name, identity, lead, renewDeadlineMs } = this.#options
    log.info('became leader', { lease: name, identity })
    const life = new Lifetime()
    this.#leading = life
    // Work that breaks ends the leading; the next turn starts it anew.
    life.done.catch((error: unknown) => this.#broken(life, error))
    const leading = new AbortController()
    // Not awaited: renewal must go on while the work starts.
    const work = lead(leading.signal, () => this.#leading === life && msSince(this.#renewedAt) <= renewDeadlineMs)
    // Who steps down while the work starts has stopped it, too, when this is done.
    life.onStop(async () => {
      leading.abort()
      await work.then((running) => running.stop(), () => {})
    })
    work.then((running) => running.done).catch((error: unknown) => life.fail(error))
  }

  #broken(life: Lifetime, error: unknown): void {
    this.#options.log.error('the led work broke', { lease: this.#options.name, error })
    if (this.#leading === life) this.#leading = undefined
  }

  async #stepDown(why: string): Promise<void> {
    const life = this.#leading
    if (life === undefined) return
    this.#leading = undefined
    this.#options.log.info('no longer leader', { lease: this.#options.name, why })
    await life.stop().catch((error: unknown) => this.#options.log.error('stopping the led work failed', { error }))
  }

  async #release(): Promise<void> {
    const { client, namespace, name, identity, log } = this.#options
    try {
      const current = await client.get(resource, { namespace, name })
      if (current.spec?.holderIdentity === identity) await client.update(resource, { ...current, spec: { ...current.spec, holderIdentity: '', renewTime: microTime() } })
    } catch (error) {
      log.info('lease could not be given back; it will run out', { lease: name, error })
    }
  }
}

/** Undefined when another has written or removed the record meanwhile. */
function unlessTouched(error: unknown): undefined {
  if (!isConflict(error) && !isNotFound(error)) throw error
}

interface Instant {
  readonly monotonic: number
  readonly wall: number
}

const instant = (): Instant => ({ monotonic: performance.now(), wall: Date.now() })

/** The monotonic clock does not count the sleep of a whole machine; a clock that is set forward costs a renewal. */
function msSince({ monotonic, wall }: Instant): number {
  return Math.max(performance.now() - monotonic, Date.now() - wall)
}

/** RFC 3339 with six digits of fraction (MicroTime). */
export function microTime(): string {
  return new Date().toISOString().replace('Z', '000Z')
}
