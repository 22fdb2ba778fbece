import type { Running } from '#base/lifecycle.ts'
import { startReconciler } from '#kube/reconciler.ts'
import type { AnyObject } from '#kube/types.ts'
import type { Api } from '../api.ts'
import { at } from '../json.ts'
import { changeStored, deleteAs } from './stored.ts'

const collection = '/namespaces'
/** Pods that end slowly report by their own deletion; this is for what only an admission hook held. */
const retryMs = 5000

/** Empties namespaces that are being deleted and then lets them go. */
export function startNamespaceDeletion(api: Api): Running {
  const reconciler = startReconciler({ name: 'namespace-deletion', reconcile: (name) => empty(api, name), log: api.log, workers: 1 })
  const isDeleted = (object: AnyObject | undefined) => object?.metadata.deletionTimestamp !== undefined
  const unsubscribe = api.store.subscribe(({ collection: of, object, type }) => {
    const { namespace = '', name } = object.metadata
    if (of === collection && type !== 'DELETED' && isDeleted(object)) reconciler.enqueue(name)
    else if (type === 'DELETED' && namespace !== '' && isDeleted(api.store.get({ collection, namespace: '', name: namespace }))) reconciler.enqueue(namespace)
  })
  for (const object of api.store.list(collection)) if (isDeleted(object)) reconciler.enqueue(object.metadata.name)
  return {
    async stop() {
      unsubscribe()
      await reconciler.stop()
    },
    done: reconciler.done,
  }
}

async function empty(api: Api, name: string): Promise<{ requeueAfterMs: number } | void> {
  const address = { collection, namespace: '', name }
  const namespace = api.store.get(address)
  if (namespace?.metadata.deletionTimestamp === undefined) return
  const content = api.store.collections().flatMap((of) => api.store.list(of, name).map((object) => ({ of, object })))
  for (const { of, object } of content) {
    const definition = api.catalog.ofCollection(of)
    if (definition !== undefined && object.metadata.deletionTimestamp === undefined) await deleteAs(api, { definition, object, controller: 'namespace-controller' })
  }
  if (api.store.collections().some((of) => api.store.list(of, name).length > 0)) return { requeueAfterMs: retryMs }
  const finalizers = ((at(namespace, ['spec', 'finalizers']) ?? []) as string[]).filter((finalizer) => finalizer !== 'kubernetes')
  changeStored(api.store, address, (current) => ({ ...current, spec: { ...(current['spec'] as object), finalizers } }))
}
