import { controlledBy } from '#api/meta.ts'
import { labels } from '#api/names.ts'
import type { OwnerReference, TServer } from '#api/types.ts'

/** Labels that mark a child as belonging to the TServer, and that select its pods. As selector of the first TServer of a server they also select the pods of its variants, and Kubernetes lets no selector of a workload change; its Service can tell them apart. */
export function serverLabels({ spec: { app, server, variant } }: TServer): Record<string, string> {
  return { [labels.app]: app, [labels.server]: server, ...(variant === undefined ? {} : { [labels.variant]: variant }) }
}

/** See {@link childMeta}. */
export interface ChildMeta {
  name: string
  namespace: string
  labels: Record<string, string>
  ownerReferences: OwnerReference[]
}

/** Metadata that every child shares: the server's own name, its labels, and the server as controller (control-plane spec C). */
export function childMeta(server: TServer): ChildMeta {
  return { name: server.metadata.name, namespace: namespaceOf(server), labels: serverLabels(server), ownerReferences: [controlledBy(server)] }
}

/** The server's namespace; empty only for an object that never was in an API server. */
export function namespaceOf({ metadata: { namespace = '' } }: TServer): string {
  return namespace
}
