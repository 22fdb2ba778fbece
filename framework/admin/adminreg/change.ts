import { serverObjectName } from '#api/names.ts'
import { resources } from '#api/resources.ts'
import type { TServer } from '#api/types.ts'
import { retry } from '#base/retry.ts'
import type { KubeClient } from '#kube/client.ts'
import { isConflict, isNotFound } from '#kube/errors.ts'

export const fieldManager = 'tarsadminregistry'

/** A TServer as it is now; undefined when it is not there. */
export async function liveServer(client: KubeClient, namespace: string, app: string, server: string): Promise<TServer | undefined> {
  const found = await client.get<TServer>(resources.tservers, { namespace, name: serverObjectName(app, server) }).catch((error: unknown) => (isNotFound(error) ? undefined : Promise.reject(error as Error)))
  return found?.spec.app === app && found.spec.server === server ? found : undefined
}

/**
 * Reads a TServer, and writes what `change` makes of it unless somebody else wrote in between; then again.
 * @param change a merge patch; undefined when nothing is to be written
 * @returns false when there is no such server
 */
export async function changeServer(client: KubeClient, { namespace, app, server }: { readonly namespace: string; readonly app: string; readonly server: string }, change: (current: TServer) => object | undefined): Promise<boolean> {
  return retry(async () => {
    const current = await liveServer(client, namespace, app, server)
    if (current === undefined) return false
    const body = change(current) as { readonly metadata?: object } | undefined
    if (body === undefined) return true
    const { name, resourceVersion } = current.metadata
    await client.patch(resources.tservers, { namespace, name }, { ...body, metadata: { ...body.metadata, resourceVersion } }, { fieldManager })
    return true
  }, { when: isConflict, baseMs: 20 })
}
