import { labels } from '#api/names.ts'
import { Lifetime, type Running } from '#base/lifecycle.ts'
import { systemClock, type Clock } from '#base/clock.ts'
import type { Logger } from '#base/log.ts'
import type { KubeClient } from '#kube/client.ts'
import { Informer } from '#kube/informer.ts'
import { startReconciler } from '#kube/reconciler.ts'
import { customResourceDefinitions, nodes as nodeResource, persistentVolumes } from '#kube/resources.ts'
import type { Resource } from '#kube/types.ts'
import { lostAfterMs as standardLostAfterMs, reconcileLostVolume } from './reconcile/lost-volume.ts'
import { reconcileNode } from './reconcile/node.ts'
import { definedKinds, reconcileStoredVersion, storedDefinition, type StoredDefinition } from './reconcile/stored-version.ts'

/** See {@link startClusterWide}. */
export interface ClusterWideOptions {
  readonly client: KubeClient
  readonly log: Logger
  readonly clock?: Clock
  /** How long a definition must have been as it is before objects are stored anew: each API server learns of a new storage version a little later than the one that was told. */
  readonly settleMs: number
  /** How long a node must be gone before its volumes are let go. Default 10 minutes. */
  readonly lostAfterMs?: number
  /** Aborts the start. */
  readonly signal?: AbortSignal
}

/**
 * Starts the reconcilers of what no namespace has: nodes, their volumes, and the definitions of our kinds. A controller of one
 * namespace leaves these alone.
 */
export async function startClusterWide({ client, log, clock = systemClock, settleMs, lostAfterMs = standardLostAfterMs, signal }: ClusterWideOptions): Promise<Running> {
  const lifetime = new Lifetime()
  const stop = (): void => void lifetime.stop()
  signal?.addEventListener('abort', stop, { once: true })
  lifetime.onStop(() => signal?.removeEventListener('abort', stop))
  const nodes = new Informer({ client, log, resource: nodeResource, transform: ({ apiVersion, kind, metadata }) => ({ apiVersion, kind, metadata }) })
  const volumes = new Informer({ client, log, resource: persistentVolumes, labelSelector: labels.localVolume })
  const definitions = new Map([...definedKinds.keys()].map((name) => [name, new Informer<StoredDefinition>({
    client, log, resource: customResourceDefinitions as unknown as Resource<StoredDefinition>, fieldSelector: `metadata.name=${name}`, transform: storedDefinition,
  })]))
  const informers = [nodes, volumes, ...definitions.values()]
  try {
    for (const informer of informers) {
      lifetime.onStop(() => informer.stop())
      informer.start()
    }
    await Promise.all(informers.map((informer) => informer.synced()))
    const marks = lifetime.own(startReconciler({ name: 'nodes', log, reconcile: reconcileNode({ client, nodes }) }))
    const lost = lifetime.own(startReconciler({ name: 'lost-volumes', log, reconcile: reconcileLostVolume({ client, clock, log, lostAfterMs, volumes, nodes }) }))
    const stored = lifetime.own(startReconciler({ name: 'stored-versions', log, workers: 1, reconcile: reconcileStoredVersion({ client, log, clock, definitions, settleMs }) }))
    volumes.onChange((_type, { metadata }) => lost.enqueue(metadata.name))
    nodes.onChange((type, { metadata }) => {
      marks.enqueue(metadata.name)
      if (type !== 'updated') for (const volume of volumes.list()) lost.enqueue(volume.metadata.name)
    })
    for (const informer of definitions.values()) informer.onChange((_type, { metadata }) => stored.enqueue(metadata.name))
    return lifetime
  } catch (error) {
    await lifetime.stop()
    throw error
  }
}
