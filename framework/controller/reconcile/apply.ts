import { createHash } from 'node:crypto'
import { annotations } from '#api/names.ts'
import type { KubeClient } from '#kube/client.ts'
import type { Informer } from '#kube/informer.ts'
import type { AnyObject, Draft, Resource } from '#kube/types.ts'
import { contains } from '../desired/contained.ts'

/** Owner of the fields that the controller applies. */
export const fieldManager = 'tarscontroller'

/**
 * Makes a child what it should be by server-side apply, and leaves it alone when it is: a reconcile that finds nothing to do writes
 * nothing. The digest of the last application tells fields that were given up from fields of others.
 * @param current as last seen; undefined when there is none
 */
export async function ensureApplied(client: KubeClient, { resource, store }: Applicable, desired: object, current: AnyObject | undefined, signal?: AbortSignal): Promise<AnyObject> {
  const wanted = marked(desired)
  if (current !== undefined && contains(current, wanted)) return current
  const applied = await client.apply(resource, wanted, { fieldManager, force: true, signal })
  store.learn(applied)
  return applied
}

/** A kind of child, and what is known of it. */
export interface Applicable {
  readonly resource: Resource
  readonly store: Informer
}

/** True when {@link ensureApplied} would write nothing. */
export function isApplied(desired: object, current: AnyObject): boolean {
  return contains(current, marked(desired))
}

/** The object with the digest of what is applied. */
export function marked(desired: object): Draft {
  const draft = desired as Draft
  return { ...draft, metadata: { ...draft.metadata, annotations: { ...draft.metadata.annotations, [annotations.applied]: digest(desired) } } }
}

/** Short digest of the JSON text, with keys in order so that equal objects agree. */
export function digest(value: unknown): string {
  const text = JSON.stringify(value, (_key, item: unknown) =>
    typeof item === 'object' && item !== null && !Array.isArray(item) ? Object.fromEntries(Object.entries(item).toSorted(([a], [b]) => (a < b ? -1 : 1))) : item)
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}
