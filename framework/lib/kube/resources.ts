import type { Resource } from './types.ts'

/** The built-in collections that this project talks to. */
function core(plural: string, kind: string, namespaced = true): Resource {
  return Object.freeze({ group: '', version: 'v1', plural, kind, namespaced })
}

function grouped(group: string, plural: string, kind: string, namespaced = true): Resource {
  return Object.freeze({ group, version: 'v1', plural, kind, namespaced })
}

export const namespaces = core('namespaces', 'Namespace', false)
export const nodes = core('nodes', 'Node', false)
export const pods = core('pods', 'Pod')
export const services = core('services', 'Service')
export const endpoints = core('endpoints', 'Endpoints')
export const events = core('events', 'Event')
export const configMaps = core('configmaps', 'ConfigMap')
export const secrets = core('secrets', 'Secret')
export const serviceAccounts = core('serviceaccounts', 'ServiceAccount')
export const persistentVolumeClaims = core('persistentvolumeclaims', 'PersistentVolumeClaim')
export const persistentVolumes = core('persistentvolumes', 'PersistentVolume', false)

export const statefulSets = grouped('apps', 'statefulsets', 'StatefulSet')
export const daemonSets = grouped('apps', 'daemonsets', 'DaemonSet')
export const deployments = grouped('apps', 'deployments', 'Deployment')
export const controllerRevisions = grouped('apps', 'controllerrevisions', 'ControllerRevision')

export const jobs = grouped('batch', 'jobs', 'Job')
export const leases = grouped('coordination.k8s.io', 'leases', 'Lease')
export const endpointSlices = grouped('discovery.k8s.io', 'endpointslices', 'EndpointSlice')
export const storageClasses = grouped('storage.k8s.io', 'storageclasses', 'StorageClass', false)
export const networkPolicies = grouped('networking.k8s.io', 'networkpolicies', 'NetworkPolicy')
export const podDisruptionBudgets = grouped('policy', 'poddisruptionbudgets', 'PodDisruptionBudget')
export const horizontalPodAutoscalers: Resource = Object.freeze({ group: 'autoscaling', version: 'v2', plural: 'horizontalpodautoscalers', kind: 'HorizontalPodAutoscaler', namespaced: true })
export const customResourceDefinitions = grouped('apiextensions.k8s.io', 'customresourcedefinitions', 'CustomResourceDefinition', false)
export const mutatingWebhookConfigurations = grouped('admissionregistration.k8s.io', 'mutatingwebhookconfigurations', 'MutatingWebhookConfiguration', false)
export const validatingWebhookConfigurations = grouped('admissionregistration.k8s.io', 'validatingwebhookconfigurations', 'ValidatingWebhookConfiguration', false)
export const clusterRoles = grouped('rbac.authorization.k8s.io', 'clusterroles', 'ClusterRole', false)
export const clusterRoleBindings = grouped('rbac.authorization.k8s.io', 'clusterrolebindings', 'ClusterRoleBinding', false)
export const roles = grouped('rbac.authorization.k8s.io', 'roles', 'Role')
export const roleBindings = grouped('rbac.authorization.k8s.io', 'rolebindings', 'RoleBinding')
