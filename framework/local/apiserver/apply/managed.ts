import type { AnyObject, ManagedFieldsEntry } from '#kube/types.ts'
import { ApiError } from '../errors.ts'
import { apiVersionOf } from '../definition.ts'
import type { Definition } from '../definition.ts'
import { clone, equal, isObject } from '../json.ts'
import { timestamp } from '../metadata.ts'
import { difference, emptyTree, fieldsOf, fromFieldsV1, intersection, isEmpty, minus, minusBelow, pathsOf, toFieldsV1, union } from './fields.ts'
import type { FieldTree } from './fields.ts'
import { mergeApplied, removeFields } from './merge.ts'

/** Who writes, for managedFields. */
export interface Manager {
  readonly name: string
  readonly operation: 'Apply' | 'Update'
  readonly subresource: string
}

interface Owner extends Manager {
  readonly entry: ManagedFieldsEntry | undefined
  readonly apiVersion: string
  readonly fields: FieldTree
}

const systemFields = ['name', 'namespace', 'generateName', 'uid', 'resourceVersion', 'generation', 'creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds', 'managedFields', 'selfLink']

/** The part of an object whose fields have owners. */
function owned(object: AnyObject | undefined, definition: Definition, subresource: string): object {
  if (object === undefined) return {}
  const { apiVersion: _apiVersion, kind: _kind, metadata, status, ...rest } = object as AnyObject & { status?: unknown }
  if (subresource === 'status') return status === undefined ? {} : { status }
  const meta = Object.fromEntries(Object.entries(metadata).filter(([field, value]) => !systemFields.includes(field) && value !== undefined))
  return { ...rest, ...(Object.keys(meta).length === 0 ? {} : { metadata: meta }), ...(definition.status || status === undefined ? {} : { status }) }
}

function ownersOf(object: AnyObject | undefined): Owner[] {
  return (object?.metadata.managedFields ?? []).map((entry) => ({
    name: entry.manager, operation: entry.operation, subresource: entry.subresource ?? '', apiVersion: entry.apiVersion, entry, fields: fromFieldsV1(entry.fieldsV1),
  }))
}

/** True when managedFields is there and well formed. */
function hasOwners({ metadata }: AnyObject): boolean {
  const entries: unknown = metadata.managedFields
  return Array.isArray(entries) && entries.every((entry) => isObject(entry) && typeof entry['manager'] === 'string' && (entry['operation'] === 'Apply' || entry['operation'] === 'Update') && isObject(entry['fieldsV1']))
}

const isSame = (owner: Owner, manager: Manager): boolean => owner.name === manager.name && owner.operation === manager.operation && owner.subresource === manager.subresource

/** Writes owners back; an entry whose fields stayed the same keeps its time. */
function toEntries(owners: readonly Owner[]): ManagedFieldsEntry[] {
  return owners.filter((owner) => !isEmpty(owner.fields)).map((owner) => {
    const fieldsV1 = toFieldsV1(owner.fields)
    if (owner.entry !== undefined && owner.entry.apiVersion === owner.apiVersion && equal(owner.entry.fieldsV1, fieldsV1)) return owner.entry
    const { name, operation, apiVersion, subresource } = owner
    return { manager: name, operation, apiVersion, time: timestamp(), fieldsType: 'FieldsV1', fieldsV1, ...(subresource === '' ? {} : { subresource }) }
  })
}

/** managedFields after `manager` wrote `next` over `live` by create, update or patch. */
export function recordUpdate(live: AnyObject | undefined, next: AnyObject, definition: Definition, manager: Manager): ManagedFieldsEntry[] {
  // What the client says about owners counts (kubectl migrates them so); an empty list asks for a fresh start.
  const owners = ownersOf(hasOwners(next) ? next : live)
  const { changed, removed } = difference(owned(live, definition, manager.subresource), owned(next, definition, manager.subresource), definition.merge)
  if (isEmpty(changed) && isEmpty(removed)) return toEntries(owners)
  const mine = owners.find((owner) => isSame(owner, manager))
  const others = owners.filter((owner) => owner !== mine).map((owner) => ({ ...owner, fields: minusBelow(minus(owner.fields, changed), removed) }))
  const fields = minusBelow(union(mine?.fields ?? emptyTree(), changed), removed)
  return toEntries([...others, { ...manager, apiVersion: apiVersionOf(definition), entry: mine?.entry, fields }])
}

export interface Applied {
  readonly object: AnyObject
  readonly managedFields: ManagedFieldsEntry[]
}

/**
 * Server-side apply: `config` over `live`. Fields that `manager` applied before and leaves out now go, unless
 * somebody else owns them too.
 * @throws ApiError 409 naming each field that another manager owns with another value, unless `force`
 */
export function applyConfig(live: AnyObject | undefined, config: AnyObject, definition: Definition, { manager, force }: { readonly manager: Manager; readonly force: boolean }): Applied {
  const node = definition.merge
  const given = owned(config, definition, manager.subresource)
  const fields = Object.keys(given).length === 0 ? emptyTree() : fieldsOf(given, node)
  const owners = ownersOf(live)
  const mine = owners.find((owner) => isSame(owner, manager))
  let others = owners.filter((owner) => owner !== mine)

  const before = owned(live, definition, manager.subresource)
  const merged = mergeApplied(before, given, node)
  const everybody = others.map((owner) => owner.fields).reduce(union, fields)
  const after = mine === undefined ? merged : removeFields(merged, minus(mine.fields, everybody), everybody, node)

  const { changed } = difference(before, after, node)
  // Only fields that the config itself says can be in conflict.
  const conflicts = others.map((owner) => ({ owner, fields: intersection(owner.fields, intersection(changed, fields)) })).filter((found) => !isEmpty(found.fields))
  if (conflicts.length > 0 && !force) throw conflictError(conflicts)
  others = others.map((owner) => {
    const lost = conflicts.find((found) => found.owner === owner)
    return lost === undefined ? owner : { ...owner, fields: minus(owner.fields, lost.fields) }
  })
  const entry: Owner = { ...manager, apiVersion: apiVersionOf(definition), entry: mine?.entry, fields }
  return { object: putBack(live ?? config, after as AnyObject, definition, manager.subresource), managedFields: toEntries([...others, entry]) }
}

/** The object with its owned part replaced. */
function putBack(base: AnyObject, part: AnyObject, definition: Definition, subresource: string): AnyObject {
  if (subresource === 'status') return { ...clone(base), ...(part as object) }
  const { metadata = {}, ...rest } = part as { metadata?: object }
  const system = Object.fromEntries(Object.entries(base.metadata).filter(([field]) => systemFields.includes(field)))
  const status = definition.status && base['status'] !== undefined ? { status: clone(base['status']) as unknown } : {}
  return { apiVersion: base.apiVersion, kind: base.kind, ...clone(rest), metadata: { ...clone(metadata), ...system } as AnyObject['metadata'], ...status }
}

function conflictError(conflicts: readonly { readonly owner: Owner; readonly fields: FieldTree }[]): ApiError {
  const causes = conflicts.flatMap(({ owner, fields }) => {
    const who = owner.operation === 'Update' ? `conflict with "${owner.name}" using ${owner.apiVersion}` : `conflict with "${owner.name}"`
    return pathsOf(fields).map((field) => ({ reason: 'FieldManagerConflict', message: who, field }))
  })
  const byWho = Map.groupBy(causes, (cause) => cause.message)
  const text = [...byWho].map(([who, list]) => (list.length === 1 ? `${who}: ${list[0]?.field}` : `${who}:\n${list.map((cause) => `- ${cause.field}`).join('\n')}`)).join('\n')
  const count = causes.length
  return new ApiError(409, 'Conflict', `Apply failed with ${count} conflict${count === 1 ? '' : 's'}: ${text}`, { causes })
}
