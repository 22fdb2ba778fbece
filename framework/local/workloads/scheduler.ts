import type { KubeClient } from '#kube/client.ts'
import { isConflict, isNotFound } from '#kube/errors.ts'
import { splitKey } from '#kube/types.ts'
import { nodeResource, podResource } from '../pods/kinds.ts'
import type { Pod, PodCondition } from '../pods/kinds.ts'
import { obstacle } from './schedule.ts'

/** Binds a pod to the node, or says in its PodScheduled condition why not. */
export async function schedulePod(client: KubeClient, nodeName: string, key: string): Promise<void> {
  const { namespace = 'default', name } = splitKey(key)
  const target = { namespace, name }
  const pod = await client.get(podResource, target).catch(nothing)
  if (pod === undefined || pod.metadata.deletionTimestamp !== undefined || (pod.spec.nodeName ?? '') !== '') return
  const node = await client.get(nodeResource, { name: nodeName })
  const { items } = await client.list(podResource, { fieldSelector: `spec.nodeName=${nodeName}` })
  const others = items.filter(({ status }) => status?.phase !== 'Succeeded' && status?.phase !== 'Failed')
  const problem = obstacle(pod, node, others)
  const { resourceVersion } = pod.metadata
  if (problem !== undefined) return reportUnschedulable(client, pod, `0/1 nodes are available: 1 ${problem}.`)
  await client.patch(podResource, target, { metadata: { resourceVersion }, spec: { nodeName } }).catch(later)
}

async function reportUnschedulable(client: KubeClient, pod: Pod, message: string): Promise<void> {
  const before = pod.status?.conditions?.find(({ type }) => type === 'PodScheduled')
  if (before?.status === 'False' && before.message === message && pod.status?.phase === 'Pending') return
  const condition: PodCondition = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message, lastTransitionTime: new Date().toISOString() }
  await client.patch(podResource, { namespace: pod.metadata.namespace, name: pod.metadata.name }, { status: { phase: 'Pending', conditions: [condition] } }, { type: 'strategic', subresource: 'status' }).catch(nothing)
}

function nothing(error: unknown): undefined {
  if (!isNotFound(error)) throw error
  return undefined
}

/** The pod changed meanwhile: its change brings it here again. */
function later(error: unknown): void {
  if (!isNotFound(error) && !isConflict(error)) throw error
}
