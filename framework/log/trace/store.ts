import { mkdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { Failure } from '#base/errors.ts'
import type { Logger } from '#base/log.ts'
import { brokenSuffix, isBroken, setAside } from '#store/sqlite/broken.ts'
import { strftime } from '../model/strftime.ts'
import { moments, type TraceLine } from './line.ts'
import { text, TraceQuestions } from './questions.ts'
import { graphOf, type Trace } from './trace.ts'

/** A trace that goes on. A day is YYYYMMDD, of its first line. */
export interface Unfinished {
  readonly day: string
  readonly trace: Trace
}

/** A trace that is over: its id, and when it began and ended, milliseconds since the epoch. */
export interface Finished {
  readonly day: string
  readonly trace: string
  readonly start: number
  readonly end: number
}

/** Layout of the file, in SQLite's user_version. */
const layout = 1
/** Rows that are forgotten at once: what else is to be done to the file goes on in between. */
const forgottenAtOnce = 2000
/** In the order in which they are forgotten, with their keys. */
const tables = { span: 'day, trace, span', vertex: 'day, kind, hash, name', edge: 'day, kind, hash, depth, source, target', trace: 'day, trace' } as const

const columns = [...moments.map((moment) => `t_${moment} INTEGER`), ...moments.map((moment) => `d_${moment} TEXT`)].join(', ')
const schema = `
  CREATE TABLE IF NOT EXISTS trace (day TEXT NOT NULL, trace TEXT NOT NULL, started INTEGER, ended INTEGER, PRIMARY KEY (day, trace)) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS trace_open ON trace (day) WHERE started IS NULL;
  CREATE TABLE IF NOT EXISTS span (
    day TEXT NOT NULL, trace TEXT NOT NULL, span TEXT NOT NULL, parent TEXT NOT NULL, master TEXT NOT NULL, slave TEXT NOT NULL, function TEXT NOT NULL,
    ret TEXT NOT NULL, exception TEXT NOT NULL, ${columns}, PRIMARY KEY (day, trace, span)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS span_slave ON span (day, slave, function);
  CREATE INDEX IF NOT EXISTS span_master ON span (day, master);
  CREATE TABLE IF NOT EXISTS vertex (
    day TEXT NOT NULL, kind TEXT NOT NULL, hash TEXT NOT NULL, name TEXT NOT NULL, calls INTEGER NOT NULL, took INTEGER NOT NULL, PRIMARY KEY (day, kind, hash, name)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS vertex_name ON vertex (day, kind, name, hash);
  CREATE TABLE IF NOT EXISTS edge (
    day TEXT NOT NULL, kind TEXT NOT NULL, hash TEXT NOT NULL, depth INTEGER NOT NULL, source TEXT NOT NULL, target TEXT NOT NULL, calls INTEGER NOT NULL, took INTEGER NOT NULL,
    PRIMARY KEY (day, kind, hash, depth, source, target)
  ) STRICT, WITHOUT ROWID;
`

const mergeLine = (moment: string): string => `
  INSERT INTO span (day, trace, span, parent, master, slave, function, ret, exception, t_${moment}, d_${moment})
  VALUES (:day, :trace, :span, :parent, :master, :slave, :function, :ret, :exception, :time, :data)
  ON CONFLICT DO UPDATE SET
    ${['parent', 'master', 'slave', 'function', 'exception'].map((field) => `${field} = iif(${field} = '', excluded.${field}, ${field})`).join(', ')},
    ret = iif(${moment === 'ss' ? '1' : "ret = ''"}, excluded.ret, ret),
    t_${moment} = coalesce(t_${moment}, excluded.t_${moment}), d_${moment} = coalesce(d_${moment}, excluded.d_${moment})`

/** The file while it is open, and what is done with it all the time. */
interface Index {
  readonly db: DatabaseSync
  readonly merge: ReadonlyMap<string, StatementSync>
  readonly begin: StatementSync
  readonly end: StatementSync
  readonly vertex: StatementSync
  readonly edge: StatementSync
}

/** Traces in one SQLite file. One that is damaged is set aside and another begun: all that is in it came from lines that are in logs. */
export class SqliteTraceStore {
  readonly #folder: string
  readonly #log: Logger
  #index: Index

  /** @param folder made when missing; or `:memory:` */
  constructor(folder: string, log: Logger) {
    this.#folder = folder
    this.#log = log
    try {
      this.#index = open(folder)
    } catch (error) {
      if (!isBroken((error as Failure).cause)) throw error
      this.#index = this.#renewed()
    }
  }

  /** Keeps lines of traces that go on, all or none. */
  addLines(day: string, lines: readonly TraceLine[]): void {
    this.#together(({ begin, merge }) => {
      for (const { moment, data, ret, ...line } of lines) {
        begin.run(day, line.trace)
        merge.get(moment)?.run({ ...line, day, ret: moment === 'ss' || moment === 'cr' ? ret : '', data: data === '' ? null : data })
      }
    })
  }

  /** Keeps what traces that are over come to, of all or of none. Of one that was kept as over before nothing is counted again. */
  finish(over: readonly Finished[]): void {
    this.#together((index) => {
      for (const one of over) if (index.end.run({ ...one }).changes > 0) count(index, one)
    })
  }

  /** Traces that were not over when the process ended. */
  unfinished(): Unfinished[] {
    return this.ask((found, db) => db.prepare('SELECT day, trace FROM trace WHERE started IS NULL').all().flatMap((row) => {
      const [day, id] = [text(row['day']), text(row['trace'])]
      const trace = found.trace(day, id)
      return trace === undefined ? [] : [{ day, trace }]
    }))
  }

  /** What was kept so far. */
  ask<T>(work: (found: TraceQuestions, db: DatabaseSync) => T): T {
    return this.#with(({ db }) => work(new TraceQuestions(db), db))
  }

  /** Forgets some of what is of days before this one. @returns how many rows, 0 when all is forgotten; and how many of them were traces */
  forgetSome(day: string): { readonly rows: number; readonly traces: number } {
    const aside = `${traceFile(this.#folder)}${brokenSuffix}`
    const asideAt = statSync(aside, { throwIfNoEntry: false })?.mtime
    if (asideAt !== undefined && strftime('%Y%m%d', asideAt) < day) rmSync(aside, { force: true })
    return this.#together(({ db }) => {
      for (const [table, keys] of Object.entries(tables)) {
        const rows = Number(db.prepare(`DELETE FROM ${table} WHERE (${keys}) IN (SELECT ${keys} FROM ${table} WHERE day < ? LIMIT ${forgottenAtOnce})`).run(day).changes)
        if (rows > 0) return { rows, traces: table === 'trace' ? rows : 0 }
      }
      return { rows: 0, traces: 0 }
    })
  }

  close(): void {
    this.#index.db.close()
  }

  #together<T>(work: (index: Index) => T): T {
    return this.#with((index) => {
      index.db.exec('BEGIN IMMEDIATE')
      try {
        const result = work(index)
        index.db.exec('COMMIT')
        return result
      } catch (error) {
        if (!isBroken(error)) index.db.exec('ROLLBACK')
        throw error
      }
    })
  }

  #with<T>(work: (index: Index) => T): T {
    try {
      return work(this.#index)
    } catch (error) {
      if (!isBroken(error)) throw error
      this.#index.db.close()
      this.#index = this.#renewed()
      return work(this.#index)
    }
  }

  #renewed(): Index {
    const file = traceFile(this.#folder)
    this.#log.error('the index of traces is damaged; it is set aside, and a new one is begun', { file: `${file}${brokenSuffix}`, remedy: 'see whether the disk is whole; the lines of all traces are in their logs' })
    setAside(file)
    return open(this.#folder)
  }
}

/** Adds a trace to the sums of its shape. */
function count({ db, vertex, edge }: Index, { day, trace }: Finished): void {
  const known = new TraceQuestions(db).trace(day, trace)
  if (known === undefined) return
  for (const kind of ['server', 'function'] as const) {
    const { hash, vertexes, edges } = graphOf(known, kind)
    for (const one of vertexes) vertex.run({ day, kind, hash, ...one })
    for (const one of edges) edge.run({ day, kind, hash, ...one })
  }
}

/** The file in the folder of the index. */
export const traceFile = (folder: string): string => join(folder, 'traces.sqlite')

function open(folder: string): Index {
  let db: DatabaseSync | undefined
  try {
    if (folder !== ':memory:') mkdirSync(folder, { recursive: true })
    db = new DatabaseSync(folder === ':memory:' ? folder : traceFile(folder))
    // A power cut may cost the last moments, whose lines are in the log file.
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 2000')
    const version = Number(db.prepare('PRAGMA user_version').get()?.['user_version'])
    if (version > layout) throw new Error(`it was written by a newer version (layout ${version})`)
    db.exec(`${schema} PRAGMA user_version = ${layout}`)
    return indexOf(db)
  } catch (cause) {
    db?.close()
    throw new Failure('LOG_TRACES', `traces cannot be kept in ${folder}`, { cause, remedy: 'set TARSLOG_DATA to a folder that can be written to' })
  }
}

function indexOf(db: DatabaseSync): Index {
  return {
    db,
    merge: new Map(moments.map((moment) => [moment, db.prepare(mergeLine(moment))])),
    begin: db.prepare('INSERT OR IGNORE INTO trace (day, trace) VALUES (?, ?)'),
    end: db.prepare('UPDATE trace SET started = :start, ended = :end WHERE day = :day AND trace = :trace AND started IS NULL'),
    vertex: db.prepare('INSERT INTO vertex VALUES (:day, :kind, :hash, :name, :callCount, :callTime) ON CONFLICT DO UPDATE SET calls = calls + excluded.calls, took = took + excluded.took'),
    edge: db.prepare('INSERT INTO edge VALUES (:day, :kind, :hash, :order, :from, :to, :callCount, :callTime) ON CONFLICT DO UPDATE SET calls = calls + excluded.calls, took = took + excluded.took'),
  }
}
