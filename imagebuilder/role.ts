import type { Role } from '#base/lifecycle.ts'
import { kubeClientFrom } from '#kube/client.ts'
import { imageEnv } from './env.ts'
import { startImageService } from './service/service.ts'

/** tarsimage: `tarsk8s image` as a role. Its environment is described in env.ts. */
export const start: Role = async ({ env, log }) => {
  const settings = imageEnv(env)
  const client = kubeClientFrom(env)
  try {
    const service = await startImageService(settings, client, log)
    service.done.catch(() => {}).finally(() => client.close())
    return service
  } catch (error) {
    client.close()
    throw error
  }
}
