import { readFile, rm } from 'node:fs/promises'
import type { TFrameworkConfig, TImageBuildState } from '#api/types.ts'
import { describe, Failure } from '#base/errors.ts'
import type { Logger } from '#base/log.ts'
import { buildImage, type BuildProgress, type BuiltImage } from '../build.ts'
import type { ImageEnv } from '../env.ts'
import { imageRepository } from '../names.ts'
import { parseLocation } from '../oci/location.ts'
import type { MemberCache } from '../member-cache.ts'
import type { RegistryAccess } from '../oci/session.ts'
import type { Trust } from '../oci/transport.ts'
import { readSupervisor } from '../supervisor.ts'
import type { Base, ClusterFacts } from './cluster.ts'
import { FairQueue } from './fair-queue.ts'
import { byOwnName } from './own-name.ts'
import { ProgressReporter } from './progress.ts'
import type { BuildRequest } from './request.ts'
import type { TImageStore } from './timage.ts'
import type { Upload } from './upload.ts'

export interface Accepted {
  readonly id: string
  readonly image: string
  /** Resolves when the image is a release; rejects with what went wrong, which the TImage tells too. */
  readonly done: Promise<BuiltImage>
}

interface Task {
  readonly id: string
  readonly timage: string
  readonly request: BuildRequest
  readonly base: Base
  readonly image: string
  readonly file: string
  /** Its name at the sender. */
  readonly filename: string
  readonly framework: TFrameworkConfig
  readonly createTime: string
  /** Runs from its turn on. */
  readonly limit: TimeLimit
}

/** What a build may take, in seconds; it counts from its start. */
class TimeLimit {
  readonly seconds: number
  readonly #over = new AbortController()

  constructor(seconds: number) {
    this.seconds = seconds
  }

  get signal(): AbortSignal {
    return this.#over.signal
  }

  start(): void {
    setTimeout(() => this.#over.abort(), this.seconds * 1000).unref()
  }
}

export interface BuilderOptions {
  readonly env: ImageEnv
  readonly timages: TImageStore
  readonly cluster: ClusterFacts
  readonly members: MemberCache
  readonly log: Logger
  readonly now?: () => number
}

/** Takes builds, runs them in turn, and keeps their TImages true. */
export class Builder {
  readonly #options: BuilderOptions
  readonly #queue: FairQueue
  readonly #stopping = new AbortController()
  readonly #tasks = new Set<Promise<unknown>>()

  constructor(options: BuilderOptions) {
    this.#options = options
    this.#queue = new FairQueue(options.env.builds, options.env.queue)
  }

  /** @throws QUEUE_FULL, STOPPING */
  checkRoom(): void {
    if (this.#stopping.signal.aborted) throw new Failure('STOPPING', 'the builder is stopping', { temporary: true, remedy: 'send it again in a moment' })
    this.#queue.checkRoom()
  }

  /** Enters the build into its TImage and queues it. The file is the builder's from now on. */
  async accept(id: string, timage: string, request: BuildRequest, upload: Pick<Upload, 'file' | 'filename'>): Promise<Accepted> {
    const { cluster, timages, env, now = Date.now } = this.#options
    const framework = await cluster.framework()
    const base = await cluster.base(request.baseImage, request.baseImageSecret, request.serverType)
    const image = `${framework.imageUpload.registry}/${imageRepository(request.app, request.server)}:${request.tag || id}`
    parseLocation(image)
    const secret = request.secret || (framework.imageUpload.secret ?? '')
    const createTime = new Date(now()).toISOString()
    const state: TImageBuildState = {
      id, image, secret, baseImage: base.image, baseImageSecret: base.secret, serverType: request.serverType,
      createPerson: request.createPerson, createTime, mark: request.mark, phase: 'Pending', message: 'pending', handler: env.podName,
    }
    await timages.begin(timage, state)
    const done = this.#track(this.#run({ id, timage, request: { ...request, secret }, base, image, file: upload.file, filename: upload.filename, framework, createTime, limit: new TimeLimit(framework.imageBuild.maxBuildTime) }))
    return { id, image, done }
  }

  /** Fails builds that an earlier life of this pod left as running. */
  async adopt(): Promise<void> {
    const { timages, env, log } = this.#options
    for (const { metadata, build } of await timages.list()) {
      const running = build?.running
      if (running?.handler !== env.podName) continue
      log.info('failing a build that was cut off', { timage: metadata.name, id: running.id })
      await timages.fail(metadata.name, running.id, 'the builder was restarted during the build; build again')
    }
  }

  /** Lets what runs end within `drainMs`, then aborts it; resolves when every TImage is written. */
  async stop(drainMs: number): Promise<void> {
    const timer = setTimeout(() => this.#stopping.abort(new Failure('STOPPING', 'the builder is stopping', { temporary: true, remedy: 'build again' })), this.#tasks.size === 0 ? 0 : drainMs)
    await Promise.allSettled(this.#tasks)
    clearTimeout(timer)
    this.#stopping.abort()
  }

  #track<T>(task: Promise<T>): Promise<T> {
    this.#tasks.add(task)
    task.catch(() => {}).finally(() => this.#tasks.delete(task))
    return task
  }

  async #run(task: Task): Promise<BuiltImage> {
    const { timages, log } = this.#options
    const { id, timage } = task
    try {
      const built = await this.#queue.run(task.request.app.toLowerCase(), () => this.#build(task))
      const { createPerson, mark, secret } = task.request
      await timages.succeed(timage, id, { id, image: built.image, secret, createPerson, createTime: task.createTime, mark }, task.framework.recordLimit.timageRelease)
      log.info('image built', { timage, id, image: built.image, digest: built.digest, bytes: built.package.size })
      return built
    } catch (error) {
      const reason = this.#reason(task, error)
      log.error('build failed', { timage, id, error: reason })
      await timages.fail(timage, id, describe(reason)).catch((lost: unknown) => log.error('the failure could not be written to the TImage', { timage, id, error: lost }))
      throw reason
    } finally {
      await rm(task.file, { force: true })
    }
  }

  #reason(task: Task, error: unknown): unknown {
    if (!task.limit.signal.aborted) return byOwnName(error, task)
    const { seconds } = task.limit
    return new Failure('BUILD_OVERTIME', `task overtime: the build took more than ${seconds} s`, { remedy: 'raise imageBuild.maxBuildTime of TFrameworkConfig' })
  }

  async #build(task: Task): Promise<BuiltImage> {
    const { cluster, timages, env, now = Date.now } = this.#options
    const { id, timage, request, base, limit } = task
    const members = await this.#options.members.build()
    const cancelled = new AbortController()
    const signal = AbortSignal.any([limit.signal, this.#stopping.signal, cancelled.signal])
    const progress = new ProgressReporter((phase, message) => timages.report(timage, id, phase, message), (error) => cancelled.abort(error))
    signal.throwIfAborted()
    try {
      limit.start()
      await timages.start(timage, id, new Date(now()).toISOString())
      progress.say('Preparing', 'preparing context')
      const supervisor = await readSupervisor(env.supervisor)
      const { server, known } = await cluster.spelled(timage, request.server, task.filename)
      progress.say('Preparing', 'preparing secret')
      const [push, pull] = await Promise.all([this.#access(request.secret), this.#access(base.secret || request.secret)])
      progress.say('Submitting', 'submitting task')
      return await buildImage({
        package: task.file, app: request.app, server, serverType: request.serverType, anyCase: !known && server === server.toLowerCase(),
        base: parseLocation(base.image), destination: parseLocation(task.image), access: push, baseAccess: pull,
        supervisor, limits: env.limits, signal, members, onProgress: (at: BuildProgress) => progress.at(at),
      })
    } finally {
      await Promise.all([progress.end(), members.close()])
    }
  }

  async #access(secret: string): Promise<RegistryAccess> {
    const { cluster, env } = this.#options
    const credentials = await cluster.credentials(secret)
    const ca = env.caFile === undefined ? {} : { ca: await readFile(env.caFile, 'utf8') }
    const trust = (registry: string): Trust => (env.insecureRegistries.includes(registry) ? { plainHttp: true } : ca)
    return { credentials, trust, silenceMs: env.silenceMs }
  }
}
