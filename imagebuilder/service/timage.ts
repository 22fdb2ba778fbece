import { resources } from '#api/resources.ts'
import type { TImage, TImageBuildState, TImageRelease } from '#api/types.ts'
import { Failure } from '#base/errors.ts'
import { retry } from '#base/retry.ts'
import type { KubeClient } from '#kube/client.ts'
import { isConflict, isNotFound } from '#kube/errors.ts'

/** Phases of a build, as TImage.build.running.phase (spec C.2). */
export type Phase = 'Pending' | 'Preparing' | 'Submitting' | 'Building' | 'Pushing' | 'Done' | 'Failed'

const longestMessage = 1600
/** The CRD takes no more releases. */
const mostReleases = 120

function superseded(name: string, id: string): Failure {
  return new Failure('BUILD_SUPERSEDED', `build ${id} of TImage ${name} was ended from outside`, { remedy: 'look at TImage.build.last for the reason, and build again' })
}

/**
 * Writes builds into TImage objects. Every write carries the resourceVersion it was made from and is made again on a
 * conflict, so no other writer's release or build is lost.
 */
export class TImageStore {
  readonly #client: KubeClient
  readonly #namespace: string
  /** TImages of running builds as this service wrote them: they need no reading before the next write. */
  readonly #written = new Map<string, TImage>()

  constructor(client: KubeClient, namespace: string) {
    this.#client = client
    this.#namespace = namespace
  }

  /** @throws TIMAGE_MISSING */
  async get(name: string): Promise<TImage> {
    try {
      return await this.#client.get<TImage>(resources.timages, { namespace: this.#namespace, name })
    } catch (cause) {
      if (!isNotFound(cause)) throw cause
      throw new Failure('TIMAGE_MISSING', `there is no TImage ${name} in namespace ${this.#namespace}`, { cause, remedy: 'create it with imageType server' })
    }
  }

  /** All of the namespace. */
  async list(): Promise<readonly TImage[]> {
    return (await this.#client.list<TImage>(resources.timages, { namespace: this.#namespace })).items
  }

  /** Enters a build as the running one. @throws TIMAGE_TYPE, BUILD_RUNNING */
  async begin(name: string, state: TImageBuildState): Promise<void> {
    this.#written.delete(name)
    await this.#change(name, (image) => {
      if (image.imageType !== 'server') throw new Failure('TIMAGE_TYPE', `TImage ${name} is of type ${image.imageType}, and releases of services go to type server`, { remedy: 'name the TImage of the server' })
      if (image.build?.running !== undefined) throw new Failure('BUILD_RUNNING', `another task is running: TImage ${name}, build ${image.build.running.id}`, { remedy: 'wait for its end, or remove .build.running if its builder is gone' })
      return { build: { running: state } }
    })
  }

  /**
   * Notes that the build has its turn: its time counts from here, for the builder as for the controller, who fails builds
   * that take too long since their createTime (spec C.2 "Overtime"). @throws BUILD_SUPERSEDED
   */
  async start(name: string, id: string, createTime: string): Promise<void> {
    await this.#change(name, (image) => {
      if (image.build?.running?.id !== id) throw superseded(name, id)
      return { build: { running: { createTime } } }
    })
  }

  /** Writes how far the build is. @throws BUILD_SUPERSEDED when it is no longer the running one */
  async report(name: string, id: string, phase: Phase, message: string): Promise<void> {
    await this.#change(name, (image) => {
      if (image.build?.running?.id !== id) throw superseded(name, id)
      return { build: { running: { phase, message: message.slice(0, longestMessage) } } }
    })
  }

  /** Ends the build as done: the release becomes the first, and the oldest beyond `keep` go. @throws BUILD_SUPERSEDED */
  async succeed(name: string, id: string, release: TImageRelease, keep: number): Promise<void> {
    await this.#change(name, (image) => {
      const running = image.build?.running
      if (running?.id !== id) throw superseded(name, id)
      const others = (image.releases ?? []).filter((one) => one.id !== release.id)
      const releases = [release, ...others].slice(0, Math.max(1, Math.min(keep, mostReleases)))
      return { build: { running: null, last: { ...running, phase: 'Done', message: 'Success' } }, releases }
    })
    this.#written.delete(name)
  }

  /** Ends the build as failed, unless somebody else ended it before. */
  async fail(name: string, id: string, message: string): Promise<void> {
    await this.#change(name, (image) => {
      const running = image.build?.running
      if (running?.id !== id) return undefined
      return { build: { running: null, last: { ...running, phase: 'Failed', message: message.slice(0, longestMessage) } } }
    })
    this.#written.delete(name)
  }

  /** Reads unless it is known, computes a merge patch, and writes it if nobody wrote meanwhile; else again. */
  async #change(name: string, patchOf: (image: TImage) => object | undefined): Promise<void> {
    const again = (error: unknown): boolean => isConflict(error) || (error instanceof Failure && error.temporary)
    await retry(async (attempt) => {
      const image = (attempt === 1 ? this.#written.get(name) : undefined) ?? (await this.get(name))
      const patch = patchOf(image)
      if (patch === undefined) return
      const { resourceVersion } = image.metadata
      const written = await this.#client.patch<TImage>(resources.timages, { namespace: this.#namespace, name }, { metadata: { resourceVersion }, ...patch }, { type: 'merge', fieldManager: 'tarsimage' })
      this.#written.set(name, written)
    }, { attempts: 8, baseMs: 50, capMs: 2000, when: again })
  }
}
