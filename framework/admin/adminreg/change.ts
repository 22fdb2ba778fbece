import { serverObjectName } from '#api/names.ts'
import { resources } from '#api/resources.ts'
import type { TServer } from '#api/types.ts'
import { retry } from '#base/retry.ts'
import type { KubeClient } from '#kube/client.ts'
import { isConflict, isNotFound } from '#kube/errors.ts'

export const fieldManager = 'tarsadminregistry'

/** Which TServer: the first one of a server, or a variant. */
export interface ServerKey {
  readonly namespace: string
  readonly app: string
  readonly server: string
  readonly variant?: string | undefined
}

/** The TServers of a server as they are now: the first one, and its variants. */
export async function liveServers(client: KubeClient, { namespace, app, server }: ServerKey): Promise<readonly TServer[]> {
  const { items } = await client.list<TServer>(resources.tservers, { namespace })
  return items.filter(({ spec }) => spec.app === app && spec.server === server)
}

/** A TServer as it is now; undefined when it is not there. */
export async function liveServer(client: KubeClient, { namespace, app, server, variant }: ServerKey): Promise<TServer | undefined> {
  const found = await client.get<TServer>(resources.tservers, { namespace, name: serverObjectName(app, server, variant) }).catch((error: unknown) => (isNotFound(error) ? undefined : Promise.reject(error as Error)))
  return found?.spec.app === app && found.spec.server === server ? found : undefined
}

/**
 * Reads a TServer, and writes what `change` makes of it unless somebody else wrote in between; then again.
 * @param change a merge patch; undefined when nothing is to be written
 * @returns false when there is no such server
 */
export async function changeServer(client: KubeClient, key: ServerKey, change: (current: TServer) => object | undefined): Promise<boolean> {
  return retry(async () => {
    const current = await liveServer(client, key)
    if (current === undefined) return false
    const body = change(current) as { readonly metadata?: object } | undefined
    if (body === undefined) return true
    const { name, resourceVersion } = current.metadata
    await client.patch(resources.tservers, { namespace: key.namespace, name }, { ...body, metadata: { ...body.metadata, resourceVersion } }, { fieldManager })
    return true
  }, { when: isConflict, baseMs: 20 })
}
