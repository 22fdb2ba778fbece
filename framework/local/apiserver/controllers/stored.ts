import type { AnyObject } from '#kube/types.ts'
import type { Api, ApiRequest } from '../api.ts'
import type { Definition } from '../definition.ts'
import { ApiError } from '../errors.ts'
import { at, equal } from '../json.ts'
import { StaleWrite } from '../store.ts'
import type { Address, Store } from '../store.ts'
import { deleteObject } from '../verbs/delete.ts'

// How the server's own controllers write: straight to the store where no admission is due, else by the verbs.

/**
 * Changes a stored object; tries again when it changes meanwhile. A deleted object whose finalizers are all gone is removed.
 * @param change gets the current object and returns what it becomes (the same for no change)
 */
export function changeStored(store: Store, address: Address, change: (current: AnyObject) => AnyObject): void {
  for (;;) {
    const current = store.get(address)
    if (current === undefined) return
    const next = change(current)
    if (equal(next, current)) return
    const { deletionTimestamp, finalizers = [], deletionGracePeriodSeconds = 0 } = next.metadata
    const holdsContent = next.kind === 'Namespace' && ((at(next, ['spec', 'finalizers']) ?? []) as unknown[]).length > 0
    const ended = deletionTimestamp !== undefined && finalizers.length === 0 && deletionGracePeriodSeconds === 0 && !holdsContent
    try {
      store.commit(address, ended ? undefined : next, current)
      return
    } catch (error) {
      if (!(error instanceof StaleWrite)) throw error
    }
  }
}

export function removeFinalizer(store: Store, address: Address, finalizer: string): void {
  changeStored(store, address, (current) => {
    const finalizers = (current.metadata.finalizers ?? []).filter((name) => name !== finalizer)
    const metadata = { ...current.metadata, finalizers }
    if (finalizers.length === 0) delete (metadata as { finalizers?: string[] }).finalizers
    return { ...current, metadata }
  })
}

export type Controller = 'namespace-controller' | 'generic-garbage-collector' | 'apiextensions-controller'

export interface InternalDelete {
  readonly definition: Definition
  readonly object: AnyObject
  readonly controller: Controller
  readonly propagation?: 'Background' | 'Foreground'
}

/** Deletes an object as that controller, admission included; that it is gone already is fine. */
export async function deleteAs(api: Api, { definition, object, controller, propagation = 'Background' }: InternalDelete): Promise<void> {
  const { name, namespace = '', uid } = object.metadata
  const request: ApiRequest = {
    method: 'DELETE', definition, namespace, name, subresource: '', query: new URLSearchParams(),
    user: { username: `system:serviceaccount:kube-system:${controller}`, groups: ['system:serviceaccounts', 'system:serviceaccounts:kube-system', 'system:authenticated'] },
    contentType: 'application/json', agent: controller, payload: Buffer.alloc(0), warnings: [], signal: api.signal,
  }
  try {
    await deleteObject(api, request, { propagation, gracePeriodSeconds: undefined, uid, resourceVersion: undefined })
  } catch (error) {
    if (!(error instanceof ApiError) || (error.code !== 404 && error.code !== 409)) throw error
  }
}
