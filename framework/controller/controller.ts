import { isDeepStrictEqual } from 'node:util'
import { Lifetime, type Running } from '#base/lifecycle.ts'
import type { Clock } from '#base/clock.ts'
import type { Logger } from '#base/log.ts'
import { metric } from '#base/metrics.ts'
import type { KubeClient } from '#kube/client.ts'
import { startReconciler, type Reconcile, type Reconciler } from '#kube/reconciler.ts'
import { keyOf } from '#kube/types.ts'
import { isNamed } from './desired/predecessor.ts'
import { reconcileAccount } from './reconcile/account.ts'
import { reconcileChildren } from './reconcile/child.ts'
import { reconcileClaimlessPods } from './reconcile/claimless-pods.ts'
import { reconcileConfig } from './reconcile/config.ts'
import { configGroup, createStores, informersOf, isListed, isOfStatusOnly, serverKeyOf, type ControllerContext } from './reconcile/context.ts'
import { reconcileEndpoint } from './reconcile/endpoint.ts'
import { EndedPods, reconcileExitedRecord } from './reconcile/exited-record.ts'
import { reconcileImage } from './reconcile/image.ts'
import { reconcileLocalClaim } from './reconcile/local-claim.ts'
import { reconcileServerStatus } from './reconcile/server-status.ts'
import { reconcileTree } from './reconcile/tree.ts'
import { workloadKinds } from './reconcile/workloads.ts'

/** Within it a StatefulSet controller sees a change of a set or of one of its pods. */
const settleMs = 1000

/** See {@link startController}. */
export interface ControllerOptions {
  readonly client: KubeClient
  /** One namespace; all when absent. */
  readonly namespace?: string | undefined
  readonly log: Logger
  /** Default: the API server's, so that all replicas agree, whatever their machines' clocks say. */
  readonly clock?: Clock
  /** Aborts the start. */
  readonly signal?: AbortSignal
}

/** A running controller. `idle`: nothing waits, is delayed or is worked on. */
export interface Controller extends Running {
  readonly idle: boolean
  /** What its reconcilers did and have to do, in Prometheus' text format. */
  metrics(): string
}

/** Starts all reconcilers (control-plane spec C); resolves once the cluster's present state is known and being worked on. */
export async function startController({ client, namespace, log, clock = client.clock, signal }: ControllerOptions): Promise<Controller> {
  const lifetime = new Lifetime()
  const stop = (): void => void lifetime.stop()
  signal?.addEventListener('abort', stop, { once: true })
  lifetime.onStop(() => signal?.removeEventListener('abort', stop))
  try {
    const stores = createStores(client, namespace, log)
    const informers = informersOf(stores)
    for (const informer of informers) {
      lifetime.onStop(() => informer.stop())
      informer.start()
    }
    // What has no namespace only helps to explain, and may be closed to a controller of one namespace.
    const helpful = new Set<unknown>([stores.nodes, stores.storageClasses])
    await Promise.all(informers.filter((informer) => !helpful.has(informer)).map((informer) => informer.synced()))
    log.info('the cluster is known', { objects: informers.reduce((sum, { size }) => sum + size, 0) })
    const reconcilers = startReconcilers({ client, stores, log, clock }, lifetime)
    return { stop: () => lifetime.stop(), done: lifetime.done, get idle() { return reconcilers.every(({ idle }) => idle) }, metrics: () => metricsOf(reconcilers) }
  } catch (error) {
    await lifetime.stop()
    throw error
  }
}

function metricsOf(reconcilers: readonly Reconciler[]): string {
  return [
    metric('tarscontroller_reconciles_total', 'Looks at an object, by reconciler and what became of them.', reconcilers.flatMap(({ name, counts }) => Object.entries(counts).map(([result, count]) => [count, { reconciler: name, result }] as const))),
    metric('tarscontroller_waiting', 'Objects that wait to be looked at.', reconcilers.map(({ name, waiting }) => [waiting, { reconciler: name }])),
  ].join('')
}

function startReconcilers(context: ControllerContext, lifetime: Lifetime): Reconciler[] {
  const ended = new EndedPods()
  const all: Reconciler[] = []
  const run = (name: string, reconcile: Reconcile, workers = 1): Reconciler => {
    const reconciler = lifetime.own(startReconciler({ name, reconcile, log: context.log, workers }))
    all.push(reconciler)
    return reconciler
  }
  const record = reconcileExitedRecord(context, ended)
  const records = run('texitedrecords', record, 4)
  const recordNow: Reconcile = (key, signal) => record(key, signal).catch(() => records.enqueue(key))
  const endpoints = run('tendpoints', reconcileEndpoint(context, ended, recordNow), 4)
  const status = run('tservers', reconcileServerStatus(context), 4)
  const kinds = workloadKinds(context)
  const reconcileWorkloads = reconcileChildren(context, kinds)
  // What runs comes first; what tells of it follows.
  const workloads = run('workloads', (key, signal) => reconcileWorkloads(key, signal).finally(() => [endpoints, records, status].forEach((reconciler) => reconciler.enqueue(key))), 8)
  wireServers(context, workloads, status)
  for (const { store } of kinds) store.onChange((_type, object, old) => void (isOfStatusOnly(object, old) || workloads.enqueue(keyOf(object))))
  wirePods(context, { workloads, endpoints, status, records }, ended)
  wireSets(context, run('pods', reconcileClaimlessPods(context)))
  wireSurroundings(context, status)
  wireOthers(context, run)
  return all
}

/** A server, or the settings of its framework, concern all its children; a server's status concerns nothing else. */
function wireServers({ stores }: ControllerContext, workloads: Reconciler, status: Reconciler): void {
  stores.servers.onChange((_type, server, old) => (isOfStatusOnly(server, old) ? status : workloads).enqueue(keyOf(server)))
  stores.frameworks.onChange((_type, framework) => {
    for (const server of stores.servers.list()) if (server.metadata.namespace === framework.metadata.namespace) workloads.enqueue(keyOf(server))
  })
}

function wirePods({ stores, clock }: ControllerContext, { workloads, endpoints, status, records }: Readonly<Record<'workloads' | 'endpoints' | 'status' | 'records', Reconciler>>, ended: EndedPods): void {
  stores.endpoints.onChange((_type, endpoint) => endpoints.enqueue(keyOf(endpoint)))
  stores.records.onChange((_type, record) => records.enqueue(keyOf(record)))
  stores.pods.onChange((type, pod) => {
    const key = serverKeyOf(pod)
    endpoints.enqueue(key)
    status.enqueue(key)
    // A Service can leave variants out once no such pod is there.
    if (type !== 'updated' && !isNamed(pod)) workloads.enqueue(key)
    const ending = ended.note(pod, type === 'deleted', () => new Date(clock.now()).toISOString())
    if (ending !== undefined) records.enqueue(ending)
  })
}

/** Nodes and storage classes decide whether pods find a place. */
function wireSurroundings({ stores }: ControllerContext, status: Reconciler): void {
  const enqueue = (): void => stores.servers.list().forEach((server) => status.enqueue(keyOf(server)))
  stores.storageClasses.onChange((type) => void (type !== 'updated' && enqueue()))
  stores.nodes.onChange((_type, node, old) => void (!isDeepStrictEqual(node.metadata.labels, old?.metadata.labels) && enqueue()))
}

/** Late, so that a StatefulSet controller that can go on by itself has done so before. */
function wireSets({ stores }: ControllerContext, claimless: Reconciler): void {
  stores.statefulSets.onChange((_type, set) => claimless.enqueueAfter(keyOf(set), settleMs))
  stores.pods.onChange((_type, pod) => claimless.enqueueAfter(serverKeyOf(pod), settleMs))
}

function wireOthers(context: ControllerContext, run: (name: string, reconcile: Reconcile) => Reconciler): void {
  const { stores } = context
  const trees = run('ttrees', reconcileTree(context))
  stores.servers.onChange((type, server) => void (type === 'added' && !isListed(stores, server) && trees.enqueue(server.metadata.namespace ?? '')))
  stores.trees.onChange((_type, { metadata }) => trees.enqueue(metadata.namespace ?? ''))
  const configs = run('tconfigs', reconcileConfig(context))
  stores.configs.onChange((_type, config) => configs.enqueue(configGroup(config)))
  const accounts = run('taccounts', reconcileAccount(context))
  stores.accounts.onChange((_type, account) => accounts.enqueue(keyOf(account)))
  const claims = run('localclaims', reconcileLocalClaim(context))
  stores.localClaims.onChange((_type, claim) => claims.enqueue(keyOf(claim)))
  stores.servers.onChange((_type, server) => {
    for (const claim of stores.localClaimsOf.get(keyOf(server))) claims.enqueue(keyOf(claim))
  })
  const images = run('timages', reconcileImage(context))
  stores.images.onChange((_type, image) => images.enqueue(keyOf(image)))
}
