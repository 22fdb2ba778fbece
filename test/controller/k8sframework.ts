// A namespace as K8SFramework 1.4 has it: manifests as its users and charts write them, and children as its controller makes them.
// Written from control-plane spec A, C and D.2, and not from the code under test.
import { daemonSets, services, statefulSets } from '#kube/resources.ts'
import { resources as kinds } from '#api/resources.ts'
import type { AnyObject, Resource } from '#kube/types.ts'

export const nodeImage = 'docker.io/tarscloud/tars.tarsnode:v1.4.1'
const group = 'k8s.tars.io'
const time = '2024-05-06T07:08:09Z'

export function pluralOf(kind: string): keyof typeof kinds {
  const found = Object.entries(kinds).find(([, resource]) => resource.kind === kind)
  if (found === undefined) throw new Error(`no kind ${kind}`)
  return found[0] as keyof typeof kinds
}

/** All kinds, in the order in which its webhooks take them, in the versions that it serves. */
export function manifests(namespace: string): AnyObject[] {
  const make = (version: string, kind: string, name: string, fields: object, metadata: object = {}): AnyObject => ({ apiVersion: `${group}/${version}`, kind, metadata: { name, namespace, ...metadata }, ...fields })
  const labels = (server: string): object => ({ 'tars.io/ServerApp': 'Demo', 'tars.io/ServerName': server })
  const logs = { name: 'host-log-dir', source: { hostPath: { path: '/usr/local/app/tars/app_log', type: 'DirectoryOrCreate' } }, mountPath: '/usr/local/app/tars/app_log', subPathExpr: '$(Namespace)/$(PodName)' }
  const env = [['Namespace', 'metadata.namespace'], ['PodName', 'metadata.name']].map(([name, fieldPath]) => ({ name, valueFrom: { fieldRef: { fieldPath } } }))
  const release = (server: string): object => ({ id: 'v1', image: `registry.test/demo.${server}:v1`, secret: 'pull', time, nodeImage, nodeSecret: 'node-pull' })
  return [
    make('v1beta3', 'TTree', 'tars-tree', {
      businesses: [{ name: 'TarsFramework', show: 'tars框架服务', weight: 5, createTime: time, createPerson: 'admin', mark: '' }],
      apps: ['tars', 'base'].map((name) => ({ name, businessRef: 'TarsFramework', createTime: time, createPerson: 'admin', mark: '' })),
    }),
    make('v1beta3', 'TTemplate', 'tars.default', { spec: { content: '<tars>\n  <application>\n    enableset=${enableset}\n  </application>\n</tars>\n', parent: 'tars.default' } }),
    make('v1beta2', 'TTemplate', 'tars.cpp', { spec: { content: '', parent: 'tars.default' } }),
    make('v1beta3', 'TFrameworkConfig', 'tars-framework', {
      imageBuild: { maxBuildTime: 600, executor: { image: 'docker.io/tarscloud/tars.tarskaniko:v1.4.1', secret: '' } },
      imageUpload: { registry: 'registry.test/tars', secret: 'push' }, recordLimit: { timageRelease: 60, texitedPod: 32, tconfigHistory: 32 },
      nodeImage: { image: nodeImage, secret: 'node-pull' }, expand: { nativeDBConfig: '', nativeFrameworkConfig: '' },
      upChain: { default: [{ host: 'upper.test', port: 17890, timeout: 6000, isTcp: true }] },
    }),
    make('v1beta2', 'TFrameworkConfig', 'another', { imageBuild: { maxBuildTime: 600, idFormat: '' }, imageRegistry: { registry: 'registry.test/tars', secret: 'push' }, nodeImage: { image: nodeImage, secret: '' } }),
    make('v1beta3', 'TImage', 'demo-first', { imageType: 'server', releases: [{ id: 'v1', image: 'registry.test/demo.first:v1', secret: 'pull', createPerson: 'admin', createTime: time, mark: '' }] }, { labels: labels('First') }),
    make('v1beta2', 'TImage', 'javabase', { imageType: 'base', supportedType: ['java-jar', 'java-war'], releases: [{ id: 'builtin-java8base-v1.4.1', image: 'docker.io/tarscloud/tars.java8base:v1.4.1', createTime: time }] }),
    make('v1beta3', 'TConfig', 'demo-first-aaaa', { app: 'Demo', server: 'First', configName: 'first.conf', configContent: 'a=1', podSeq: 'm', activated: true, updatePerson: 'admin', updateReason: 'first' }),
    make('v1beta2', 'TConfig', 'demo-app-bbbb', { app: 'Demo', server: '', configName: 'demo.conf', configContent: 'b=2', podSeq: 'm', activated: true }),
    make('v1beta3', 'TAccount', '21232f297a57a5a743894a0e4a801fc3', { spec: { username: 'admin', extra: [], authentication: { bcryptPassword: '$2a$06$abcdefghijklmnopqrstuuGqPm2bLWzyqmTvR4WzjYUJKfVqsHp1K', activated: true, tokens: [] }, authorization: [{ role: 'admin', flag: '*', updateTime: time }] } }),
    make('v1beta3', 'TPlugin', 'tars-plugin', { spec: { name: '插件', name_en: 'plugin', obj: 'tars.plugin.HttpObj', type: 1, path: '/plugins/base/x', extern: 0 } }),
    make('v1beta3', 'TFrameworkKey', 'tars-framework-key', { spec: { cuid: 'c', pri_key: 'k', autologin: 1 } }),
    make('v1beta3', 'TServer', 'demo-first', { spec: {
      app: 'Demo', server: 'First', subType: 'tars', important: 5,
      tars: { template: 'tars.cpp', profile: '', asyncThread: 3, servants: [{ name: 'FirstObj', port: 10000, thread: 3, capacity: 10000, connection: 10000, timeout: 60000, isTars: true, isTcp: true }, { name: 'OtherObj', port: 10001, isTcp: false }], ports: [{ name: 'metrics', port: 9000, isTcp: true }, { name: 'admin', port: 9001, isTcp: true }] },
      k8s: {
        replicas: 1, env, mounts: [logs, { name: 'data', source: { tLocalVolume: { uid: '1000', gid: '1000', mode: '755' } }, mountPath: '/data' }], hostPorts: [{ nameRef: 'FirstObj', port: 30000 }, { nameRef: 'metrics', port: 30001 }],
        abilityAffinity: 'AppRequired', nodeSelector: [{ key: 'disk', operator: 'In', values: ['ssd'] }], podManagementPolicy: 'OrderedReady', resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { cpu: '1', memory: '1Gi' } },
      },
      release: release('first'),
    } }, { labels: labels('First'), annotations: { 'tars.io/MinReplicas': '1', 'tars.io/MaxReplicas': '3' }, finalizers: ['example.test/kept'] }),
    make('v1beta2', 'TServer', 'demo-second', { spec: {
      app: 'Demo', server: 'Second', subType: 'tars', tars: { template: 'tars.default', servants: [{ name: 'SecondObj', port: 10000 }] },
      k8s: { replicas: 3, readinessGate: 'tars.io/active', env, mounts: [logs, { name: 'shared', source: { persistentVolumeClaimTemplate: { metadata: { labels: { tier: 'b' } }, spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'fast', resources: { requests: { storage: '1Gi' } } } } }, mountPath: '/shared' }], updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 2 } }, launcherType: 'foreground', imagePullPolicy: 'IfNotPresent' },
      release: release('second'),
    } }),
    make('v1beta1', 'TServer', 'demo-web', { spec: {
      app: 'Demo', server: 'Web', subType: 'normal', normal: { ports: [{ name: 'http', port: 80, isTcp: true }, { name: 'status', port: 19385, isTcp: true }] },
      k8s: { replicas: 2, env, mounts: [{ name: 'settings', source: { configMap: { name: 'web', items: [{ key: 'a', path: 'a', mode: 256 }] } }, mountPath: '/etc/web' }, { name: 'scratch', source: { emptyDir: {} }, mountPath: '/scratch' }], serviceAccount: 'web' },
      release: { id: 'v1', image: 'registry.test/demo.web:v1', secret: 'pull', time },
    } }),
    make('v1beta3', 'TServer', 'demo-everywhere', { spec: {
      app: 'Demo', server: 'Everywhere', subType: 'tars', tars: { template: 'tars.cpp', servants: [{ name: 'EveryObj', port: 10000 }] },
      k8s: { daemonSet: true, replicas: 1, hostNetwork: true, env, mounts: [logs], command: ['/bin/run'], args: ['--all'] }, release: release('everywhere'),
    } }),
  ]
}

// What is undefined is not sent.

/** What its controller makes of a TServer of v1beta3 (control-plane spec C.1 to C.5, C.7). */
export function children(server: AnyObject): [Resource, object][] {
  const { app, server: own, tars, normal, k8s, subType, important, release } = specOf(server)
  const metadata = childMeta(server)
  const pods = [{ uid: 'u', name: `${server.metadata.name}-0`, id: 'v0', nodeIP: '10.0.0.1', podIP: '10.0.0.2', createTime: time, deleteTime: time }]
  return [
    [kinds.tendpoints as unknown as Resource, { metadata, spec: { app, server: own, subType, important, tars, normal, hostPorts: k8s.hostPorts, release } }],
    [kinds.texitedrecords as unknown as Resource, { metadata, app, server: own, pods }],
    ...(k8s.daemonSet === true ? [[daemonSets, daemonSet(server)] as [Resource, object]] : [[services, service(server)], [statefulSets, statefulSet(server)]] as [Resource, object][]),
  ]
}

interface Port { readonly name: string; readonly port: number; readonly isTcp: boolean }
interface Mount { readonly name: string; readonly mountPath: string; readonly source: { readonly tLocalVolume?: object; readonly persistentVolumeClaimTemplate?: { readonly metadata?: object; readonly spec: object } } }

interface Spec {
  readonly app: string
  readonly server: string
  readonly subType: string
  readonly important: number
  readonly tars?: { readonly servants: readonly Port[]; readonly ports?: readonly Port[] }
  readonly normal?: { readonly ports: readonly Port[] }
  readonly k8s: Readonly<Record<string, unknown>> & { readonly mounts?: readonly Mount[]; readonly hostPorts?: readonly { readonly nameRef: string; readonly port: number }[]; readonly nodeSelector: readonly object[]; readonly readinessGates?: readonly string[]; readonly abilityAffinity: string; readonly launcherType: string }
  readonly release: { readonly id: string; readonly image: string; readonly secret?: string; readonly nodeImage?: string; readonly nodeSecret?: string }
}

const specOf = (server: AnyObject): Spec => server['spec'] as Spec
const labelsOf = ({ app, server }: Spec): Record<string, string> => ({ 'tars.io/ServerApp': app, 'tars.io/ServerName': server })
const ownersOf = ({ metadata: { name, uid } }: AnyObject): object[] => [{ apiVersion: `${group}/v1beta3`, kind: 'TServer', name, uid, controller: true, blockOwnerDeletion: true }]
const childMeta = (server: AnyObject): object => ({ name: server.metadata.name, namespace: server.metadata.namespace, labels: labelsOf(specOf(server)), ownerReferences: ownersOf(server) })
const portsOf = ({ tars, normal }: Spec): readonly Port[] => [...(tars?.ports ?? []), ...(normal?.ports ?? [])]
const protocol = (isTcp: boolean): string => (isTcp ? 'TCP' : 'UDP')
const exists = (key: string): object => ({ key, operator: 'Exists' })

function service(server: AnyObject): object {
  const spec = specOf(server)
  const ports = [...(spec.tars?.servants ?? []), ...portsOf(spec)].map(({ name, port, isTcp }) => ({ name: name.toLowerCase(), port, targetPort: port, protocol: protocol(isTcp) }))
  return { metadata: childMeta(server), spec: { type: 'ClusterIP', clusterIP: 'None', selector: labelsOf(spec), ports } }
}

function daemonSet(server: AnyObject): object {
  const updateStrategy = { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1 } }
  return { metadata: childMeta(server), spec: { selector: { matchLabels: labelsOf(specOf(server)) }, template: podTemplate(server), minReadySeconds: 3, revisionHistoryLimit: 1, updateStrategy } }
}

function statefulSet(server: AnyObject): object {
  const spec = specOf(server)
  const { mounts = [], hostPorts = [], replicas, podManagementPolicy, updateStrategy } = spec.k8s
  const local = (volume: string): object => {
    const matchLabels = { ...labelsOf(spec), 'tars.io/LocalVolume': volume }
    return { metadata: { name: volume, namespace: server.metadata.namespace, labels: matchLabels, ownerReferences: ownersOf(server) }, spec: { accessModes: ['ReadWriteOnce'], selector: { matchLabels }, resources: { requests: { storage: '1G' } }, storageClassName: 'tars-storage-class', volumeMode: 'Filesystem' } }
  }
  const claims = mounts.flatMap(({ name, source: { tLocalVolume, persistentVolumeClaimTemplate: claim } }) => [...(claim === undefined ? [] : [{ metadata: { ...claim.metadata, name }, spec: claim.spec }]), ...(tLocalVolume === undefined ? [] : [local(name)])])
  const volumeClaimTemplates = [...claims, ...(hostPorts.length === 0 ? [] : [local('delay-bind')])]
  return { metadata: childMeta(server), spec: { replicas, selector: { matchLabels: labelsOf(spec) }, serviceName: server.metadata.name, podManagementPolicy, updateStrategy, revisionHistoryLimit: 1, template: podTemplate(server), volumeClaimTemplates: volumeClaimTemplates.length === 0 ? undefined : volumeClaimTemplates } }
}

const workDir = { name: 'tarsnode-work-dir', mountPath: '/usr/local/app/tars/tarsnode' }
const isPerPod = ({ source }: Mount): boolean => 'tLocalVolume' in source || 'persistentVolumeClaimTemplate' in source

/** Control-plane spec C.4. */
function podTemplate(server: AnyObject): object {
  const spec = specOf(server)
  const { k8s, subType, release } = spec
  const isTars = subType === 'tars'
  const volumes = (k8s.mounts ?? []).filter((mount) => !isPerPod(mount)).map(({ name, source }) => ({ ...source, name }))
  return {
    metadata: { name: server.metadata.name, labels: { ...labelsOf(spec), 'tars.io/ServerID': release.id } },
    spec: {
      initContainers: isTars ? [initContainer(spec)] : undefined,
      containers: [container(server)],
      volumes: [...volumes, { name: 'host-timezone', hostPath: { path: '/etc/localtime', type: '' } }, ...(isTars ? [{ name: 'tarsnode-work-dir', emptyDir: {} }] : [])],
      readinessGates: k8s.readinessGates?.map((conditionType) => ({ conditionType })),
      restartPolicy: 'Always', dnsPolicy: k8s['hostNetwork'] === true ? 'ClusterFirstWithHostNet' : 'ClusterFirst', dnsConfig: { options: [{ name: 'ndots', value: '2' }] }, enableServiceLinks: false,
      serviceAccountName: k8s['serviceAccount'], hostNetwork: k8s['hostNetwork'], hostIPC: k8s['hostIPC'],
      imagePullSecrets: [release.secret, release.nodeSecret].filter((secret) => secret !== undefined).map((name) => ({ name })),
      affinity: affinity(server),
    },
  }
}

function initContainer({ app, server, k8s: { launcherType }, release }: Spec): object {
  const field = (name: string, fieldPath: string): object => ({ name, valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath } } })
  const env = [field('Namespace', 'metadata.namespace'), field('PodName', 'metadata.name'), field('PodIP', 'status.podIP'), { name: 'ServerApp', value: app }, { name: 'ServerName', value: server }]
  return { name: 'tarsnode', image: release.nodeImage, imagePullPolicy: 'Always', volumeMounts: [workDir], env: [...env, ...(launcherType === 'background' ? [] : [{ name: 'LauncherType', value: launcherType }])] }
}

function container(server: AnyObject): object {
  const spec = specOf(server)
  const { k8s: { command, args, env, resources, imagePullPolicy, mounts = [], daemonSet: everywhere }, release, subType } = spec
  const volumeMounts = mounts.filter((mount) => everywhere !== true || !isPerPod(mount)).map((mount) => ({ ...mount, source: undefined }))
  return {
    name: server.metadata.name, image: release.image, imagePullPolicy, resources, command, args, env, ports: containerPorts(spec),
    volumeMounts: [...volumeMounts, { name: 'host-timezone', mountPath: '/etc/localtime' }, ...(subType === 'tars' ? [workDir] : [])],
  }
}

/** In the order of a Go map: any. */
function containerPorts(spec: Spec): object[] {
  const { tars, k8s: { hostNetwork, hostPorts = [] } } = spec
  const hostPortOf = (port: string): number | undefined => (hostNetwork === true ? undefined : hostPorts.find(({ nameRef }) => nameRef.toLowerCase() === port.toLowerCase())?.port)
  const servants = (tars?.servants ?? []).filter(({ name }) => hostPortOf(name) !== undefined).map(({ name, port, isTcp }) => ({ name: `p${hostPortOf(name)}-${port}`, containerPort: port, hostPort: hostPortOf(name), protocol: protocol(isTcp) }))
  const others = portsOf(spec).map(({ name, port, isTcp }) => ({ name, containerPort: port, hostPort: hostPortOf(name), protocol: protocol(isTcp) }))
  return [...others, ...servants].toReversed()
}

function affinity(server: AnyObject): object {
  const spec = specOf(server)
  const { app, server: own, k8s: { nodeSelector, abilityAffinity, notStacked, daemonSet: everywhere } } = spec
  const { namespace = '' } = server.metadata
  const [ofApp, ofServer] = [`tars.io/ability.${namespace}.${app}`, `tars.io/ability.${namespace}.${app}-${own}`]
  const required = { AppRequired: [exists(ofApp)], ServerRequired: [exists(ofServer)] }[abilityAffinity] ?? []
  const prefer = (weight: number, key: string): object => ({ weight, preference: { matchExpressions: [exists(key)] } })
  const isSet = everywhere !== true
  return {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [...nodeSelector, exists(`tars.io/node.${namespace}`), ...(isSet ? required : [])] }] },
      preferredDuringSchedulingIgnoredDuringExecution: isSet && abilityAffinity === 'AppOrServerPreferred' ? [prefer(60, ofServer), prefer(30, ofApp)] : undefined,
    },
    podAntiAffinity: isSet && notStacked === true ? { requiredDuringSchedulingIgnoredDuringExecution: [{ labelSelector: { matchLabels: labelsOf(spec) }, namespaces: [namespace], topologyKey: 'kubernetes.io/hostname' }] } : undefined,
  }
}
