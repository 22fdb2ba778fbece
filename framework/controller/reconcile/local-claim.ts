import { annotations, labels } from '#api/names.ts'
import { isNotFound } from '#kube/errors.ts'
import type { Reconcile } from '#kube/reconciler.ts'
import { persistentVolumeClaims } from '#kube/resources.ts'
import { fieldManager } from './apply.ts'
import { serverKeyOf, type ControllerContext } from './context.ts'

/**
 * Owner and mode that a server wants of its local volumes stand in annotations of their claims, which the agent of the node
 * follows (control-plane spec C.13).
 */
export function reconcileLocalClaim({ client, stores }: ControllerContext): Reconcile {
  return async (key, signal) => {
    const claim = stores.localClaims.getByKey(key)
    if (claim === undefined || claim.metadata.deletionTimestamp !== undefined) return
    const volume = claim.metadata.labels?.[labels.localVolume]
    const source = stores.servers.getByKey(serverKeyOf(claim))?.spec.k8s.mounts?.find(({ name }) => name === volume)?.source.tLocalVolume
    if (source === undefined) return
    const wanted = { [annotations.localVolumeUid]: source.uid, [annotations.localVolumeGid]: source.gid, [annotations.localVolumeMode]: source.mode }
    const present = claim.metadata.annotations ?? {}
    if (Object.entries(wanted).every(([name, value]) => value === undefined || present[name] === value)) return
    const { namespace, name } = claim.metadata
    try {
      await client.patch(persistentVolumeClaims, { namespace, name }, { metadata: { annotations: wanted } }, { fieldManager, signal })
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
  }
}
