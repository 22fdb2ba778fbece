import type { ContainerPort } from 'kubernetes-types/core/v1.d.ts'
import type { TServer } from '#api/types.ts'

/**
 * Container ports in the order in which the TServer lists them, so that nothing but a change restarts pods.
 * Servants are listed only when a host port leads to them (control-plane spec C.4). With the node's own network host ports mean nothing.
 */
export function containerPorts({ spec: { tars, normal, k8s } }: TServer): ContainerPort[] {
  const hostPorts = new Map(k8s.hostNetwork ? [] : (k8s.hostPorts ?? []).map(({ nameRef, port }) => [nameRef.toLowerCase(), port]))
  const servants = (tars?.servants ?? []).flatMap(({ name, port, isTcp }): ContainerPort[] => {
    const hostPort = hostPorts.get(name.toLowerCase())
    return hostPort === undefined ? [] : [{ name: `p${hostPort}-${port}`, containerPort: port, hostPort, protocol: protocol(isTcp) }]
  })
  const ports = [...(tars?.ports ?? []), ...(normal?.ports ?? [])].map(({ name, port, isTcp }): ContainerPort => {
    const hostPort = hostPorts.get(name.toLowerCase())
    return { name, containerPort: port, protocol: protocol(isTcp), ...(hostPort === undefined ? {} : { hostPort }) }
  })
  return [...servants, ...ports]
}

const protocol = (isTcp: boolean): 'TCP' | 'UDP' => (isTcp ? 'TCP' : 'UDP')
