import { readEnv } from '#base/env.ts'
import { Failure } from '#base/errors.ts'
import type { Environment } from '#base/lifecycle.ts'
import { parseLimit, type Limit } from '#base/limiter.ts'
import type { Retention } from './store.ts'

export interface NotifyEnv {
  readonly namespace: string
  readonly address: string
  readonly port: number
  /** Folder of the store. */
  readonly data: string
  readonly limit: Limit
  readonly retention: Retention
}

/** Port of NotifyObj in K8SFramework's charts (framework-services 0.1). */
const defaultPort = 13111
const dayMs = 24 * 3600 * 1000

/** @throws Failure ENV_INVALID */
export function notifyEnv(env: Environment): NotifyEnv {
  const read = readEnv(env)
  return Object.freeze({
    namespace: read.required('Namespace'),
    address: read.required('PodIP'),
    port: read.integer('TARSNOTIFY_PORT', defaultPort, { min: 0, max: 65535 }),
    data: read.required('TARSNOTIFY_DATA'),
    limit: limitOf(read.optional('TARSNOTIFY_LIMIT', '300:300')),
    retention: {
      maxAgeMs: read.integer('TARSNOTIFY_DAYS', 3, { min: 1, max: 3650 }) * dayMs,
      perServer: read.integer('TARSNOTIFY_KEEP', 10_000, { min: 10 }),
    },
  })
}

function limitOf(text: string): Limit {
  const limit = parseLimit(text)
  if (limit === undefined) throw new Failure('ENV_INVALID', `environment variable TARSNOTIFY_LIMIT must be seconds:count, not "${text}"`, { remedy: 'set it to e.g. 300:300' })
  return limit
}
