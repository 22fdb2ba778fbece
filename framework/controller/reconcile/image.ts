import { fallbackBuildTime } from '#api/names.ts'
import { resources } from '#api/resources.ts'
import type { TImage } from '#api/types.ts'
import { isInvalid, isNotFound } from '#kube/errors.ts'
import type { Reconcile, ReconcileResult } from '#kube/reconciler.ts'
import type { Resource } from '#kube/types.ts'
import { imageStatus } from '../desired/image-status.ts'
import { frameworkOf, type ControllerContext } from './context.ts'
import { tell } from './event.ts'
import { nowOf, writeStatus } from './status.ts'

/** A build that runs longer than it may has failed, whoever was building (control-plane spec C.11). When none runs, the status says what there is. */
export function reconcileImage(context: ControllerContext): Reconcile {
  return async (key, signal) => {
    const image = context.stores.images.getByKey(key)
    if (image === undefined || image.metadata.deletionTimestamp !== undefined) return
    // A build writes its steps into the TImage; nobody else writes while it does.
    const running = image.build?.running
    if (running === undefined) return tellOf(context, image, signal)
    if (image.imageType === 'server') return endOverdue(context, image, running, signal)
  }
}

async function endOverdue({ client, stores, clock }: ControllerContext, { metadata }: TImage, running: Running, signal: AbortSignal): Promise<ReconcileResult | void> {
  const { namespace = '', name } = metadata
  const allowedMs = (frameworkOf(stores, namespace)?.imageBuild.maxBuildTime ?? fallbackBuildTime) * 1000
  const startedAt = Date.parse(running.createTime ?? metadata.creationTimestamp ?? '')
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

type Running = NonNullable<NonNullable<TImage['build']>['running']>

async function tellOf(context: ControllerContext, image: TImage, signal: AbortSignal): Promise<void> {
  const status = imageStatus(image, nowOf(context))
  if (!(await writeStatus(context, { resource: resources.timages as Resource<TImage>, store: context.stores.images }, image, status, signal))) return
  const degraded = status.conditions?.find(({ type }) => type === 'Degraded')
  const before = image.status?.conditions?.find(({ type }) => type === 'Degraded')
  if (degraded?.status === 'True' && before?.message !== degraded.message) await tell(context, image, { type: 'Warning', reason: degraded.reason, message: degraded.message })
}
