import { isDeepStrictEqual } from 'node:util'
import type { FactsStatus } from '#api/types.ts'
import { isNotFound } from '#kube/errors.ts'
import type { Informer } from '#kube/informer.ts'
import type { KubeObject, Resource } from '#kube/types.ts'
import type { ControllerContext } from './context.ts'

interface Told extends KubeObject { readonly status?: FactsStatus }

/** Writes a status that is not there yet. @returns whether it was written */
export async function writeStatus<T extends Told>({ client }: ControllerContext, { resource, store }: { readonly resource: Resource<T>; readonly store: Informer<T> }, object: T, status: T['status'], signal: AbortSignal): Promise<boolean> {
  if (isDeepStrictEqual(object.status, status)) return false
  const { namespace, name } = object.metadata
  try {
    store.learn(await client.patch(resource, { namespace, name }, { status: { ...status } }, { subresource: 'status', signal }))
    return true
  } catch (error) {
    if (isNotFound(error)) return false
    throw error
  }
}

/** RFC 3339 in whole seconds, as times in conditions are. */
export function nowOf({ clock }: Pick<ControllerContext, 'clock'>): string {
  return new Date(clock.now()).toISOString().replace(/\.\d+Z$/, 'Z')
}
