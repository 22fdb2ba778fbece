import { isControlledBy } from '#api/meta.ts'
import type { ApiObject } from '#api/types.ts'
import type { Reconcile } from '#kube/reconciler.ts'
import { pods } from '#kube/resources.ts'
import type { AnyObject } from '#kube/types.ts'
import type { ControllerContext } from './context.ts'
import { remove } from './remove.ts'

/**
 * Pods that are older than a claim of their StatefulSet make way for such with it. Kubernetes tries to add the volume to a pod that
 * runs, which is refused for ever, and goes no further with that set. They go one at a time, each when all others are ready, and
 * from the lowest ordinal up: a set that is stuck at one pod makes none after it.
 */
export function reconcileClaims({ client, stores, log }: ControllerContext): Reconcile {
  return async (key, signal) => {
    const set = stores.statefulSets.getByKey(key)
    if (set === undefined || set.metadata.deletionTimestamp !== undefined || set['spec'].updateStrategy?.type === 'OnDelete') return
    const members = stores.podsOf.get(key).filter((pod) => isControlledBy(pod, set as ApiObject))
    const [first] = members.filter((pod) => lacksClaim(set, pod)).toSorted((one, other) => ordinalOf(one) - ordinalOf(other))
    if (first === undefined || members.length < (set['spec'].replicas ?? 1) || !members.every((pod) => pod === first || isReady(pod))) return
    if (first.metadata.deletionTimestamp !== undefined) return
    log.info('pod goes to come back with its claims', { namespace: first.metadata.namespace, name: first.metadata.name })
    await remove(client, pods, first, 'Background', signal)
  }
}

function lacksClaim(set: AnyObject, pod: AnyObject): boolean {
  const mounted = new Set((pod['spec'].volumes as { name: string }[] | undefined)?.map(({ name }) => name))
  return ((set['spec'].volumeClaimTemplates ?? []) as AnyObject[]).some(({ metadata }) => !mounted.has(metadata.name))
}

const ordinalOf = ({ metadata }: AnyObject): number => Number(/-(\d+)$/.exec(metadata.name)?.[1] ?? 0)

function isReady({ metadata, status }: AnyObject & { readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] } }): boolean {
  return metadata.deletionTimestamp === undefined && status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') === true
}
