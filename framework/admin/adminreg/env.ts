import { readEnv } from '#base/env.ts'
import type { Environment } from '#base/lifecycle.ts'

export interface AdminRegistryEnv {
  readonly namespace: string
  readonly address: string
  /** Port of AdminRegObj. */
  readonly port: number
}

/** Port of AdminRegObj in K8SFramework's charts (framework-services 0.1). */
const defaultPort = 19111

/** @throws Failure ENV_INVALID */
export function adminRegistryEnv(env: Environment): AdminRegistryEnv {
  const read = readEnv(env)
  return Object.freeze({
    namespace: read.required('Namespace'),
    address: read.required('PodIP'),
    port: read.integer('TARSADMINREGISTRY_PORT', defaultPort, { min: 0, max: 65535 }),
  })
}
