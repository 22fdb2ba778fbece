import { labels } from '#api/names.ts'
import type { Clock } from '#base/clock.ts'
import type { Logger } from '#base/log.ts'
import type { KubeClient } from '#kube/client.ts'
import { isAlreadyExists, isConflict, isNotFound } from '#kube/errors.ts'
import { microTime, type Lease } from '#kube/lease.ts'
import { leases, pods } from '#kube/resources.ts'
import { isOlder, type Resource } from '#kube/types.ts'
import type { GetMasterSlaveLock } from '#tars/protocol/QueryF.ts'
import { isOwnPod } from './caller.ts'
import type { Caller, Directory } from './model/directory.ts'
import { serverKey } from './model/object-id.ts'

export interface LocksOptions {
  readonly client: KubeClient
  readonly namespace: string
  readonly directory: Directory<unknown>
  readonly clock: Clock
  readonly log: Logger
}

/** Answers of getLocker (framework-services 1.1). */
const answer = { master: 0, slave: 1, badRequest: 2, failed: -1 } as const

const resource = leases as Resource<Lease>
/** On the Lease: callers are to find the master only (bakType 1). */
const hidesSlaves = 'tars.io/HidesSlaves'
const switchHidden = 1
const longestMs = 3_600_000
/** Whoever hears that it is master takes itself for it for its whole time from then, so its Lease is held for so much longer, milliseconds. */
const graceMs = 2000
/** What took longer is not said, as its way to the caller takes time, too, milliseconds. */
const lateMs = 1000
/** Who does not ask for so long after the time that it named does not use its lock any more, milliseconds. */
const unusedMs = 600_000
/** A watch that has been silent for longer may be broken, milliseconds: it has a bookmark about once a minute. */
const silentMs = 120_000
const lockPrefix = 'tars-lock-'

interface Known {
  readonly lease: Lease
  /** Monotonic milliseconds when this state of it was first seen here. */
  readonly at: number
}

/**
 * Which pod of a server is its master: the one that holds the server's Lease (coordination.k8s.io/v1). It must ask again
 * within the time that it names, or another one that asks becomes it shortly after. As in elections, expiry is judged by how long the
 * record has stayed the same, never by comparing clocks; the Lease of a pod that is gone is free at once.
 */
export class Locks {
  readonly #options: LocksOptions
  readonly #known = new Map<string, Known>()
  /** When it became certain that Leases could be renewed, monotonic milliseconds. */
  #heardSince = Number.NEGATIVE_INFINITY

  constructor(options: LocksOptions) {
    this.#options = options
  }

  /** Tells what the watch shows. */
  observe(lease: Lease, gone: boolean): void {
    const { name, resourceVersion } = lease.metadata
    if (!name.startsWith(lockPrefix)) return
    const before = this.#known.get(name)
    if (gone) this.#known.delete(name)
    else if (before?.lease.metadata.resourceVersion === resourceVersion || (before !== undefined && isOlder(resourceVersion, before.lease.metadata.resourceVersion ?? ''))) return
    else this.#known.set(name, { lease, at: this.#options.clock.monotonic() })
    this.#tell(lease, gone)
  }

  async ask(request: GetMasterSlaveLock, caller: Caller): Promise<number> {
    const { application, server_name: server, node_name: node, timeout } = request
    const { directory, clock, log } = this.#options
    if ([application, server, node].includes('') || timeout <= 0 || timeout > longestMs) return answer.badRequest
    const pod = directory.podOf({ name: node, address: '' })
    const own = pod?.metadata.labels ?? {}
    if (pod === undefined || serverKey(own[labels.app] ?? '', own[labels.server] ?? '') !== serverKey(application, server) || !isOwnPod(pod, caller.address)) {
      log.error('lock refused: only a pod of the server may ask, for itself', { server: `${application}.${server}`, node, peer: caller.address })
      return answer.failed
    }
    const askedAt = clock.monotonic()
    try {
      const found = await this.#acquire(request, pod.metadata.name)
      if (found !== answer.master || clock.monotonic() - askedAt <= lateMs) return found
      log.error('the lock of a server was taken too slowly: its pod is told to ask again', { server: `${application}.${server}`, pod: pod.metadata.name })
      return answer.failed
    } catch (error) {
      if (isConflict(error) || isAlreadyExists(error)) return answer.slave
      // Not that it still is master, should it be: the Lease was not renewed, and runs out before that would be over.
      log.error('the lock of a server could not be asked for', { server: `${application}.${server}`, pod: pod.metadata.name, error })
      return answer.failed
    }
  }

  /**
   * Gives back locks that are not used any more, as those of a server whose release of now uses none or that was made anew: their
   * masters would hide its other pods from callers for ever.
   * @param ageMs milliseconds since the API server last confirmed what is known of Leases; while it is away nobody can renew them
   */
  async giveBackUnused(ageMs: number): Promise<void> {
    const now = this.#options.clock.monotonic()
    if (ageMs > silentMs) this.#heardSince = now
    for (const { lease, at } of this.#known.values()) {
      const { holderIdentity = '', leaseDurationSeconds = 0 } = lease.spec ?? {}
      if (holderIdentity !== '' && now - Math.max(at, this.#heardSince) > leaseDurationSeconds * 1000 + unusedMs) await this.#giveBack(lease)
    }
  }

  /** Unless somebody has written it meanwhile. */
  async #giveBack(lease: Lease): Promise<void> {
    const { client, log } = this.#options
    const { name } = lease.metadata
    try {
      this.observe(await client.update(resource, { ...lease, spec: { ...lease.spec, holderIdentity: '', renewTime: microTime() } }), false)
      log.info('a lock is not used any more: callers find all pods of its server', { lease: name, master: lease.spec?.holderIdentity })
    } catch (error) {
      if (!isConflict(error) && !isNotFound(error)) log.error('a lock that is not used any more could not be given back', { lease: name, error })
    }
  }

  async #acquire(request: GetMasterSlaveLock, holder: string): Promise<number> {
    const { client, namespace } = this.#options
    const known = this.#known.get(lockName(request))
    const renewTime = microTime()
    const fresh = { holderIdentity: holder, leaseDurationSeconds: Math.ceil((request.timeout + graceMs) / 1000), renewTime }
    const metadata = {
      name: lockName(request), namespace,
      labels: { [labels.app]: request.application, [labels.server]: request.server_name },
      annotations: { [hidesSlaves]: String(request.bakType === switchHidden) },
    }
    if (known === undefined) {
      this.observe(await client.create(resource, { metadata, spec: { ...fresh, acquireTime: renewTime, leaseTransitions: 0 } } as unknown as Lease), false)
      return answer.master
    }
    const { spec = {}, ...lease } = known.lease
    const mine = spec.holderIdentity === holder
    if (!mine && !(await this.#isFree(known))) return answer.slave
    const taken = mine ? {} : { acquireTime: renewTime, leaseTransitions: (spec.leaseTransitions ?? 0) + 1 }
    const wanted = { ...lease, metadata: { ...lease.metadata, ...metadata }, spec: { ...spec, ...fresh, ...taken } }
    this.observe(await client.update(resource, wanted as Lease), false)
    return answer.master
  }

  async #isFree({ lease: { spec }, at }: Known): Promise<boolean> {
    const holder = spec?.holderIdentity ?? ''
    const { clock, directory } = this.#options
    if (holder === '' || clock.monotonic() - at > (spec?.leaseDurationSeconds ?? 0) * 1000) return true
    // Pods and Leases are watched apart: one that is not known may be too new.
    return directory.pod(holder) === undefined && (await this.#isGone(holder))
  }

  async #isGone(name: string): Promise<boolean> {
    const { client, namespace } = this.#options
    return client.get(pods, { namespace, name }).then(() => false, (error: unknown) => (isNotFound(error) ? true : Promise.reject(error)))
  }

  #tell({ metadata, spec }: Lease, gone: boolean): void {
    const { [labels.app]: app = '', [labels.server]: server = '' } = metadata.labels ?? {}
    const podName = spec?.holderIdentity ?? ''
    this.#options.directory.setMaster(app, server, gone || podName === '' ? undefined : { podName, hidesSlaves: metadata.annotations?.[hidesSlaves] === 'true' })
  }
}

function lockName({ application, server_name: server }: GetMasterSlaveLock): string {
  return `${lockPrefix}${application}-${server}`.toLowerCase()
}
