import { join } from 'node:path'
import { readEnv, type EnvReader } from '#base/env.ts'
import { Failure } from '#base/errors.ts'
import type { Environment } from '#base/lifecycle.ts'
import { callerEnv, type CallerSettings } from '#kube/caller-check.ts'
import type { Keeping } from './files/sweep.ts'

export interface LogEnv {
  readonly namespace: string
  /** Whether a pod may write logs of another server; see callerEnv. Default: it may not. */
  readonly callers: CallerSettings
  readonly address: string
  /** TARSLOG_PORT and TARSLOG_TOPOLOGY_PORT: ports of LogObj and TopologyObj. */
  readonly ports: { readonly log: number; readonly topology: number }
  /** TARSLOG_PATH: folder of the logs. */
  readonly path: string
  /** TARSLOG_DATA: folder of the index of traces. Default: `.index` below the logs. */
  readonly data: string
  /** TARSLOG_IPFIX: each line begins with who wrote it. */
  readonly namesNode: boolean
  /** TARSLOG_CONF: file in TC_Config form with /tars/log/format and /tars/log/logtype; read anew when it changes. */
  readonly conf: string | undefined
  /** TARSLOG_DAYS, TARSLOG_GZIP_HOURS, TARSLOG_QUOTA (bytes): 0 is never, never, and any number. Without a quota a fifth of the disk stays free. */
  readonly keeping: Keeping
  /** TARSLOG_TRACE_DAYS: days that traces are found. */
  readonly traceDays: number
  /** TARSLOG_OPEN_FILES */
  readonly openFiles: number
  /** OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, or OTEL_EXPORTER_OTLP_ENDPOINT to which /v1/traces is added; and OTEL_EXPORTER_OTLP_HEADERS (OpenTelemetry, "OTLP Exporter Configuration"). */
  readonly otlp: { readonly url: string; readonly headers: Readonly<Record<string, string>> } | undefined
  /** TARSLOG_HEALTH_PORT: /livez, /readyz and /metrics over HTTP; not served when absent. */
  readonly healthPort: number | undefined
}

/** In K8SFramework's charts (framework-services 0.1). */
const defaults = { log: 12111, topology: 13030, path: '/usr/local/app/tars/remote_app_log' } as const
const ports = { min: 0, max: 65535 } as const
const hourMs = 3_600_000

/** @throws Failure ENV_INVALID */
export function logEnv(env: Environment): LogEnv {
  const read = readEnv(env)
  const path = read.optional('TARSLOG_PATH', defaults.path)
  const health = read.integer('TARSLOG_HEALTH_PORT', -1, { ...ports, min: -1 })
  const orNever = (value: number): number => (value === 0 ? Infinity : value)
  return Object.freeze({
    namespace: read.optional('Namespace', ''),
    callers: callerEnv(env, 'enforce'),
    address: read.required('PodIP'),
    ports: { log: read.integer('TARSLOG_PORT', defaults.log, ports), topology: read.integer('TARSLOG_TOPOLOGY_PORT', defaults.topology, ports) },
    path,
    data: read.optional('TARSLOG_DATA', join(path, '.index')),
    namesNode: read.boolean('TARSLOG_IPFIX', true),
    conf: read.optional('TARSLOG_CONF'),
    keeping: {
      maxAgeMs: orNever(read.integer('TARSLOG_DAYS', 30, { min: 0, max: 36_500 })) * 24 * hourMs,
      gzipAgeMs: orNever(read.integer('TARSLOG_GZIP_HOURS', 48, { min: 0, max: 1_000_000 })) * hourMs,
      maxBytes: read.optional('TARSLOG_QUOTA') === undefined ? undefined : orNever(read.integer('TARSLOG_QUOTA', 0, { min: 0 })),
    },
    traceDays: read.integer('TARSLOG_TRACE_DAYS', 7, { min: 1, max: 3650 }),
    openFiles: read.integer('TARSLOG_OPEN_FILES', 512, { min: 1, max: 1_000_000 }),
    otlp: otlpOf(read),
    healthPort: health < 0 ? undefined : health,
  })
}

function otlpOf(read: EnvReader): LogEnv['otlp'] {
  const base = read.optional('OTEL_EXPORTER_OTLP_ENDPOINT')
  const own = read.optional('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT')
  const url = own ?? (base === undefined ? undefined : `${base.replace(/\/$/, '')}/v1/traces`)
  if (url === undefined) return undefined
  if (!/^https?:\/\//.test(url) || !URL.canParse(url)) throw new Failure('ENV_INVALID', `environment variable OTEL_EXPORTER_OTLP_${own === undefined ? '' : 'TRACES_'}ENDPOINT must be an address of OTLP over HTTP, not "${url}"`, { remedy: 'set it to e.g. http://collector:4318' })
  return { url, headers: headersOf(read.optional('OTEL_EXPORTER_OTLP_HEADERS', '')) }
}

function headersOf(text: string): Readonly<Record<string, string>> {
  try {
    const headers = text.split(',').filter((pair) => pair.includes('=')).map((pair) => {
      const at = pair.indexOf('=')
      return [pair.slice(0, at).trim(), decodeURIComponent(pair.slice(at + 1).trim())] as const
    })
    return Object.fromEntries(new Headers(Object.fromEntries(headers)))
  } catch {
    // What they are, and so the cause, stays unsaid: they may be credentials.
    throw new Failure('ENV_INVALID', 'environment variable OTEL_EXPORTER_OTLP_HEADERS has what is no header', { remedy: 'set it to e.g. authorization=Bearer%20token, with %25 for %' })
  }
}
