import type { Role } from '#base/lifecycle.ts'
import { kubeClientFrom } from '#kube/client.ts'
import { clientTlsEnv, tlsEnv } from '#tars/tls.ts'
import { registryEnv } from './env.ts'
import { startRegistry } from './registry.ts'

/** tarsregistry: `tarsk8s registry`. */
export const start: Role = async ({ env, log, signal }) => {
  const settings = registryEnv(env)
  const client = kubeClientFrom(env)
  const registry = await startRegistry({ client, ...settings, tls: tlsEnv(env), trust: clientTlsEnv(env), log, signal })
  registry.done.catch(() => {}).finally(() => client.close())
  return registry
}
