import type { Role } from '#base/lifecycle.ts'
import { callerEnv } from '#kube/caller-check.ts'
import { kubeClientFrom } from '#kube/client.ts'
import { credentialsEnv } from '#tars/security.ts'
import { startAdmin } from './admin.ts'
import { adminEnv } from './env.ts'

/** tarsadmin: `tarsk8s admin`. */
export const start: Role = async ({ env, log, signal }) => {
  const settings = adminEnv(env)
  const client = kubeClientFrom(env)
  const admin = await startAdmin({ client, ...settings, credentials: credentialsEnv(env), callers: callerEnv(env, 'enforce'), log, signal })
  admin.done.catch(() => {}).finally(() => client.close())
  return admin
}
