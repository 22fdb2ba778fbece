import type { Container, PodSpec, PodTemplateSpec, Toleration } from 'kubernetes-types/core/v1.d.ts'
import { labels } from '#api/names.ts'
import { isRole } from '#api/node.ts'
import type { TFrameworkConfig, TServer } from '#api/types.ts'
import { serverLabels } from '../meta.ts'
import { podAffinity } from './affinity.ts'
import { serviceContainer } from './container.ts'
import { roleGates, roleSecurity } from './role.ts'
import { supervisorInit, supervisorOf, type Supervisor, graceSeconds } from './supervisor.ts'
import { podVolumes } from './volumes.ts'

/** The pod template of a server (control-plane spec C.4). Equal servers give equal templates, in every order of lists. */
export function podTemplate(server: TServer, framework: TFrameworkConfig | undefined): PodTemplateSpec {
  const { release } = server.spec
  return {
    metadata: {
      name: server.metadata.name,
      labels: { ...serverLabels(server), [labels.tserver]: server.metadata.name, ...(release === undefined ? {} : { [labels.serverId]: release.id }) },
    },
    spec: podSpec(server, supervisorOf(server, framework), framework),
  }
}

/** All of it but the metadata, with the supervisor that is given. */
export function podSpec(server: TServer, supervisor: Supervisor, framework: TFrameworkConfig | undefined): PodSpec {
  const { k8s } = server.spec
  const own = isRole(server.spec)
  const gates = own ? roleGates(server.spec) : k8s.readinessGates
  const secrets = pullSecrets(server, supervisor)
  const sidecars = structuredClone(k8s.sidecars ?? []) as unknown as Container[]
  const init = [...sidecars.filter(startsFirst), ...(supervisor.kind === 'copied' ? [supervisorInit(server, supervisor.image)] : [])]
  return {
    ...(init.length === 0 ? {} : { initContainers: init }),
    containers: [serviceContainer(server, supervisor, framework), ...sidecars.filter((sidecar) => !startsFirst(sidecar))],
    volumes: podVolumes(server, supervisor, framework),
    ...(gates === undefined || gates.length === 0 ? {} : { readinessGates: gates.map((conditionType) => ({ conditionType })) }),
    restartPolicy: 'Always',
    terminationGracePeriodSeconds: graceSeconds,
    dnsPolicy: k8s.hostNetwork ? 'ClusterFirstWithHostNet' : 'ClusterFirst',
    dnsConfig: { options: [{ name: 'ndots', value: '2' }] },
    enableServiceLinks: false,
    // By its old name, too: Kubernetes fills that in, and would take the account from there when it is given up.
    ...(k8s.serviceAccount === undefined ? {} : { serviceAccountName: k8s.serviceAccount, serviceAccount: k8s.serviceAccount }),
    ...(k8s.podSecurityContext !== undefined ? { securityContext: structuredClone(k8s.podSecurityContext) } : own ? { securityContext: roleSecurity(server.spec) } : {}),
    ...(k8s.hostNetwork ? { hostNetwork: true } : {}),
    ...(k8s.hostIPC ? { hostIPC: true } : {}),
    ...(secrets.length === 0 ? {} : { imagePullSecrets: secrets.map((name) => ({ name })) }),
    affinity: podAffinity(server),
    ...placement(server),
  }
}

/** A sidecar in Kubernetes' own sense, which the types are older than. */
const startsFirst = (sidecar: Container): boolean => (sidecar as { readonly restartPolicy?: string }).restartPolicy === 'Always'

function placement({ metadata: { name }, spec: { k8s: { tolerations = [], topologySpreadConstraints = [], priorityClassName } } }: TServer): Partial<PodSpec> {
  const labelSelector = { matchLabels: { [labels.tserver]: name } }
  return {
    ...(tolerations.length === 0 ? {} : { tolerations: structuredClone(tolerations) as Toleration[] }),
    ...(topologySpreadConstraints.length === 0 ? {} : { topologySpreadConstraints: topologySpreadConstraints.map((constraint) => ({ labelSelector, ...structuredClone(constraint) })) }),
    ...(priorityClassName === undefined ? {} : { priorityClassName }),
  }
}

function pullSecrets({ spec: { release } }: TServer, supervisor: Supervisor): string[] {
  const wanted = [release?.secret, supervisor.kind === 'copied' || supervisor.kind === 'mounted' ? supervisor.secret : undefined]
  return [...new Set(wanted.filter((secret): secret is string => secret !== undefined && secret !== ''))]
}
