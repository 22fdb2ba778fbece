// Small charts in the layout of K8SFramework 1.4's: its kinds, names, labels and hooks, written from control-plane spec D and not
// from any chart of it. What runs is not in them: images are names.
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { customResourceDefinitions } from '#api/crds.ts'
import { nodeImage } from '../controller/k8sframework.ts'

const system = 'tars-system'
const group = 'k8s.tars.io'
const release = 'v1.4.1'

export interface OldCharts {
  readonly tarscontroller: string
  readonly tarsframework: string
}

export interface OldOptions {
  /** Where its webhooks answer; with the authority that is fixed in its images. */
  readonly webhook: (path: string) => { readonly url: string; readonly caBundle: string }
  /** Where its CRDs are: a subchart, since 1.3.12; or a folder that Helm installs once and takes no further notice of. */
  readonly crds: 'subchart' | 'folder'
  /** Whether the cluster knows Ingresses. */
  readonly ingress: boolean
  /** Of the framework. */
  readonly namespace: string
}

/** Writes both charts into a folder. @returns their folders */
export async function oldCharts(folder: string, options: OldOptions): Promise<OldCharts> {
  return { tarscontroller: await controllerChart(join(folder, 'old-tarscontroller'), options), tarsframework: await frameworkChart(join(folder, 'old-tarsframework'), options) }
}

async function write(folder: string, files: Readonly<Record<string, string>>): Promise<string> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text)
  }
  return folder
}

const chart = (name: string): string => JSON.stringify({ apiVersion: 'v2', name, version: '1.4.1', appVersion: 'v1beta3' })
/** Objects as a template. What looks like one of Helm's own is text. */
const template = (objects: readonly object[]): string => objects.map((object) => `---\n${JSON.stringify(object).replaceAll('{{', '{{ "{{" }}')}\n`).join('')

/** Where its CRDs have objects converted. */
export const conversionService = { name: 'tars-webhook-service', namespace: system, path: '/conversion', port: 443 } as const

/** Its CRDs: no rules of CEL, the webhook's authority fixed. */
function definitions({ webhook }: OldOptions): object[] {
  return customResourceDefinitions({ conversion: { service: conversionService, caBundle: webhook('/conversion').caBundle } }).map((definition) => JSON.parse(JSON.stringify(definition, (key, value: unknown) => (key === 'x-kubernetes-validations' ? undefined : value))) as object)
}

function controllerChart(folder: string, options: OldOptions): Promise<string> {
  const crds = template(definitions(options))
  return write(folder, {
    'Chart.yaml': chart('tarscontroller'),
    'values.yaml': JSON.stringify({ crds: { servers: ['v1beta2', 'v1beta3'], storage: 'v1beta3' }, controller: { registry: 'docker.io/tarscloud', tag: release, secret: '' }, agent: { tlv_in_host: '/usr/local/app/tars/host-mount' } }),
    ...(options.crds === 'folder' ? { 'crds/crds.yaml': crds.replaceAll(/,?"helm\.sh\/resource-policy":"keep"/g, '') } : { 'charts/crds/Chart.yaml': chart('crds'), 'charts/crds/templates/crds.yaml': crds }),
    'templates/namespace.yaml': `{{- with lookup "v1" "Namespace" "" "${system}" }}{{ toJson . }}{{ else }}${JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: system } })}{{ end }}`,
    'templates/objects.yaml': template([
      { apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', metadata: { name: 'tars-storage-class' }, provisioner: 'kubernetes.io/no-provisioner', volumeBindingMode: 'WaitForFirstConsumer', reclaimPolicy: 'Delete' },
      ...['controller', 'webhook', 'agent'].flatMap((part) => account(`tars-${part}`, system, { rules: [{ apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['*'] }], clusterRules: [{ apiGroups: [group], resources: ['*'], verbs: ['*'] }] })),
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'tars-agent', namespace: system }, data: { 'crontab.config': '0 3 * * * * find /usr/local/app/tars/app_log -name "*.log" -mtime +5 -delete\n' } },
      workload('DaemonSet', 'tars-agent', { 'tars.io/Agent': 'true' }, 'agent', { affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'tars.io/node', operator: 'Exists' }] }] } } } }),
      workload('Deployment', 'tars-controller-manger', { 'tars.io/Controller': 'true' }, 'controller'),
      workload('Deployment', 'tars-webhook-manger', { 'tars.io/Webhook': 'true' }, 'webhook'),
      { apiVersion: 'v1', kind: 'Service', metadata: { name: 'tars-webhook-service', namespace: system }, spec: { selector: { 'tars.io/Webhook': 'true' }, sessionAffinity: 'ClientIP', ports: [{ port: 443, targetPort: 443 }] } },
      configuration('Mutating', options, [['mutating.crd.tars.io', ['CREATE', 'UPDATE'], ['tservers', 'tconfigs', 'ttrees', 'taccounts', 'timages', 'ttemplates']]]),
      configuration('Validating', options, [['validating.crd.tars.io-0', ['CREATE', 'UPDATE', 'DELETE'], ['ttrees', 'tconfigs', 'ttemplates']], ['validating.crd.tars.io-1', ['CREATE', 'UPDATE'], ['tservers', 'taccounts']]]),
    ]),
  })
}

interface Rights { readonly rules?: readonly object[]; readonly clusterRules?: readonly object[] }

function account(name: string, namespace: string, { rules, clusterRules }: Rights): object[] {
  const api = 'rbac.authorization.k8s.io'
  const subjects = [{ kind: 'ServiceAccount', name, namespace }]
  const wide = `${namespace}:${name}`
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } },
    ...(rules === undefined ? [] : [
      { apiVersion: `${api}/v1`, kind: 'Role', metadata: { name, namespace }, rules },
      { apiVersion: `${api}/v1`, kind: 'RoleBinding', metadata: { name, namespace }, roleRef: { apiGroup: api, kind: 'Role', name }, subjects },
    ]),
    ...(clusterRules === undefined ? [] : [
      { apiVersion: `${api}/v1`, kind: 'ClusterRole', metadata: { name: wide }, rules: clusterRules },
      { apiVersion: `${api}/v1`, kind: 'ClusterRoleBinding', metadata: { name: wide }, roleRef: { apiGroup: api, kind: 'ClusterRole', name: wide }, subjects },
    ]),
  ]
}

function workload(kind: string, name: string, matchLabels: object, image: string, pod: object = {}): object {
  const containers = [{ name, image: `docker.io/tarscloud/tars${image}:${release}`, imagePullPolicy: 'Always' }]
  return { apiVersion: 'apps/v1', kind, metadata: { name, namespace: system, labels: matchLabels }, spec: { ...(kind === 'Deployment' ? { replicas: 1 } : {}), selector: { matchLabels }, template: { metadata: { labels: matchLabels }, spec: { serviceAccountName: `tars-${image}`, containers, ...pod } } } }
}

function configuration(phase: 'Mutating' | 'Validating', { webhook }: OldOptions, hooks: readonly (readonly [name: string, operations: readonly string[], resources: readonly string[]])[]): object {
  return {
    apiVersion: 'admissionregistration.k8s.io/v1', kind: `${phase}WebhookConfiguration`, metadata: { name: `tars-${phase.toLowerCase()}-webhook` },
    webhooks: hooks.map(([name, operations, resources]) => ({
      name, clientConfig: webhook(`/${phase.toLowerCase()}`), failurePolicy: 'Fail', sideEffects: 'None', timeoutSeconds: 15, admissionReviewVersions: ['v1'],
      rules: [{ operations, apiGroups: [group], apiVersions: ['v1beta2', 'v1beta3'], resources }],
    })),
  }
}

const time = '2024-05-06T07:08:09Z'
const servants = (...list: readonly (readonly [string, number])[]): object => ({ asyncThread: 3, servants: list.map(([name, port]) => ({ name, port })) })
const tars = (parent: string, ...list: readonly (readonly [string, number])[]): object => ({ subType: 'tars', tars: { template: parent, profile: '', ...servants(...list) } })
const normal = (...ports: readonly (readonly [string, number])[]): object => ({ subType: 'normal', normal: { ports: ports.map(([name, port]) => ({ name, port })) } })

/** Its TServers: by server, what it is, and what else k8s says. */
const frameworkServers: readonly (readonly [server: string, fields: object, k8s?: object])[] = [
  ['tarsregistry', normal(['queryobj', 17890], ['registryobj', 17891]), { replicas: 2, readinessGates: ['tars.io/active'], serviceAccount: 'tars-tarsregistry' }],
  ['tarsAdminRegistry', tars('tars.cpp', ['AdminRegObj', 19111]), { serviceAccount: 'tars-tarsadminregistry' }],
  ['tarsconfig', tars('tars.cpp', ['ConfigObj', 11111]), { serviceAccount: 'tars-tarsconfig' }],
  ['tarslog', tars('tars.cpp', ['LogObj', 12111], ['TopologyObj', 13030]), { mounts: [{ name: 'remote-log-dir', source: { tLocalVolume: { uid: '0', gid: '0', mode: '755' } }, mountPath: '/usr/local/app/tars/remote_app_log', subPathExpr: '$(PodName)' }] }],
  ['tarsnotify', tars('tars.es', ['NotifyObj', 13111]), { serviceAccount: 'tars-tarsnotify' }],
  ['tarsstat', tars('tars.es', ['StatObj', 17000])],
  ['tarsproperty', tars('tars.es', ['PropertyObj', 14000])],
  ['tarsquerystat', tars('tars.es', ['QueryObj', 16000])],
  ['tarsqueryproperty', tars('tars.es', ['QueryObj', 15000])],
  ['tarskevent', tars('tars.es'), { serviceAccount: 'tars-tarskevent' }],
  ['tarsimage', normal(['http', 80]), { serviceAccount: 'tars-tarsimage' }],
  ['tarsweb', normal(['http', 3000]), { serviceAccount: 'tars-tarsweb', resources: { limits: { memory: '2G' }, requests: { memory: '2G' } } }],
  ['elasticsearch', normal(['http', 9200]), { mounts: [{ name: 'data', source: { tLocalVolume: { uid: '1000', gid: '1000', mode: '755' } }, mountPath: '/usr/share/elasticsearch/data' }] }],
]

const logs = { name: 'host-log-dir', source: { hostPath: { path: '/usr/local/app/tars/app_log', type: 'DirectoryOrCreate' } }, mountPath: '/usr/local/app/tars/app_log', subPathExpr: '$(Namespace)/$(PodName)' }
const env = [['Namespace', 'metadata.namespace'], ['PodName', 'metadata.name']].map(([name, fieldPath]) => ({ name, valueFrom: { fieldRef: { fieldPath } } }))

function frameworkServer([server, fields, k8s = {}]: typeof frameworkServers[number]): object {
  const name = `tars-${server.toLowerCase()}`
  const { mounts = [], ...rest } = k8s as { mounts?: readonly object[] }
  const isTars = 'tars' in fields
  return {
    apiVersion: `${group}/v1beta3`, kind: 'TServer', metadata: { name, ...(server === 'tarsregistry' ? { annotations: { 'tars.io/MinReplicas': '2' } } : {}) },
    spec: { app: 'tars', server, important: 5, ...fields, k8s: { replicas: 1, env, mounts: [logs, ...mounts], ...rest }, release: { id: release, image: `docker.io/tarscloud/tars.${server.toLowerCase()}:${release}`, time, ...(isTars ? { nodeImage } : {}) } },
  }
}

/** What Helm makes once, and leaves to whoever changes it. */
function hook(kind: string, name: string, weight: number, fields: object): object {
  return { apiVersion: `${group}/v1beta3`, kind, metadata: { name, annotations: { 'helm.sh/hook': 'pre-install,pre-upgrade', 'helm.sh/hook-weight': String(weight) } }, ...fields }
}

function frameworkChart(folder: string, { namespace, ingress }: OldOptions): Promise<string> {
  const image = (name: string, fields: object): object => ({ apiVersion: `${group}/v1beta3`, kind: 'TImage', metadata: { name }, ...fields, releases: [{ id: `builtin-${name}-${release}`, image: `docker.io/tarscloud/tars.${name}:${release}`, createTime: time }] })
  return write(folder, {
    'Chart.yaml': chart('tarsframework'),
    'values.yaml': JSON.stringify({ framework: { registry: 'docker.io/tarscloud', tag: release, secret: '' }, upload: { registry: '', secret: '' }, web: '', elk: { nodes: ['tars-elasticsearch:9200'] } }),
    'templates/hooks.yaml': template([
      hook('TTree', 'tars-tree', -10, { businesses: [{ name: 'TarsFramework', show: 'tars框架服务', weight: 5 }], apps: ['tars', 'base'].map((name) => ({ name, businessRef: 'TarsFramework', createTime: time, createPerson: 'admin', mark: '' })) }),
      hook('TTemplate', 'tars.default', -10, { spec: { content: '<tars>\n</tars>\n', parent: 'tars.default' } }),
      ...['cpp', 'es', 'nodejs'].map((name) => hook('TTemplate', `tars.${name}`, -9, { spec: { content: '', parent: 'tars.default' } })),
      hook('TFrameworkConfig', 'tars-framework', -9, { imageBuild: { maxBuildTime: 600, executor: { image: `docker.io/tarscloud/tars.tarskaniko:${release}` } }, imageUpload: { registry: 'registry.test/services' }, recordLimit: { timageRelease: 60, texitedPod: 32, tconfigHistory: 32 }, nodeImage: { image: nodeImage }, expand: { nativeDBConfig: '', nativeFrameworkConfig: '' } }),
    ]),
    'templates/objects.yaml': template([
      ...frameworkServers.map(frameworkServer),
      image('node', { imageType: 'node' }),
      image('cppbase', { imageType: 'base', supportedType: ['cpp', 'go'] }),
      image('php74base', { imageType: 'base', supportedType: ['php'] }),
      ...['tarsregistry', 'tarskaniko'].map((server) => image(`tars-${server}`, { imageType: 'server' })),
      ...['registry', 'adminregistry', 'config', 'notify', 'image'].flatMap((role) => account(`tars-tars${role}`, namespace, { rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch'] }] })),
      ...account('tars-tarskevent', namespace, { clusterRules: [{ apiGroups: [''], resources: ['events'], verbs: ['get', 'list', 'watch'] }] }),
      ...account('tars-tarsweb', namespace, { rules: [{ apiGroups: [group], resources: ['*'], verbs: ['*'] }], clusterRules: [{ apiGroups: [''], resources: ['nodes'], verbs: ['get', 'list', 'watch', 'update', 'patch'] }] }),
      ...(ingress ? [{ apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', metadata: { name: 'tars-web', annotations: { 'nginx.ingress.kubernetes.io/proxy-body-size': '0' } }, spec: { rules: [{ host: 'web.test', http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'tars-tarsweb', port: { number: 3000 } } } }] } }] } }] : []),
    ]),
  })
}
