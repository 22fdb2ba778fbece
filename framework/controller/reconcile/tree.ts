import { names } from '#api/names.ts'
import { resources } from '#api/resources.ts'
import type { TTree } from '#api/types.ts'
import type { Reconcile } from '#kube/reconciler.ts'
import type { Resource } from '#kube/types.ts'
import type { ControllerContext } from './context.ts'

/** Applications of all TServers of a namespace are in its tars-tree; none is ever removed (control-plane spec C.8). Key: namespace. */
export function reconcileTree({ client, stores, clock }: ControllerContext): Reconcile {
  return async (namespace, signal) => {
    const tree = stores.trees.get(namespace, names.tree)
    // Its creation brings the namespace back.
    if (tree === undefined) return
    const listed = new Set(tree.apps.map(({ name }) => name))
    const used = stores.servers.list().filter(({ metadata }) => metadata.namespace === namespace).map(({ spec }) => spec.app)
    const missing = [...new Set(used)].filter((app) => !listed.has(app)).toSorted()
    if (missing.length === 0) return
    const createTime = new Date(clock.now()).toISOString()
    const added = missing.map((name) => ({ name, businessRef: '', createPerson: '', createTime, mark: 'AddByController' }))
    await client.update(resources.ttrees as Resource<TTree>, { ...tree, apps: [...tree.apps, ...added] }, { signal })
  }
}
