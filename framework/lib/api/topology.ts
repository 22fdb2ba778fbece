// Which pods and callers are near each other: groups and stations (framework-services 1.3). Pure.
import { plainAddress } from '#base/address.ts'
import { crc32 } from './mutate/tconfig.ts'
import type { TFrameworkConfig } from './types.ts'

/** The parts of a Kubernetes node that count here. */
export interface NodeObject {
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> }
  readonly status?: { readonly addresses?: readonly { readonly type: string; readonly address: string }[] }
}

/** The parts of a Kubernetes pod that say where it is. */
export interface PodPlace {
  readonly spec?: { readonly nodeName?: string }
  readonly status?: { readonly podIP?: string; readonly podIPs?: readonly { readonly ip: string }[] }
}

/** All addresses of a pod, without the IPv6 form of IPv4 addresses. */
export function addressesOf({ status: { podIP = '', podIPs = [] } = {} }: PodPlace): readonly string[] {
  return [...new Set([podIP, ...podIPs.map(({ ip }) => ip)])].filter((ip) => ip !== '').map(plainAddress)
}

/**
 * Whether Kubernetes takes a pod's node for dead (pod conditions, "Ready"): it then makes the pod not ready, and says no reason. The
 * kubelet says one whenever the pod is not ready by its own word.
 */
export function isOnLostNode(conditions: readonly { readonly type: string; readonly status: string; readonly reason?: string }[] = []): boolean {
  return conditions.some(({ type, status, reason = '' }) => type === 'Ready' && status === 'False' && reason === '')
}

/** Number of a group on the wire, the same in every replica and after every restart; {@link noGroup} for none. */
export type GroupId = number
export const noGroup: GroupId = -1

export function groupId(name: string | undefined): GroupId {
  return name === undefined || name === '' ? noGroup : crc32(name) & 0x7fffffff
}

type Settings = NonNullable<TFrameworkConfig['topology']>

/** What counts when the TFrameworkConfig does not say: the labels that cloud providers give to nodes (Kubernetes, "Well-Known Labels"). */
const standard: Settings = { groupLabel: 'topology.kubernetes.io/zone', stationLabel: 'topology.kubernetes.io/region', enableGroup: false }

/** Groups that stand in for each other. */
interface Priority {
  readonly groups: ReadonlySet<GroupId>
  readonly station: string | undefined
}

/** Groups by configured address and by label of the node, and which stand in for which. Immutable. */
export class Topology {
  readonly #settings: Settings
  readonly #byAddress = new Map<string, GroupId>()
  readonly #nodes: ReadonlyMap<string, NodeObject>
  readonly #nodeOfAddress = new Map<string, NodeObject>()
  readonly #priorities: readonly Priority[]
  /** All that a caller can be in. */
  readonly groups: ReadonlySet<GroupId>
  /** All that a caller can ask for. */
  readonly stations: ReadonlySet<string>
  /** Equal for two where all questions have equal answers but for those about single nodes. */
  readonly shape: string

  constructor(settings: TFrameworkConfig['topology'] = standard, nodes: ReadonlyMap<string, NodeObject> = new Map()) {
    this.#settings = settings
    this.#nodes = nodes
    for (const { name, addresses } of settings.groups ?? []) for (const address of addresses) this.#byAddress.set(asSaid(address), groupId(name))
    for (const node of nodes.values()) for (const { address } of node.status?.addresses ?? []) this.#nodeOfAddress.set(plainAddress(address), node)
    const configured = (settings.priorities ?? []).map(({ groups, station }) => ({ groups: new Set(groups.map(groupId)), station }))
    this.#priorities = [...configured, ...this.#regions()]
    const named = [...this.#byAddress.values(), ...this.#priorities.flatMap(({ groups }) => [...groups]), ...[...nodes.values()].map((node) => this.#groupOfNode(node))]
    this.groups = new Set(named.filter((group) => group !== noGroup))
    this.stations = new Set(this.#priorities.flatMap(({ station }) => (station === undefined ? [] : [station])))
    const sorted = (set: ReadonlySet<GroupId>): GroupId[] => [...set].toSorted((a, b) => a - b)
    this.shape = JSON.stringify([settings, sorted(this.groups), this.#priorities.map(({ groups, station }) => [sorted(groups), station])])
  }

  /** Groups of nodes by the station that their labels say, in order of its name. */
  #regions(): Priority[] {
    const stations = new Map<string, Set<GroupId>>()
    for (const node of this.#nodes.values()) {
      const station = node.metadata.labels?.[this.#settings.stationLabel] ?? ''
      const group = this.#groupOfNode(node)
      if (station !== '' && group !== noGroup) stations.set(station, (stations.get(station) ?? new Set()).add(group))
    }
    return [...stations].sort(([a], [b]) => (a < b ? -1 : 1)).map(([station, groups]) => ({ groups, station }))
  }

  /** Whether servers that do not say so themselves take part in groups. */
  get enabled(): boolean {
    return this.#settings.enableGroup
  }

  /** Groups of a station; undefined when there is none of that name. */
  groupsOf(station: string): ReadonlySet<GroupId> | undefined {
    return this.#priorities.find((row) => row.station === station)?.groups
  }

  /** Sets of groups that stand in for one, the nearest first. */
  substitutes(group: GroupId): ReadonlySet<GroupId>[] {
    return this.#priorities.filter(({ groups }) => groups.has(group)).map(({ groups }) => groups)
  }

  groupOfPod(pod: PodPlace): GroupId {
    const node = this.#nodes.get(pod.spec?.nodeName ?? '')
    const hosts = (node?.status?.addresses ?? []).map(({ address }) => plainAddress(address))
    for (const address of [...addressesOf(pod), ...hosts]) {
      const group = this.#configured(address)
      if (group !== undefined) return group
    }
    return node === undefined ? noGroup : this.#groupOfNode(node)
  }

  /** Of a caller that is no pod. @param address without the IPv6 form of IPv4 */
  groupOfAddress(address: string): GroupId {
    const node = this.#nodeOfAddress.get(address)
    return this.#configured(address) ?? (node === undefined ? noGroup : this.#groupOfNode(node))
  }

  /** Exact, else `a.b.c.*`. */
  #configured(address: string): GroupId | undefined {
    return this.#byAddress.get(address) ?? this.#byAddress.get(address.replace(/\.\d+$/, '.*'))
  }

  #groupOfNode({ metadata }: NodeObject): GroupId {
    return groupId(metadata.labels?.[this.#settings.groupLabel])
  }
}

/** As sockets and Kubernetes say it: IPv6 in lower case and at its shortest (RFC 5952). */
function asSaid(address: string): string {
  return address.includes(':') && URL.canParse(`http://[${address}]`) ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address
}
