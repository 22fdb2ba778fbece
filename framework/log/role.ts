import type { Role } from '#base/lifecycle.ts'
import { kubeClientFrom } from '#kube/client.ts'
import { guardEnv } from '#tars/security.ts'
import { logEnv } from './env.ts'
import { startLog } from './log.ts'

/** tarslog: `tarsk8s log`. */
export const start: Role = async ({ env, log }) => {
  const { namespace, callers, ...settings } = logEnv(env)
  if (callers.mode === 'off') return startLog({ ...settings, ...guardEnv(env), log })
  const client = kubeClientFrom(env)
  const running = await startLog({ ...settings, ...guardEnv(env), callers: { ...callers, client, namespace }, log })
  running.done.catch(() => {}).finally(() => client.close())
  return running
}
