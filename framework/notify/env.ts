import { readEnv, type EnvReader } from '#base/env.ts'
import { Failure } from '#base/errors.ts'
import type { Environment } from '#base/lifecycle.ts'
import { parseLimit, type Limit } from '#base/limiter.ts'
import { callerEnv, type CallerSettings } from '#kube/caller-check.ts'
import { storeEnv, type StoreSettings } from '#store/open.ts'
import { alertForms, type AlertForm } from './model/alert.ts'
import type { Level } from './model/level.ts'

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
  /** Whether a pod may notify of another server; see callerEnv. Default: it may not. */
  readonly callers: CallerSettings
  readonly address: string
  /** TARSNOTIFY_PORT */
  readonly port: number
  /** TARSNOTIFY_HTTP_PORT: `/metrics`, `/healthz`, and questions to the store over HTTP. */
  readonly httpPort: number
  /** TARSNOTIFY_LIMIT: `seconds:count` of one server, beyond which notifications are dropped. */
  readonly limit: Limit
  readonly store: StoreSettings
  /** TARSNOTIFY_CONF: file in TC_Config form whose /tars/filter says which messages are dropped; read anew when it changes. */
  readonly conf: string | undefined
  /** TARSNOTIFY_WEBHOOK (address; none without it), _WEBHOOK_FORM (alertmanager, text or msgtype), _WEBHOOK_LEVEL (warn, error or alarm) and _WEBHOOK_REPEAT (seconds). */
  readonly alerts: AlertSettings | undefined
}

/** Port of NotifyObj in K8SFramework's charts (framework-services 0.1). */
const defaultPort = 13111
const defaultHttpPort = 13112
const days = 3
const ports = { min: 0, max: 65535 } as const

/** @throws Failure ENV_INVALID */
export function notifyEnv(env: Environment): NotifyEnv {
  const read = readEnv(env)
  return Object.freeze({
    namespace: read.required('Namespace'),
    callers: callerEnv(env, 'enforce'),
    address: read.required('PodIP'),
    port: read.integer('TARSNOTIFY_PORT', defaultPort, ports),
    httpPort: read.integer('TARSNOTIFY_HTTP_PORT', defaultHttpPort, ports),
    limit: limitOf(read.optional('TARSNOTIFY_LIMIT', '300:300')),
    store: storeEnv(env, days),
    conf: read.optional('TARSNOTIFY_CONF'),
    alerts: alertsOf(read),
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
