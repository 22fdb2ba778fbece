import type { Role } from '#base/lifecycle.ts'
import { kubeClientFrom } from '#kube/client.ts'
import { credentialsEnv, guardEnv } from '#tars/security.ts'
import { registryEnv } from './env.ts'
import { startRegistry } from './registry.ts'

/** tarsregistry: `tarsk8s registry`. */
export const start: Role = async ({ env, log, signal }) => {
  const settings = registryEnv(env)
  const client = kubeClientFrom(env)
  const registry = await startRegistry({ client, ...settings, ...guardEnv(env), credentials: credentialsEnv(env), log, signal })
  registry.done.catch(() => {}).finally(() => client.close())
  return registry
}
