import { mkdir, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { Failure } from '#base/errors.ts'
import { Lifetime, type Running } from '#base/lifecycle.ts'
import type { Logger } from '#base/log.ts'
import type { KubeClient } from '#kube/client.ts'
import type { ImageEnv } from '../env.ts'
import { MemberCache } from '../member-cache.ts'
import { readSupervisor } from '../supervisor.ts'
import { Builder } from './builder.ts'
import { ClusterFacts } from './cluster.ts'
import { createHttp } from './http.ts'
import { TImageStore } from './timage.ts'

export interface ImageService extends Running {
  /** `http://host:port` */
  readonly url: string
}

/** Running builds get so long to end when the service stops. Milliseconds. */
const drainMs = 10_000

/**
 * Starts tarsimage. Uploads of an earlier life are removed, and builds it left as running are failed, before the first
 * request is taken.
 * @throws SUPERVISOR_INVALID, IMAGE_LISTEN, and what the API server answers
 */
export async function startImageService(env: ImageEnv, client: KubeClient, log: Logger): Promise<ImageService> {
  await readSupervisor(env.supervisor)
  const uploads = join(env.workspace, 'upload', env.podName)
  await rm(uploads, { recursive: true, force: true })
  await mkdir(uploads, { recursive: true })
  const members = await MemberCache.open(env.workspace, env.cacheBytes)
  const builder = new Builder({ env, members, timages: new TImageStore(client, env.namespace), cluster: new ClusterFacts(client, env.namespace), log })
  await builder.adopt()
  const http = await createHttp({ builder, podName: env.podName, uploads, maxUploadBytes: env.maxUploadBytes, log })
  const lifetime = new Lifetime()
  lifetime.onStop(() => rm(uploads, { recursive: true, force: true }))
  lifetime.onStop(() => members.close())
  lifetime.onStop(() => http.close())
  lifetime.onStop(() => builder.stop(drainMs))
  await http.listen({ host: env.host, port: env.port }).catch((cause: unknown) => {
    throw new Failure('IMAGE_LISTEN', `tarsimage cannot listen on ${env.host}:${env.port}`, { cause, remedy: 'set TARSIMAGE_LISTEN and TARSIMAGE_PORT' })
  })
  const { address, port, family } = http.server.address() as AddressInfo
  const url = `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`
  log.info('tarsimage serves', { url })
  return { url, done: lifetime.done, stop: () => lifetime.stop() }
}
