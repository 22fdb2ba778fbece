import type { AnyObject } from '#kube/types.ts'
import type { Column } from '../definition.ts'
import { at, isObject } from '../json.ts'
import type { JsonObject } from '../json.ts'
import { ageOf } from './age.ts'
import { podGates, podReady, podRestarts, podStatus } from './pod-columns.ts'

// The tables of the built-in kinds, as kubectl users know them.

type Value = Column['value']

function column(name: string, value: Value, { type = 'string', wide = false, format = '' }: { type?: Column['type']; wide?: boolean; format?: string } = {}): Column {
  return { name, type, format, description: '', priority: wide ? 1 : 0, value }
}

const none = (value: unknown): unknown => (value === undefined || value === null || value === '' ? '<none>' : value)
const field = (...path: string[]): Value => (object) => none(at(object, path))
const count = (...path: string[]): Value => (object) => at(object, path) ?? 0
const size = (...path: string[]): Value => (object) => Object.keys((at(object, path) ?? {}) as object).length
const lists = (value: unknown): JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : [])

export const nameColumn = column('Name', (object) => object.metadata.name, { format: 'name' })
export const ageColumn = column('Age', (object) => ageOf(object.metadata.creationTimestamp))
const wide = { wide: true } as const
const integer = { type: 'integer' } as const

function labelText(value: unknown): string {
  const pairs = isObject(value) ? Object.entries(value) : []
  return pairs.length === 0 ? '<none>' : pairs.map(([key, text]) => `${key}=${String(text)}`).join(',')
}

function selectorText(...path: string[]): Value {
  return (object) => {
    const selector = at(object, path)
    return labelText(isObject(selector) && isObject(selector['matchLabels']) ? selector['matchLabels'] : selector)
  }
}

function templateColumns(): Column[] {
  const containers = (object: AnyObject) => lists(at(object, ['spec', 'template', 'spec', 'containers']))
  return [
    column('Containers', (object) => containers(object).map((item) => item['name']).join(','), wide),
    column('Images', (object) => containers(object).map((item) => item['image']).join(','), wide),
  ]
}

function servicePorts(object: AnyObject): unknown {
  const ports = lists(at(object, ['spec', 'ports']))
  return none(ports.map((port) => `${String(port['port'])}${port['nodePort'] === undefined ? '' : `:${String(port['nodePort'])}`}/${String(port['protocol'])}`).join(','))
}

function nodeStatus(node: AnyObject): string {
  const ready = lists(at(node, ['status', 'conditions'])).find((condition) => condition['type'] === 'Ready')
  const text = ready === undefined ? 'Unknown' : ready['status'] === 'True' ? 'Ready' : 'NotReady'
  return at(node, ['spec', 'unschedulable']) === true ? `${text},SchedulingDisabled` : text
}

function nodeRoles(node: AnyObject): string {
  const prefix = 'node-role.kubernetes.io/'
  return String(none(Object.keys(node.metadata.labels ?? {}).filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length)).sort().join(',')))
}

const nodeAddress = (type: string): Value => (node) => none(lists(at(node, ['status', 'addresses'])).find((address) => address['type'] === type)?.['address'])

function endpointText(object: AnyObject): unknown {
  const all = lists(object['subsets']).flatMap((subset) => {
    const ports = lists(subset['ports'])
    const hosts = lists(subset['addresses']).map((address) => String(address['ip']))
    return ports.length === 0 ? hosts : ports.flatMap((port) => hosts.map((host) => `${host}:${String(port['port'])}`))
  })
  return none(all.length > 3 ? `${all.slice(0, 3).join(',')} + ${all.length - 3} more...` : all.join(','))
}

const accessModes: Readonly<Record<string, string>> = { ReadWriteOnce: 'RWO', ReadOnlyMany: 'ROX', ReadWriteMany: 'RWX', ReadWriteOncePod: 'RWOP' }
const modesText = (...path: string[]): Value => (object) => ((at(object, path) ?? []) as string[]).map((mode) => accessModes[mode] ?? mode).join(',')
const conditionOf = (object: AnyObject, type: string) => lists(at(object, ['status', 'conditions'])).find((condition) => condition['type'] === type)?.['lastTransitionTime']

const pod = [
  nameColumn, column('Ready', podReady), column('Status', podStatus), column('Restarts', podRestarts), ageColumn,
  column('IP', field('status', 'podIP'), wide), column('Node', field('spec', 'nodeName'), wide),
  column('Nominated Node', field('status', 'nominatedNodeName'), wide), column('Readiness Gates', (object) => none(podGates(object)), wide),
]

const event = [
  column('Last Seen', (object) => ageOf(object['lastTimestamp'] ?? object['eventTime'] ?? object.metadata.creationTimestamp)),
  column('Type', field('type')), column('Reason', field('reason')),
  column('Object', (object) => `${String(at(object, ['involvedObject', 'kind']) ?? '').toLowerCase()}/${String(at(object, ['involvedObject', 'name']) ?? '')}`),
  column('Source', field('source', 'component'), wide), column('Message', (object) => String(object['message'] ?? '').trim()),
  column('Count', count('count'), { ...integer, wide: true }), column('Name', (object) => object.metadata.name, { format: 'name', wide: true }),
]

/** By `group/plural`; kinds not listed show name and age. */
export const builtinColumns: Readonly<Record<string, readonly Column[]>> = {
  '/pods': pod,
  '/events': event,
  '/namespaces': [nameColumn, column('Status', (object) => (object.metadata.deletionTimestamp === undefined ? field('status', 'phase')(object) : 'Terminating')), ageColumn],
  '/services': [
    nameColumn, column('Type', field('spec', 'type')), column('Cluster-IP', field('spec', 'clusterIP')), column('External-IP', field('spec', 'externalName')),
    column('Port(s)', servicePorts), ageColumn, column('Selector', selectorText('spec', 'selector'), wide),
  ],
  '/endpoints': [nameColumn, column('Endpoints', endpointText), ageColumn],
  '/nodes': [
    nameColumn, column('Status', nodeStatus), column('Roles', nodeRoles), ageColumn, column('Version', field('status', 'nodeInfo', 'kubeletVersion')),
    column('Internal-IP', nodeAddress('InternalIP'), wide), column('External-IP', nodeAddress('ExternalIP'), wide), column('OS-Image', field('status', 'nodeInfo', 'osImage'), wide),
    column('Kernel-Version', field('status', 'nodeInfo', 'kernelVersion'), wide), column('Container-Runtime', field('status', 'nodeInfo', 'containerRuntimeVersion'), wide),
  ],
  '/configmaps': [nameColumn, column('Data', (object) => Number(size('data')(object)) + Number(size('binaryData')(object)), integer), ageColumn],
  '/secrets': [nameColumn, column('Type', field('type')), column('Data', size('data'), integer), ageColumn],
  '/serviceaccounts': [nameColumn, column('Secrets', size('secrets'), integer), ageColumn],
  '/persistentvolumeclaims': [
    nameColumn, column('Status', (object) => (object.metadata.deletionTimestamp === undefined ? field('status', 'phase')(object) : 'Terminating')),
    column('Volume', (object) => at(object, ['spec', 'volumeName']) ?? ''), column('Capacity', (object) => at(object, ['status', 'capacity', 'storage']) ?? ''),
    column('Access Modes', modesText('status', 'accessModes')), column('StorageClass', (object) => at(object, ['spec', 'storageClassName']) ?? ''),
    ageColumn, column('VolumeMode', field('spec', 'volumeMode'), wide),
  ],
  '/persistentvolumes': [
    nameColumn, column('Capacity', field('spec', 'capacity', 'storage')), column('Access Modes', modesText('spec', 'accessModes')),
    column('Reclaim Policy', field('spec', 'persistentVolumeReclaimPolicy')), column('Status', field('status', 'phase')),
    column('Claim', (object) => (at(object, ['spec', 'claimRef', 'name']) === undefined ? '' : `${String(at(object, ['spec', 'claimRef', 'namespace']))}/${String(at(object, ['spec', 'claimRef', 'name']))}`)),
    column('StorageClass', (object) => at(object, ['spec', 'storageClassName']) ?? ''), ageColumn,
  ],
  'apps/statefulsets': [nameColumn, column('Ready', (object) => `${String(count('status', 'readyReplicas')(object))}/${String(count('spec', 'replicas')(object))}`), ageColumn, ...templateColumns()],
  'apps/daemonsets': [
    nameColumn, column('Desired', count('status', 'desiredNumberScheduled'), integer), column('Current', count('status', 'currentNumberScheduled'), integer),
    column('Ready', count('status', 'numberReady'), integer), column('Up-to-date', count('status', 'updatedNumberScheduled'), integer),
    column('Available', count('status', 'numberAvailable'), integer), column('Node Selector', selectorText('spec', 'template', 'spec', 'nodeSelector')),
    ageColumn, ...templateColumns(), column('Selector', selectorText('spec', 'selector'), wide),
  ],
  'apps/deployments': [
    nameColumn, column('Ready', (object) => `${String(count('status', 'readyReplicas')(object))}/${String(count('spec', 'replicas')(object))}`),
    column('Up-to-date', count('status', 'updatedReplicas'), integer), column('Available', count('status', 'availableReplicas'), integer), ageColumn, ...templateColumns(),
  ],
  'apps/controllerrevisions': [
    nameColumn, column('Controller', (object) => none(object.metadata.ownerReferences?.map((owner) => `${owner.kind.toLowerCase()}/${owner.name}`).join(','))),
    column('Revision', count('revision'), integer), ageColumn,
  ],
  'coordination.k8s.io/leases': [nameColumn, column('Holder', (object) => at(object, ['spec', 'holderIdentity']) ?? ''), ageColumn],
  'storage.k8s.io/storageclasses': [
    nameColumn, column('Provisioner', field('provisioner')), column('ReclaimPolicy', field('reclaimPolicy')), column('VolumeBindingMode', field('volumeBindingMode')),
    column('AllowVolumeExpansion', (object) => object['allowVolumeExpansion'] === true), ageColumn,
  ],
  'apiextensions.k8s.io/customresourcedefinitions': [nameColumn, column('Created At', (object) => conditionOf(object, 'Established') ?? object.metadata.creationTimestamp)],
  'admissionregistration.k8s.io/mutatingwebhookconfigurations': [nameColumn, column('Webhooks', size('webhooks'), integer), ageColumn],
  'admissionregistration.k8s.io/validatingwebhookconfigurations': [nameColumn, column('Webhooks', size('webhooks'), integer), ageColumn],
}
