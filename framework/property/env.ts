import { readEnv } from '#base/env.ts'
import { Failure } from '#base/errors.ts'
import type { Environment } from '#base/lifecycle.ts'
import type { KeyBounds } from '#store/key-guard.ts'
import { storeEnv, type StoreSettings } from '#store/open.ts'

export interface PropertyEnv {
  readonly namespace: string
  /** Pod: where rows come from. */
  readonly source: string
  readonly address: string
  readonly port: number
  readonly httpPort: number
  readonly windowMs: number
  readonly bounds: KeyBounds
  readonly store: StoreSettings
}

/** Port of PropertyObj in K8SFramework's charts (framework-services 0.1). */
const defaultPort = 14000
const defaultHttpPort = 14001
const days = 15

/** @throws Failure ENV_INVALID */
export function propertyEnv(env: Environment): PropertyEnv {
  const read = readEnv(env)
  const minutes = read.integer('TARSPROPERTY_MINUTES', 1, { min: 1, max: 60 })
  if (60 % minutes !== 0) throw new Failure('ENV_INVALID', `environment variable TARSPROPERTY_MINUTES must divide an hour, which ${minutes} does not`, { remedy: 'set it to e.g. 1 or 5' })
  return Object.freeze({
    namespace: read.required('Namespace'),
    source: read.optional('PodName', read.required('PodIP')),
    address: read.required('PodIP'),
    port: read.integer('TARSPROPERTY_PORT', defaultPort, { min: 0, max: 65535 }),
    httpPort: read.integer('TARSPROPERTY_HTTP_PORT', defaultHttpPort, { min: 0, max: 65535 }),
    windowMs: minutes * 60_000,
    bounds: { perReporter: read.integer('TARSPROPERTY_KEYS_PER_SERVER', 20_000, { min: 1 }), inAll: read.integer('TARSPROPERTY_KEYS', 100_000, { min: 4 }) },
    store: storeEnv(env, days),
  })
}
