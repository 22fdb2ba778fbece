import { Lifetime, type Running } from '#base/lifecycle.ts'
import type { Logger } from '#base/log.ts'
import type { KubeClient } from '#kube/client.ts'
import { startCleaner } from './cleaning/cleaner.ts'
import type { AgentEnv } from './env.ts'
import { startHttp } from './http.ts'
import { metricsText } from './metrics.ts'
import { factReaders } from './node/facts.ts'
import { startNodeView } from './node/view.ts'
import { startPrepuller } from './prepull/prepuller.ts'
import { startProvisioner } from './volumes/provisioner.ts'

export interface AgentOptions extends AgentEnv {
  readonly client: KubeClient
  readonly log: Logger
}

export interface RunningAgent extends Running {
  readonly port: number
}

/** Everything the agent does for its node. It does not wait for the API server: logs fill disks also while that is away. */
export async function startAgent({ client, nodeName, address, port, base, logs, rulesFolder, unusedMs, cri, loginFile, prepullMs, log }: AgentOptions): Promise<RunningAgent> {
  const lifetime = new Lifetime()
  try {
    const view = lifetime.own(startNodeView(client, nodeName, log))
    const provisioner = lifetime.own(startProvisioner({ client, nodeName, node: view.node, base, unusedMs, log }))
    const cleaner = lifetime.own(await startCleaner({ logs, rulesFolder, isAbandoned: view.isAbandoned, log }))
    const prepuller = cri === undefined ? undefined : lifetime.own(startPrepuller({ client, nodeName, node: view.node, socket: cri, loginFile, withinMs: prepullMs, log }))
    const folders = [base, logs]
    const http = lifetime.own(await startHttp({
      address, port, log,
      facts: factReaders(nodeName, folders),
      health: () => ({ status: 'ok', ageMs: Number.isFinite(provisioner.ageMs()) ? Math.round(provisioner.ageMs()) : null, rulesGood: cleaner.rulesGood }),
      metrics: () => metricsText({ cleaner, provisioner, prepuller }, folders),
    }))
    log.info('agent serves', { node: nodeName, address, port: http.port, volumes: base, logs })
    return Object.assign(lifetime, { port: http.port })
  } catch (error) {
    await lifetime.stop().catch(() => {})
    throw error
  }
}
