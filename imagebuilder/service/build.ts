import type { TFrameworkConfig, TImageBuildState } from '#api/types.ts'
import { describe, Failure } from '#base/errors.ts'
import type { Logger } from '#base/log.ts'
import type { BuiltImage } from '../build.ts'
import type { ImageEnv } from '../env.ts'
import type { MemberCache } from '../member-cache.ts'
import type { KnownConfigs } from '../oci/session.ts'
import { BuildLog } from './build-log.ts'
import type { Base, ClusterFacts, Spelling } from './cluster.ts'
import type { FairQueue, Place } from './fair-queue.ts'
import type { HeadStart } from './head-start.ts'
import { makeImage, type Making } from './make-image.ts'
import { byOwnName } from './own-name.ts'
import { ProgressReporter } from './progress.ts'
import type { BuildRequest } from './request.ts'
import type { Phase, TImageStore } from './timage.ts'

/** A package that was received. */
export interface Package {
  readonly file: string
  /** Its name at the sender. */
  readonly filename: string
  /** Called once with what became of the build: the file is the receiver's again. */
  release(built: boolean): Promise<void>
}

export interface BuildFacts {
  readonly id: string
  readonly timage: string
  readonly request: BuildRequest
  readonly spelling: Spelling
  readonly base: Base
  readonly image: string
  readonly package: Package
  readonly framework: TFrameworkConfig
  readonly createTime: string
}

/** What every build of a service has at hand. */
export interface BuildPorts {
  readonly env: ImageEnv
  readonly timages: TImageStore
  readonly cluster: ClusterFacts
  readonly queue: FairQueue
  readonly members: MemberCache | undefined
  /** Of base images. */
  readonly configs: KnownConfigs
  readonly log: Logger
  /** Aborts what runs when the service stops. */
  readonly stopping: AbortSignal
  readonly now: () => number
}

/** One build: waits for its turn, runs, and keeps its TImage true. */
export class Build {
  readonly facts: BuildFacts
  readonly log = new BuildLog()
  /** Resolves when the image is a release; rejects with what went wrong, which the TImage tells too. */
  readonly done: Promise<BuiltImage>
  readonly #ports: BuildPorts
  readonly #headStart: HeadStart | undefined
  readonly #cancelled = new AbortController()
  readonly #overtime = new AbortController()
  readonly #signal: AbortSignal
  #phase: Phase = 'Pending'
  #message = 'pending'
  #place: Place | undefined
  #result: BuiltImage | undefined
  #error: unknown

  /** @param headStart the image in the making since its package began to arrive */
  constructor(facts: BuildFacts, ports: BuildPorts, headStart?: HeadStart) {
    this.facts = facts
    this.#ports = ports
    this.#headStart = headStart
    this.#signal = AbortSignal.any([ports.stopping, this.#cancelled.signal, this.#overtime.signal])
    this.done = this.#run()
    this.done.catch(() => {})
  }

  get phase(): Phase {
    return this.#phase
  }

  get message(): string {
    return this.#message
  }

  /** How many builds have their turn before this one; undefined once it has had its own. */
  get position(): number | undefined {
    return this.#place?.ahead()
  }

  get result(): BuiltImage | undefined {
    return this.#result
  }

  /** Why it failed. */
  get error(): unknown {
    return this.#error
  }

  /** @throws BUILD_ENDED */
  cancel(person: string): void {
    if (this.#phase === 'Done' || this.#phase === 'Failed') throw new Failure('BUILD_ENDED', `build ${this.facts.id} has ended: ${this.#message}`, { remedy: 'there is nothing left to cancel' })
    this.#cancelled.abort(new Failure('BUILD_CANCELLED', `cancelled${person === '' ? '' : ` by ${person}`}`, { remedy: 'build again' }))
  }

  async #run(): Promise<BuiltImage> {
    const { timages, log, queue, stopping } = this.#ports
    const { id, timage, request, image, createTime, framework } = this.facts
    this.#tell('Pending', 'pending')
    try {
      const built = await queue.run(ownerOf(request), () => this.#build(), this.#signal, (place) => (this.#place = place), this.#headStart?.loan)
      const { createPerson, mark, secret } = request
      await timages.succeed(timage, id, { id, image, secret, createPerson, createTime, mark }, framework.recordLimit.timageRelease, stopping)
      log.info('image built', { timage, id, image, digest: built.digest, bytes: built.package.size })
      this.#result = built
      this.log.add({ type: 'note', message: `image ${image} is ${built.digest}` })
      this.#tell('Done', 'Success')
      return built
    } catch (error) {
      const reason = this.#reason(error)
      this.#error = reason
      log.error('build failed', { timage, id, error: reason })
      await timages.fail(timage, id, describe(reason), stopping).catch((lost: unknown) => log.error('the failure could not be written to the TImage', { timage, id, error: lost }))
      this.#tell('Failed', describe(reason))
      throw reason
    } finally {
      this.#place = undefined
      await this.#headStart?.drop()
      await this.facts.package.release(this.#result !== undefined)
      this.log.end()
    }
  }

  #reason(error: unknown): unknown {
    if (!this.#overtime.signal.aborted) return byOwnName(error, this.facts.package)
    return new Failure('BUILD_OVERTIME', `task overtime: the build took more than ${this.facts.framework.imageBuild.maxBuildTime} s`, { remedy: 'raise imageBuild.maxBuildTime of TFrameworkConfig' })
  }

  #tell(phase: Phase, message: string): void {
    this.#phase = phase
    this.#message = message
    this.log.add({ type: 'phase', phase, message })
  }

  /** Its time counts from here, its turn. */
  async #build(): Promise<BuiltImage> {
    const { timages, now } = this.#ports
    const { id, timage, framework } = this.facts
    this.#place = undefined
    const timer = setTimeout(() => this.#overtime.abort(), framework.imageBuild.maxBuildTime * 1000).unref()
    const superseded = new AbortController()
    const signal = AbortSignal.any([this.#signal, superseded.signal])
    signal.throwIfAborted()
    const begun = this.#headStart !== undefined
    if (begun) this.#tell('Building', buildingMessage)
    else this.#tell('Preparing', 'preparing context')
    const started = begun ? Promise.resolve() : timages.start(timage, id, new Date(now()).toISOString(), 'Preparing', 'preparing context')
    started.catch((error: unknown) => superseded.abort(error))
    const progress = new ProgressReporter({
      write: async (phase, message) => (await started, timages.report(timage, id, phase, message)),
      cancel: (error) => superseded.abort(error),
      begun,
    })
    const say = (phase: Phase, message: string): void => {
      this.#tell(phase, message)
      progress.say(phase, message)
    }
    const unheard = timages.onEnded(timage, id, (error) => superseded.abort(error))
    try {
      if (!begun) say('Submitting', 'submitting task')
      const making: Making = {
        signal,
        confirmed: () => started,
        onProgress: (at) => {
          const noted = progress.at(at)
          if (noted !== undefined) this.#tell(...noted)
          if (at.phase === 'package') this.log.add({ type: 'progress', read: at.read, size: at.size, pushed: at.pushed })
        },
        onNote: (message) => this.log.add({ type: 'note', message }),
      }
      return await (this.#headStart?.adopt(making) ?? makeImage(this.facts, this.#ports, making))
    } finally {
      clearTimeout(timer)
      unheard()
      await Promise.allSettled([started, progress.end()])
    }
  }
}

/** Whom the queue is fair to. */
export const ownerOf = ({ app }: BuildRequest): string => app.toLowerCase()

const buildingMessage = 'building image'
/** How a build stands when it is entered, and since when its time counts. */
type Standing = Required<Pick<TImageBuildState, 'createTime' | 'phase' | 'message'>>

/** Of one whose turn is to come. */
export const pending = ({ createTime }: BuildFacts): Standing => ({ createTime, phase: 'Pending', message: 'pending' })
/** Of one that began with its package: it has its turn. */
export const building = (now: number): Standing => ({ createTime: new Date(now).toISOString(), phase: 'Building', message: buildingMessage })

/** The build as its TImage has it when it begins. */
export function beginningOf({ id, image, base, request }: BuildFacts, handler: string, standing: Standing): TImageBuildState {
  return {
    id, image, secret: request.secret, baseImage: base.image, baseImageSecret: base.secret, serverType: request.serverType,
    createPerson: request.createPerson, mark: request.mark, handler, ...standing,
  }
}
