import { Turns } from '#base/turns.ts'
import type { Edge, Graph, TopologyServant } from '#tars/protocol/Topology.ts'
import type { Current } from '#tars/server.ts'
import type { TraceStore } from './trace/store.ts'
import { byDepth, tookOf, type GraphSum, type Span, type Trace } from './trace/trace.ts'

export interface TopologyServantOptions {
  readonly store: TraceStore
  /** What came is found. */
  readonly flush: () => void
}

const failed = -1
/** Questions are answered by the thread that takes logs in, for a fifth of its time at most. */
const restShare = 4
const isDate = (text: string): boolean => /^\d{8}$/.test(text)
const noGraph: Graph = { vs: [], es: [] }

/** `tars.tarslog.TopologyObj` (framework-services 5): traces that are over, by day. */
export function topologyServant({ store, flush }: TopologyServantOptions): TopologyServant {
  const turns = new Turns(1, restShare)
  const ask = <T>({ peer }: Current, work: () => T): Promise<T> => turns.take(peer.address, work)
  return {
    graphServer: (date, server, current) => ask(current, () => (isDate(date) ? { return: 0, graph: store.graphs(date, 'server', server).map(graphOfSums) } : { return: failed, graph: [] })),
    graphFunction: (date, name, current) => ask(current, () => (isDate(date) ? { return: 0, graph: store.graphs(date, 'function', name).map(graphOfSums) } : { return: failed, graph: [] })),
    graphTrace: (date, id, current) => ask(current, () => {
      flush()
      const trace = isDate(date) ? store.trace(date, id) : undefined
      return trace === undefined ? { return: failed, graph: noGraph } : { return: 0, graph: graphOfTrace(trace) }
    }),
    listFunction: (date, server, current) => ask(current, () => (isDate(date) ? { return: 0, fs: store.functions(date, server).map((name) => `${server}.${name}`) } : { return: failed, fs: [] })),
    listTrace: (date, server, current) => ask(current, () => (isDate(date) ? { return: 0, ts: store.traces(date, server).map(({ trace }) => trace) } : { return: failed, ts: [] })),
    listTraceSummary: (date, begin, end, server, current) => ask(current, () => {
      if (!isDate(date)) return { return: failed, ss: [] }
      const found = store.traces(date, server, { from: Number(begin), to: Number(end) })
      return { return: 0, ss: found.map((entry) => ({ name: entry.trace, startTime: BigInt(entry.start), endTime: BigInt(entry.end) })) }
    }),
  }
}

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
