// The registry's read model: which object is served where. Fed by watches and by the nodes' own words; no I/O.
import { labels } from '#api/names.ts'
import type { TEndpoint, TFrameworkConfig } from '#api/types.ts'
import { portsOf, registryServer, registryService, registryViews, servantView, type HostForm, type ServantView } from './endpoints.ts'
import { parseObjectId, serverKey } from './object-id.ts'
import type { PodObject, ReportedState } from './pod-state.ts'
import { upchainFor, upchainViews } from './upchain.ts'

/** All that is known of one server. */
interface Server {
  endpoint: TEndpoint | undefined
  readonly pods: Map<string, PodObject>
  /** Full ids of this server's objects in {@link Directory}'s index. */
  ids: readonly string[]
}

export interface DirectoryOptions<Answer> {
  readonly hostForm: HostForm
  /** Turns lists into what is handed out; called when they change, never when they are asked for. */
  readonly prepare: (view: ServantView) => Answer
}

const registryKey = serverKey(registryServer.app, registryServer.server)

/**
 * Index from object name to prepared answer. Every change rebuilds the objects of the one server that it
 * touches; a look-up is one map access.
 */
export class Directory<Answer> {
  readonly #options: DirectoryOptions<Answer>
  readonly #servers = new Map<string, Server>()
  readonly #reports = new Map<string, ReportedState>()
  readonly #pods = new Map<string, PodObject>()
  readonly #answers = new Map<string, Answer>()
  readonly #empty: Answer
  #upchain: ReadonlyMap<string, Answer> = new Map()
  /** Servers to rebuild at {@link release}; undefined when every change counts at once. */
  #held: Set<string> | undefined

  constructor(options: DirectoryOptions<Answer>) {
    this.#options = options
    this.#empty = options.prepare({ active: [], inactive: [] })
    this.#rebuild(registryKey)
  }

  /**
   * The answer for `App.Server.Obj`. A server that is known but has no such object has empty lists; one that is
   * not known is looked for in the upchain (framework-services 1.1, 1.6).
   */
  find(id: string): Answer {
    return this.#answers.get(id) ?? this.#findOther(id)
  }

  #findOther(id: string): Answer {
    const parsed = parseObjectId(id)
    if (parsed === undefined) return this.#empty
    const server = this.#servers.get(serverKey(parsed.app, parsed.server))
    if (server?.endpoint === undefined) return upchainFor(this.#upchain, id) ?? this.#empty
    const { app, server: name } = server.endpoint.spec
    return this.#answers.get(`${app}.${name}.${parsed.object}`) ?? this.#empty
  }

  endpointOf(app: string, server: string): TEndpoint | undefined {
    return this.#servers.get(serverKey(app, server))?.endpoint
  }

  pod(name: string): PodObject | undefined {
    return this.#pods.get(name)
  }

  setEndpoint(endpoint: TEndpoint): void {
    const key = serverKey(endpoint.spec.app, endpoint.spec.server)
    this.#server(key).endpoint = endpoint
    this.#rebuild(key)
  }

  removeEndpoint(endpoint: TEndpoint): void {
    const key = serverKey(endpoint.spec.app, endpoint.spec.server)
    const server = this.#servers.get(key)
    if (server?.endpoint?.metadata.name !== endpoint.metadata.name) return
    server.endpoint = undefined
    this.#rebuild(key)
  }

  setPod(pod: PodObject): void {
    const key = keyOfPod(pod)
    const before = this.#pods.get(pod.metadata.name)
    if (before !== undefined && keyOfPod(before) !== key) this.removePod(before)
    this.#pods.set(pod.metadata.name, pod)
    if (key === undefined) return
    this.#server(key).pods.set(pod.metadata.name, pod)
    this.#rebuild(key)
  }

  removePod(pod: PodObject): void {
    const known = this.#pods.get(pod.metadata.name) ?? pod
    this.#pods.delete(pod.metadata.name)
    this.#reports.delete(pod.metadata.name)
    const key = keyOfPod(known)
    if (key === undefined) return
    this.#servers.get(key)?.pods.delete(pod.metadata.name)
    this.#rebuild(key)
  }

  /** Lets a node's word count at once; `undefined` when the watched pod says the same and speaks for itself again. */
  setReport(podName: string, reported: ReportedState | undefined): void {
    if (reported === undefined) this.#reports.delete(podName)
    else this.#reports.set(podName, reported)
    const pod = this.#pods.get(podName)
    const key = pod && keyOfPod(pod)
    if (key !== undefined) this.#rebuild(key)
  }

  setFrameworkConfig(config: TFrameworkConfig | undefined): void {
    this.#upchain = new Map([...upchainViews(config)].map(([name, view]) => [name, this.#options.prepare(view)]))
  }

  /** From here on changes are taken in without new answers, until {@link release}: a first list touches each server many times. */
  hold(): void {
    this.#held ??= new Set()
  }

  release(): void {
    const keys = this.#held ?? []
    this.#held = undefined
    for (const key of keys) this.#rebuild(key)
  }

  /** Numbers for the log and for metrics. */
  size(): { readonly objects: number; readonly pods: number } {
    return { objects: this.#answers.size, pods: this.#pods.size }
  }

  #server(key: string): Server {
    let server = this.#servers.get(key)
    if (server === undefined) this.#servers.set(key, (server = { endpoint: undefined, pods: new Map(), ids: [] }))
    return server
  }

  #rebuild(key: string): void {
    if (this.#held !== undefined) {
      this.#held.add(key)
      return
    }
    const server = this.#server(key)
    const views = this.#viewsOf(key, server)
    for (const id of server.ids) if (!views.has(id)) this.#answers.delete(id)
    for (const [id, view] of views) this.#answers.set(id, this.#options.prepare(view))
    server.ids = [...views.keys()]
    if (server.endpoint === undefined && server.pods.size === 0 && key !== registryKey) this.#servers.delete(key)
  }

  #viewsOf(key: string, { endpoint, pods }: Server): Map<string, ServantView> {
    const { hostForm } = this.#options
    const views = new Map<string, ServantView>()
    const entries = [...pods.values()].map((pod) => ({ pod, reported: this.#reports.get(pod.metadata.name) }))
    if (endpoint !== undefined) {
      const { app, server } = endpoint.spec
      for (const port of portsOf(endpoint)) views.set(`${app}.${server}.${port.object}`, servantView(port, endpoint.metadata.name, entries, hostForm))
    }
    if (key !== registryKey) return views
    for (const [object, view] of registryViews(registryService, entries, hostForm)) views.set(`${registryServer.app}.${registryServer.server}.${object}`, view)
    return views
  }
}

function keyOfPod({ metadata }: PodObject): string | undefined {
  const app = metadata.labels?.[labels.app]
  const server = metadata.labels?.[labels.server]
  return app === undefined || server === undefined ? undefined : serverKey(app, server)
}
