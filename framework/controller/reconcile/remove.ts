import type { KubeClient } from '#kube/client.ts'
import { isNotFound } from '#kube/errors.ts'
import type { KubeObject, Resource } from '#kube/types.ts'

/** Deletes this very object, unless it is gone or going already. */
export async function remove<T extends KubeObject>(client: KubeClient, resource: Resource<T>, object: KubeObject, propagation: 'Background' | 'Orphan', signal?: AbortSignal): Promise<void> {
  const { namespace, name, uid, deletionTimestamp } = object.metadata
  if (deletionTimestamp !== undefined) return
  try {
    await client.delete(resource, { namespace, name }, { propagation, signal, ...(uid === undefined ? {} : { preconditions: { uid } }) })
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}
