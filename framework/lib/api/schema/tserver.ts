import type { Version } from '../names.ts'
import { anyObject, array, boolean, choice, dateTime, integer, intOrString, map, object, optional, string, type JsonSchema, type Shape, type ValidationRule } from './builder.ts'
import { env, envFrom } from './env.ts'
import { mounts, mountsV1beta1 } from './mounts.ts'
import { appName, image, labelValue, limits, name, patterns, releaseId, secretName, serverName, templateName } from './patterns.ts'
import { hostPorts, instance, ports, servant } from './ports.ts'
import { podFields } from './pod.ts'
import { conditions, observedGeneration } from './status.ts'
import { autoscaledRule, autoscalingRules, compared, fixed, k8sRules, servantsRules, serverSpecRules, tarsRules, withRules } from './rules.ts'

const tars = withRules(object('A server with Tars servants, run by tarsnode.', {
  template: templateName('TTemplate that its configuration is made from.'),
  profile: optional(string('Configuration text that overrides the template.')),
  asyncThread: integer('Threads that handle answers to its own calls.', { minimum: 0, maximum: 50, default: 3 }),
  servants: withRules(array('Its interfaces.', servant, { ...compared, default: [] }), ...servantsRules),
  ports: optional(ports('tars')),
  instances: optional(array('Sets, weights, groups and traffic of its pods.', instance)),
  endpointHost: optional(choice('What callers get as the host of a pod: its DNS name or its address. Default: that of the TFrameworkConfig.', ['dns', 'ip'])),
}), ...tarsRules)

const normal = object('Any other server: the image says how it starts.', { ports: ports('normal', { default: [] }) })
const normalV1beta1 = object('Any other server: the image says how it starts.', { ports: ports('normal') })

// Wider than the reference, which knows cpu and memory as text only.
const amounts = (text: string) => map(text, intOrString('A quantity.', { pattern: patterns.quantity }))

const resourceShape = {
  requests: optional(amounts('Reserved for it: cpu, memory, or any other resource.')),
  limits: optional(amounts('Most it may use.')),
}

const updateStrategy = object('How a new release reaches the pods.', {
  type: choice('RollingUpdate replaces them one by one, OnDelete waits until each is deleted.', ['RollingUpdate', 'OnDelete'], 'RollingUpdate'),
  rollingUpdate: optional(object('How RollingUpdate goes.', {
    partition: integer('Pods with a lower number stay on the old release.', { minimum: 0, default: 0 }),
  }, { default: {} })),
}, { default: {} })

// Required: key and operator. The reference misspells the keyword, and without them no pod can be scheduled.
// A key may have 317 characters, prefix included; the reference's 63 leave no room for its own ability labels.
const nodeSelector = array('Conditions on the labels of nodes; all must hold.', object('A condition.', {
  key: string('Label key.', { pattern: patterns.qualifiedName, maxLength: 317 }),
  operator: choice('How key and values relate.', ['In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt']),
  values: optional(array('Label values.', labelValue('A value.'))),
}), { default: [] })

const gate = string('A pod condition.', { pattern: patterns.qualifiedName, maxLength: limits.name })

const common = {
  abilityAffinity: choice('Which nodes it may or should run on, by their ability labels.', ['AppRequired', 'ServerRequired', 'AppOrServerPreferred', 'None'], 'AppOrServerPreferred'),
  daemonSet: boolean('One pod on every node instead of a number of replicas.', false),
  env: optional(env),
  envFrom: optional(envFrom),
  hostIPC: boolean("Shares the node's IPC.", false),
  hostNetwork: boolean("Shares the node's network; host ports are then ignored.", false),
  hostPorts: optional(hostPorts),
  mounts: optional(mounts()),
  nodeSelector,
  notStacked: boolean('No two of its pods on one node.', false),
  podManagementPolicy: choice('Pods start one after the other, or all at once.', ['OrderedReady', 'Parallel'], 'Parallel'),
  replicas: optional(integer('Number of pods.', { minimum: 0, maximum: 99 })),
  serviceAccount: optional(name('ServiceAccount of the pods.')),
} as const

const sinceV1beta2 = {
  imagePullPolicy: choice('When the image is pulled.', ['Always', 'Never', 'IfNotPresent'], 'Always'),
  launcherType: choice('Who is PID 1: tarsnode (background) or the service (foreground).', ['foreground', 'background'], 'background'),
  updateStrategy,
} as const

const runs = <const P extends Shape>(shape: P, ...more: readonly ValidationRule[]) => withRules(object('How it runs on Kubernetes.', shape), ...k8sRules, ...more)

// Not in the reference, whose web makes autoscalers beside the TServer.
const autoscaling = withRules(object('Pods come and go with the load: a HorizontalPodAutoscaler (autoscaling/v2) changes replicas, which is then better left out.', {
  minReplicas: integer('Least number of pods.', { minimum: 1, maximum: 99, default: 1 }),
  maxReplicas: integer('Most number of pods.', { minimum: 1, maximum: 99 }),
  cpu: optional(integer('Percent of the requested cpu that pods shall use on average.', { minimum: 1, maximum: 1000 })),
  memory: optional(integer('Percent of the requested memory that pods shall use on average.', { minimum: 1, maximum: 1000 })),
  metrics: optional(array('Further metrics, each a MetricSpec of autoscaling/v2.', anyObject('A metric.'), { maxItems: 16 })),
  behavior: optional(anyObject('How fast, as HorizontalPodAutoscalerBehavior of autoscaling/v2.')),
}), ...autoscalingRules)

const k8s = runs({
  ...common, ...sinceV1beta2, ...podFields,
  autoscaling: optional(autoscaling),
  command: optional(array("Replaces the image's entrypoint.", string('An argument.'))),
  args: optional(array("Replaces the image's arguments.", string('An argument.'))),
  readinessGates: optional(array('Conditions a pod needs to be ready.', gate)),
  resources: object('Resources of the container.', resourceShape, { default: {} }),
}, autoscaledRule)

const readinessGate = optional(gate)
const k8sOld = {
  v1beta2: runs({ ...common, ...sinceV1beta2, readinessGate, resources: object('Resources of the container.', resourceShape, { default: {} }) }),
  v1beta1: runs({ ...common, mounts: optional(mountsV1beta1()), readinessGate, resources: optional(object('Resources of the container.', resourceShape)) }),
}

const releaseBase = {
  id: releaseId('Id of the release; a label of its pods.'),
  image: image('Image reference, by tag or digest.'),
  secret: optional(secretName('Pull secret of the image.')),
  time: optional(dateTime('When it was released.')),
}
const releaseNode = {
  nodeImage: optional(image('Image that tarsnode is injected from; without one, the tarsnode baked into the image runs.')),
  nodeSecret: optional(secretName('Pull secret of the node image.')),
}
export const release = object('What runs. Without it nothing is started.', { ...releaseBase, ...releaseNode })
const releaseV1beta1 = object('What runs. Without it nothing is started.', { source: optional(string('Where it came from.', { maxLength: 253 })), ...releaseBase })

const identity = {
  app: fixed('tserver', 'spec.app', appName('Application; cannot change.')),
  server: fixed('tserver', 'spec.server', serverName('Server of the application; cannot change.')),
  variant: optional(string('Tells further TServers of the same server apart, e.g. those of other sets; the end of their names. Cannot change.', { pattern: patterns.variant, maxLength: 20 })),
  important: integer('How important it is, for alarms.', { minimum: 1, maximum: 20, default: 3 }),
  subType: fixed('tserver', 'spec.subType', choice('tars: speaks Tars and is run by tarsnode. normal: anything else. Cannot change.', ['tars', 'normal'])),
} as const

const whole = <const P extends Shape>(shape: P) => withRules(object('What should run.', shape, { oneOf: [['tars', 'k8s'], ['normal', 'k8s']] }), ...serverSpecRules)

export const tserverSpec = whole({ ...identity, tars: optional(tars), normal: optional(normal), k8s, release: optional(release) })

export const tserverStatus = object('What runs.', {
  replicas: integer('Pods that should run.'),
  readyReplicas: integer('Pods that are ready.'),
  currentReplicas: integer('Pods that exist.'),
  selector: string('Selects the pods.'),
  // Wider than the reference, whose status has the four fields above.
  observedGeneration: optional(observedGeneration),
  conditions: optional(conditions('Released, Available, Progressing or Degraded.')),
})

const old = {
  v1beta2: whole({ ...identity, tars: optional(tars), normal: optional(normal), k8s: k8sOld.v1beta2, release: optional(release) }),
  v1beta1: whole({ ...identity, tars: optional(tars), normal: optional(normalV1beta1), k8s: k8sOld.v1beta1, release: optional(releaseV1beta1) }),
}

/** The schema of spec in one version. */
export function tserverSpecSchema(version: Version): JsonSchema {
  return version === 'v1beta3' ? tserverSpec.json : old[version].json
}
