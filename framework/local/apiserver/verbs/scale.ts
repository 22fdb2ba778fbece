import type { AnyObject } from '#kube/types.ts'
import type { Api, ApiRequest } from '../api.ts'
import type { Definition, ScalePaths } from '../definition.ts'
import { badRequest, fieldInvalid, invalid, methodNotAllowed, notFound, unknownPath } from '../errors.ts'
import { at, isObject, setAt } from '../json.ts'
import { parseObject, parseBody } from '../http/body.ts'
import { addressOf } from '../request.ts'
import { inVersion, modifyObject } from '../write.ts'
import { patchKind, patched } from './patch.ts'

/** GET, PUT and PATCH of `…/scale` (autoscaling/v1 Scale), for workloads and custom kinds that have it. */
export async function scaleObject(api: Api, request: ApiRequest): Promise<AnyObject> {
  const paths = request.definition.scale
  if (paths === undefined) throw unknownPath()
  const stored = api.store.get(addressOf(request))
  if (stored === undefined) throw notFound(request.definition, request.name)
  if (request.method === 'GET') return scaleOf(await inVersion(request.definition, stored), paths)
  if (request.method !== 'PUT' && request.method !== 'PATCH') throw methodNotAllowed()
  const compute = (current: AnyObject): AnyObject => {
    const wanted = wantedScale(request, scaleOf(current, paths))
    setAt(current, paths.spec, replicasOf(request.definition, wanted))
    const { resourceVersion } = wanted.metadata
    if (resourceVersion !== undefined && request.method === 'PUT') current.metadata.resourceVersion = resourceVersion
    return current
  }
  return scaleOf(await modifyObject(api, request, { compute, subresource: 'scale' }), paths)
}

function wantedScale(request: ApiRequest, current: AnyObject): AnyObject {
  if (request.method === 'PUT') return parseObject(request.payload, request.contentType)
  const kind = patchKind({ ...request, definition: { ...request.definition, custom: false } })
  if (kind === 'apply') throw badRequest('server-side apply is not offered for the scale subresource; use a merge patch')
  const result = patched(kind, current, parseBody(request.payload, 'application/json'), request)
  if (!isObject(result) || !isObject(result['metadata'])) throw badRequest('the patch leaves no Scale')
  return result as unknown as AnyObject
}

function replicasOf(definition: Definition, scale: AnyObject): number {
  const replicas = at(scale, ['spec', 'replicas']) ?? 0
  if (Number.isInteger(replicas) && (replicas as number) >= 0) return replicas as number
  throw invalid({ ...definition, kind: 'Scale', group: 'autoscaling' }, scale.metadata.name, [fieldInvalid('spec.replicas', replicas, 'must be a whole number greater than or equal to 0')])
}

function scaleOf(object: AnyObject, { spec, status, selector }: ScalePaths): AnyObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata
  const text = selectorText(object, selector)
  return {
    kind: 'Scale', apiVersion: 'autoscaling/v1',
    metadata: { name, ...(namespace === undefined ? {} : { namespace }), uid: uid ?? '', resourceVersion: resourceVersion ?? '', creationTimestamp: creationTimestamp ?? '' },
    spec: { replicas: at(object, spec) ?? 0 },
    status: { replicas: at(object, status) ?? 0, ...(text === undefined ? {} : { selector: text }) },
  }
}

function selectorText(object: AnyObject, path: readonly string[] | undefined): string | undefined {
  if (path !== undefined) return at(object, path) as string | undefined
  const labels = at(object, ['spec', 'selector', 'matchLabels'])
  return isObject(labels) ? Object.entries(labels).map(([key, value]) => `${key}=${String(value)}`).join(',') : undefined
}
