// Workloads that K8SFramework 1.4 made, and that are taken over as they are (control-plane spec C.2 to C.4); and those of a TarsK8S
// that did not name the TServer on its pods yet.
import type { PodTemplateSpec } from 'kubernetes-types/core/v1.d.ts'
import { imagePlaceholder, labels, names, paths } from '#api/names.ts'
import type { TFrameworkConfig, TServer } from '#api/types.ts'
import type { AnyObject } from '#kube/types.ts'
import { contains } from './contained.ts'
import { serviceContainer } from './pod/container.ts'
import { supervisorEnv, supervisorInit, supervisorOf, workDirMount, type Supervisor } from './pod/supervisor.ts'
import { podSpec, podTemplate } from './pod/template.ts'
import { userMounts } from './pod/volumes.ts'

/**
 * What is desired, but with the pod template that is there when K8SFramework made it of this very server: its pods run what the
 * server says, so nothing is gained by restarting them. The first change of the server that concerns its pods brings the template of
 * today, by the update strategy of the server. In the same way pods that run get no name of their TServer before there is another reason to replace them.
 */
export function keepingPods(desired: object, current: AnyObject, server: TServer, framework: TFrameworkConfig | undefined): object {
  const template = (current['spec'] as { readonly template?: PodTemplateSpec } | undefined)?.template
  if (template === undefined) return desired
  const { spec } = desired as AnyObject
  const unnamed = withoutName(spec.template as PodTemplateSpec)
  const kept = isPredecessors(template, server, framework) ? template : isNamed(template) || !contains(template, unnamed) ? undefined : unnamed
  return kept === undefined ? desired : { ...desired, spec: { ...spec, template: kept } }
}

/** Pods of a template that says whose they are can be told from those of variants. */
export const isNamed = ({ metadata }: Pick<PodTemplateSpec, 'metadata'>): boolean => metadata?.labels?.[labels.tserver] !== undefined

function withoutName({ metadata, ...template }: PodTemplateSpec): PodTemplateSpec {
  const { [labels.tserver]: _name, ...given } = metadata?.labels ?? {}
  return { ...template, metadata: { ...metadata, labels: given } }
}

function isPredecessors(template: PodTemplateSpec, server: TServer, framework: TFrameworkConfig | undefined): boolean {
  // Its pods always have a host path, which is not to be here any more.
  if (framework?.hostTimezone === false) return false
  const made = predecessorTemplate(server, framework)
  const { name } = server.metadata
  return contains(template, made) && contains(choices(made, name), choices(template, name))
}

/**
 * What K8SFramework decided in a pod template, so that what a server no longer asks for shows; the rest are Kubernetes' defaults, and what
 * others added, like a sidecar.
 */
function choices({ spec }: PodTemplateSpec, name: string): object {
  const named = (list: readonly { readonly name?: string; readonly mountPath?: string; readonly containerPort?: number }[] | undefined): string[] =>
    (list ?? []).map((item) => `${item.name ?? ''} ${item.mountPath ?? item.containerPort ?? ''}`).toSorted()
  const own = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])].filter((container) => [name, names.nodeContainer].includes(container.name))
  return {
    containers: own.map(({ name: container, command, args, env, envFrom, ports, resources, volumeMounts }) => ({ name: container, command, args, env: named(env), envFrom, ports: named(ports), resources, volumeMounts: named(volumeMounts) })),
    readinessGates: spec?.readinessGates, serviceAccountName: spec?.serviceAccountName, hostNetwork: spec?.hostNetwork, hostIPC: spec?.hostIPC,
    imagePullSecrets: named(spec?.imagePullSecrets), affinity: spec?.affinity,
  }
}

/** Seconds that Kubernetes gives a pod whose template does not say; today's templates always do. */
const unsaidGraceSeconds = 30

/** The pod template that K8SFramework 1.4 makes of a server (control-plane spec C.4). */
function predecessorTemplate(server: TServer, framework: TFrameworkConfig | undefined): PodTemplateSpec {
  const supervisor = predecessorSupervisor(server, framework)
  const isTars = supervisor.kind === 'copied'
  const { lifecycle: _lifecycle, ...container } = serviceContainer(server, { kind: 'none' }, framework)
  const mounts = [...userMounts(server), { name: names.timezone, mountPath: paths.localtime }, ...(isTars ? [{ ...workDirMount }] : [])]
  return {
    ...withoutName(podTemplate(server, framework)),
    spec: {
      ...podSpec(server, supervisor, framework),
      ...(isTars ? { initContainers: [{ ...supervisorInit(server, supervisor.image), env: supervisorEnv(server).filter(({ name }) => name !== 'TARSNODE_GRACE_SECONDS') }] } : {}),
      containers: [{ ...container, volumeMounts: mounts }],
      terminationGracePeriodSeconds: unsaidGraceSeconds,
    },
  }
}

/** Its tarsnode was always copied into the pod. */
function predecessorSupervisor(server: TServer, framework: TFrameworkConfig | undefined): Extract<Supervisor, { readonly kind: 'none' | 'copied' | 'mounted' }> {
  if (server.spec.subType !== 'tars') return { kind: 'none' }
  const given = supervisorOf(server, framework)
  const { image = imagePlaceholder, secret } = 'image' in given ? given : { secret: undefined }
  return { kind: 'copied', image, secret, answersProbes: false }
}
