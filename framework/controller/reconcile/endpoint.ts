import { isDeepStrictEqual } from 'node:util'
import { isControlledBy } from '#api/meta.ts'
import { resources } from '#api/resources.ts'
import type { TEndpoint, TServer } from '#api/types.ts'
import type { Informer } from '#kube/informer.ts'
import type { Reconcile } from '#kube/reconciler.ts'
import type { AnyObject, Resource } from '#kube/types.ts'
import { desiredEndpoint } from '../desired/endpoint.ts'
import { endpointPods } from '../desired/pod-state.ts'
import { ensureApplied } from './apply.ts'
import type { ControllerContext } from './context.ts'
import { remove } from './remove.ts'

const resource = resources.tendpoints as Resource<TEndpoint>

/** TEndpoint of a TServer: a copy of its spec, and the states of its pods (control-plane spec C.5). */
export function reconcileEndpoint(context: ControllerContext): Reconcile {
  const { client, stores } = context
  return async (key, signal) => {
    const server = stores.servers.getByKey(key)
    const current = stores.endpoints.getByKey(key)
    const stale = current !== undefined && (server === undefined || !isControlledBy(current, server))
    // A copy of a TServer that is no more; a new one is made when it is gone.
    if (current !== undefined && stale) await remove(client, resource, current, 'Background', signal)
    if (server === undefined || stale || server.metadata.deletionTimestamp !== undefined) return
    const applied = (await ensureApplied(client, { resource: resource as Resource, store: stores.endpoints as unknown as Informer }, desiredEndpoint(server), current as AnyObject | undefined, signal)) as unknown as TEndpoint
    await updateStatus(context, server, applied, key, signal)
  }
}

async function updateStatus({ client, stores }: ControllerContext, server: TServer, current: TEndpoint, key: string, signal: AbortSignal): Promise<void> {
  const pods = endpointPods(stores.podsOf.get(key))
  if (current.status !== undefined && isDeepStrictEqual(current.status.pods, pods)) return
  const { namespace, name } = server.metadata
  stores.endpoints.learn(await client.patch(resource, { namespace, name }, { status: { pods } }, { subresource: 'status', signal }))
}
