import { readEnv } from '#base/env.ts'
import { Failure } from '#base/errors.ts'
import type { Environment } from '#base/lifecycle.ts'
import { callerEnv, type CallerSettings } from '#kube/caller-check.ts'
import { parseLimit, type Limit } from '#base/limiter.ts'

export interface ConfigEnv {
  readonly namespace: string
  /** Whether a pod may read files of another application; see callerEnv. Default: it may, as in native. */
  readonly callers: CallerSettings
  readonly address: string
  /** TARSCONFIG_PORT: port of ConfigObj. */
  readonly port: number
  /** TARSCONFIG_NOT_FOUND: what a load of a missing file returns, `error` (-1, default), or `empty` (0 and an empty text) as native does. */
  readonly notFound: -1 | 0
  /** TARSCONFIG_LIMIT: `seconds:count` a file, server and host, beyond which a load returns 429; e.g. native's 60:11. Absent: no limit. */
  readonly limit: Limit | undefined
  /** TARSCONFIG_SETS: what a server gets whose set has no file of its own: `exact` (nothing, default, as native) or `inherit` (the file of no set). */
  readonly setsInherit: boolean
  /** TARSCONFIG_DATA: folder in which it keeps what it knows, to start without the API server; absent: it does not. */
  readonly data: string | undefined
  /** TARSCONFIG_HEALTH_PORT: /livez, /readyz and /metrics over HTTP; not served when absent. */
  readonly healthPort: number | undefined
}

/** Port of ConfigObj in K8SFramework's charts (framework-services 0.1). */
const defaultPort = 11111
const ports = { min: 0, max: 65535 } as const

/** @throws Failure ENV_INVALID */
export function configEnv(env: Environment): ConfigEnv {
  const read = readEnv(env)
  const health = read.integer('TARSCONFIG_HEALTH_PORT', -1, { ...ports, min: -1 })
  return Object.freeze({
    namespace: read.required('Namespace'),
    callers: callerEnv(env, 'off'),
    address: read.required('PodIP'),
    port: read.integer('TARSCONFIG_PORT', defaultPort, ports),
    notFound: read.choice('TARSCONFIG_NOT_FOUND', ['error', 'empty'], 'error') === 'error' ? -1 : 0,
    limit: limitOf(read.optional('TARSCONFIG_LIMIT')),
    setsInherit: read.choice('TARSCONFIG_SETS', ['exact', 'inherit'], 'exact') === 'inherit',
    data: read.optional('TARSCONFIG_DATA'),
    healthPort: health < 0 ? undefined : health,
  })
}

function limitOf(text: string | undefined): Limit | undefined {
  const limit = text === undefined ? undefined : parseLimit(text)
  if (text !== undefined && limit === undefined) throw new Failure('ENV_INVALID', `environment variable TARSCONFIG_LIMIT must be seconds:count, not "${text}"`, { remedy: 'set it to e.g. 60:11, or not at all' })
  return limit
}
