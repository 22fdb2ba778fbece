/** Shapes that every Kubernetes object shares (Kubernetes API conventions, "Objects" and "Lists"). */

export interface OwnerReference {
  apiVersion: string
  kind: string
  name: string
  uid: string
  controller?: boolean
  blockOwnerDeletion?: boolean
}

export interface ManagedFieldsEntry {
  manager: string
  operation: 'Apply' | 'Update'
  apiVersion: string
  time?: string
  fieldsType: 'FieldsV1'
  fieldsV1: Record<string, unknown>
  subresource?: string
}

export interface ObjectMeta {
  name: string
  namespace?: string
  generateName?: string
  uid?: string
  resourceVersion?: string
  generation?: number
  /** RFC 3339, whole seconds. */
  creationTimestamp?: string
  /** Set by the server once deletion was asked for; the object lives until its finalizers are gone. */
  deletionTimestamp?: string
  deletionGracePeriodSeconds?: number
  labels?: Record<string, string>
  annotations?: Record<string, string>
  ownerReferences?: OwnerReference[]
  finalizers?: string[]
  managedFields?: ManagedFieldsEntry[]
}

/** What every object has; typed objects extend it. */
export interface KubeObject {
  apiVersion: string
  kind: string
  metadata: ObjectMeta
}

/** An object of a kind that the code at hand does not type further. */
// oxlint-disable-next-line typescript/no-explicit-any -- the point of this type: the shape is known to the schema only
export type AnyObject = KubeObject & { [field: string]: any }

/** An object on its way to the server: apiVersion and kind come from the resource, the name may be generated. */
export interface Draft {
  apiVersion?: string
  kind?: string
  metadata: Partial<ObjectMeta>
}

/** Names a collection of the API. `T` is the type of its objects, carried by the compiler only. */
export interface Resource<T extends KubeObject = AnyObject> {
  /** API group; `''` is the core group. */
  readonly group: string
  readonly version: string
  readonly plural: string
  readonly kind: string
  readonly namespaced: boolean
  /** Never set: it exists for type inference. */
  readonly object?: T
}

export interface ListMeta {
  resourceVersion?: string
  continue?: string
  remainingItemCount?: number
}

export interface List<T extends KubeObject = AnyObject> {
  apiVersion: string
  kind: string
  metadata: ListMeta
  items: T[]
}

export interface StatusCause {
  reason?: string
  message?: string
  field?: string
}

/** The body of every refusal (Kubernetes API conventions, "Response Status Kind"). */
export interface Status {
  apiVersion?: string
  kind?: string
  metadata?: ListMeta
  status?: 'Success' | 'Failure'
  message?: string
  reason?: string
  code?: number
  details?: StatusDetails
}

export interface StatusDetails {
  name?: string
  group?: string
  kind?: string
  uid?: string
  causes?: StatusCause[]
  retryAfterSeconds?: number
}

/** One event of a watch. A bookmark's object has a resourceVersion and nothing else. */
export interface WatchEvent<T extends KubeObject = AnyObject> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'
  readonly object: T
}

/** `group/version`, or `version` in the core group. */
export function apiVersionOf(resource: Pick<Resource, 'group' | 'version'>): string {
  return resource.group === '' ? resource.version : `${resource.group}/${resource.version}`
}

/** True for one that is being deleted. */
export const isLeaving = ({ metadata }: { readonly metadata: { readonly deletionTimestamp?: string } }): boolean => metadata.deletionTimestamp !== undefined

/** `namespace/name`, or `name` of a cluster-scoped object: the key of queues and stores. */
export function keyOf(object: { readonly metadata: { readonly namespace?: string; readonly name?: string } }): string {
  const { namespace, name = '' } = object.metadata
  return namespace === undefined || namespace === '' ? name : `${namespace}/${name}`
}

/**
 * True when one resourceVersion is known to be of an earlier time than another of the same collection: they are numbers that only
 * grow (Kubernetes API Concepts, "Resource Versions"). False where one of them is none.
 */
export function isOlderVersion(version: string | undefined, than: string | undefined): boolean {
  if (version === undefined || than === undefined || !digits.test(version) || !digits.test(than)) return false
  return version.length === than.length ? version < than : version.length < than.length
}

const digits = /^[1-9]\d*$/

/** For those who only read what is wanted, of very many objects. */
export function withoutStatus<T extends KubeObject>(object: T): T {
  const { status: _, ...kept } = object as T & { status?: unknown }
  return kept as unknown as T
}

/** The inverse of {@link keyOf}. */
export function splitKey(key: string): { readonly namespace?: string; readonly name: string } {
  const slash = key.indexOf('/')
  return slash < 0 ? { name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) }
}

/** Whether a resourceVersion is before another one; they are the numbers that etcd and the embedded cluster make. What is none counts as older. */
export function isOlder(seen: string | undefined, written: string): boolean {
  const digits = /^\d+$/
  if (seen === undefined || !digits.test(seen) || !digits.test(written)) return true
  return BigInt(seen) < BigInt(written)
}
