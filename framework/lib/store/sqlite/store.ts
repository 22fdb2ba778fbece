import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { checkQuestion, type Dataset, type FindQuestion, type Found, type Group, type Last, type Row, type Store, type TotalsQuestion } from '../dataset.ts'
import { makeStoreFolder } from '../folder.ts'
import { brokenSuffix } from './broken.ts'
import { Thread } from '../thread.ts'
import type { ThreadData } from './worker.ts'

export interface SqliteOptions {
  /** Of the files of a dataset; beyond it the oldest days go, and rows of the only day are refused. Default: no bound. */
  readonly maxBytes?: number
  /** A thread that had nothing to do for so long is ended, milliseconds: it takes 25 MB. Default 30,000. */
  readonly idleMs?: number
}

/**
 * A store in SQLite files below `folder`, one a dataset and day. Two threads work, one for writes and one for questions, so
 * that neither the process nor a write waits for a question.
 * @throws Failure STORE_FOLDER when the folder cannot be written to
 */
export function openSqliteStore(folder: string, { maxBytes = Number.POSITIVE_INFINITY, idleMs = 30_000 }: SqliteOptions = {}): Store {
  makeStoreFolder(folder)
  const [writer, reader] = [threadOf({ folder, maxBytes }, idleMs), threadOf({ folder, maxBytes }, idleMs)]
  return {
    write: (dataset: Dataset, rows: readonly Row[]) => writer.call('write', [dataset, rows]) as Promise<number>,
    // No thread is needed to see that there is nothing.
    trim: async (dataset, oldest) => (existsSync(join(folder, dataset.name)) ? ((await writer.call('trim', [dataset, oldest])) as number) : 0),
    async totals(dataset: Dataset, question: TotalsQuestion) {
      checkQuestion(dataset, question, [...question.groupBy, ...question.measures.map(({ field }) => field)])
      return (await reader.call('totals', [dataset, question])) as readonly Group[]
    },
    async find(dataset: Dataset, question: FindQuestion) {
      checkQuestion(dataset, question, question.newestOf === undefined ? [] : [question.newestOf])
      return (await reader.call('find', [dataset, question])) as readonly Found[]
    },
    last: (dataset) => reader.call('last', [dataset]) as Promise<Last | undefined>,
    async close() {
      await writer.close()
      await reader.close()
    },
  }
}

/** How many days of a dataset are set aside below a store's folder, because they were no database any more. */
export function brokenDays(folder: string, dataset: Dataset): number {
  const own = join(folder, dataset.name)
  return existsSync(own) ? readdirSync(own).filter((name) => name.endsWith(brokenSuffix)).length : 0
}

/** Where the thread's code is: beside this file, from the sources or in the bundle. */
const workerFile = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './store-worker.mjs', import.meta.url)

const threadOf = (data: ThreadData, idleMs: number): Thread => new Thread({ file: workerFile, data, idleMs })
