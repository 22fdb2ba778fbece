import type { Running } from '#base/lifecycle.ts'
import type { Logger } from '#base/log.ts'
import { sleep } from '#base/retry.ts'
import type { KubeClient } from '#kube/client.ts'
import { isNotFound } from '#kube/errors.ts'
import { startElection, type Lease } from '#kube/lease.ts'
import { leases } from '#kube/resources.ts'
import type { Resource } from '#kube/types.ts'
import type { TImageStore } from './timage.ts'

export interface OrphansOptions {
  readonly client: KubeClient
  readonly namespace: string
  readonly podName: string
  readonly timages: TImageStore
  readonly log: Logger
  /** A builder that has not renewed its lease for so long is gone. Milliseconds. */
  readonly patienceMs?: number
  /** Between two looks. Milliseconds. */
  readonly lookMs?: number
}

const leaseOf = (podName: string): string => `tarsimage-${podName}`

/**
 * Sees to it that no build stays "running" for ever: each builder holds a lease of its own, and fails the builds of those
 * that are gone. As many as like may do so, for every write carries the version that it was made from.
 */
export async function watchOrphans(options: OrphansOptions): Promise<Running> {
  const { client, namespace, podName, timages, log, patienceMs = 45_000, lookMs = 10_000 } = options
  await failOwn(options)
  const idle: Running = { stop: async () => {}, done: new Promise(() => {}) }
  // The same identity in each life of the pod: a new one has its lease at once.
  const presence = startElection({ client, namespace, name: leaseOf(podName), identity: podName, log, lead: async () => idle, leaseMs: patienceMs / 2, renewDeadlineMs: patienceMs / 3, retryMs: patienceMs / 9 })
  const seen = new Map<string, { readonly record: string; readonly since: number; readonly at: number }>()
  const stopping = new AbortController()

  const isGone = async (handler: string): Promise<boolean> => {
    const record = await recordOf(client, namespace, handler)
    const [known, at] = [seen.get(handler), performance.now()]
    // While it cannot be read, its holder cannot write it either: it has all its time again.
    const since = known?.record === record && at - known.at < patienceMs / 2 ? known.since : at
    seen.set(handler, { record, since, at })
    return at - since > patienceMs
  }
  const look = async (): Promise<void> => {
    const foreign = (await timages.list()).flatMap(({ metadata: { name }, build }) => (build?.running === undefined || build.running.handler === podName ? [] : [{ name, id: build.running.id, handler: build.running.handler ?? '' }]))
    const handlers = new Set(foreign.map(({ handler }) => handler))
    for (const handler of seen.keys()) if (!handlers.has(handler)) seen.delete(handler)
    for (const handler of handlers) {
      if (!(await isGone(handler))) continue
      for (const { name, id } of foreign.filter((one) => one.handler === handler)) {
        log.info('failing a build whose builder is gone', { timage: name, id, handler })
        await timages.fail(name, id, `the builder ${handler} is gone; build again`)
      }
    }
  }
  const looking = (async () => {
    while (!stopping.signal.aborted) {
      await look().catch((error: unknown) => log.error('could not look for builds whose builder is gone', { error }))
      await sleep(lookMs, stopping.signal).catch(() => {})
    }
  })()
  return {
    done: presence.done,
    async stop() {
      stopping.abort()
      await looking
      await presence.stop()
    },
  }
}

/** Fails builds that an earlier life of this pod left as running. */
async function failOwn({ timages, podName, log }: OrphansOptions): Promise<void> {
  for (const { metadata, build } of await timages.list()) {
    const running = build?.running
    if (running?.handler !== podName) continue
    log.info('failing a build that was cut off', { timage: metadata.name, id: running.id })
    await timages.fail(metadata.name, running.id, 'the builder was restarted during the build; build again')
  }
}

/** What changes as long as the builder lives. Times are not compared with a clock here. */
async function recordOf(client: KubeClient, namespace: string, handler: string): Promise<string> {
  try {
    const { spec } = await client.get<Lease>(leases as Resource<Lease>, { namespace, name: leaseOf(handler) })
    return `${spec?.holderIdentity ?? ''} ${spec?.renewTime ?? ''}`
  } catch (error) {
    if (isNotFound(error)) return 'none'
    throw error
  }
}
