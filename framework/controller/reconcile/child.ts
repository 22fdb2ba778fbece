import { isControlledBy } from '#api/meta.ts'
import { describe, Failure } from '#base/errors.ts'
import type { TFrameworkConfig, TServer } from '#api/types.ts'
import { isConflict, isNotFound, KubeError } from '#kube/errors.ts'
import type { Reconcile } from '#kube/reconciler.ts'
import { isLeaving, type AnyObject } from '#kube/types.ts'
import { ensureApplied, type Applicable } from './apply.ts'
import { frameworkOf, type ControllerContext } from './context.ts'
import { warn } from './event.ts'
import { isLeftOver, isOrphan } from './owner.ts'
import { remove } from './remove.ts'

/** A kind of child that a TServer has at most one of, under its own name. */
export interface ChildKind extends Applicable {
  /** What it should be; undefined when there should be none. */
  readonly desired: (server: TServer, framework: TFrameworkConfig | undefined) => object | undefined
  readonly fit?: Fit
  /** Called before a child is made anew. */
  readonly beforeRecreate?: (desired: object, current: AnyObject) => Promise<void>
}

/** Fits what is desired of a child to the child that is there; or says that it must be made anew. */
export type Fit = (desired: object, current: AnyObject, server: TServer, framework: TFrameworkConfig | undefined) => object | 'recreate'

/**
 * Reconciles all kinds of children by key of the TServer (control-plane spec C), one after the other: the first is there soonest then.
 * One that fails does not hold up the others.
 */
export function reconcileChildren(context: ControllerContext, kinds: readonly ChildKind[]): Reconcile {
  const each = kinds.map((kind) => reconcileChild(context, kind))
  return async (key, signal) => {
    const failures: unknown[] = []
    for (const reconcile of each) await reconcile(key, signal).catch((error: unknown) => failures.push(error))
    const [first, ...others] = failures
    if (others.length > 0) throw new AggregateError(failures, failures.map(describe).join('; '))
    if (first !== undefined) throw first
  }
}

/** Reconciles one kind of child by key of the TServer. */
function reconcileChild(context: ControllerContext, kind: ChildKind): Reconcile {
  return async (key, signal) => {
    const server = context.stores.servers.getByKey(key)
    const current = kind.store.getByKey(key)
    if (current !== undefined && isLeftOver(current, server)) return removeOrphan(context, kind, current, signal)
    if (server === undefined) return
    const desired = isLeaving(server) ? undefined : kind.desired(server, frameworkOf(context.stores, server.metadata.namespace ?? ''))
    if (desired === undefined) {
      if (current !== undefined && isControlledBy(current, server)) await remove(context.client, kind.resource, current, 'Background', signal)
      return
    }
    // Its end is an event that brings the key back.
    if (current !== undefined && isLeaving(current)) return
    if (current !== undefined && !isControlledBy(current, server)) return refuse(context, server, current)
    try {
      await bringInLine(context, kind, { server, desired, current }, signal).catch((error: unknown) => takeUp(context, kind, { server, desired, current, error }, signal))
    } catch (error) {
      if (isRefusal(error)) await warn(context, server, 'Refused', `${kind.resource.kind} ${server.metadata.name} was refused by the API server: ${error.message}`)
      throw error
    }
  }
}

/** Its end, or the news of its TServer, is an event that brings the key back. */
async function removeOrphan({ client }: ControllerContext, { resource }: ChildKind, child: AnyObject, signal: AbortSignal): Promise<void> {
  if (await isOrphan(client, child, signal)) await remove(client, resource, child, 'Background', signal)
}

/** The API server judged the child and said no: a new try will not help until somebody changes something, so people must know. */
const isRefusal = (error: unknown): error is KubeError => error instanceof KubeError && (error.status === 422 || error.status === 403 || error.status === 400)

interface Subject { readonly server: TServer; readonly desired: object; readonly current: AnyObject | undefined }

async function bringInLine(context: ControllerContext, kind: ChildKind, { server, desired, current }: Subject, signal: AbortSignal): Promise<void> {
  const fitted = current === undefined || kind.fit === undefined ? desired : kind.fit(desired, current, server, frameworkOf(context.stores, server.metadata.namespace ?? ''))
  if (fitted !== 'recreate') {
    await ensureApplied(context.client, kind, fitted, current, signal)
    return
  }
  if (current === undefined) return
  context.log.info('child is made anew, its pods stay', { kind: kind.resource.kind, namespace: current.metadata.namespace, name: current.metadata.name })
  await kind.beforeRecreate?.(desired, current)
  await remove(context.client, kind.resource, current, 'Orphan', signal)
}

/** A child that was to be made is there already: without our labels, by which children are watched. */
async function takeUp(context: ControllerContext, kind: ChildKind, { server, desired, current, error }: Subject & { readonly error: unknown }, signal: AbortSignal): Promise<void> {
  if (current !== undefined || !isConflict(error)) throw error
  const { namespace, name } = server.metadata
  const found = await context.client.get(kind.resource, { namespace, name }, { signal }).catch((reason: unknown) => (isNotFound(reason) ? undefined : Promise.reject(reason)))
  if (found === undefined || isLeaving(found)) throw error
  if (!isControlledBy(found, server)) return refuse(context, server, found)
  await bringInLine(context, kind, { server, desired, current: found }, signal)
}

async function refuse(context: ControllerContext, server: TServer, current: AnyObject): Promise<never> {
  const { namespace, name } = server.metadata
  const message = `${current.kind} ${namespace ?? ''}/${name} exists and is not controlled by this TServer; delete or rename it`
  await warn(context, server, 'OutControl', message)
  throw new Failure('CHILD_NOT_OURS', message, { context: { kind: current.kind, namespace, name } })
}
