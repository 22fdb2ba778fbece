// Writes fields.json: which fields the built-in kinds have, from the published API types (npm: kubernetes-types).
// Run it after an update of that package: node framework/local/apiserver/builtin/generate-fields.ts
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * Types by `file.Name`, each a map from field to type: `s` string, `n` number, `b` boolean, `q` integer or string,
 * `*` anything, `[t` a list of t, `{t` a map of t, `#file.Name` another type.
 */
export type FieldTable = Readonly<Record<string, Readonly<Record<string, string>>>>

const roots: Readonly<Record<string, readonly string[]>> = {
  'core/v1': ['Namespace', 'Node', 'Pod', 'Service', 'Endpoints', 'Event', 'ConfigMap', 'Secret', 'ServiceAccount', 'PersistentVolumeClaim', 'PersistentVolume', 'LimitRange', 'ResourceQuota'],
  'apps/v1': ['StatefulSet', 'DaemonSet', 'Deployment', 'ReplicaSet', 'ControllerRevision'],
  'batch/v1': ['Job', 'CronJob'],
  'autoscaling/v2': ['HorizontalPodAutoscaler'],
  'coordination/v1': ['Lease'],
  'discovery/v1': ['EndpointSlice'],
  'networking/v1': ['NetworkPolicy'],
  'policy/v1': ['PodDisruptionBudget'],
  'scheduling/v1': ['PriorityClass'],
  'storage/v1': ['StorageClass'],
  'rbac/v1': ['ClusterRole', 'ClusterRoleBinding', 'Role', 'RoleBinding'],
  'meta/v1': ['ObjectMeta'],
  // The schemas in it are checked by crd/check.ts.
  'apiextensions/v1': ['CustomResourceDefinition'],
  'admissionregistration/v1': ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration'],
}

/** Fields that came to the API after the release that the package describes (1.30), or that it lacks. */
const later: FieldTable = {
  'admissionregistration/v1.RuleWithOperations': { resources: '[s', scope: 's' },
  'core/v1.Volume': { image: '#core/v1.ImageVolumeSource' },
  'core/v1.ImageVolumeSource': { reference: 's', pullPolicy: 's' },
  'core/v1.PodSpec': { resources: '#core/v1.ResourceRequirements', hostnameOverride: 's' },
  'core/v1.PodStatus': { observedGeneration: 'n', resourceClaimStatuses: '*' },
  'core/v1.PodCondition': { observedGeneration: 'n' },
  'core/v1.Container': { restartPolicyRules: '*' },
  'core/v1.Lifecycle': { stopSignal: 's' },
  'core/v1.ContainerStatus': { user: '*', allocatedResourcesStatus: '*', volumeMounts: '*', stopSignal: 's' },
  'core/v1.ServiceSpec': { trafficDistribution: 's' },
  'coordination/v1.LeaseSpec': { strategy: 's', preferredHolder: 's' },
  'apps/v1.DeploymentStatus': { terminatingReplicas: 'n' },
  'apps/v1.ReplicaSetStatus': { terminatingReplicas: 'n' },
}

const opaque = ['RawExtension', 'FieldsV1', 'Quantity', 'JSON', 'JSONSchemaProps']
const scalars: Readonly<Record<string, string>> = { string: 's', number: 'n', boolean: 'b', Time: 's', MicroTime: 's', 'number | string': 'q', 'string | number': 'q' }

interface Source {
  readonly path: string
  readonly text: string
  readonly imports: ReadonlyMap<string, string>
}

/** Reads the types below `folder` that the roots need. */
export function fieldTable(folder: string): FieldTable {
  const sources = new Map<string, Source>()
  const table: Record<string, Record<string, string>> = {}
  const visit = (file: string, name: string): void => {
    const key = `${file}.${name}`
    if (table[key] !== undefined) return
    const source = sources.get(file) ?? readSource(folder, file)
    sources.set(file, source)
    const fields: Record<string, string> = {}
    table[key] = fields
    for (const [field, type] of fieldsOf(source.text, name)) {
      const refer = (other: string): string => {
        const home = source.imports.get(other) ?? file
        visit(home, other)
        return `#${home}.${other}`
      }
      fields[field] = field === 'metadata' && type === 'ObjectMeta' ? '*' : encode(type, refer)
    }
    Object.assign(fields, later[key])
    for (const added of Object.values(later[key] ?? {})) if (added.startsWith('#')) table[added.slice(1)] ??= { ...later[added.slice(1)] }
  }
  for (const [file, names] of Object.entries(roots)) for (const name of names) visit(file, name)
  return table
}

function readSource(folder: string, path: string): Source {
  const text = readFileSync(join(folder, `${path}.d.ts`), 'utf8')
  const imports = new Map<string, string>()
  for (const [, names = '', from = ''] of text.matchAll(/import \{ ([^}]+) \} from "([^"]+)"/g)) {
    const home = relative(folder, join(folder, dirname(path), from))
    for (const name of names.split(',')) imports.set(name.trim(), home)
  }
  return { path, text, imports }
}

function fieldsOf(text: string, name: string): [string, string][] {
  const body = new RegExp(`export interface ${name} \\{\\n([\\s\\S]*?)\\n\\}`).exec(text)?.[1]
  if (body === undefined) throw new Error(`no interface ${name}`)
  // A comment ends at the end of a line; its text may have */ in it.
  const plain = body.replace(/^ {4}\/\*\*[\s\S]*?\*\/$/gm, '')
  return [...plain.matchAll(/^ {4}(?:readonly )?"?([$\w-]+)"?\??: ([\s\S]*?);$(?=\s*(?:^ {4}\S|$(?![\s\S])))/gm)].map(([, field = '', type = '']) => [field, type.replace(/\s+/g, ' ').trim()])
}

function encode(type: string, refer: (name: string) => string): string {
  const list = /^Array<(.*)>$/.exec(type)?.[1]
  if (list !== undefined) return `[${encode(list, refer)}`
  const map = /^\{ \[name: string\]: (.*?)(?:; \})?$/.exec(type)?.[1]
  if (map !== undefined) return `{${encode(map, refer)}`
  if (/^"[^"]*"( \| "[^"]*")*$/.test(type)) return 's'
  if (opaque.includes(type)) return '*'
  return scalars[type] ?? (/^[A-Z]\w*$/.test(type) ? refer(type) : '*')
}

/** One type a line, sorted, so that changes read well. */
export function renderTable(table: FieldTable): string {
  const lines = Object.keys(table).sort().map((key) => `${JSON.stringify(key)}: ${JSON.stringify(table[key])}`)
  return `{\n${lines.join(',\n')}\n}\n`
}

if (import.meta.main) {
  const types = dirname(fileURLToPath(import.meta.resolve('kubernetes-types/package.json')))
  writeFileSync(join(import.meta.dirname, 'fields.json'), renderTable(fieldTable(types)))
}
