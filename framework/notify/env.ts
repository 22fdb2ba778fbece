import { readEnv, type EnvReader } from '#base/env.ts'
import { Failure } from '#base/errors.ts'
import type { Environment } from '#base/lifecycle.ts'
import { parseLimit, type Limit } from '#base/limiter.ts'
import { alertForms, type AlertForm } from './model/alert.ts'
import type { Level } from './model/level.ts'
import type { Retention } from './store.ts'

export interface AlertSettings {
  readonly url: string
  readonly form: AlertForm
  /** The least grave that is told. */
  readonly level: Level
  /** Milliseconds in which the same alert is told once. */
  readonly repeatMs: number
}

export interface NotifyEnv {
  readonly namespace: string
  readonly address: string
  /** TARSNOTIFY_PORT */
  readonly port: number
  /** TARSNOTIFY_DATA: folder of the store. */
  readonly data: string
  /** TARSNOTIFY_LIMIT: `seconds:count` of one server, beyond which notifications are dropped. */
  readonly limit: Limit
  /** TARSNOTIFY_DAYS, and TARSNOTIFY_KEEP: notifications a server. */
  readonly retention: Retention
  /** TARSNOTIFY_CONF: file in TC_Config form whose /tars/filter says which messages are dropped; read anew when it changes. */
  readonly conf: string | undefined
  /** TARSNOTIFY_WEBHOOK (address; none without it), _WEBHOOK_FORM (alertmanager, text or msgtype), _WEBHOOK_LEVEL (warn, error or alarm) and _WEBHOOK_REPEAT (seconds). */
  readonly alerts: AlertSettings | undefined
  /** TARSNOTIFY_HEALTH_PORT: /livez, /readyz and /metrics over HTTP; not served when absent. */
  readonly healthPort: number | undefined
}

/** Port of NotifyObj in K8SFramework's charts (framework-services 0.1). */
const defaultPort = 13111
const dayMs = 24 * 3600 * 1000
const ports = { min: 0, max: 65535 } as const

/** @throws Failure ENV_INVALID */
export function notifyEnv(env: Environment): NotifyEnv {
  const read = readEnv(env)
  const health = read.integer('TARSNOTIFY_HEALTH_PORT', -1, { ...ports, min: -1 })
  return Object.freeze({
    namespace: read.required('Namespace'),
    address: read.required('PodIP'),
    port: read.integer('TARSNOTIFY_PORT', defaultPort, ports),
    data: read.required('TARSNOTIFY_DATA'),
    limit: limitOf(read.optional('TARSNOTIFY_LIMIT', '300:300')),
    retention: {
      maxAgeMs: read.integer('TARSNOTIFY_DAYS', 3, { min: 1, max: 3650 }) * dayMs,
      perServer: read.integer('TARSNOTIFY_KEEP', 10_000, { min: 10 }),
    },
    conf: read.optional('TARSNOTIFY_CONF'),
    alerts: alertsOf(read),
    healthPort: health < 0 ? undefined : health,
  })
}

function limitOf(text: string): Limit {
  const limit = parseLimit(text)
  if (limit === undefined) throw new Failure('ENV_INVALID', `environment variable TARSNOTIFY_LIMIT must be seconds:count, not "${text}"`, { remedy: 'set it to e.g. 300:300' })
  return limit
}

function alertsOf(read: EnvReader): AlertSettings | undefined {
  const url = read.optional('TARSNOTIFY_WEBHOOK')
  const form = read.choice('TARSNOTIFY_WEBHOOK_FORM', alertForms, 'alertmanager')
  const level = read.choice('TARSNOTIFY_WEBHOOK_LEVEL', ['warn', 'error', 'alarm'], 'error')
  const repeatMs = read.integer('TARSNOTIFY_WEBHOOK_REPEAT', 300, { min: 0, max: 86_400 }) * 1000
  if (url === undefined) return undefined
  if (!/^https?:\/\//.test(url) || !URL.canParse(url)) throw new Failure('ENV_INVALID', `environment variable TARSNOTIFY_WEBHOOK must be an http or https address, not "${url}"`, { remedy: 'set it to e.g. http://alertmanager:9093/api/v2/alerts' })
  return { url, form, level: `[${level}]`, repeatMs }
}
