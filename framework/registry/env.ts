import { readEnv } from '#base/env.ts'
import type { Environment } from '#base/lifecycle.ts'
import type { HostForm } from './model/endpoints.ts'

/** What the registry takes from its environment. */
export interface RegistryEnv {
  readonly namespace: string
  /** Own pod: its readiness condition is written once the registry serves. Absent outside of a pod. */
  readonly podName: string | undefined
  /** Address both servants listen on. */
  readonly address: string
  readonly hostForm: HostForm
}

/** @throws Failure ENV_INVALID */
export function registryEnv(env: Environment): RegistryEnv {
  const read = readEnv(env)
  return Object.freeze({
    namespace: read.required('Namespace'),
    podName: read.optional('PodName'),
    address: read.required('PodIP'),
    hostForm: read.choice('TARSREGISTRY_ENDPOINT_HOST', ['dns', 'ip'], 'dns'),
  })
}
