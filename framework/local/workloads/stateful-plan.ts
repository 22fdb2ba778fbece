import type { Pod } from '../pods/kinds.ts'
import { isReady } from '../pods/hosts.ts'
import { revisionLabel } from './kinds.ts'
import type { StatefulSet, StatefulSetStatus } from './kinds.ts'

/** What a StatefulSet wants done next. */
export interface StatefulPlan {
  readonly create: readonly { readonly ordinal: number; readonly revision: string }[]
  readonly remove: readonly Pod[]
}

export interface Revisions {
  /** Of the template as it is. */
  readonly update: string
  /** Of the last template that was rolled out whole. */
  readonly current: string
}

/** `<set>-<ordinal>`: the ordinal, or undefined for a name of another form. */
export function ordinalOf(set: StatefulSet, pod: Pod): number | undefined {
  const prefix = `${set.metadata.name}-`
  const text = pod.metadata.name.startsWith(prefix) ? pod.metadata.name.slice(prefix.length) : ''
  return /^(0|[1-9][0-9]*)$/.test(text) ? Number(text) : undefined
}

/**
 * The next step of a StatefulSet (Kubernetes, "StatefulSets": deployment and scaling guarantees, update strategies).
 * OrderedReady takes one step at a time and waits for pods before it; Parallel creates and removes at once. Updates go
 * from the highest ordinal down to the partition, one pod at a time, each ready before the next.
 */
export function planStatefulSet(set: StatefulSet, pods: readonly Pod[], revisions: Revisions): StatefulPlan {
  const { start, end } = range(set)
  const byOrdinal = new Map(pods.map((pod) => [ordinalOf(set, pod), pod]))
  const wanted = Array.from({ length: end - start }, (_, index) => ({ ordinal: start + index, pod: byOrdinal.get(start + index) }))
  const surplus = pods.filter((pod) => !inRange(ordinalOf(set, pod), start, end)).toSorted((a, b) => (ordinalOf(set, b) ?? 0) - (ordinalOf(set, a) ?? 0))
  const scaling = set.spec.podManagementPolicy === 'Parallel' ? scaleAtOnce(set, wanted, surplus, revisions) : scaleInOrder(set, wanted, surplus, revisions)
  return scaling ?? { create: [], remove: nextToUpdate(set, wanted, revisions) }
}

interface Place { readonly ordinal: number; readonly pod: Pod | undefined }

function scaleAtOnce(set: StatefulSet, wanted: readonly Place[], surplus: readonly Pod[], revisions: Revisions): StatefulPlan | undefined {
  const create = wanted.filter(({ pod }) => pod === undefined).map(({ ordinal }) => ({ ordinal, revision: revisionFor(set, ordinal, revisions) }))
  const over = wanted.flatMap(({ pod }) => (pod !== undefined && isOver(pod) ? [pod] : []))
  const remove = [...over, ...surplus].filter((pod) => !isTerminating(pod))
  return create.length + remove.length > 0 ? { create, remove } : undefined
}

/** An empty plan means: wait. */
function scaleInOrder(set: StatefulSet, wanted: readonly Place[], surplus: readonly Pod[], revisions: Revisions): StatefulPlan | undefined {
  for (const { ordinal, pod } of wanted) {
    if (pod === undefined) return { create: [{ ordinal, revision: revisionFor(set, ordinal, revisions) }], remove: [] }
    if (isOver(pod) && !isTerminating(pod)) return { create: [], remove: [pod] }
    if (!isHealthy(pod)) return isStale(set, ordinal, pod, revisions) ? { create: [], remove: [pod] } : { create: [], remove: [] }
  }
  const [highest] = surplus
  if (highest === undefined) return undefined
  return { create: [], remove: isTerminating(highest) ? [] : [highest] }
}

/**
 * A pod that never became ready and whose template was replaced since: waiting for it could take for ever (Kubernetes
 * documents this as "Forced rollback", to be repaired by hand).
 */
function isStale(set: StatefulSet, ordinal: number, pod: Pod, revisions: Revisions): boolean {
  return rolls(set) && !isTerminating(pod) && revisionOf(pod) !== revisionFor(set, ordinal, revisions)
}

function nextToUpdate(set: StatefulSet, wanted: readonly Place[], revisions: Revisions): Pod[] {
  // Kubernetes tries to add the volume to the pod, which is refused, and goes no further until somebody deletes the pod.
  if (!rolls(set) || wanted.some(({ pod }) => pod !== undefined && lacksClaim(set, pod))) return []
  for (const { ordinal, pod } of wanted.toReversed()) {
    if (pod === undefined || ordinal < partitionOf(set)) return []
    if (revisionOf(pod) !== revisions.update && !isTerminating(pod)) return [pod]
    if (!isHealthy(pod)) return []
  }
  return []
}

function lacksClaim({ spec }: StatefulSet, pod: Pod): boolean {
  return (spec.volumeClaimTemplates ?? []).some(({ metadata }) => pod.spec.volumes?.every(({ name }) => name !== metadata.name) ?? true)
}

/** Pods below the partition are made from the old template. */
function revisionFor(set: StatefulSet, ordinal: number, revisions: Revisions): string {
  return rolls(set) && ordinal < partitionOf(set) ? revisions.current : revisions.update
}

/** @param now milliseconds since the epoch */
export function statefulStatus(set: StatefulSet, pods: readonly Pod[], revisions: Revisions, now: number): StatefulSetStatus {
  const { start, end } = range(set)
  const own = pods.filter((pod) => !isOver(pod))
  const ready = own.filter(isReady)
  const updated = own.filter((pod) => revisionOf(pod) === revisions.update && !isTerminating(pod))
  const complete = rolls(set) && updated.length === end - start && own.length === updated.length && updated.every(isReady) && partitionOf(set) <= start
  const current = complete ? revisions.update : revisions.current
  return {
    ...(set.metadata.generation === undefined ? {} : { observedGeneration: set.metadata.generation }),
    replicas: own.length,
    readyReplicas: ready.length,
    availableReplicas: ready.filter((pod) => availableIn(pod, set.spec.minReadySeconds ?? 0, now) <= 0).length,
    currentReplicas: own.filter((pod) => revisionOf(pod) === current && !isTerminating(pod)).length,
    updatedReplicas: updated.length,
    currentRevision: current,
    updateRevision: revisions.update,
    collisionCount: 0,
  }
}

/** Milliseconds until a ready pod counts as available. */
export function availableIn(pod: Pod, minReadySeconds: number, now: number): number {
  const since = Date.parse(pod.status?.conditions?.find(({ type }) => type === 'Ready')?.lastTransitionTime ?? '')
  return minReadySeconds === 0 ? 0 : (Number.isNaN(since) ? now : since) + minReadySeconds * 1000 - now
}

function range({ spec }: StatefulSet): { start: number; end: number } {
  const start = spec.ordinals?.start ?? 0
  return { start, end: start + (spec.replicas ?? 1) }
}

function inRange(ordinal: number | undefined, start: number, end: number): boolean {
  return ordinal !== undefined && ordinal >= start && ordinal < end
}

function rolls({ spec }: StatefulSet): boolean {
  return (spec.updateStrategy?.type ?? 'RollingUpdate') === 'RollingUpdate'
}

function partitionOf({ spec }: StatefulSet): number {
  return spec.updateStrategy?.rollingUpdate?.partition ?? 0
}

export function revisionOf(pod: Pod): string {
  return pod.metadata.labels?.[revisionLabel] ?? ''
}

export function isTerminating(pod: Pod): boolean {
  return pod.metadata.deletionTimestamp !== undefined
}

function isOver(pod: Pod): boolean {
  return pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded'
}

function isHealthy(pod: Pod): boolean {
  return pod.status?.phase === 'Running' && isReady(pod) && !isTerminating(pod)
}
