import { resources } from '#api/resources.ts'
import type { TImage } from '#api/types.ts'
import { systemClock, type Clock } from '#base/clock.ts'
import { Lifetime, type Running } from '#base/lifecycle.ts'
import type { Logger } from '#base/log.ts'
import type { KubeClient } from '#kube/client.ts'
import { Informer } from '#kube/informer.ts'
import { startReconciler } from '#kube/reconciler.ts'
import type { Resource } from '#kube/types.ts'
import { connectImageService } from './cri.ts'
import { loginFor } from './logins.ts'
import { takesImages, wantedImages } from './wanted.ts'

/** See {@link startPrepuller}. */
export interface PrepullerOptions {
  readonly client: KubeClient
  readonly nodeName: string
  /** Read model of this node alone, run by the caller. */
  readonly node: Informer
  /** Socket of the container runtime. */
  readonly socket: string
  /** A .dockerconfigjson, optional. */
  readonly loginFile: string
  /** Releases not older than that are pulled. */
  readonly withinMs: number
  readonly log: Logger
  readonly clock?: Clock
}

export interface Prepuller extends Running {
  readonly counts: { readonly pulled: number; readonly failed: number }
}

/** Pulls new releases onto this node before pods ask for them, one at a time, by the container runtime that the kubelet uses. */
export function startPrepuller({ client, nodeName, node, socket, loginFile, withinMs, log, clock = systemClock }: PrepullerOptions): Prepuller {
  const lifetime = new Lifetime()
  const counts = { pulled: 0, failed: 0 }
  const images = new Informer<TImage>({ client, resource: resources.timages as Resource<TImage>, log })
  const service = connectImageService(socket)
  lifetime.onStop(() => service.close())

  const wantedOf = (image: TImage): string[] => wantedImages(image, node.get(undefined, nodeName)?.metadata.labels ?? {}, clock.now() - withinMs)
  const reconciler = lifetime.own(startReconciler({
    name: 'image-pulls', workers: 1, baseMs: 1000, capMs: 10 * 60_000, log,
    reconcile: async (image, signal) => {
      const here = node.get(undefined, nodeName)
      if (here === undefined || !takesImages(here) || !images.list().some((one) => wantedOf(one).includes(image)) || (await service.has(image))) return
      try {
        await service.pull(image, await loginFor(image, loginFile), signal)
      } catch (error) {
        counts.failed++
        throw error
      }
      counts.pulled++
      log.info('image is on the node before a pod asks for it', { image })
    },
  }))
  const enqueue = (image: TImage): void => wantedOf(image).forEach((one) => reconciler.enqueue(one))
  images.onChange((type, image) => void (type !== 'deleted' && enqueue(image)))
  // Its labels, its pressure: what was wanted may have changed.
  lifetime.onStop(node.onChange(() => images.list().forEach(enqueue)))
  lifetime.onStop(() => images.stop())
  images.start()
  return Object.assign(lifetime, { counts })
}
