import type { Running } from '#base/lifecycle.ts'
import { startReconciler } from '#kube/reconciler.ts'
import type { AnyObject } from '#kube/types.ts'
import type { Api, Convert } from '../api.ts'
import { customDefinitions, storageVersionOf } from '../crd/definitions.ts'
import type { CrdSpec } from '../crd/definitions.ts'
import { timestamp } from '../metadata.ts'
import type { Change } from '../store.ts'
import { changeStored, deleteAs, removeFinalizer } from './stored.ts'

const collection = 'apiextensions.k8s.io/customresourcedefinitions'
const cleanupFinalizer = 'customresourcecleanup.apiextensions.k8s.io'

interface Condition {
  readonly type: string
  readonly status: string
  readonly reason: string
  readonly message: string
}

/** How to convert for a CRD; undefined for strategy None. */
export type ConversionFor = (crd: AnyObject) => Convert | undefined

/**
 * Serves what CustomResourceDefinitions say: a change of one counts from the write on; conditions and stored
 * versions follow. A deleted one goes when all its objects are gone.
 */
export function startCustomKinds(api: Api, conversionFor: ConversionFor): Running {
  const { store, log } = api
  const reconciler = startReconciler({ name: 'custom-kinds', reconcile: (name) => settle(api, name), log, workers: 1 })
  const take = (crd: AnyObject): void => {
    const taken = conflictOf(api, crd)
    api.catalog.setCustom(crd.metadata.name, taken === undefined ? customDefinitions(crd, { webhook: conversionFor(crd) }) : [])
    reconciler.enqueue(crd.metadata.name)
  }
  const unsubscribe = store.subscribe((change: Change) => {
    if (change.collection !== collection) {
      if (change.type === 'DELETED') for (const crd of store.list(collection)) if (crd.metadata.deletionTimestamp !== undefined) reconciler.enqueue(crd.metadata.name)
      return
    }
    if (change.type === 'DELETED') api.catalog.setCustom(change.object.metadata.name, [])
    else if (servedChanged(change)) take(change.object)
    else reconciler.enqueue(change.object.metadata.name)
  })
  for (const crd of store.list(collection)) take(crd)
  return {
    async stop() {
      unsubscribe()
      await reconciler.stop()
    },
    done: reconciler.done,
  }
}

/** Status changes leave what is served alone. */
function servedChanged({ object, previous }: Change): boolean {
  return previous === undefined || object.metadata.generation !== previous.metadata.generation
}

/** The name that another CRD of the group, or a built-in kind, has already. */
function conflictOf(api: Api, crd: AnyObject): string | undefined {
  const { group, names } = crd['spec'] as CrdSpec
  const mine = [names.plural, names.singular ?? '', ...(names.shortNames ?? [])]
  const others = api.catalog.all().filter((definition) => definition.group === group && definition.plural !== names.plural)
  for (const other of others) {
    if (other.kind === names.kind) return names.kind
    const taken = mine.find((name) => name !== '' && [other.plural, other.singular, ...other.shortNames].includes(name))
    if (taken !== undefined) return taken
  }
  return undefined
}

async function settle(api: Api, name: string): Promise<void> {
  const address = { collection, namespace: '', name }
  const crd = api.store.get(address)
  if (crd === undefined) return
  if (crd.metadata.deletionTimestamp !== undefined) return cleanUp(api, crd)
  const taken = conflictOf(api, crd)
  changeStored(api.store, address, (current) => {
    const finalizers = current.metadata.finalizers ?? []
    const metadata = finalizers.includes(cleanupFinalizer) ? current.metadata : { ...current.metadata, finalizers: [...finalizers, cleanupFinalizer] }
    return { ...current, metadata, status: statusOf(current, taken) }
  })
}

async function cleanUp(api: Api, crd: AnyObject): Promise<void> {
  const { group, names } = crd['spec'] as CrdSpec
  const objects = api.store.list(`${group}/${names.plural}`)
  const definition = api.catalog.ofCollection(`${group}/${names.plural}`)
  if (objects.length === 0 || definition === undefined) {
    removeFinalizer(api.store, { collection, namespace: '', name: crd.metadata.name }, cleanupFinalizer)
    return
  }
  // Those that finalizers hold come back here when they go.
  for (const object of objects) await deleteAs(api, { definition, object, controller: 'apiextensions-controller' })
}

function statusOf(crd: AnyObject, taken: string | undefined): object {
  const spec = crd['spec'] as CrdSpec
  const old = (crd['status'] ?? {}) as { conditions?: (Condition & { lastTransitionTime?: string })[]; storedVersions?: string[] }
  const accepted: Condition = taken === undefined
    ? { type: 'NamesAccepted', status: 'True', reason: 'NoConflicts', message: 'no conflicts found' }
    : { type: 'NamesAccepted', status: 'False', reason: 'Conflict', message: `"${taken}" is already in use` }
  const established: Condition = taken === undefined
    ? { type: 'Established', status: 'True', reason: 'InitialNamesAccepted', message: 'the initial names have been accepted' }
    : { type: 'Established', status: 'False', reason: 'NotAccepted', message: 'not all names are accepted' }
  const conditions = [accepted, established].map((condition) => {
    const before = old.conditions?.find(({ type }) => type === condition.type)
    return { ...condition, lastTransitionTime: before?.status === condition.status ? (before.lastTransitionTime ?? timestamp()) : timestamp() }
  })
  const others = (old.conditions ?? []).filter(({ type }) => type !== 'NamesAccepted' && type !== 'Established')
  return { ...old, acceptedNames: taken === undefined ? spec.names : {}, conditions: [...conditions, ...others], storedVersions: [...new Set([...(old.storedVersions ?? []), storageVersionOf(spec)])] }
}
