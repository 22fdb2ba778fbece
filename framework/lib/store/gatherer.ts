import { join } from 'node:path'
import type { Clock } from '#base/clock.ts'
import type { Lifetime } from '#base/lifecycle.ts'
import type { Logger } from '#base/log.ts'
import type { Dataset } from './dataset.ts'
import { openStore, type StoreSettings } from './open.ts'
import { serveStore } from './serve.ts'
import { Windows, type Fold } from './windows.ts'

export interface GathererOptions<R, F extends Fold<R>> {
  readonly dataset: Dataset
  readonly store: StoreSettings
  readonly windowMs: number
  readonly fold: () => F
  readonly onClosed: (fold: F) => void
  readonly address: string
  /** 0 takes a free one. */
  readonly httpPort: number
  /** What names of its metrics start with. */
  readonly name: string
  /** Further metrics of the role. */
  readonly metrics: () => string
  /** Further texts in Prometheus' format, by path. */
  readonly pages: Readonly<Record<string, () => string>>
  /** It ends with this. */
  readonly lifetime: Lifetime
  readonly log: Logger
  readonly clock: Clock
}

export interface Gatherer<R> {
  readonly httpPort: number
  /** Takes records in. Resolves when the end of the process would not lose them. */
  add(records: readonly R[]): Promise<void>
  /** Hands on the window that is open; resolves when the store has all. */
  flush(): Promise<void>
}

/** From records to rows: windows of time, their journals, the spool, the store, and over HTTP `/metrics` and what is kept here. */
export async function startGatherer<R, F extends Fold<R>>(options: GathererOptions<R, F>): Promise<Gatherer<R>> {
  const { dataset, name, address, lifetime, log, clock, fold, onClosed } = options
  const { store, spool } = await openStore({ settings: options.store, dataset, lifetime, log, now: () => clock.now() })
  const windows = lifetime.own(new Windows<R, F>({ folder: join(options.store.data, 'journal', dataset.name), lengthMs: options.windowMs, spool, fold, onClosed, log, clock }))
  const metrics = (): string => options.metrics() + windows.metrics(name) + spool.metrics()
  const http = lifetime.own(await serveStore({ address, port: options.httpPort, metrics: { '/metrics': metrics, ...options.pages }, store: { dataset, reader: store }, log }))
  return {
    httpPort: http.port,
    add: (records) => windows.add(records),
    async flush() {
      windows.close()
      await spool.empty()
    },
  }
}
