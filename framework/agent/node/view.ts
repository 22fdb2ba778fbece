import { nodeLabel } from '#api/names.ts'
import { Lifetime, type Running } from '#base/lifecycle.ts'
import type { Logger } from '#base/log.ts'
import type { KubeClient } from '#kube/client.ts'
import { Informer } from '#kube/informer.ts'
import { nodes, pods } from '#kube/resources.ts'

/** What the cluster knows of this node and its pods. */
export interface NodeView extends Running {
  readonly node: Informer
  /** True when a pod of this name is known not to be on this node any more, in a namespace that the node serves. */
  isAbandoned(namespace: string, pod: string): boolean
}

/** Knowledge of pods older than that counts as none. */
const freshMs = 5 * 60_000

export function startNodeView(client: KubeClient, nodeName: string, log: Logger): NodeView {
  const lifetime = new Lifetime()
  const node = new Informer({ client, resource: nodes, fieldSelector: `metadata.name=${nodeName}`, log })
  const podStore = new Informer({
    client, resource: pods, fieldSelector: `spec.nodeName=${nodeName}`, log,
    transform: ({ apiVersion, kind, metadata: { name, namespace = '', uid = '', resourceVersion = '' } }) => ({ apiVersion, kind, metadata: { name, namespace, uid, resourceVersion } }),
  })
  for (const informer of [node, podStore]) {
    lifetime.onStop(() => informer.stop())
    informer.start()
  }
  return Object.assign(lifetime, {
    node,
    isAbandoned: (namespace: string, pod: string) =>
      podStore.hasSynced && podStore.ageMs() < freshMs && nodeLabel(namespace) in (node.get(undefined, nodeName)?.metadata.labels ?? {}) && podStore.get(namespace, pod) === undefined,
  })
}
