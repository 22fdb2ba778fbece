import type { AnyObject, Status } from '#kube/types.ts'
import { admit } from '../admission.ts'
import type { Api, ApiRequest } from '../api.ts'
import { collectionOf } from '../definition.ts'
import { ApiError, badRequest, conflict, notFound } from '../errors.ts'
import { at, isObject } from '../json.ts'
import { parseBody } from '../http/body.ts'
import { timestamp } from '../metadata.ts'
import { addressOf, isDryRun } from '../request.ts'
import { StaleWrite } from '../store.ts'
import { inVersion } from '../write.ts'

export const foregroundFinalizer = 'foregroundDeletion'
export const orphanFinalizer = 'orphan'

type Propagation = 'Background' | 'Foreground' | 'Orphan'

export interface DeleteRequest {
  readonly propagation: Propagation
  readonly gracePeriodSeconds: number | undefined
  readonly uid: string | undefined
  readonly resourceVersion: string | undefined
}

/** Options of the body (DeleteOptions) or of the query. */
export function deleteOptions(request: ApiRequest): DeleteRequest {
  const given = request.payload.length === 0 ? {} : parseBody(request.payload, request.contentType)
  if (!isObject(given)) throw badRequest('DeleteOptions must be an object')
  if (Array.isArray(given['dryRun']) && given['dryRun'].length > 0) request.query.set('dryRun', String(given['dryRun'][0]))
  const grace = given['gracePeriodSeconds'] ?? request.query.get('gracePeriodSeconds') ?? undefined
  const preconditions = isObject(given['preconditions']) ? given['preconditions'] : {}
  return {
    propagation: propagationOf(given, request.query),
    gracePeriodSeconds: grace === undefined ? undefined : Number(grace),
    uid: preconditions['uid'] as string | undefined,
    resourceVersion: preconditions['resourceVersion'] as string | undefined,
  }
}

function propagationOf(given: Record<string, unknown>, query: URLSearchParams): Propagation {
  const policy = given['propagationPolicy'] ?? query.get('propagationPolicy') ?? (given['orphanDependents'] === true ? 'Orphan' : 'Background')
  if (policy === 'Background' || policy === 'Foreground' || policy === 'Orphan') return policy
  throw new ApiError(422, 'Invalid', `DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: ${JSON.stringify(policy)}: supported values: "Background", "Foreground", "Orphan"`)
}

/** DELETE of one object. @returns the object as it now is, or a Status when it is gone */
export async function deleteObject(api: Api, request: ApiRequest, options = deleteOptions(request)): Promise<AnyObject | Status> {
  for (let admitted = false; ; admitted = true) {
    const stored = api.store.get(addressOf(request))
    if (stored === undefined) throw notFound(request.definition, request.name)
    checkPreconditions(request, options, stored)
    if (!admitted) {
      await admit(api, request, { operation: 'DELETE', object: undefined, old: await inVersion(request.definition, stored) })
      if (api.store.get(addressOf(request)) !== stored) continue
    }
    try {
      return await remove(api, request, options, stored)
    } catch (error) {
      if (!(error instanceof StaleWrite)) throw error
    }
  }
}

function checkPreconditions({ definition, name }: ApiRequest, { uid, resourceVersion }: DeleteRequest, { metadata }: AnyObject): void {
  if (uid !== undefined && uid !== metadata.uid) {
    throw conflict(definition, name, `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${metadata.uid}`)
  }
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion) {
    throw conflict(definition, name, `Precondition failed: ResourceVersion in precondition: ${resourceVersion}, ResourceVersion in object meta: ${metadata.resourceVersion}`)
  }
}

async function remove(api: Api, request: ApiRequest, options: DeleteRequest, stored: AnyObject): Promise<AnyObject | Status> {
  const next = marked(request, options, stored)
  if (isDryRun(request)) return inVersion(request.definition, next ?? stored)
  if (next === stored) return inVersion(request.definition, stored)
  const result = api.store.commit(addressOf(request), next, stored)
  return next === undefined ? gone(request, result) : inVersion(request.definition, result)
}

function gone({ definition, name }: ApiRequest, { metadata }: AnyObject): Status {
  const { group, plural } = definition
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details: { name, ...(group === '' ? {} : { group }), kind: plural, uid: metadata.uid ?? '' } }
}

/** What the deletion makes of the object: undefined when nothing holds it any more. */
function marked(request: ApiRequest, options: DeleteRequest, stored: AnyObject): AnyObject | undefined {
  const finalizers = finalizersFor(options.propagation, stored.metadata.finalizers ?? [], stored)
  const grace = graceOf(request, options, stored)
  if (finalizers.length === 0 && grace === 0 && !holdsContent(stored)) return undefined
  const { deletionTimestamp, deletionGracePeriodSeconds: granted } = stored.metadata
  const underWay = deletionTimestamp !== undefined && granted !== undefined && grace >= granted
  return underWay ? stored : deleting(stored, finalizers, grace)
}

/** The object with the time at which it has to be gone. */
function deleting(stored: AnyObject, finalizers: readonly string[], grace: number): AnyObject {
  const first = stored.metadata.deletionTimestamp === undefined
  const metadata: AnyObject['metadata'] = {
    ...stored.metadata,
    ...(finalizers.length === 0 ? {} : { finalizers: [...finalizers] }),
    deletionTimestamp: timestamp(Date.now() + grace * 1000),
    deletionGracePeriodSeconds: grace,
  }
  if (metadata.generation !== undefined && first) metadata.generation++
  const status = stored.kind === 'Namespace' ? { status: { ...(stored['status'] as object), phase: 'Terminating' } } : {}
  return { ...stored, ...status, metadata }
}

function finalizersFor(propagation: Propagation, present: readonly string[], { metadata }: AnyObject): readonly string[] {
  // Once under way, how dependents are treated is decided.
  if (metadata.deletionTimestamp !== undefined) return present
  const rest = present.filter((name) => name !== foregroundFinalizer && name !== orphanFinalizer)
  if (propagation === 'Foreground') return [...rest, foregroundFinalizer]
  return propagation === 'Orphan' ? [...rest, orphanFinalizer] : present
}

/** A namespace lives until its content is gone. */
function holdsContent(stored: AnyObject): boolean {
  return stored.kind === 'Namespace' && Array.isArray(at(stored, ['spec', 'finalizers'])) && (at(stored, ['spec', 'finalizers']) as unknown[]).length > 0
}

/** Seconds a pod has to end; 0 for other kinds and for pods that do not run. */
function graceOf({ definition }: ApiRequest, { gracePeriodSeconds }: DeleteRequest, stored: AnyObject): number {
  if (collectionOf(definition) !== '/pods') return 0
  const phase = at(stored, ['status', 'phase'])
  if (at(stored, ['spec', 'nodeName']) === undefined || phase === 'Succeeded' || phase === 'Failed') return 0
  return Math.max(0, gracePeriodSeconds ?? Number(at(stored, ['spec', 'terminationGracePeriodSeconds']) ?? 30))
}
