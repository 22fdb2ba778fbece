// What the registry should answer, as the specification says it (framework-services 1.1 to 1.6, 12), worked out anew for each
// question from the last word about everything: slow, short, and made without the registry's own parts. Groups by their names.
import type { NodeObject } from '#api/topology.ts'
import type { TEndpoint, TFrameworkConfig } from '#api/types.ts'
import type { PodObject, ReportedState } from '../../framework/registry/model/pod-state.ts'

/** How things stand: the last word about everything. */
export interface World {
  readonly endpoints: Map<string, TEndpoint>
  readonly pods: Map<string, PodObject>
  readonly reports: Map<string, ReportedState>
  readonly nodes: Map<string, NodeObject>
  readonly masters: Map<string, { readonly app: string; readonly podName: string; readonly hidesSlaves: boolean }>
  readonly loads: Map<string, number>
  config: TFrameworkConfig | undefined
}

export interface Place {
  readonly host: string
  readonly port: number
  /** -1 when weights do not count. */
  readonly weight: number
  readonly set: string
  /** Where it is. */
  readonly group: string | undefined
  /** Whether callers of its group are to prefer it. */
  readonly takesPart: boolean
  readonly active: boolean
  /** It was, until nothing was heard of its machine any more. */
  readonly isLost?: boolean
  /** Not of this cluster. */
  readonly isOutside?: boolean
}

/** Undefined is native's -1. */
export type Places = readonly Place[] | undefined

interface Caller {
  readonly name: string
  readonly address: string
}

const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase()

export class Reference {
  readonly #world: World

  constructor(world: World) {
    this.#world = world
  }

  /** findObjectById, findObjectById4Any (1.1, 1.2, 1.6) */
  find(id: string): readonly Place[] {
    const [app = '', server = '', object = '', ...rest] = id.split('.')
    if ([app, server, object].includes('') || rest.length > 0) return []
    if (id === 'tars.tarsregistry.QueryObj' || id === 'tars.tarsregistry.RegistryObj') return this.#registries(object === 'QueryObj' ? 17890 : 17891)
    const endpoints = [...this.#world.endpoints.values()].filter(({ spec }) => same(spec.app, app) && same(spec.server, server))
    if (endpoints.length === 0) return this.#elsewhere(id, app, server)
    const places = endpoints.sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1)).flatMap((endpoint) => this.#placesOf(endpoint, object))
    return places.some(({ active }) => active) ? places : places.map((place) => ({ ...place, active: place.isLost === true }))
  }

  /** findObjectByIdInSameGroup, findObjectById4All (1.3) */
  findNear(id: string, caller: Caller): readonly Place[] {
    const places = this.find(id)
    const group = this.#groupOfCaller(caller)
    if (group === undefined) return places
    const ofGroups = (groups: readonly string[]) => places.filter((place) => place.takesPart && place.group !== undefined && groups.includes(place.group))
    const substitutes = this.#priorities().filter(({ groups }) => groups.includes(group)).map(({ groups }) => ofGroups(groups))
    const steps = [ofGroups([group]), ...substitutes, places.filter((place) => !place.takesPart || place.group === undefined)]
    return steps.find((chosen) => chosen.some(({ active }) => active)) ?? places
  }

  /** findObjectByIdInSameStation (1.1, 1.3, 1.6) */
  findInStation(id: string, station: string): Places {
    const row = this.#priorities().find((one) => one.station === station)
    if (row === undefined) return undefined
    return this.find(id).filter(({ group, isOutside }) => isOutside === true || (group !== undefined && row.groups.includes(group)))
  }

  /** findObjectByIdInSameSet (1.4) */
  findInSet(id: string, set: string, caller: Caller): Places {
    const [name = '', area = '', group = '', ...rest] = set.split('.')
    if ([name, area, group].includes('') || rest.length > 0 || name === '*' || area === '*') return undefined
    const places = this.find(id)
    if (![...places.map((place) => place.set), ...this.#declaredSets(id)].some((one) => one.split('.')[0] === name)) return this.findNear(id, caller)
    const exact = places.filter((place) => (group === '*' ? place.set.startsWith(`${name}.${area}.`) : place.set === set))
    const found = exact.length > 0 ? exact : places.filter((place) => place.set === `${name}.${area}.*`)
    return found.length > 0 ? found : undefined
  }

  /** Of the server's rows, whether anything runs by them or not; backups' are skipped (1.2, 1.4). */
  #declaredSets(id: string): readonly string[] {
    if (id === 'tars.tarsregistry.QueryObj' || id === 'tars.tarsregistry.RegistryObj') return []
    const [app = '', server = '', ...object] = id.split('.')
    const endpoints = [...this.#world.endpoints.values()].filter(({ spec }) => same(spec.app, app) && same(spec.server, server) && spec.tars?.servants.some(({ name }) => name === object.join('.')))
    return endpoints.flatMap(({ spec }) => spec.tars?.instances ?? []).flatMap(({ set, backup }) => (set === undefined || backup === true ? [] : [set]))
  }

  /** The nearest of the whole name, `App.Server`, `App` and `default` (1.6). */
  #elsewhere(id: string, app: string, server: string): readonly Place[] {
    const chain = this.#world.config?.upChain ?? {}
    const key = [id, `${app}.${server}`, app, 'default'].find((one) => chain[one] !== undefined)
    return (chain[key ?? ''] ?? []).map(({ host, port }) => ({ host, port, weight: -1, set: '', group: undefined, takesPart: false, active: true, isOutside: true }))
  }

  /** All registries that are ready, for callers of all groups; the name of their Service while none is (1.1, 1.2). */
  #registries(port: number): readonly Place[] {
    const pods = [...this.#world.pods.values()].filter(({ metadata }) => same(metadata.labels?.['tars.io/ServerApp'] ?? '', 'tars') && same(metadata.labels?.['tars.io/ServerName'] ?? '', 'tarsregistry'))
    const services = [...Map.groupBy(pods, ({ metadata }) => ['tars-tarsregistry', metadata.labels?.['tars.io/ServerVariant'] ?? []].flat().join('-'))].toSorted(([a], [b]) => (a < b ? -1 : 1))
    const places = services.flatMap(([service, own]) => this.#ofPods(own, { service, owner: 'tars', servant: { port }, tars: { instances: [{ enableGroup: false }] } as unknown as Tars }))
    const service = { host: 'tars-tarsregistry', port, weight: -1, set: '', group: undefined, takesPart: false, active: true }
    return places.some(({ active }) => active) ? places : [service, ...places]
  }

  #placesOf({ metadata, spec }: TEndpoint, object: string): readonly Place[] {
    const servant = spec.tars?.servants.find(({ name }) => name === object)
    if (servant === undefined) return []
    const own = [...this.#world.pods.values()].filter(({ metadata: { labels = {} } }) =>
      same(labels['tars.io/ServerApp'] ?? '', spec.app) && same(labels['tars.io/ServerName'] ?? '', spec.server) && labels['tars.io/ServerVariant'] === spec.variant)
    return this.#ofPods(own, { service: metadata.name, owner: spec.app, servant, tars: spec.tars })
  }

  /** In the order of their numbers; neither backups nor slaves that are hidden (1.1, 1.2). */
  #ofPods(pods: readonly PodObject[], declared: Declared): readonly Place[] {
    const master = this.#world.masters.get(declared.owner)
    return pods.toSorted((a, b) => numberOf(a) - numberOf(b)).flatMap((pod) => {
      const hidden = master?.hidesSlaves === true && master.podName !== pod.metadata.name
      const own = ofInstance(declared.tars?.instances ?? [], numberOf(pod))
      return hidden || own.backup === true ? [] : [this.#placeOf(pod, declared, own)]
    })
  }

  #placeOf(pod: PodObject, { service, servant, tars }: Declared, own: ReturnType<typeof ofInstance>): Place {
    const { config } = this.#world
    const { name } = pod.metadata
    const form = tars?.endpointHost ?? config?.endpointHost ?? 'dns'
    return {
      host: form === 'ip' ? (pod.status?.podIP ?? '') : `${name}.${service}`, port: servant.port, weight: this.#weight(name, servant, own.weight), set: own.set ?? '',
      group: own.group ?? this.#groupOfPod(pod), takesPart: own.enableGroup ?? config?.topology?.enableGroup ?? false, ...this.#traffic(pod, own.flow),
    }
  }

  #traffic(pod: PodObject, flow: string | undefined): { readonly active: boolean; readonly isLost: boolean } {
    const isPaused = [flow, pod.metadata.annotations?.['tars.io/Flow']].includes('inactive')
    const serves = !isPaused && this.#isActive(pod)
    return { active: serves && !isLost(pod), isLost: serves && isLost(pod) }
  }

  /** What its node said last, in its own words or in the pod's condition; nothing for one that is being deleted (1.2, F.3). */
  #isActive({ metadata, status }: PodObject): boolean {
    if (metadata.deletionTimestamp !== undefined) return false
    const said = this.#world.reports.get(metadata.name)
    return said === undefined ? status?.conditions?.find(({ type }) => type === 'tars.io/active')?.reason === 'Active/Active/1' : said.setting === 'Active' && said.present === 'Active'
  }

  /** (1.2, 1.5): at most 100, which is also what a static one is that has no number; by load while there is one. */
  #weight(pod: string, { weight, weightType }: { readonly weight?: number; readonly weightType?: string }, own: number | undefined): number {
    const type = weightType ?? ((own ?? weight) === undefined ? 'loop' : 'static')
    if (type === 'loop') return -1
    if (type === 'static') return Math.min(100, own ?? weight ?? 100)
    const byLoad = this.#world.loads.get(pod) ?? 0
    return byLoad === 0 ? -1 : byLoad
  }

  /** Rows of the configuration, then the regions of nodes, by name (1.3). */
  #priorities(): { readonly groups: readonly string[]; readonly station: string | undefined }[] {
    const regions = Map.groupBy([...this.#world.nodes.values()].filter((node) => labelOf(node, 'region') !== '' && labelOf(node, 'zone') !== ''), (node) => labelOf(node, 'region'))
    const rows = [...regions].sort(([a], [b]) => (a < b ? -1 : 1)).map(([station, nodes]) => ({ station, groups: nodes.map((node) => labelOf(node, 'zone')) }))
    return [...(this.#world.config?.topology?.priorities ?? []).map(({ groups, station }) => ({ groups, station })), ...rows]
  }

  /** A rule for the address, exact before `a.b.c.*`, before the zone of the node (1.3). */
  #groupOfPod({ spec, status }: PodObject): string | undefined {
    return this.#groupOfAddress(status?.podIP ?? '') ?? (labelOf(this.#world.nodes.get(spec?.nodeName ?? ''), 'zone') || undefined)
  }

  #groupOfAddress(address: string): string | undefined {
    const rules = this.#world.config?.topology?.groups ?? []
    const by = (pattern: string): string | undefined => rules.findLast(({ addresses }) => addresses.includes(pattern))?.name
    return by(address) ?? by(`${address.split('.').slice(0, 3).join('.')}.*`)
  }

  /** By the pod or address that it says it is, else by where it calls from (0.2, 1.3). */
  #groupOfCaller({ name, address }: Caller): string | undefined {
    const groupAt = (host: string): string | undefined => {
      const pod = this.#world.pods.get(host.split('.')[0] ?? '') ?? [...this.#world.pods.values()].find(({ status }) => status?.podIP === host)
      return pod === undefined ? this.#groupOfAddress(host) : this.#groupOfPod(pod)
    }
    return groupAt(name) ?? groupAt(address)
  }
}

function labelOf(node: NodeObject | undefined, which: 'zone' | 'region'): string {
  return node?.metadata.labels?.[`topology.kubernetes.io/${which}`] ?? ''
}

type Tars = NonNullable<TEndpoint['spec']['tars']>
type Instance = NonNullable<Tars['instances']>[number]

/** What pods of one TServer have in common for one object. */
interface Declared {
  readonly service: string
  /** Application. */
  readonly owner: string
  readonly servant: { readonly port: number; readonly weight?: number; readonly weightType?: string }
  readonly tars?: Tars | undefined
}

/** Kubernetes says that it is not ready, and no more. */
const isLost = ({ status }: PodObject): boolean => status?.conditions?.some(({ type, status: holds }) => type === 'Ready' && holds === 'False') ?? false

const numberOf = ({ metadata }: PodObject): number => Number(metadata.name.split('-').at(-1))

/** What a TServer says of one of its pods: the last that says anything counts, thing by thing (12). */
function ofInstance(instances: readonly Instance[], ordinal: number): Omit<Instance, 'pods'> {
  const concerns = (pods: string | undefined): boolean => pods === undefined || pods.split(',').some((range) => {
    const [first = Number.NaN, last = first] = range.split('-').map(Number)
    return first <= ordinal && ordinal <= last
  })
  return Object.fromEntries(instances.flatMap(({ pods, ...fields }) => (concerns(pods) ? Object.entries(fields) : [])))
}
