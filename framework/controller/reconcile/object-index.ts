import type { Informer } from '#kube/informer.ts'
import { keyOf, type KubeObject } from '#kube/types.ts'

/** Objects of an informer by a key computed from each; follows every change. */
export class ObjectIndex<T extends KubeObject> {
  readonly #groups = new Map<string, Map<string, T>>()

  constructor(informer: Informer<T>, groupOf: (object: T) => string) {
    informer.onChange((type, object, old) => {
      if (old !== undefined) this.#remove(groupOf(old), keyOf(old))
      if (type === 'deleted') this.#remove(groupOf(object), keyOf(object))
      else this.#add(groupOf(object), object)
    })
  }

  /** The objects with this key, in no particular order. */
  get(group: string): T[] {
    return [...(this.#groups.get(group)?.values() ?? [])]
  }

  #add(group: string, object: T): void {
    const members = this.#groups.get(group) ?? new Map<string, T>()
    members.set(keyOf(object), object)
    this.#groups.set(group, members)
  }

  #remove(group: string, key: string): void {
    const members = this.#groups.get(group)
    members?.delete(key)
    if (members?.size === 0) this.#groups.delete(group)
  }
}
