import type { MergeNode } from '../definition.ts'

// Merge keys of the built-in kinds: the x-kubernetes-list-map-keys and patchMergeKey of the published API.

const by = (keys: readonly string[], fields: Record<string, MergeNode> = {}, patchKey?: string): MergeNode =>
  ({ list: keys, items: { fields }, ...(patchKey === undefined ? {} : { patchKey }) })

const atomic: MergeNode = { atomic: true }
const set: MergeNode = { list: 'set' }

const envItem: Record<string, MergeNode> = {
  valueFrom: { fields: { fieldRef: atomic, resourceFieldRef: atomic, configMapKeyRef: atomic, secretKeyRef: atomic } },
}

const container: Record<string, MergeNode> = {
  env: by(['name'], envItem),
  ports: by(['containerPort', 'protocol'], {}, 'containerPort'),
  volumeMounts: by(['mountPath']),
  volumeDevices: by(['devicePath']),
  resources: { fields: { claims: by(['name']) } },
}

const podSpec: MergeNode = {
  fields: {
    containers: by(['name'], container),
    initContainers: by(['name'], container),
    ephemeralContainers: by(['name'], container),
    volumes: by(['name']),
    imagePullSecrets: by(['name']),
    hostAliases: by(['ip']),
    topologySpreadConstraints: by(['topologyKey', 'whenUnsatisfiable'], { labelSelector: atomic }, 'topologyKey'),
    resourceClaims: by(['name']),
    schedulingGates: by(['name']),
    nodeSelector: atomic,
  },
}

const conditions = by(['type'])

const podStatus: MergeNode = { fields: { conditions, podIPs: by(['ip']), hostIPs: { list: ['ip'] } } }

const template: MergeNode = { fields: { spec: podSpec } }

export const metadataMerge: MergeNode = { fields: { ownerReferences: by(['uid']), finalizers: set } }

const object = (fields: Record<string, MergeNode>): MergeNode => ({ fields: { metadata: metadataMerge, ...fields } })

const workload = object({
  spec: { fields: { template, selector: atomic, volumeClaimTemplates: { items: {} } } },
  status: { fields: { conditions } },
})

/** By `group/plural`; kinds not listed merge maps and replace lists. */
export const builtinMerge: Readonly<Record<string, MergeNode>> = {
  '/pods': object({ spec: podSpec, status: podStatus }),
  '/services': object({
    spec: { fields: { ports: by(['port', 'protocol'], {}, 'port'), selector: atomic, clusterIPs: {}, externalIPs: {} } },
    status: { fields: { conditions } },
  }),
  '/nodes': object({ spec: { fields: { taints: { items: {}, patchKey: 'key' } } }, status: { fields: { conditions, addresses: by(['type']) } } }),
  '/namespaces': object({ status: { fields: { conditions } } }),
  '/serviceaccounts': object({ secrets: by(['name']) }),
  '/persistentvolumeclaims': object({ spec: { fields: { selector: atomic } }, status: { fields: { conditions } } }),
  'apps/statefulsets': workload,
  'apps/daemonsets': workload,
  'apps/deployments': workload,
  'apps/replicasets': workload,
  'batch/jobs': workload,
  'apiextensions.k8s.io/customresourcedefinitions': object({ status: { fields: { conditions } } }),
  'admissionregistration.k8s.io/mutatingwebhookconfigurations': object({ webhooks: by(['name']) }),
  'admissionregistration.k8s.io/validatingwebhookconfigurations': object({ webhooks: by(['name']) }),
}

export const plainMerge: MergeNode = object({})
