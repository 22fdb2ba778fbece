import type { Role } from '#base/lifecycle.ts'
import { callerEnv } from '#kube/caller-check.ts'
import { kubeClientFrom } from '#kube/client.ts'
import { gathererEnv } from '#store/gatherer-env.ts'
import { guardEnv } from '#tars/security.ts'
import { startProperty } from './property.ts'

/** Of PropertyObj in K8SFramework's charts (framework-services 0.1), and ours of HTTP. */
const ports = { port: 14000, httpPort: 14001 } as const

/** tarsproperty: `tarsk8s property`, with the variables of `gathererEnv` under TARSPROPERTY. */
export const start: Role = async ({ env, log }) => {
  const settings = gathererEnv('TARSPROPERTY', ports, env)
  const client = kubeClientFrom(env)
  const property = await startProperty({ client, ...settings, ...guardEnv(env), callers: callerEnv(env, 'enforce'), log })
  property.done.catch(() => {}).finally(() => client.close())
  return property
}
