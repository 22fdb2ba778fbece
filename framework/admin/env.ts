import { readEnv } from '#base/env.ts'
import type { Environment } from '#base/lifecycle.ts'

export interface AdminEnv {
  readonly namespace: string
  /** Address to listen on: TARSADMIN_LISTEN, else the pod's own. */
  readonly address: string
  /** TARSADMIN_PORT, else HTTP_PORT. */
  readonly port: number
  /** TAF_AGENT_PORT: where tarsagent listens on every node. */
  readonly agentPort: number
}

const defaultPort = 8080
const ports = { min: 0, max: 65535 }

/** @throws Failure ENV_INVALID */
export function adminEnv(env: Environment): AdminEnv {
  const read = readEnv(env)
  return Object.freeze({
    namespace: read.required('Namespace'),
    address: read.optional('TARSADMIN_LISTEN') ?? read.required('PodIP'),
    port: read.integer('TARSADMIN_PORT', read.integer('HTTP_PORT', defaultPort, ports), ports),
    agentPort: read.integer('TAF_AGENT_PORT', 8000, { min: 1, max: 65535 }),
  })
}
