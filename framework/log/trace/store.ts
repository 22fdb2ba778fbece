import { mkdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { Failure } from '#base/errors.ts'
import type { Logger } from '#base/log.ts'
import { brokenSuffix, isBroken, setAside } from '#store/sqlite/broken.ts'
import { strftime } from '../model/strftime.ts'
import { moments, type TraceLine } from './line.ts'
import type { EdgeSum, GraphKind, GraphSum, Span, Trace, VertexSum } from './trace.ts'

/** A trace in a list. */
export interface TraceEntry {
  readonly trace: string
  /** Milliseconds since the epoch. */
  readonly start: number
  readonly end: number
}

/** Where traces are kept and looked up. A day is YYYYMMDD, of the trace's first line. */
export interface TraceStore {
  /** Keeps lines of traces that go on, all or none. */
  addLines(day: string, lines: readonly TraceLine[]): void
  /** Keeps what a trace that is over comes to. Of a trace that was kept as over before nothing is counted again. */
  finish(day: string, trace: string, bounds: { readonly start: number; readonly end: number }, graphs: Readonly<Record<GraphKind, GraphSum>>): void
  /** Traces that were not over when the process ended, with their days. */
  unfinished(): { readonly day: string; readonly trace: Trace }[]
  trace(day: string, trace: string): Trace | undefined
  /** Kinds of traces of a day in which a server or function takes part, the more frequent first. */
  graphs(day: string, kind: GraphKind, name: string): readonly Omit<GraphSum, 'hash'>[]
  functions(day: string, server: string): string[]
  /** Traces of a day in which a server takes part and that began in the time, the newest first. */
  traces(day: string, server: string, range?: { readonly from: number; readonly to: number }): TraceEntry[]
  /** Forgets days before this one. @returns how many traces */
  forgetBefore(day: string): number
  close(): void
}

/** Layout of the file, in SQLite's user_version. */
const layout = 1
/** Entries of a list, as native bounds it. */
const mostEntries = 10_000

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
export class SqliteTraceStore implements TraceStore {
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

  addLines(day: string, lines: readonly TraceLine[]): void {
    this.#together(({ begin, merge }) => {
      for (const { moment, data, ret, ...line } of lines) {
        begin.run(day, line.trace)
        merge.get(moment)?.run({ ...line, day, ret: moment === 'ss' || moment === 'cr' ? ret : '', data: data === '' ? null : data })
      }
    })
  }

  finish(day: string, trace: string, bounds: { readonly start: number; readonly end: number }, graphs: Readonly<Record<GraphKind, GraphSum>>): void {
    this.#together((index) => {
      if (index.end.run({ day, trace, ...bounds }).changes === 0) return
      for (const [kind, { hash, vertexes, edges }] of Object.entries(graphs)) {
        for (const vertex of vertexes) index.vertex.run({ day, kind, hash, ...vertex })
        for (const edge of edges) index.edge.run({ day, kind, hash, ...edge })
      }
    })
  }

  unfinished(): { readonly day: string; readonly trace: Trace }[] {
    const rows = this.#with(({ db }) => db.prepare('SELECT day, trace FROM trace WHERE started IS NULL').all())
    return rows.flatMap((row) => {
      const [day, id] = [text(row['day']), text(row['trace'])]
      const trace = this.trace(day, id)
      return trace === undefined ? [] : [{ day, trace }]
    })
  }

  trace(day: string, trace: string): Trace | undefined {
    const rows = this.#with(({ db }) => db.prepare('SELECT * FROM span WHERE day = ? AND trace = ?').all(day, trace))
    return rows.length === 0 ? undefined : { trace, spans: new Map(rows.map((row) => [text(row['span']), spanOf(row)])) }
  }

  graphs(day: string, kind: GraphKind, name: string): Omit<GraphSum, 'hash'>[] {
    return this.#with(({ db }) => {
      const hashes = db.prepare('SELECT hash FROM vertex WHERE day = ? AND kind = ? AND name = ? ORDER BY calls DESC, hash LIMIT 1000').all(day, kind, name)
      const vertexes = db.prepare('SELECT name, calls AS callCount, took AS callTime FROM vertex WHERE day = ? AND kind = ? AND hash = ? ORDER BY name')
      const edges = db.prepare('SELECT source AS "from", target AS "to", calls AS callCount, took AS callTime, depth AS "order" FROM edge WHERE day = ? AND kind = ? AND hash = ? ORDER BY depth, source, target')
      return hashes.map(({ hash }) => ({ vertexes: vertexes.all(day, kind, text(hash)) as unknown as VertexSum[], edges: edges.all(day, kind, text(hash)) as unknown as EdgeSum[] }))
    })
  }

  functions(day: string, server: string): string[] {
    return this.#with(({ db }) => db.prepare('SELECT DISTINCT function FROM span WHERE day = ? AND slave = ? ORDER BY function').all(day, server)).map((row) => text(row['function']))
  }

  traces(day: string, server: string, { from, to } = { from: 0, to: Number.MAX_SAFE_INTEGER }): TraceEntry[] {
    const sql = `
      SELECT trace, started AS start, ended AS "end" FROM trace WHERE day = :day AND started BETWEEN :from AND :to
        AND trace IN (SELECT trace FROM span WHERE day = :day AND slave = :server UNION SELECT trace FROM span WHERE day = :day AND master = :server)
      ORDER BY started DESC, trace LIMIT ${mostEntries}
    `
    return this.#with(({ db }) => db.prepare(sql).all({ day, server, from, to })) as unknown as TraceEntry[]
  }

  forgetBefore(day: string): number {
    const aside = `${fileIn(this.#folder)}${brokenSuffix}`
    const asideAt = statSync(aside, { throwIfNoEntry: false })?.mtime
    if (asideAt !== undefined && strftime('%Y%m%d', asideAt) < day) rmSync(aside, { force: true })
    return this.#together(({ db }) => {
      for (const table of ['span', 'vertex', 'edge']) db.prepare(`DELETE FROM ${table} WHERE day < ?`).run(day)
      return Number(db.prepare('DELETE FROM trace WHERE day < ?').run(day).changes)
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
    const file = fileIn(this.#folder)
    this.#log.error('the index of traces is damaged; it is set aside, and a new one is begun', { file: `${file}${brokenSuffix}`, remedy: 'see whether the disk is whole; the lines of all traces are in their logs' })
    setAside(file)
    return open(this.#folder)
  }
}

function spanOf(row: Record<string, unknown>): Span {
  const pick = <T>(prefix: string, convert: (value: unknown) => T): Partial<Record<(typeof moments)[number], T>> =>
    Object.fromEntries(moments.filter((moment) => row[`${prefix}_${moment}`] !== null).map((moment) => [moment, convert(row[`${prefix}_${moment}`])]))
  const [span, parent, master, slave, name, ret, exception] = ['span', 'parent', 'master', 'slave', 'function', 'ret', 'exception'].map((field) => text(row[field]))
  return { span: span ?? '', parent: parent ?? '', master: master ?? '', slave: slave ?? '', function: name ?? '', ret: ret ?? '', exception: exception ?? '', times: pick('t', Number), data: pick('d', text) }
}

const fileIn = (folder: string): string => join(folder, 'traces.sqlite')

function open(folder: string): Index {
  let db: DatabaseSync | undefined
  try {
    if (folder !== ':memory:') mkdirSync(folder, { recursive: true })
    db = new DatabaseSync(folder === ':memory:' ? folder : fileIn(folder))
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

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
