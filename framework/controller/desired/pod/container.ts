import type { Container, EnvVar } from 'kubernetes-types/core/v1.d.ts'
import { imagePlaceholder } from '#api/names.ts'
import { isRole } from '#api/node.ts'
import type { TFrameworkConfig, TServer } from '#api/types.ts'
import { containerPorts } from './ports.ts'
import { supervisorPreStop, supervisorProbes } from './probes.ts'
import { roleContainer } from './role.ts'
import { isGiven, mountedCommand, supervisorEnv, type Supervisor } from './supervisor.ts'
import { volumeMounts } from './volumes.ts'

/** The service's own container, named like the TServer (control-plane spec C.4). */
export function serviceContainer(server: TServer, supervisor: Supervisor, framework: TFrameworkConfig | undefined): Container {
  const { k8s, release } = server.spec
  const env = serviceEnv(server, supervisor)
  const ports = containerPorts(server)
  const command = isGiven(k8s.command) ? k8s.command : supervisor.kind === 'mounted' ? mountedCommand : []
  const answersProbes = supervisor.kind !== 'none' && supervisor.answersProbes
  return {
    name: server.metadata.name,
    image: release?.image ?? imagePlaceholder,
    imagePullPolicy: k8s.imagePullPolicy,
    ...(command.length === 0 ? {} : { command: [...command] }),
    ...(isGiven(k8s.args) ? { args: [...k8s.args] } : {}),
    ...(env.length === 0 ? {} : { env }),
    ...(k8s.envFrom === undefined || k8s.envFrom.length === 0 ? {} : { envFrom: structuredClone(k8s.envFrom) as NonNullable<Container['envFrom']> }),
    ...(ports.length === 0 ? {} : { ports }),
    resources: resourcesOf(k8s.resources),
    volumeMounts: volumeMounts(server, supervisor, framework),
    ...(isRole(server.spec) ? roleContainer(server.spec) : {}),
    ...(answersProbes ? supervisorProbes() : {}),
    ...(answersProbes && k8s.launcherType === 'foreground' ? supervisorPreStop() : {}),
    ...ownWords(k8s),
  }
}

/** What the server says of its container in the words of Kubernetes comes before what would be said for it. */
function ownWords({ securityContext, probes: { startup, liveness, readiness } = {} }: TServer['spec']['k8s']): Partial<Container> {
  const given = { securityContext, startupProbe: startup, livenessProbe: liveness, readinessProbe: readiness }
  return structuredClone(Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)))
}

/** tarsnode is told of its pod however it came there; what the user sets wins. The tarsnode of K8SFramework reads a file of its init container. */
function serviceEnv(server: TServer, supervisor: Supervisor): EnvVar[] {
  const own = eachOnce(structuredClone(server.spec.k8s.env ?? []) as EnvVar[])
  if (supervisor.kind === 'none') return own
  const named = new Set(own.map(({ name }) => name))
  // First, as $(PodName) in a later variable or in subPathExpr refers to earlier ones.
  return [...supervisorEnv(server).filter(({ name }) => !named.has(name)), ...own]
}

/** Of variables of one name a container has the last, which may refer to the one before. Server-side apply takes a name once only. */
function eachOnce(variables: readonly EnvVar[]): EnvVar[] {
  const all = new Map<string, EnvVar>()
  for (const variable of variables) {
    const { name, value } = variable
    const before = all.get(name)?.value
    all.set(name, value === undefined || before === undefined ? variable : { name, value: value.replaceAll(`$(${name})`, () => before) })
  }
  return [...all.values()]
}

function resourcesOf({ requests, limits }: TServer['spec']['k8s']['resources']): NonNullable<Container['resources']> {
  const texts = (amounts: Readonly<Record<string, string | number>>): Record<string, string> => Object.fromEntries(Object.entries(amounts).map(([name, amount]) => [name, String(amount)]))
  return { ...(requests === undefined ? {} : { requests: texts(requests) }), ...(limits === undefined ? {} : { limits: texts(limits) }) }
}
