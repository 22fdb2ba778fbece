import { Failure } from '#base/errors.ts'
import type { Logger } from '#base/log.ts'
import { metric } from '#base/metrics.ts'
import type { ImageEnv } from '../env.ts'
import type { MemberCache } from '../member-cache.ts'
import { imageRepository } from '../names.ts'
import { parseReference } from '../oci/reference.ts'
import type { Arrival } from '../package/arrival.ts'
import { beginningOf, Build, building, ownerOf, pending, type BuildFacts, type BuildPorts, type Package } from './build.ts'
import type { ClusterFacts } from './cluster.ts'
import { FairQueue } from './fair-queue.ts'
import { HeadStart } from './head-start.ts'
import { makeImage } from './make-image.ts'
import type { BuildRequest } from './request.ts'
import type { TImageStore } from './timage.ts'

export interface BuilderOptions {
  readonly env: ImageEnv
  readonly timages: TImageStore
  readonly cluster: ClusterFacts
  readonly members: MemberCache | undefined
  readonly log: Logger
  readonly now?: () => number
}

/** So many ended builds are remembered, with what they told. */
const remembered = 200

/** Takes builds and runs them in turn. */
export class Builder {
  readonly #ports: BuildPorts
  readonly #stopping = new AbortController()
  readonly #running = new Set<Build>()
  readonly #known = new Map<string, Build>()
  readonly #counts = { succeeded: 0, failed: 0 }

  constructor(options: BuilderOptions) {
    const { env, now = Date.now } = options
    this.#ports = { ...options, now, configs: new Map(), queue: new FairQueue(env.builds, env.queue), stopping: this.#stopping.signal }
  }

  /** @throws QUEUE_FULL, STOPPING */
  checkRoom(): void {
    if (this.#stopping.signal.aborted) throw new Failure('STOPPING', 'the builder is stopping', { temporary: true, remedy: 'send it again in a moment' })
    this.#ports.queue.checkRoom()
  }

  /** Begins with a package that is on its way, if nothing else is to be done. The caller drops it, or has a build adopt it. */
  startAhead(id: string, timage: string, request: BuildRequest, arriving: Package & { readonly arrival: Arrival }): HeadStart | undefined {
    const loan = this.#stopping.signal.aborted ? undefined : this.#ports.queue.lend(ownerOf(request), () => head?.recall())
    if (loan === undefined) return undefined
    const head: HeadStart | undefined = new HeadStart(this.#factsOf(id, timage, request, arriving), loan, (facts, making) => makeImage(facts, this.#ports, { ...making, arrival: arriving.arrival }))
    return head
  }

  /**
   * Enters the build into its TImage and queues it. The package is the build's from now on.
   * @param headStart begun with the same request
   */
  async accept(id: string, timage: string, request: BuildRequest, received: Package, headStart?: HeadStart): Promise<Build> {
    const { timages, env, now } = this.#ports
    const facts = await (headStart?.facts ?? this.#factsOf(id, timage, request, received))
    const begun = headStart?.take() === true ? headStart : undefined
    await timages.begin(timage, beginningOf(facts, env.podName, begun === undefined ? pending(facts) : building(now())))
    const build = new Build(facts, this.#ports, begun)
    this.#remember(build)
    return build
  }

  async #factsOf(id: string, timage: string, request: BuildRequest, received: Package): Promise<BuildFacts> {
    const { cluster, now } = this.#ports
    const [framework, base, spelling] = await Promise.all([
      cluster.framework(),
      cluster.base(request.baseImage, request.baseImageSecret, request.serverType),
      cluster.spelled(timage, request.server, received.filename),
    ])
    const image = `${framework.imageUpload.registry}/${imageRepository(request.app, request.server)}:${request.tag || id}`
    parseReference(image)
    const secret = request.secret || (framework.imageUpload.secret ?? '')
    return { id, timage, request: { ...request, secret }, spelling, base, image, package: received, framework, createTime: new Date(now()).toISOString() }
  }

  /** A build that this builder has taken in its life, unless that is long ago. */
  find(id: string): Build | undefined {
    return this.#known.get(id)
  }

  /** What it did and does, in Prometheus' text format. */
  metrics(): string {
    return [
      metric('tarsimage_builds_total', 'Builds that ended, and how.', Object.entries(this.#counts).map(([result, count]) => [count, { result }])),
      metric('tarsimage_builds_living', 'Builds that run or wait.', [[this.#running.size]]),
    ].join('')
  }

  /** Lets what runs end within `drainMs`, then aborts it; resolves when every TImage is written. */
  async stop(drainMs: number): Promise<void> {
    const reason = new Failure('STOPPING', 'the builder is stopping', { temporary: true, remedy: 'build again' })
    const timer = setTimeout(() => this.#stopping.abort(reason), this.#running.size === 0 ? 0 : drainMs)
    await Promise.allSettled([...this.#running].map(({ done }) => done))
    clearTimeout(timer)
    this.#stopping.abort(reason)
  }

  #remember(build: Build): void {
    this.#known.set(build.facts.id, build)
    this.#running.add(build)
    build.done.then(() => this.#counts.succeeded++, () => this.#counts.failed++).finally(() => {
      this.#running.delete(build)
      for (const [id, other] of this.#known) if (this.#known.size > remembered && !this.#running.has(other)) this.#known.delete(id)
    })
  }
}
