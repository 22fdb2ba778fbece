// What the controller makes of a TServer: which objects, and when they are all there.
import { resources } from '#api/resources.ts'
import type { KubeClient } from '#kube/client.ts'
import { podDisruptionBudgets, services, statefulSets } from '#kube/resources.ts'
import { keyOf, type AnyObject, type Resource } from '#kube/types.ts'
import { namespace } from './ground.ts'

/** The kinds of children of a TServer of several replicas; of one replica it has no PodDisruptionBudget. */
export const childKinds: readonly Resource[] = [services, statefulSets, podDisruptionBudgets, resources.tendpoints as Resource, resources.texitedrecords as Resource]

type Kind = Pick<Resource, 'kind'>

/** Watches kinds of one namespace and tells when objects appear; everything is on the clock of `performance.now()`. */
export class Watcher {
  readonly #abort = new AbortController()
  /** By kind and key. */
  readonly #objects = new Map<string, Map<string, AnyObject>>()
  readonly #waiting = new Set<() => void>()
  readonly #loops: Promise<void>[]

  private constructor(loops: (watcher: Watcher) => Promise<void>[]) {
    this.#loops = loops(this)
  }

  /** Resolves once all watches are open. */
  static async open(client: KubeClient, kinds: readonly Resource[]): Promise<Watcher> {
    const opened = kinds.map(() => Promise.withResolvers<void>())
    const watcher = new Watcher((self) => kinds.map((kind, index) => self.#follow(client, kind, () => opened[index]?.resolve())))
    await Promise.all(opened.map(({ promise }) => promise))
    return watcher
  }

  /** The object as last seen. */
  get({ kind }: Kind, name: string): AnyObject | undefined {
    return this.#objects.get(kind)?.get(`${namespace}/${name}`)
  }

  /** How many objects of a kind there are. */
  count({ kind }: Kind): number {
    return this.#objects.get(kind)?.size ?? 0
  }

  every({ kind }: Kind, holds: (object: AnyObject) => boolean): boolean {
    return [...(this.#objects.get(kind)?.values() ?? [])].every(holds)
  }

  /** Resolves, with the time, right when an event makes `holds` true. */
  until(holds: () => boolean): Promise<number> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!holds()) return
        this.#waiting.delete(look)
        resolve(performance.now())
      }
      this.#waiting.add(look)
      look()
    })
  }

  async close(): Promise<void> {
    this.#abort.abort()
    await Promise.all(this.#loops)
  }

  async #follow(client: KubeClient, resource: Resource, onOpen: () => void): Promise<void> {
    const objects = new Map<string, AnyObject>()
    this.#objects.set(resource.kind, objects)
    try {
      const { items, metadata: { resourceVersion } } = await client.list(resource, { namespace })
      for (const item of items) objects.set(keyOf(item), item)
      for await (const { type, object } of client.watch(resource, { namespace, resourceVersion, signal: this.#abort.signal, onOpen })) {
        if (type === 'BOOKMARK') continue
        if (type === 'DELETED') objects.delete(keyOf(object))
        else objects.set(keyOf(object), object)
        for (const look of this.#waiting) look()
      }
    } catch (error) {
      if (!this.#abort.signal.aborted) throw error
    }
  }
}
