import { readEnv } from '#base/env.ts'
import type { Environment } from '#base/lifecycle.ts'
import { storeEnv, type StoreSettings } from '#store/open.ts'

export interface KeventEnv {
  readonly namespace: string
  /** Pod: who holds the lease. */
  readonly identity: string
  readonly address: string
  readonly httpPort: number
  readonly store: StoreSettings
}

const defaultHttpPort = 17101
const days = 3

/** @throws Failure ENV_INVALID */
export function keventEnv(env: Environment): KeventEnv {
  const read = readEnv(env)
  return Object.freeze({
    namespace: read.required('Namespace'),
    identity: read.required('PodName'),
    address: read.required('PodIP'),
    httpPort: read.integer('TARSKEVENT_HTTP_PORT', defaultHttpPort, { min: 0, max: 65535 }),
    store: storeEnv(env, days),
  })
}
