import type { PodSpec, PodTemplateSpec } from 'kubernetes-types/core/v1.d.ts'
import { labels } from '#api/names.ts'
import type { TFrameworkConfig, TServer } from '#api/types.ts'
import { serverLabels } from '../meta.ts'
import { podAffinity } from './affinity.ts'
import { serviceContainer } from './container.ts'
import { roleGates, roleSecurity } from './role.ts'
import { isRole, supervisorInit, supervisorOf, type Supervisor, graceSeconds } from './supervisor.ts'
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
  return {
    ...(supervisor.kind === 'copied' ? { initContainers: [supervisorInit(server, supervisor.image)] } : {}),
    containers: [serviceContainer(server, supervisor, framework)],
    volumes: podVolumes(server, supervisor, framework),
    ...(gates === undefined || gates.length === 0 ? {} : { readinessGates: gates.map((conditionType) => ({ conditionType })) }),
    restartPolicy: 'Always',
    terminationGracePeriodSeconds: graceSeconds,
    dnsPolicy: k8s.hostNetwork ? 'ClusterFirstWithHostNet' : 'ClusterFirst',
    dnsConfig: { options: [{ name: 'ndots', value: '2' }] },
    enableServiceLinks: false,
    ...(k8s.serviceAccount === undefined ? {} : { serviceAccountName: k8s.serviceAccount }),
    ...(own ? { securityContext: roleSecurity(server.spec) } : {}),
    ...(k8s.hostNetwork ? { hostNetwork: true } : {}),
    ...(k8s.hostIPC ? { hostIPC: true } : {}),
    ...(secrets.length === 0 ? {} : { imagePullSecrets: secrets.map((name) => ({ name })) }),
    affinity: podAffinity(server),
  }
}

function pullSecrets({ spec: { release } }: TServer, supervisor: Supervisor): string[] {
  const wanted = [release?.secret, supervisor.kind === 'copied' || supervisor.kind === 'mounted' ? supervisor.secret : undefined]
  return [...new Set(wanted.filter((secret): secret is string => secret !== undefined && secret !== ''))]
}
