import { labels } from '#api/names.ts'
import type { Logger } from '#base/log.ts'
import type { KubeClient } from '#kube/client.ts'
import { Informer } from '#kube/informer.ts'
import type { KubeObject, Resource } from '#kube/types.ts'
import { hostnameLabel, provisionedBy } from './desired.ts'
import { classResource, claimResource, volumeResource, type Claim, type StorageClass, type Volume } from './kinds.ts'
import { localClasses, placeOfClaim, volumeName } from './place.ts'

/** What the agent knows of the cluster's local volumes. */
export class VolumeStores {
  readonly nodeName: string
  readonly claims: Informer<Claim>
  readonly volumes: Informer<Volume>
  readonly classes: Informer<StorageClass>
  readonly node: Informer

  /** @param node read model of this node alone, run by who made it */
  constructor(client: KubeClient, nodeName: string, node: Informer, log: Logger) {
    const informer = <T extends KubeObject>(resource: Resource<T>, labelSelector?: string): Informer<T> => new Informer<T>({ client, resource, labelSelector, log })
    this.nodeName = nodeName
    this.claims = informer(claimResource, labels.localVolume)
    this.volumes = informer(volumeResource, labels.localVolume)
    this.classes = informer(classResource)
    this.node = node
  }

  /** Those that are run here. */
  get own(): readonly Informer<never>[] {
    return [this.claims, this.volumes, this.classes] as unknown as Informer<never>[]
  }

  /** What volumes of this node are bound to: K8SFramework's by the node's name, ours by its label. */
  get hostname(): string {
    return this.node.get(undefined, this.nodeName)?.metadata.labels?.[hostnameLabel] ?? this.nodeName
  }

  /** True for a volume that an agent made on this node. */
  isOurs({ metadata, spec }: Volume): boolean {
    const here = [this.hostname, this.nodeName]
    const terms = spec.nodeAffinity?.required?.nodeSelectorTerms ?? []
    return metadata.annotations?.[provisionedBy.key] === provisionedBy.value &&
      terms.some(({ matchExpressions = [] }) => matchExpressions.some(({ key, operator, values = [] }) => key === hostnameLabel && operator === 'In' && values.length === 1 && here.includes(values[0] ?? '')))
  }

  /** Name that the volume of a claim has on this node; undefined when it is no claim of ours. */
  nameFor(claim: Claim): string | undefined {
    const { storageClassName = '' } = claim.spec
    const place = placeOfClaim(claim)
    return place === undefined || !localClasses.includes(storageClassName) ? undefined : volumeName(place, this.nodeName, storageClassName)
  }
}
