import type { DeleteOptions, KubeClient } from '#kube/client.ts'
import { isNotFound } from '#kube/errors.ts'
import type { KubeObject, Resource } from '#kube/types.ts'

/** Deletes this very object, unless it is gone or going already. */
export async function remove<T extends KubeObject>(client: KubeClient, resource: Resource<T>, object: KubeObject, propagation: 'Background' | 'Orphan', signal?: AbortSignal): Promise<void> {
  const { uid } = object.metadata
  await removeIf(client, resource, object, { propagation, signal, ...(uid === undefined ? {} : { preconditions: { uid } }) })
}

/** Deletes an object as it is known here, unless it is gone or going already. @throws KubeError Conflict when somebody has changed it meanwhile */
export async function removeAsKnown<T extends KubeObject>(client: KubeClient, resource: Resource<T>, object: KubeObject, signal?: AbortSignal): Promise<void> {
  const { uid, resourceVersion } = object.metadata
  await removeIf(client, resource, object, { propagation: 'Background', signal, preconditions: { ...(uid === undefined ? {} : { uid }), ...(resourceVersion === undefined ? {} : { resourceVersion }) } })
}

async function removeIf<T extends KubeObject>(client: KubeClient, resource: Resource<T>, { metadata: { namespace, name, deletionTimestamp } }: KubeObject, options: DeleteOptions): Promise<void> {
  if (deletionTimestamp !== undefined) return
  try {
    await client.delete(resource, { namespace, name }, options)
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}
