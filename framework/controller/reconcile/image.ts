import { fallbackBuildTime } from '#api/names.ts'
import { resources } from '#api/resources.ts'
import type { TImage } from '#api/types.ts'
import { isInvalid, isNotFound } from '#kube/errors.ts'
import type { Reconcile } from '#kube/reconciler.ts'
import type { Resource } from '#kube/types.ts'
import { frameworkOf, type ControllerContext } from './context.ts'

/** A build that runs longer than it may has failed, whoever was building (control-plane spec C.11). */
export function reconcileImage({ client, stores, clock }: ControllerContext): Reconcile {
  return async (key, signal) => {
    const image = stores.images.getByKey(key)
    const running = image?.build?.running
    if (image === undefined || running === undefined || image.imageType !== 'server') return
    const { namespace = '', name } = image.metadata
    const allowedMs = (frameworkOf(stores, namespace)?.imageBuild.maxBuildTime ?? fallbackBuildTime) * 1000
    const startedAt = Date.parse(running.createTime ?? image.metadata.creationTimestamp ?? '')
    const leftMs = (Number.isNaN(startedAt) ? clock.now() : startedAt) + allowedMs - clock.now()
    if (leftMs > 0) return { requeueAfterMs: leftMs }
    const last = { ...running, phase: 'Failed', message: 'task overtime' }
    const patch = [{ op: 'test', path: '/build/running/id', value: running.id }, { op: 'replace', path: '/build', value: { last } }]
    try {
      await client.patch(resources.timages as Resource<TImage>, { namespace, name }, patch, { type: 'json', signal })
    } catch (error) {
      // The build ended in the meantime: the test no longer holds.
      if (!isNotFound(error) && !isInvalid(error)) throw error
    }
  }
}
