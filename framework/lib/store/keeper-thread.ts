// The thread in which windows that are over are kept: what is done with them takes no time of who takes reports.
import { setPriority } from 'node:os'
import { join } from 'node:path'
import { workerData } from 'node:worker_threads'
import { Lifetime } from '#base/lifecycle.ts'
import type { Logger } from '#base/log.ts'
import type { Dataset } from './dataset.ts'
import { openElasticStore } from './elastic/store.ts'
import type { FoldRules } from './fold.ts'
import { Keeper, type Closed, type KeeperOptions, type Keeping } from './keeper.ts'
import { openSpool, type StoreSettings } from './open.ts'
import { openSqliteWriter } from './sqlite/writer.ts'
import { answerCalls, Thread, threadLogger } from './thread.ts'

/** What is kept in a thread. */
export interface Kept {
  readonly dataset: Dataset
  readonly rules: FoldRules
  readonly told: NonNullable<KeeperOptions['told']>
  /** For Prometheus. @param now of the process' clock, as the end of windows is @param monotonic of it, as when they were over */
  readonly page: (now: number, monotonic: number) => string
}

interface ThreadData {
  readonly settings: StoreSettings
  /** Who gathers. */
  readonly source: string
  readonly windowMs: number
  /** Of journals. */
  readonly folder: string
}

/** Rows of one write: large ones take less of the machine, and nobody waits for them. */
const rowsAFile = 2000
/** The thread comes after those who take reports, where there is not enough of the processor for both (nice(2)). */
const niceness = 5

/** This end of it. */
export class KeeperThread implements Keeping {
  readonly #thread: Thread

  /** @param file calls {@link keepInThread} */
  constructor({ file, log, ...data }: ThreadData & { readonly file: URL; readonly log: Logger }) {
    this.#thread = new Thread({ file, data, log })
  }

  async take(closed?: Closed): Promise<readonly string[]> {
    return (await this.#thread.call('take', [closed])) as readonly string[]
  }

  /** Resolves when the store has all that was taken. */
  async empty(): Promise<void> {
    await this.#thread.call('empty', [])
  }

  /** In Prometheus' text format. @throws Failure STORE_FOLDER */
  async metrics(): Promise<string> {
    return (await this.#thread.call('metrics', [])) as string
  }

  async page(now: number, monotonic: number): Promise<Uint8Array> {
    return (await this.#thread.call('page', [now, monotonic])) as Uint8Array
  }

  close(): Promise<void> {
    return this.#thread.close()
  }
}

/** The other end. */
export function keepInThread(kept: (source: string, windowMs: number) => Kept): void {
  answerCalls(() => {
    setPriority(niceness)
    const { settings, source, windowMs, folder } = workerData as ThreadData
    const { dataset, rules, told, page } = kept(source, windowMs)
    const { data, elastic, bytes } = settings
    const [lifetime, log] = [new Lifetime(), threadLogger()]
    const store = elastic === undefined ? openSqliteWriter(join(data, 'rows'), bytes) : openElasticStore({ ...elastic, log })
    lifetime.onStop(() => store.close())
    const spool = openSpool({ settings, dataset, store, lifetime, log, rowsAFile })
    const keeper = new Keeper({ folder, rules, spool, told, log })
    return {
      take: (closed?: Closed) => keeper.take(closed),
      empty: () => spool.empty(),
      metrics: () => keeper.metrics(`tars${dataset.name}`) + spool.metrics(),
      page: (...now: [number, number]) => new TextEncoder().encode(page(...now)),
      close: () => lifetime.stop(),
    }
  })
}
