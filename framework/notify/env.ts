import { readEnv } from '#base/env.ts'
import { Failure } from '#base/errors.ts'
import type { Environment } from '#base/lifecycle.ts'
import { storeEnv, type StoreSettings } from '#store/open.ts'
import type { Limit } from './model/limiter.ts'

export interface NotifyEnv {
  readonly namespace: string
  readonly address: string
  readonly port: number
  readonly httpPort: number
  readonly limit: Limit
  readonly store: StoreSettings
}

/** Port of NotifyObj in K8SFramework's charts (framework-services 0.1). */
const defaultPort = 13111
const defaultHttpPort = 13112
const days = 3

/** @throws Failure ENV_INVALID */
export function notifyEnv(env: Environment): NotifyEnv {
  const read = readEnv(env)
  return Object.freeze({
    namespace: read.required('Namespace'),
    address: read.required('PodIP'),
    port: read.integer('TARSNOTIFY_PORT', defaultPort, { min: 0, max: 65535 }),
    httpPort: read.integer('TARSNOTIFY_HTTP_PORT', defaultHttpPort, { min: 0, max: 65535 }),
    limit: parseLimit(read.optional('TARSNOTIFY_LIMIT', '300:300')),
    store: storeEnv(env, days),
  })
}

/** `seconds:count`, as native's notify_limit. */
function parseLimit(text: string): Limit {
  const [seconds = 0, count = 0] = /^(\d{1,7}):(\d{1,9})$/.exec(text)?.slice(1).map(Number) ?? []
  if (seconds === 0) throw new Failure('ENV_INVALID', `environment variable TARSNOTIFY_LIMIT must be seconds:count, not "${text}"`, { remedy: 'set it to e.g. 300:300' })
  return { windowMs: seconds * 1000, count }
}
