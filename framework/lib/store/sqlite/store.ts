import { Worker } from 'node:worker_threads'
import { Failure } from '#base/errors.ts'
import { checkQuestion, type Dataset, type FindQuestion, type Found, type Group, type Row, type Store, type TotalsQuestion } from '../dataset.ts'
import type { Request, Response, ThreadData } from './worker.ts'

/** Questions and writes that wait; one more is refused. */
const mostWaiting = 200

/**
 * A store in SQLite files below `folder`, one a dataset and day. Two threads work, one for writes and one for questions, so
 * that neither the process nor a write waits for a question.
 * @param maxBytes of the files of a dataset; beyond it the oldest days go, and rows of the only day are refused
 * @throws Failure STORE_FOLDER when the folder cannot be written to
 */
export async function openSqliteStore(folder: string, maxBytes = Number.POSITIVE_INFINITY): Promise<Store> {
  const writer = new Thread(folder, maxBytes)
  try {
    // Makes the folder, or says why it cannot be made.
    await writer.call('write', {}, [])
  } catch (error) {
    await writer.close()
    throw error
  }
  const reader = new Thread(folder, maxBytes)
  return {
    write: (dataset: Dataset, rows: readonly Row[]) => writer.call('write', dataset, rows) as Promise<number>,
    trim: (dataset, oldest) => writer.call('trim', dataset, oldest) as Promise<number>,
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

/** Where the thread's code is: beside this file, from the sources or in the bundle. */
const workerFile = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './store-worker.mjs', import.meta.url)

class Thread {
  readonly #data: ThreadData
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>()
  #worker: Worker | undefined
  #next = 0

  constructor(folder: string, maxBytes: number) {
    this.#data = { folder, maxBytes }
  }

  /** Calls a method of SqliteDays there. */
  call(method: Request['method'], ...args: readonly unknown[]): Promise<unknown> {
    if (this.#waiting.size >= mostWaiting) return Promise.reject(new Failure('STORE_BUSY', 'the store has too much to do', { temporary: true, remedy: 'ask again in a moment' }))
    const worker = (this.#worker ??= this.#start())
    const answer = Promise.withResolvers<unknown>()
    const id = this.#next++
    this.#waiting.set(id, answer)
    worker.ref()
    worker.postMessage({ id, method, args } satisfies Request)
    return answer.promise
  }

  async close(): Promise<void> {
    const worker = this.#worker
    if (worker === undefined) return
    await this.call('close').catch(() => {})
    this.#worker = undefined
    await worker.terminate()
  }

  #start(): Worker {
    // None of the process' own arguments: some of them are not for threads.
    const worker = new Worker(workerFile, { workerData: this.#data, execArgv: ['--disable-warning=ExperimentalWarning'], name: 'store' })
    worker.on('message', (response: Response) => this.#answer(response))
    worker.on('error', (error) => this.#broke(error))
    worker.on('exit', () => this.#broke(new Error('the store thread has ended')))
    return worker
  }

  #answer(response: Response): void {
    const waiting = this.#waiting.get(response.id)
    this.#waiting.delete(response.id)
    if (this.#waiting.size === 0) this.#worker?.unref()
    if ('failure' in response) waiting?.reject(new Failure(response.failure.code, response.failure.message, { temporary: response.failure.temporary, ...(response.failure.remedy === undefined ? {} : { remedy: response.failure.remedy }) }))
    else waiting?.resolve(response.value)
  }

  /** The next call starts another. */
  #broke(error: unknown): void {
    this.#worker = undefined
    const failure = new Failure('STORE_THREAD', 'the store thread broke', { cause: error, temporary: true })
    for (const waiting of this.#waiting.values()) waiting.reject(failure)
    this.#waiting.clear()
  }
}
