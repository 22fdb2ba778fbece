import { readEnv } from '#base/env.ts'
import { Lifetime, type Role } from '#base/lifecycle.ts'
import { kubeClientFrom } from '#kube/client.ts'
import { startController } from './controller.ts'

/** `tarsk8s controller`: all reconcilers. Env: KUBECONFIG (default: the pod's service account), Namespace (default: all). */
export const start: Role = async ({ env, log, signal }) => {
  const namespace = readEnv(env).optional('Namespace')
  const lifetime = new Lifetime()
  const client = kubeClientFrom(env)
  lifetime.onStop(() => client.close())
  try {
    lifetime.own(await startController({ client, namespace, log, signal }))
  } catch (error) {
    await lifetime.stop()
    throw error
  }
  log.info('controller is running', { namespace: namespace ?? 'all' })
  return lifetime
}
