// The registry's read model: which object is served where. Fed by watches and by the nodes' own words; no I/O.
import { isDeepStrictEqual } from 'node:util'
import { formerAdminRegObj, labels } from '#api/names.ts'
import { addressesOf, noGroup, Topology, type GroupId, type NodeObject } from '#api/topology.ts'
import type { TEndpoint, TFrameworkConfig } from '#api/types.ts'
import { plainAddress } from '#base/address.ts'
import { endpointEntries, portsOf, registryEntries, registryObjects, registryServer, setsOf, type HostForm, type Surroundings } from './endpoints.ts'
import { ObjectAnswers, type Served } from './object-answers.ts'
import { parseObjectId, serverKey } from './object-id.ts'
import { hasEnded, type PodObject, type ReportedState } from './pod-state.ts'
import { outsideOf, upchainViews, type Outside } from './upchain.ts'
import { parseSet, type ServantView } from './views.ts'

/** All that is known of one server: its TServers (several when it has variants) and its pods. */
interface Server {
  readonly endpoints: Map<string, TEndpoint>
  readonly pods: Map<string, PodObject>
  /** Full ids of this server's objects in {@link Directory}'s index. */
  ids: readonly string[]
}

export interface DirectoryOptions<Answer> {
  readonly hostForm: HostForm
  /** The registry itself serves TLS alone. */
  readonly isSsl?: boolean
  /** Of the registry's own objects those whose callers show an account. */
  readonly auth?: ReadonlySet<string> | undefined
  /** Turns lists into what is handed out; called when they change, never when they are asked for. */
  readonly prepare: (view: ServantView) => Answer
  /** Told of an object that has other answers now, or is gone. */
  publish?(id: string, answers: ObjectAnswers<Answer> | undefined): void
}

/** Who asks: the name that it gives itself, and its address. */
export interface Caller {
  readonly name: string
  readonly address: string
}

/** The one pod of a server that callers are to find; the others are slaves. */
export interface Master {
  readonly podName: string
  readonly hidesSlaves: boolean
}

const registryKey = serverKey(registryServer.app, registryServer.server)
const adminRegObj = 'tars.tarsAdminRegistry.AdminRegObj'

/**
 * Index from object name to prepared answers. Every change rebuilds the objects of the one server that it
 * touches; a look-up is one map access.
 */
export class Directory<Answer> {
  readonly #options: DirectoryOptions<Answer>
  readonly #servers = new Map<string, Server>()
  readonly #reports = new Map<string, ReportedState>()
  readonly #pods = new Map<string, PodObject>()
  readonly #podOfAddress = new Map<string, string>()
  /** Pods on the network of their node, by its address. */
  readonly #sharers = new Map<string, Set<string>>()
  readonly #nodes = new Map<string, NodeObject>()
  readonly #masters = new Map<string, Master>()
  readonly #answers = new Map<string, ObjectAnswers<Answer>>()
  #loads: ReadonlyMap<string, number> = new Map()
  #config: TFrameworkConfig | undefined
  #topology = new Topology()
  #empty: ObjectAnswers<Answer>
  #outside: Outside<Answer> = { fixed: new Map(), registries: new Map() }
  /** Servers to rebuild at {@link release}; undefined when every change counts at once. */
  #held: Set<string> | undefined
  /** Places changed since then, which reaches all of them. */
  #placesHeld = false

  constructor(options: DirectoryOptions<Answer>) {
    this.#options = options
    this.#empty = this.#answersOf({ entries: [] })
    this.#rebuild(registryKey)
  }

  /**
   * All endpoints of `App.Server.Obj`. A server that is known but has no such object has empty lists; one that is
   * not known is looked for in the upchain (framework-services 1.1, 1.6).
   */
  find(id: string): Answer {
    return this.#find(id).all
  }

  /** Those that a caller is to prefer (1.3). */
  findNear(id: string, caller: Caller): Answer {
    return this.#find(id).inGroup(() => this.groupOf(caller))
  }

  /** Undefined when there is no such station (1.3). What is outside is in none, and found from all (1.6). */
  findInStation(id: string, station: string): Answer | undefined {
    const answers = this.#find(id)
    const found = answers.inStation(station)
    return found !== undefined && this.#isOutside(id) ? answers.all : found
  }

  /** Undefined when the set is none, or the object has no endpoints in it (1.4). */
  findInSet(id: string, setId: string, caller: Caller): Answer | undefined {
    return parseSet(setId) === undefined ? undefined : this.#find(id).inSet(setId, () => this.groupOf(caller))
  }

  /** Locator of the registry that knows the object; undefined when the answer is here. */
  upstreamOf(id: string): string | undefined {
    if (this.#outside.registries.size === 0) return undefined
    const where = this.#isOutside(id) ? outsideOf(this.#outside, id) : undefined
    return typeof where === 'string' ? where : undefined
  }

  #find(id: string): ObjectAnswers<Answer> {
    return this.#answers.get(id) ?? this.#findOther(id)
  }

  #findOther(id: string): ObjectAnswers<Answer> {
    const parsed = parseObjectId(id)
    if (parsed === undefined) return this.#empty
    const [endpoint] = this.#servers.get(serverKey(parsed.app, parsed.server))?.endpoints.values() ?? []
    if (endpoint !== undefined) return this.#answers.get(`${endpoint.spec.app}.${endpoint.spec.server}.${parsed.object}`) ?? this.#empty
    const outside = outsideOf(this.#outside, id)
    return outside === undefined || typeof outside === 'string' ? this.#empty : outside
  }

  #isOutside(id: string): boolean {
    if (this.#answers.has(id)) return false
    const parsed = parseObjectId(id)
    return parsed !== undefined && (this.#servers.get(serverKey(parsed.app, parsed.server))?.endpoints.size ?? 0) === 0
  }

  /** Group of a caller: of the pod, machine or address that it says it is, else of the one that it calls from (framework-services 0.2, 1.3). */
  groupOf({ name, address }: Caller): GroupId {
    const group = this.#groupAt(name)
    return group === noGroup && name !== address ? this.#groupAt(address) : group
  }

  #groupAt(name: string): GroupId {
    const pod = this.#podNamed(name)
    return pod === undefined ? this.#topology.groupOfAddress(plainAddress(name)) : this.#topology.groupOfPod(pod)
  }

  /** The pod that a caller is; undefined when it is none, or one on its node's own network that does not say its name. */
  podOf({ name, address }: Caller): PodObject | undefined {
    return this.#podNamed(name) ?? this.#podNamed(address)
  }

  /** By its name, its DNS name or the address that it has for itself. */
  #podNamed(name: string): PodObject | undefined {
    return this.#pods.get(name.split('.', 1)[0] ?? '') ?? this.#pods.get(this.#podOfAddress.get(plainAddress(name)) ?? '')
  }

  /** Servers, as `App.Server`, that may speak from an address: of the pod that has it for itself, or of all that share it with their node. */
  ownersAt(address: string): readonly string[] {
    const own = this.#podOfAddress.get(address)
    return (own === undefined ? [...(this.#sharers.get(address) ?? [])] : [own]).map((name) => ownerOf(this.#pods.get(name)))
  }

  /** Whether anything is known of `App.Server`. */
  isServer(server: string): boolean {
    return this.#servers.has(server.toLowerCase())
  }

  /** The TEndpoint of a server: of several that of this TServer, which may not be known yet; the first by name for those who are of none. */
  endpointOf(app: string, server: string, owner?: string): TEndpoint | undefined {
    const endpoints = this.#servers.get(serverKey(app, server))?.endpoints
    if (owner !== undefined) return endpoints?.get(owner)
    return [...(endpoints?.values() ?? [])].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))[0]
  }

  pod(name: string): PodObject | undefined {
    return this.#pods.get(name)
  }

  setEndpoint(endpoint: TEndpoint): void {
    const key = serverKey(endpoint.spec.app, endpoint.spec.server)
    this.#server(key).endpoints.set(endpoint.metadata.name, endpoint)
    this.#rebuild(key)
  }

  removeEndpoint(endpoint: TEndpoint): void {
    const key = serverKey(endpoint.spec.app, endpoint.spec.server)
    if (this.#servers.get(key)?.endpoints.delete(endpoint.metadata.name) === true) this.#rebuild(key)
  }

  setPod(pod: PodObject): void {
    const key = keyOfPod(pod)
    const before = this.#pods.get(pod.metadata.name)
    if (before !== undefined && keyOfPod(before) !== key) this.removePod(before)
    this.#forgetAddresses(before)
    this.#pods.set(pod.metadata.name, pod)
    if (!hasEnded(pod)) this.#noteAddresses(pod)
    if (key === undefined) return
    this.#server(key).pods.set(pod.metadata.name, pod)
    this.#rebuild(key)
  }

  removePod(pod: PodObject): void {
    const known = this.#pods.get(pod.metadata.name) ?? pod
    this.#forgetAddresses(known)
    this.#pods.delete(pod.metadata.name)
    this.#reports.delete(pod.metadata.name)
    const key = keyOfPod(known)
    if (key === undefined) return
    this.#servers.get(key)?.pods.delete(pod.metadata.name)
    this.#rebuild(key)
  }

  #noteAddresses(pod: PodObject): void {
    const { name } = pod.metadata
    for (const address of addressesOf(pod)) {
      if (pod.spec?.hostNetwork === true) this.#sharers.set(address, (this.#sharers.get(address) ?? new Set()).add(name))
      // One that goes may have left its address to the next pod already.
      else if (pod.metadata.deletionTimestamp === undefined || !this.#podOfAddress.has(address)) this.#podOfAddress.set(address, name)
    }
  }

  #forgetAddresses(pod: PodObject | undefined): void {
    if (pod === undefined) return
    const { name } = pod.metadata
    for (const address of addressesOf(pod)) {
      if (this.#podOfAddress.get(address) === name) this.#podOfAddress.delete(address)
      const sharers = this.#sharers.get(address)
      if (sharers?.delete(name) === true && sharers.size === 0) this.#sharers.delete(address)
    }
  }

  /** Lets a node's word count at once; `undefined` when the watched pod says the same and speaks for itself again. */
  setReport(podName: string, reported: ReportedState | undefined): void {
    if (reported === undefined) this.#reports.delete(podName)
    else this.#reports.set(podName, reported)
    const pod = this.#pods.get(podName)
    const key = pod && keyOfPod(pod)
    if (key !== undefined) this.#rebuild(key)
  }

  setNode(node: NodeObject): void {
    const before = this.#nodes.get(node.metadata.name)
    this.#nodes.set(node.metadata.name, node)
    // Nodes tell of themselves often, and seldom where they are.
    if (before === undefined || !isDeepStrictEqual(placeOf(before), placeOf(node))) this.#placesChanged(node.metadata.name)
  }

  removeNode(node: NodeObject): void {
    this.#nodes.delete(node.metadata.name)
    this.#placesChanged(node.metadata.name)
  }

  setFrameworkConfig(config: TFrameworkConfig | undefined): void {
    this.#config = config
    this.#placesChanged()
  }

  /** Who leads a server whose pods asked for a lock; undefined when nobody does. */
  setMaster(app: string, server: string, master: Master | undefined): void {
    const key = serverKey(app, server)
    if (master === undefined) this.#masters.delete(key)
    else this.#masters.set(key, master)
    if (this.#servers.has(key)) this.#rebuild(key)
  }

  /** Weights by load, by pod (framework-services 1.5). */
  setLoads(weights: ReadonlyMap<string, number>): void {
    this.#loads = weights
    for (const [key, { endpoints }] of this.#servers) if ([...endpoints.values()].some(isBalanced)) this.#rebuild(key)
  }

  /** Servers with an object that is balanced by load, as `App.Server`, and their pods. */
  balanced(): { readonly server: string; readonly pods: readonly PodObject[] }[] {
    return [...this.#servers.values()].flatMap(({ endpoints, pods }) => {
      const [found] = [...endpoints.values()].filter(isBalanced)
      return found === undefined ? [] : [{ server: `${found.spec.app}.${found.spec.server}`, pods: [...pods.values()] }]
    })
  }

  /** From here on changes are taken in without new answers, until {@link release}: a first list touches each server many times. */
  hold(): void {
    this.#held ??= new Set()
  }

  release(): void {
    const keys = this.#held ?? []
    this.#held = undefined
    if (this.#placesHeld) {
      this.#placesHeld = false
      this.#placesChanged()
    } else for (const key of keys) this.#rebuild(key)
  }

  /** Numbers for the log and for metrics. */
  size(): { readonly objects: number; readonly pods: number } {
    return { objects: this.#answers.size, pods: this.#pods.size }
  }

  /** @param node the only one that changed: where it is concerns its own pods, unless groups come or go with it */
  #placesChanged(node?: string): void {
    if (this.#held !== undefined) {
      this.#placesHeld = true
      return
    }
    const { shape } = this.#topology
    this.#topology = new Topology(this.#config?.topology, this.#nodes)
    if (node !== undefined && this.#topology.shape === shape) return this.#rebuildPodsOn(node)
    this.#empty = this.#answersOf({ entries: [] })
    this.#outside = {
      fixed: new Map([...upchainViews(this.#config)].map(([name, entries]) => [name, this.#answersOf({ entries })])),
      registries: new Map(Object.entries(this.#config?.upstream ?? {})),
    }
    for (const key of this.#servers.keys()) this.#rebuild(key)
  }

  #rebuildPodsOn(node: string): void {
    const keys = [...this.#pods.values()].filter(({ spec }) => spec?.nodeName === node).map(keyOfPod)
    for (const key of new Set(keys)) if (key !== undefined) this.#rebuild(key)
  }

  #server(key: string): Server {
    let server = this.#servers.get(key)
    if (server === undefined) this.#servers.set(key, (server = { endpoints: new Map(), pods: new Map(), ids: [] }))
    return server
  }

  #rebuild(key: string): void {
    if (this.#held !== undefined) {
      this.#held.add(key)
      return
    }
    const server = this.#server(key)
    const objects = this.#objectsOf(key, server)
    for (const id of server.ids) if (!objects.has(id)) this.#publish(id, undefined)
    for (const [id, served] of objects) this.#publish(id, this.#answersOf(served))
    server.ids = [...objects.keys()]
    if (server.endpoints.size === 0 && server.pods.size === 0 && key !== registryKey) this.#servers.delete(key)
  }

  #publish(id: string, answers: ObjectAnswers<Answer> | undefined): void {
    if (answers === undefined) this.#answers.delete(id)
    else this.#answers.set(id, answers)
    this.#options.publish?.(id, answers)
  }

  #answersOf(served: Served): ObjectAnswers<Answer> {
    return new ObjectAnswers(served, this.#topology, this.#options.prepare)
  }

  #objectsOf(key: string, { endpoints, pods }: Server): Map<string, Served> {
    const objects = new Map<string, Served>()
    const around = this.#surroundings(key)
    const all = [...pods.values()].map((pod) => ({ pod, reported: this.#reports.get(pod.metadata.name) }))
    // Variants serve the same objects: their pods stand in one list.
    for (const endpoint of [...endpoints.values()].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))) {
      const { app, server, variant, tars } = endpoint.spec
      const service = endpoint.metadata.name
      const own = all.filter(({ pod }) => pod.metadata.labels?.[labels.variant] === variant)
      for (const port of portsOf(endpoint)) {
        const id = `${app}.${server}.${port.object}`
        const { entries = [], sets = [] } = objects.get(id) ?? {}
        objects.set(id, {
          entries: [...entries, ...endpointEntries(port, { service, instances: tars?.instances, hostForm: tars?.endpointHost, pods: own }, around)],
          sets: [...sets, ...setsOf(tars?.instances)],
        })
      }
    }
    const admin = objects.get(adminRegObj)
    if (admin !== undefined) objects.set(formerAdminRegObj, admin)
    if (key !== registryKey) return objects
    const { isSsl = false, auth } = this.#options
    for (const port of registryObjects) {
      const id = `${registryServer.app}.${registryServer.server}.${port.object}`
      objects.set(id, { entries: registryEntries({ ...port, isSsl, auth: auth?.has(id) === true }, all, around) })
    }
    return objects
  }

  #surroundings(key: string): Surroundings {
    const master = this.#masters.get(key)
    return {
      hostForm: this.#config?.endpointHost ?? this.#options.hostForm,
      topology: this.#topology,
      loadWeight: (podName) => this.#loads.get(podName),
      isHidden: (podName) => master?.hidesSlaves === true && master.podName !== podName,
    }
  }
}

function placeOf({ metadata, status }: NodeObject): unknown {
  return [metadata.labels, status?.addresses]
}

function isBalanced({ spec: { tars } }: TEndpoint): boolean {
  return tars?.servants.some(({ weightType }) => weightType === 'dynamic') ?? false
}

/** As `App.Server`. */
function ownerOf(pod: PodObject | undefined): string {
  return `${pod?.metadata.labels?.[labels.app] ?? ''}.${pod?.metadata.labels?.[labels.server] ?? ''}`
}

function keyOfPod({ metadata }: PodObject): string | undefined {
  const app = metadata.labels?.[labels.app]
  const server = metadata.labels?.[labels.server]
  return app === undefined || server === undefined ? undefined : serverKey(app, server)
}
