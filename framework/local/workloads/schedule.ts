import type { Node, Pod } from '../pods/kinds.ts'
import { matches, satisfies } from './selector.ts'

const hostnameKey = 'kubernetes.io/hostname'

/**
 * Whether the one node can take a pod.
 * @param others pods that are bound to the node already
 * @returns the scheduler's words for why not, or undefined when it can
 */
export function obstacle(pod: Pod, node: Node, others: readonly Pod[]): string | undefined {
  if (node.spec?.unschedulable === true) return 'node(s) were unschedulable'
  if (!fitsNode(pod, node)) return "node(s) didn't match Pod's node affinity/selector"
  if (!keepsApart(pod, node, others)) return "node(s) didn't match pod anti-affinity rules"
  if (portTaken(pod, others)) return "node(s) didn't have free ports for the requested pod ports"
  return undefined
}

/** nodeSelector and required node affinity (Kubernetes, "Assigning Pods to Nodes"): terms are alternatives. */
export function fitsNode({ spec }: Pod, { metadata }: Node): boolean {
  const { labels = {}, name } = metadata
  if (!Object.entries(spec.nodeSelector ?? {}).every(([key, value]) => labels[key] === value)) return false
  const terms = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms
  if (terms === undefined) return true
  return terms.some(({ matchExpressions = [], matchFields = [] }) => {
    if (matchExpressions.length + matchFields.length === 0) return false
    return matchExpressions.every((requirement) => satisfies(labels, requirement)) && matchFields.every((requirement) => satisfies({ 'metadata.name': name }, requirement))
  })
}

function keepsApart(pod: Pod, node: Node, others: readonly Pod[]): boolean {
  const clash = (one: Pod, other: Pod): boolean =>
    (one.spec.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).some(({ labelSelector, namespaces, topologyKey }) => {
      const inScope = (namespaces ?? [one.metadata.namespace ?? 'default']).includes(other.metadata.namespace ?? 'default')
      const sharesTopology = topologyKey === hostnameKey || node.metadata.labels?.[topologyKey] !== undefined
      return inScope && sharesTopology && labelSelector !== undefined && matches(labelSelector, other.metadata.labels)
    })
  return !others.some((other) => clash(pod, other) || clash(other, pod))
}

function portTaken(pod: Pod, others: readonly Pod[]): boolean {
  const ports = (one: Pod): string[] => one.spec.containers.flatMap(({ ports: list = [] }) => list.filter(({ hostPort }) => hostPort !== undefined && hostPort > 0).map(({ hostPort, protocol = 'TCP' }) => `${protocol}/${hostPort}`))
  const taken = new Set(others.flatMap(ports))
  return ports(pod).some((port) => taken.has(port))
}
