// Rows in SQLite files, one a dataset and day. Synchronous: it runs in a worker thread.
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { Failure } from '#base/errors.ts'
import { daysOf, steadyTime, tooSlow, Totals, two, type Condition, type Dataset, type FieldType, type FindQuestion, type Found, type Group, type Last, type Measure, type Row, type TotalsQuestion } from '../dataset.ts'
import { makeStoreFolder } from '../folder.ts'
import { sqlPattern } from '../like.ts'
import { brokenSuffix, isBroken, setAside, sqliteCode } from './broken.ts'

/** Version of the files' layout, in SQLite's user_version. */
const layout = 1
/** Files that are kept open; others are opened as they are asked for. */
const mostOpen = 8
const columnTypes: Readonly<Record<FieldType, string>> = { keyword: 'TEXT', integer: 'INTEGER', number: 'REAL' }
const operators = { eq: '=', gt: '>', gte: '>=', lt: '<', lte: '<=' } as const
const functions = { sum: 'TOTAL', min: 'MIN', max: 'MAX' } as const

interface Day {
  readonly db: DatabaseSync
  readonly insert: StatementSync
  /** Of its file: another one may have its name by now. */
  readonly inode: number
}

/** What is done in steps, and comes to something. */
export type Steps<T> = Generator<undefined, T>

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

/** The files below one folder: `<folder>/<dataset>/<YYYYMMDD>.sqlite`. A write is on disk when its call returns. */
export class SqliteDays {
  readonly #folder: string
  readonly #maxBytes: number
  readonly #rowsALook: number
  readonly #open = new Map<string, Day>()

  /**
   * @param folder made when missing
   * @param maxBytes of the files of a dataset
   * @param rowsALook about so many are added up before it is seen whether somebody still waits for them
   */
  constructor({ folder, maxBytes, rowsALook = 100_000 }: { readonly folder: string; readonly maxBytes: number; readonly rowsALook?: number }) {
    this.#folder = folder
    this.#maxBytes = maxBytes
    this.#rowsALook = rowsALook
    makeStoreFolder(folder)
  }

  /** All rows of a day or none of them; what is there already stays. @returns how many have values that no column takes, or have no room */
  write(dataset: Dataset, rows: readonly Row[]): number {
    let refused = 0
    for (const [day, some] of Map.groupBy(rows, (row) => row.day)) refused += this.#writeDay(dataset, day, some)
    return refused
  }

  /** In slices: between two of them others may have their turn. */
  *totals(dataset: Dataset, { from, to, where, groupBy, measures, until = Number.POSITIVE_INFINITY }: TotalsQuestion): Steps<readonly Group[]> {
    const condition = whereClause(dataset, where)
    const columns = [...groupBy.map((field) => `COALESCE(CAST(${quoted(field)} AS TEXT), '')`), ...measures.map(measureColumn)]
    const groups = groupBy.length === 0 ? '' : ` GROUP BY ${groupBy.map((_, index) => index + 1).join(', ')}`
    const totals = new Totals(measures)
    for (const [index, day] of daysOf({ from, to }).entries()) {
      if (index > 0) yield
      yield* this.#inSlices({ dataset, day, until, slices: (rows, count) => asWritten(dataset, where, rows, count) ?? byMinute(dataset, where, count) }, ({ db }, { sql, values }) => {
        const statement = db.prepare(`SELECT ${columns.join(', ') || 'COUNT(*)'} FROM rows WHERE ${condition.sql} AND ${sql}${groups} HAVING COUNT(*) > 0`)
        statement.setReturnArrays(true)
        for (const row of statement.iterate(...condition.values, ...values) as unknown as Iterable<(string | number | null)[]>) {
          totals.add({ keys: row.slice(0, groupBy.length).map(String), values: row.slice(groupBy.length, columns.length).map((value) => (value === null ? undefined : Number(value))) })
        }
        return false
      })
    }
    return totals.groups()
  }

  /** The same. */
  *find(dataset: Dataset, { from, to, where, offset, limit, newestOf, until = Number.POSITIVE_INFINITY }: FindQuestion): Steps<readonly Found[]> {
    const condition = whereClause(dataset, where)
    const order = quoted(dataset.order)
    const seen = new Set<unknown>()
    const found: Found[] = []
    const add = ({ db }: Day, { sql, values }: Slice): boolean => {
      const rows = db.prepare(`SELECT * FROM rows WHERE ${condition.sql} AND ${sql} ORDER BY ${order} DESC, id DESC`).iterate(...condition.values, ...values)
      for (const { id: _, document, ...fields } of rows) {
        if (newestOf !== undefined && seen.has(fields[newestOf])) continue
        if (newestOf !== undefined) seen.add(fields[newestOf])
        found.push({ fields: Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null)) as Found['fields'], ...(typeof document === 'string' ? { document: JSON.parse(document) as object } : {}) })
        if (found.length >= offset + limit) return true
      }
      return false
    }
    for (const [index, day] of daysOf({ from, to }).toReversed().entries()) {
      if (index > 0) yield
      yield* this.#inSlices({ dataset, day, until, slices: (_, count) => byMinute(dataset, where, count) }, add)
      if (found.length >= offset + limit) break
    }
    return found.slice(offset)
  }

  last(dataset: Dataset): Last | undefined {
    for (const day of this.#days(dataset).toReversed()) {
      const row = this.#look(dataset, day, ({ db }) => db.prepare(`SELECT MAX(${quoted(dataset.order)}) AS last FROM rows`).get())
      if (row?.['last'] !== undefined && row['last'] !== null) return { day, order: String(row['last']) }
    }
    return undefined
  }

  trim(dataset: Dataset, oldest: string): number {
    const old = this.#days(dataset).filter((day) => day < oldest)
    for (const day of old) this.#drop(dataset, day)
    return old.length
  }

  close(): void {
    for (const file of [...this.#open.keys()]) this.#forget(file)
  }

  #writeDay(dataset: Dataset, day: string, rows: readonly Row[]): number {
    if (!/^\d{8}$/.test(day) || !this.#makeRoom(dataset, day)) return rows.length
    const file = this.#file(dataset, day)
    try {
      return insertAll(this.#writable(dataset, day), rows, Object.keys(dataset.fields))
    } catch (error) {
      if (!isBroken(error)) throw error
      this.#forget(file)
      setAside(file)
      throw new Failure('STORE_BROKEN', `${file} is damaged and was set aside, with ${brokenSuffix} behind its name; a new one is begun`, { cause: error, temporary: true, remedy: 'see whether the disk is whole; what was set aside goes with its day' })
    }
  }

  /** Drops what is broken, and then the oldest days, while there is too much. @returns whether there is room in this day */
  #makeRoom(dataset: Dataset, day: string): boolean {
    const bytesOf = (one: string, ends: readonly string[]): number => ends.reduce((sum, end) => sum + (statSync(`${this.#file(dataset, one)}${end}`, { throwIfNoEntry: false })?.size ?? 0), 0)
    const days = this.#days(dataset)
    let bytes = days.reduce((sum, one) => sum + bytesOf(one, dayEnds), 0)
    const drop = (one: string, ends: readonly string[]): void => {
      if (bytes < this.#maxBytes) return
      bytes -= bytesOf(one, ends)
      this.#drop(dataset, one, ends)
    }
    for (const one of days) drop(one, [brokenSuffix])
    for (const old of days.filter((one) => one < day)) drop(old, dayEnds)
    return bytes < this.#maxBytes
  }

  #days(dataset: Dataset): string[] {
    const folder = join(this.#folder, dataset.name)
    if (!existsSync(folder)) return []
    const days = readdirSync(folder).map((name) => /^(\d{8})\.sqlite(\.broken)?$/.exec(name)?.[1]).filter((day) => day !== undefined)
    return [...new Set(days)].sort()
  }

  #file(dataset: Dataset, day: string): string {
    return join(this.#folder, dataset.name, `${day}.sqlite`)
  }

  /**
   * Looks at the slices of a day, the newest first, until there is enough. Each time anew: the day may have gone meanwhile, or its file been closed.
   * @param slices as many as are told, of a day of so many rows
   */
  *#inSlices({ dataset, day, until, slices }: { readonly dataset: Dataset; readonly day: string; readonly until: number; readonly slices: (rows: number, count: number) => readonly Slice[] }, look: (day: Day, slice: Slice) => boolean): Steps<void> {
    const rows = this.#look(dataset, day, ({ db }) => Number(db.prepare('SELECT MAX(rowid) AS last FROM rows').get()?.['last']))
    if (rows === undefined) return
    for (const [index, slice] of slices(rows, Math.max(1, Math.ceil(rows / this.#rowsALook))).toReversed().entries()) {
      if (index > 0) yield
      if (steadyTime() > until) throw tooSlow()
      if (this.#look(dataset, day, (one) => look(one, slice)) === true) return
    }
  }

  /** Looks at a day; undefined when there is none, or when it goes in this moment, as the other thread trims. */
  #look<T>(dataset: Dataset, day: string, look: (day: Day) => T): T | undefined {
    const file = this.#file(dataset, day)
    try {
      if (existsSync(file)) return look(this.#opened(file, () => openDay(file, dataset)))
    } catch (error) {
      if (existsSync(file)) throw error
    }
    this.#forget(file)
    return undefined
  }

  #writable(dataset: Dataset, day: string): Day {
    const file = this.#file(dataset, day)
    mkdirSync(join(this.#folder, dataset.name), { recursive: true })
    if (!existsSync(file)) makeDay(file, dataset)
    return this.#opened(file, () => openDay(file, dataset))
  }

  #opened(file: string, open: () => Day): Day {
    const known = this.#open.get(file)
    if (known !== undefined && known.inode === inodeOf(file)) return known
    this.#forget(file)
    for (const old of [...this.#open.keys()].slice(0, Math.max(0, this.#open.size - mostOpen + 1))) this.#forget(old)
    const opened = open()
    this.#open.set(file, opened)
    return opened
  }

  #drop(dataset: Dataset, day: string, ends = dayEnds): void {
    const file = this.#file(dataset, day)
    if (ends.includes('')) this.#forget(file)
    for (const end of ends) rmSync(`${file}${end}`, { force: true })
  }

  #forget(file: string): void {
    this.#open.get(file)?.db.close()
    this.#open.delete(file)
  }
}

/** All files of a day. */
const dayEnds: readonly string[] = ['', '-wal', '-shm', brokenSuffix]

const inodeOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.ino ?? 0

/** @returns how many have values that no column takes */
function insertAll({ db, insert }: Day, rows: readonly Row[], columns: readonly string[]): number {
  let refused = 0
  db.exec('BEGIN IMMEDIATE')
  try {
    for (const { id, fields, document } of rows) {
      try {
        insert.run(id, document === undefined ? null : JSON.stringify(document), ...columns.map((name) => fields[name] ?? null))
      } catch (error) {
        if (sqliteCode(error) !== constraint) throw error
        refused++
      }
    }
    db.exec('COMMIT')
    return refused
  } catch (error) {
    // A disk that is full has ended it already (sqlite.org/lang_transaction.html).
    if (db.isTransaction && !isBroken(error)) db.exec('ROLLBACK')
    throw error
  }
}

/** Primary result code (sqlite.org/rescode.html). */
const constraint = 19

/** Milliseconds that a lock of the other thread is waited for. */
const lockMs = 5000

/** A new file appears when it is complete, as the other thread may look at any time. */
function makeDay(file: string, dataset: Dataset): void {
  const draft = `${file}.new`
  // Left by a process that was ended, or of a day of this name that was dropped.
  for (const old of [draft, `${draft}-wal`, `${draft}-shm`, `${file}-wal`, `${file}-shm`]) rmSync(old, { force: true })
  const db = new DatabaseSync(draft)
  try {
    const columns = Object.entries(dataset.fields).map(([name, { type }]) => `${quoted(name)} ${columnTypes[type]}`)
    db.exec(`PRAGMA journal_mode = WAL; CREATE TABLE rows (id TEXT PRIMARY KEY, document TEXT, ${columns.join(', ')}) STRICT; CREATE INDEX rows_order ON rows (${quoted(dataset.order)}); PRAGMA user_version = ${layout}`)
    db.close()
    renameSync(draft, file)
  } catch (error) {
    if (db.isOpen) db.close()
    for (const end of ['', '-wal', '-shm']) rmSync(`${draft}${end}`, { force: true })
    throw error
  }
}

function openDay(file: string, dataset: Dataset): Day {
  // Opened only, never made (sqlite.org/uri.html).
  const db = new DatabaseSync(Object.assign(pathToFileURL(file), { search: '?mode=rw' }), { timeout: lockMs })
  try {
    db.exec('PRAGMA synchronous = FULL')
    const version = Number(db.prepare('PRAGMA user_version').get()?.['user_version'])
    if (version > layout) throw new Failure('STORE_LAYOUT', `${file} was written by a newer version (layout ${version})`, { remedy: 'run that version, or move the file away' })
    addColumns(db, dataset)
    const names = ['id', 'document', ...Object.keys(dataset.fields)]
    return { db, inode: inodeOf(file), insert: db.prepare(`INSERT OR IGNORE INTO rows (${names.map(quoted).join(', ')}) VALUES (${names.map(() => '?').join(', ')})`) }
  } catch (error) {
    db.close()
    throw error
  }
}

/** Those that came after the file was made. */
function addColumns(db: DatabaseSync, dataset: Dataset): void {
  const known = new Set(db.prepare("SELECT name FROM pragma_table_info('rows')").all().map((row) => row['name']))
  for (const [name, { type }] of Object.entries(dataset.fields)) if (!known.has(name)) db.exec(`ALTER TABLE rows ADD COLUMN ${quoted(name)} ${columnTypes[type]}`)
}

/** TOTAL of no value is 0, as a sum in Elasticsearch is. */
const measureColumn = ({ field, by }: Measure): string => `${functions[by]}(${quoted(field)})`

interface Slice {
  readonly sql: string
  readonly values: readonly (string | number)[]
}

/** The field of minutes: there is an index of it. */
const minuteField = 'f_tflag'
/** As `minuteOf` says them, and what is behind all of them. */
const minutes = Array.from({ length: 24 }, (_, hour) => Array.from({ length: 61 }, (__, minute) => `${two(hour)}${two(minute)}`)).flat()
const behindAll = '\uffff'
/** Rows that the index finds take about three times as long as those that are read one after the other. */
const indexShare = 1 / 3

interface Span {
  readonly first: string
  readonly last: string
  /** Minutes between them. */
  readonly within: readonly string[]
}

/** What is asked for of a day. */
function spanOf(where: readonly Condition[]): Span {
  const bound = (...ops: readonly Condition['op'][]): string[] => where.filter(({ field, op }) => field === minuteField && ops.includes(op)).map(({ value }) => value).sort()
  const [first, last] = [bound('eq', 'gt', 'gte').at(-1) ?? '', `${bound('eq', 'lt', 'lte')[0] ?? ''}${behindAll}`]
  return { first, last, within: minutes.filter((minute) => minute > first && minute < last) }
}

// Conditions that part a day's rows into about so many looks; each row meets one of them, unless `where` leaves it out.

function byMinute(dataset: Dataset, where: readonly Condition[], count: number): Slice[] {
  if (dataset.order !== minuteField) return [{ sql: '1', values: [] }]
  const { first, last, within } = spanOf(where)
  const size = Math.ceil(within.length / count)
  const starts = [first, ...within.filter((_, index) => index > 0 && index % size === 0)]
  return starts.map((start, index) => ({ sql: `${quoted(minuteField)} >= ? AND ${quoted(minuteField)} < ?`, values: [start, starts[index + 1] ?? last] }))
}

/** In the order in which rows were written; undefined where it is less to read only the minutes that are asked for. */
function asWritten(dataset: Dataset, where: readonly Condition[], rows: number, count: number): Slice[] | undefined {
  if (dataset.order === minuteField && spanOf(where).within.length < minutes.length * indexShare) return undefined
  const size = Math.ceil(rows / count)
  return Array.from({ length: count }, (_, index) => ({ sql: 'rowid >= ? AND rowid < ?', values: [index * size, index + 1 < count ? (index + 1) * size : Number.MAX_SAFE_INTEGER] }))
}

function whereClause(dataset: Dataset, where: readonly Condition[]): { readonly sql: string; readonly values: (string | number)[] } {
  const parts = where.map(({ field, op, value }) => {
    // Of minutes, slices are what the index is for.
    const name = field === minuteField ? `+${quoted(field)}` : quoted(field)
    if (op === 'like') return { sql: `${name} LIKE ? ESCAPE '\\'`, value: sqlPattern(value) }
    return { sql: `${name} ${operators[op]} ?`, value: dataset.fields[field]?.type === 'keyword' ? value : Number(value) }
  })
  return { sql: ['1', ...parts.map(({ sql }) => sql)].join(' AND '), values: parts.map(({ value }) => value) }
}
