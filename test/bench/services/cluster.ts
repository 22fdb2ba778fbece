import { rmSync } from 'node:fs'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createKubeClient, type KubeClient } from '#kube/client.ts'
import { readKubeconfig } from '#kube/config.ts'
import type { ApiServerQuestion } from './api-server.ts'
import { Child } from './child.ts'
import type { Population } from './population.ts'

export const namespace = 'tars'

/** An embedded API server as a process of its own, where roles find what they serve. */
export interface Cluster {
  readonly client: KubeClient
  /** Path of a kubeconfig. */
  readonly kubeconfig: string
  /** A folder that goes with the cluster. */
  readonly folder: string
  stop(): Promise<void>
}

export async function startCluster(population?: Population): Promise<Cluster> {
  const folder = await mkdtemp(join(tmpdir(), 'tarsk8s-bench-'))
  const remove = (): void => rmSync(folder, { recursive: true, force: true })
  process.once('exit', remove)
  const question: ApiServerQuestion = { dataFile: join(folder, 'cluster.db'), ...(population === undefined ? {} : { population }) }
  const { child, ready } = await Child.start<string>('api-server.ts', question)
  const kubeconfig = join(folder, 'kubeconfig')
  await writeFile(kubeconfig, ready, { mode: 0o600 })
  const client = createKubeClient(readKubeconfig(kubeconfig))
  return {
    client, kubeconfig, folder,
    async stop() {
      client.close()
      await child.stop()
      process.off('exit', remove)
      remove()
    },
  }
}
