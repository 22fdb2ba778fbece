// Another thread whose methods are called from here. Both ends of it.
import { parentPort, Worker } from 'node:worker_threads'
import { describe, Failure } from '#base/errors.ts'
import type { Fields, Logger } from '#base/log.ts'

/** Calls that wait; one more is refused. */
const mostWaiting = 200

interface Request {
  readonly id: number
  readonly method: string
  readonly args: readonly unknown[]
}

type Response =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly failure: { readonly code: string; readonly message: string; readonly remedy: string | undefined; readonly temporary: boolean } }
  | { readonly log: 'info' | 'error'; readonly message: string; readonly fields: Fields }

export interface ThreadOptions {
  /** What it runs. */
  readonly file: URL
  /** Its `workerData`. */
  readonly data: unknown
  /** One that had nothing to do for so long is ended, milliseconds: it takes 25 MB. Default: none is. */
  readonly idleMs?: number
  /** Where what it logs goes. */
  readonly log?: Logger
}

/** A thread while it is needed: begun by a call, ended when there was none for a while. One that broke is begun again by the next call. */
export class Thread {
  readonly #options: ThreadOptions
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>()
  #worker: Worker | undefined
  #idle: NodeJS.Timeout | undefined
  #next = 0

  constructor(options: ThreadOptions) {
    this.#options = options
  }

  /** Calls a method there. @throws Failure STORE_BUSY, STORE_THREAD, or what the method threw */
  call(method: string, args: readonly unknown[]): Promise<unknown> {
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
    await this.call('close', []).catch(() => {})
    clearTimeout(this.#idle)
    // Its answer lets it rest; but nothing else may keep this process until it has ended.
    worker.ref()
    await exited
  }

  #start(): Worker {
    const { file, data } = this.#options
    // None of the process' own arguments: some of them are not for threads.
    const worker = new Worker(file, { workerData: data, execArgv: ['--disable-warning=ExperimentalWarning'], name: 'store' })
    worker.on('message', (response: Response) => this.#answer(response))
    worker.on('error', (error) => this.#ended(worker, error))
    worker.on('exit', () => this.#ended(worker, new Error('the store thread has ended')))
    return worker
  }

  #answer(response: Response): void {
    if ('log' in response) return this.#options.log?.[response.log](response.message, response.fields)
    const waiting = this.#waiting.get(response.id)
    this.#waiting.delete(response.id)
    if (this.#waiting.size === 0) this.#rest()
    if ('failure' in response) waiting?.reject(new Failure(response.failure.code, response.failure.message, { temporary: response.failure.temporary, ...(response.failure.remedy === undefined ? {} : { remedy: response.failure.remedy }) }))
    else waiting?.resolve(response.value)
  }

  #rest(): void {
    const { idleMs } = this.#options
    this.#worker?.unref()
    if (idleMs === undefined) return
    this.#idle = setTimeout(() => {
      this.#worker?.postMessage({ id: -1, method: 'close', args: [] } satisfies Request)
      this.#worker = undefined
    }, idleMs).unref()
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

/** Answers the calls of a {@link Thread}, in the thread: `close`, which there must be, is the last. @param methods made by the first call */
export function answerCalls(methods: () => { readonly [method: string]: (...args: never[]) => unknown; readonly close: () => unknown }): void {
  const port = parentPort
  if (port === null) return
  let made: ReturnType<typeof methods> | undefined
  const answer = async ({ id, method, args }: Request): Promise<void> => {
    let response: Response
    try {
      made ??= methods()
      const value = (made[method] as (...given: readonly unknown[]) => unknown)(...args)
      response = { id, value: value instanceof Promise ? await value : value }
    } catch (error) {
      response = { id, failure: failureOf(error) }
    }
    // A large text changes hands, too.
    port.postMessage(response, 'value' in response && response.value instanceof Uint8Array ? [response.value.buffer as ArrayBuffer] : [])
    if (method === 'close') port.close()
  }
  port.on('message', (request: Request) => void answer(request))
}

/** Logs where the thread was started from. */
export function threadLogger(): Logger {
  const make = (base: Fields): Logger => {
    const log = (level: 'info' | 'error') => (message: string, fields: Fields = {}) => {
      const plain = Object.entries({ ...base, ...fields }).map(([name, value]) => [name, value instanceof Error ? describe(value) : value])
      parentPort?.postMessage({ log: level, message, fields: Object.fromEntries(plain) as Fields } satisfies Response)
    }
    return { info: log('info'), error: log('error'), child: (fields) => make({ ...base, ...fields }) }
  }
  return make({})
}

function failureOf(error: unknown): Extract<Response, { failure: unknown }>['failure'] {
  if (error instanceof Failure) return { code: error.code, message: error.message, remedy: error.remedy, temporary: error.temporary }
  // A full or refusing disk, a lock: all of them may pass.
  return { code: 'STORE_SQLITE', message: describe(error), remedy: undefined, temporary: true }
}
