import { readEnv } from '#base/env.ts'
import type { Environment } from '#base/lifecycle.ts'

export interface ConfigEnv {
  readonly namespace: string
  readonly address: string
  /** Port of ConfigObj. */
  readonly port: number
  /** What a load of a missing file returns: -1, or 0 with an empty text as native does. */
  readonly notFound: -1 | 0
}

/** Port of ConfigObj in K8SFramework's charts (framework-services 0.1). */
const defaultPort = 11111

/** @throws Failure ENV_INVALID */
export function configEnv(env: Environment): ConfigEnv {
  const read = readEnv(env)
  return Object.freeze({
    namespace: read.required('Namespace'),
    address: read.required('PodIP'),
    port: read.integer('TARSCONFIG_PORT', defaultPort, { min: 0, max: 65535 }),
    notFound: read.choice('TARSCONFIG_NOT_FOUND', ['error', 'empty'], 'error') === 'error' ? -1 : 0,
  })
}
