import type { DatabaseSync } from 'node:sqlite'
import { moments } from './line.ts'
import type { EdgeSum, GraphKind, GraphSum, Span, Trace, VertexSum } from './trace.ts'

/** A trace in a list. */
export interface TraceEntry {
  readonly trace: string
  /** Milliseconds since the epoch. */
  readonly start: number
  readonly end: number
}

/** Entries of a list, as native bounds it. */
const mostEntries = 10_000
/** Graphs of an answer, and vertexes and edges after which no more of them follow: about 10 MB. */
const [mostGraphs, mostRows] = [1000, 100_000]
/** Calls of a trace that is shown, and characters of them after which no more follow: one that goes on again and again has no end. */
export const shownOfTrace = { calls: 10_000, characters: 8 << 20 } as const
const all = { calls: Infinity, characters: Infinity } as const

/** What is asked of the index of traces. A day is YYYYMMDD, of a trace's first line. */
export class TraceQuestions {
  readonly #db: DatabaseSync

  constructor(db: DatabaseSync) {
    this.#db = db
  }

  trace(day: string, trace: string, { calls, characters } = all): Trace | undefined {
    const spans = new Map<string, Span>()
    let read = 0
    for (const row of this.#db.prepare('SELECT * FROM span WHERE day = ? AND trace = ?').iterate(day, trace)) {
      if (spans.size >= calls || read > characters) break
      const span = spanOf(row)
      spans.set(span.span, span)
      read += Object.values(row).reduce<number>((sum, value) => sum + text(value).length, 0)
    }
    return spans.size === 0 ? undefined : { trace, spans }
  }

  /** Kinds of traces of a day in which a server or function takes part, the more frequent first. */
  graphs(day: string, kind: GraphKind, name: string): Omit<GraphSum, 'hash'>[] {
    const hashes = this.#db.prepare(`SELECT hash FROM vertex WHERE day = ? AND kind = ? AND name = ? ORDER BY calls DESC, hash LIMIT ${mostGraphs}`).all(day, kind, name)
    const vertexes = this.#db.prepare('SELECT name, calls AS callCount, took AS callTime FROM vertex WHERE day = ? AND kind = ? AND hash = ? ORDER BY name')
    const edges = this.#db.prepare('SELECT source AS "from", target AS "to", calls AS callCount, took AS callTime, depth AS "order" FROM edge WHERE day = ? AND kind = ? AND hash = ? ORDER BY depth, source, target')
    const graphs: Omit<GraphSum, 'hash'>[] = []
    let rows = 0
    for (const { hash } of hashes) {
      if (rows >= mostRows) break
      const graph = { vertexes: vertexes.all(day, kind, text(hash)) as unknown as VertexSum[], edges: edges.all(day, kind, text(hash)) as unknown as EdgeSum[] }
      graphs.push(graph)
      rows += graph.vertexes.length + graph.edges.length
    }
    return graphs
  }

  functions(day: string, server: string): string[] {
    return this.#db.prepare(`SELECT DISTINCT function FROM span WHERE day = ? AND slave = ? ORDER BY function LIMIT ${mostEntries}`).all(day, server).map((row) => text(row['function']))
  }

  /** Traces of a day in which a server takes part and that began in the time, the newest first. */
  traces(day: string, server: string, { from, to } = { from: 0, to: Number.MAX_SAFE_INTEGER }): TraceEntry[] {
    const sql = `
      SELECT trace, started AS start, ended AS "end" FROM trace WHERE day = :day AND started BETWEEN :from AND :to
        AND trace IN (SELECT trace FROM span WHERE day = :day AND slave = :server UNION SELECT trace FROM span WHERE day = :day AND master = :server)
      ORDER BY started DESC, trace LIMIT ${mostEntries}
    `
    return this.#db.prepare(sql).all({ day, server, from, to }) as unknown as TraceEntry[]
  }
}

function spanOf(row: Record<string, unknown>): Span {
  const pick = <T>(prefix: string, convert: (value: unknown) => T): Partial<Record<(typeof moments)[number], T>> =>
    Object.fromEntries(moments.filter((moment) => row[`${prefix}_${moment}`] !== null).map((moment) => [moment, convert(row[`${prefix}_${moment}`])]))
  const [span, parent, master, slave, name, ret, exception] = ['span', 'parent', 'master', 'slave', 'function', 'ret', 'exception'].map((field) => text(row[field]))
  return { span: span ?? '', parent: parent ?? '', master: master ?? '', slave: slave ?? '', function: name ?? '', ret: ret ?? '', exception: exception ?? '', times: pick('t', Number), data: pick('d', text) }
}

/** A value of a column. */
export function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
