import type { Reconcile } from '#kube/reconciler.ts'
import { pods as podResource } from '#kube/resources.ts'
import { isLeaving } from '#kube/types.ts'
import { claimlessPods, isOnDelete, ordinalOf } from '../desired/claimless.ts'
import { isReady } from '../desired/trouble.ts'
import type { ControllerContext } from './context.ts'
import { remove } from './remove.ts'

/**
 * Replaces pods that a StatefulSet has taken over and that lack a claim of its. One after the other, from the lowest number on, which
 * is how far the set goes on; each is to be ready before the next. With OnDelete it is for people to do, whom the status tells.
 */
export function reconcileClaimlessPods({ client, stores, log }: ControllerContext): Reconcile {
  return async (key, signal) => {
    const set = stores.statefulSets.getByKey(key)
    if (set === undefined || isLeaving(set) || isOnDelete(set)) return
    const { ordered, first } = claimlessPods(set, stores.podsOf.get(key))
    const next = ordered[first]
    if (next === undefined || isLeaving(next)) return
    const before = ordered.slice(0, first)
    if (before.length < ordinalOf(next) || !before.every(isReady)) return
    log.info('pod without the volumes of its set is replaced', { namespace: next.metadata.namespace, name: next.metadata.name })
    await remove(client, podResource, next, 'Background', signal)
  }
}
