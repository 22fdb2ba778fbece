// What is kept, and how it is asked for: the words that every kind of store speaks. Pure.
import { Failure } from '#base/errors.ts'

/** `keyword` is compared as text, byte by byte; `integer` and `number` as numbers. */
export type FieldType = 'keyword' | 'integer' | 'number'

export interface Field {
  readonly type: FieldType
  /** Where documents have it, in Elasticsearch's words. Default: its name. */
  readonly path?: string
}

/** A kind of rows, kept by days. */
export interface Dataset {
  readonly name: string
  readonly fields: Readonly<Record<string, Field>>
  /** In Elasticsearch: an index a day, its name ending in the day; or one data stream. */
  readonly index: 'daily' | 'stream'
  /** The field by which the newest is known. */
  readonly order: string
}

export interface Row {
  /** Unique in its dataset. A row whose id is there already is not stored again, so a write can be repeated. */
  readonly id: string
  /** YYYYMMDD */
  readonly day: string
  /** A field that is left out has no value: no measure takes it into account. */
  readonly fields: Readonly<Record<string, string | number>>
  /** What Elasticsearch gets instead of the fields, and what is found. */
  readonly document?: object
}

/** `like` is SQL's: % any text, _ any character, \ makes the next one plain; letters of ASCII in either case. */
export type Op = 'eq' | 'gt' | 'gte' | 'lt' | 'lte' | 'like'

export interface Condition {
  readonly field: string
  readonly op: Op
  readonly value: string
}

/** The days that count, YYYYMMDD, both included. */
export interface Days {
  readonly from: string
  readonly to: string
}

export interface Measure {
  readonly field: string
  readonly by: 'sum' | 'min' | 'max'
}

/** Milliseconds since the epoch by a clock that nobody sets, and that is the same in all threads. */
export const steadyTime = (): number => performance.timeOrigin + performance.now()

/** Until when by {@link steadyTime} somebody waits for an answer. Default: for ever. */
export interface Patience {
  readonly until?: number
}

/** Sums, least and greatest values of groups of rows. */
export interface TotalsQuestion extends Days, Patience {
  readonly where: readonly Condition[]
  /** Fields; none makes one group of all. */
  readonly groupBy: readonly string[]
  readonly measures: readonly Measure[]
}

export interface Group {
  /** Values of the fields grouped by, as text; `''` for none. */
  readonly keys: readonly string[]
  /** In the order of the measures; undefined where no row of the group has the field. */
  readonly values: readonly (number | undefined)[]
}

/** Rows themselves, the newest first. */
export interface FindQuestion extends Days, Patience {
  readonly where: readonly Condition[]
  readonly offset: number
  readonly limit: number
  /** Only the newest row for each value of this field. */
  readonly newestOf?: string
}

export interface Found {
  readonly fields: Readonly<Record<string, string | number>>
  readonly document?: object
}

/** Of the newest rows. */
export interface Last {
  readonly day: string
  /** The greatest value of the dataset's order field. */
  readonly order: string
  /** How long the windows of time are of which rows are written, milliseconds; of order fields that are minutes. */
  readonly windowMs?: number
}

/** Where rows are asked for. */
export interface StoreReader {
  totals(dataset: Dataset, question: TotalsQuestion): Promise<readonly Group[]>
  find(dataset: Dataset, question: FindQuestion): Promise<readonly Found[]>
  /** Undefined when nothing is kept. */
  last(dataset: Dataset): Promise<Last | undefined>
}

/** Where rows are kept. */
export interface Store extends StoreReader {
  /**
   * Returns when all of them are kept for good; what is there already is left as it is.
   * @returns how many are of no use to the store and were not kept
   * @throws Failure, temporary when the same rows may be taken later
   */
  write(dataset: Dataset, rows: readonly Row[]): Promise<number>
  /** Forgets the days before `oldest` (YYYYMMDD). @returns how many days */
  trim(dataset: Dataset, oldest: string): Promise<number>
  close(): Promise<void>
}

/** Groups that an answer may have, and characters of their keys; beyond it the question is refused. */
const mostGroups = 50_000
const mostCharacters = 8 << 20
/** Days that a question may span. */
const mostDays = 62
/** Rows that one look may skip and bring. */
export const mostRows = 10_000
const longestValue = 1024

/**
 * Refuses a question that the dataset cannot answer: unknown fields, days that are none or too many, LIKE on numbers.
 * @throws Failure STORE_QUESTION
 */
export function checkQuestion(dataset: Dataset, { from, to, where }: Days & { readonly where: readonly Condition[] }, fields: readonly string[] = []): void {
  if (daysOf({ from, to }).length === 0) throw refused(`the last day ${to} is before the first, ${from}`, 'give the days in order')
  for (const name of fields) fieldOf(dataset, name)
  for (const { field, op, value } of where) {
    const { type } = fieldOf(dataset, field)
    if (value.length > longestValue) throw refused(`the value for ${field} has ${value.length} characters`, `give at most ${longestValue}`)
    if (type === 'keyword') continue
    if (op === 'like') throw refused(`${field} is a number, which LIKE cannot look into`, 'compare it with EQ, GT, GTE, LT or LTE')
    if (value.trim() === '' || !Number.isFinite(Number(value))) throw refused(`${field} is a number and cannot be compared with "${value}"`, 'give a number')
  }
}

/** The field of a dataset. @throws Failure STORE_QUESTION */
export function fieldOf(dataset: Dataset, name: string): Field {
  const field = Object.hasOwn(dataset.fields, name) ? dataset.fields[name] : undefined
  return field ?? thrown(refused(`${dataset.name} has no field "${name}"`, `use ${Object.keys(dataset.fields).join(', ')}`))
}

/** All days from the first to the last. @throws Failure STORE_QUESTION */
export function daysOf({ from, to }: Days): string[] {
  const [first, last] = [instant(from), instant(to)]
  const count = (last - first) / dayMs + 1
  if (count > mostDays) throw refused(`${count} days are asked for`, `ask for at most ${mostDays}`)
  return Array.from({ length: Math.max(0, count) }, (_, index) => new Date(first + index * dayMs).toISOString().slice(0, 10).replaceAll('-', ''))
}

const dayMs = 86_400_000

function instant(day: string): number {
  const parts = /^(\d{4})(\d\d)(\d\d)$/.exec(day)
  const time = parts === null ? Number.NaN : Date.parse(`${parts[1]}-${parts[2]}-${parts[3]}T00:00:00Z`)
  if (Number.isNaN(time) || new Date(time).toISOString().slice(0, 10).replaceAll('-', '') !== day) throw refused(`"${day}" is no day`, 'give it as YYYYMMDD')
  return time
}

/** The local day of an instant, YYYYMMDD. */
export function dayOf(time: number): string {
  const date = new Date(time)
  return `${date.getFullYear()}${two(date.getMonth() + 1)}${two(date.getDate())}`
}

/** Two digits. */
export const two = (value: number): string => String(value).padStart(2, '0')

function refused(message: string, remedy: string): Failure {
  return new Failure('STORE_QUESTION', message, { remedy })
}

/** The answer is not there in time. */
export function tooSlow(): Failure {
  return refused('the answer takes too long', 'ask for fewer days, for some minutes of each, or again when others ask for less')
}

function thrown(error: Error): never {
  throw error
}

/** Groups of several answers, as they come together. */
export class Totals {
  readonly #measures: readonly Measure[]
  readonly #groups = new Map<string, { readonly keys: readonly string[]; readonly values: (number | undefined)[] }>()
  #characters = 0

  constructor(measures: readonly Measure[]) {
    this.#measures = measures
  }

  /** @throws Failure STORE_QUESTION when they are too many */
  add({ keys, values }: Group): void {
    const key = JSON.stringify(keys)
    const known = this.#groups.get(key)
    if (known !== undefined) {
      for (const [index, { by }] of this.#measures.entries()) known.values[index] = combine(by, known.values[index], values[index])
      return
    }
    this.#characters += key.length
    if (this.#groups.size >= mostGroups || this.#characters > mostCharacters) throw refused(`the answer would have more than ${mostGroups} groups, or ${mostCharacters} characters`, 'add conditions, or group by fewer fields')
    this.#groups.set(key, { keys, values: [...values] })
  }

  groups(): readonly Group[] {
    return [...this.#groups.values()]
  }
}

function combine(by: Measure['by'], a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return a ?? b
  return by === 'sum' ? a + b : by === 'min' ? Math.min(a, b) : Math.max(a, b)
}
