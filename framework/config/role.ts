import type { Role } from '#base/lifecycle.ts'
import { kubeClientFrom } from '#kube/client.ts'
import { guardEnv } from '#tars/security.ts'
import { startConfig } from './config.ts'
import { configEnv } from './env.ts'

/** tarsconfig: `tarsk8s config`. */
export const start: Role = async ({ env, log, signal }) => {
  const settings = configEnv(env)
  const client = kubeClientFrom(env)
  const config = await startConfig({ client, ...settings, ...guardEnv(env), log, signal })
  config.done.catch(() => {}).finally(() => client.close())
  return config
}
