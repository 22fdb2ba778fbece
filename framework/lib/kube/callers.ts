import { plainAddress } from '#base/address.ts'
import { systemClock } from '#base/clock.ts'
import type { Running } from '#base/lifecycle.ts'
import { Limiter } from '#base/limiter.ts'
import type { Logger } from '#base/log.ts'
import type { KubeClient } from './client.ts'
import { Informer, syncedWithin } from './informer.ts'
import { hasEnded, ownAddress, sharedAddress } from './pod-addresses.ts'
import { pods } from './resources.ts'
import type { AnyObject } from './types.ts'

/** A pod of a server. */
export interface Caller {
  readonly pod: string
  /** By the labels that were named: e.g. application and server. */
  readonly owner: string
}

/** Knows the servers of a namespace by their pods. */
export interface Callers extends Running {
  /** The pod at an IP address; undefined for a host's own network, whose address pods share, and for strangers. */
  at(address: string): Caller | undefined
  /** The pod of an owner that shares an IP address with its host; undefined where there is none, or more than one. */
  sharerAt(address: string, owner: string): string | undefined
  /** The owners that may speak from an IP address: of the pod that has it, or of all pods that share it with their host. None: it is a stranger's. */
  ownersAt(address: string): readonly string[]
  /** Asks the API server for the pod at an address that is a stranger's so far: one that has just come. Resolves when what it knows is known here. */
  learn(address: string): Promise<void>
  /** Whether a pod has this name. */
  isPod(name: string): boolean
  /** Whether any pod is of this owner, whatever the case: who looks for one may not tell them apart. */
  isOwner(owner: string): boolean
  /** Whether any pod is of an owner whose first label is this one; always while no pod is known. */
  isApp(name: string): boolean
  /** Changes when an answer may be another one. */
  readonly version: number
  /** What is known of pods. */
  readonly pods: Informer
  /** Resolves when all pods were listed once, or after three seconds: without the API server one serves all the same. */
  known(): Promise<void>
}

export interface CallerOptions {
  readonly client: KubeClient
  readonly namespace: string
  /** Labels whose values, joined by a dot, name the owner of a pod; pods without the first are nobody's. */
  readonly ownerLabels: readonly [string, ...string[]]
  readonly log: Logger
}

const knowMs = 3000
/** A stranger is asked about so often: that is what an address may cost the API server. */
const askLimit = { windowMs: 1000, count: 1 } as const

/** Asks the API server for the pods at an address, each address as often as it may cost it; none when that was just done. */
export function podFinder({ client, namespace, ownerLabels: [labelSelector] }: Omit<CallerOptions, 'log'>): (address: string) => Promise<readonly AnyObject[]> {
  const asked = new Limiter(askLimit)
  return async (address) => {
    if (!asked.take(plainAddress(address), systemClock.monotonic()).taken) return []
    const { items } = await client.list(pods, { namespace, labelSelector, fieldSelector: `status.podIP=${plainAddress(address)}` })
    return items
  }
}

/** Watches pods and keeps who they are, by address. */
export function watchCallers({ client, namespace, ownerLabels, log }: CallerOptions): Callers {
  const informer = new Informer({ client, namespace, labelSelector: ownerLabels[0], log, resource: pods, transform: who })
  const byAddress = new Map<string, Caller>()
  /** By their names, and by these in lower case. */
  const owners = new Map<string, number>()
  const names = new Set<string>()
  const shared = new Map<string, Map<string, string>>()
  const find = podFinder({ client, namespace, ownerLabels })
  const ownerOf = ({ metadata }: AnyObject): string => ownerLabels.map((label) => metadata.labels?.[label] ?? '').join('.')
  const share = (pod: AnyObject | undefined, isThere: boolean): void => {
    const address = sharedAddress(pod)
    if (pod === undefined || address === undefined) return
    const sharers = shared.get(address) ?? new Map<string, string>()
    if (isThere) shared.set(address, sharers.set(pod.metadata.name, ownerOf(pod)))
    else if (sharers.delete(pod.metadata.name) && sharers.size === 0) shared.delete(address)
  }
  const see = (pod: AnyObject): void => {
    const address = ownAddress(pod)
    // One that goes may have left its address to the next pod already.
    const isTaken = pod.metadata.deletionTimestamp !== undefined && byAddress.has(address ?? '')
    if (address !== undefined && !hasEnded(pod) && !isTaken) byAddress.set(address, { pod: pod.metadata.name, owner: ownerOf(pod) })
    share(pod, !hasEnded(pod))
  }
  let version = 0
  /** What of a pod answers come from. */
  const said = (pod: AnyObject | undefined): string => (pod === undefined ? '' : [ownAddress(pod), sharedAddress(pod), hasEnded(pod), ownerOf(pod)].join(' '))
  informer.onChange((type, pod, old) => {
    const caller = { pod: pod.metadata.name, owner: ownerOf(pod) }
    for (const address of [ownAddress(old), ownAddress(pod)]) if (address !== undefined && byAddress.get(address)?.pod === caller.pod) byAddress.delete(address)
    share(old ?? pod, false)
    if (type !== 'deleted') see(pod)
    for (const owner of new Set([caller.owner, caller.owner.toLowerCase()])) {
      const count = (owners.get(owner) ?? 0) + ({ added: 1, updated: 0, deleted: -1 } as const)[type]
      if (count > 0) owners.set(owner, count)
      else owners.delete(owner)
    }
    if (type === 'deleted') names.delete(caller.pod)
    else names.add(caller.pod)
    if (type !== 'updated' || said(old) !== said(pod)) version++
  })
  informer.start()
  return {
    at: (address) => byAddress.get(plainAddress(address)),
    sharerAt(address, owner) {
      const own = [...(shared.get(plainAddress(address)) ?? [])].filter(([, one]) => one === owner)
      return own.length === 1 ? own[0]?.[0] : undefined
    },
    ownersAt(address) {
      const own = byAddress.get(plainAddress(address))
      return own === undefined ? [...(shared.get(plainAddress(address))?.values() ?? [])] : [own.owner]
    },
    async learn(address) {
      const found = await find(address)
      for (const pod of found) see(pod)
      if (found.length > 0) version++
    },
    isPod: (name) => names.has(name),
    isOwner: (owner) => owners.has(owner.toLowerCase()),
    isApp: (name) => owners.size === 0 || [...owners.keys()].some((owner) => owner.split('.', 1)[0] === name),
    get version() {
      return version
    },
    pods: informer,
    known: () => syncedWithin(knowMs, informer).catch(() => {}),
    stop: () => informer.stop(),
    get done() {
      return informer.done
    },
  }
}

/** The parts of a pod that say who it is and where. */
function who<T extends AnyObject>({ apiVersion, kind, metadata, spec, status }: T): T {
  const { name, namespace, uid, resourceVersion, deletionTimestamp, labels } = metadata
  return { apiVersion, kind, metadata: { name, namespace, uid, resourceVersion, deletionTimestamp, labels }, spec: { hostNetwork: spec?.hostNetwork }, status: { podIP: status?.podIP, phase: status?.phase } } as unknown as T
}
