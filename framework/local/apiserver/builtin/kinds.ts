import type { Definition, ScalePaths } from '../definition.ts'
import type { NameRule } from '../metadata.ts'
import { ageColumn, builtinColumns, nameColumn } from '../table/builtin-columns.ts'
import { builtinDefaults } from './defaults.ts'
import { builtinMerge, plainMerge } from './merge.ts'
import { builtinDecoder } from './prepare.ts'
import { BuiltinSchemas } from './schema.ts'
import { builtinValidation } from './validate.ts'

interface Row {
  readonly group?: string
  readonly version?: string
  readonly plural: string
  readonly kind: string
  readonly short?: readonly string[]
  readonly cluster?: true
  readonly status?: true
  readonly generation?: true
  readonly scale?: ScalePaths
  readonly all?: true
  readonly fields?: readonly string[]
  readonly nameRule?: NameRule
}

const replicas: ScalePaths = { spec: ['spec', 'replicas'], status: ['status', 'replicas'], selector: undefined }
const podFields = ['spec.nodeName', 'spec.restartPolicy', 'spec.schedulerName', 'spec.serviceAccountName', 'spec.hostNetwork', 'status.phase', 'status.podIP', 'status.nominatedNodeName']
const eventFields = [...['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'].map((field) => `involvedObject.${field}`), 'reason', 'reportingComponent', 'source', 'type']

const core: readonly Row[] = [
  { plural: 'namespaces', kind: 'Namespace', short: ['ns'], cluster: true, status: true, fields: ['status.phase'], nameRule: 'label' },
  { plural: 'nodes', kind: 'Node', short: ['no'], cluster: true, status: true, fields: ['spec.unschedulable'] },
  { plural: 'pods', kind: 'Pod', short: ['po'], status: true, all: true, fields: podFields },
  { plural: 'services', kind: 'Service', short: ['svc'], status: true, all: true, fields: ['spec.clusterIP', 'spec.type'], nameRule: 'service' },
  { plural: 'endpoints', kind: 'Endpoints', short: ['ep'] },
  { plural: 'events', kind: 'Event', short: ['ev'], fields: eventFields },
  { plural: 'configmaps', kind: 'ConfigMap', short: ['cm'] },
  { plural: 'secrets', kind: 'Secret', fields: ['type'] },
  { plural: 'serviceaccounts', kind: 'ServiceAccount', short: ['sa'] },
  { plural: 'persistentvolumeclaims', kind: 'PersistentVolumeClaim', short: ['pvc'], status: true },
  { plural: 'persistentvolumes', kind: 'PersistentVolume', short: ['pv'], cluster: true, status: true },
  { plural: 'limitranges', kind: 'LimitRange', short: ['limits'] },
  { plural: 'resourcequotas', kind: 'ResourceQuota', short: ['quota'], status: true },
]

const apps: readonly Row[] = [
  { plural: 'statefulsets', kind: 'StatefulSet', short: ['sts'], status: true, generation: true, scale: replicas, all: true },
  { plural: 'daemonsets', kind: 'DaemonSet', short: ['ds'], status: true, generation: true, all: true },
  { plural: 'deployments', kind: 'Deployment', short: ['deploy'], status: true, generation: true, scale: replicas, all: true },
  { plural: 'replicasets', kind: 'ReplicaSet', short: ['rs'], status: true, generation: true, scale: replicas, all: true },
  { plural: 'controllerrevisions', kind: 'ControllerRevision' },
]

const rbac: readonly Row[] = [
  { plural: 'clusterroles', kind: 'ClusterRole', cluster: true, nameRule: 'path' },
  { plural: 'clusterrolebindings', kind: 'ClusterRoleBinding', cluster: true, nameRule: 'path' },
  { plural: 'roles', kind: 'Role', nameRule: 'path' },
  { plural: 'rolebindings', kind: 'RoleBinding', nameRule: 'path' },
]

const inGroup = (group: string, rows: readonly Row[]): Row[] => rows.map((row) => ({ group, ...row }))

const rows: readonly Row[] = [
  ...core,
  ...inGroup('apps', apps),
  ...inGroup('batch', [{ plural: 'jobs', kind: 'Job', status: true, generation: true, all: true }, { plural: 'cronjobs', kind: 'CronJob', short: ['cj'], status: true, generation: true, all: true }]),
  ...inGroup('autoscaling', [{ version: 'v2', plural: 'horizontalpodautoscalers', kind: 'HorizontalPodAutoscaler', short: ['hpa'], status: true, all: true }]),
  ...inGroup('coordination.k8s.io', [{ plural: 'leases', kind: 'Lease' }]),
  ...inGroup('discovery.k8s.io', [{ plural: 'endpointslices', kind: 'EndpointSlice', generation: true }]),
  ...inGroup('networking.k8s.io', [{ plural: 'networkpolicies', kind: 'NetworkPolicy', short: ['netpol'], generation: true }]),
  ...inGroup('policy', [{ plural: 'poddisruptionbudgets', kind: 'PodDisruptionBudget', short: ['pdb'], status: true, generation: true }]),
  ...inGroup('scheduling.k8s.io', [{ plural: 'priorityclasses', kind: 'PriorityClass', short: ['pc'], cluster: true }]),
  ...inGroup('storage.k8s.io', [{ plural: 'storageclasses', kind: 'StorageClass', short: ['sc'], cluster: true }]),
  ...inGroup('rbac.authorization.k8s.io', rbac),
  ...inGroup('apiextensions.k8s.io', [{ plural: 'customresourcedefinitions', kind: 'CustomResourceDefinition', short: ['crd', 'crds'], cluster: true, status: true, generation: true }]),
  ...inGroup('admissionregistration.k8s.io', [
    { plural: 'mutatingwebhookconfigurations', kind: 'MutatingWebhookConfiguration', cluster: true, generation: true },
    { plural: 'validatingwebhookconfigurations', kind: 'ValidatingWebhookConfiguration', cluster: true, generation: true },
  ]),
]

function definition(row: Row, schemas: BuiltinSchemas): Definition {
  const { group = '', version = 'v1', plural, kind } = row
  const key = `${group}/${plural}`
  const defaults = builtinDefaults[key]
  const validate = builtinValidation[key]
  const schema = schemas.of(group, version, kind)
  const decode = schema === undefined ? () => [] : builtinDecoder(schema)
  return {
    group, version, plural, kind,
    singular: kind.toLowerCase(),
    listKind: `${kind}List`,
    shortNames: row.short ?? [],
    categories: row.all === true ? ['all'] : kind === 'CustomResourceDefinition' ? ['api-extensions'] : [],
    namespaced: row.cluster !== true,
    nameRule: row.nameRule ?? 'subdomain',
    storageVersion: version,
    custom: false,
    status: row.status === true,
    scale: row.scale,
    generation: row.generation === true,
    merge: builtinMerge[key] ?? plainMerge,
    columns: builtinColumns[key] ?? [nameColumn, ageColumn],
    selectableFields: row.fields ?? [],
    schema,
    warning: undefined,
    prepare(object) {
      const unknown = decode(object)
      defaults?.(object)
      return unknown
    },
    validate: validate ?? (() => []),
    convert: (objects) => Promise.resolve(objects),
  }
}

/** The built-in kinds that this server keeps. */
export function builtinDefinitions(): Definition[] {
  const schemas = new BuiltinSchemas()
  return rows.map((row) => definition(row, schemas))
}
