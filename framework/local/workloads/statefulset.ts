import type { KubeClient } from '#kube/client.ts'
import { isAlreadyExists, isNotFound } from '#kube/errors.ts'
import type { ReconcileResult } from '#kube/reconciler.ts'
import { splitKey } from '#kube/types.ts'
import { claimResource, podResource } from '../pods/kinds.ts'
import type { Pod } from '../pods/kinds.ts'
import { statefulSetResource } from './kinds.ts'
import type { ControllerRevision, StatefulSet } from './kinds.ts'
import { ownPods, removePod } from './own-pods.ts'
import { keepRevisions, trimRevisions } from './revisions.ts'
import { matches } from './selector.ts'
import { availableIn, ordinalOf, planStatefulSet, revisionOf, statefulStatus } from './stateful-plan.ts'
import type { Revisions } from './stateful-plan.ts'
import { statefulClaims, statefulPod } from './stateful-pod.ts'

/** Brings one StatefulSet a step nearer to its spec, and its status up to date. */
export async function reconcileStatefulSet(client: KubeClient, key: string): Promise<ReconcileResult | void> {
  const { namespace = 'default', name } = splitKey(key)
  const set = await client.get(statefulSetResource, { namespace, name }).catch(nothing)
  if (set === undefined || set.metadata.deletionTimestamp !== undefined) return
  if (!matches(set.spec.selector, set.spec.template.metadata?.labels)) return // its pods would not be its own
  const pods = await ownPods(client, set, (pod) => ordinalOf(set, pod) !== undefined)
  const history = await keepRevisions(client, set)
  const revisions = revisionsOf(set, history)
  const plan = planStatefulSet(set, pods, revisions)
  for (const pod of plan.remove) await removePod(client, pod)
  for (const { ordinal, revision } of plan.create) await createPod(client, set, ordinal, revision, history)
  await writeStatus(client, set, pods, revisions)
  await trimRevisions(client, set, history, new Set([...pods.map(revisionOf), revisions.current, revisions.update]))
  const waits = pods.map((pod) => availableIn(pod, set.spec.minReadySeconds ?? 0, Date.now())).filter((ms) => ms > 0)
  return waits.length === 0 ? undefined : { requeueAfterMs: Math.min(...waits) }
}

function revisionsOf(set: StatefulSet, history: readonly ControllerRevision[]): Revisions {
  const update = history.at(-1)?.metadata.name ?? ''
  const current = set.status?.currentRevision
  return { update, current: current !== undefined && history.some(({ metadata }) => metadata.name === current) ? current : update }
}

async function createPod(client: KubeClient, set: StatefulSet, ordinal: number, revision: string, history: readonly ControllerRevision[]): Promise<void> {
  for (const claim of statefulClaims(set, ordinal)) await client.create(claimResource, claim).catch(alreadyThere)
  const template = history.find(({ metadata }) => metadata.name === revision)?.data.spec.template ?? set.spec.template
  await client.create(podResource, statefulPod(set, ordinal, template, revision)).catch(alreadyThere)
}

async function writeStatus(client: KubeClient, set: StatefulSet, pods: readonly Pod[], revisions: Revisions): Promise<void> {
  const status = statefulStatus(set, pods, revisions, Date.now())
  const before = set.status as Readonly<Record<string, unknown>> | undefined
  if (Object.entries(status).every(([field, value]) => before?.[field] === value)) return
  await client.patch(statefulSetResource, { namespace: set.metadata.namespace, name: set.metadata.name }, { metadata: { uid: set.metadata.uid }, status }, { subresource: 'status' }).catch(nothing)
}

function nothing(error: unknown): undefined {
  if (!isNotFound(error)) throw error
  return undefined
}

function alreadyThere(error: unknown): void {
  if (!isAlreadyExists(error)) throw error
}
