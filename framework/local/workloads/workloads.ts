import { Lifetime } from '#base/lifecycle.ts'
import type { Running } from '#base/lifecycle.ts'
import type { Logger } from '#base/log.ts'
import { Informer } from '#kube/informer.ts'
import { startReconciler } from '#kube/reconciler.ts'
import type { Reconcile, Reconciler } from '#kube/reconciler.ts'
import { keyOf } from '#kube/types.ts'
import type { KubeObject, Resource } from '#kube/types.ts'
import { selects } from '../pods/hosts.ts'
import { nodeResource, podResource, serviceResource } from '../pods/kinds.ts'
import type { Pod } from '../pods/kinds.ts'
import { reconcileDaemonSet } from './daemonset.ts'
import { reconcileEndpoints } from './endpoints.ts'
import { daemonSetResource, statefulSetResource } from './kinds.ts'
import { registerNode, retireNode } from './node-object.ts'
import type { NodeOptions } from './node-object.ts'
import { schedulePod } from './scheduler.ts'
import { reconcileStatefulSet } from './statefulset.ts'

export interface WorkloadOptions extends NodeOptions {
  readonly log: Logger
}

/**
 * The workload controllers of the embedded cluster: StatefulSet, DaemonSet, Endpoints of services, and the binding of pods
 * to its one node, which is registered first. Ready when all have seen what the API server has.
 */
export async function startWorkloads(options: WorkloadOptions): Promise<Running> {
  const { client, nodeName, log } = options
  const lifetime = new Lifetime()
  const inform = <T extends KubeObject>(resource: Resource<T>): Informer<T> => lifetime.own(new Informer<T>({ client, resource, log }))
  const run = (name: string, reconcile: Reconcile): Reconciler => lifetime.own(startReconciler({ name, reconcile, log, capMs: 5000 }))
  try {
    await registerNode(options)
    lifetime.onStop(() => retireNode(options).catch((error: unknown) => log.info('node not marked as stopped', { error })))
    const pods = inform(podResource)
    const services = inform(serviceResource)
    const stateful = inform(statefulSetResource)
    const daemons = inform(daemonSetResource)
    const nodes = inform(nodeResource)
    const stateQueue = run('statefulset', (key) => reconcileStatefulSet(client, key))
    const daemonQueue = run('daemonset', (key) => reconcileDaemonSet(client, nodeName, key))
    const endpointQueue = run('endpoints', (key) => reconcileEndpoints(client, key, services.getByKey(key), pods.list()))
    const bindQueue = lifetime.own(startReconciler({ name: 'scheduler', reconcile: (key) => schedulePod(client, nodeName, key), log, workers: 1, capMs: 5000 }))

    stateful.onChange((_type, set) => stateQueue.enqueue(keyOf(set)))
    daemons.onChange((_type, set) => daemonQueue.enqueue(keyOf(set)))
    services.onChange((_type, service) => endpointQueue.enqueue(keyOf(service)))
    const scheduleWaiting = (): void => pods.list().filter(isUnbound).forEach((pod) => bindQueue.enqueue(keyOf(pod)))
    nodes.onChange(() => {
      scheduleWaiting()
      for (const set of daemons.list()) daemonQueue.enqueue(keyOf(set))
    })
    pods.onChange((type, pod, old) => {
      const { namespace = 'default', ownerReferences = [] } = pod.metadata
      const owner = ownerReferences.find(({ controller }) => controller === true)
      if (owner?.kind === 'StatefulSet') stateQueue.enqueue(`${namespace}/${owner.name}`)
      if (owner?.kind === 'DaemonSet') daemonQueue.enqueue(`${namespace}/${owner.name}`)
      for (const service of services.list()) if (service.metadata.namespace === pod.metadata.namespace && (selects(service.spec.selector, pod) || (old !== undefined && selects(service.spec.selector, old)))) endpointQueue.enqueue(keyOf(service))
      if (type === 'deleted') scheduleWaiting() // it may have made room
      else if (isUnbound(pod)) bindQueue.enqueue(keyOf(pod))
    })
    const all = [nodes, services, stateful, daemons, pods]
    for (const informer of all) informer.start()
    await Promise.all(all.map((informer) => informer.synced()))
    return lifetime
  } catch (error) {
    await lifetime.stop().catch(() => {})
    throw error
  }
}

function isUnbound({ spec, metadata }: Pod): boolean {
  return (spec.nodeName ?? '') === '' && metadata.deletionTimestamp === undefined
}
