import { controlledBy } from '#api/meta.ts'
import { labels } from '#api/names.ts'
import type { OwnerReference, TServer } from '#api/types.ts'

/** Labels that mark a child as belonging to the server, and that select its pods. */
export function serverLabels({ spec: { app, server } }: TServer): Record<string, string> {
  return { [labels.app]: app, [labels.server]: server }
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
