import type { AnyObject } from '#kube/types.ts'
import { admit } from './admission.ts'
import type { Api, ApiRequest } from './api.ts'
import { recordUpdate } from './apply/managed.ts'
import { apiVersionOf } from './definition.ts'
import type { Definition } from './definition.ts'
import { alreadyExists, badRequest, conflict, forbidden, invalid, notFound } from './errors.ts'
import { at, clone, equal } from './json.ts'
import { finalizerAdditions, generatedName, metadataErrors, stampNew } from './metadata.ts'
import { addressOf, checkIdentity, isDryRun, managerOf, prepare, warn } from './request.ts'
import { StaleWrite } from './store.ts'

/** How often a write without a resourceVersion is computed anew when others write the same object. */
const maxTries = 20

/** The stored object in the version of the request. */
export async function inVersion(definition: Definition, stored: AnyObject): Promise<AnyObject> {
  const apiVersion = apiVersionOf(definition)
  if (stored.apiVersion === apiVersion) return stored
  const [converted] = await definition.convert([stored], apiVersion)
  return converted ?? stored
}

async function toStorage(definition: Definition, object: AnyObject): Promise<AnyObject> {
  const apiVersion = apiVersionOf({ group: definition.group, version: definition.storageVersion })
  if (object.apiVersion === apiVersion) return object
  const [converted] = await definition.convert([object], apiVersion)
  return converted ?? object
}

function assertValid(request: ApiRequest, object: AnyObject, old: AnyObject | undefined): void {
  const { definition } = request
  const meta = metadataErrors(object.metadata, definition.nameRule)
  const errors = [...meta, ...(old === undefined ? [] : finalizerAdditions(object.metadata, old.metadata)), ...definition.validate(object, old, (text) => warn(request, [text]))]
  if (errors.length > 0) throw invalid(definition, object.metadata.name ?? '', errors)
}

function assertNamespace(api: Api, { definition, namespace }: ApiRequest, name: string): void {
  if (!definition.namespaced) return
  const subject = { group: '', plural: 'namespaces', kind: 'Namespace' }
  const home = api.store.get({ collection: '/namespaces', namespace: '', name: namespace })
  if (home === undefined) throw notFound(subject, namespace)
  if (home.metadata.deletionTimestamp !== undefined) throw forbidden(definition, name, `unable to create new content in namespace ${namespace} because it is being terminated`)
}

/** POST: all checks, then the object is stored. @returns it in the version of the request */
export async function createObject(api: Api, request: ApiRequest, given: AnyObject, manager = { name: managerOf(request), operation: 'Update' as const, subresource: '' }): Promise<AnyObject> {
  const { definition } = request
  const object = clone(given)
  checkIdentity(request, object)
  const { name, generateName } = object.metadata
  if ((name ?? '') === '' && generateName !== undefined) object.metadata.name = generatedName(generateName)
  // A node reports itself, status included; all else starts without.
  if (definition.status && definition.kind !== 'Node') delete object['status']
  const appliedFields = object.metadata.managedFields
  delete object.metadata.managedFields
  stampNew(object)
  object.metadata.generation = 1
  if (!definition.generation) delete object.metadata.generation
  prepare(api, request, object)
  assertNamespace(api, request, object.metadata.name)
  const admitted = await admit(api, { ...request, name: object.metadata.name ?? '' }, { operation: 'CREATE', object, old: undefined }, (made) => assertValid(request, made, undefined))
  admitted.metadata.managedFields = appliedFields ?? recordUpdate(undefined, admitted, definition, manager)
  if (isDryRun(request)) return admitted
  const address = addressOf({ ...request, name: admitted.metadata.name })
  try {
    return await inVersion(definition, api.store.commit(address, await toStorage(definition, admitted), undefined))
  } catch (error) {
    throw error instanceof StaleWrite ? alreadyExists(definition, address.name) : error
  }
}

export interface Update {
  /** What the object is to become; gets a copy of the current one, in the version of the request. */
  readonly compute: (current: AnyObject) => AnyObject
  readonly subresource?: string
  /** managedFields were computed by `compute` (server-side apply). */
  readonly applied?: boolean
}

/** PUT, PATCH and apply of an object that is there. @returns it as stored, in the version of the request */
export async function modifyObject(api: Api, request: ApiRequest, update: Update): Promise<AnyObject> {
  const address = addressOf(request)
  for (let attempt = 1; ; attempt++) {
    const stored = api.store.get(address)
    if (stored === undefined) throw notFound(request.definition, request.name)
    try {
      return await tryModify(api, request, update, stored)
    } catch (error) {
      if (!(error instanceof StaleWrite)) throw error
      if (attempt >= maxTries) throw conflict(request.definition, request.name)
    }
  }
}

async function tryModify(api: Api, request: ApiRequest, { compute, subresource = '', applied = false }: Update, stored: AnyObject): Promise<AnyObject> {
  const { definition } = request
  const current = await inVersion(definition, stored)
  const computed = compute(clone(current))
  checkIdentity(request, computed)
  checkPreconditions(request, computed, current)
  const next = keepServerFields(definition, computed, current, subresource)
  prepare(api, request, next)
  const check = (made: AnyObject): void => assertValid(request, made, current)
  const admitted = subresource === '' ? await admit(api, request, { operation: 'UPDATE', object: next, old: current }, check) : next
  if (subresource === '') admitted.metadata.uid = current.metadata.uid ?? ''
  else check(admitted)
  if (!applied) admitted.metadata.managedFields = recordUpdate(current, admitted, definition, { name: managerOf(request), operation: 'Update', subresource })
  // What is stored in an older version is stored anew, as Kubernetes does.
  if (unchanged(admitted, current) && stored.apiVersion === apiVersionOf({ group: definition.group, version: definition.storageVersion })) return current
  if (definition.generation && specChanged(admitted, current)) admitted.metadata.generation = (current.metadata.generation ?? 0) + 1
  if (isDryRun(request)) return admitted
  const storable = await toStorage(definition, admitted)
  const finished = isFinished(admitted)
  return inVersion(definition, api.store.commit(addressOf(request), finished ? undefined : storable, stored))
}

/** A deleted object whose last finalizer was taken away. */
function isFinished(object: AnyObject): boolean {
  const { metadata } = object
  if (object.kind === 'Namespace' && ((at(object, ['spec', 'finalizers']) ?? []) as unknown[]).length > 0) return false
  return metadata.deletionTimestamp !== undefined && (metadata.finalizers ?? []).length === 0 && (metadata.deletionGracePeriodSeconds ?? 0) === 0
}

function checkPreconditions(request: ApiRequest, next: AnyObject, current: AnyObject): void {
  const { definition, name } = request
  if ((next.metadata.name ?? name) !== name) throw badRequest(`the name of the object (${next.metadata.name}) does not match the name on the URL (${name})`)
  const { uid, resourceVersion } = next.metadata
  if (uid !== undefined && uid !== '' && uid !== current.metadata.uid) {
    throw conflict(definition, name, `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${current.metadata.uid}`)
  }
  if (resourceVersion !== undefined && resourceVersion !== '' && resourceVersion !== current.metadata.resourceVersion) throw conflict(definition, name)
}

/** Puts back what this request may not change: system metadata, and status or all but status. Nothing of the result is shared with the stored object. */
function keepServerFields(definition: Definition, next: AnyObject, stored: AnyObject, subresource: string): AnyObject {
  const current = clone(stored)
  if (subresource === 'status') {
    const { managedFields } = next.metadata
    return { ...current, ...pick(next, 'status'), metadata: { ...current.metadata, ...(managedFields === undefined ? {} : { managedFields }) } }
  }
  const { name, namespace, uid, creationTimestamp, deletionTimestamp, deletionGracePeriodSeconds, generation, resourceVersion } = current.metadata
  const system = { name, namespace, uid, creationTimestamp, deletionTimestamp, deletionGracePeriodSeconds, generation, resourceVersion }
  const metadata = { ...next.metadata, ...system } as AnyObject['metadata']
  for (const field of Object.keys(metadata) as (keyof typeof metadata)[]) if (metadata[field] === undefined) delete metadata[field]
  const result: AnyObject = { ...next, metadata }
  if (!definition.status) return result
  delete result['status']
  return { ...result, ...pick(current, 'status') }
}

function pick(object: AnyObject, field: string): object {
  return object[field] === undefined ? {} : { [field]: object[field] as unknown }
}

const timeless = (object: AnyObject): object => ({ ...object, metadata: { ...object.metadata, managedFields: (object.metadata.managedFields ?? []).map((entry) => ({ ...entry, time: '' })) } })

function unchanged(next: AnyObject, current: AnyObject): boolean {
  return equal(timeless(next), timeless(current))
}

function specChanged(next: AnyObject, current: AnyObject): boolean {
  const spec = ({ metadata: _metadata, status: _status, ...rest }: AnyObject & { status?: unknown }) => rest
  return !equal(spec(next), spec(current))
}

/** Runs `action`, turning a lost race into Conflict. */
export async function orConflict<T>(request: ApiRequest, action: () => Promise<T>): Promise<T> {
  try {
    return await action()
  } catch (error) {
    throw error instanceof StaleWrite ? conflict(request.definition, request.name) : error
  }
}

