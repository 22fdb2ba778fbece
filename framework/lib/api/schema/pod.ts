import { anyObject, array, choice, integer, object, openObject, optional, string } from './builder.ts'
import { image, limits, objectName, patterns } from './patterns.ts'
import { sidecarsRules, withRules } from './rules.ts'

const toleration = object('A toleration.', {
  key: optional(string('Key of the taint; none: every taint.', { maxLength: 317 })),
  operator: optional(choice('Equal compares the value, Exists does not.', ['Equal', 'Exists'])),
  value: optional(string('Value of the taint.', { maxLength: limits.name })),
  effect: optional(choice('Effect of the taint; none: every effect.', ['NoSchedule', 'PreferNoSchedule', 'NoExecute'])),
  tolerationSeconds: optional(integer('With NoExecute: how long its pods stay, in seconds.')),
})

const spread = openObject('A TopologySpreadConstraint of Kubernetes. Its labelSelector selects the pods of this TServer, unless it says another.', {
  topologyKey: string('Node label whose values are the places, e.g. topology.kubernetes.io/zone.', { maxLength: 317 }),
  maxSkew: integer('How many more pods one place may have than another.', { minimum: 1 }),
  whenUnsatisfiable: choice('What becomes of a pod that fits nowhere.', ['DoNotSchedule', 'ScheduleAnyway']),
})

const sidecar = openObject('A Container of Kubernetes. With restartPolicy Always it starts before the service and ends after it (Kubernetes 1.29).', {
  name: string('Its name in the pod.', { pattern: patterns.portName, maxLength: limits.name }),
  image: image('Image reference.'),
})

/** What the reference cannot say of pods. The words are those of Kubernetes (API reference, "PodSpec v1 core"), which judges them. */
export const podFields = {
  tolerations: optional(array('Taints of nodes that its pods put up with.', toleration, { maxItems: 32 })),
  topologySpreadConstraints: optional(array('How its pods are spread over zones and nodes.', spread, { maxItems: 16 })),
  priorityClassName: optional(objectName('PriorityClass of its pods.')),
  podSecurityContext: optional(anyObject('Security of its pods: a PodSecurityContext of Kubernetes.')),
  securityContext: optional(anyObject('Security of its own container: a SecurityContext of Kubernetes.')),
  probes: optional(object('How the kubelet watches its own container: each a Probe of Kubernetes, in place of the one that asks tarsnode.', {
    startup: optional(anyObject('Until it succeeds, the others are not asked.')),
    liveness: optional(anyObject('A container that fails it is started again.')),
    readiness: optional(anyObject('A pod that fails it is not ready.')),
  })),
  sidecars: optional(withRules(array('Further containers of its pods. They can mount what mounts names.', sidecar, { maxItems: 16 }), ...sidecarsRules)),
} as const
