import type { AnyObject } from '#kube/types.ts'
import type { Api, ApiRequest } from '../api.ts'
import { applyConfig } from '../apply/managed.ts'
import { apiVersionOf } from '../definition.ts'
import { badRequest, notFound, unsupportedMediaType } from '../errors.ts'
import { isObject } from '../json.ts'
import { parseBody, parseObject } from '../http/body.ts'
import { applyJsonPatch } from '../patch/json-patch.ts'
import { applyMergePatch } from '../patch/merge-patch.ts'
import { applyStrategicPatch } from '../patch/strategic-patch.ts'
import { addressOf } from '../request.ts'
import { createObject, modifyObject } from '../write.ts'

export interface Patched {
  readonly created: boolean
  readonly object: AnyObject
}

type Kind = 'json' | 'merge' | 'strategic' | 'apply'

const kinds: Readonly<Record<string, Kind>> = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
  'application/apply-patch+yaml': 'apply',
}

/** PATCH of an object or its status; server-side apply creates what is not there. */
export async function patchObject(api: Api, request: ApiRequest): Promise<Patched> {
  const kind = patchKind(request)
  if (kind === 'apply') return applyObject(api, request)
  const patch = parseBody(request.payload, 'application/json')
  const compute = (current: AnyObject) => asObject(patched(kind, current, patch, request))
  return { created: false, object: await modifyObject(api, request, { compute, subresource: request.subresource }) }
}

/** What a patch of some type makes of a value. */
export function patched(kind: Exclude<Kind, 'apply'>, current: AnyObject, patch: unknown, { definition }: Pick<ApiRequest, 'definition'>): unknown {
  if (kind === 'json') return applyJsonPatch(current, patch)
  if (!isObject(patch)) throw badRequest('the patch must be an object')
  return kind === 'merge' ? applyMergePatch(current, patch) : applyStrategicPatch(current, patch, definition.merge)
}

export function patchKind({ contentType, definition }: ApiRequest): Kind {
  const type = contentType.split(';')[0]?.trim().toLowerCase() ?? ''
  const kind = kinds[type]
  const accepted = Object.keys(kinds).filter((name) => !definition.custom || kinds[name] !== 'strategic')
  if (kind === undefined || !accepted.includes(type)) throw unsupportedMediaType(type, accepted)
  return kind
}

function asObject(value: unknown): AnyObject {
  if (isObject(value) && isObject(value['metadata'])) return value as unknown as AnyObject
  throw badRequest('the patch leaves no object')
}

async function applyObject(api: Api, request: ApiRequest): Promise<Patched> {
  const { definition, name, subresource, query } = request
  const config = parseObject(request.payload, 'application/apply-patch+yaml')
  checkConfig(request, config)
  const manager = { name: query.get('fieldManager') ?? '', operation: 'Apply' as const, subresource }
  const options = { manager, force: query.get('force') === 'true' }
  if (api.store.get(addressOf(request)) === undefined) {
    if (subresource !== '') throw notFound(definition, name)
    const { object, managedFields } = applyConfig(undefined, config, definition, options)
    object.metadata.managedFields = managedFields
    return { created: true, object: await createObject(api, request, object) }
  }
  const compute = (current: AnyObject): AnyObject => {
    const { object, managedFields } = applyConfig(current, config, definition, options)
    // A resourceVersion or uid in the config is a precondition.
    const { resourceVersion, uid } = { ...current.metadata, ...config.metadata }
    return { ...object, metadata: { ...object.metadata, managedFields, resourceVersion: resourceVersion ?? '', uid: uid ?? '' } }
  }
  return { created: false, object: await modifyObject(api, request, { compute, subresource, applied: true }) }
}

function checkConfig({ definition, name, query }: ApiRequest, config: AnyObject): void {
  if ((query.get('fieldManager') ?? '') === '') throw badRequest('PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch')
  if (config.apiVersion !== apiVersionOf(definition) || config.kind !== definition.kind) {
    throw badRequest(`apply needs apiVersion ${apiVersionOf(definition)} and kind ${definition.kind}, not ${config.apiVersion} and ${config.kind}`)
  }
  if (config.metadata.managedFields !== undefined) throw badRequest('metadata.managedFields must be nil')
  config.metadata.name ??= name
  delete (config.metadata as { creationTimestamp?: unknown }).creationTimestamp
}
