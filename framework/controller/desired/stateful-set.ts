import type { StatefulSet } from 'kubernetes-types/apps/v1.d.ts'
import { effectiveReplicas } from '#api/replicas.ts'
import type { TFrameworkConfig, TServer } from '#api/types.ts'
import { claimTemplates } from './claims.ts'
import { childMeta, serverLabels } from './meta.ts'
import { podTemplate } from './pod/template.ts'

/** The StatefulSet of a server (control-plane spec C.2); none when it runs as a DaemonSet. */
export function desiredStatefulSet(server: TServer, framework?: TFrameworkConfig): StatefulSet | undefined {
  const { k8s } = server.spec
  if (k8s.daemonSet) return undefined
  const claims = claimTemplates(server)
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: childMeta(server),
    spec: {
      replicas: effectiveReplicas(server),
      selector: { matchLabels: serverLabels(server) },
      serviceName: server.metadata.name,
      podManagementPolicy: k8s.podManagementPolicy,
      updateStrategy: updateStrategy(k8s.updateStrategy),
      revisionHistoryLimit: 1,
      template: podTemplate(server, framework),
      ...(claims.length === 0 ? {} : { volumeClaimTemplates: claims }),
    },
  }
}

/** Kubernetes refuses rollingUpdate beside OnDelete, and the CRD's defaults always fill it in. */
function updateStrategy({ type, rollingUpdate }: TServer['spec']['k8s']['updateStrategy']): NonNullable<NonNullable<StatefulSet['spec']>['updateStrategy']> {
  return type === 'OnDelete' ? { type } : { type, rollingUpdate: { partition: rollingUpdate?.partition ?? 0 } }
}
