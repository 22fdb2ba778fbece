import { persistentVolumeClaims, persistentVolumes, storageClasses } from '#kube/resources.ts'
import type { KubeObject, Resource } from '#kube/types.ts'

/** What the agent reads of a PersistentVolumeClaim. */
export interface Claim extends KubeObject {
  readonly spec: {
    readonly accessModes?: readonly string[]
    readonly storageClassName?: string
    readonly volumeName?: string
    readonly volumeMode?: string
    readonly selector?: { readonly matchLabels?: Readonly<Record<string, string>> }
    readonly resources?: { readonly requests?: { readonly storage?: string } }
  }
  readonly status?: { readonly phase?: string }
}

export interface ClaimReference { readonly namespace?: string; readonly name?: string; readonly uid?: string }

/** What the agent reads and writes of a PersistentVolume. */
export interface Volume extends KubeObject {
  readonly spec: {
    readonly capacity: Readonly<Record<string, string>>
    readonly accessModes: readonly string[]
    readonly storageClassName: string
    readonly persistentVolumeReclaimPolicy?: string
    readonly volumeMode?: string
    readonly local?: { readonly path: string }
    readonly claimRef?: ClaimReference
    readonly nodeAffinity?: { readonly required?: { readonly nodeSelectorTerms: readonly { readonly matchExpressions?: readonly { readonly key: string; readonly operator: string; readonly values?: readonly string[] }[] }[] } }
  }
  readonly status?: { readonly phase?: string }
}

export interface StorageClass extends KubeObject { readonly reclaimPolicy?: string }

export const claimResource = persistentVolumeClaims as Resource<Claim>
export const volumeResource = persistentVolumes as Resource<Volume>
export const classResource = storageClasses as Resource<StorageClass>
