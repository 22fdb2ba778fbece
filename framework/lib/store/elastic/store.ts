import { Failure } from '#base/errors.ts'
import type { Logger } from '#base/log.ts'
import { retry } from '#base/retry.ts'
import { checkQuestion, dayOf, daysOf, Totals, type Condition, type Dataset, type Days, type Field, type FindQuestion, type Found, type Group, type Last, type Measure, type Patience, type Row, type Store, type TotalsQuestion } from '../dataset.ts'
import { inGroups } from '../groups.ts'
import { wildcardPattern } from '../like.ts'
import { ElasticHttp, reasonOf, type ElasticAnswer, type ElasticBody, type ElasticOptions } from './http.ts'

export interface ElasticStoreOptions extends ElasticOptions {
  /** What names of indices start with, e.g. `prod_`: K8SFramework's are `<namespace>_<dataset>_` (framework-services 6.3, 7, 9). */
  readonly prefix: string
  readonly log: Logger
}

/** Groups that one request brings. */
const groupsAPage = 5000
/** Days whose indices one request names: its first line has 4096 bytes, and a name 255. */
const daysARequest = 12
/** What Elasticsearch calls values that a document may not have. Anything else may be the server's own trouble. */
const badDocument = new Set(['mapper_parsing_exception', 'document_parsing_exception', 'illegal_argument_exception', 'strict_dynamic_mapping_exception'])
const mappings = { keyword: { type: 'keyword', ignore_above: 1024 }, integer: { type: 'long' }, number: { type: 'double' } } as const

/** A store in Elasticsearch or OpenSearch. It need not be there to open it: templates are made with the first write. */
export function openElasticStore(options: ElasticStoreOptions): Store {
  return new ElasticStore(options)
}

class ElasticStore implements Store {
  readonly #http: ElasticHttp
  readonly #prefix: string
  readonly #log: Logger
  readonly #prepared = new Set<string>()
  /** Of the field by which the newest is known, by index. */
  readonly #types = new Map<string, string>()

  constructor({ prefix, log, ...options }: ElasticStoreOptions) {
    this.#http = new ElasticHttp(options)
    this.#prefix = prefix
    this.#log = log
  }

  async write(dataset: Dataset, rows: readonly Row[]): Promise<number> {
    if (rows.length === 0) return 0
    await this.#prepare(dataset)
    const known = dataset.index === 'stream' ? await this.#known(dataset, rows) : new Set<string>()
    if (known.size === rows.length) return 0
    const lines = rows.filter(({ id }) => !known.has(id)).map(({ id, day, fields, document }) => `${JSON.stringify({ create: { _index: this.#indexOf(dataset, day), _id: id } })}\n${JSON.stringify(document ?? fields)}\n`)
    const { items } = await this.#http.done('POST', '/_bulk', lines.join(''))
    return this.#refused(dataset, items as BulkItem[])
  }

  async totals(dataset: Dataset, question: TotalsQuestion): Promise<readonly Group[]> {
    const { groupBy, measures } = question
    checkQuestion(dataset, question, [...groupBy, ...measures.map(({ field }) => field)])
    const totals = new Totals(measures)
    for await (const part of this.#parts(dataset, question)) for await (const group of this.#groups(part, question)) totals.add(group)
    return totals.groups()
  }

  async *#groups(part: Part, question: TotalsQuestion): AsyncIterable<Group> {
    const { dataset } = part
    const { groupBy, measures } = question
    const aggregations = Object.fromEntries(measures.map(({ field, by }, index) => [`m${index}`, { [by]: { field: pathOf(dataset, field) } }]))
    if (groupBy.length === 0) {
      const answer = await this.#search(part, question, { size: 0, track_total_hits: true, aggs: aggregations })
      if (totalOf(answer) > 0) yield { keys: [], values: valuesOf(answer.aggregations, measures) }
      return
    }
    const sources = groupBy.map((field, index) => ({ [`g${index}`]: { terms: { field: pathOf(dataset, field), missing_bucket: true } } }))
    for (let after: unknown; ;) {
      const composite = { size: groupsAPage, sources, ...(after === undefined ? {} : { after }) }
      const answer = await this.#search(part, question, { size: 0, track_total_hits: false, aggs: { groups: { composite, aggs: aggregations } } })
      const page = answer.aggregations?.groups as { readonly buckets: readonly ElasticBody[]; readonly after_key?: unknown } | undefined
      for (const bucket of page?.buckets ?? []) yield { keys: groupBy.map((_, index) => String(bucket.key[`g${index}`] ?? '')), values: valuesOf(bucket, measures) }
      after = page?.after_key
      if (after === undefined) return
    }
  }

  async find(dataset: Dataset, question: FindQuestion): Promise<readonly Found[]> {
    const { offset, limit, newestOf } = question
    checkQuestion(dataset, question, newestOf === undefined ? [] : [newestOf])
    const collapse = newestOf === undefined ? {} : { collapse: { field: pathOf(dataset, newestOf) } }
    const indices = dataset.index === 'daily' ? daysOf(question).map((day) => this.#indexOf(dataset, day)).join(',') : this.#base(dataset)
    const answer = await this.#search({ dataset, indices }, question, { from: offset, size: limit, track_total_hits: false, sort: newestFirst(dataset), ...collapse })
    return ((answer.hits?.hits ?? []) as { readonly _source: object }[]).map(({ _source: document }) => ({ fields: fieldsOf(dataset, document), document }))
  }

  async last(dataset: Dataset): Promise<Last | undefined> {
    const answer = await this.#searchIn(`${this.#base(dataset)}${dataset.index === 'daily' ? '*' : ''}`, { size: 1, track_total_hits: false, sort: newestFirst(dataset) })
    const source = answer.hits?.hits?.[0]?._source as object | undefined
    if (source === undefined) return undefined
    const fields = fieldsOf(dataset, source)
    return { day: String(fields['f_date'] ?? dayOf(Number(fields[dataset.order]))), order: String(fields[dataset.order]) }
  }

  async trim(dataset: Dataset, oldest: string): Promise<number> {
    const old = dataset.index === 'daily' ? await this.#oldDays(dataset, oldest) : await this.#oldParts(dataset, oldest)
    for (const index of old) await this.#http.done('DELETE', `/${encodeURIComponent(index)}?ignore_unavailable=true`)
    return old.length
  }

  async close(): Promise<void> {
    this.#http.close()
  }

  /** Index templates are K8SFramework's by name; one that it made is replaced. */
  async #prepare(dataset: Dataset): Promise<void> {
    if (this.#prepared.has(dataset.name)) return
    const base = this.#base(dataset)
    const settings = { number_of_shards: 1, auto_expand_replicas: '0-1', refresh_interval: '1s' }
    const properties = Object.fromEntries(Object.entries(dataset.fields).map(([name, { type }]) => [name, mappings[type]]))
    const template = dataset.index === 'daily'
      ? { index_patterns: [`${base}*`], priority: 200, template: { settings, mappings: { properties } } }
      : { index_patterns: [base], priority: 200, data_stream: {}, template: { settings, mappings: { properties: { '@timestamp': { type: 'date' } } } } }
    await this.#http.done('PUT', `/_index_template/${encodeURIComponent(base)}`, template)
    this.#prepared.add(dataset.name)
  }

  /** A stream refuses an id only that its newest index has. */
  async #known(dataset: Dataset, rows: readonly Row[]): Promise<Set<string>> {
    const answer = await this.#searchIn(this.#base(dataset), { size: rows.length, _source: false, track_total_hits: false, query: { ids: { values: rows.map(({ id }) => id) } } })
    return new Set(((answer.hits?.hits ?? []) as { readonly _id: string }[]).map(({ _id: id }) => id))
  }

  /** @throws Failure, temporary, when one of them may be taken later */
  #refused(dataset: Dataset, items: readonly BulkItem[]): number {
    const errors = items.map(({ create }) => create).filter(({ status }) => status >= 300 && status !== 409)
    const later = errors.find(({ error }) => !badDocument.has(error?.type ?? ''))
    if (later !== undefined) throw new Failure('STORE_AWAY', `the document store did not keep a row: ${later.error?.reason ?? later.status}`, { temporary: true })
    const [first] = errors
    if (first !== undefined) this.#log.error('rows that the document store does not want', { dataset: dataset.name, rows: errors.length, why: first.error?.reason })
    return errors.length
  }

  async #oldDays(dataset: Dataset, oldest: string): Promise<string[]> {
    const base = this.#base(dataset)
    const indices = (await this.#http.done('GET', `/_cat/indices/${encodeURIComponent(base)}*?h=index&format=json`)) as { readonly index: string }[]
    return indices.map(({ index }) => index).filter((index) => index.startsWith(base) && /^\d{8}$/.test(index.slice(base.length)) && index.slice(base.length) < oldest)
  }

  /** Begins a new part each day; a part is old when the one after it is. */
  async #oldParts(dataset: Dataset, oldest: string): Promise<string[]> {
    const stream = encodeURIComponent(this.#base(dataset))
    const { status, body } = await this.#http.request('GET', `/_data_stream/${stream}`)
    if (status === 404) return []
    if (status >= 300) throw new Failure('STORE_REFUSED', `the data stream ${this.#base(dataset)} cannot be looked at: ${reasonOf(body)}`, { temporary: true })
    await this.#http.done('POST', `/${stream}/_rollover`, { conditions: { max_age: '1d' } })
    const names = (body.data_streams?.[0]?.indices ?? []) as { readonly index_name: string }[]
    const settings = await this.#http.done('GET', `/${names.map(({ index_name: name }) => encodeURIComponent(name)).join(',')}/_settings/index.creation_date`)
    const made = names.map(({ index_name: name }) => dayOf(Number(settings[name]?.settings?.index?.creation_date ?? Date.now())))
    return names.map(({ index_name: name }) => name).filter((_, index) => (made[index + 1] ?? '99999999') < oldest)
  }

  #base({ name }: Dataset): string {
    return `${this.#prefix}${name}_`
  }

  #indexOf(dataset: Dataset, day: string): string {
    return dataset.index === 'daily' ? `${this.#base(dataset)}${day}` : this.#base(dataset)
  }

  /** What is asked together, so that no first line of a request is too long. */
  async *#parts(dataset: Dataset, question: Days & Patience): AsyncIterable<Part> {
    if (dataset.index === 'stream') return yield { dataset, indices: this.#base(dataset) }
    for (const days of inGroups(daysOf(question), daysARequest)) {
      const names = days.map((day) => this.#indexOf(dataset, day))
      const guessed = await this.#guessed(dataset, names, question.until)
      for (const [isGuessed, some] of Map.groupBy(names, (name) => guessed.has(name))) yield { dataset: isGuessed ? asGuessed(dataset) : dataset, indices: some.join(',') }
    }
  }

  /** Indices of which Elasticsearch had to guess what is in them, as K8SFramework left it to do. What an index was made with it has for good. */
  async #guessed(dataset: Dataset, names: readonly string[], until: number | undefined): Promise<ReadonlySet<string>> {
    const unknown = names.filter((name) => !this.#types.has(name))
    if (unknown.length > 0) {
      const { body } = await this.#ask('GET', `/${encodeURIComponent(unknown.join(','))}/_mapping/field/${dataset.order}?ignore_unavailable=true&allow_no_indices=true`, undefined, until)
      const types = unknown.map((name) => [name, body[name]?.mappings?.[dataset.order]?.mapping?.[dataset.order]?.type as string | undefined] as const)
      for (const [name, type] of types) if (type !== undefined) this.#types.set(name, type)
    }
    return new Set(names.filter((name) => this.#types.get(name) === 'text'))
  }

  #search({ dataset, indices }: Part, { where, until, ...days }: Pick<TotalsQuestion, 'where' | 'until' | 'from' | 'to'>, body: object): Promise<ElasticBody> {
    const filter = [...where.map((condition) => clauseOf(dataset, condition)), ...(dataset.index === 'daily' ? [] : [{ range: { '@timestamp': rangeOf(days) } }])]
    return this.#searchIn(indices, { ...body, query: { bool: { filter } } }, until)
  }

  /** Indices that are not there have nothing to say: all the others, or nothing. */
  async #searchIn(indices: string, query: object, until?: number): Promise<ElasticBody> {
    const { status, body: answer } = await this.#ask('POST', `/${encodeURIComponent(indices)}/_search?ignore_unavailable=true&allow_no_indices=true&allow_partial_search_results=false`, query, until)
    if (status === 404) return {}
    if (status >= 300) throw new Failure('STORE_REFUSED', `the document store cannot answer: ${reasonOf(answer)}`)
    const failed = answer._shards?.failures?.[0]?.reason?.reason as string | undefined
    if (failed !== undefined) throw new Failure('STORE_REFUSED', `a part of the document store cannot answer: ${failed}`, { temporary: true })
    return answer
  }

  /** What has a part that nobody has now, as one that is just being made, answers 503. */
  #ask(...request: Parameters<ElasticHttp['request']>): Promise<ElasticAnswer> {
    return retry(() => this.#http.request(...request), { attempts: 4, baseMs: 150, when: (error) => error instanceof Failure && error.context['status'] === 503 })
  }
}

/** Indices that are alike. */
interface Part {
  readonly dataset: Dataset
  readonly indices: string
}

interface BulkItem {
  readonly create: { readonly status: number; readonly error?: { readonly type: string; readonly reason: string } }
}

function pathOf(dataset: Dataset, name: string): string {
  const field: Field | undefined = dataset.fields[name]
  return field?.path ?? name
}

/** Where what is in an index was guessed, a text is one of many words, and whole beside it. */
function asGuessed(dataset: Dataset): Dataset {
  const fields = Object.entries(dataset.fields).map(([name, field]) => [name, field.type === 'keyword' ? { ...field, path: `${name}.keyword` } : field] as const)
  return { ...dataset, fields: Object.fromEntries(fields) }
}

/** Of days by the one field of a window that is a number in all of them. */
const newestFirst = (dataset: Dataset): object[] => [{ [dataset.index === 'daily' ? 'f_timestamp' : pathOf(dataset, dataset.order)]: { order: 'desc', unmapped_type: 'long' } }]

function clauseOf(dataset: Dataset, { field, op, value }: Condition): object {
  const path = pathOf(dataset, field)
  if (op === 'like') return { wildcard: { [path]: { value: wildcardPattern(value), case_insensitive: true } } }
  const compared = dataset.fields[field]?.type === 'keyword' ? value : Number(value)
  return op === 'eq' ? { term: { [path]: { value: compared } } } : { range: { [path]: { [op]: compared } } }
}

/** Milliseconds of the first day's local midnight, and of the one after the last day. */
function rangeOf({ from, to }: Days): object {
  const midnight = (day: string, add: number): number => new Date(Number(day.slice(0, 4)), Number(day.slice(4, 6)) - 1, Number(day.slice(6)) + add).getTime()
  return { gte: midnight(from, 0), lt: midnight(to, 1), format: 'epoch_millis' }
}

const totalOf = (answer: ElasticBody): number => Number(answer.hits?.total?.value ?? 0)

function valuesOf(bucket: ElasticBody, measures: readonly Measure[]): (number | undefined)[] {
  return measures.map((_, index) => {
    const value = bucket?.[`m${index}`]?.value as number | null | undefined
    return value ?? undefined
  })
}

/** The dataset's fields out of a document. */
function fieldsOf(dataset: Dataset, document: object): Record<string, string | number> {
  const entries = Object.entries(dataset.fields).map(([name, { type, path = name }]) => {
    const parts = path.replace(/\.keyword$/, '').split('.')
    const value = parts.reduce<unknown>((at, part) => (at as Record<string, unknown> | undefined)?.[part], document)
    return [name, type !== 'keyword' && typeof value === 'string' ? Date.parse(value) : value] as const
  })
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined && value !== null)) as Record<string, string | number>
}
