import type { Role } from '#base/lifecycle.ts'
import { callerEnv } from '#kube/caller-check.ts'
import { kubeClientFrom } from '#kube/client.ts'
import { gathererEnv } from '#store/gatherer-env.ts'
import { guardEnv } from '#tars/security.ts'
import { startStat } from './stat.ts'

/** Of StatObj in K8SFramework's charts (framework-services 0.1), and ours of HTTP. */
const ports = { port: 17000, httpPort: 17001 } as const

/** tarsstat: `tarsk8s stat`, with the variables of `gathererEnv` under TARSSTAT. */
export const start: Role = async ({ env, log }) => {
  const settings = gathererEnv('TARSSTAT', ports, env)
  const client = kubeClientFrom(env)
  const stat = await startStat({ client, ...settings, ...guardEnv(env), callers: callerEnv(env, 'enforce'), log })
  stat.done.catch(() => {}).finally(() => client.close())
  return stat
}
