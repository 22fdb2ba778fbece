import { randomUUID } from 'node:crypto'
import { describe } from '#base/errors.ts'
import type { AdmissionOperation, AdmissionRequest, AdmissionResponse } from '#kube/admission.ts'
import type { AnyObject } from '#kube/types.ts'
import type { AdmissionHook, AdmissionRule, Api, ApiRequest } from './api.ts'
import { ApiError } from './errors.ts'
import { clone } from './json.ts'
import { applyJsonPatch } from './patch/json-patch.ts'
import { isDryRun, prepare } from './request.ts'
import { selectorMatches } from './selectors.ts'

export interface Admission {
  readonly operation: AdmissionOperation
  /** Undefined on DELETE. */
  readonly object: AnyObject | undefined
  /** Undefined on CREATE. */
  readonly old: AnyObject | undefined
}

/**
 * Runs the hooks that match (never for subresources, as their rules do not name any): mutating ones in order,
 * each patch followed by defaulting and pruning, then `check`, then the validating ones.
 * @param check what the object's kind says of it
 * @returns the object as the hooks made it; of a DELETE, the old object
 * @throws ApiError 403 or the hook's own code when one refuses, 500 when one fails and its policy is Fail
 */
export async function admit(api: Api, request: ApiRequest, { operation, object, old }: Admission, check?: (object: AnyObject) => void): Promise<AnyObject> {
  let current = object
  // What registers the hooks is never subject to them, so that a broken one can be taken away.
  const hooks = request.definition.group === 'admissionregistration.k8s.io' ? [] : api.hooks()
  const matching = hooks.filter((hook) => matches(api, request, hook, { operation, object, old }))
  for (const hook of matching.filter(({ phase }) => phase === 'mutating')) {
    const patched = await callHook(api, request, hook, { operation, object: current, old })
    if (patched === undefined || current === undefined) continue
    current = patched
    prepare(api, request, current)
  }
  if (current !== undefined) check?.(current)
  for (const hook of matching.filter(({ phase }) => phase === 'validating')) await callHook(api, request, hook, { operation, object: current, old })
  return current ?? (old as AnyObject)
}

function matches(api: Api, request: ApiRequest, hook: AdmissionHook, { operation, object, old }: Admission): boolean {
  if (hook.rules !== undefined && !hook.rules.some((rule) => ruleMatches(rule, request, operation))) return false
  if (![object, old].some((candidate) => candidate !== undefined && selectorMatches(hook.objectSelector, candidate.metadata.labels ?? {}))) return false
  if (hook.namespaceSelector === undefined || !request.definition.namespaced) return true
  const home = api.store.get({ collection: '/namespaces', namespace: '', name: request.namespace })
  return selectorMatches(hook.namespaceSelector, home?.metadata.labels ?? {})
}

function ruleMatches(rule: AdmissionRule, { definition }: ApiRequest, operation: string): boolean {
  const has = (list: readonly string[], value: string) => list.includes('*') || list.includes(value)
  return has(rule.operations, operation) && has(rule.apiGroups, definition.group) && has(rule.apiVersions, definition.version) && (has(rule.resources, definition.plural) || rule.resources.includes('*/*'))
}

async function callHook(api: Api, request: ApiRequest, hook: AdmissionHook, admission: Admission): Promise<AnyObject | undefined> {
  const review = reviewOf(request, admission)
  let response: AdmissionResponse
  try {
    response = await hook.review(review)
  } catch (error) {
    if (hook.failurePolicy === 'Ignore') {
      api.log.error('admission hook failed and is ignored', { hook: hook.name, error })
      return undefined
    }
    throw new ApiError(500, 'InternalError', `Internal error occurred: failed calling webhook "${hook.name}": ${describe(error)}`)
  }
  for (const warning of response.warnings ?? []) request.warnings.push(warning)
  if (!response.allowed) throw denial(hook, response)
  if (response.patch === undefined || response.patch === '' || admission.object === undefined) return undefined
  return applyJsonPatch(admission.object, JSON.parse(Buffer.from(response.patch, 'base64').toString('utf8')))
}

function denial(hook: AdmissionHook, { status }: AdmissionResponse): ApiError {
  const why = status?.message ?? status?.reason ?? ''
  const message = `admission webhook "${hook.name}" denied the request${why === '' ? ' without explanation' : `: ${why}`}`
  const code = status?.code !== undefined && status.code >= 400 ? status.code : 400
  return new ApiError(code, status?.reason ?? '', message, status?.details)
}

function reviewOf(request: ApiRequest, { operation, object, old }: Admission): AdmissionRequest {
  const { group, version, kind, plural, namespaced } = request.definition
  const gvk = { group, version, kind }
  const gvr = { group, version, resource: plural }
  return {
    uid: randomUUID(), kind: gvk, resource: gvr, requestKind: gvk, requestResource: gvr, operation,
    name: request.name,
    ...(namespaced ? { namespace: request.namespace } : {}),
    userInfo: request.user,
    object: object === undefined ? null : clone(object),
    oldObject: old === undefined ? null : clone(old),
    dryRun: isDryRun(request),
    options: null,
  }
}
