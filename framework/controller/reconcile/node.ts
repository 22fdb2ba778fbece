import { labels } from '#api/names.ts'
import type { KubeClient } from '#kube/client.ts'
import { isNotFound } from '#kube/errors.ts'
import type { Informer } from '#kube/informer.ts'
import type { Reconcile } from '#kube/reconciler.ts'
import { nodes } from '#kube/resources.ts'

/** A node that any framework may use says so in one label, which the agent's DaemonSet selects by (control-plane spec C.12). Key: name. */
export function reconcileNode({ client, nodes: store }: { readonly client: KubeClient; readonly nodes: Informer }): Reconcile {
  return async (name, signal) => {
    const given = store.get(undefined, name)?.metadata.labels
    if (given === undefined) return
    const used = Object.keys(given).some((label) => label.startsWith(`${labels.node}.`))
    if (used ? given[labels.node] === '' : !(labels.node in given)) return
    try {
      await client.patch(nodes, { name }, { metadata: { labels: { [labels.node]: used ? '' : null } } }, { signal })
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
  }
}
