import { isDeepStrictEqual } from 'node:util'
import type { Clock } from '#base/clock.ts'
import type { Logger } from '#base/log.ts'
import { names, ownerNameOf, labels } from '#api/names.ts'
import { resources } from '#api/resources.ts'
import type { TAccount, TConfig, TEndpoint, TExitedRecord, TFrameworkConfig, TImage, TServer, TTree } from '#api/types.ts'
import type { KubeClient } from '#kube/client.ts'
import { Informer } from '#kube/informer.ts'
import { daemonSets, horizontalPodAutoscalers, nodes, persistentVolumeClaims, podDisruptionBudgets, pods, services, statefulSets, storageClasses } from '#kube/resources.ts'
import { withoutStatus, type AnyObject, type KubeObject, type Resource } from '#kube/types.ts'
import { ObjectIndex } from './object-index.ts'

/** What the controller knows of the cluster, kept by list and watch. */
export interface Stores {
  readonly servers: Informer<TServer>
  readonly endpoints: Informer<TEndpoint>
  readonly records: Informer<TExitedRecord>
  readonly trees: Informer<TTree>
  readonly configs: Informer<TConfig>
  readonly images: Informer<TImage>
  readonly accounts: Informer<TAccount>
  readonly frameworks: Informer<TFrameworkConfig>
  readonly services: Informer
  readonly statefulSets: Informer
  readonly daemonSets: Informer
  readonly budgets: Informer
  readonly autoscalers: Informer
  /** Claims of local volumes. */
  readonly localClaims: Informer
  /** With their labels and nothing else. */
  readonly nodes: Informer
  readonly storageClasses: Informer
  readonly pods: Informer
  /** Pods by key of their TServer. */
  readonly podsOf: ObjectIndex<AnyObject>
  /** The same for claims of local volumes. */
  readonly localClaimsOf: ObjectIndex<AnyObject>
  /** TConfigs by {@link configGroup}. */
  readonly configGroups: ObjectIndex<TConfig>
}

/** What every reconciler works with. */
export interface ControllerContext {
  readonly client: KubeClient
  readonly stores: Stores
  readonly log: Logger
  readonly clock: Clock
}

/** Children and pods carry both labels; nothing else of these kinds is watched. */
const ours = `${labels.app},${labels.server}`

/** @param namespace one namespace, or all when absent */
export function createStores(client: KubeClient, namespace: string | undefined, log: Logger): Stores {
  const informer = <T extends KubeObject>(resource: Resource<T>, transform?: (object: T) => T): Informer<T> =>
    new Informer<T>({ client, resource, namespace, log, ...(transform === undefined ? {} : { transform }) })
  // Of children only what is wanted counts, not what became of it.
  const labelled = (resource: Resource, labelSelector = ours): Informer => new Informer({ client, resource, namespace, log, labelSelector, transform: withoutStatus })
  const podStore = new Informer({ client, resource: pods, namespace, log, labelSelector: ours, transform: podEssentials })
  const claimStore = labelled(persistentVolumeClaims, `${ours},${labels.localVolume}`)
  const configStore = informer<TConfig>(resources.tconfigs, (config) => ({ ...config, configContent: '' }))
  return {
    servers: informer<TServer>(resources.tservers),
    endpoints: informer<TEndpoint>(resources.tendpoints),
    records: informer<TExitedRecord>(resources.texitedrecords),
    trees: informer<TTree>(resources.ttrees),
    configs: configStore,
    images: informer<TImage>(resources.timages),
    accounts: informer<TAccount>(resources.taccounts),
    frameworks: informer<TFrameworkConfig>(resources.tframeworkconfigs),
    services: labelled(services),
    statefulSets: labelled(statefulSets),
    daemonSets: labelled(daemonSets),
    budgets: labelled(podDisruptionBudgets),
    autoscalers: labelled(horizontalPodAutoscalers),
    localClaims: claimStore,
    nodes: new Informer({ client, resource: nodes, log, transform: onlyMetadata }),
    storageClasses: new Informer({ client, resource: storageClasses, log, transform: onlyMetadata }),
    pods: podStore,
    podsOf: new ObjectIndex(podStore, serverKeyOf),
    localClaimsOf: new ObjectIndex(claimStore, serverKeyOf),
    configGroups: new ObjectIndex(configStore, configGroup),
  }
}

function onlyMetadata({ apiVersion, kind, metadata }: AnyObject): AnyObject {
  return { apiVersion, kind, metadata }
}

/** The informers among the stores. */
export function informersOf({ podsOf: _pods, localClaimsOf: _claims, configGroups: _configs, ...informers }: Stores): readonly Informer<never>[] {
  return Object.values(informers) as unknown as Informer<never>[]
}

/** A pod with no more of its spec than its claims, and without annotations: there may be very many, and nothing here reads the rest. */
function podEssentials({ apiVersion, kind, metadata, spec, status }: AnyObject): AnyObject {
  const { annotations: _, ...kept } = metadata
  const claims = ((spec?.['volumes'] ?? []) as readonly { readonly persistentVolumeClaim?: unknown }[]).filter((volume) => volume.persistentVolumeClaim !== undefined)
  return { apiVersion, kind, metadata: kept, spec: claims.length === 0 ? {} : { volumes: claims }, status }
}

/** True for news of an object of which the status has changed and nothing else, where the API server counts generations. */
export function isOfStatusOnly(object: KubeObject, old: KubeObject | undefined): boolean {
  if (old === undefined || object.metadata.generation === undefined || object.metadata.generation !== old.metadata.generation) return false
  return isDeepStrictEqual({ ...object.metadata, resourceVersion: '' }, { ...old.metadata, resourceVersion: '' })
}

/** True when the application of a server is in the tree of its namespace. */
export function isListed({ trees }: Stores, { metadata, spec }: TServer): boolean {
  return trees.get(metadata.namespace, names.tree)?.apps.some(({ name }) => name === spec.app) ?? false
}

/** Key of the TServer that a labelled child or pod belongs to. */
export function serverKeyOf({ metadata }: KubeObject): string {
  return `${metadata.namespace ?? ''}/${ownerNameOf(metadata.labels)}`
}

/** `namespace/app/server/set/configName/podSeq` */
export function configGroup({ metadata, app, server, set = '', configName, podSeq }: TConfig): string {
  return [metadata.namespace ?? '', app, server, set, configName, podSeq].join('/')
}

/** The TFrameworkConfig that counts in a namespace. */
export function frameworkOf(stores: Stores, namespace: string): TFrameworkConfig | undefined {
  return stores.frameworks.get(namespace, names.framework)
}
