import { localVolume } from '#api/names.ts'
import type { Clock } from '#base/clock.ts'
import type { Logger } from '#base/log.ts'
import type { KubeClient } from '#kube/client.ts'
import { isNotFound } from '#kube/errors.ts'
import type { Informer } from '#kube/informer.ts'
import type { Reconcile } from '#kube/reconciler.ts'
import { nodes, persistentVolumes } from '#kube/resources.ts'
import type { AnyObject } from '#kube/types.ts'

export interface LostVolumeOptions {
  readonly client: KubeClient
  readonly clock: Clock
  readonly log: Logger
  /** See {@link lostAfterMs}. */
  readonly lostAfterMs: number
  readonly volumes: Informer
  readonly nodes: Informer
}

/** A node that was taken out is not gone for good if it comes back within this time, as after `kubectl delete node`: its kubelet registers it again. */
export const lostAfterMs = 600_000

/**
 * Local volumes of a node that is gone for good: its agent, which would let them go, is gone with it. One that no claim has any more is
 * deleted, and one that was deleted is let go. What a claim has stays: whether to wait for the node or to give up the data, people
 * decide, by deleting the claim. Key: name of the volume.
 */
export function reconcileLostVolume({ client, clock, log, lostAfterMs: afterMs, volumes, nodes: store }: LostVolumeOptions): Reconcile {
  const missing = new Map<string, number>()
  return async (name, signal) => {
    const volume = volumes.get(undefined, name)
    const since = missing.get(name)
    missing.delete(name)
    if (volume === undefined || volume.metadata.annotations?.[localVolume.provisionedBy.key] !== localVolume.provisionedBy.value) return
    if (!isUnclaimed(volume) || hasNode(volume, store.list())) return
    missing.set(name, since ?? clock.monotonic())
    const leftMs = afterMs - (clock.monotonic() - (since ?? clock.monotonic()))
    if (leftMs > 0) return { requeueAfterMs: leftMs }
    // One that has come back a moment ago is not in the cache yet.
    if (hasNode(volume, (await client.list(nodes, { signal })).items)) return
    try {
      await release(client, volume, signal)
      log.info('local volume of a node that is gone', { volume: name, node: hostsOf(volume).join(', ') })
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
  }
}

const isUnclaimed = ({ metadata, ...volume }: AnyObject): boolean => metadata.deletionTimestamp !== undefined || ['Released', 'Failed', 'Available'].includes(volume['status']?.phase as string)

function hasNode(volume: AnyObject, present: readonly AnyObject[]): boolean {
  const hosts = hostsOf(volume)
  return hosts.length === 0 || present.some(({ metadata }) => hosts.includes(metadata.labels?.[localVolume.hostnameLabel] ?? metadata.name))
}

/** Values of the hostname label that the volume asks of its node; none when it asks for anything else. */
function hostsOf(volume: AnyObject): readonly string[] {
  const terms = (volume['spec'].nodeAffinity?.required?.nodeSelectorTerms ?? []) as { readonly matchExpressions?: readonly { readonly key: string; readonly operator: string; readonly values?: readonly string[] }[] }[]
  const expressions = terms.flatMap(({ matchExpressions = [] }) => matchExpressions)
  return expressions.every(({ key, operator }) => key === localVolume.hostnameLabel && operator === 'In') ? expressions.flatMap(({ values = [] }) => values) : []
}

async function release(client: KubeClient, { metadata }: AnyObject, signal: AbortSignal): Promise<void> {
  const { name, uid = '', resourceVersion = '', finalizers = [], deletionTimestamp } = metadata
  if (deletionTimestamp === undefined) await client.delete(persistentVolumes, { name }, { preconditions: { uid, resourceVersion }, signal })
  else if (finalizers.includes(localVolume.finalizer)) await client.patch(persistentVolumes, { name }, { metadata: { resourceVersion, finalizers: finalizers.filter((finalizer) => finalizer !== localVolume.finalizer) } }, { signal })
}
