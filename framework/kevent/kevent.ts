import { Lifetime, type Running } from '#base/lifecycle.ts'
import type { Logger } from '#base/log.ts'
import { metric } from '#base/metrics.ts'
import type { KubeClient } from '#kube/client.ts'
import { Informer } from '#kube/informer.ts'
import { startElection, type ElectionOptions } from '#kube/lease.ts'
import { events } from '#kube/resources.ts'
import type { AnyObject } from '#kube/types.ts'
import { keventDataset } from '#store/datasets.ts'
import { openStoreWithSpool } from '#store/open.ts'
import { Outbox } from '#store/outbox.ts'
import { serveStore } from '#store/serve.ts'
import type { KeventEnv } from './env.ts'
import { Feed } from './feed.ts'

export interface KeventOptions extends KeventEnv {
  readonly client: KubeClient
  readonly log: Logger
  /** Times of the election; default: the Lease's. */
  readonly election?: Pick<ElectionOptions, 'leaseMs' | 'renewDeadlineMs' | 'retryMs'>
}

export interface RunningKevent extends Running {
  readonly httpPort: number
  readonly isLeader: boolean
}

/** Events of what has no namespace are here. */
const clusterNamespace = 'default'
/** Of an event that changes faster only every so often a version is kept, milliseconds. */
const gatherMs = 1000

/**
 * Keeps the events of a namespace, and those of the cluster's own objects, beyond the hour that Kubernetes keeps them. One of
 * all its pods does, the one that holds the Lease. After a start it sees all events again; what is kept is not kept twice.
 */
export async function startKevent(options: KeventOptions): Promise<RunningKevent> {
  const { client, namespace, identity, address, log } = options
  const lifetime = new Lifetime()
  try {
    const { store, spool, metrics: ofStore } = openStoreWithSpool({ settings: options.store, dataset: keventDataset, lifetime, log, now: Date.now })
    const outbox = new Outbox({ spool, log, gatherMs })
    lifetime.onStop(() => outbox.stop())
    const feed = new Feed(outbox)
    lifetime.onStop(() => feed.stop())
    const age: { ms: () => number } = { ms: () => Number.POSITIVE_INFINITY }

    const follow = (): Running => {
      const life = new Lifetime()
      const informers = [...new Set([namespace, clusterNamespace])].map((place) => {
        const informer = new Informer({ client, namespace: place, resource: events, log })
        informer.onChange((type, event) => {
          if (type !== 'deleted' && (place === namespace || ownsNoNamespace(event))) feed.add(event)
        })
        informer.start()
        return life.own(informer)
      })
      age.ms = () => Math.max(...informers.map((informer) => informer.ageMs()))
      life.onStop(() => {
        age.ms = () => Number.POSITIVE_INFINITY
      })
      return life
    }
    const election = lifetime.own(startElection({ client, namespace, name: 'tars-tarskevent', identity, log, ...options.election, lead: async () => follow() }))
    const metrics = (): string => [
      metric('tarskevent_events_total', 'Versions of events that were handed on.', [[outbox.counts.handedOn]]),
      metric('tarskevent_leader', 'Whether this one follows the events.', [[Number(election.isLeader)]]),
      metric('tarskevent_knowledge_age_seconds', 'Time since the API server last confirmed what is known; of the leader only.', Number.isFinite(age.ms()) ? [[age.ms() / 1000]] : []),
      ofStore(),
    ].join('')
    const http = lifetime.own(await serveStore({ address, port: options.httpPort, metrics: { '/metrics': metrics }, store: { dataset: keventDataset, reader: store }, log }))
    log.info('kevent follows events', { namespace, http: http.port, store: options.store.elastic?.urls ?? options.store.data })
    return Object.defineProperty(Object.assign(lifetime, { httpPort: http.port, isLeader: false }), 'isLeader', { get: () => election.isLeader })
  } catch (error) {
    await lifetime.stop().catch(() => {})
    throw error
  }
}

function ownsNoNamespace(event: AnyObject): boolean {
  return ((event['involvedObject'] as { readonly namespace?: string } | undefined)?.namespace ?? '') === ''
}
