import type { Role } from '#base/lifecycle.ts'
import { kubeClientFrom } from '#kube/client.ts'
import { statEnv } from './env.ts'
import { startStat } from './stat.ts'

/** tarsstat: `tarsk8s stat`. */
export const start: Role = async ({ env, log }) => {
  const settings = statEnv(env)
  const client = kubeClientFrom(env)
  const stat = await startStat({ client, ...settings, log })
  stat.done.catch(() => {}).finally(() => client.close())
  return stat
}
