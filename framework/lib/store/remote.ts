import { describe, Failure } from '#base/errors.ts'
import { checkQuestion, Totals, type Dataset, type Group, type StoreReader, type TotalsQuestion } from './dataset.ts'

/** What several stores answered together. */
export interface Gathered<T> {
  readonly answer: T
  /** Stores that there are. Those that do not run are not asked. */
  readonly stores: number
  readonly answered: number
  /** Why those that were asked did not answer that did not. */
  readonly failures: readonly string[]
}

/** Stores that keep a dataset together, each its part. */
export interface GatheredReader {
  totals(dataset: Dataset, question: TotalsQuestion): Promise<Gathered<readonly Group[]>>
  last(dataset: Dataset): Promise<Gathered<Awaited<ReturnType<StoreReader['last']>>>>
}

export interface RemoteOptions {
  /** `http://host:port` of each process that keeps a part ({@link serveStore}); undefined of one that does not run. */
  readonly urls: () => readonly (string | undefined)[]
  /** Milliseconds for one answer. Default 10,000. */
  readonly timeoutMs?: number
}

/** Asks all of them at once. What one refuses, because the question is bad, is refused here. */
export function remoteStores({ urls, timeoutMs = 10_000 }: RemoteOptions): GatheredReader {
  const gather = async <P, T>(path: string, question: object, merge: (answers: P[]) => T): Promise<Gathered<T>> => {
    const all = urls()
    const settled = await Promise.allSettled(all.filter((url) => url !== undefined).map((url) => ask(`${url}/store/${path}`, question, timeoutMs)))
    const failures = settled.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []))
    const refused = failures.find((error) => error instanceof Failure && error.code === 'STORE_QUESTION')
    if (refused !== undefined) throw refused
    const answers = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value as P] : []))
    return { answer: merge(answers), stores: all.length, answered: answers.length, failures: failures.map(describe) }
  }
  return {
    totals(dataset, question) {
      checkQuestion(dataset, question, [...question.groupBy, ...question.measures.map(({ field }) => field)])
      return gather('totals', question, (answers: (readonly Group[])[]) => {
        const totals = new Totals(question.measures)
        for (const groups of answers) for (const { keys, values } of groups) totals.add({ keys, values: values.map((value) => value ?? undefined) })
        return totals.groups()
      })
    },
    last: () => gather('last', {}, (answers: (Awaited<ReturnType<StoreReader['last']>> | null)[]) => {
      const known = answers.filter((one) => one !== null && one !== undefined)
      return known.sort((a, b) => (`${a.day} ${a.order}` < `${b.day} ${b.order}` ? -1 : 1)).at(-1)
    }),
  }
}

/** One store that answers for all. */
export function single(reader: StoreReader): GatheredReader {
  const whole = async <T>(answer: Promise<T>): Promise<Gathered<T>> => {
    try {
      return { answer: await answer, stores: 1, answered: 1, failures: [] }
    } catch (error) {
      if (error instanceof Failure && error.code === 'STORE_QUESTION') throw error
      throw new Failure('STORE_AWAY', 'the store does not answer', { cause: error, temporary: true })
    }
  }
  return { totals: (dataset, question) => whole(reader.totals(dataset, question)), last: (dataset) => whole(reader.last(dataset)) }
}

async function ask(url: string, question: object, timeoutMs: number): Promise<unknown> {
  const { status, answer } = await exchange(url, question, timeoutMs).catch((cause: unknown) => {
    throw new Failure('STORE_AWAY', `${url} does not answer`, { cause, temporary: true })
  })
  if (status === 200) return answer
  const { message = `${url} answered ${status}`, remedy } = answer as { message?: string; remedy?: string }
  throw new Failure(status === 400 ? 'STORE_QUESTION' : 'STORE_AWAY', message, { temporary: status !== 400, ...(remedy === undefined ? {} : { remedy }) })
}

/** @throws when there is no answer, or not in time, or no JSON */
async function exchange(url: string, question: object, timeoutMs: number): Promise<{ readonly status: number; readonly answer: unknown }> {
  const response = await fetch(url, { method: 'POST', body: JSON.stringify(question), signal: AbortSignal.timeout(timeoutMs) })
  return { status: response.status, answer: await response.json() }
}
