import type { PodTemplateSpec } from 'kubernetes-types/core/v1.d.ts'
import { labels, names, serverSelector } from '#api/names.ts'
import type { TFrameworkConfig, TServer } from '#api/types.ts'
import { daemonSets, horizontalPodAutoscalers, persistentVolumeClaims, podDisruptionBudgets, services, statefulSets } from '#kube/resources.ts'
import { keyOf, type AnyObject } from '#kube/types.ts'
import { desiredAutoscaler } from '../desired/autoscaler.ts'
import { contains } from '../desired/contained.ts'
import { desiredDaemonSet } from '../desired/daemon-set.ts'
import { desiredDisruptionBudget } from '../desired/disruption-budget.ts'
import { desiredService } from '../desired/service.ts'
import { desiredStatefulSet } from '../desired/stateful-set.ts'
import { isNamed, keepingPods } from '../desired/predecessor.ts'
import type { ChildKind, Fit } from './child.ts'
import type { ControllerContext, Stores } from './context.ts'

/** StatefulSet, Service and DaemonSet of a TServer (control-plane spec C.1 to C.3), its PodDisruptionBudget, and its HorizontalPodAutoscaler. */
export function workloadKinds({ client, stores }: ControllerContext): readonly ChildKind[] {
  return [
    {
      resource: statefulSets, store: stores.statefulSets, desired: desiredStatefulSet, fit: fitStatefulSet,
      beforeRecreate: async (desired, { metadata: { namespace } }) => {
        const gone = lostLocalVolumes(desired as AnyObject, stores.statefulSets.get(namespace, (desired as AnyObject).metadata.name))
        if (gone.length === 0) return
        const { [labels.app]: app = '', [labels.server]: server = '', [labels.variant]: variant } = (desired as AnyObject).metadata.labels ?? {}
        await client.deleteCollection(persistentVolumeClaims, { namespace, labelSelector: `${serverSelector(app, server, variant)},${labels.localVolume} in (${gone.join(',')})` })
      },
    },
    { resource: services, store: stores.services, desired: (server) => desiredService(server, arePodsNamed(stores, server)) },
    { resource: daemonSets, store: stores.daemonSets, desired: desiredDaemonSet, fit: keepingPods },
    { resource: podDisruptionBudgets, store: stores.budgets, desired: desiredDisruptionBudget },
    { resource: horizontalPodAutoscalers, store: stores.autoscalers, desired: desiredAutoscaler },
  ]
}

/** The first TServer of a server is named on all of its pods, those that are there and those to come. While its set is made anew, what was true of the Service stays. */
function arePodsNamed(stores: Stores, { metadata, spec }: TServer): boolean {
  if (spec.variant !== undefined) return false
  const key = keyOf({ metadata })
  const set = stores.statefulSets.getByKey(key)
  const isIntended = set === undefined ? stores.services.getByKey(key)?.['spec'].selector?.[labels.tserver] !== undefined : isNamed(set['spec'].template as PodTemplateSpec)
  return isIntended && stores.podsOf.get(key).every(isNamed)
}

/** How what is desired of each kind is fitted to what is there. */
export const fits: Readonly<Record<string, Fit>> = { StatefulSet: fitStatefulSet, DaemonSet: keepingPods }

/**
 * Kubernetes lets podManagementPolicy and volumeClaimTemplates of a StatefulSet not change. The first keeps its old value; for the
 * second, a set whose claims differ is replaced while its pods go on, and the new set takes them over.
 */
export function fitStatefulSet(desired: object, current: AnyObject, server: TServer, framework: TFrameworkConfig | undefined): object | 'recreate' {
  const { spec } = keepingPods(desired, current, server, framework) as AnyObject
  const wanted = (spec.volumeClaimTemplates ?? []) as AnyObject[]
  const existing = (current['spec'].volumeClaimTemplates ?? []) as AnyObject[]
  if (!sameClaims(existing, wanted)) return 'recreate'
  return { ...desired, spec: { ...spec, podManagementPolicy: current['spec'].podManagementPolicy, ...(existing.length === 0 ? {} : { volumeClaimTemplates: existing }) } }
}

function sameClaims(existing: readonly AnyObject[], wanted: readonly AnyObject[]): boolean {
  return existing.length === wanted.length && wanted.every((claim) => {
    const old = existing.find(({ metadata }) => metadata.name === claim.metadata.name)
    return old !== undefined && [claim, ofPredecessor(claim)].some((one) => contains(claimed(old), claimed(one)))
  })
}

const claimed = ({ metadata: { labels: given, annotations }, ...claim }: AnyObject): object => ({ labels: given, annotations, spec: claim['spec'] })

/** K8SFramework's claims of local volumes do not say the namespace of their server; for that alone a set is not made anew. */
function ofPredecessor(claim: AnyObject): AnyObject {
  const { [labels.localVolumeNamespace]: _namespace, ...given } = claim.metadata.labels ?? {}
  return claim['spec'].storageClassName === names.storageClass ? { ...claim, metadata: { ...claim.metadata, labels: given }, spec: { ...claim['spec'], selector: { matchLabels: given } } } : claim
}

/** Local volumes that the set has and shall not have any more: their claims go, so that the agent can clear the folders. */
function lostLocalVolumes(desired: AnyObject, current: AnyObject | undefined): string[] {
  const claims = (object: AnyObject | undefined): AnyObject[] => object?.['spec'].volumeClaimTemplates ?? []
  const kept = new Set(claims(desired).map(({ metadata }) => metadata.name))
  return claims(current).filter((claim) => claim['spec'].storageClassName === names.storageClass && !kept.has(claim.metadata.name)).map(({ metadata }) => metadata.name)
}
