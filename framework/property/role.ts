import type { Role } from '#base/lifecycle.ts'
import { kubeClientFrom } from '#kube/client.ts'
import { propertyEnv } from './env.ts'
import { startProperty } from './property.ts'

/** tarsproperty: `tarsk8s property`. */
export const start: Role = async ({ env, log }) => {
  const settings = propertyEnv(env)
  const client = kubeClientFrom(env)
  const property = await startProperty({ client, ...settings, log })
  property.done.catch(() => {}).finally(() => client.close())
  return property
}
