import { labels, localVolume } from '#api/names.ts'
import type { Draft } from '#kube/types.ts'
import type { Claim, ClaimReference } from './kinds.ts'
import { ownerAnnotations, type Owner } from './owner.ts'

export const { provisionedBy, finalizer: folderFinalizer, hostnameLabel } = localVolume
/** How often a volume that a claim waited for was offered again. */
export const offersAnnotation = 'tars.io/LocalVolumeOffers'

export interface VolumeWish {
  readonly name: string
  readonly path: string
  readonly claim: Claim
  readonly owner: Owner
  readonly hostname: string
  readonly reclaimPolicy: string
  /** The claim that lost this volume; a volume that any claim may take has none. */
  readonly claimRef?: ClaimReference | undefined
}

/** The PersistentVolume for a claim on this node (control-plane spec C.15). */
export function desiredVolume({ name, path, claim, owner, hostname, reclaimPolicy, claimRef }: VolumeWish): Draft & { readonly spec: object } {
  const { [labels.app]: app = '', [labels.server]: server = '', [labels.localVolume]: volume = '' } = claim.metadata.labels ?? {}
  return {
    metadata: {
      name,
      labels: { [labels.app]: app, [labels.server]: server, [labels.localVolume]: volume, ...claim.spec.selector?.matchLabels },
      annotations: { [provisionedBy.key]: provisionedBy.value, ...ownerAnnotations(owner) },
      finalizers: [folderFinalizer],
    },
    spec: {
      capacity: { storage: claim.spec.resources?.requests?.storage ?? '1G' },
      accessModes: claim.spec.accessModes ?? ['ReadWriteOnce'],
      storageClassName: claim.spec.storageClassName ?? '',
      persistentVolumeReclaimPolicy: reclaimPolicy,
      volumeMode: 'Filesystem',
      local: { path },
      nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: hostnameLabel, operator: 'In', values: [hostname] }] }] } },
      ...(claimRef === undefined ? {} : { claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', ...claimRef } }),
    },
  }
}
