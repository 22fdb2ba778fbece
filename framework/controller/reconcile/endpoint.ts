import { isDeepStrictEqual } from 'node:util'
import { isControlledBy } from '#api/meta.ts'
import { resources } from '#api/resources.ts'
import type { TEndpoint } from '#api/types.ts'
import type { Informer } from '#kube/informer.ts'
import type { Reconcile } from '#kube/reconciler.ts'
import type { AnyObject, Resource } from '#kube/types.ts'
import { desiredEndpoint } from '../desired/endpoint.ts'
import { endpointPods } from '../desired/pod-state.ts'
import { ensureApplied } from './apply.ts'
import type { ControllerContext } from './context.ts'
import type { EndedPods } from './exited-record.ts'
import { isLeftOver, isOrphan } from './owner.ts'
import { remove } from './remove.ts'

const resource = resources.tendpoints as Resource<TEndpoint>

/**
 * TEndpoint of a TServer: a copy of its spec, and the states of its pods (control-plane spec C.5). It remembers them also while no
 * controller runs: one that it tells of and that is no more has ended, and goes on record before it is dropped.
 * @param record tries to write what has ended to the record of a TServer; it never fails, as nobody shall be sent to a pod that is no
 *   more for want of a record
 */
export function reconcileEndpoint(context: ControllerContext, ended: EndedPods, record: Reconcile): Reconcile {
  const { client, stores } = context
  return async (key, signal) => {
    const server = stores.servers.getByKey(key)
    const current = stores.endpoints.getByKey(key)
    const stale = current !== undefined && (server === undefined || !isControlledBy(current, server))
    // A copy of a TServer that is no more; a new one is made when it is gone.
    if (current !== undefined && stale && (!isLeftOver(current, server) || (await isOrphan(client, current, signal)))) await remove(client, resource, current, 'Background', signal)
    if (server === undefined || stale || server.metadata.deletionTimestamp !== undefined) return
    const applied = (await ensureApplied(client, { resource: resource as Resource, store: stores.endpoints as unknown as Informer }, desiredEndpoint(server), current as AnyObject | undefined, signal)) as unknown as TEndpoint
    const pods = endpointPods(stores.podsOf.get(key))
    const told = applied.status?.pods ?? []
    if (applied.status !== undefined && isDeepStrictEqual(told, pods)) return
    const gone = told.filter(({ uid }) => pods.every((pod) => pod.uid !== uid))
    if (ended.noteGone(key, gone, new Date(context.clock.now()).toISOString())) await record(key, signal)
    const { namespace, name } = server.metadata
    stores.endpoints.learn(await client.patch(resource, { namespace, name }, { status: { pods } }, { subresource: 'status', signal }))
  }
}
