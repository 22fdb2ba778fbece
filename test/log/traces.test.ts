// Traces: lines into calls, calls into graphs, found by TopologyObj and sent by OTLP (framework-services 4.4, 5).
import { once } from 'node:events'
import { closeSync, existsSync, openSync, statSync, utimesSync, writeSync } from 'node:fs'
import http from 'node:http'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { silentLogger } from '#base/log.ts'
import { everyone } from '#kube/caller-check.ts'
import { Communicator } from '#tars/client.ts'
import { createLogInfo, Log, type LogProxy } from '#tars/protocol/LogF.ts'
import { Topology, type TopologyProxy } from '#tars/protocol/Topology.ts'
import { logEnv } from '../../framework/log/env.ts'
import { startLog, type LogOptions, type RunningLog } from '../../framework/log/log.ts'
import { TraceCollector } from '../../framework/log/trace/collector.ts'
import { parseTraceLine, type TraceLine } from '../../framework/log/trace/line.ts'
import { otlpRequest } from '../../framework/log/trace/otlp.ts'
import { SqliteTraceStore } from '../../framework/log/trace/store.ts'
import { addLine, byDepth, graphOf, isComplete, type Trace } from '../../framework/log/trace/trace.ts'

const base64 = (text: string) => Buffer.from(text).toString('base64')

/** A line as TarsCpp and TarsGo write it. */
function line(...[trace, span, parent, moment, master, slave, func, time, ret = '0', data = '', exception = '']: readonly [trace: string, span: string, parent: string, moment: string, master: string, slave: string, func: string, time: number, ret?: string, data?: string, exception?: string]): string {
  return ['2026-03-05 12:00:00', trace, span, parent, moment, master, slave, func, time, ret, data === '' ? '' : base64(data), exception].join('|') + '\n'
}

/** A gateway whose handler calls A, which calls B twice: ten lines of one trace. Who serves names neither parent nor caller, as in TarsCpp and TarsGo. @param at begin, milliseconds */
function chain(trace: string, at: number): string[] {
  return [
    line(trace, 's0', 's0', 'ts', 'Web.Gate', 'Web.Gate', 'index', at),
    line(trace, 's1', 's0', 'cs', 'Web.Gate', 'Demo.A.Obj', 'hello', at + 1, '', 'request'),
    line(trace, 's1', '*', 'sr', '', 'Demo.A', 'hello', at + 2),
    line(trace, 's2', 's1', 'cs', 'Demo.A', 'Demo.B.Obj', 'work', at + 3),
    line(trace, 's2', 's1', 'cr', 'Demo.A', 'Demo.B.Obj', 'work', at + 5),
    line(trace, 's3', 's1', 'cs', 'Demo.A', 'Demo.B.Obj', 'work', at + 6),
    line(trace, 's3', 's1', 'cr', 'Demo.A', 'Demo.B.Obj', 'work', at + 9, '-7', '', 'timed out|after 3 ms'),
    line(trace, 's1', '*', 'ss', '', 'Demo.A', 'hello', at + 10, '0', 'response'),
    line(trace, 's1', 's0', 'cr', 'Web.Gate', 'Demo.A.Obj', 'hello', at + 12),
    line(trace, 's0', 's0', 'te', 'Web.Gate', 'Web.Gate', 'index', at + 13),
  ]
}

const traceOf = (lines: readonly string[]): Trace => {
  const trace: Trace = { trace: 't', spans: new Map() }
  for (const one of lines) addLine(trace, parseTraceLine(one) as TraceLine)
  return trace
}

describe('lines', () => {
  test('the parts, the object cut to its server, and an exception that has any characters ([!])', () => {
    expect(parseTraceLine(line('t', 's', 'p', 'cr', 'M.S', 'A.B.Obj', 'f', 5, '-1', 'd', 'went | wrong'))).toEqual({
      trace: 't', span: 's', parent: 'p', moment: 'cr', master: 'M.S', slave: 'A.B', function: 'f', time: 5, ret: '-1', data: base64('d'), exception: 'went | wrong',
    })
  })

  test.each([
    ['empty', ''], ['too few parts', 'a|b|c'], ['another moment', line('t', 's', 'p', 'xx', '', '', '', 1)], ['no time', line('t', 's', 'p', 'cs', '', '', '', NaN)],
    ['no trace', line('', 's', 'p', 'cs', '', '', '', 1)], ['no span', line('t', '', 'p', 'cs', '', '', '', 1)], ['an endless name', line('t'.repeat(256), 's', 'p', 'cs', '', '', '', 1)],
    ['a time for which OTLP has no room', line('t', 's', 'p', 'cs', '', '', '', 10 ** 13)],
  ])('%s is none', (_what, text) => {
    expect(parseTraceLine(text)).toBeUndefined()
  })

  test('whatever comes, nothing breaks', () => {
    fc.assert(fc.property(fc.array(fc.oneof(fc.string(), fc.constantFrom('|', 'cs', 'cr', '1', 't')), { maxLength: 30 }), (parts) => void parseTraceLine(parts.join(''))))
  })
})

describe('traces', () => {
  test('the order in which lines come does not matter', () => {
    const lines = chain('t', 1000)
    const expected = JSON.stringify(graphOf(traceOf(lines), 'server'))
    fc.assert(fc.property(fc.shuffledSubarray(lines, { minLength: lines.length }), (shuffled) => {
      const trace = traceOf(shuffled)
      expect(isComplete(trace)).toBe(true)
      const { hash, vertexes, edges } = graphOf(trace, 'server')
      const sorted = <T extends object>(list: readonly T[]) => list.map((one) => JSON.stringify(one)).toSorted()
      const wanted = JSON.parse(expected) as { hash: string; vertexes: object[]; edges: object[] }
      expect([hash, sorted(vertexes), sorted(edges)]).toEqual([wanted.hash, sorted(wanted.vertexes), sorted(wanted.edges)])
    }))
  })

  test('nor does it for what is kept, and for OTLP', () => {
    const lines = chain('t', 1000)
    const [sr = ''] = lines.splice(2, 1)
    const store = new SqliteTraceStore(':memory:', silentLogger)
    onTestFinished(() => store.close())
    const served = [sr, ...lines].map((text) => parseTraceLine(text) as TraceLine)
    store.addLines('20260305', served)
    expect(store.ask((found) => found.trace('20260305', 't'))?.spans.get('s1')).toMatchObject({ parent: 's0', master: 'Web.Gate' })
    const spansOf = (texts: readonly string[]) => otlpRequest([traceOf(texts)]).resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)).map(({ spanId, parentSpanId }) => `${spanId} ${parentSpanId}`).toSorted()
    expect(spansOf([sr, ...lines])).toEqual(spansOf(chain('t', 1000)))
  })

  test('without any one of its lines it is not complete', () => {
    const lines = chain('t', 1000)
    for (const index of lines.keys()) expect(isComplete(traceOf(lines.toSpliced(index, 1))), String(index)).toBe(false)
  })

  test('of servers: how often and how long', () => {
    const { vertexes, edges } = graphOf(traceOf(chain('t', 1000)), 'server')
    // Where it was served A took less than for its caller; B says nothing itself.
    expect(vertexes).toEqual([{ name: 'Web.Gate', callCount: 1, callTime: 13 }, { name: 'Demo.A', callCount: 1, callTime: 8 }, { name: 'Demo.B', callCount: 2, callTime: 5 }])
    expect(edges).toEqual([{ from: 'Web.Gate', to: 'Demo.A', order: 2, callCount: 1, callTime: 11 }, { from: 'Demo.A', to: 'Demo.B', order: 3, callCount: 2, callTime: 5 }])
  })

  test('a call that has not ended is none yet', () => {
    const { vertexes, edges } = graphOf(traceOf(chain('t', 1000).slice(0, 4)), 'server')
    expect(vertexes.map(({ name, callCount, callTime }) => `${name} ${callCount} ${callTime}`)).toEqual(['Web.Gate 0 0', 'Demo.A 0 0', 'Demo.B 0 0'])
    expect(edges.map(({ callCount }) => callCount)).toEqual([0, 0])
  })

  test('of functions', () => {
    const { vertexes, edges } = graphOf(traceOf(chain('t', 1000)), 'function')
    expect(vertexes.map(({ name }) => name)).toEqual(['Web.Gate.index', 'Demo.A.hello', 'Demo.B.work'])
    expect(edges.map(({ from, to }) => `${from} ${to}`)).toEqual(['Web.Gate.index Demo.A.hello', 'Demo.A.hello Demo.B.work'])
  })

  test('of a trace that has too many calls the first are kept, and of too many traces those that go on', async () => {
    const store = new SqliteTraceStore(':memory:', silentLogger)
    const clock = { now: () => Date.UTC(2026, 2, 5, 12), monotonic: () => 0 }
    const over: number[] = []
    const collector = new TraceCollector({ store, clock, log: silentLogger, mostCallsATrace: 100, mostBytes: 501 * 256, onTrace: ({ spans }) => over.push(spans.size) })
    onTestFinished(async () => {
      await collector.stop()
      store.close()
    })
    const add = (trace: string, span: number) => collector.add({ trace, span: String(span), parent: '0', moment: 'cs', master: 'A.A', slave: 'B.B', function: 'f', time: 1, ret: '', data: '', exception: '' }, 'A.A')
    for (let span = 0; span < 105; span++) add('wide', span)
    add('wide', 5)
    expect(collector.size).toEqual({ living: 1, lost: 5 })
    for (let trace = 0; trace < 5; trace++) for (let span = 0; span < 100; span++) add(`t${trace}`, span)
    await collector.settle()
    expect([collector.size, over]).toEqual([{ living: 5, lost: 5 }, [100]])
    expect(store.ask((found) => found.trace('20260305', 'wide'))?.spans.size).toBe(100)
  })

  test('a call that made a hundred thousand others is put in order without delay', () => {
    const spans = Array.from({ length: 100_000 }, (_, index) => ({ span: `s${index}`, parent: 's0', master: 'A.A', slave: 'B.B', function: 'f', ret: '', exception: '', times: {}, data: {} }))
    expect(byDepth({ trace: 't', spans: new Map(spans.map((span) => [span.span, span])) })).toHaveLength(100_000)
  })

  test('times that somebody made up are not too much for the sums of all', () => {
    const store = new SqliteTraceStore(':memory:', silentLogger)
    onTestFinished(() => store.close())
    for (const trace of ['long', 'longer']) {
      for (let call = 0; call < 1000; call++) store.addLines('20260305', [line(trace, `s${call}`, '', 'cs', 'A.A', 'B.B', 'f', 0), line(trace, `s${call}`, '', 'cr', 'A.A', 'B.B', 'f', 10 ** 13 - 1)].map((text) => parseTraceLine(text) as TraceLine))
      store.finish([{ day: '20260305', trace, start: 0, end: 10 ** 13 - 1 }])
    }
    expect(store.ask((found) => found.graphs('20260305', 'server', 'B.B'))[0]?.vertexes).toEqual([{ name: 'A.A', callCount: 0, callTime: 0 }, { name: 'B.B', callCount: 2000, callTime: 2000 * 86_400_000 }])
  })

  test('calls in a ring end', () => {
    const trace = traceOf([line('t', 'a', 'b', 'cs', 'X.Y', 'A.B', 'f', 1), line('t', 'b', 'a', 'cs', 'A.B', 'X.Y', 'f', 2), line('t', 'r', 'r', 'cs', 'R.R', 'A.B', 'f', 3)])
    expect(byDepth(trace).map(({ span, depth }) => `${span.span}${depth}`)).toEqual(['r1'])
  })
})

describe('a flood of lines', () => {
  const clock = { now: () => new Date(2026, 2, 5, 12).getTime(), monotonic: () => 1 }
  function collecting(more: Partial<ConstructorParameters<typeof TraceCollector>[0]> = {}) {
    const store = new SqliteTraceStore(':memory:', silentLogger)
    const collector = new TraceCollector({ store, clock, log: silentLogger, gatherMs: 1_000_000, ...more })
    onTestFinished(async () => {
      await collector.stop()
      store.close()
    })
    const add = (owner: string, ...parts: Parameters<typeof line>) => collector.add(parseTraceLine(line(...parts)) as TraceLine, owner)
    return { collector, store, add }
  }

  test('of one server takes a quarter of a day, and one of many the day; what is beyond is lost, and another day begins anew', () => {
    let nowMs = clock.now()
    const { collector, add } = collecting({ dayBytes: () => 256 * 1000, clock: { ...clock, now: () => nowMs } })
    for (let index = 0; index < 2000; index++) add('Evil.Pod', `e${index}`, 's', 's', 'cs', 'Evil.Pod', 'A.B', 'f', 1)
    expect(collector.size).toEqual({ living: 250, lost: 1750 })
    add('Bank.Vault', 'v', 's', 's', 'cs', 'Bank.Vault', 'A.B', 'f', 1)
    expect(collector.size).toEqual({ living: 251, lost: 1750 })
    for (let owner = 0; owner < 10; owner++) for (let index = 0; index < 200; index++) add(`Owner.${owner}`, `o${owner}-${index}`, 's', 's', 'cs', 'X.Y', 'A.B', 'f', 1)
    expect(collector.size).toEqual({ living: 1000, lost: 3001 })
    nowMs += 86_400_000
    add('Evil.Pod', 'next', 's', 's', 'cs', 'Evil.Pod', 'A.B', 'f', 1)
    expect(collector.size).toEqual({ living: 1001, lost: 3001 })
  })

  test('with much in each: traces that go on keep so much in memory, and so much waits to be written', async () => {
    const ended: [string, number][] = []
    const { collector, store, add } = collecting({ onTrace: ({ trace }, bytes) => void ended.push([trace, bytes]) })
    const addSome = (from: number, to: number): void => {
      for (let index = from; index < to; index++) add('A.B', `t${index}`, 's', 's', 'cs', 'A.B', 'C.D', 'f', 1, '', 'x'.repeat(750_000))
    }
    // 64 MiB wait, 1 MB each.
    addSome(0, 100)
    expect(collector.size).toEqual({ living: 67, lost: 33 })
    for (let index = 100; index < 233; index += 50) {
      await collector.flush()
      addSome(index, Math.min(index + 50, 233))
    }
    // The first one may be what began before all of them had come.
    await collector.settle()
    await collector.settle()
    // 128 MiB in all.
    expect([collector.size, ended.length]).toEqual([{ living: 134, lost: 33 }, 66])
    expect(ended[0]).toEqual(['t0', 1_000_256])
    expect(store.ask((found) => found.trace('20260305', 't0'))?.spans.size).toBe(1)
  })
})

describe('OTLP', () => {
  const { resourceSpans } = otlpRequest([traceOf(chain('t', 1_772_683_200_000))])
  const spans = resourceSpans.flatMap(({ resource, scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans.map((span) => ({ service: (resource.attributes[0]?.value as { stringValue: string } | undefined)?.stringValue, ...span }))))

  test('each end of a call is a span of its service, under the right one', () => {
    const find = (service: string, kind: number, method: string) => spans.find((span) => span.service === service && span.kind === kind && span.name.endsWith(`/${method}`))
    const [entry, client, server] = [find('Web.Gate', 1, 'index'), find('Web.Gate', 3, 'hello'), find('Demo.A', 2, 'hello')]
    expect(spans.map(({ service, kind }) => `${service} ${kind}`).toSorted()).toEqual(['Demo.A 2', 'Demo.A 3', 'Demo.A 3', 'Web.Gate 1', 'Web.Gate 3'])
    expect(entry).not.toHaveProperty('parentSpanId')
    expect(client?.parentSpanId).toBe(entry?.spanId)
    expect(server?.parentSpanId).toBe(client?.spanId)
    expect(find('Demo.A', 3, 'work')?.parentSpanId).toBe(server?.spanId)
  })

  test('ids, times and outcomes have the form that OTLP wants', () => {
    expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1)
    expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(5)
    for (const { traceId, spanId, startTimeUnixNano, endTimeUnixNano } of spans) {
      expect(traceId).toMatch(/^[0-9a-f]{32}$/)
      expect(spanId).toMatch(/^[0-9a-f]{16}$/)
      expect(BigInt(endTimeUnixNano) >= BigInt(startTimeUnixNano)).toBe(true)
      expect(startTimeUnixNano).toMatch(/^17726832\d{11}$/)
    }
    expect(spans.filter(({ status }) => status !== undefined).map(({ status }) => status)).toEqual([{ code: 2, message: 'timed out|after 3 ms' }])
  })

  test('the latest time that is read has room in what OTLP sends', () => {
    const [resource] = otlpRequest([traceOf([line('t', 's', 's', 'cs', 'A.A', 'B.B', 'f', 10 ** 13 - 1)])]).resourceSpans
    expect(BigInt(resource?.scopeSpans[0]?.spans[0]?.startTimeUnixNano ?? -1)).toSatisfy((nanos: bigint) => nanos > 0n && nanos < 2n ** 64n)
  })

  test('a trace id of W3C form stays', () => {
    const id = '4bf92f35-77b3-4da6-a3ce-929d0e0e4736'
    const trace = { trace: id, spans: traceOf(chain('t', 1)).spans }
    expect(otlpRequest([trace]).resourceSpans[0]?.scopeSpans[0]?.spans[0]?.traceId).toBe('4bf92f3577b34da6a3ce929d0e0e4736')
  })
})

describe('served', () => {
  let folder: string
  let running: RunningLog
  let log: LogProxy
  let topology: TopologyProxy
  const communicator = new Communicator({ timeoutMs: 60_000 })
  let nowMs = new Date(2026, 2, 5, 12).getTime()
  const clock = { now: () => nowMs, monotonic: () => nowMs }
  const never = { maxAgeMs: Infinity, gzipAgeMs: Infinity, maxBytes: Infinity }
  const start = (more: Partial<LogOptions> = {}): Promise<RunningLog> =>
    startLog({ address: '127.0.0.1', ports: { log: 0, topology: 0 }, path: join(folder, 'logs'), data: join(folder, 'index'), namesNode: true, conf: undefined, keeping: never, traceDays: 7, openFiles: 16, otlp: undefined, healthPort: undefined, clock, log: silentLogger, ...more })
  const logOf = (one: RunningLog) => communicator.proxy<LogProxy>(Log, `tars.tarslog.LogObj@tcp -h 127.0.0.1 -p ${one.ports.log}`)
  const topologyOf = (one: RunningLog) => communicator.proxy<TopologyProxy>(Topology, `tars.tarslog.TopologyObj@tcp -h 127.0.0.1 -p ${one.ports.topology}`)
  const until = async (check: () => Promise<boolean>): Promise<void> => {
    while (!(await check())) await new Promise((resolve) => setTimeout(resolve, 5))
  }
  const info = createLogInfo({ appname: 'Demo', servername: 'A', sFilename: '_t_trace_', sFormat: '%Y%m%d', sSepar: '#', setdivision: 'a.b.c' })
  const day = '20260305'

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tarsk8s-traces-'))
    running = await start()
    log = logOf(running)
    topology = topologyOf(running)
    // Malformed lines in between harm nobody ([!]).
    await log.loggerbyInfo(info, ['nonsense\n', ...chain('t1', nowMs), '|||||||||||\n'], { context: { node_name: 'demo-a-0' } })
    await log.loggerbyInfo(info, chain('t2', nowMs + 1000))
    await log.loggerbyInfo(info, [line('t3', 's', 's', 'cs', 'Demo.A', 'Demo.C', 'other', nowMs + 500), line('t3', 's', 's', 'cr', 'Demo.A', 'Demo.C', 'other', nowMs + 600)])
    nowMs += 3000
    await until(async () => (await topology.listTrace(day, 'Demo.A')).ts.length === 3)
  })
  afterAll(async () => {
    await communicator.close()
    await running?.stop()
    await rm(folder, { recursive: true, force: true })
  })

  test('the lines are in the file of traces, with who wrote them (4.4)', async () => {
    const text = await readFile(join(folder, 'logs/_tars_/_trace_/_tars_._trace___t_trace__20260305.log'), 'utf8')
    expect(text.split('\n').slice(0, 2)).toEqual(['demo-a-0|Demo|A|nonsense', `demo-a-0|Demo|A|${(chain('t1', nowMs - 3000)[0] ?? '').trimEnd()}`])
  })

  test('graphs of a server: one for each kind of trace, the frequent first', async () => {
    const { return: code, graph } = await topology.graphServer(day, 'Demo.A')
    expect(code).toBe(0)
    expect(graph.map(({ vs }) => vs.map(({ vertex, callCount, callTime }) => `${vertex} ${callCount} ${callTime}`))).toEqual([
      ['Demo.A 2 16', 'Demo.B 4 10', 'Web.Gate 2 26'], ['Demo.A 0 0', 'Demo.C 1 100'],
    ])
    expect(graph[0]?.es.map(({ fromVertex, toVertex, callCount, order }) => `${fromVertex} ${toVertex} ${callCount} ${order}`)).toEqual(['Web.Gate Demo.A 2 2', 'Demo.A Demo.B 4 3'])
    expect((await topology.graphServer(day, 'No.Body')).graph).toEqual([])
  })

  test('graphs of a function', async () => {
    const { fs } = await topology.listFunction(day, 'Demo.A')
    expect(fs).toEqual(['Demo.A.hello'])
    const { graph } = await topology.graphFunction(day, fs[0] ?? '')
    expect(graph.map(({ vs }) => vs.map(({ vertex, callCount }) => `${vertex} ${callCount}`))).toEqual([['Demo.A.hello 2', 'Demo.B.work 4', 'Web.Gate.index 2']])
  })

  test('one trace, call by call', async () => {
    const { return: code, graph: { es, vs } } = await topology.graphTrace(day, 't1')
    expect(code).toBe(0)
    expect(vs.map(({ vertex, callCount, callTime }) => `${vertex} ${callCount} ${callTime}`)).toEqual(['Web.Gate 0 0', 'Web.Gate.index 1 13', 'Demo.A.hello 1 8', 'Demo.B.work 2 5'])
    const start = BigInt(nowMs - 3000)
    expect(es[0]).toMatchObject({ fromVertex: 'Web.Gate', toVertex: 'Web.Gate.index', callTime: 13n, csTime: start, srTime: 0n, ssTime: 0n, crTime: start + 13n })
    expect(es[1]).toMatchObject({ fromVertex: 'Web.Gate.index', toVertex: 'Demo.A.hello', callTime: 11n, spanId: 's1', order: 2, ret: '0', csData: base64('request'), ssData: base64('response'), csTime: start + 1n, srTime: start + 2n, ssTime: start + 10n, crTime: start + 12n })
    expect(es.map(({ spanId, order }) => `${spanId} ${order}`)).toEqual(['s0 1', 's1 2', 's2 3', 's3 3'])
    expect(es[3]?.ret).toBe('-7')
  })

  test('calls of one depth are in the order of their time', async () => {
    await log.loggerbyInfo(info, [line('ordered', 'a', 'a', 'cs', 'Or.Dered', 'Demo.D', 'f', 2), line('ordered', 'z', 'z', 'cs', 'Or.Dered', 'Demo.D', 'f', 1)])
    expect((await topology.graphTrace(day, 'ordered')).graph.es.map(({ spanId }) => spanId)).toEqual(['z', 'a'])
  })

  test('traces by time, the newest first', async () => {
    const names = async (begin: number, end: number) => (await topology.listTraceSummary(day, BigInt(begin), BigInt(end), 'Demo.A')).ts.map(({ name }) => name)
    expect(await names(0, Number.MAX_SAFE_INTEGER)).toEqual(['t2', 't3', 't1'])
    expect(await names(nowMs - 2900, nowMs - 2100)).toEqual(['t3'])
    expect((await topology.listTraceSummary(day, 0n, BigInt(nowMs), 'Demo.C')).ts).toEqual([{ name: 't3', startTime: BigInt(nowMs - 2500), endTime: BigInt(nowMs - 2400) }])
  })

  test('other days, traces that are none, and dates that are none', async () => {
    expect((await topology.listTrace('20260304', 'Demo.A')).ts).toEqual([])
    expect((await topology.graphTrace(day, 'none')).return).toBe(-1)
    for (const date of ['', '2026-03-05', "' OR 1 --"]) {
      expect((await topology.graphServer(date, 'x')).return).toBe(-1)
      expect((await topology.graphFunction(date, 'x')).return).toBe(-1)
      expect((await topology.graphTrace(date, 'x')).return).toBe(-1)
      expect((await topology.listFunction(date, 'x')).return).toBe(-1)
      expect((await topology.listTrace(date, 'x')).return).toBe(-1)
      expect((await topology.listTraceSummary(date, 0n, 1n, 'x')).return).toBe(-1)
    }
  })

  test('a trace that misses something is over later; one that goes on is found again after a restart, and counted once', async () => {
    const folderOfOne = await mkdtemp(join(folder, 'restart-'))
    const options = { path: join(folderOfOne, 'logs'), data: join(folderOfOne, 'index') }
    const [head, tail] = [chain('r', nowMs).slice(0, 4), chain('r', nowMs).slice(4)]
    const first = await start(options)
    await logOf(first).loggerbyInfo(info, head)
    await first.stop()
    const second = await start(options)
    await logOf(second).loggerbyInfo(info, tail)
    nowMs += 3000
    const found = topologyOf(second)
    await until(async () => (await found.listTrace(day, 'Demo.B')).ts.length === 1)
    expect((await found.graphServer(day, 'Demo.B')).graph[0]?.vs.map(({ vertex, callCount }) => `${vertex} ${callCount}`)).toEqual(['Demo.A 1', 'Demo.B 2', 'Web.Gate 1'])
    // Somebody tells of it once more.
    await logOf(second).loggerbyInfo(info, chain('r', nowMs))
    await logOf(second).loggerbyInfo(info, head.map((text) => text.replaceAll('|r|', '|cut|')))
    nowMs += 3000
    await logOf(second).loggerbyInfo(info, [line('mark', 's', 's', 'cs', 'M.M', 'N.N', 'f', 1), line('mark', 's', 's', 'cr', 'M.M', 'N.N', 'f', 2)])
    nowMs += 3000
    await until(async () => (await found.listTrace(day, 'N.N')).ts.length === 1)
    expect((await found.listTrace(day, 'Demo.A')).ts).toEqual(['r'])
    expect((await found.graphServer(day, 'Demo.B')).graph[0]?.vs.map(({ callCount }) => callCount)).toEqual([1n, 2n, 1n])
    nowMs += 100_000
    await until(async () => (await found.listTrace(day, 'Demo.A')).ts.length === 2)
    await second.stop()
  })

  test.each([['its head', 0], ['all but its head', 1]] as const)('an index that is damaged in %s is set aside, for as long as its days, and tarslog goes on', async (_where, from) => {
    const own = await mkdtemp(join(folder, 'damaged-'))
    const options = { path: join(own, 'logs'), data: join(own, 'index') }
    const file = join(own, 'index/traces.sqlite')
    const first = await start(options)
    for (let index = 0; index < 50; index++) await logOf(first).loggerbyInfo(info, chain(`before${index}`, nowMs))
    await first.stop()
    const handle = openSync(file, 'r+')
    for (let page = from; page * 4096 < statSync(file).size; page++) writeSync(handle, Buffer.alloc(4096, 0xa5), 0, 4096, page * 4096)
    closeSync(handle)
    const second = await start(options)
    onTestFinished(() => second.stop())
    await logOf(second).loggerbyInfo(info, chain('after', nowMs))
    expect((await topologyOf(second).graphTrace(day, 'after')).return).toBe(0)
    expect((await topologyOf(second).graphTrace(day, 'before1')).return).toBe(-1)
    expect(existsSync(`${file}.broken`)).toBe(true)
    utimesSync(`${file}.broken`, nowMs / 1000, nowMs / 1000 - 7 * 86_400)
    await second.sweep()
    expect(existsSync(`${file}.broken`)).toBe(true)
    utimesSync(`${file}.broken`, nowMs / 1000, nowMs / 1000 - 8 * 86_400)
    await second.sweep()
    expect(existsSync(`${file}.broken`)).toBe(false)
  })

  test('the heaviest question, asked again and again, has no line wait; its answer ends with the graph in which it has enough', async () => {
    const own = await mkdtemp(join(folder, 'heavy-'))
    const data = join(own, 'index')
    const [traces, callsATrace] = [12, 5000]
    const store = new SqliteTraceStore(data, silentLogger)
    for (let index = 0; index < traces; index++) {
      const trace = `t${index}`
      store.addLines(day, Array.from({ length: callsATrace }, (_, call): TraceLine => ({ trace, span: `s${call}`, parent: '', moment: 'cs', master: 'Hub.Hub', slave: `Leaf${index}.Server${call}`, function: 'f', time: 1, ret: '', data: '', exception: '' })))
      store.finish([{ day, trace, start: 1, end: 2 }])
    }
    store.close()
    const one = await start({ path: join(own, 'logs'), data })
    onTestFinished(() => one.stop())
    const [to, asked] = [logOf(one), topologyOf(one)]
    for (let round = 0; round < 3; round++) {
      let answered = false
      const question = asked.graphServer(day, 'Hub.Hub').finally(() => (answered = true))
      let lines = 0
      for (; !answered; lines++) await to.logger('App', 'Server', '', '%Y', ['x\n'])
      // Held up, the first would have its answer behind the question's.
      expect(lines).toBeGreaterThan(1)
      // Ten have 5001 servers and 5000 calls each.
      expect((await question).graph).toHaveLength(10)
    }
  })

  test.each([['ten thousand calls', 10_001, 1, 10_000], ['eight million characters', 20, 1_000_000, 9]])('of a trace that goes on and on, as much is shown as %s have', async (_what, calls, characters, shown) => {
    const data = join(await mkdtemp(join(folder, 'endless-')), 'index')
    const store = new SqliteTraceStore(data, silentLogger)
    const calling = (call: number): TraceLine => ({ trace: 't', span: `s${call}`, parent: '', moment: 'cs', master: 'A.A', slave: 'B.B', function: 'f', time: 1, ret: '', data: 'x'.repeat(characters), exception: '' })
    for (let call = 0; call < calls; call += 1000) store.addLines(day, Array.from({ length: Math.min(1000, calls - call) }, (_, index) => calling(call + index)))
    store.close()
    const one = await start({ path: join(data, '../logs'), data })
    onTestFinished(() => one.stop())
    expect((await topologyOf(one).graphTrace(day, 't')).graph.es).toHaveLength(shown)
  })

  test('days that are old are forgotten', () => {
    const store = new SqliteTraceStore(':memory:', silentLogger)
    const old = parseTraceLine(chain('t', 1)[0] ?? '') as TraceLine
    for (const one of ['20260301', '20260302']) store.addLines(one, [old])
    expect([store.forgetSome('20260302'), store.forgetSome('20260302'), store.forgetSome('20260302')]).toEqual([{ rows: 1, traces: 0 }, { rows: 1, traces: 1 }, { rows: 0, traces: 0 }])
    expect(['20260301', '20260302'].map((one) => store.ask((found) => found.trace(one, 't'))?.spans.size)).toEqual([undefined, 1])
    store.close()
  })

  test('they are sent to a collector, again when it fails, and metrics say so', async () => {
    const bodies: { resourceSpans: unknown[] }[] = []
    const statuses = [503, 200]
    const headers: (string | undefined)[] = []
    const collector = http.createServer((request, response) => {
      let text = ''
      request.setEncoding('utf8').on('data', (chunk: string) => (text += chunk)).on('end', () => {
        const status = statuses.shift() ?? 200
        headers.push(request.headers.authorization, request.headers['content-type'], request.url)
        if (status === 200) bodies.push(JSON.parse(text) as { resourceSpans: unknown[] })
        response.writeHead(status).end('{}')
      })
    })
    collector.listen(0, '127.0.0.1')
    await once(collector, 'listening')
    const { port } = collector.address() as AddressInfo
    const { otlp } = logEnv({ PodIP: '127.0.0.1', OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}/`, OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20x' })
    const own = await start({ path: join(folder, 'otlp'), data: join(folder, 'otlp-index'), otlp, healthPort: 0 })
    onTestFinished(async () => {
      await own.stop()
      collector.close()
    })
    await logOf(own).loggerbyInfo(info, chain('t', nowMs))
    nowMs += 3000
    await until(() => Promise.resolve(bodies.length === 1))
    expect(headers.slice(0, 3)).toEqual(['Bearer x', 'application/json', '/v1/traces'])
    expect(bodies[0]?.resourceSpans).toHaveLength(2)
    await until(async () => /^tarslog_exported_traces_total 1$/m.test(await (await fetch(`http://127.0.0.1:${own.healthPort}/metrics`)).text()))
  })
})

describe('environment', () => {
  test('defaults', () => {
    expect(logEnv({ PodIP: '1.2.3.4' })).toEqual({
      namespace: '', callers: { mode: 'enforce', trusts: everyone },
      address: '1.2.3.4', ports: { log: 12111, topology: 13030 }, path: '/usr/local/app/tars/remote_app_log', data: '/usr/local/app/tars/remote_app_log/.index', namesNode: true, conf: undefined,
      keeping: { maxAgeMs: 30 * 86_400_000, gzipAgeMs: 48 * 3_600_000, maxBytes: undefined }, traceDays: 7, openFiles: 512, otlp: undefined, healthPort: undefined,
    })
    expect(logEnv({ PodIP: 'x', TARSLOG_DAYS: '0', TARSLOG_GZIP_HOURS: '0', TARSLOG_QUOTA: '0' }).keeping).toEqual({ maxAgeMs: Infinity, gzipAgeMs: Infinity, maxBytes: Infinity })
  })

  test.each([['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4317'], ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'collector:4317'], ['TARSLOG_DAYS', '-1'], ['TARSLOG_PORT', 'x']])('%s=%s is refused by name', (name, value) => {
    expect(() => logEnv({ PodIP: 'x', [name]: value })).toThrow(new RegExp(name))
  })

  test.each(['authorization=Basic 100%', 'not a name=x', 'x=a%0ab'])('headers of OTLP that are none are refused by name, without what they are: %s', (headers) => {
    const refused = (): unknown => logEnv({ PodIP: 'x', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318', OTEL_EXPORTER_OTLP_HEADERS: headers })
    expect(refused).toThrow(/OTEL_EXPORTER_OTLP_HEADERS/)
    expect(refused).not.toThrow(headers)
  })
})
