import { annotations } from './names.ts'
import { patterns } from './schema/patterns.ts'
import type { TServer } from './types.ts'
import { invalid, type Problem } from './validate/problem.ts'

/** How many pods a server may have. */
export interface ReplicaBounds {
  readonly min: number
  readonly max: number
  /** What is wrong with the annotations; min and max are then those without them. */
  readonly problems: readonly Problem[]
}

const lowest = 0
/** The most that spec.k8s.replicas may say. */
const highest = 99
const form = new RegExp(patterns.replicas)

/** True for what spec.k8s.replicas may say; the CRD has the same bounds. */
export function mayHaveReplicas(count: number): boolean {
  return count >= lowest && count <= highest
}

/** The bounds that the annotations MinReplicas and MaxReplicas set (control-plane spec B.1 rule 5). */
export function replicaBounds(server: Pick<TServer, 'metadata'>): ReplicaBounds {
  const values = server.metadata.annotations ?? {}
  const texts = [annotations.minReplicas, annotations.maxReplicas].filter((key) => values[key] !== undefined)
  const problems = texts.filter((key) => !form.test(values[key] ?? '')).map((key) =>
    invalid('tserver', `metadata.annotations["${key}"]`, 'unexpected annotation format', `must be a whole number from 0 to 99, not "${values[key] ?? ''}"`, 'write it as digits in quotes, e.g. "2"'))
  if (problems.length > 0) return { min: lowest, max: highest, problems }
  const min = Number(values[annotations.minReplicas] ?? lowest)
  const max = Number(values[annotations.maxReplicas] ?? highest)
  if (min <= max) return { min, max, problems: [] }
  return {
    min: lowest, max: highest,
    problems: [invalid('tserver', `metadata.annotations["${annotations.minReplicas}"]`, 'unexpected annotation value', `${min} is more than ${annotations.maxReplicas}, which is ${max}`, 'raise the one or lower the other')],
  }
}

/** The bounds of a server's autoscaler: its own, within those of the annotations; undefined for a server without one. */
export function autoscalerBounds(server: TServer): Pick<ReplicaBounds, 'min' | 'max'> | undefined {
  const { autoscaling, daemonSet } = server.spec.k8s
  if (autoscaling === undefined || daemonSet) return undefined
  const { min, max } = replicaBounds(server)
  return { min: Math.max(autoscaling.minReplicas, min), max: Math.min(autoscaling.maxReplicas, max) }
}

/**
 * Pods that should run: none without a release, otherwise spec.k8s.replicas (1 when absent) within the bounds.
 * Reconcilers use this, so that neither `kubectl scale` nor an autoscaler can leave the bounds or start an unreleased server.
 */
export function effectiveReplicas(server: TServer): number {
  if (server.spec.release === undefined) return 0
  const { min, max } = replicaBounds(server)
  return Math.min(max, Math.max(min, server.spec.k8s.replicas ?? 1))
}
