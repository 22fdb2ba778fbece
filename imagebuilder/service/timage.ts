import { resources } from '#api/resources.ts'
import type { TImage, TImageBuildState, TImageRelease } from '#api/types.ts'
import { Failure } from '#base/errors.ts'
import { retry, sleep } from '#base/retry.ts'
import type { KubeClient } from '#kube/client.ts'
import type { Informer } from '#kube/informer.ts'
import { isConflict, isNotFound } from '#kube/errors.ts'

/** Phases of a build, as TImage.build.running.phase (spec C.2). */
export type Phase = 'Pending' | 'Preparing' | 'Submitting' | 'Building' | 'Pushing' | 'Done' | 'Failed'

/** A build as its TImage has it. */
export interface StoredBuild extends Omit<TImageBuildState, 'phase' | 'message'> {
  readonly timage: string
  readonly phase: string
  readonly message: string
  /** False once it has ended. */
  readonly running: boolean
}

/** @throws BUILD_NOT_FOUND */
export function notFound(id: string): never {
  throw new Failure('BUILD_NOT_FOUND', `there is no build ${id}`, { remedy: 'of each TImage the running build and the last one are kept' })
}

const longestMessage = 1600
/** Writes are tried so often, about five seconds long. */
const usualTries = 8
/** The end of a build nobody else can tell: it is tried for two minutes, as long as API servers are restarted. */
const endTries = 65
/** Before a watch that broke is begun anew. Milliseconds. */
const againMs = 1000
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
  readonly #changes: Informer<TImage> | undefined

  /** @param changes of the TImages of the namespace: what is known need not be read before it is written */
  constructor(client: KubeClient, namespace: string, changes?: Informer<TImage>) {
    this.#client = client
    this.#namespace = namespace
    this.#changes = changes
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

  /** The running and the last build of each TImage, or of one. @throws TIMAGE_MISSING */
  async builds(name?: string): Promise<readonly StoredBuild[]> {
    return (name === undefined ? await this.list() : [await this.get(name)]).flatMap(buildsOf)
  }

  async findBuild(id: string): Promise<StoredBuild | undefined> {
    return (await this.builds()).find((build) => build.id === id)
  }

  /** A build now, and at each change of its TImage; ends with the build, the TImage, or the signal. */
  async *follow({ timage: name, id }: Pick<StoredBuild, 'timage' | 'id'>, signal: AbortSignal): AsyncGenerator<StoredBuild> {
    const fieldSelector = `metadata.name=${name}`
    while (!signal.aborted) {
      const { items, metadata } = await this.#client.list<TImage>(resources.timages, { namespace: this.#namespace, fieldSelector })
      const found = items.flatMap(buildsOf).find((build) => build.id === id)
      if (found === undefined) return
      yield found
      try {
        for await (const { type, object } of this.#client.watch<TImage>(resources.timages, { namespace: this.#namespace, fieldSelector, resourceVersion: metadata.resourceVersion ?? '', signal })) {
          if (type === 'BOOKMARK') continue
          const changed = type === 'DELETED' ? undefined : buildsOf(object).find((build) => build.id === id)
          if (changed === undefined) return
          yield changed
        }
      } catch {
        // A watch that broke is begun anew.
        if (signal.aborted) return
        await sleep(againMs, signal).catch(() => {})
      }
    }
  }

  /** Calls back when somebody else has ended a build, as far as changes are heard. @returns stops that */
  onEnded(name: string, id: string, ended: (error: Failure) => void): () => void {
    return (
      this.#changes?.onChange((type, { metadata, build }) => {
        if (metadata.name === name && (type === 'deleted' || build?.last?.id === id)) ended(superseded(name, id))
      }) ?? (() => {})
    )
  }

  /** Enters a build as the running one. @throws TIMAGE_TYPE, BUILD_RUNNING */
  async begin(name: string, state: TImageBuildState): Promise<void> {
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
  async start(name: string, id: string, createTime: string, phase: Phase, message: string): Promise<void> {
    await this.#change(name, (image) => {
      if (image.build?.running?.id !== id) throw superseded(name, id)
      return { build: { running: { createTime, phase, message } } }
    }, id)
  }

  /** Adds a release without a build: it becomes the first, and the oldest beyond `keep` go. */
  async addRelease(name: string, release: TImageRelease, keep: number): Promise<void> {
    await this.#change(name, (image) => ({ releases: withRelease(image, release, keep) }))
  }

  /** Writes how far the build is. @throws BUILD_SUPERSEDED when it is no longer the running one */
  async report(name: string, id: string, phase: Phase, message: string): Promise<void> {
    await this.#change(name, (image) => {
      if (image.build?.running?.id !== id) throw superseded(name, id)
      return { build: { running: { phase, message: message.slice(0, longestMessage) } } }
    }, id)
  }

  /**
   * Ends the build as done: the release becomes the first, and the oldest beyond `keep` go.
   * @param stopping while it is not aborted, an API server that is away is waited for
   * @throws BUILD_SUPERSEDED
   */
  async succeed(name: string, id: string, release: TImageRelease, keep: number, stopping?: AbortSignal): Promise<void> {
    await this.#change(name, (image) => {
      const running = image.build?.running
      if (running?.id !== id) throw superseded(name, id)
      return { build: { running: null, last: { ...running, phase: 'Done', message: 'Success' } }, releases: withRelease(image, release, keep) }
    }, id, endTriesWhile(stopping))
  }

  /** Ends the build as failed, unless somebody else ended it before. @param stopping as for {@link succeed} */
  async fail(name: string, id: string, message: string, stopping?: AbortSignal): Promise<void> {
    await this.#change(name, (image) => {
      const running = image.build?.running
      if (running?.id !== id) return undefined
      return { build: { running: null, last: { ...running, phase: 'Failed', message: message.slice(0, longestMessage) } } }
    }, id, endTriesWhile(stopping))
  }

  /**
   * Computes a merge patch to what is known or read, and writes it if nobody wrote meanwhile; else reads, and so again.
   * @param id of the running build that is changed; undefined: there is none
   * @param worth whether a try of this number that failed for a while is followed by another
   */
  async #change(name: string, patchOf: (image: TImage) => object | undefined, id?: string, worth = (attempt: number): boolean => attempt < usualTries): Promise<void> {
    const target = { namespace: this.#namespace, name }
    // What is known and gone is found out by the write; the reading says it better.
    const passes = (error: unknown): boolean => isConflict(error) || isNotFound(error) || (error instanceof Failure && error.temporary)
    let tries = 0
    await retry(async (attempt) => {
      tries = attempt
      const known = attempt === 1 ? this.#changes?.get(target.namespace, name) : undefined
      const image = known !== undefined && known.build?.running?.id === id ? known : await this.get(name)
      const patch = patchOf(image)
      if (patch === undefined) return
      const { resourceVersion } = image.metadata
      const written = await this.#client.patch<TImage>(resources.timages, target, { metadata: { resourceVersion }, ...patch }, { type: 'merge', fieldManager: 'tarsimage' })
      this.#changes?.learn(written)
    }, { attempts: Infinity, baseMs: 50, capMs: 2000, when: (error) => passes(error) && worth(tries) })
  }
}

const endTriesWhile = (stopping?: AbortSignal) => (attempt: number): boolean => attempt < (stopping?.aborted === true ? usualTries : endTries)

function withRelease({ releases = [] }: TImage, release: TImageRelease, keep: number): TImageRelease[] {
  return [release, ...releases.filter((one) => one.id !== release.id)].slice(0, Math.max(1, Math.min(keep, mostReleases)))
}

function buildsOf({ metadata: { name: timage }, build }: TImage): StoredBuild[] {
  const states = [{ state: build?.running, running: true }, { state: build?.last, running: false }]
  return states.flatMap(({ state, running }) => (state === undefined || state === null ? [] : [{ ...state, timage, phase: state.phase ?? '', message: state.message ?? '', running }]))
}
