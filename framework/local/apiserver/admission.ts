import { randomUUID } from 'node:crypto'
import { describe } from '#base/errors.ts'
import type { AdmissionOperation, AdmissionRequest, AdmissionResponse } from '#kube/admission.ts'
import type { AnyObject } from '#kube/types.ts'
import type { AdmissionHook, AdmissionRule, Api, ApiRequest } from './api.ts'
import { apiVersionOf } from './definition.ts'
import type { Definition } from './definition.ts'
import { ApiError, forbidden } from './errors.ts'
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
 * each patch followed by defaulting and pruning, then `check`, then those of the validating ones that are to be asked.
 * @param check what the object's kind says of it
 * @returns the object as the hooks made it; of a DELETE, the old object
 * @throws ApiError 403 or the hook's own code when one refuses, 500 when one fails and its policy is Fail
 */
export async function admit(api: Api, request: ApiRequest, { operation, object, old }: Admission, check?: (object: AnyObject) => void): Promise<AnyObject> {
  // What registers the hooks is never subject to them, so that a broken one can be taken away.
  const hooks = request.definition.group === 'admissionregistration.k8s.io' ? [] : api.hooks()
  let current = object
  for (const hook of hooks.filter(({ phase }) => phase === 'mutating')) {
    const call = await callOf(api, request, hook, { operation, object: current, old })
    const patched = call === undefined ? undefined : await make(api, request, call)
    if (patched === undefined) continue
    current = patched
    prepare(api, request, current)
  }
  if (current !== undefined) check?.(current)
  const calls: Call[] = []
  for (const hook of hooks.filter(({ phase }) => phase === 'validating')) {
    const call = await callOf(api, request, hook, { operation, object: current, old })
    if (call !== undefined) calls.push(call)
  }
  for (const call of calls) await make(api, request, call)
  return current ?? (old as AnyObject)
}

/** The version of the request's kind in which a hook is to see it; undefined when it is not asked. */
function versionFor(api: Api, request: ApiRequest, hook: AdmissionHook, { operation, object, old }: Admission): Definition | undefined {
  const { definition } = request
  if (![object, old].some((candidate) => candidate !== undefined && selectorMatches(hook.objectSelector, candidate.metadata.labels ?? {}))) return undefined
  if (hook.namespaceSelector !== undefined && definition.namespaced) {
    const home = api.store.get({ collection: '/namespaces', namespace: '', name: request.namespace })
    if (!selectorMatches(hook.namespaceSelector, home?.metadata.labels ?? {})) return undefined
  }
  const { rules } = hook
  if (rules === undefined || rules.some((rule) => ruleMatches(rule, definition, operation))) return definition
  if (hook.matchPolicy === 'Exact') return undefined
  const others = api.catalog.versionsOf(definition).filter((other) => other !== definition)
  for (const rule of rules) {
    const equivalent = others.find((other) => ruleMatches(rule, other, operation))
    if (equivalent !== undefined) return equivalent
  }
  return undefined
}

function ruleMatches(rule: AdmissionRule, definition: Definition, operation: string): boolean {
  const has = (list: readonly string[], value: string) => list.includes('*') || list.includes(value)
  return has(rule.operations, operation) && has(rule.apiGroups, definition.group) && has(rule.apiVersions, definition.version) && (has(rule.resources, definition.plural) || rule.resources.includes('*/*'))
}

/** What a hook is to be asked. */
interface Call {
  readonly hook: AdmissionHook
  /** In which it sees the object. */
  readonly version: Definition
  readonly review: AdmissionRequest
}

/** @returns undefined when the hook is not asked */
async function callOf(api: Api, request: ApiRequest, hook: AdmissionHook, admission: Admission): Promise<Call | undefined> {
  const version = versionFor(api, request, hook, admission)
  if (version === undefined) return undefined
  const review = reviewOf(request, version, version === request.definition ? admission : await inVersionOf(version, admission))
  return isWanted(request, hook, review) ? { hook, version, review } : undefined
}

/** @returns the object as the hook wants it; undefined when it leaves it as it is */
async function make(api: Api, request: ApiRequest, { hook, version, review }: Call): Promise<AnyObject | undefined> {
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
  if (response.patch === undefined || response.patch === '' || hook.phase === 'validating') return undefined
  if (review.object === null) throw new ApiError(500, 'InternalError', `Internal error occurred: admission webhook "${hook.name}" attempted to modify the object, which is not supported for this operation`)
  const patched = applyJsonPatch(review.object, JSON.parse(Buffer.from(response.patch, 'base64').toString('utf8')))
  return version === request.definition ? patched : converted(request.definition, patched)
}

/** Whether the conditions of a hook hold. @throws ApiError 403 when that cannot be told and its policy is Fail */
function isWanted({ definition, name }: ApiRequest, { matches, failurePolicy }: AdmissionHook, review: AdmissionRequest): boolean {
  try {
    return matches?.(review) ?? true
  } catch (error) {
    if (failurePolicy === 'Ignore') return false
    throw forbidden(definition, name, (error as Error).message)
  }
}

async function inVersionOf(version: Definition, { operation, object, old }: Admission): Promise<Admission> {
  return { operation, object: object && (await converted(version, object)), old: old && (await converted(version, old)) }
}

async function converted(definition: Definition, object: AnyObject): Promise<AnyObject> {
  const [result] = await definition.convert([clone(object)], apiVersionOf(definition))
  return clone(result ?? object)
}

function denial(hook: AdmissionHook, { status }: AdmissionResponse): ApiError {
  const why = status?.message ?? status?.reason ?? ''
  const message = `admission webhook "${hook.name}" denied the request${why === '' ? ' without explanation' : `: ${why}`}`
  const code = status?.code !== undefined && status.code >= 400 ? status.code : 400
  return new ApiError(code, status?.reason ?? '', message, status?.details)
}

const kindOf = ({ group, version, kind }: Definition): AdmissionRequest['kind'] => ({ group, version, kind })
const resourceOf = ({ group, version, plural }: Definition): AdmissionRequest['resource'] => ({ group, version, resource: plural })

/** @param version in which the hook sees the object */
function reviewOf(request: ApiRequest, version: Definition, { operation, object, old }: Admission): AdmissionRequest {
  const { definition } = request
  return {
    uid: randomUUID(), kind: kindOf(version), resource: resourceOf(version), requestKind: kindOf(definition), requestResource: resourceOf(definition), operation,
    name: request.name,
    ...(definition.namespaced ? { namespace: request.namespace } : {}),
    userInfo: request.user,
    object: object === undefined ? null : clone(object),
    oldObject: old === undefined ? null : clone(old),
    dryRun: isDryRun(request),
    options: null,
  }
}
