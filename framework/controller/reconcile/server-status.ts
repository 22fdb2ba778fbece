import { resources } from '#api/resources.ts'
import type { TServer, TServerStatus } from '#api/types.ts'
import type { News } from '#kube/event.ts'
import type { Reconcile } from '#kube/reconciler.ts'
import type { Resource } from '#kube/types.ts'
import { serverStatus } from '../desired/server-status.ts'
import type { Surroundings } from '../desired/trouble.ts'
import type { ControllerContext, Stores } from './context.ts'
import { tell } from './event.ts'
import { nowOf, writeStatus } from './status.ts'

/** Status of a TServer, from itself and its pods (control-plane spec C.6); what turned in it is told by events. */
export function reconcileServerStatus(context: ControllerContext): Reconcile {
  const { stores } = context
  return async (key, signal) => {
    const server = stores.servers.getByKey(key)
    if (server === undefined || server.metadata.deletionTimestamp !== undefined) return
    const status = serverStatus(server, stores.podsOf.get(key), surroundingsOf(stores, key), nowOf(context))
    if (!(await writeStatus(context, { resource: resources.tservers as Resource<TServer>, store: stores.servers }, server, status, signal))) return
    for (const news of newsOf(server.status, status)) await tell(context, server, news)
  }
}

function surroundingsOf({ nodes, storageClasses, statefulSets }: Stores, key: string): Surroundings {
  return {
    set: statefulSets.getByKey(key),
    nodes: nodes.hasSynced ? nodes.list() : undefined,
    storageClasses: storageClasses.hasSynced ? new Set(storageClasses.list().map(({ metadata }) => metadata.name)) : undefined,
  }
}

/** A server that comes into trouble, into another or out of it, or that begins or ceases to serve. What it is at first is no news, but for trouble. */
function newsOf(before: TServerStatus | undefined, after: TServerStatus): News[] {
  return (after.conditions ?? []).flatMap(({ type, status, reason, message }): News[] => {
    const old = before?.conditions?.find((condition) => condition.type === type)
    const isSame = (old?.status ?? 'False') === status && (type !== 'Degraded' || status !== 'True' || old?.reason === reason)
    if (isSame || (type !== 'Available' && type !== 'Degraded')) return []
    return [{ type: type === 'Degraded' && status === 'True' ? 'Warning' : 'Normal', reason, message }]
  })
}
