import type { KubeClient } from '#kube/client.ts'
import { isConflict, isNotFound } from '#kube/errors.ts'
import type { KubeObject } from '#kube/types.ts'
import { podResource } from '../pods/kinds.ts'
import type { LabelSelector, Pod } from '../pods/kinds.ts'
import { controllerReference } from './revisions.ts'
import { selectorText } from './selector.ts'

interface Workload extends KubeObject { readonly spec: { readonly selector: LabelSelector } }

/**
 * The pods of a workload as they are now: those it controls, and those without a controller that it takes on
 * (Kubernetes, "Adoption"), asked of the server, because a decision on an old copy could make a pod twice.
 * @param mayAdopt which of the free ones it takes
 */
export async function ownPods(client: KubeClient, owner: Workload, mayAdopt: (pod: Pod) => boolean): Promise<Pod[]> {
  const { namespace = 'default', uid, deletionTimestamp } = owner.metadata
  const { items } = await client.list(podResource, { namespace, labelSelector: selectorText(owner.spec.selector) })
  const own: Pod[] = []
  for (const pod of items) {
    const controller = pod.metadata.ownerReferences?.find((reference) => reference.controller === true)
    if (controller?.uid === uid) own.push(pod)
    else if (controller === undefined && deletionTimestamp === undefined && pod.metadata.deletionTimestamp === undefined && mayAdopt(pod)) own.push(await adopt(client, owner, pod))
  }
  return own
}

function adopt(client: KubeClient, owner: Workload, { metadata }: Pod): Promise<Pod> {
  const ownerReferences = [...(metadata.ownerReferences ?? []), controllerReference(owner)]
  return client.patch(podResource, { namespace: metadata.namespace, name: metadata.name }, { metadata: { uid: metadata.uid, resourceVersion: metadata.resourceVersion, ownerReferences } })
}

/** Deletes this very pod; one of the same name that came after it is left alone. */
export async function removePod(client: KubeClient, { metadata }: Pod): Promise<void> {
  const preconditions = metadata.uid === undefined ? {} : { uid: metadata.uid }
  await client.delete(podResource, { namespace: metadata.namespace, name: metadata.name }, { preconditions }).catch((error: unknown) => {
    if (!isNotFound(error) && !isConflict(error)) throw error
  })
}
