import { mkdir } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { systemClock, type Clock } from '#base/clock.ts'
import { labels } from '#api/names.ts'
import { Failure } from '#base/errors.ts'
import { HttpOutbox } from '#base/http-outbox.ts'
import { startHealth } from '#base/health.ts'
import { Lifetime, type Running } from '#base/lifecycle.ts'
import type { Logger } from '#base/log.ts'
import { metricsOf } from '#base/metrics.ts'
import { CallerCheck, noCallers, startCallerCheck, uncheckedCallers, type CallerCheckStart, type CallerSettings } from '#kube/caller-check.ts'
import type { Accounts } from '#tars/auth.ts'
import { ConfFile } from '#tars/conf-file.ts'
import { LogView } from '#tars/protocol/LogView.ts'
import { Topology } from '#tars/protocol/Topology.ts'
import { serveTars } from '#tars/serve.ts'
import { RequestCounters } from '#tars/server.ts'
import type { TlsSettings } from '#tars/tls.ts'
import type { LogEnv } from './env.ts'
import { LogFiles } from './files/log-files.ts'
import { freeBytes, sweep } from './files/sweep.ts'
import { logInterface } from './log-codec.ts'
import { logServant, type LogServantOptions } from './log-servant.ts'
import { noOverrides, parseOverrides } from './model/overrides.ts'
import { strftime } from './model/strftime.ts'
import { topologyServant } from './topology-servant.ts'
import { TraceCollector } from './trace/collector.ts'
import { otlpRequest } from './trace/otlp.ts'
import type { Unfinished } from './trace/store.ts'
import { TraceIndex } from './trace/trace-index.ts'
import type { Trace } from './trace/trace.ts'
import { viewServant } from './view-servant.ts'

export interface LogOptions extends Omit<LogEnv, 'callers' | 'namespace'> {
  /** Servants speak TLS, too or only. Default: they do not. */
  readonly tls?: TlsSettings | undefined
  /** Which of its objects want an account. Default: none. */
  readonly accounts?: Accounts | undefined
  /** Who is believed to write its own logs, and how its pods are known. Default: everybody. */
  readonly callers?: (CallerSettings & Pick<CallerCheckStart, 'client' | 'namespace'>) | undefined
  readonly log: Logger
  readonly clock?: Clock
  /** Milliseconds between passes over old logs. Default ten minutes. */
  readonly sweepEveryMs?: number
  /** See TraceCollector. */
  readonly quietMs?: number
  readonly overtimeMs?: number
}

export interface RunningLog extends Running {
  readonly ports: { readonly log: number; readonly topology: number }
  /** Of /livez, /readyz and /metrics; undefined when they are not served. */
  readonly healthPort: number | undefined
  /** One pass over old logs and traces. */
  sweep(): Promise<void>
}

const drainMs = 5000
/** Its pods may read the logs of all, for those who show them. */
const frameworkApp = 'tars'
const dayMs = 86_400_000
/** Bytes that come in, at least, before old logs are looked at out of turn. */
const leastStep = 1 << 20

/** Serves LogObj and TopologyObj. It waits for the API server no longer than a moment, which only tells whose pods write. */
export async function startLog(options: LogOptions): Promise<RunningLog> {
  const lifetime = new Lifetime()
  try {
    return await start(options, lifetime)
  } catch (error) {
    await lifetime.stop().catch(() => {})
    throw error
  }
}

async function start(options: LogOptions, lifetime: Lifetime): Promise<RunningLog> {
  const { address, path, log, clock = systemClock } = options
  await mkdir(path, { recursive: true }).catch((cause: unknown) => {
    throw new Failure('LOG_PATH', `logs cannot be kept in ${path}`, { cause, remedy: 'set TARSLOG_PATH to a folder that can be written to' })
  })
  const files = new LogFiles({ root: path, clock, maxOpen: options.openFiles })
  lifetime.onStop(() => files.stop())
  const room = await roomOf(options)
  const index = new TraceIndex(options.data, log)
  lifetime.onStop(() => index.close())
  const check = await startCheck(options, lifetime)
  const pass = startSweeping(options, { files, index, check, room }, lifetime)
  // On a disk that is full it has room once old logs went.
  const unfinished = await index.unfinished().catch(() => pass().then(() => index.unfinished()))
  const traces = startTraces(options, { index, unfinished, maxBytes: () => room.bytes / 2 }, lifetime)
  const append = appender(room, files, pass)
  const servants = {
    log: { interface: logInterface(), servant: logServant({ append, namesNode: options.namesNode, overrides: startConf(options, lifetime), onTraceLine: (line, owner) => traces.collector.add(line, owner), check, clock }) },
    topology: { interface: Topology, servant: topologyServant({ answer: (question) => index.answer(question), flush: () => traces.collector.flush() }) },
    view: { interface: LogView, servant: viewServant(path, check.byApp(frameworkApp), log) },
  }
  const counters = new RequestCounters()
  const [one, other] = await serveTars({
    adapters: [
      { endpoint: `tcp -h ${address} -p ${options.ports.log} -t 60000`, servants: { 'tars.tarslog.LogObj': servants.log } },
      { endpoint: `tcp -h ${address} -p ${options.ports.topology} -t 60000`, servants: { 'tars.tarslog.TopologyObj': servants.topology, 'tars.tarslog.LogViewObj': servants.view } },
    ],
    log,
    tls: options.tls,
    accounts: options.accounts,
    metrics: counters,
  }, lifetime, drainMs)
  const health = options.healthPort === undefined ? undefined : lifetime.own(await startHealth({ host: address, port: options.healthPort, problem: () => undefined, metrics: () => metricsText(files, traces) + counters.text() + check.metrics() }))
  log.info('log serves', { address, log: one?.port, topology: other?.port, health: health?.port, path })
  return Object.assign(lifetime, { ports: { log: one?.port ?? 0, topology: other?.port ?? 0 }, healthPort: health?.port, sweep: pass })
}

async function startCheck({ callers, log }: LogOptions, lifetime: Lifetime): Promise<CallerCheck> {
  if (callers === undefined) return new CallerCheck({ ...uncheckedCallers, callers: noCallers, log })
  return startCallerCheck({ ...callers, ownerLabels: [labels.app, labels.server], log }, lifetime)
}

/** For logs and the index of traces. */
interface Room {
  readonly bytes: number
  /** Old logs went. */
  look(): Promise<void>
}

/** The quota, or the most that was free: a disk that is full at the start has room once old logs went. */
async function roomOf({ path, keeping: { maxBytes } }: LogOptions): Promise<Room> {
  let bytes = maxBytes ?? await freeBytes(path)
  return {
    get bytes() {
      return bytes
    },
    async look() {
      bytes = maxBytes ?? Math.max(bytes, await freeBytes(path))
    },
  }
}

/** What comes in beyond a part of the room has old logs put away at once: a flood must not fill the disk before the next pass. */
function appender(room: Room, files: LogFiles, pass: () => Promise<void>): LogServantOptions['append'] {
  let written = 0
  return (file, bytes, mayBegin) => {
    written += bytes.length
    if (written > Math.max(leastStep, room.bytes / 16)) {
      written = 0
      void pass()
    }
    return files.append(file, bytes, mayBegin)
  }
}

/** A trace that is over, and what it takes. */
interface Exported {
  readonly trace: Trace
  readonly kib: number
}

/** In one request, and while nobody takes them, KiB. */
const exporting = { batch: 1024, capacity: 64 * 1024 } as const

interface Traces {
  readonly collector: TraceCollector
  readonly exporter: HttpOutbox<Exported> | undefined
}

interface TraceParts {
  readonly index: TraceIndex
  readonly unfinished: readonly Unfinished[]
  /** Of the index, about. */
  readonly maxBytes: () => number
}

function startTraces({ otlp, traceDays, log, clock = systemClock, quietMs, overtimeMs }: LogOptions, { index, unfinished, maxBytes }: TraceParts, lifetime: Lifetime): Traces {
  const exporter = otlp === undefined ? undefined : new HttpOutbox<Exported>({ ...otlp, ...exporting, weigh: ({ kib }) => kib, body: (some) => otlpRequest(some.map(({ trace }) => trace)), remedy: 'check OTEL_EXPORTER_OTLP_ENDPOINT and OTEL_EXPORTER_OTLP_HEADERS', log })
  if (exporter !== undefined) lifetime.own(exporter)
  const times = { ...(quietMs === undefined ? {} : { quietMs }), ...(overtimeMs === undefined ? {} : { overtimeMs }) }
  const collector = lifetime.own(new TraceCollector({ store: index, clock, log, dayBytes: () => maxBytes() / (traceDays + 1), ...times, onTrace: (trace, bytes) => exporter?.add({ trace, kib: Math.ceil(bytes / 1024) }) }, unfinished))
  return { collector, exporter }
}

function startConf({ conf, log }: LogOptions, lifetime: Lifetime) {
  if (conf === undefined) return () => noOverrides
  const file = lifetime.own(new ConfFile({ path: conf, parse: parseOverrides, initial: noOverrides, log }))
  return () => file.settings
}

/** @returns one pass; passes do not overlap */
function startSweeping({ path, data, keeping, traceDays, log, clock = systemClock, sweepEveryMs = 600_000 }: LogOptions, { files, index, check, room }: { readonly files: LogFiles; readonly index: TraceIndex; readonly check: CallerCheck; readonly room: Room }, lifetime: Lifetime): () => Promise<void> {
  const abort = new AbortController()
  let running: Promise<void> | undefined
  const pass = async (): Promise<void> => {
    try {
      const done = await sweep({ root: path, keeping, now: clock.now(), isLog: (file) => !file.startsWith(join(data, sep)), isBusy: (file) => files.isBusy(file), isApp: (name) => check.isApp(name), log, signal: abort.signal })
      await room.look()
      const traces = await index.forgetBefore(strftime('%Y%m%d', new Date(clock.now() - traceDays * dayMs)), abort.signal)
      if (done.removed + done.compressed + traces > 0) log.info('old logs put away', { ...done, traces })
    } catch (error) {
      if (!abort.signal.aborted) log.error('old logs not put away', { error })
    }
  }
  const once = (): Promise<void> => (running ??= pass().finally(() => (running = undefined)))
  const timer = setInterval(() => void once(), sweepEveryMs)
  lifetime.onStop(async () => {
    clearInterval(timer)
    abort.abort()
    await running
  })
  return once
}

function metricsText(files: LogFiles, { collector, exporter }: Traces): string {
  const metric = metricsOf('tarslog_')
  const { open, waitingBytes, oldestWriteMs } = files.size
  const { living, lost } = collector.size
  const exported = exporter?.size
  return [
    metric('open_files', 'Logs that are open.', [[open]]),
    metric('waiting_bytes', 'Bytes of logs that are not written yet.', [[waitingBytes]]),
    metric('oldest_write_seconds', 'How long the disk has taken for what it was given first, and has not taken yet.', [[oldestWriteMs / 1000]]),
    metric('traces_living', 'Traces that go on.', [[living]]),
    metric('trace_lines_lost_total', 'Lines that are in no trace: the index could not be written to, or has no more room for their server, or their trace.', [[lost]]),
    metric('exported_traces_total', 'Traces sent by OTLP.', exported === undefined ? [] : [[exported.sent]]),
    metric('export_lost_traces_total', 'Traces that OTLP did not take.', exported === undefined ? [] : [[exported.lost]]),
  ].join('')
}
