import { labels } from '#api/names.ts'
import { systemClock, type Clock } from '#base/clock.ts'
import { Lifetime, type Running } from '#base/lifecycle.ts'
import type { Logger } from '#base/log.ts'
import { metric } from '#base/metrics.ts'
import { watchCallers } from '#kube/callers.ts'
import type { KubeClient } from '#kube/client.ts'
import { statDataset } from '#store/datasets.ts'
import { startGatherer } from '#store/gatherer.ts'
import { StatF } from '#tars/protocol/StatF.ts'
import { createServer } from '#tars/server.ts'
import type { StatEnv } from './env.ts'
import { CallCounters } from './model/call-counters.ts'
import { StatFold } from './model/stat-fold.ts'
import type { StatRecord } from './model/record.ts'
import { statServant, type StatCounts } from './stat-servant.ts'

export interface StatOptions extends Omit<StatEnv, 'source'> {
  readonly client: KubeClient
  readonly source: string
  readonly log: Logger
  readonly clock?: Clock
}

export interface RunningStat extends Running {
  readonly port: number
  readonly httpPort: number
  /** Hands on the window that is open; resolves when the store has all. */
  flush(): Promise<void>
}

const drainMs = 3000
/** So long a start waits to know the pods, milliseconds; without the API server it serves all the same. */
const knowMs = 3000

/** Serves StatObj, and over HTTP `/metrics`, `/calls` (both for Prometheus) and what is kept here. */
export async function startStat(options: StatOptions): Promise<RunningStat> {
  const { client, namespace, source, address, bounds, log, clock = systemClock } = options
  const lifetime = new Lifetime()
  try {
    const counts: StatCounts = { taken: 0, refused: { empty: 0, internal: 0, invalid: 0, foreign: 0 }, samples: 0 }
    const calls = new CallCounters()
    const gatherer = await startGatherer<StatRecord, StatFold>({
      dataset: statDataset, name: 'tarsstat', store: options.store, windowMs: options.windowMs, address, httpPort: options.httpPort, lifetime, log, clock,
      fold: () => new StatFold(bounds, source),
      onClosed: (fold) => calls.add(fold),
      metrics: () => [
        metric('tarsstat_lines_total', 'Lines of reports that were taken.', [[counts.taken]]),
        metric('tarsstat_refused_lines_total', 'Lines that were not, and why; foreign: reported by a pod of another server.', Object.entries(counts.refused).map(([reason, count]) => [count, { reason }])),
        metric('tarsstat_sample_lines_total', 'Samples of call trees that arrived, of which none is kept.', [[counts.samples]]),
      ].join(''),
      pages: { '/calls': () => calls.metrics() },
    })
    const callers = lifetime.own(watchCallers({ client, namespace, ownerLabels: [labels.app, labels.server], log }))
    await Promise.race([callers.synced().catch(() => {}), new Promise((resolve) => setTimeout(resolve, knowMs).unref())])
    const server = createServer({
      adapters: [{ endpoint: `tcp -h ${address} -p ${options.port} -t 60000`, servants: { 'tars.tarsstat.StatObj': { interface: StatF, servant: statServant({ add: gatherer.add, callers, counts }) } } }],
      log,
    })
    await server.start()
    lifetime.own(server)
    lifetime.onStop(() => server.drain(drainMs))
    const port = server.endpoints[0]?.port ?? 0
    log.info('stat serves', { address, port, http: gatherer.httpPort, store: options.store.elastic?.urls ?? options.store.data })
    return Object.assign(lifetime, { port, httpPort: gatherer.httpPort, flush: gatherer.flush })
  } catch (error) {
    await lifetime.stop().catch(() => {})
    throw error
  }
}
