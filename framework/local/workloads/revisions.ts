import { createHash } from 'node:crypto'
import type { KubeClient } from '#kube/client.ts'
import { isAlreadyExists, isNotFound } from '#kube/errors.ts'
import type { KubeObject, OwnerReference } from '#kube/types.ts'
import { revisionResource } from './kinds.ts'
import type { ControllerRevision, PodTemplate } from './kinds.ts'
import { selectorText } from './selector.ts'
import type { LabelSelector } from '../pods/kinds.ts'

interface Workload extends KubeObject {
  readonly spec: { readonly selector: LabelSelector; readonly template: PodTemplate; readonly revisionHistoryLimit?: number }
}

const defaultHistory = 10

/** `<owner>-<hash of the template>`: the same template has the same name. */
export function revisionName(owner: Workload): string {
  const hash = createHash('sha256').update(stable(owner.spec.template)).digest('hex').slice(0, 10)
  return `${owner.metadata.name}-${hash}`
}

/** JSON with sorted keys: the order of fields says nothing. */
function stable(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => (inner !== null && typeof inner === 'object' && !Array.isArray(inner) ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1))) : inner))
}

export function controllerReference(owner: KubeObject): OwnerReference {
  const { apiVersion, kind, metadata } = owner
  return { apiVersion, kind, name: metadata.name, uid: metadata.uid ?? '', controller: true, blockOwnerDeletion: true }
}

/** All revisions of a workload, oldest first, after the one of its template was made or moved to the end. */
export async function keepRevisions(client: KubeClient, owner: Workload): Promise<ControllerRevision[]> {
  const { namespace = 'default', uid } = owner.metadata
  const { items } = await client.list(revisionResource, { namespace, labelSelector: selectorText(owner.spec.selector) })
  const own = items.filter(({ metadata }) => metadata.ownerReferences?.some((reference) => reference.uid === uid) === true).toSorted((a, b) => a.revision - b.revision)
  const name = revisionName(owner)
  const next = (own.at(-1)?.revision ?? 0) + 1
  const known = own.find(({ metadata }) => metadata.name === name)
  if (known === undefined) return [...own, await makeRevision(client, owner, name, next)]
  if (known === own.at(-1)) return own
  const moved = await client.patch(revisionResource, { namespace, name }, { revision: next })
  return [...own.filter((revision) => revision !== known), moved]
}

async function makeRevision(client: KubeClient, owner: Workload, name: string, revision: number): Promise<ControllerRevision> {
  const { namespace = 'default' } = owner.metadata
  const object = {
    apiVersion: 'apps/v1', kind: 'ControllerRevision', revision,
    metadata: { name, namespace, labels: { ...owner.spec.selector.matchLabels }, ownerReferences: [controllerReference(owner)] },
    data: { spec: { template: owner.spec.template } },
  }
  try {
    return await client.create(revisionResource, object)
  } catch (error) {
    // left by an owner of the same name that was deleted: its template is this very one
    if (!isAlreadyExists(error)) throw error
    return client.patch(revisionResource, { namespace, name }, { revision, metadata: { ownerReferences: [controllerReference(owner)] } })
  }
}

/** Removes the oldest revisions that no pod uses, down to the owner's limit. */
export async function trimRevisions(client: KubeClient, owner: Workload, revisions: readonly ControllerRevision[], used: ReadonlySet<string>): Promise<void> {
  const idle = revisions.slice(0, -1).filter(({ metadata }) => !used.has(metadata.name))
  const surplus = idle.slice(0, Math.max(0, idle.length - (owner.spec.revisionHistoryLimit ?? defaultHistory)))
  for (const { metadata } of surplus) {
    await client.delete(revisionResource, { namespace: metadata.namespace, name: metadata.name }).catch((error: unknown) => {
      if (!isNotFound(error)) throw error
    })
  }
}
