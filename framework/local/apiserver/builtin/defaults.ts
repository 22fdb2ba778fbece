import type { AnyObject } from '#kube/types.ts'
import { crdDefaults } from '../crd/check.ts'
import { isObject } from '../json.ts'
import type { JsonObject } from '../json.ts'

// Defaults that a real API server would store, as far as this project's roles and kubectl look at them.

type Default = (object: AnyObject) => void

/** Sets what is missing. */
function fill(target: unknown, defaults: JsonObject): void {
  if (isObject(target)) for (const [field, value] of Object.entries(defaults)) target[field] ??= value
}

function child(parent: unknown, field: string): JsonObject {
  if (!isObject(parent)) return {}
  const present = parent[field]
  if (isObject(present)) return present
  const made: JsonObject = {}
  parent[field] = made
  return made
}

function items(parent: unknown, field: string): unknown[] {
  const list = isObject(parent) ? parent[field] : undefined
  return Array.isArray(list) ? list : []
}

function pullPolicy(image: unknown): string {
  const name = typeof image === 'string' ? (image.split('/').at(-1) ?? '') : ''
  return !name.includes(':') && !name.includes('@') ? 'Always' : name.endsWith(':latest') ? 'Always' : 'IfNotPresent'
}

function containerDefaults(container: unknown): void {
  if (!isObject(container)) return
  fill(container, { imagePullPolicy: pullPolicy(container['image']), terminationMessagePath: '/dev/termination-log', terminationMessagePolicy: 'File', resources: {} })
  for (const port of items(container, 'ports')) fill(port, { protocol: 'TCP' })
  for (const variable of items(container, 'env')) if (isObject(variable) && isObject(variable['valueFrom'])) fill(variable['valueFrom']['fieldRef'], { apiVersion: 'v1' })
}

function podSpecDefaults(spec: JsonObject): void {
  fill(spec, { restartPolicy: 'Always', dnsPolicy: 'ClusterFirst', terminationGracePeriodSeconds: 30, securityContext: {}, schedulerName: 'default-scheduler' })
  // Two names of one field, of which either counts for want of the other.
  const account = spec['serviceAccountName'] || spec['serviceAccount']
  if (account !== undefined && account !== '') Object.assign(spec, { serviceAccountName: account, serviceAccount: account })
  for (const container of [...items(spec, 'containers'), ...items(spec, 'initContainers')]) containerDefaults(container)
  for (const volume of items(spec, 'volumes').filter(isObject)) {
    for (const source of ['configMap', 'secret']) fill(volume[source], { defaultMode: 420 })
    if (isObject(volume['image'])) fill(volume['image'], { pullPolicy: pullPolicy(volume['image']['reference']) })
  }
}

const templateDefaults = (spec: JsonObject): void => podSpecDefaults(child(child(spec, 'template'), 'spec'))

function pod(object: AnyObject): void {
  podSpecDefaults(child(object, 'spec'))
  fill(child(object, 'spec'), { enableServiceLinks: true })
  fill(child(object, 'status'), { phase: 'Pending', qosClass: 'BestEffort' })
}

function statefulSet(object: AnyObject): void {
  const spec = child(object, 'spec')
  fill(spec, { replicas: 1, podManagementPolicy: 'OrderedReady', revisionHistoryLimit: 10, updateStrategy: {} })
  const strategy = child(spec, 'updateStrategy')
  fill(strategy, { type: 'RollingUpdate' })
  if (strategy['type'] === 'RollingUpdate') fill(child(strategy, 'rollingUpdate'), { partition: 0 })
  templateDefaults(spec)
  for (const claim of items(spec, 'volumeClaimTemplates')) {
    fill(claim, { apiVersion: 'v1', kind: 'PersistentVolumeClaim' })
    fill(child(claim, 'spec'), { volumeMode: 'Filesystem' })
    fill(child(claim, 'status'), { phase: 'Pending' })
  }
  fill(child(object, 'status'), { replicas: 0, availableReplicas: 0 })
}

function daemonSet(object: AnyObject): void {
  const spec = child(object, 'spec')
  fill(spec, { revisionHistoryLimit: 10, updateStrategy: {} })
  const strategy = child(spec, 'updateStrategy')
  fill(strategy, { type: 'RollingUpdate' })
  if (strategy['type'] === 'RollingUpdate') fill(child(strategy, 'rollingUpdate'), { maxUnavailable: 1, maxSurge: 0 })
  templateDefaults(spec)
  fill(child(object, 'status'), { currentNumberScheduled: 0, desiredNumberScheduled: 0, numberMisscheduled: 0, numberReady: 0 })
}

function deployment(object: AnyObject): void {
  const spec = child(object, 'spec')
  fill(spec, { replicas: 1, revisionHistoryLimit: 10, progressDeadlineSeconds: 600, strategy: {} })
  const strategy = child(spec, 'strategy')
  fill(strategy, { type: 'RollingUpdate' })
  if (strategy['type'] === 'RollingUpdate') fill(child(strategy, 'rollingUpdate'), { maxUnavailable: '25%', maxSurge: '25%' })
  templateDefaults(spec)
}

function service(object: AnyObject): void {
  const spec = child(object, 'spec')
  fill(spec, { type: 'ClusterIP', sessionAffinity: 'None' })
  if (spec['type'] !== 'ExternalName') fill(spec, { internalTrafficPolicy: 'Cluster', ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' })
  if (spec['clusterIP'] === 'None') fill(spec, { clusterIPs: ['None'] })
  for (const port of items(spec, 'ports')) if (isObject(port)) fill(port, { protocol: 'TCP', targetPort: port['port'] })
  fill(object, { status: { loadBalancer: {} } })
}

function namespace(object: AnyObject): void {
  fill(child(object, 'spec'), { finalizers: ['kubernetes'] })
  fill(child(object, 'status'), { phase: 'Active' })
  object.metadata.labels = { ...object.metadata.labels, 'kubernetes.io/metadata.name': object.metadata.name }
}

function secret(object: AnyObject): void {
  const texts = object['stringData']
  if (isObject(texts)) {
    const encoded = Object.entries(texts).map(([key, text]) => [key, Buffer.from(String(text)).toString('base64')])
    object['data'] = { ...(isObject(object['data']) ? object['data'] : {}), ...Object.fromEntries(encoded) }
    delete object['stringData']
  }
  fill(object, { type: 'Opaque' })
}

function claim(object: AnyObject): void {
  fill(child(object, 'spec'), { volumeMode: 'Filesystem' })
  fill(child(object, 'status'), { phase: 'Pending' })
}

function volume(object: AnyObject): void {
  fill(child(object, 'spec'), { persistentVolumeReclaimPolicy: 'Retain', volumeMode: 'Filesystem' })
  fill(child(object, 'status'), { phase: 'Available' })
}

/** By `group/plural`; applied after every write. */
export const builtinDefaults: Readonly<Record<string, Default>> = {
  '/pods': pod,
  '/services': service,
  '/namespaces': namespace,
  '/secrets': secret,
  '/persistentvolumeclaims': claim,
  '/persistentvolumes': volume,
  'apps/statefulsets': statefulSet,
  'apps/daemonsets': daemonSet,
  'apps/deployments': deployment,
  'apiextensions.k8s.io/customresourcedefinitions': crdDefaults,
  'storage.k8s.io/storageclasses': (object) => fill(object, { reclaimPolicy: 'Delete', volumeBindingMode: 'Immediate' }),
}
