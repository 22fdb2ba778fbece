import type { HorizontalPodAutoscaler, MetricSpec } from 'kubernetes-types/autoscaling/v2.d.ts'
import { hubApiVersion } from '#api/names.ts'
import { autoscalerBounds } from '#api/replicas.ts'
import type { TServer } from '#api/types.ts'
import { childMeta } from './meta.ts'

/**
 * What adds and removes pods by load, when the server asks for it. It changes the TServer's replicas, by its scale, and the controller
 * brings the StatefulSet in line: one of them writes, so that they cannot fight.
 */
export function desiredAutoscaler(server: TServer): HorizontalPodAutoscaler | undefined {
  const { autoscaling } = server.spec.k8s
  const bounds = autoscalerBounds(server)
  if (autoscaling === undefined || bounds === undefined) return undefined
  return {
    apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler', metadata: childMeta(server),
    spec: {
      scaleTargetRef: { apiVersion: hubApiVersion, kind: 'TServer', name: server.metadata.name },
      minReplicas: bounds.min, maxReplicas: Math.max(bounds.min, bounds.max),
      metrics: [
        ...(['cpu', 'memory'] as const).flatMap((name) => (autoscaling[name] === undefined ? [] : [utilization(name, autoscaling[name])])),
        ...((autoscaling.metrics ?? []) as unknown as MetricSpec[]),
      ],
      ...(autoscaling.behavior === undefined ? {} : { behavior: autoscaling.behavior }),
    },
  }
}

function utilization(name: string, averageUtilization: number): MetricSpec {
  return { type: 'Resource', resource: { name, target: { type: 'Utilization', averageUtilization } } }
}
