import { describe, Failure } from '#base/errors.ts'
import { checkQuestion, Totals, type Dataset, type Group, type Last, type TotalsQuestion, type StoreReader } from './dataset.ts'

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
  last(dataset: Dataset): Promise<Gathered<Last | undefined>>
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
    last: () => gather('last', {}, commonLast),
  }
}

/** Windows of time without a row after which a store has none to come. */
const idleWindows = 2

/** Up to when all have what they were given: the least of them (framework-services 8.2), but for those that have had nothing for a while. */
function commonLast(answers: readonly (Last | null)[]): Last | undefined {
  const known = answers.filter((one) => one !== null).toSorted((a, b) => (`${a.day} ${a.order}` < `${b.day} ${b.order}` ? -1 : 1))
  const newest = known.at(-1)
  return newest && known.find((one) => one === newest || instantOf(newest) - instantOf(one) <= (one.windowMs ?? -1) * idleWindows)
}

/** Of a day and HHMM, whose minute may be 60; milliseconds. */
function instantOf({ day, order }: Last): number {
  const [year, month, date, hours, minutes] = [day.slice(0, 4), day.slice(4, 6), day.slice(6), order.slice(0, 2), order.slice(2)].map(Number)
  return Date.UTC(year ?? 0, (month ?? 0) - 1, date, hours, minutes)
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
