// What TopologyObj answers (framework-services 5). Pure, but for what the index is asked.
import { Writer } from '#tars/codec/writer.ts'
import { Topology, type Edge, type Graph } from '#tars/protocol/Topology.ts'
import type { TraceQuestions } from './questions.ts'
import { byDepth, tookOf, type GraphSum, type Span, type Trace } from './trace.ts'

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
    const trace = found.trace(date, id)
    return trace === undefined ? undefined : { graph: graphOfTrace(trace) }
  } },
  listFunction: { none: { fs: [] }, find: (found: TraceQuestions, date: string, server: string) => ({ fs: found.functions(date, server).map((name) => `${server}.${name}`) }) },
  listTrace: { none: { ts: [] }, find: (found: TraceQuestions, date: string, server: string) => ({ ts: found.traces(date, server).map(({ trace }) => trace) }) },
  listTraceSummary: { none: { ss: [] }, find: (found: TraceQuestions, date: string, begin: bigint, end: bigint, server: string) => ({
    ss: found.traces(date, server, { from: Number(begin), to: Number(end) }).map(({ trace, start, end: ended }) => ({ name: trace, startTime: BigInt(start), endTime: BigInt(ended) })),
  }) },
} as const

const noCall = { spanId: '', csTime: '', srTime: '', ssTime: '', crTime: '', csData: '', srData: '', ssData: '', crData: '', ret: '' } as const

function graphOfSums({ vertexes, edges }: Omit<GraphSum, 'hash'>): Graph {
  return {
    vs: vertexes.map(({ name, callCount, callTime }) => ({ vertex: name, callCount: BigInt(callCount), callTime: BigInt(callTime) })),
    es: edges.map(({ from, to, callCount, callTime, order }) => ({ ...noCall, fromVertex: from, toVertex: to, callCount: BigInt(callCount), callTime: BigInt(callTime), order })),
  }
}

/** Every call of a trace as an edge of its own. */
function graphOfTrace(trace: Trace): Graph {
  const es = byDepth(trace).map(({ span, depth }) => edgeOf(span, depth))
  const vertexes = new Map<string, { callCount: bigint; callTime: bigint }>()
  for (const { fromVertex, toVertex, callTime } of es) {
    if (!vertexes.has(fromVertex)) vertexes.set(fromVertex, { callCount: 0n, callTime: 0n })
    const to = vertexes.get(toVertex) ?? { callCount: 0n, callTime: 0n }
    vertexes.set(toVertex, { callCount: to.callCount + 1n, callTime: to.callTime + callTime })
  }
  return { vs: [...vertexes].map(([vertex, sums]) => ({ vertex, ...sums })), es }
}

function edgeOf(span: Span, order: number): Edge {
  const { times, data } = span
  const time = (moment: keyof Span['times']): string => String(times[moment] ?? '')
  const to = span.slave === '' ? span.master : span.slave
  return {
    fromVertex: span.master === '' ? to : span.master, toVertex: to, callCount: 1n, callTime: BigInt(tookOf(span)), spanId: span.span, order, ret: span.ret,
    csTime: time('cs'), srTime: time('sr'), ssTime: time('ss'), crTime: time('cr'),
    csData: data.cs ?? '', srData: data.sr ?? '', ssData: data.ss ?? '', crData: data.cr ?? '',
  }
}
