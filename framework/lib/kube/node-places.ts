import type { Logger } from '#base/log.ts'
import type { KubeClient } from './client.ts'
import { Informer } from './informer.ts'
import { nodes } from './resources.ts'
import type { KubeObject } from './types.ts'

/** Where the nodes of a cluster are: of each its labels and addresses. It is to be started. */
export function nodePlaces(options: { readonly client: KubeClient; readonly log: Logger }): Informer {
  return new Informer({ ...options, resource: nodes, transform: place })
}

function place<T extends KubeObject>({ apiVersion, kind, metadata, ...rest }: T): T {
  const { name, uid, resourceVersion, labels } = metadata
  const { addresses = [] } = (rest as { status?: { addresses?: unknown[] } }).status ?? {}
  return { apiVersion, kind, metadata: { name, uid, resourceVersion, labels }, status: { addresses } } as unknown as T
}
