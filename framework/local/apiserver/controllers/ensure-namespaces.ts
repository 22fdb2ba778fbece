import { randomUUID } from 'node:crypto'
import type { AnyObject } from '#kube/types.ts'
import { timestamp } from '../metadata.ts'
import type { Store } from '../store.ts'

/** Makes the namespaces that are not there yet. */
export function ensureNamespaces(store: Store, names: readonly string[]): void {
  for (const name of names) {
    const address = { collection: '/namespaces', namespace: '', name }
    if (store.get(address) === undefined) store.commit(address, newNamespace(name), undefined)
  }
}

function newNamespace(name: string): AnyObject {
  return {
    apiVersion: 'v1', kind: 'Namespace',
    metadata: { name, uid: randomUUID(), creationTimestamp: timestamp(), labels: { 'kubernetes.io/metadata.name': name } },
    spec: { finalizers: ['kubernetes'] },
    status: { phase: 'Active' },
  }
}
