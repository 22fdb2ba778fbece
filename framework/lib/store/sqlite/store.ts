import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { Failure } from '#base/errors.ts'
import { checkQuestion, type Dataset, type FindQuestion, type Found, type Group, type Row, type Store, type TotalsQuestion } from '../dataset.ts'
import { makeStoreFolder } from '../folder.ts'
import { brokenSuffix } from './broken.ts'
import type { Request, Response, ThreadData } from './worker.ts'

/** Questions and writes that wait; one more is refused. */
const mostWaiting = 200

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
  const writer = new Thread({ folder, maxBytes }, idleMs)
  const reader = new Thread({ folder, maxBytes }, idleMs)
  return {
    write: (dataset: Dataset, rows: readonly Row[]) => writer.call('write', dataset, rows) as Promise<number>,
    // No thread is needed to see that there is nothing.
    trim: async (dataset, oldest) => (existsSync(join(folder, dataset.name)) ? ((await writer.call('trim', dataset, oldest)) as number) : 0),
    async totals(dataset: Dataset, question: TotalsQuestion) {
      checkQuestion(dataset, question, [...question.groupBy, ...question.measures.map(({ field }) => field)])
      return (await reader.call('totals', dataset, question)) as readonly Group[]
    },
    async find(dataset: Dataset, question: FindQuestion) {
      checkQuestion(dataset, question, question.newestOf === undefined ? [] : [question.newestOf])
      return (await reader.call('find', dataset, question)) as readonly Found[]
    },
    last: (dataset) => reader.call('last', dataset) as Promise<{ readonly day: string; readonly order: string } | undefined>,
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

/** A thread while it is needed: begun by a call, ended when there was none for a while. */
class Thread {
  readonly #data: ThreadData
  readonly #idleMs: number
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>()
  #worker: Worker | undefined
  #idle: NodeJS.Timeout | undefined
  #next = 0

  constructor(data: ThreadData, idleMs: number) {
    this.#data = data
    this.#idleMs = idleMs
  }

  /** Calls a method of SqliteDays there. */
  call(method: Request['method'], ...args: readonly unknown[]): Promise<unknown> {
    if (this.#waiting.size >= mostWaiting) return Promise.reject(new Failure('STORE_BUSY', 'the store has too much to do', { temporary: true, remedy: 'ask again in a moment' }))
    clearTimeout(this.#idle)
    const worker = (this.#worker ??= this.#start())
    const answer = Promise.withResolvers<unknown>()
    const id = this.#next++
    this.#waiting.set(id, answer)
    worker.ref()
    worker.postMessage({ id, method, args } satisfies Request)
    return answer.promise
  }

  /** What was called is done first. */
  async close(): Promise<void> {
    clearTimeout(this.#idle)
    const worker = this.#worker
    if (worker === undefined) return
    const exited = new Promise((resolve) => worker.once('exit', resolve))
    await this.call('close').catch(() => {})
    clearTimeout(this.#idle)
    // Its answer lets it rest; but nothing else may keep this process until it has ended.
    worker.ref()
    await exited
  }

  #start(): Worker {
    // None of the process' own arguments: some of them are not for threads.
    const worker = new Worker(workerFile, { workerData: this.#data, execArgv: ['--disable-warning=ExperimentalWarning'], name: 'store' })
    worker.on('message', (response: Response) => this.#answer(response))
    worker.on('error', (error) => this.#ended(worker, error))
    worker.on('exit', () => this.#ended(worker, new Error('the store thread has ended')))
    return worker
  }

  #answer(response: Response): void {
    const waiting = this.#waiting.get(response.id)
    this.#waiting.delete(response.id)
    if (this.#waiting.size === 0) this.#rest()
    if ('failure' in response) waiting?.reject(new Failure(response.failure.code, response.failure.message, { temporary: response.failure.temporary, ...(response.failure.remedy === undefined ? {} : { remedy: response.failure.remedy }) }))
    else waiting?.resolve(response.value)
  }

  #rest(): void {
    this.#worker?.unref()
    this.#idle = setTimeout(() => {
      this.#worker?.postMessage({ id: -1, method: 'close', args: [] } satisfies Request)
      this.#worker = undefined
    }, this.#idleMs).unref()
  }

  /** The next call starts another. */
  #ended(worker: Worker, cause: unknown): void {
    if (worker !== this.#worker) return
    this.#worker = undefined
    const failure = new Failure('STORE_THREAD', 'the store thread broke', { cause, temporary: true })
    for (const waiting of this.#waiting.values()) waiting.reject(failure)
    this.#waiting.clear()
  }
}
