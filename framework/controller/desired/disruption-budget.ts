import { labels } from '#api/names.ts'
import type { PodDisruptionBudget } from 'kubernetes-types/policy/v1.d.ts'
import { autoscalerBounds, effectiveReplicas } from '#api/replicas.ts'
import type { TServer } from '#api/types.ts'
import { childMeta, serverLabels } from './meta.ts'

/**
 * When nodes are drained, pods of a server go one at a time. None for a server of one pod, which has to go some time, or for a
 * DaemonSet, whose pods go with their nodes. A server that an autoscaler may give more has one throughout: it holds one pod up not.
 */
export function desiredDisruptionBudget(server: TServer): PodDisruptionBudget | undefined {
  if (server.spec.k8s.daemonSet || Math.max(effectiveReplicas(server), autoscalerBounds(server)?.max ?? 0) < 2) return undefined
  // Kubernetes evicts no pod that two budgets select.
  const selector = { matchLabels: serverLabels(server), ...(server.spec.variant === undefined ? { matchExpressions: [{ key: labels.variant, operator: 'DoesNotExist' }] } : {}) }
  return { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata: childMeta(server), spec: { maxUnavailable: 1, selector } }
}
