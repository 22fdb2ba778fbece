import { isControlledBy } from '#api/meta.ts'
import type { AnyObject } from '#kube/types.ts'
import type { Pod } from './pod-state.ts'
import type { Trouble } from './trouble.ts'

/**
 * Pods of a StatefulSet by their numbers, and where the first one is that lacks a claim of it: no volume comes to a pod that exists, and
 * until that pod is gone the set stands still, with no roll-out and no scaling (StatefulSet controller, "FailedUpdate").
 * @param pods of the server, others' among them
 * @returns first -1 when none does
 */
export function claimlessPods(set: AnyObject, pods: readonly AnyObject[]): { readonly ordered: readonly AnyObject[]; readonly first: number } {
  const ordered = pods.filter((pod) => isControlledBy(pod, set)).toSorted((a, b) => ordinalOf(a) - ordinalOf(b))
  return { ordered, first: ordered.findIndex((pod) => missingClaims(set, pod).length > 0) }
}

export const isOnDelete = (set: AnyObject): boolean => set['spec'].updateStrategy?.type === 'OnDelete'

export const ordinalOf = ({ metadata: { name } }: AnyObject): number => Number(name.slice(name.lastIndexOf('-') + 1))

/** So many names say what is meant. */
const mostNames = 10

/** A set that stands still because its pods are for people to replace. */
export function standstillOf(set: AnyObject | undefined, pods: readonly Pod[]): (Trouble & { readonly count: number }) | undefined {
  if (set === undefined || !isOnDelete(set)) return undefined
  const lacking = claimlessPods(set, pods as unknown as AnyObject[]).ordered.filter((pod) => missingClaims(set, pod).length > 0)
  const [first] = lacking
  if (first === undefined) return undefined
  const named = lacking.slice(0, mostNames).map(({ metadata }) => metadata.name).join(' ')
  return {
    count: lacking.length, reason: 'VolumesMissing',
    message: `volume ${missingClaims(set, first).join(', ')} is new and comes to no pod that is there; with updateStrategy OnDelete nothing is rolled out or scaled until you delete those that lack it: kubectl -n ${first.metadata.namespace ?? ''} delete pod ${named}`,
  }
}

/** By the rule of the StatefulSet controller. */
function missingClaims(set: AnyObject, pod: AnyObject): string[] {
  const volumes = (pod['spec']?.volumes ?? []) as { readonly name: string; readonly persistentVolumeClaim?: { readonly claimName: string } }[]
  const templates = (set['spec'].volumeClaimTemplates ?? []) as AnyObject[]
  return templates.map(({ metadata: { name } }) => name).filter((name) => !volumes.some((volume) => volume.name === name && volume.persistentVolumeClaim?.claimName === `${name}-${pod.metadata.name}`))
}
