import { labels } from '#api/names.ts'
import type { Logger } from '#base/log.ts'
import type { KubeClient } from '#kube/client.ts'
import { Informer, type ChangeType } from '#kube/informer.ts'
import { keyOf, type KubeObject, type Resource } from '#kube/types.ts'
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
  /** Claims of ours by the name of their volume on this node, and by their own key. */
  readonly #claimsOf = new Map<string, Map<string, Claim>>()

  /** @param node read model of this node alone, run by who made it */
  constructor(client: KubeClient, nodeName: string, node: Informer, log: Logger) {
    const informer = <T extends KubeObject>(resource: Resource<T>, labelSelector?: string): Informer<T> => new Informer<T>({ client, resource, labelSelector, log })
    this.nodeName = nodeName
    this.claims = informer(claimResource, labels.localVolume)
    this.volumes = informer(volumeResource, labels.localVolume)
    this.classes = informer(classResource)
    this.node = node
    this.claims.onChange((type, claim, old) => this.#note(type, claim, old))
  }

  /** Those that are run here. */
  get own(): readonly Informer<never>[] {
    return [this.claims, this.volumes, this.classes] as unknown as Informer<never>[]
  }

  /** Claims that the volume of this name would serve. */
  claimsOf(name: string): Claim[] {
    return [...(this.#claimsOf.get(name)?.values() ?? [])]
  }

  /** A claim's labels may change: then it leaves its former name. */
  #note(type: ChangeType, claim: Claim, old: Claim = claim): void {
    const [key, former, name] = [keyOf(claim), this.nameFor(old), type === 'deleted' ? undefined : this.nameFor(claim)]
    const left = former === undefined ? undefined : this.#claimsOf.get(former)
    if (former !== undefined && left?.delete(key) === true && left.size === 0) this.#claimsOf.delete(former)
    if (name !== undefined) this.#claimsOf.set(name, (this.#claimsOf.get(name) ?? new Map<string, Claim>()).set(key, claim))
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
