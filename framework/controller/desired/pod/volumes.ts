import type { Volume, VolumeMount } from 'kubernetes-types/core/v1.d.ts'
import { names, paths } from '#api/names.ts'
import { isRole } from '#api/node.ts'
import type { Mount, TFrameworkConfig, TServer } from '#api/types.ts'
import { workDirMount, type Supervisor } from './supervisor.ts'

/** True for a volume that every pod claims for itself: a claim template of a StatefulSet makes it, not the pod. */
export function isPerPod({ source }: Mount): boolean {
  return source.tLocalVolume !== undefined || source.persistentVolumeClaimTemplate !== undefined
}

/** A folder that the user put there serves as well, unless tarsnode itself must be copied into it. */
function hasWorkDir({ mounts = [] }: TServer['spec']['k8s'], { kind }: Supervisor): boolean {
  return kind === 'copied' || (kind !== 'none' && !mounts.some(({ mountPath }) => mountPath === paths.nodeWorkDir))
}

/** The framework's own services write UTC, and need nothing of the host. */
function hasHostTimezone({ spec }: TServer, framework: TFrameworkConfig | undefined): boolean {
  return framework?.hostTimezone !== false && !isRole(spec)
}

/** Volumes of the pod (control-plane spec C.4). */
export function podVolumes(server: TServer, supervisor: Supervisor, framework: TFrameworkConfig | undefined): Volume[] {
  const { k8s } = server.spec
  return [
    ...(k8s.mounts ?? []).filter((mount) => !isPerPod(mount)).map(({ name, source }): Volume => ({ ...(source as Omit<Volume, 'name'>), name })),
    ...(hasHostTimezone(server, framework) ? [{ name: names.timezone, hostPath: { path: paths.localtime, type: '' } }] : []),
    ...(hasWorkDir(k8s, supervisor) ? [{ name: names.nodeWorkDir, emptyDir: {} }] : []),
    ...(supervisor.kind === 'mounted' ? [imageVolume(supervisor.image)] : []),
  ]
}

/** Mounts of the service's container. */
export function volumeMounts(server: TServer, supervisor: Supervisor, framework: TFrameworkConfig | undefined): VolumeMount[] {
  const { k8s } = server.spec
  return [
    ...userMounts(server),
    ...(hasHostTimezone(server, framework) ? [{ name: names.timezone, mountPath: paths.localtime, readOnly: true }] : []),
    ...(hasWorkDir(k8s, supervisor) ? [{ ...workDirMount }] : []),
    // Over the baked one, so that paths are the same and the injected one wins.
    ...(supervisor.kind === 'mounted' ? [{ name: names.nodeImageVolume, mountPath: paths.supervisor, subPath: paths.supervisor.slice(1), readOnly: true }] : []),
  ]
}

/** Those that the server asks for. */
export function userMounts({ spec: { k8s } }: TServer): VolumeMount[] {
  return (k8s.mounts ?? []).filter((mount) => !(k8s.daemonSet && isPerPod(mount))).map(userMount)
}

/**
 * Without a pull policy of ours: Kubernetes' own asks the registry only for `latest`, so that a container can start again while the
 * registry is away. The types are older than image volumes.
 */
function imageVolume(reference: string): Volume {
  const volume: Volume & { readonly image: object } = { name: names.nodeImageVolume, image: { reference } }
  return volume
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
