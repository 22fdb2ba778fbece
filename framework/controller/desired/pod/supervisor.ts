import type { Container, EnvVar } from 'kubernetes-types/core/v1.d.ts'
import { names, paths } from '#api/names.ts'
import { hasNode } from '#api/node.ts'
import type { TFrameworkConfig, TServer } from '#api/types.ts'

/**
 * How tarsnode reaches the pod of a tars server, and whether it answers the kubelet there.
 * copied: an init container copies it into a shared folder (control-plane spec C.4). mounted: its image is a volume.
 * baked: it is a layer of the image. none: nothing here runs tarsnode.
 */
export type Supervisor =
  | { readonly kind: 'none' }
  | { readonly kind: 'baked'; readonly answersProbes: boolean }
  | { readonly kind: 'copied' | 'mounted'; readonly image: string; readonly secret: string | undefined; readonly answersProbes: boolean }

/** The release's node image counts, then the framework's; with neither, the baked one runs. */
export function supervisorOf({ spec }: TServer, framework: TFrameworkConfig | undefined): Supervisor {
  if (!hasNode(spec)) return { kind: 'none' }
  const settings = framework?.nodeImage
  const given = filled(spec.release?.nodeImage)
  const image = given ?? filled(settings?.image)
  // With a command of the user's own nobody knows what runs, and when it starts tarsnode.
  const usual = !isGiven(spec.k8s.command)
  if (image === undefined) return { kind: 'baked', answersProbes: usual }
  const own = given === undefined ? undefined : filled(spec.release?.nodeSecret)
  return {
    kind: settings?.injection === 'imageVolume' ? 'mounted' : 'copied',
    image,
    secret: own ?? filled(settings?.secret),
    answersProbes: usual && settings?.probes !== false,
  }
}

const filled = (text: string | undefined): string | undefined => (text === undefined || text.trim() === '' ? undefined : text)

export const isGiven = (list: readonly string[] | undefined): list is readonly string[] => list !== undefined && list.length > 0

/**
 * Seconds between SIGTERM and SIGKILL. tarsnode reports Deactivating and serves on until callers that ask for endpoints at their
 * interval have asked again: 100 s with the refresh-endpoint-interval of tars.default. Then the service has its deactivating-timeout,
 * at most 60 s, and 10 s from its own SIGTERM to SIGKILL. Most pods need far less, and end when they are done.
 */
export const graceSeconds = 180

/** What tarsnode must be told about its pod (node spec A.1). */
export function supervisorEnv({ spec: { app, server, variant, k8s } }: TServer): EnvVar[] {
  const field = (name: string, fieldPath: string): EnvVar => ({ name, valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath } } })
  return [
    field('Namespace', 'metadata.namespace'),
    field('PodName', 'metadata.name'),
    field('PodIP', 'status.podIP'),
    { name: 'ServerApp', value: app },
    { name: 'ServerName', value: server },
    ...(variant === undefined ? [] : [{ name: 'ServerVariant', value: variant }]),
    { name: 'TARSNODE_GRACE_SECONDS', value: String(graceSeconds) },
    ...(k8s.launcherType === 'background' ? [] : [{ name: 'LauncherType', value: k8s.launcherType }]),
  ]
}

/**
 * Where tarsnode keeps what it learned: a container that starts again in its pod finds the last good descriptor there, with the
 * registry down and with a root file system that cannot be written to.
 */
export const workDirMount = { name: names.nodeWorkDir, mountPath: paths.nodeWorkDir } as const

/** The init container that copies an injected tarsnode. */
export function supervisorInit(server: TServer, image: string): Container {
  return { name: names.nodeContainer, image, imagePullPolicy: 'Always', env: supervisorEnv(server), volumeMounts: [{ ...workDirMount }] }
}

/** Starts a mounted tarsnode, whatever entry point the image has. */
export const mountedCommand = [paths.supervisorLauncher, 'node'] as const
