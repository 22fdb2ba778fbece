import type { DaemonSet } from 'kubernetes-types/apps/v1.d.ts'
import type { TFrameworkConfig, TServer } from '#api/types.ts'
import { childMeta, serverLabels } from './meta.ts'
import { podTemplate } from './pod/template.ts'

/** The DaemonSet of a server (control-plane spec C.3); none when it runs as a StatefulSet. */
export function desiredDaemonSet(server: TServer, framework?: TFrameworkConfig): DaemonSet | undefined {
  const { k8s } = server.spec
  if (!k8s.daemonSet) return undefined
  const { type, rollingUpdate } = k8s.updateStrategy
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: childMeta(server),
    spec: {
      selector: { matchLabels: serverLabels(server) },
      template: podTemplate(server, framework),
      minReadySeconds: 3,
      revisionHistoryLimit: 1,
      updateStrategy: type === 'OnDelete' ? { type } : { type, rollingUpdate: { maxUnavailable: Math.max(rollingUpdate?.partition ?? 0, 1) } },
    },
  }
}
