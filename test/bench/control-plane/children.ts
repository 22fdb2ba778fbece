// What the controller makes of a TServer: which objects, and when they are all there.
import { silentLogger } from '#base/log.ts'
import { resources } from '#api/resources.ts'
import type { KubeClient } from '#kube/client.ts'
import { Informer } from '#kube/informer.ts'
import { podDisruptionBudgets, services, statefulSets } from '#kube/resources.ts'
import type { AnyObject, Resource } from '#kube/types.ts'
import { namespace } from './ground.ts'

/** The kinds of children of a TServer of several replicas; of one replica it has no PodDisruptionBudget. */
export const childKinds: readonly Resource[] = [services, statefulSets, podDisruptionBudgets, resources.tendpoints as Resource, resources.texitedrecords as Resource]

/** Watches kinds in the bench's namespace and tells when they are as wanted. */
export class Watcher {
  readonly #informers: ReadonlyMap<string, Informer>
  readonly #waiting = new Set<() => void>()

  private constructor(client: KubeClient, kinds: readonly Resource[]) {
    this.#informers = new Map(kinds.map((resource) => [resource.kind, new Informer({ client, resource, namespace, log: silentLogger })]))
    for (const informer of this.#informers.values()) informer.onChange(() => this.#waiting.forEach((look) => look()))
  }

  /** Resolves once all that is there is known. */
  static async open(client: KubeClient, kinds: readonly Resource[]): Promise<Watcher> {
    const watcher = new Watcher(client, kinds)
    for (const informer of watcher.#informers.values()) informer.start()
    await Promise.all([...watcher.#informers.values()].map((informer) => informer.synced()))
    return watcher
  }

  /** The object as last seen. */
  get({ kind }: Pick<Resource, 'kind'>, name: string): AnyObject | undefined {
    return this.#informers.get(kind)?.get(namespace, name)
  }

  count({ kind }: Pick<Resource, 'kind'>): number {
    return this.#informers.get(kind)?.size ?? 0
  }

  every({ kind }: Pick<Resource, 'kind'>, holds: (object: AnyObject) => boolean): boolean {
    return (this.#informers.get(kind)?.list() ?? []).every(holds)
  }

  /** Resolves, with the time by `performance.now()`, right when an event makes `holds` true. */
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
    await Promise.all([...this.#informers.values()].map((informer) => informer.stop()))
  }
}
