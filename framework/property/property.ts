import { labels } from '#api/names.ts'
import { systemClock, type Clock } from '#base/clock.ts'
import { Lifetime, type Running } from '#base/lifecycle.ts'
import type { Logger } from '#base/log.ts'
import { metric } from '#base/metrics.ts'
import { watchCallers } from '#kube/callers.ts'
import type { KubeClient } from '#kube/client.ts'
import { propertyDataset } from '#store/datasets.ts'
import { startGatherer } from '#store/gatherer.ts'
import { PropertyF } from '#tars/protocol/PropertyF.ts'
import { createServer } from '#tars/server.ts'
import type { PropertyEnv } from './env.ts'
import { PropertyFold } from './model/property-fold.ts'
import type { PropertyRecord } from './model/record.ts'
import { propertyServant, type PropertyCounts } from './property-servant.ts'

export interface PropertyOptions extends Omit<PropertyEnv, 'source'> {
  readonly client: KubeClient
  readonly source: string
  readonly log: Logger
  readonly clock?: Clock
}

export interface RunningProperty extends Running {
  readonly port: number
  readonly httpPort: number
  /** Hands on the window that is open; resolves when the store has all. */
  flush(): Promise<void>
}

const drainMs = 3000
/** So long a start waits to know the pods, milliseconds; without the API server it serves all the same. */
const knowMs = 3000

/** Serves PropertyObj, and over HTTP `/metrics`, `/properties` (both for Prometheus) and what is kept here. */
export async function startProperty(options: PropertyOptions): Promise<RunningProperty> {
  const { client, namespace, source, address, bounds, log, clock = systemClock } = options
  const lifetime = new Lifetime()
  try {
    const counts: PropertyCounts = { taken: 0, refused: { empty: 0, internal: 0, invalid: 0, foreign: 0 } }
    let last: PropertyFold | undefined
    const gatherer = await startGatherer<PropertyRecord, PropertyFold>({
      dataset: propertyDataset, name: 'tarsproperty', store: options.store, windowMs: options.windowMs, address, httpPort: options.httpPort, lifetime, log, clock,
      fold: () => new PropertyFold(bounds, source),
      onClosed: (fold) => (last = fold),
      metrics: () => [
        metric('tarsproperty_values_total', 'Values that were taken.', [[counts.taken]]),
        metric('tarsproperty_refused_values_total', 'Values that were not, and why; foreign: reported by a pod of another server.', Object.entries(counts.refused).map(([reason, count]) => [count, { reason }])),
      ].join(''),
      pages: { '/properties': () => last?.metrics() ?? '' },
    })
    const callers = lifetime.own(watchCallers({ client, namespace, ownerLabels: [labels.app, labels.server], log }))
    await Promise.race([callers.synced().catch(() => {}), new Promise((resolve) => setTimeout(resolve, knowMs).unref())])
    const server = createServer({
      adapters: [{ endpoint: `tcp -h ${address} -p ${options.port} -t 60000`, servants: { 'tars.tarsproperty.PropertyObj': { interface: PropertyF, servant: propertyServant({ add: gatherer.add, callers, counts }) } } }],
      log,
    })
    await server.start()
    lifetime.own(server)
    lifetime.onStop(() => server.drain(drainMs))
    const port = server.endpoints[0]?.port ?? 0
    log.info('property serves', { address, port, http: gatherer.httpPort, store: options.store.elastic?.urls ?? options.store.data })
    return Object.assign(lifetime, { port, httpPort: gatherer.httpPort, flush: gatherer.flush })
  } catch (error) {
    await lifetime.stop().catch(() => {})
    throw error
  }
}
