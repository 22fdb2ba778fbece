// Groups of machines, as tarsregistry knows them (framework-services 1.3).
import { names } from '#api/names.ts'
import { resources } from '#api/resources.ts'
import { Topology, type GroupId, type NodeObject } from '#api/topology.ts'
import type { TFrameworkConfig } from '#api/types.ts'
import { Lifetime } from '#base/lifecycle.ts'
import type { Logger } from '#base/log.ts'
import type { KubeClient } from '#kube/client.ts'
import { Informer, syncedWithin } from '#kube/informer.ts'
import { nodePlaces } from '#kube/node-places.ts'
import type { View } from '../model/view.ts'

export interface Groups extends Lifetime {
  /** Of the pod, the node or the configured machine at an address; -1 when it is in none. @param address without the IPv6 form of IPv4 */
  groupOf(address: string): GroupId
  /** Resolves when all that says groups was listed once; nodes only if they may be listed. */
  synced(): Promise<void>
}

/** Milliseconds that nodes are waited for: whoever may not list them has no groups by label. */
const nodesMs = 3000

/** Watches the TFrameworkConfig of a namespace and the nodes. */
export function startGroups({ client, namespace, view, log }: { readonly client: KubeClient; readonly namespace: string; readonly view: Pick<View, 'podAt'>; readonly log: Logger }): Groups {
  const config = new Informer<TFrameworkConfig>({ client, namespace, log, resource: resources.tframeworkconfigs, fieldSelector: `metadata.name=${names.framework}` })
  const nodes = nodePlaces({ client, log })
  const lifetime = new Lifetime()
  let topology: Topology | undefined
  for (const informer of [config, nodes]) {
    lifetime.onStop(() => informer.stop())
    informer.onChange(() => void (topology = undefined))
    informer.start()
  }
  return Object.assign(lifetime, {
    groupOf(address: string) {
      topology ??= new Topology(config.get(namespace, names.framework)?.topology, new Map(nodes.list().map((node) => [node.metadata.name, node as NodeObject])))
      const pod = view.podAt(address)
      return pod === undefined ? topology.groupOfAddress(address) : topology.groupOfPod(pod)
    },
    async synced() {
      await Promise.all([config.synced(), syncedWithin(nodesMs, nodes)])
      if (!nodes.hasSynced) log.error('nodes cannot be listed: groups are by configured address only', { remedy: 'let the ServiceAccount of tarsAdminRegistry list and watch nodes' })
    },
  })
}
