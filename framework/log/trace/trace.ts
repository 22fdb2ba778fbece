// The calls of one trace, put together from its lines (framework-services 5). Pure.
import { createHash } from 'node:crypto'
import type { Moment, TraceLine } from './line.ts'

/** One call. Times are milliseconds since the epoch. */
export interface Span {
  readonly span: string
  parent: string
  master: string
  slave: string
  function: string
  ret: string
  exception: string
  readonly times: Partial<Record<Moment, number>>
  readonly data: Partial<Record<Moment, string>>
}

export interface Trace {
  readonly trace: string
  readonly spans: Map<string, Span>
}

export interface VertexSum {
  readonly name: string
  /** Those that have ended. */
  readonly callCount: number
  /** Where they were served. */
  readonly callTime: number
}

export interface EdgeSum {
  readonly from: string
  readonly to: string
  readonly callCount: number
  /** For who called. */
  readonly callTime: number
  /** Depth of the call in the trace, from 1. */
  readonly order: number
}

/** Who calls whom, over one trace or many of the same shape. */
export interface GraphSum {
  /** Of the shape: who and how deep, not how often. */
  readonly hash: string
  readonly vertexes: readonly VertexSum[]
  readonly edges: readonly EdgeSum[]
}

/** Adds a line; of two about the same moment the first counts. */
export function addLine({ spans }: Trace, line: TraceLine): void {
  const known: Span = spans.get(line.span) ?? { span: line.span, parent: '', master: '', slave: '', function: '', ret: '', exception: '', times: {}, data: {} }
  spans.set(line.span, known)
  for (const field of ['parent', 'master', 'slave', 'function', 'exception'] as const) if (known[field] === '') known[field] = line[field]
  // What the server says of the outcome is nearer to it than what the client says, and both say it at the end.
  if (line.moment === 'ss' || (known.ret === '' && line.moment === 'cr')) known.ret = line.ret
  known.times[line.moment] ??= line.time
  if (line.data !== '') known.data[line.moment] ??= line.data
}

/** Nothing is missing: of every call its beginning and end, and of the trace its end where it has a beginning. */
export function isComplete({ spans }: Trace): boolean {
  return spans.size > 0 && [...spans.values()].every(({ times: { cs, cr, sr, ss, ts, te } }) =>
    (cs === undefined) === (cr === undefined) && (sr === undefined) === (ss === undefined) && (ts === undefined) === (te === undefined)) && rootsOf([...spans.values()]).length > 0
}

/** Spans that no other one of the trace calls. */
function rootsOf(spans: readonly Span[]): Span[] {
  const known = new Set(spans.map(({ span }) => span))
  return spans.filter(({ span, parent }) => parent === '' || parent === span || !known.has(parent))
}

/** Begin and end, milliseconds: what its entry point says, else its first and last moment. */
export function boundsOf({ spans }: Trace): { readonly start: number; readonly end: number } {
  const all = [...spans.values()]
  const moments = all.flatMap(({ times }) => Object.values(times))
  const told = (moment: 'ts' | 'te') => all.map(({ times }) => times[moment]).find((time) => time !== undefined)
  return { start: told('ts') ?? Math.min(...moments), end: told('te') ?? Math.max(...moments) }
}

/** What a call is said to have taken at most, milliseconds: times that somebody made up must not be too much for the sums of all. */
const longestCall = 86_400_000

/** Milliseconds that a call took for its caller and where it was served. What one end does not say the other one does; undefined while neither does. */
export function tookOf({ times: { cs, cr, sr, ss, ts, te } }: Span): { readonly called: number | undefined; readonly served: number | undefined } {
  const [called, served, whole] = [between(cs, cr), between(sr, ss), between(ts, te)]
  return { called: called ?? served ?? whole, served: served ?? called ?? whole }
}

function between(start: number | undefined, end: number | undefined): number | undefined {
  return start === undefined || end === undefined ? undefined : Math.min(Math.max(0, end - start), longestCall)
}

/** One call more, if it has ended. */
export function withCall<T extends { readonly callCount: number; readonly callTime: number }>(sums: T, took: number | undefined): T {
  return took === undefined ? sums : { ...sums, callCount: sums.callCount + 1, callTime: sums.callTime + took }
}

/** Spans with their depth, callers before those they call. Spans that call each other in a ring are left out. */
export function byDepth({ spans }: Trace): { readonly span: Span; readonly depth: number }[] {
  const all = [...spans.values()]
  const children = Map.groupBy(all.filter(({ span, parent }) => parent !== span), ({ parent }) => parent)
  const found: { span: Span; depth: number }[] = []
  let level = rootsOf(all)
  const seen = new Set<Span>()
  for (let depth = 1; level.length > 0; depth++) {
    for (const span of level) found.push({ span, depth })
    for (const span of level) seen.add(span)
    level = level.flatMap(({ span }) => children.get(span) ?? []).filter((span) => !seen.has(span))
  }
  return found
}

/** By server, or by function of a server: `App.Server.function`. */
export type GraphKind = 'server' | 'function'

export function graphOf(trace: Trace, kind: GraphKind): GraphSum {
  const vertexes = new Map<string, { callCount: number; callTime: number }>()
  const edges = new Map<string, { from: string; to: string; order: number; callCount: number; callTime: number }>()
  for (const { span, depth } of byDepth(trace)) {
    const [from, to] = endsOf(trace, span, kind)
    const { called, served } = tookOf(span)
    if (!vertexes.has(from)) vertexes.set(from, { callCount: 0, callTime: 0 })
    vertexes.set(to, withCall(vertexes.get(to) ?? { callCount: 0, callTime: 0 }, served))
    if (from === to && depth === 1) continue
    const key = `${depth} ${from} ${to}`
    edges.set(key, withCall(edges.get(key) ?? { from, to, order: depth, callCount: 0, callTime: 0 }, called))
  }
  const shape = [...edges.keys(), ...vertexes.keys()].sort().join('\n')
  return {
    hash: createHash('sha256').update(shape).digest('hex').slice(0, 16),
    vertexes: [...vertexes].map(([name, sums]) => ({ name, ...sums })),
    edges: [...edges.values()],
  }
}

/** Names of caller and called. Where a trace begins, its entry point calls itself. */
export function endsOf({ spans }: Trace, { master, slave, function: func, parent, span, times }: Span, kind: GraphKind): [from: string, to: string] {
  const entry = times.ts !== undefined && times.cs === undefined
  const called = slave === '' ? master : slave
  if (kind === 'server') return [entry || master === '' ? called : master, called]
  const above = parent === span ? undefined : spans.get(parent)
  const own = `${called}.${func}`
  return [entry ? own : above === undefined ? (master === '' ? own : master) : `${above.slave === '' ? above.master : above.slave}.${above.function}`, own]
}
