import type { Volume, VolumeMount } from 'kubernetes-types/core/v1.d.ts'
import { names, paths } from '#api/names.ts'
import type { Mount, TServer } from '#api/types.ts'
import { workDirMount, type Supervisor } from './supervisor.ts'

/** True for a volume that every pod claims for itself: a claim template of a StatefulSet makes it, not the pod. */
export function isPerPod({ source }: Mount): boolean {
  return source.tLocalVolume !== undefined || source.persistentVolumeClaimTemplate !== undefined
}

/** Volumes of the pod (control-plane spec C.4). */
export function podVolumes({ spec: { k8s } }: TServer, supervisor: Supervisor): Volume[] {
  return [
    ...(k8s.mounts ?? []).filter((mount) => !isPerPod(mount)).map(({ name, source }): Volume => ({ ...(source as Omit<Volume, 'name'>), name })),
    { name: names.timezone, hostPath: { path: paths.localtime, type: '' } },
    ...(supervisor.kind === 'injected' ? [{ name: names.nodeWorkDir, emptyDir: {} }] : []),
  ]
}

/** Mounts of the service's container. */
export function volumeMounts({ spec: { k8s } }: TServer, supervisor: Supervisor): VolumeMount[] {
  return [
    ...(k8s.mounts ?? []).filter((mount) => !(k8s.daemonSet && isPerPod(mount))).map(userMount),
    { name: names.timezone, mountPath: paths.localtime, readOnly: true },
    ...(supervisor.kind === 'injected' ? [{ ...workDirMount }] : []),
  ]
}

function userMount({ name, mountPath, readOnly, subPath, subPathExpr, mountPropagation }: Mount): VolumeMount {
  return {
    name, mountPath,
    ...(readOnly ? { readOnly } : {}),
    ...(subPath === undefined ? {} : { subPath }),
    ...(subPathExpr === undefined ? {} : { subPathExpr }),
    ...(mountPropagation === undefined ? {} : { mountPropagation }),
  }
}
