import type { KubeClient } from '#kube/client.ts'
import { isNotFound } from '#kube/errors.ts'
import { splitKey } from '#kube/types.ts'
import { isReady } from '../pods/hosts.ts'
import { nodeResource, podResource } from '../pods/kinds.ts'
import type { Pod } from '../pods/kinds.ts'
import { daemonSetResource, revisionLabel } from './kinds.ts'
import type { DaemonSet, DaemonSetStatus } from './kinds.ts'
import { ownPods, removePod } from './own-pods.ts'
import { controllerReference, keepRevisions, trimRevisions } from './revisions.ts'
import { fitsNode } from './schedule.ts'
import { matches } from './selector.ts'
import { availableIn, isTerminating, revisionOf } from './stateful-plan.ts'
import type { ReconcileResult } from '#kube/reconciler.ts'

/** One pod on the one node, if the node fits (Kubernetes, "DaemonSet"). */
export async function reconcileDaemonSet(client: KubeClient, nodeName: string, key: string): Promise<ReconcileResult | void> {
  const { namespace = 'default', name } = splitKey(key)
  const set = await client.get(daemonSetResource, { namespace, name }).catch(nothing)
  if (set === undefined || set.metadata.deletionTimestamp !== undefined || !matches(set.spec.selector, set.spec.template.metadata?.labels)) return
  const node = await client.get(nodeResource, { name: nodeName }).catch(nothing)
  const pods = await ownPods(client, set, () => true)
  const history = await keepRevisions(client, set)
  const revision = history.at(-1)?.metadata.name ?? ''
  const pod = daemonPod(set, revision)
  const wanted = node !== undefined && fitsNode(pod, node)
  const plan = planDaemonSet(set, pods, revision, wanted)
  for (const surplus of plan.remove) await removePod(client, surplus)
  if (plan.create) await client.create(podResource, pod)
  await writeStatus(client, set, daemonStatus(set, pods, revision, wanted, Date.now()))
  await trimRevisions(client, set, history, new Set(pods.map(revisionOf)))
  const waits = pods.map((own) => availableIn(own, set.spec.minReadySeconds ?? 0, Date.now())).filter((ms) => ms > 0)
  return waits.length === 0 ? undefined : { requeueAfterMs: Math.min(...waits) }
}

/** The next step: the old pod is gone before the new one comes, because both would want the same ports. */
export function planDaemonSet(set: DaemonSet, pods: readonly Pod[], revision: string, wanted: boolean): { readonly create: boolean; readonly remove: readonly Pod[] } {
  const alive = pods.filter((pod) => !isTerminating(pod))
  if (!wanted) return { create: false, remove: alive }
  const over = alive.filter(({ status }) => status?.phase === 'Failed' || status?.phase === 'Succeeded')
  const [keep, ...surplus] = alive.filter((pod) => !over.includes(pod)).toSorted((a, b) => Number(revisionOf(b) === revision) - Number(revisionOf(a) === revision))
  const outdated = keep !== undefined && revisionOf(keep) !== revision && (set.spec.updateStrategy?.type ?? 'RollingUpdate') === 'RollingUpdate'
  return { create: pods.length === 0, remove: [...over, ...surplus, ...(outdated ? [keep] : [])] }
}

function daemonStatus(set: DaemonSet, pods: readonly Pod[], revision: string, wanted: boolean, now: number): DaemonSetStatus {
  const alive = pods.filter((pod) => !isTerminating(pod))
  const ready = alive.filter(isReady)
  const available = ready.filter((pod) => availableIn(pod, set.spec.minReadySeconds ?? 0, now) <= 0)
  const one = (condition: boolean): number => (condition ? 1 : 0)
  return {
    observedGeneration: set.metadata.generation ?? 0,
    desiredNumberScheduled: one(wanted),
    currentNumberScheduled: one(wanted && alive.length > 0),
    numberMisscheduled: one(!wanted && alive.length > 0),
    numberReady: one(wanted && ready.length > 0),
    numberAvailable: one(wanted && available.length > 0),
    numberUnavailable: one(wanted && available.length === 0),
    updatedNumberScheduled: one(wanted && alive.some((pod) => revisionOf(pod) === revision)),
  }
}

function daemonPod(set: DaemonSet, revision: string): Pod {
  const { template } = set.spec
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      generateName: `${set.metadata.name}-`,
      namespace: set.metadata.namespace ?? 'default',
      labels: { ...template.metadata?.labels, [revisionLabel]: revision },
      ...(template.metadata?.annotations === undefined ? {} : { annotations: template.metadata.annotations }),
      ownerReferences: [controllerReference(set)],
    } as Partial<Pod['metadata']> as Pod['metadata'],
    spec: template.spec,
  }
}

async function writeStatus(client: KubeClient, set: DaemonSet, status: DaemonSetStatus): Promise<void> {
  const before = set.status as Readonly<Record<string, unknown>> | undefined
  if (Object.entries(status).every(([field, value]) => before?.[field] === value)) return
  await client.patch(daemonSetResource, { namespace: set.metadata.namespace, name: set.metadata.name }, { status }, { subresource: 'status' }).catch(nothing)
}

function nothing(error: unknown): undefined {
  if (!isNotFound(error)) throw error
  return undefined
}
