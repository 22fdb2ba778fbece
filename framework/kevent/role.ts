import type { Role } from '#base/lifecycle.ts'
import { kubeClientFrom } from '#kube/client.ts'
import { keventEnv } from './env.ts'
import { startKevent } from './kevent.ts'

/** tarskevent: `tarsk8s kevent`. */
export const start: Role = async ({ env, log }) => {
  const settings = keventEnv(env)
  const client = kubeClientFrom(env)
  const kevent = await startKevent({ client, ...settings, log })
  kevent.done.catch(() => {}).finally(() => client.close())
  return kevent
}
