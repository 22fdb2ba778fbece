import type { Running } from '#base/lifecycle.ts'
import { startReconciler } from '#kube/reconciler.ts'
import type { AnyObject, OwnerReference } from '#kube/types.ts'
import type { Api } from '../api.ts'
import type { Address } from '../store.ts'
import { foregroundFinalizer, orphanFinalizer } from '../verbs/delete.ts'
import { changeStored, deleteAs, removeFinalizer } from './stored.ts'

// Owner references (Kubernetes, "Garbage Collection"): dependents of an owner that is gone are deleted; a foreground
// deletion waits for its dependents; an orphaning one cuts them loose.

/** Keys of the queue: an address as text. */
const keyOf = (collection: string, { metadata }: AnyObject): string => JSON.stringify([collection, metadata.namespace ?? '', metadata.name])

function addressOf(key: string): Address {
  const [collection = '', namespace = '', name = ''] = JSON.parse(key) as string[]
  return { collection, namespace, name }
}

/** Who depends on whom, by the owner's uid. */
class Dependents {
  readonly #byOwner = new Map<string, Set<string>>()

  add(key: string, owners: readonly OwnerReference[]): void {
    for (const { uid } of owners) this.#byOwner.set(uid, (this.#byOwner.get(uid) ?? new Set()).add(key))
  }

  remove(key: string, owners: readonly OwnerReference[]): void {
    for (const { uid } of owners) {
      const keys = this.#byOwner.get(uid)
      keys?.delete(key)
      if (keys?.size === 0) this.#byOwner.delete(uid)
    }
  }

  of(uid: string | undefined): string[] {
    return [...(this.#byOwner.get(uid ?? '') ?? [])]
  }
}

const ownersOf = (object: AnyObject | undefined): readonly OwnerReference[] => object?.metadata.ownerReferences ?? []
const holds = ({ metadata }: AnyObject, finalizer: string): boolean => metadata.deletionTimestamp !== undefined && (metadata.finalizers ?? []).includes(finalizer)

export function startGarbageCollector(api: Api): Running {
  const dependents = new Dependents()
  const reconciler = startReconciler({ name: 'garbage-collector', reconcile: (key) => new Visit(api, dependents, key).run(), log: api.log, workers: 2 })
  const consider = (collection: string, object: AnyObject): void => {
    if (ownersOf(object).length > 0 || holds(object, foregroundFinalizer) || holds(object, orphanFinalizer)) reconciler.enqueue(keyOf(collection, object))
  }
  const unsubscribe = api.store.subscribe(({ collection, type, object, previous }) => {
    const key = keyOf(collection, object)
    dependents.remove(key, ownersOf(previous))
    if (type === 'DELETED') {
      for (const dependent of dependents.of(object.metadata.uid)) reconciler.enqueue(dependent)
      for (const owner of ownersOf(object)) enqueueOwner(api, object, owner, (ownerKey) => reconciler.enqueue(ownerKey))
      return
    }
    dependents.add(key, ownersOf(object))
    consider(collection, object)
  })
  const everything = api.store.collections().flatMap((collection) => api.store.list(collection).map((object) => ({ collection, object })))
  for (const { collection, object } of everything) dependents.add(keyOf(collection, object), ownersOf(object))
  for (const { collection, object } of everything) consider(collection, object)
  return {
    async stop() {
      unsubscribe()
      await reconciler.stop()
    },
    done: reconciler.done,
  }
}

/** Where an owner would be; undefined when its kind is not served, so that nothing can be said about it. */
function ownerAddress(api: Api, dependent: AnyObject, owner: OwnerReference): Address | undefined {
  const definition = api.catalog.ofKind(owner.apiVersion, owner.kind)
  return definition && { collection: `${definition.group}/${definition.plural}`, namespace: definition.namespaced ? (dependent.metadata.namespace ?? '') : '', name: owner.name }
}

function enqueueOwner(api: Api, dependent: AnyObject, owner: OwnerReference, enqueue: (key: string) => void): void {
  const address = ownerAddress(api, dependent, owner)
  const object = address && api.store.get(address)
  if (address !== undefined && object !== undefined && object.metadata.uid === owner.uid && holds(object, foregroundFinalizer)) enqueue(keyOf(address.collection, object))
}

type OwnerState = 'present' | 'absent' | 'waiting' | 'unknown'

/** One look at one object. */
class Visit {
  readonly #api: Api
  readonly #dependents: Dependents
  readonly #address: Address

  constructor(api: Api, dependents: Dependents, key: string) {
    this.#api = api
    this.#dependents = dependents
    this.#address = addressOf(key)
  }

  async run(): Promise<void> {
    const object = this.#api.store.get(this.#address)
    if (object === undefined) return
    if (holds(object, orphanFinalizer)) this.#cutLoose(object)
    else if (holds(object, foregroundFinalizer)) await this.#deleteDependents(object)
    if (object.metadata.deletionTimestamp === undefined && ownersOf(object).length > 0) await this.#checkOwners(object)
  }

  #dependentsOf(object: AnyObject): { readonly address: Address; readonly dependent: AnyObject }[] {
    return this.#dependents.of(object.metadata.uid).flatMap((key) => {
      const address = addressOf(key)
      const dependent = this.#api.store.get(address)
      return dependent === undefined ? [] : [{ address, dependent }]
    })
  }

  #cutLoose(object: AnyObject): void {
    for (const { address } of this.#dependentsOf(object)) this.#dropOwners(address, (owner) => owner.uid === object.metadata.uid)
    removeFinalizer(this.#api.store, this.#address, orphanFinalizer)
  }

  async #deleteDependents(object: AnyObject): Promise<void> {
    const all = this.#dependentsOf(object)
    for (const { address, dependent } of all) if (dependent.metadata.deletionTimestamp === undefined && this.#isDoomed(dependent)) await this.#delete(address, dependent, 'Foreground')
    const blocks = ({ dependent }: { readonly dependent: AnyObject }) => ownersOf(dependent).some((owner) => owner.uid === object.metadata.uid && owner.blockOwnerDeletion === true)
    if (!this.#dependentsOf(object).some(blocks)) removeFinalizer(this.#api.store, this.#address, foregroundFinalizer)
  }

  /** No owner is left that stays. */
  #isDoomed(dependent: AnyObject): boolean {
    return ownersOf(dependent).every((owner) => ['absent', 'waiting'].includes(this.#stateOf(dependent, owner)))
  }

  async #checkOwners(object: AnyObject): Promise<void> {
    const states = ownersOf(object).map((owner) => this.#stateOf(object, owner))
    if (states.includes('unknown')) return
    if (states.includes('present')) {
      if (states.includes('absent')) this.#dropOwners(this.#address, (owner) => this.#stateOf(object, owner) === 'absent')
      return
    }
    const propagation = states.includes('waiting') && this.#dependentsOf(object).length > 0 ? 'Foreground' : 'Background'
    await this.#delete(this.#address, object, propagation)
  }

  #stateOf(dependent: AnyObject, owner: OwnerReference): OwnerState {
    const address = ownerAddress(this.#api, dependent, owner)
    if (address === undefined) return 'unknown'
    const object = this.#api.store.get(address)
    if (object === undefined || object.metadata.uid !== owner.uid) return 'absent'
    return holds(object, foregroundFinalizer) ? 'waiting' : 'present'
  }

  #dropOwners(address: Address, drop: (owner: OwnerReference) => boolean): void {
    changeStored(this.#api.store, address, (current) => {
      const owners = ownersOf(current).filter((owner) => !drop(owner))
      const metadata = { ...current.metadata, ownerReferences: owners }
      if (owners.length === 0) delete (metadata as { ownerReferences?: OwnerReference[] }).ownerReferences
      return { ...current, metadata }
    })
  }

  async #delete(address: Address, object: AnyObject, propagation: 'Foreground' | 'Background'): Promise<void> {
    const definition = this.#api.catalog.ofCollection(address.collection)
    if (definition !== undefined) await deleteAs(this.#api, { definition, object, controller: 'generic-garbage-collector', propagation })
  }
}
