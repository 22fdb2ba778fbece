import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { Failure } from '#base/errors.ts'
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

/** Traces in one SQLite file. */
export class SqliteTraceStore implements TraceStore {
  readonly #db: DatabaseSync
  readonly #merge: ReadonlyMap<string, StatementSync>
  readonly #begin: StatementSync
  readonly #end: StatementSync
  readonly #vertex: StatementSync
  readonly #edge: StatementSync

  /** @param folder made when missing; or `:memory:` */
  constructor(folder: string) {
    this.#db = open(folder)
    this.#merge = new Map(moments.map((moment) => [moment, this.#db.prepare(mergeLine(moment))]))
    this.#begin = this.#db.prepare('INSERT OR IGNORE INTO trace (day, trace) VALUES (?, ?)')
    this.#end = this.#db.prepare('UPDATE trace SET started = :start, ended = :end WHERE day = :day AND trace = :trace AND started IS NULL')
    this.#vertex = this.#db.prepare('INSERT INTO vertex VALUES (:day, :kind, :hash, :name, :callCount, :callTime) ON CONFLICT DO UPDATE SET calls = calls + excluded.calls, took = took + excluded.took')
    this.#edge = this.#db.prepare('INSERT INTO edge VALUES (:day, :kind, :hash, :order, :from, :to, :callCount, :callTime) ON CONFLICT DO UPDATE SET calls = calls + excluded.calls, took = took + excluded.took')
  }

  addLines(day: string, lines: readonly TraceLine[]): void {
    this.#together(() => {
      for (const { moment, data, ret, ...line } of lines) {
        this.#begin.run(day, line.trace)
        this.#merge.get(moment)?.run({ ...line, day, ret: moment === 'ss' || moment === 'cr' ? ret : '', data: data === '' ? null : data })
      }
    })
  }

  finish(day: string, trace: string, bounds: { readonly start: number; readonly end: number }, graphs: Readonly<Record<GraphKind, GraphSum>>): void {
    this.#together(() => {
      if (this.#end.run({ day, trace, ...bounds }).changes === 0) return
      for (const [kind, { hash, vertexes, edges }] of Object.entries(graphs)) {
        for (const vertex of vertexes) this.#vertex.run({ day, kind, hash, ...vertex })
        for (const edge of edges) this.#edge.run({ day, kind, hash, ...edge })
      }
    })
  }

  unfinished(): { readonly day: string; readonly trace: Trace }[] {
    return this.#db.prepare('SELECT day, trace FROM trace WHERE started IS NULL').all().flatMap((row) => {
      const [day, id] = [text(row['day']), text(row['trace'])]
      const trace = this.trace(day, id)
      return trace === undefined ? [] : [{ day, trace }]
    })
  }

  trace(day: string, trace: string): Trace | undefined {
    const rows = this.#db.prepare('SELECT * FROM span WHERE day = ? AND trace = ?').all(day, trace)
    return rows.length === 0 ? undefined : { trace, spans: new Map(rows.map((row) => [text(row['span']), spanOf(row)])) }
  }

  graphs(day: string, kind: GraphKind, name: string): Omit<GraphSum, 'hash'>[] {
    const hashes = this.#db.prepare('SELECT hash FROM vertex WHERE day = ? AND kind = ? AND name = ? ORDER BY calls DESC, hash LIMIT 1000').all(day, kind, name)
    const vertexes = this.#db.prepare('SELECT name, calls AS callCount, took AS callTime FROM vertex WHERE day = ? AND kind = ? AND hash = ? ORDER BY name')
    const edges = this.#db.prepare('SELECT source AS "from", target AS "to", calls AS callCount, took AS callTime, depth AS "order" FROM edge WHERE day = ? AND kind = ? AND hash = ? ORDER BY depth, source, target')
    return hashes.map(({ hash }) => ({ vertexes: vertexes.all(day, kind, text(hash)) as unknown as VertexSum[], edges: edges.all(day, kind, text(hash)) as unknown as EdgeSum[] }))
  }

  functions(day: string, server: string): string[] {
    return this.#db.prepare('SELECT DISTINCT function FROM span WHERE day = ? AND slave = ? ORDER BY function').all(day, server).map((row) => text(row['function']))
  }

  traces(day: string, server: string, { from, to } = { from: 0, to: Number.MAX_SAFE_INTEGER }): TraceEntry[] {
    return this.#db.prepare(`
      SELECT trace, started AS start, ended AS "end" FROM trace WHERE day = :day AND started BETWEEN :from AND :to
        AND trace IN (SELECT trace FROM span WHERE day = :day AND slave = :server UNION SELECT trace FROM span WHERE day = :day AND master = :server)
      ORDER BY started DESC, trace LIMIT ${mostEntries}
    `).all({ day, server, from, to }) as unknown as TraceEntry[]
  }

  forgetBefore(day: string): number {
    let traces = 0
    this.#together(() => {
      for (const table of ['span', 'vertex', 'edge']) this.#db.prepare(`DELETE FROM ${table} WHERE day < ?`).run(day)
      traces = Number(this.#db.prepare('DELETE FROM trace WHERE day < ?').run(day).changes)
    })
    return traces
  }

  close(): void {
    this.#db.close()
  }

  #together(work: () => void): void {
    this.#db.exec('BEGIN IMMEDIATE')
    try {
      work()
      this.#db.exec('COMMIT')
    } catch (error) {
      this.#db.exec('ROLLBACK')
      throw error
    }
  }
}

function spanOf(row: Record<string, unknown>): Span {
  const pick = <T>(prefix: string, convert: (value: unknown) => T): Partial<Record<(typeof moments)[number], T>> =>
    Object.fromEntries(moments.filter((moment) => row[`${prefix}_${moment}`] !== null).map((moment) => [moment, convert(row[`${prefix}_${moment}`])]))
  const [span, parent, master, slave, name, ret, exception] = ['span', 'parent', 'master', 'slave', 'function', 'ret', 'exception'].map((field) => text(row[field]))
  return { span: span ?? '', parent: parent ?? '', master: master ?? '', slave: slave ?? '', function: name ?? '', ret: ret ?? '', exception: exception ?? '', times: pick('t', Number), data: pick('d', text) }
}

function open(folder: string): DatabaseSync {
  try {
    if (folder !== ':memory:') mkdirSync(folder, { recursive: true })
    const db = new DatabaseSync(folder === ':memory:' ? folder : join(folder, 'traces.sqlite'))
    // A power cut may cost the last moments, whose lines are in the log file.
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 2000')
    const version = Number(db.prepare('PRAGMA user_version').get()?.['user_version'])
    if (version > layout) throw new Error(`it was written by a newer version (layout ${version})`)
    db.exec(`${schema} PRAGMA user_version = ${layout}`)
    return db
  } catch (cause) {
    throw new Failure('LOG_TRACES', `traces cannot be kept in ${folder}`, { cause, remedy: 'set TARSLOG_DATA to a folder that can be written to' })
  }
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
