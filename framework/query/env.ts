import { readEnv } from '#base/env.ts'
import type { Environment } from '#base/lifecycle.ts'
import { elasticEnv, type ElasticSettings } from '#store/open.ts'

export interface QueryEnv {
  readonly namespace: string
  readonly address: string
  readonly port: number
  /** Of the text protocol. */
  readonly textPort: number
  readonly httpPort: number
  /** Where the pods that keep what is asked for answer, when no Elasticsearch does. */
  readonly ownersPort: number
  readonly elastic: ElasticSettings | undefined
}

/** Of which role: its ports in K8SFramework's charts (framework-services 0.1), and where tarsstat or tarsproperty answers. */
export const queryPorts = {
  querystat: { port: 16000, httpPort: 16001, textPort: 16002, ownersPort: 17001 },
  queryproperty: { port: 15000, httpPort: 15001, textPort: 15002, ownersPort: 14001 },
} as const

/** `TARSQUERYSTAT_PORT`, `_HTTP_PORT`, `_TEXT_PORT` and `_OWNERS_PORT`, or those of TARSQUERYPROPERTY. @throws Failure ENV_INVALID */
export function queryEnv(role: keyof typeof queryPorts, env: Environment): QueryEnv {
  const read = readEnv(env)
  const port = (name: string, fallback: number, min = 0): number => read.integer(`TARS${role.toUpperCase()}_${name}`, fallback, { min, max: 65535 })
  const usual = queryPorts[role]
  return Object.freeze({
    namespace: read.required('Namespace'),
    address: read.required('PodIP'),
    port: port('PORT', usual.port),
    httpPort: port('HTTP_PORT', usual.httpPort),
    textPort: port('TEXT_PORT', usual.textPort),
    ownersPort: port('OWNERS_PORT', usual.ownersPort, 1),
    elastic: elasticEnv(env),
  })
}
