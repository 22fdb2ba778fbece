import { createHash } from 'node:crypto'
import { annotations } from '#api/names.ts'
import type { KubeClient } from '#kube/client.ts'
import type { Informer } from '#kube/informer.ts'
import type { AnyObject, Draft, ManagedFieldsEntry, Resource } from '#kube/types.ts'
import { contains } from '../desired/contained.ts'

/** Owner of the fields that the controller applies. */
export const fieldManager = 'tarscontroller'

/** No object has this resourceVersion: it is that of an empty etcd. Who applies with it makes an object, and changes none. */
const noVersion = '1'

/**
 * Makes a child what it should be by server-side apply, and leaves it alone when it is: a reconcile that finds nothing to do writes
 * nothing. The digest of the last application tells fields that were given up from fields of others.
 * @param current as last seen; undefined when there is none
 * @throws Conflict when the child is not as it was seen: who decided on old knowledge, as a leader that slept, decides anew
 */
export async function ensureApplied(client: KubeClient, { resource, store }: Applicable, desired: object, current: AnyObject | undefined, signal?: AbortSignal): Promise<AnyObject> {
  if (current !== undefined && isApplied(desired, current)) return current
  // What we applied before is marked; what was not may be a predecessor's.
  const isMarked = current?.metadata.annotations?.[annotations.applied] !== undefined
  const resourceVersion = current === undefined ? noVersion : isMarked ? current.metadata.resourceVersion : await inheritFields(client, resource, current, signal)
  const draft = marked(desired)
  const applied = await client.apply(resource, { ...draft, metadata: { ...draft.metadata, resourceVersion } } as Draft, { fieldManager, force: true, signal })
  store.learn(applied)
  return applied
}

/** A kind of child, and what is known of it. */
export interface Applicable {
  readonly resource: Resource
  readonly store: Informer
}

/**
 * Fields of a controller that wrote its children by update, as K8SFramework's does, become ours as if we had applied them: otherwise what
 * it once set and nobody wants any more would stay for ever. It is known by the owner that it gave the child.
 * @returns version of the child that has them
 */
async function inheritFields(client: KubeClient, resource: Resource, { metadata: { namespace, name, resourceVersion } }: AnyObject, signal: AbortSignal | undefined): Promise<string | undefined> {
  const { managedFields = [] } = (await client.get(resource, { namespace, name }, signal === undefined ? {} : { signal })).metadata
  const isPredecessor = ({ operation, subresource, fieldsV1 }: ManagedFieldsEntry): boolean =>
    operation === 'Update' && subresource === undefined && (fieldsV1['f:metadata'] as Record<string, unknown> | undefined)?.['f:ownerReferences'] !== undefined
  const [first, ...more] = managedFields.filter(isPredecessor)
  if (first === undefined) return resourceVersion
  const isOwn = ({ manager, operation, subresource }: ManagedFieldsEntry): boolean => manager === fieldManager && operation === 'Apply' && subresource === undefined
  const fieldsV1 = [...more, ...managedFields.filter(isOwn)].reduce((all, entry) => united(all, entry.fieldsV1), first.fieldsV1)
  const others = managedFields.filter((entry) => !isPredecessor(entry) && !isOwn(entry))
  const value = [...others, { ...first, manager: fieldManager, operation: 'Apply', fieldsV1 }]
  const inherited = await client.patch(resource, { namespace, name }, [{ op: 'replace', path: '/metadata/resourceVersion', value: resourceVersion }, { op: 'replace', path: '/metadata/managedFields', value }], { type: 'json', signal })
  return inherited.metadata.resourceVersion
}

type Fields = Readonly<Record<string, unknown>>

/** Fields of both; FieldsV1 is a tree of field names, whose leaves are empty. */
function united(one: Fields, other: Fields): Record<string, unknown> {
  return Object.fromEntries([...new Set([...Object.keys(one), ...Object.keys(other)])].map((name) => [name, united((one[name] ?? {}) as Fields, (other[name] ?? {}) as Fields)]))
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
