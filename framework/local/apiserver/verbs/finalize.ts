import type { AnyObject } from '#kube/types.ts'
import type { Api, ApiRequest } from '../api.ts'
import { methodNotAllowed, notFound } from '../errors.ts'
import { parseObject } from '../http/body.ts'
import { at, isObject } from '../json.ts'
import { addressOf, checkIdentity } from '../request.ts'
import { orConflict } from '../write.ts'

/** PUT of namespaces/finalize: replaces spec.finalizers; a deleted namespace without any goes away. */
export function finalizeNamespace(api: Api, request: ApiRequest): Promise<AnyObject> {
  if (request.method !== 'PUT') throw methodNotAllowed()
  const body = parseObject(request.payload, request.contentType)
  checkIdentity(request, body)
  return orConflict(request, () => Promise.resolve(setFinalizers(api, request, (at(body, ['spec', 'finalizers']) ?? []) as string[])))
}

/** @throws StaleWrite when the namespace changes under it */
function setFinalizers(api: Api, request: Pick<ApiRequest, 'definition' | 'namespace' | 'name'>, finalizers: readonly string[]): AnyObject {
  const address = addressOf(request)
  const stored = api.store.get(address)
  if (stored === undefined) throw notFound(request.definition, request.name)
  const next: AnyObject = { ...stored, spec: { ...(isObject(stored['spec']) ? stored['spec'] : {}), finalizers } }
  const ended = next.metadata.deletionTimestamp !== undefined && finalizers.length === 0 && (next.metadata.finalizers ?? []).length === 0
  return api.store.commit(address, ended ? undefined : next, stored)
}
