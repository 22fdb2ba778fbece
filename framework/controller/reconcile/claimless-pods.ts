import type { Reconcile } from '#kube/reconciler.ts'
import { pods as podResource } from '#kube/resources.ts'
import type { AnyObject } from '#kube/types.ts'
import { isReady } from '../desired/trouble.ts'
import type { ControllerContext } from './context.ts'
import { remove } from './remove.ts'

/**
 * Replaces pods that a StatefulSet has taken over and that lack a claim of its: no volume comes to a pod that exists, and until the pod
 * is gone the set stands still, with no roll-out and no scaling (StatefulSet controller, "FailedUpdate"). One after the other, from the
 * lowest number on, which is how far the set goes on; each is to be ready before the next. With OnDelete it is for people to do.
 */
export function reconcileClaimlessPods({ client, stores, log }: ControllerContext): Reconcile {
  return async (key, signal) => {
    const set = stores.statefulSets.getByKey(key)
    if (set === undefined || isLeaving(set) || set['spec'].updateStrategy?.type === 'OnDelete') return
    const own = stores.podsOf.get(key).filter(({ metadata }) => metadata.ownerReferences?.some(({ controller, uid }) => controller === true && uid === set.metadata.uid))
    const ordered = own.toSorted((a, b) => ordinalOf(a) - ordinalOf(b))
    const first = ordered.findIndex((pod) => lacksClaim(set, pod))
    const next = ordered[first]
    if (next === undefined || isLeaving(next)) return
    const before = ordered.slice(0, first)
    if (before.length < ordinalOf(next) || !before.every(isReady)) return
    log.info('pod without the volumes of its set is replaced', { namespace: next.metadata.namespace, name: next.metadata.name })
    await remove(client, podResource, next, 'Background', signal)
  }
}

const isLeaving = ({ metadata }: AnyObject): boolean => metadata.deletionTimestamp !== undefined
const ordinalOf = ({ metadata: { name } }: AnyObject): number => Number(name.slice(name.lastIndexOf('-') + 1))

/** By the rule of the StatefulSet controller. */
function lacksClaim(set: AnyObject, pod: AnyObject): boolean {
  const volumes = (pod['spec'].volumes ?? []) as { readonly name: string; readonly persistentVolumeClaim?: { readonly claimName: string } }[]
  const templates = (set['spec'].volumeClaimTemplates ?? []) as AnyObject[]
  return templates.some(({ metadata: { name } }) => !volumes.some((volume) => volume.name === name && volume.persistentVolumeClaim?.claimName === `${name}-${pod.metadata.name}`))
}
