import { join } from 'node:path'
import { systemClock, type Clock } from '#base/clock.ts'
import { Lifetime, type Running } from '#base/lifecycle.ts'
import type { Logger } from '#base/log.ts'
import type { Dataset } from './dataset.ts'
import type { Fold, Measured } from './fold.ts'
import type { GathererEnv } from './gatherer-env.ts'
import { openStore } from './open.ts'
import { serveStore } from './serve.ts'
import { Windows } from './windows.ts'

export interface GathererOptions extends GathererEnv {
  readonly log: Logger
  readonly clock?: Clock
}

/** What is gathered, and how it comes in. */
export interface Gathering<N, V> {
  readonly dataset: Dataset
  readonly fold: () => Fold<N, V>
  readonly onClosed: (fold: Fold<N, V>, end: number) => void
  /** Serves what `add` is called by, within the lifetime. @returns its port */
  readonly serve: (add: (records: readonly Measured<N, V>[]) => Promise<void>, lifetime: Lifetime) => Promise<number>
  /** Further metrics of the role, whose names start with `tars<dataset>`. */
  readonly metrics: () => string
  /** Further texts in Prometheus' format, by path. */
  readonly pages: Readonly<Record<string, () => string | Promise<string>>>
}

export interface RunningGatherer extends Running {
  readonly port: number
  readonly httpPort: number
  /** Hands on the window that is open; resolves when the store has all. */
  flush(): Promise<void>
}

/** From reports to rows: windows of time, their journals, the spool, the store, and over HTTP `/metrics`, pages, and what is kept here. */
export async function startGatherer<N, V>({ dataset, fold, onClosed, serve, metrics, pages }: Gathering<N, V>, options: GathererOptions): Promise<RunningGatherer> {
  const { address, log, clock = systemClock } = options
  const lifetime = new Lifetime()
  try {
    const { store, spool, metrics: ofStore } = await openStore({ settings: options.store, dataset, lifetime, log, now: () => clock.now() })
    const windows = lifetime.own(new Windows<N, V>({ folder: join(options.store.data, 'journal', dataset.name), lengthMs: options.windowMs, spool, fold, onClosed, log, clock }))
    const all = (): string => metrics() + windows.metrics(`tars${dataset.name}`) + ofStore()
    const http = lifetime.own(await serveStore({ address, port: options.httpPort, metrics: { '/metrics': all, ...pages }, store: { dataset, reader: store }, log }))
    const port = await serve((records) => windows.add(records), lifetime)
    log.info(`${dataset.name} serves`, { address, port, http: http.port, store: options.store.elastic?.urls ?? options.store.data })
    const flush = async (): Promise<void> => {
      await windows.close()
      await spool.empty()
    }
    return Object.assign(lifetime, { port, httpPort: http.port, flush })
  } catch (error) {
    await lifetime.stop().catch(() => {})
    throw error
  }
}
