import { resources } from '#api/resources.ts'
import type { ApiObject, TServer } from '#api/types.ts'
import type { KubeClient } from '#kube/client.ts'
import { isNotFound } from '#kube/errors.ts'
import type { Resource } from '#kube/types.ts'

type Owned = Pick<ApiObject, 'metadata'>

const controllerOf = ({ metadata }: Owned) => metadata.ownerReferences?.find(({ kind, controller }) => kind === 'TServer' && controller === true)

/**
 * True for the child of a TServer that is not known, or was deleted and made again. Kubernetes' garbage collector misses the latter when
 * both happened while it did not watch: to it the name was there before and after.
 * @param server the one of this name that is known
 */
export function isLeftOver(child: Owned, server: TServer | undefined): boolean {
  const owner = controllerOf(child)
  return owner !== undefined && (server === undefined || (owner.name === server.metadata.name && owner.uid !== server.metadata.uid))
}

/**
 * Whether the TServer of a child that looks left over is really no more. Asked of the API server itself: who comes late to a change, as
 * a leader that slept and was replaced, may see the child of a TServer before the TServer, and would take its pods away.
 */
export async function isOrphan(client: KubeClient, child: Owned, signal?: AbortSignal): Promise<boolean> {
  const owner = controllerOf(child)
  if (owner === undefined) return false
  const target = { namespace: child.metadata.namespace, name: owner.name }
  const live = await client.get(resources.tservers as Resource<TServer>, target, signal === undefined ? {} : { signal }).catch((error: unknown) => (isNotFound(error) ? undefined : Promise.reject(error)))
  return live?.metadata.uid !== owner.uid
}
