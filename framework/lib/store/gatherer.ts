import { join } from 'node:path'
import { systemClock, type Clock } from '#base/clock.ts'
import { Lifetime, type Running } from '#base/lifecycle.ts'
import type { Logger } from '#base/log.ts'
import type { Dataset, StoreReader } from './dataset.ts'
import { Fold, type FoldRules } from './fold.ts'
import type { GathererEnv } from './gatherer-env.ts'
import { Intake } from './intake.ts'
import { KeeperThread } from './keeper-thread.ts'
import { KeyGuard } from './key-guard.ts'
import { keepLedger } from './ledger.ts'
import { openStore, storeMetrics } from './open.ts'
import { serveStore } from './serve.ts'
import { Windows } from './windows.ts'

export interface GathererOptions extends GathererEnv {
  readonly log: Logger
  readonly clock?: Clock
}

/** What is gathered, and how it comes in. */
export interface Gathering {
  readonly dataset: Dataset
  readonly rules: FoldRules
  /** Meanings that an entry of a report may have. */
  readonly variants: number
  /** What the thread runs in which windows are kept. */
  readonly thread: URL
  /** Path of its page, for Prometheus. */
  readonly page: string
  /** Serves what reports come in by, within the lifetime. @returns its port */
  readonly serve: (intake: Intake, lifetime: Lifetime) => Promise<number>
  /** Further metrics of the role, whose names start with `tars<dataset>`. */
  readonly metrics: (counts: Intake['counts']) => string
}

export interface RunningGatherer extends Running {
  readonly port: number
  readonly httpPort: number
  /** Hands on the window that is open; resolves when the store has all. */
  flush(): Promise<void>
}

/** From reports to rows: windows of time and their journals here; in a thread the spool, the store and the page. Over HTTP `/metrics`, the page, and what is kept here. */
export async function startGatherer({ dataset, rules, variants, thread, page, serve, metrics }: Gathering, options: GathererOptions): Promise<RunningGatherer> {
  const { address, bounds, log, source, windowMs, clock = systemClock } = options
  const folder = join(options.store.data, 'journal', dataset.name)
  const lifetime = new Lifetime()
  try {
    const reader = openStore({ settings: options.store, dataset, lifetime, log, now: () => clock.now() })
    const told: StoreReader = { totals: (...asked) => reader.totals(...asked), find: (...asked) => reader.find(...asked), last: (of) => reader.last(of).then((last) => last && { ...last, windowMs }) }
    const keeper = new KeeperThread({ file: thread, settings: options.store, source, windowMs, folder, log })
    lifetime.onStop(() => keeper.close())
    await keeper.metrics()
    const guard = new KeyGuard(bounds, log)
    const windows = lifetime.own(new Windows({ folder, lengthMs: windowMs, fold: (memory) => new Fold(rules, guard.begin(clock.monotonic()), memory), keeper, log, clock }))
    keepLedger({ file: join(folder, 'ledger.json'), guard, clock, lifetime, log })
    const intake = new Intake({ rules, bounds, variants, windows })
    const all = async (): Promise<string> => metrics(intake.counts) + windows.metrics(`tars${dataset.name}`) + guard.metrics(`tars${dataset.name}`) + (await keeper.metrics()) + storeMetrics(options.store, dataset)
    const http = lifetime.own(await serveStore({ address, port: options.httpPort, metrics: { '/metrics': all, [page]: () => keeper.page(clock.now(), clock.monotonic()) }, store: { dataset, reader: told }, log }))
    const port = await serve(intake, lifetime)
    log.info(`${dataset.name} serves`, { address, port, http: http.port, store: options.store.elastic?.urls ?? options.store.data })
    const flush = async (): Promise<void> => {
      await windows.close()
      await keeper.empty()
    }
    return Object.assign(lifetime, { port, httpPort: http.port, flush })
  } catch (error) {
    await lifetime.stop().catch(() => {})
    throw error
  }
}
