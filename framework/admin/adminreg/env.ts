import { readEnv } from '#base/env.ts'
import type { Environment } from '#base/lifecycle.ts'

export interface AdminRegistryEnv {
  readonly namespace: string
  readonly address: string
  /** Port of AdminRegObj. */
  readonly port: number
  /** TARSADMINREGISTRY_HEALTH_PORT: /livez, /readyz and /metrics over HTTP; not served when absent. */
  readonly healthPort: number | undefined
}

/** Port of AdminRegObj in K8SFramework's charts (framework-services 0.1). */
const defaultPort = 19111

/** @throws Failure ENV_INVALID */
export function adminRegistryEnv(env: Environment): AdminRegistryEnv {
  const read = readEnv(env)
  const health = read.integer('TARSADMINREGISTRY_HEALTH_PORT', -1, { min: -1, max: 65535 })
  return Object.freeze({
    namespace: read.required('Namespace'),
    address: read.required('PodIP'),
    port: read.integer('TARSADMINREGISTRY_PORT', defaultPort, { min: 0, max: 65535 }),
    healthPort: health < 0 ? undefined : health,
  })
}
