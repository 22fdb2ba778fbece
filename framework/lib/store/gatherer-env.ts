import { readEnv } from '#base/env.ts'
import { Failure } from '#base/errors.ts'
import type { Environment } from '#base/lifecycle.ts'
import type { KeyBounds } from './key-guard.ts'
import { storeEnv, type StoreSettings } from './open.ts'

/** What a role that gathers reports by windows of time is told. */
export interface GathererEnv {
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

/** Days that are kept. */
const days = 15

/**
 * `<NAME>_PORT`, `_HTTP_PORT`, `_MINUTES` (of a window), `_KEYS_PER_SERVER` and `_KEYS` (of a window), `_BYTES_A_DAY` (of
 * rows; what the store may have), `Namespace`, `PodIP`, `PodName`, and the variables of {@link storeEnv}.
 * @param name what the variables begin with, e.g. `TARSSTAT`
 * @throws Failure ENV_INVALID
 */
export function gathererEnv(name: string, ports: { readonly port: number; readonly httpPort: number }, env: Environment): GathererEnv {
  const read = readEnv(env)
  const minutes = read.integer(`${name}_MINUTES`, 1, { min: 1, max: 60 })
  if (60 % minutes !== 0) throw new Failure('ENV_INVALID', `environment variable ${name}_MINUTES must divide an hour, which ${minutes} does not`, { remedy: 'set it to e.g. 1 or 5' })
  const store = storeEnv(env, days)
  return Object.freeze({
    namespace: read.required('Namespace'),
    source: read.optional('PodName', read.required('PodIP')),
    address: read.required('PodIP'),
    port: read.integer(`${name}_PORT`, ports.port, { min: 0, max: 65535 }),
    httpPort: read.integer(`${name}_HTTP_PORT`, ports.httpPort, { min: 0, max: 65535 }),
    windowMs: minutes * 60_000,
    bounds: {
      perReporter: read.integer(`${name}_KEYS_PER_SERVER`, 20_000, { min: 1 }), inAll: read.integer(`${name}_KEYS`, 100_000, { min: 4 }),
      bytesADay: read.integer(`${name}_BYTES_A_DAY`, store.bytes, { min: 1 << 20 }),
    },
    store,
  })
}
