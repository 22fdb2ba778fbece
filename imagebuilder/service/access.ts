import { readFile } from 'node:fs/promises'
import type { ImageEnv } from '../env.ts'
import type { RegistryAccess } from '../oci/session.ts'
import type { Trust } from '../oci/transport.ts'
import type { ClusterFacts } from './cluster.ts'

/** Access to registries by the credentials of a Secret; empty: without any. @throws SECRET_MISSING, REGISTRY_SECRET_INVALID */
export async function registryAccess(secret: string, cluster: ClusterFacts, env: ImageEnv): Promise<RegistryAccess> {
  const credentials = await cluster.credentials(secret)
  const ca = env.caFile === undefined ? {} : { ca: await readFile(env.caFile, 'utf8') }
  const trust = (registry: string): Trust => (env.insecureRegistries.includes(registry) ? { plainHttp: true } : ca)
  return { credentials, trust, silenceMs: env.silenceMs, mirrors: env.mirrors }
}
