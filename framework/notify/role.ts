import type { Role } from '#base/lifecycle.ts'
import { kubeClientFrom } from '#kube/client.ts'
import { guardEnv } from '#tars/security.ts'
import { notifyEnv } from './env.ts'
import { startNotify } from './notify.ts'

/** tarsnotify: `tarsk8s notify`. */
export const start: Role = async ({ env, log }) => {
  const settings = notifyEnv(env)
  const client = kubeClientFrom(env)
  const notify = await startNotify({ client, ...settings, ...guardEnv(env), log })
  notify.done.catch(() => {}).finally(() => client.close())
  return notify
}
