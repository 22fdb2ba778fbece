import type { RoleContext, Running } from '#base/lifecycle.ts'
import { kubeClientFrom } from '#kube/client.ts'
import { guardEnv } from '#tars/security.ts'
import { tokensEnv } from '#tars/tokens.ts'
import { queryEnv } from './env.ts'
import { startQuery, type QueryOptions } from './query.ts'

export async function startQueryRole(role: QueryOptions['role'], { env, log }: RoleContext): Promise<Running> {
  const settings = queryEnv(role, env)
  const client = kubeClientFrom(env)
  const query = await startQuery({ role, client, ...settings, ...guardEnv(env), tokens: tokensEnv(env), log })
  query.done.catch(() => {}).finally(() => client.close())
  return query
}
