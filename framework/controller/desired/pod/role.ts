// Pods of the framework's own services, `tarsk8s <role>` in the framework's image: what they need is known here.
import type { Container, PodSpec } from 'kubernetes-types/core/v1.d.ts'
import { activeCondition } from '#api/names.ts'
import type { TServer } from '#api/types.ts'

/** The user `tars` of the image. */
const user = 1000

/** No rights at all: not root, and ports below 1024 are free to everybody in the pod. */
export function roleSecurity({ k8s }: TServer['spec']): NonNullable<PodSpec['securityContext']> {
  return {
    runAsNonRoot: true, runAsUser: user, runAsGroup: user, fsGroup: user,
    seccompProfile: { type: 'RuntimeDefault' },
    // The node's own network has the node's own rules.
    ...(k8s.hostNetwork ? {} : { sysctls: [{ name: 'net.ipv4.ip_unprivileged_port_start', value: '0' }] }),
  }
}

/** Written to are its volumes, and nothing else. It is ready when it can be connected to. */
export function roleContainer({ normal, tars }: TServer['spec']): Pick<Container, 'securityContext' | 'readinessProbe'> {
  const port = [...(tars?.servants ?? []), ...(normal?.ports ?? [])].find(({ isTcp }) => isTcp)?.port
  return {
    securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
    ...(port === undefined ? {} : { readinessProbe: { tcpSocket: { port }, periodSeconds: 1, timeoutSeconds: 2, failureThreshold: 3 } }),
  }
}

/** No tarsnode opens the gate that admission gives to every tars server; tarsregistry, which is none, opens its own. */
export function roleGates({ subType, k8s: { readinessGates = [] } }: TServer['spec']): readonly string[] {
  return subType === 'tars' ? readinessGates.filter((gate) => gate !== activeCondition) : readinessGates
}
