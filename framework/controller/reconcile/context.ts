import type { Clock } from '#base/clock.ts'
import type { Logger } from '#base/log.ts'
import { names, serverObjectName, labels } from '#api/names.ts'
import { resources } from '#api/resources.ts'
import type { TAccount, TConfig, TEndpoint, TExitedRecord, TFrameworkConfig, TImage, TServer, TTree } from '#api/types.ts'
import type { KubeClient } from '#kube/client.ts'
import { Informer } from '#kube/informer.ts'
import { daemonSets, nodes, persistentVolumeClaims, podDisruptionBudgets, pods, services, statefulSets } from '#kube/resources.ts'
import type { AnyObject, KubeObject, Resource } from '#kube/types.ts'
import { labelsOnly } from './node.ts'
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
  /** Claims of local volumes. */
  readonly localClaims: Informer
  readonly pods: Informer
  readonly nodes: Informer
  /** Pods by key of their TServer. */
  readonly podsOf: ObjectIndex<AnyObject>
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
  const labelled = (resource: Resource, labelSelector = ours): Informer => new Informer({ client, resource, namespace, log, labelSelector })
  const podStore = labelled(pods)
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
    localClaims: labelled(persistentVolumeClaims, `${ours},${labels.localVolume}`),
    pods: podStore,
    nodes: new Informer({ client, resource: nodes, log, transform: labelsOnly }),
    podsOf: new ObjectIndex(podStore, serverKeyOf),
    configGroups: new ObjectIndex(configStore, configGroup),
  }
}

/** The informers among the stores. */
export function informersOf({ podsOf: _pods, configGroups: _configs, ...informers }: Stores): readonly Informer<never>[] {
  return Object.values(informers) as unknown as Informer<never>[]
}

/** Key of the TServer that a labelled child or pod belongs to. */
export function serverKeyOf({ metadata }: KubeObject): string {
  const { [labels.app]: app = '', [labels.server]: server = '' } = metadata.labels ?? {}
  return `${metadata.namespace ?? ''}/${serverObjectName(app, server)}`
}

/** `namespace/app/server/configName/podSeq` */
export function configGroup({ metadata, app, server, configName, podSeq }: TConfig): string {
  return [metadata.namespace ?? '', app, server, configName, podSeq].join('/')
}

/** The TFrameworkConfig that counts in a namespace. */
export function frameworkOf(stores: Stores, namespace: string): TFrameworkConfig | undefined {
  return stores.frameworks.get(namespace, names.framework)
}
