import { mkdir, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { Failure } from '#base/errors.ts'
import { Lifetime, type Running } from '#base/lifecycle.ts'
import type { Logger } from '#base/log.ts'
import { resources } from '#api/resources.ts'
import type { TImage } from '#api/types.ts'
import type { KubeClient } from '#kube/client.ts'
import { Informer } from '#kube/informer.ts'
import type { ImageEnv } from '../env.ts'
import { MemberCache } from '../member-cache.ts'
import { readSupervisors } from '../supervisor.ts'
import { Builder } from './builder.ts'
import { ClusterFacts } from './cluster.ts'
import { createHttp } from './http.ts'
import { watchOrphans } from './orphans.ts'
import { TImageStore } from './timage.ts'
import { Uploads } from './uploads.ts'

export interface ImageService extends Running {
  /** `http://host:port` */
  readonly url: string
}

/** Running builds get so long to end when the service stops. Milliseconds. */
const drainMs = 10_000
/** Between two looks for uploads that nobody wants any more. Milliseconds. */
const sweepMs = 600_000

/**
 * Starts tarsimage. Uploads of an earlier life are removed, and builds it left as running are failed, before the first
 * request is taken.
 * @throws SUPERVISOR_INVALID, IMAGE_LISTEN, and what the API server answers
 */
export async function startImageService(env: ImageEnv, client: KubeClient, log: Logger): Promise<ImageService> {
  await readSupervisors(env.supervisor)
  const forms = join(env.workspace, 'upload', env.podName)
  await rm(forms, { recursive: true, force: true })
  await mkdir(forms, { recursive: true })
  const uploads = await Uploads.open({ dir: join(env.workspace, 'resumable', env.podName), maxBytes: env.maxUploadBytes, keepMs: env.keepUploadsMs, log })
  const lifetime = new Lifetime()
  const changes = lifetime.own(new Informer<TImage>({ client, resource: resources.timages, namespace: env.namespace, log }))
  changes.start()
  const timages = new TImageStore(client, env.namespace, changes)
  lifetime.own(await watchOrphans({ client, namespace: env.namespace, podName: env.podName, timages, log }))
  const cluster = new ClusterFacts(client, env.namespace)
  const members = env.cacheBytes === 0 ? undefined : await MemberCache.open(env.workspace, env.cacheBytes)
  lifetime.onStop(() => members?.close())
  const builder = new Builder({ env, members, timages, cluster, log })
  const http = await createHttp({ env, builder, timages, cluster, podName: env.podName, forms, uploads, maxUploadBytes: env.maxUploadBytes, log })
  const sweeper = setInterval(() => void uploads.sweep().catch((error: unknown) => log.error('old uploads could not be removed', { error })), sweepMs).unref()
  lifetime.onStop(() => clearInterval(sweeper))
  lifetime.onStop(() => rm(forms, { recursive: true, force: true }))
  lifetime.onStop(() => http.close())
  lifetime.onStop(() => builder.stop(drainMs))
  await http.listen({ host: env.host, port: env.port }).catch(async (cause: unknown) => {
    await lifetime.stop()
    throw new Failure('IMAGE_LISTEN', `tarsimage cannot listen on ${env.host}:${env.port}`, { cause, remedy: 'set TARSIMAGE_LISTEN and TARSIMAGE_PORT' })
  })
  const { address, port, family } = http.server.address() as AddressInfo
  const url = `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`
  log.info('tarsimage serves', { url })
  return { url, done: lifetime.done, stop: () => lifetime.stop() }
}
