// The thread in which a SQLite store works; `store.ts` starts it and speaks with it.
import { parentPort, workerData } from 'node:worker_threads'
import { describe, Failure } from '#base/errors.ts'
import { SqliteDays } from './days.ts'

/** A call of a method of {@link SqliteDays}. */
export interface Request {
  readonly id: number
  readonly method: 'write' | 'totals' | 'find' | 'last' | 'trim' | 'close'
  readonly args: readonly unknown[]
}

/** What a thread is started with. */
export interface ThreadData {
  readonly folder: string
  readonly maxBytes: number
}

export type Response =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly failure: { readonly code: string; readonly message: string; readonly remedy: string | undefined; readonly temporary: boolean } }

function failureOf(error: unknown): Extract<Response, { failure: unknown }>['failure'] {
  if (error instanceof Failure) return { code: error.code, message: error.message, remedy: error.remedy, temporary: error.temporary }
  // A full or refusing disk, a lock: all of them may pass.
  return { code: 'STORE_SQLITE', message: describe(error), remedy: undefined, temporary: true }
}

const port = parentPort
if (port !== null) {
  let days: SqliteDays | undefined
  port.on('message', ({ id, method, args }: Request) => {
    let response: Response
    try {
      days ??= new SqliteDays(workerData as ThreadData)
      response = { id, value: (days[method] as (...given: unknown[]) => unknown).apply(days, [...args]) }
    } catch (error) {
      response = { id, failure: failureOf(error) }
    }
    port.postMessage(response)
    if (method === 'close') port.close()
  })
}
