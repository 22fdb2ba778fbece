// An embedded API server as a process of its own, with our kinds and, if asked, a whole population in its store.
import { randomUUID } from 'node:crypto'
import { customResourceDefinitions } from '#api/crds.ts'
import { resources } from '#api/resources.ts'
import { createLogger, silentLogger } from '#base/log.ts'
import { createKubeClient } from '#kube/client.ts'
import type { AnyObject } from '#kube/types.ts'
import type { Resource } from '#kube/types.ts'
import { startApiServer, type ApiServer } from '../../../framework/local/apiserver/server.ts'
import { eventually, installDefinition } from '../../rig/kube.ts'
import { answerEach } from './answering.ts'
import { namespace } from './cluster.ts'
import { populate, type Population } from './population.ts'

export interface ApiServerQuestion {
  readonly dataFile: string
  readonly population?: Population
}

const token = randomUUID()
const log = process.env['BENCH_VERBOSE'] === undefined ? silentLogger : createLogger()
const start = (dataFile: string): Promise<ApiServer> => startApiServer({ dataFile, host: '127.0.0.1', port: 0, token, namespaces: [namespace], log })

answerEach<ApiServerQuestion>(async ({ dataFile, population }) => {
  const first = await start(dataFile)
  const client = createKubeClient(first.config)
  for (const definition of customResourceDefinitions()) await installDefinition(client, definition as unknown as AnyObject)
  for (const resource of Object.values(resources)) await eventually(() => client.list(resource as Resource).catch(() => undefined), `${resource.plural} are served`)
  if (population === undefined) {
    client.close()
    return first.kubeconfig(namespace)
  }
  const copies = await populate(client, population)
  client.close()
  await first.stop()
  copies(dataFile)
  return (await start(dataFile)).kubeconfig(namespace)
})
