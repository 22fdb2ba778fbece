import { group } from '#api/names.ts'
import { resources } from '#api/resources.ts'
import { Failure } from '#base/errors.ts'
import type { Clock } from '#base/clock.ts'
import type { Logger } from '#base/log.ts'
import type { KubeClient } from '#kube/client.ts'
import { isNotFound, KubeError } from '#kube/errors.ts'
import type { Informer } from '#kube/informer.ts'
import type { Reconcile } from '#kube/reconciler.ts'
import { customResourceDefinitions } from '#kube/resources.ts'
import type { KubeObject, Resource } from '#kube/types.ts'
import { tell } from './event.ts'

/** What counts here of a CustomResourceDefinition (apiextensions.k8s.io/v1). */
export interface StoredDefinition extends KubeObject {
  readonly spec: { readonly versions: readonly { readonly name: string; readonly storage: boolean }[] }
  readonly status?: { readonly storedVersions?: readonly string[] }
}

export interface StoredVersionOptions {
  readonly client: KubeClient
  readonly clock: Clock
  readonly log: Logger
  /** CustomResourceDefinitions of ours by name. */
  readonly definitions: ReadonlyMap<string, Informer<StoredDefinition>>
  /** How long a definition must have been as it is. */
  readonly settleMs: number
}

/** Objects a request; TConfigs may have 1.5 MB each. */
const pageSize = 25

/** Our kinds by the names of their definitions. */
export const definedKinds: ReadonlyMap<string, Resource> = new Map(Object.values(resources).map((resource) => [`${resource.plural}.${group}`, resource as unknown as Resource]))

/** What the migration keeps of a definition, which is large. */
export function storedDefinition({ apiVersion, kind, metadata, spec, status }: StoredDefinition): StoredDefinition {
  const { managedFields: _fields, annotations: _annotations, ...rest } = metadata
  return { apiVersion, kind, metadata: rest, spec: { versions: spec.versions.map(({ name, storage }) => ({ name, storage })) }, status: { storedVersions: status?.storedVersions ?? [] } }
}

/**
 * Objects that were stored in an older version are stored anew, and then `status.storedVersions` of their definition says so: without
 * that no version could ever be taken out of it (Kubernetes documentation, "Versions in CustomResourceDefinitions", upgrade existing
 * objects to a new stored version). Every object is patched with nothing, which Kubernetes writes only when what it has stored is not
 * what it would store; so an interrupted pass is simply done again, and nothing that others write meanwhile is lost. Key: name of the definition.
 */
export function reconcileStoredVersion(options: StoredVersionOptions): Reconcile {
  const { client, log, definitions } = options
  const leftMs = restFrom(options)
  return async (name, signal) => {
    const definition = definitions.get(name)?.get(undefined, name)
    const resource = definedKinds.get(name)
    if (definition === undefined || resource === undefined || definition.metadata.deletionTimestamp !== undefined) return
    const storage = definition.spec.versions.find((version) => version.storage)?.name
    const before = definition.status?.storedVersions ?? []
    if (storage === undefined || before.every((version) => version === storage)) return
    const waitMs = leftMs(definition)
    if (waitMs > 0) return { requeueAfterMs: waitMs }
    const objects = await storeAnew(options, resource, signal)
    const { metadata: { generation, resourceVersion } } = await client.get(customResourceDefinitions, { name }, { signal })
    // The event of whatever changed the definition meanwhile brings the key back.
    if (generation !== definition.metadata.generation) return
    await client.patch(customResourceDefinitions, { name }, { metadata: { resourceVersion }, status: { storedVersions: [storage] } }, { subresource: 'status', signal })
    log.info('all objects are stored in one version', { definition: name, version: storage, before, objects })
  }
}

/** @returns milliseconds for which a definition must still stay as it is */
function restFrom({ clock, settleMs: restMs }: StoredVersionOptions): (definition: StoredDefinition) => number {
  const seen = new Map<string, { readonly generation: number | undefined; readonly since: number }>()
  return ({ metadata: { name, generation } }) => {
    const known = seen.get(name)
    const since = known !== undefined && known.generation === generation ? known.since : clock.monotonic()
    seen.set(name, { generation, since })
    return restMs - (clock.monotonic() - since)
  }
}

/** @throws Failure STORAGE_MIGRATION_BLOCKED when objects were refused; each of them has an event that says why */
async function storeAnew(options: StoredVersionOptions, resource: Resource, signal: AbortSignal): Promise<number> {
  const { client } = options
  const refused: string[] = []
  let count = 0
  for (let next: string | undefined; next !== ''; ) {
    const page = await client.listPage(resource, { limit: pageSize, continue: next, signal })
    for (const object of page.items) if (!(await isStored(options, resource, object, signal))) refused.push(`${object.metadata.namespace ?? ''}/${object.metadata.name}`)
    count += page.items.length
    next = page.metadata.continue ?? ''
  }
  if (refused.length === 0) return count
  throw new Failure('STORAGE_MIGRATION_BLOCKED', `${refused.length} of ${count} ${resource.plural} cannot be stored anew: ${refused.slice(0, 5).join(', ')}`, { remedy: 'see their events; correct or delete them' })
}

/** False when the API server refuses the object as it is, which only people can mend. */
async function isStored({ client, clock }: StoredVersionOptions, resource: Resource, object: KubeObject, signal: AbortSignal): Promise<boolean> {
  const { namespace, name } = object.metadata
  try {
    await client.patch(resource, { namespace, name }, {}, { signal })
    return true
  } catch (error) {
    if (isNotFound(error)) return true
    if (!(error instanceof KubeError) || ![400, 403, 422].includes(error.status)) throw error
    await tell({ client, clock }, object, { type: 'Warning', reason: 'StorageMigrationBlocked', message: `it cannot be stored in the version that new objects have: ${error.message}; correct it, or delete it` })
    return false
  }
}
