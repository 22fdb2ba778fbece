import { describe, Failure } from '#base/errors.ts'
import { checkQuestion, Totals, type Dataset, type FindQuestion, type Found, type Group, type StoreReader, type TotalsQuestion } from './dataset.ts'

/** What several stores answered together. */
export interface Gathered<T> {
  readonly answer: T
  /** Stores asked. */
  readonly asked: number
  /** Why those did not answer that did not. */
  readonly failures: readonly string[]
}

/** Stores that keep a dataset together, each its part. */
export interface GatheredReader {
  totals(dataset: Dataset, question: TotalsQuestion): Promise<Gathered<readonly Group[]>>
  find(dataset: Dataset, question: FindQuestion): Promise<Gathered<readonly Found[]>>
  last(dataset: Dataset): Promise<Gathered<Awaited<ReturnType<StoreReader['last']>>>>
}

export interface RemoteOptions {
  /** `http://host:port` of each process that keeps a part ({@link serveStore}). */
  readonly urls: () => readonly string[]
  /** Milliseconds for one answer. Default 10,000. */
  readonly timeoutMs?: number
}

/** Asks all of them at once. What one refuses, because the question is bad, is refused here. */
export function remoteStores({ urls, timeoutMs = 10_000 }: RemoteOptions): GatheredReader {
  const gather = async <P, T>(path: string, question: object, merge: (answers: P[]) => T): Promise<Gathered<T>> => {
    const all = urls()
    const settled = await Promise.allSettled(all.map((url) => ask(`${url}/store/${path}`, question, timeoutMs)))
    const failures = settled.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []))
    const refused = failures.find((error) => error instanceof Failure && error.code === 'STORE_QUESTION')
    if (refused !== undefined) throw refused
    const answer = merge(settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value as P] : [])))
    return { answer, asked: all.length, failures: failures.map(describe) }
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
    find(dataset, question) {
      const { offset, limit, newestOf } = question
      checkQuestion(dataset, question, newestOf === undefined ? [] : [newestOf])
      // The page is cut out of what all have up to its end.
      return gather('find', { ...question, offset: 0, limit: offset + limit }, (answers: (readonly Found[])[]) => newest(answers.flat(), dataset, newestOf).slice(offset, offset + limit))
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
      return { answer: await answer, asked: 1, failures: [] }
    } catch (error) {
      if (error instanceof Failure && error.code === 'STORE_QUESTION') throw error
      throw new Failure('STORE_AWAY', 'the store does not answer', { cause: error, temporary: true })
    }
  }
  return { totals: (dataset, question) => whole(reader.totals(dataset, question)), find: (dataset, question) => whole(reader.find(dataset, question)), last: (dataset) => whole(reader.last(dataset)) }
}

function newest(rows: readonly Found[], { order }: Dataset, newestOf: string | undefined): Found[] {
  const sorted = rows.toSorted((a, b) => Number(b.fields[order] ?? 0) - Number(a.fields[order] ?? 0))
  if (newestOf === undefined) return sorted
  const seen = new Set<unknown>()
  return sorted.filter(({ fields }) => !seen.has(fields[newestOf]) && seen.add(fields[newestOf]))
}

async function ask(url: string, question: object, timeoutMs: number): Promise<unknown> {
  const response = await fetch(url, { method: 'POST', body: JSON.stringify(question), signal: AbortSignal.timeout(timeoutMs) }).catch((cause: unknown) => {
    throw new Failure('STORE_AWAY', `${url} does not answer`, { cause, temporary: true })
  })
  const answer = (await response.json()) as { message?: string; remedy?: string }
  if (response.ok) return answer
  const remedy = answer.remedy === undefined ? {} : { remedy: answer.remedy }
  throw new Failure(response.status === 400 ? 'STORE_QUESTION' : 'STORE_AWAY', answer.message ?? `${url} answered ${response.status}`, { temporary: response.status !== 400, ...remedy })
}
