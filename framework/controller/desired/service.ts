import type { Service, ServicePort } from 'kubernetes-types/core/v1.d.ts'
import { labels } from '#api/names.ts'
import type { TServer } from '#api/types.ts'
import { childMeta, serverLabels } from './meta.ts'

/**
 * The headless Service that gives pods their names (control-plane spec C.1); none for a DaemonSet, whose pods have no names. Whom
 * callers of Tars objects are sent to is the registry's word, and the name that it gives must be known by then, and as long as a
 * pod that leaves serves callers that have not asked again. DNS follows readiness too late for both, so the names of such
 * servers do not wait for it. Other ports are called by the name of the Service, which leads to ready pods only.
 * @param named whether all pods of the server say whose they are: then it leads to none of its variants
 */
export function desiredService(server: TServer, named = false): Service | undefined {
  const { tars, normal, k8s } = server.spec
  if (k8s.daemonSet) return undefined
  const items = [...(tars?.servants ?? []), ...(tars?.ports ?? []), ...(normal?.ports ?? [])]
  const ports = items.map(({ name, port, isTcp }): ServicePort => ({ name: name.toLowerCase(), port, targetPort: port, protocol: isTcp ? 'TCP' : 'UDP' }))
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: childMeta(server),
    spec: {
      type: 'ClusterIP', clusterIP: 'None', selector: { ...serverLabels(server), ...(named ? { [labels.tserver]: server.metadata.name } : {}) },
      ...(ports.length === 0 ? {} : { ports }),
      ...(items.length > 0 && items.every((item) => 'isTars' in item && item.isTars) ? { publishNotReadyAddresses: true } : {}),
    },
  }
}
