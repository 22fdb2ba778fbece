import { readEnv } from '#base/env.ts'
import type { Environment } from '#base/lifecycle.ts'
import { callerEnv, type CallerSettings } from '#kube/caller-check.ts'
import type { HostForm } from './model/endpoints.ts'

/** What the registry takes from its environment. */
export interface RegistryEnv {
  readonly namespace: string
  /** TARS_TOKEN: by which it may ask tarsquerystat, where that wants one. */
  readonly token: string | undefined
  /** Whether a pod may command the nodes of another server; see callerEnv. Default: it may not. States are taken of a pod's own address in any case. */
  readonly callers: CallerSettings
  /** Whether these count for descriptors, too: when TARS_CALLERS is given. Otherwise everybody has them, as in native. */
  readonly guardsDescriptors: boolean
  /** Own pod: its readiness condition is written once the registry serves. Absent outside of a pod. */
  readonly podName: string | undefined
  /** Address both servants listen on. */
  readonly address: string
  /** TARSREGISTRY_ENDPOINT_HOST: `dns` (default) or `ip`; the TFrameworkConfig and TServers may say otherwise. */
  readonly hostForm: HostForm
  /** TARSREGISTRY_DATA: folder in which it keeps what it knows, to start without the API server; absent: it does not. */
  readonly data: string | undefined
  /** TARSREGISTRY_HEALTH_PORT: /livez, /readyz and /metrics over HTTP; not served when absent. */
  readonly healthPort: number | undefined
  /** TARSREGISTRY_LOAD_SECONDS: how often weights by load are made anew, 0 (default) never; TARSREGISTRY_LOAD_TIME: percent of them that the time of answers makes, the rest is timeouts. */
  readonly loads: { readonly everyMs: number; readonly timePercent: number } | undefined
}

/** @throws Failure ENV_INVALID */
export function registryEnv(env: Environment): RegistryEnv {
  const read = readEnv(env)
  const seconds = read.integer('TARSREGISTRY_LOAD_SECONDS', 0, { min: 0, max: 3600 })
  const health = read.integer('TARSREGISTRY_HEALTH_PORT', -1, { min: -1, max: 65535 })
  return Object.freeze({
    namespace: read.required('Namespace'),
    token: read.optional('TARS_TOKEN'),
    callers: callerEnv(env, 'enforce'),
    guardsDescriptors: read.optional('TARS_CALLERS') !== undefined,
    podName: read.optional('PodName'),
    address: read.required('PodIP'),
    hostForm: read.choice('TARSREGISTRY_ENDPOINT_HOST', ['dns', 'ip'], 'dns'),
    data: read.optional('TARSREGISTRY_DATA'),
    healthPort: health < 0 ? undefined : health,
    loads: seconds === 0 ? undefined : { everyMs: seconds * 1000, timePercent: read.integer('TARSREGISTRY_LOAD_TIME', 80, { min: 0, max: 100 }) },
  })
}
