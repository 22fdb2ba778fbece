import type { Role } from '#base/lifecycle.ts'
import { callerEnv } from '#kube/caller-check.ts'
import { kubeClientFrom } from '#kube/client.ts'
import { credentialsEnv, guardEnv } from '#tars/security.ts'
import { tokensEnv } from '#tars/tokens.ts'
import { startAdminRegistry } from './adminreg.ts'
import { adminRegistryEnv } from './env.ts'

/** tarsAdminRegistry: `tarsk8s adminregistry`. */
export const start: Role = async ({ env, log, signal }) => {
  const settings = adminRegistryEnv(env)
  const client = kubeClientFrom(env)
  const registry = await startAdminRegistry({ client, ...settings, ...guardEnv(env), tokens: tokensEnv(env), credentials: credentialsEnv(env), callers: callerEnv(env, 'enforce'), log, signal })
  registry.done.catch(() => {}).finally(() => client.close())
  return registry
}
