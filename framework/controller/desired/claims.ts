import type { PersistentVolumeClaim } from 'kubernetes-types/core/v1.d.ts'
import { controlledBy } from '#api/meta.ts'
import { labels, names } from '#api/names.ts'
import type { Mount, TServer } from '#api/types.ts'
import { namespaceOf, serverLabels } from './meta.ts'

/** Claims that every pod of a StatefulSet gets (control-plane spec C.2). */
export function claimTemplates(server: TServer): PersistentVolumeClaim[] {
  const { k8s } = server.spec
  const pinned = k8s.hostIPC || k8s.hostNetwork || (k8s.hostPorts ?? []).length > 0
  return [
    ...(k8s.mounts ?? []).flatMap((mount) => claimOf(server, mount)),
    // A local volume ties the pod to its node, and so keeps its host ports.
    ...(pinned ? [localClaim(server, names.delayBind)] : []),
  ]
}

function claimOf(server: TServer, { name, source }: Mount): PersistentVolumeClaim[] {
  if (source.tLocalVolume !== undefined) return [localClaim(server, name)]
  const template = source.persistentVolumeClaimTemplate
  if (template === undefined) return []
  return [{ apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { ...structuredClone(template.metadata), name }, spec: structuredClone(template.spec) as NonNullable<PersistentVolumeClaim['spec']> }]
}

function localClaim(server: TServer, name: string): PersistentVolumeClaim {
  const volumeLabels = { ...serverLabels(server), [labels.localVolume]: name, [labels.localVolumeNamespace]: namespaceOf(server) }
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name, namespace: namespaceOf(server), labels: volumeLabels, ownerReferences: [controlledBy(server)] },
    spec: {
      accessModes: ['ReadWriteOnce'],
      selector: { matchLabels: volumeLabels },
      resources: { requests: { storage: '1G' } },
      storageClassName: names.storageClass,
      volumeMode: 'Filesystem',
    },
  }
}
