import { isDeepStrictEqual } from 'node:util'
import { resources } from '#api/resources.ts'
import type { TServer } from '#api/types.ts'
import { isNotFound } from '#kube/errors.ts'
import type { Reconcile } from '#kube/reconciler.ts'
import type { Resource } from '#kube/types.ts'
import { serverStatus } from '../desired/server-status.ts'
import type { ControllerContext } from './context.ts'

/** Status of a TServer, from itself and its pods (control-plane spec C.6). */
export function reconcileServerStatus({ client, stores, clock }: ControllerContext): Reconcile {
  return async (key, signal) => {
    const server = stores.servers.getByKey(key)
    if (server === undefined || server.metadata.deletionTimestamp !== undefined) return
    const now = new Date(clock.now()).toISOString().replace(/\.\d+Z$/, 'Z')
    const status = serverStatus(server, stores.podsOf.get(key), now)
    if (isDeepStrictEqual(server.status, status)) return
    const { namespace, name } = server.metadata
    try {
      await client.patch(resources.tservers as Resource<TServer>, { namespace, name }, { status }, { subresource: 'status', signal })
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
  }
}
