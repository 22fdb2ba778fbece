import { labels } from '#api/names.ts'
import { isNotFound } from '#kube/errors.ts'
import type { Reconcile } from '#kube/reconciler.ts'
import { nodes } from '#kube/resources.ts'
import type { AnyObject } from '#kube/types.ts'
import type { ControllerContext } from './context.ts'

/** A node that is labelled for the framework of some namespace bears the label by which tarsagent comes to it; no other does (control-plane spec C.12). */
export function reconcileNode({ client, stores }: ControllerContext): Reconcile {
  return async (name, signal) => {
    const given = stores.nodes.get(undefined, name)?.metadata.labels
    if (given === undefined) return
    const belongs = Object.keys(given).some((key) => key.startsWith(`${labels.node}.`))
    if (belongs === (given[labels.node] === '')) return
    try {
      await client.patch(nodes, { name }, { metadata: { labels: { [labels.node]: belongs ? '' : null } } }, { signal })
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
  }
}

/** A node without what its kubelet writes every few minutes, which nothing here reads. */
export function labelsOnly({ apiVersion, kind, metadata: { name, uid, resourceVersion, labels: given = {} } }: AnyObject): AnyObject {
  return { ...(apiVersion === undefined ? {} : { apiVersion }), ...(kind === undefined ? {} : { kind }), metadata: { name, uid, resourceVersion, labels: given } } as AnyObject
}
