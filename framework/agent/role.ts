import type { Role } from '#base/lifecycle.ts'
import { kubeClientFrom } from '#kube/client.ts'
import { startAgent } from './agent.ts'
import { agentEnv } from './env.ts'

/** tarsagent: `tarsk8s agent`, once on every node. */
export const start: Role = async ({ env, log }) => {
  const settings = agentEnv(env)
  const client = kubeClientFrom(env)
  const agent = await startAgent({ client, ...settings, log })
  agent.done.catch(() => {}).finally(() => client.close())
  return agent
}
