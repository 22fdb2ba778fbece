import type { Container, EnvVar } from 'kubernetes-types/core/v1.d.ts'
import { names, paths } from '#api/names.ts'
import type { TFrameworkConfig, TServer } from '#api/types.ts'

/**
 * How tarsnode reaches the pod of a tars server.
 * injected: by an init container that copies it into a shared folder (control-plane spec C.4).
 * baked: it is a layer of the image. none: the server is not of subType tars.
 */
export type Supervisor =
  | { readonly kind: 'none' }
  | { readonly kind: 'baked' }
  | { readonly kind: 'injected'; readonly image: string; readonly secret: string | undefined }

/** The release's node image counts, then the framework's; with neither, the baked one runs. */
export function supervisorOf({ spec }: TServer, framework: TFrameworkConfig | undefined): Supervisor {
  if (spec.subType !== 'tars') return { kind: 'none' }
  const given = filled(spec.release?.nodeImage)
  if (given !== undefined) return { kind: 'injected', image: given, secret: filled(spec.release?.nodeSecret) ?? filled(framework?.nodeImage?.secret) }
  const standard = filled(framework?.nodeImage?.image)
  return standard === undefined ? { kind: 'baked' } : { kind: 'injected', image: standard, secret: filled(framework?.nodeImage?.secret) }
}

const filled = (text: string | undefined): string | undefined => (text === undefined || text.trim() === '' ? undefined : text)

/**
 * Seconds between SIGTERM and SIGKILL. tarsnode reports Deactivating, waits until callers have heard of it, and then gives the
 * service its deactivating-timeout; Kubernetes' own 30 s would cut the slower ones off.
 */
export const graceSeconds = 60

/** What tarsnode must be told about its pod (node spec A.1). */
export function supervisorEnv({ spec: { app, server, k8s } }: TServer): EnvVar[] {
  const field = (name: string, fieldPath: string): EnvVar => ({ name, valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath } } })
  return [
    field('Namespace', 'metadata.namespace'),
    field('PodName', 'metadata.name'),
    field('PodIP', 'status.podIP'),
    { name: 'ServerApp', value: app },
    { name: 'ServerName', value: server },
    { name: 'TARSNODE_GRACE_SECONDS', value: String(graceSeconds) },
    ...(k8s.launcherType === 'background' ? [] : [{ name: 'LauncherType', value: k8s.launcherType }]),
  ]
}

export const workDirMount = { name: names.nodeWorkDir, mountPath: paths.nodeWorkDir } as const

/** The init container that copies an injected tarsnode. */
export function supervisorInit(server: TServer, image: string): Container {
  return { name: names.nodeContainer, image, imagePullPolicy: 'Always', env: supervisorEnv(server), volumeMounts: [{ ...workDirMount }] }
}
