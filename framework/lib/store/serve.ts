import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { boundConnections } from '#base/connections.ts'
import { describe, Failure } from '#base/errors.ts'
import { Lifetime, type Running } from '#base/lifecycle.ts'
import type { Logger } from '#base/log.ts'
import { metricsType } from '#base/metrics.ts'
import { pathOf } from '#base/path-of.ts'
import { processMetrics } from '#base/process-metrics.ts'
import { PartedTurns } from '#base/turns.ts'
import { mostRows, steadyTime, tooSlow, type Condition, type Dataset, type FindQuestion, type Measure, type Op, type StoreReader, type TotalsQuestion } from './dataset.ts'

/** One that is large is best encoded elsewhere. */
type Text = string | Uint8Array

export interface ServeOptions {
  readonly address: string
  /** 0 takes a free one. */
  readonly port: number
  /** Texts in Prometheus' format, by path; `/metrics` among them, beside what the process says of itself. */
  readonly metrics: Readonly<Record<string, () => Text | Promise<Text>>>
  /** What may be asked for: `POST /store/totals`, `/store/find` and `/store/last`. */
  readonly store?: { readonly dataset: Dataset; readonly reader: StoreReader }
  readonly log: Logger
}

/** Bytes of a question. */
const longestQuestion = 256 << 10
/** Questions that are with the store, of one peer and in all: it looks at them in turns, and an answer may take tens of megabytes. */
const atOnce = { inAll: 8, perOwner: 6, mostOfOwner: 100 } as const
/** Milliseconds after which nobody waits for an answer: a little less than who asks does, so that it is told why. */
const patienceMs = 9000

/** Serves `/healthz`, metrics, and questions to the store that this process keeps (JSON, as in {@link StoreReader}). */
export async function serveStore({ address, port, metrics, store, log }: ServeOptions): Promise<Running & { readonly port: number }> {
  const turns = new PartedTurns(atOnce)
  const server = http.createServer({ requestTimeout: 10_000, headersTimeout: 5000, keepAliveTimeout: 30_000 }, (request, response) => {
    answer(request, metrics, store && { ...store, turns }).then(
      ({ status = 200, type = 'application/json', text }) => response.writeHead(status, { 'content-type': type }).end(text),
      (error: unknown) => {
        const refused = error instanceof Failure && error.code === 'STORE_QUESTION'
        const busy = error instanceof Failure && error.code === 'TURNS_BUSY'
        if (!refused && !busy) log.error('a question was not answered', { url: request.url, error })
        const remedy = error instanceof Failure ? error.remedy : undefined
        response.writeHead(refused ? 400 : 503, { 'content-type': 'application/json', connection: 'close' }).end(JSON.stringify({ message: error instanceof Failure ? error.message : describe(error), remedy }))
      },
    )
  })
  boundConnections(server)
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, address, resolve)
    })
  } catch (cause) {
    throw new Failure('STORE_LISTEN', `${address}:${port} cannot be listened on`, { cause, remedy: 'give another port' })
  }
  const life = new Lifetime()
  life.onStop(async () => {
    const closed = new Promise((resolve) => server.close(resolve))
    server.closeAllConnections()
    await closed
  })
  return Object.assign(life, { port: (server.address() as AddressInfo).port })
}

interface Answer {
  readonly status?: number
  readonly type?: string
  readonly text: Text
}

/** What may be asked for, in turns of peers. */
type Asked = NonNullable<ServeOptions['store']> & { readonly turns: PartedTurns }

async function answer(request: http.IncomingMessage, metrics: ServeOptions['metrics'], store: Asked | undefined): Promise<Answer> {
  const path = pathOf(request.url)
  if (request.method === 'GET' && path === '/healthz') return { type: 'text/plain', text: 'ok\n' }
  const text = Object.hasOwn(metrics, path) ? metrics[path] : undefined
  if (request.method === 'GET' && text !== undefined) return { type: metricsType, text: path === '/metrics' ? `${String(await text())}${processMetrics()}` : await text() }
  if (request.method !== 'POST' || store === undefined || !path.startsWith('/store/')) return { status: 404, type: 'text/plain', text: `use /healthz, ${Object.keys(metrics).join(', ')}${store === undefined ? '' : ', or POST to /store/totals, /store/find or /store/last'}\n` }
  const asked = path.slice('/store/'.length)
  const ask = questionOf(asked, await bodyOf(request), store)
  const { socket } = request
  return store.turns.take(socket.remoteAddress ?? '', async () => {
    if (socket.destroyed) throw tooSlow()
    return { text: JSON.stringify(await ask()) }
  })
}

/** What a question asks the store for. A missing number is null on the way, and undefined again at the other end. */
function questionOf(asked: string, given: Record<string, unknown>, { dataset, reader }: NonNullable<ServeOptions['store']>): () => Promise<unknown> {
  if (asked === 'last') return async () => (await reader.last(dataset)) ?? null
  if (asked === 'totals') {
    const question = totalsQuestion(given)
    return () => reader.totals(dataset, question)
  }
  if (asked === 'find') {
    const question = findQuestion(given)
    return () => reader.find(dataset, question)
  }
  throw refused(`there is no question "${asked}"`)
}

const refused = (message: string): Failure => new Failure('STORE_QUESTION', message, { remedy: 'see StoreReader in framework/lib/store/dataset.ts for what can be asked' })

async function bodyOf(request: http.IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > longestQuestion) throw refused(`the question has more than ${longestQuestion} bytes`)
    chunks.push(chunk)
  }
  try {
    const value: unknown = JSON.parse(Buffer.concat(chunks).toString() || '{}')
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  } catch (error) {
    throw refused(`the question is no JSON (${describe(error)})`)
  }
  throw refused('the question is no JSON object')
}

function totalsQuestion(given: Record<string, unknown>): TotalsQuestion {
  return { ...common(given), groupBy: listOf(given, 'groupBy', (one) => textOf(one, 'groupBy')), measures: listOf(given, 'measures', measureOf) }
}

function findQuestion(given: Record<string, unknown>): FindQuestion {
  return {
    ...common(given), offset: countOf(given, 'offset', 0), limit: countOf(given, 'limit', 100),
    ...(given['newestOf'] === undefined ? {} : { newestOf: textOf(given['newestOf'], 'newestOf') }),
  }
}

function common(given: Record<string, unknown>): Pick<TotalsQuestion, 'from' | 'to' | 'where' | 'until'> {
  return { until: steadyTime() + patienceMs, from: textOf(given['from'], 'from'), to: textOf(given['to'], 'to'), where: listOf(given, 'where', conditionOf) }
}

const ops: readonly Op[] = ['eq', 'gt', 'gte', 'lt', 'lte', 'like']

function conditionOf(value: unknown): Condition {
  const { field, op, value: given } = (value ?? {}) as Record<string, unknown>
  const known = ops.find((one) => one === op)
  if (known === undefined) throw refused(`"${String(op)}" is no comparison; there are ${ops.join(', ')}`)
  return { field: textOf(field, 'field'), op: known, value: textOf(given, 'value') }
}

function measureOf(value: unknown): Measure {
  const { field, by } = (value ?? {}) as Record<string, unknown>
  if (by !== 'sum' && by !== 'min' && by !== 'max') throw refused(`"${String(by)}" is no measure; there are sum, min and max`)
  return { field: textOf(field, 'field'), by }
}

function listOf<T>(given: Record<string, unknown>, name: string, read: (value: unknown) => T): T[] {
  const list = given[name] ?? []
  if (!Array.isArray(list) || list.length > 64) throw refused(`${name} must be a list of at most 64`)
  return list.map(read)
}

function textOf(value: unknown, name: string): string {
  if (typeof value !== 'string') throw refused(`${name} must be a text`)
  return value
}

function countOf(given: Record<string, unknown>, name: string, fallback: number): number {
  const value = given[name] ?? fallback
  if (!Number.isInteger(value) || (value as number) < 0 || (value as number) > mostRows) throw refused(`${name} must be a number from 0 to ${mostRows}`)
  return value as number
}
