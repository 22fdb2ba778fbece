import { isDeepStrictEqual } from 'node:util'
import { convertObject } from '#api/convert.ts'
import { schemaOf } from '#api/crds.ts'
import { applyDefaults } from '#api/default.ts'
import { group, hubApiVersion, hubVersion, type Version } from '#api/names.ts'
import { hasShape } from '#api/schema/shape.ts'
import { denialText, type Problem } from '#api/validate/problem.ts'
import type { ApiObject } from '#api/types.ts'
import type { AdmissionRequest, AdmissionResponse } from '#kube/admission.ts'
import { isLeaving } from '#kube/types.ts'
import { identities as standardIdentities } from './identities.ts'
import { mutators } from './mutate.ts'
import { jsonPatch } from './patch.ts'
import type { AdmissionOptions, Case, Readers } from './types.ts'
import { ownRules, validators } from './validate.ts'

/**
 * Answers a request of the mutating webhook: what the object becomes. What the CRD will refuse anyway passes as it is, but for what
 * {@link ownRules} say better.
 */
export async function mutate(request: AdmissionRequest, readers: Readers, options: AdmissionOptions = {}): Promise<AdmissionResponse> {
  const allowed: AdmissionResponse = { uid: request.uid, allowed: true }
  const { object } = request
  const mutator = mutators[request.resource.resource]
  const subject = caseOf(request, readers, options)
  if (object === null || mutator === undefined || subject === undefined || isLeaving(object) || (changesNothing(request) && !asksForTheSame(subject))) return allowed
  const hub = await mutator(subject as Case<never>)
  const problems = ownRules[request.resource.resource]?.({ ...subject, object: hub } as Case<never>) ?? []
  if (problems.length > 0) return denial(request, problems)
  const mutated = fromHub(hub, request.resource.version as Version)
  const patch = jsonPatch(object, mutated)
  return patch.length === 0 ? allowed : { ...allowed, patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(patch)).toString('base64') }
}

/**
 * Answers a request of the validating webhook. An object that is being deleted may always change: its finalizers must come off; and
 * one that stays as it is may be stored anew, whatever the rules are by now.
 */
export async function validate(request: AdmissionRequest, readers: Readers, options: AdmissionOptions = {}): Promise<AdmissionResponse> {
  const validator = validators[request.resource.resource]?.[request.operation]
  const subject = caseOf(request, readers, options)
  if (validator === undefined || subject === undefined || (request.object !== null && isLeaving(request.object)) || changesNothing(request)) return { uid: request.uid, allowed: true }
  const problems = await validator(subject as Case<never>)
  return problems.length === 0 ? { uid: request.uid, allowed: true } : denial(request, problems)
}

/** Both in one: for a host that calls a single hook. */
export async function admit(request: AdmissionRequest, readers: Readers, options: AdmissionOptions = {}): Promise<AdmissionResponse> {
  const mutated = await mutate(request, readers, options)
  if (mutated.patch === undefined || request.object === null) {
    const judged = await validate(request, readers, options)
    return judged.allowed ? mutated : judged
  }
  const operations = JSON.parse(Buffer.from(mutated.patch, 'base64').toString()) as { op: string; path: string; value?: unknown }[]
  const judged = await validate({ ...request, object: patched(request.object, operations) }, readers, options)
  return judged.allowed ? mutated : judged
}

/** True for an update that only has the object written again, as in a migration to another storage version. */
function changesNothing({ operation, object, oldObject }: AdmissionRequest): boolean {
  if (operation !== 'UPDATE' || object === null || oldObject === null) return false
  const [next, current] = [object, oldObject].map((each) => ({ ...each, metadata: { ...each.metadata, managedFields: [] } }))
  return isDeepStrictEqual(next, current)
}

/** Of TConfigs, people may ask for what is there but in force no more; the controller has them written again only. */
function asksForTheSame({ request, identities }: Case<ApiObject>): boolean {
  return request.resource.resource === 'tconfigs' && !identities.isController(request.userInfo)
}

/** The request about hub objects; undefined when the object does not have the shape of its kind, which the CRD will refuse. */
function caseOf(request: AdmissionRequest, readers: Readers, { identities = standardIdentities(), now = Date.now }: AdmissionOptions): Case<ApiObject> | undefined {
  const given = request.operation === 'DELETE' ? request.oldObject : request.object
  const object = given === null ? undefined : toHub(given, request)
  const old = request.oldObject === null || request.operation !== 'UPDATE' ? undefined : toHub(request.oldObject, request)
  if (object === undefined || (request.operation === 'UPDATE' && old === undefined)) return undefined
  return { request, object, old, namespace: request.namespace ?? object.metadata.namespace ?? '', readers, identities, now: new Date(now()) }
}

function toHub(object: ApiObject, { kind, resource, namespace, name }: AdmissionRequest): ApiObject | undefined {
  const named = { ...object, metadata: { ...object.metadata, namespace: object.metadata.namespace ?? namespace ?? '', name: object.metadata.name || name } }
  if (resource.group !== group) return named
  const schema = schemaOf(kind.kind, resource.version as Version)
  if (schema === undefined || !hasShape(schema, object)) return undefined
  const complete = applyDefaults(schema, named) as ApiObject
  if (resource.version === hubVersion) return complete
  const converted = convertObject(complete, hubVersion) ?? { ...complete, apiVersion: hubApiVersion }
  // A field that the older version does not know may have any shape, and meet one of the hub's.
  return hasShape(schemaOf(kind.kind, hubVersion) ?? {}, converted) ? converted : undefined
}

function fromHub(object: ApiObject, version: Version): ApiObject {
  return version === hubVersion ? object : (convertObject(object, version) ?? { ...object, apiVersion: `${group}/${version}` })
}

/** Applies what {@link jsonPatch} makes. */
function patched(object: ApiObject, operations: readonly { readonly op: string; readonly path: string; readonly value?: unknown }[]): NonNullable<AdmissionRequest['object']> {
  const result = structuredClone(object) as unknown as Record<string, unknown>
  for (const { op, path, value } of operations) {
    const names = path.split('/').slice(1).map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    const last = names.pop() ?? ''
    const target = names.reduce<Record<string, unknown>>((parent, name) => parent[name] as Record<string, unknown>, result)
    if (op === 'remove') delete target[last]
    else target[last] = value
  }
  return result as NonNullable<AdmissionRequest['object']>
}

function denial({ uid, kind, name }: AdmissionRequest, problems: readonly Problem[]): AdmissionResponse {
  const causes = problems.map(({ field, message, rule }) => ({ reason: 'FieldValueInvalid', field, message: `${message}: ${rule}` }))
  return {
    uid, allowed: false,
    status: { status: 'Failure', code: 403, reason: 'Forbidden', message: denialText(problems), details: { group: kind.group, kind: kind.kind, name, causes } },
  }
}
