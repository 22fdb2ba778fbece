import type { ApiObject, ObjectMeta } from './types.ts'

/** New metadata with these labels set, or removed where the value is undefined. No labels at all leaves no empty map behind. */
export function withLabels(metadata: ObjectMeta, changes: Readonly<Record<string, string | undefined>>): ObjectMeta {
  return withMap(metadata, 'labels', changes)
}

/** The same for annotations. */
export function withAnnotations(metadata: ObjectMeta, changes: Readonly<Record<string, string | undefined>>): ObjectMeta {
  return withMap(metadata, 'annotations', changes)
}

function withMap(metadata: ObjectMeta, field: 'labels' | 'annotations', changes: Readonly<Record<string, string | undefined>>): ObjectMeta {
  const entries = Object.entries({ ...metadata[field], ...changes }).filter((entry): entry is [string, string] => entry[1] !== undefined)
  const { [field]: _, ...rest } = metadata
  return entries.length === 0 ? rest : { ...rest, [field]: Object.fromEntries(entries) }
}

/** The owner reference that makes `owner` the controller of a child, so that the child goes when the owner goes. */
export function controlledBy(owner: ApiObject): NonNullable<ObjectMeta['ownerReferences']>[number] {
  const { apiVersion, kind, metadata: { name, uid = '' } } = owner
  return { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true }
}

/** True when `owner` is the controller of the object. */
export function isControlledBy(object: Pick<ApiObject, 'metadata'>, owner: ApiObject): boolean {
  return object.metadata.ownerReferences?.some(({ controller, uid }) => controller === true && uid === owner.metadata.uid) ?? false
}
