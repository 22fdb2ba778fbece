// What TopologyObj answers (framework-services 5). Pure, but for what the index is asked.
import { Writer } from '#tars/codec/writer.ts'
import { Topology, type Edge, type Graph } from '#tars/protocol/Topology.ts'
import { shownOfTrace, type TraceQuestions } from './questions.ts'
import { byDepth, endsOf, tookOf, withCall, type GraphSum, type Span, type Trace } from './trace.ts'

const failed = -1
const isDate = (text: string): boolean => /^\d{8}$/.test(text)
const noGraph: Graph = { vs: [], es: [] }

/** A function of TopologyObj with what it is asked, as it comes. */
export interface TopologyQuestion {
  readonly func: keyof typeof answers
  readonly args: readonly (string | bigint)[]
}

/** @returns the body of the answer, in version 1 */
export function answerTopology(found: TraceQuestions, { func, args: [date, ...args] }: TopologyQuestion): Uint8Array {
  const body = new Writer()
  const { none, find } = answers[func] as { readonly none: object; readonly find: (found: TraceQuestions, date: string, ...args: (string | bigint)[]) => object | undefined }
  const value = isDate(String(date)) ? find(found, String(date), ...args) : undefined
  Topology.functions[func]?.writeResult(body, { return: value === undefined ? failed : 0, ...(value ?? none) })
  return Uint8Array.from(body.bytes())
}

const answers = {
  graphServer: { none: { graph: [] }, find: (found: TraceQuestions, date: string, server: string) => ({ graph: found.graphs(date, 'server', server).map(graphOfSums) }) },
  graphFunction: { none: { graph: [] }, find: (found: TraceQuestions, date: string, name: string) => ({ graph: found.graphs(date, 'function', name).map(graphOfSums) }) },
  graphTrace: { none: { graph: noGraph }, find: (found: TraceQuestions, date: string, id: string) => {
    const trace = found.trace(date, id, shownOfTrace)
    return trace === undefined ? undefined : { graph: graphOfTrace(trace) }
  } },
  listFunction: { none: { fs: [] }, find: (found: TraceQuestions, date: string, server: string) => ({ fs: found.functions(date, server).map((name) => `${server}.${name}`) }) },
  listTrace: { none: { ts: [] }, find: (found: TraceQuestions, date: string, server: string) => ({ ts: found.traces(date, server).map(({ trace }) => trace) }) },
  listTraceSummary: { none: { ts: [] }, find: (found: TraceQuestions, date: string, begin: bigint, end: bigint, server: string) => ({
    ts: found.traces(date, server, { from: Number(begin), to: Number(end) }).map(({ trace, start, end: ended }) => ({ name: trace, startTime: BigInt(start), endTime: BigInt(ended) })),
  }) },
} as const

const noCall = { spanId: '', csTime: 0n, srTime: 0n, ssTime: 0n, crTime: 0n, csData: '', srData: '', ssData: '', crData: '', ret: '' } as const

function graphOfSums({ vertexes, edges }: Omit<GraphSum, 'hash'>): Graph {
  return {
    vs: vertexes.map(({ name, callCount, callTime }) => ({ vertex: name, callCount: BigInt(callCount), callTime: BigInt(callTime) })),
    es: edges.map(({ from, to, callCount, callTime, order }) => ({ ...noCall, fromVertex: from, toVertex: to, callCount: BigInt(callCount), callTime: BigInt(callTime), order })),
  }
}

/** Every call of a trace as an edge of its own, between functions; natively those of one function by another are one. */
function graphOfTrace(trace: Trace): Graph {
  const vertexes = new Map<string, { callCount: number; callTime: number }>()
  const es = byDepth(trace).map(({ span, depth }) => {
    const edge = edgeOf(trace, span, depth)
    if (!vertexes.has(edge.fromVertex)) vertexes.set(edge.fromVertex, { callCount: 0, callTime: 0 })
    vertexes.set(edge.toVertex, withCall(vertexes.get(edge.toVertex) ?? { callCount: 0, callTime: 0 }, tookOf(span).served))
    return edge
  }).toSorted((a, b) => a.order - b.order || Number(a.csTime - b.csTime))
  return { vs: [...vertexes].map(([vertex, { callCount, callTime }]) => ({ vertex, callCount: BigInt(callCount), callTime: BigInt(callTime) })), es }
}

/** Where the trace begins, the entry point is called by its server, from the beginning to the end of the trace. */
function edgeOf(trace: Trace, span: Span, order: number): Edge {
  const { times: { cs, cr, sr, ss, ts, te }, data } = span
  const [from, to] = endsOf(trace, span, 'function')
  const begins = from === to && order === 1 && span.master !== ''
  const { callCount, callTime } = withCall({ callCount: 0, callTime: 0 }, tookOf(span).called)
  return {
    fromVertex: begins ? span.master : from, toVertex: to, callCount: BigInt(callCount), callTime: BigInt(callTime), spanId: span.span, order, ret: span.ret,
    csTime: BigInt(cs ?? ts ?? 0), srTime: BigInt(sr ?? 0), ssTime: BigInt(ss ?? 0), crTime: BigInt(cr ?? te ?? 0),
    csData: data.cs ?? data.ts ?? '', srData: data.sr ?? '', ssData: data.ss ?? '', crData: data.cr ?? data.te ?? '',
  }
}
