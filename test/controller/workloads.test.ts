import { describe, expect, test } from 'vitest'
import { completeFramework } from '#api/default.ts'
import { frameworkRoles, frameworkServer } from '#api/seed/servers.ts'
import { desiredDaemonSet } from '../../framework/controller/desired/daemon-set.ts'
import { desiredService } from '../../framework/controller/desired/service.ts'
import { desiredStatefulSet } from '../../framework/controller/desired/stateful-set.ts'
import { normalServer, tarsServer, unreleased } from './fixtures.ts'

const owner = { apiVersion: 'k8s.tars.io/v1beta3', kind: 'TServer', name: 'demo-hello', uid: 'uid-1', controller: true, blockOwnerDeletion: true }
const labels = { 'tars.io/ServerApp': 'Demo', 'tars.io/ServerName': 'Hello' }
const metadata = { name: 'demo-hello', namespace: 'ns', labels, ownerReferences: [owner] }
const field = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath } } })
const supervisorEnv = [field('Namespace', 'metadata.namespace'), field('PodName', 'metadata.name'), field('PodIP', 'status.podIP'), { name: 'ServerApp', value: 'Demo' }, { name: 'ServerName', value: 'Hello' }, { name: 'TARSNODE_GRACE_SECONDS', value: '180' }]
const timezoneMount = { name: 'host-timezone', mountPath: '/etc/localtime', readOnly: true }
const timezoneVolume = { name: 'host-timezone', hostPath: { path: '/etc/localtime', type: '' } }
const workDirVolume = { name: 'tarsnode-work-dir', emptyDir: {} }
const workDirMount = { name: 'tarsnode-work-dir', mountPath: '/usr/local/app/tars/tarsnode' }
const get = (path: string) => ({ httpGet: { path, port: 19387, scheme: 'HTTP' } })
const probes = {
  startupProbe: { ...get('/healthz'), periodSeconds: 1, timeoutSeconds: 5, successThreshold: 1, failureThreshold: 120 },
  livenessProbe: { ...get('/healthz'), periodSeconds: 10, timeoutSeconds: 10, successThreshold: 1, failureThreshold: 6, terminationGracePeriodSeconds: 30 },
  readinessProbe: { ...get('/readyz'), periodSeconds: 2, timeoutSeconds: 5, successThreshold: 1, failureThreshold: 3 },
}
const noProbes = { startupProbe: undefined, livenessProbe: undefined, readinessProbe: undefined }
const preferred = (weight: number, key: string) => ({ weight, preference: { matchExpressions: [{ key, operator: 'Exists' }] } })
const nodeAffinity = {
  requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'tars.io/node.ns', operator: 'Exists' }] }] },
  preferredDuringSchedulingIgnoredDuringExecution: [preferred(60, 'tars.io/ability.ns.Demo-Hello'), preferred(30, 'tars.io/ability.ns.Demo')],
}

describe('service (control-plane spec C.1)', () => {
  test('is headless and lists servants, then ports, in lower case', () => {
    const server = tarsServer({ tars: { template: 'tars.default', servants: [{ name: 'HelloObj', port: 8000 }, { name: 'LogObj', port: 8001, isTcp: false }], ports: [{ name: 'metrics', port: 9000 }] } })
    expect(desiredService(server)).toEqual({
      apiVersion: 'v1', kind: 'Service', metadata,
      spec: {
        type: 'ClusterIP', clusterIP: 'None', selector: labels,
        ports: [
          { name: 'helloobj', port: 8000, targetPort: 8000, protocol: 'TCP' },
          { name: 'logobj', port: 8001, targetPort: 8001, protocol: 'UDP' },
          { name: 'metrics', port: 9000, targetPort: 9000, protocol: 'TCP' },
        ],
      },
    })
  })

  test('names do not wait for readiness where all is called through the registry', () => {
    const servants = [{ name: 'HelloObj', port: 8000 }]
    const publishes = (more: object): unknown => desiredService(tarsServer({ tars: { template: 'tars.default', servants, ...more } }))?.spec?.publishNotReadyAddresses
    expect(publishes({})).toBe(true)
    expect(publishes({ servants: [...servants, { name: 'HttpObj', port: 80, isTars: false }] })).toBeUndefined()
    expect(publishes({ ports: [{ name: 'http', port: 80 }] })).toBeUndefined()
  })

  test('there is none for a DaemonSet', () => {
    expect(desiredService(tarsServer({ k8s: { daemonSet: true } }))).toBeUndefined()
  })
})

describe('stateful set (control-plane spec C.2, C.4)', () => {
  test('tarsnode baked into the image is told of its pod by the environment', () => {
    expect(desiredStatefulSet(tarsServer())).toEqual({
      apiVersion: 'apps/v1', kind: 'StatefulSet', metadata,
      spec: {
        replicas: 1, selector: { matchLabels: labels }, serviceName: 'demo-hello', podManagementPolicy: 'Parallel',
        updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } }, revisionHistoryLimit: 1,
        template: {
          metadata: { name: 'demo-hello', labels: { ...labels, 'tars.io/TServer': 'demo-hello', 'tars.io/ServerID': 'v1' } },
          spec: {
            containers: [{ name: 'demo-hello', image: 'registry.test/demo.hello:v1', imagePullPolicy: 'Always', env: supervisorEnv, resources: {}, volumeMounts: [timezoneMount, workDirMount], ...probes }],
            volumes: [timezoneVolume, workDirVolume],
            readinessGates: [{ conditionType: 'tars.io/active' }],
            restartPolicy: 'Always', terminationGracePeriodSeconds: 180, dnsPolicy: 'ClusterFirst', dnsConfig: { options: [{ name: 'ndots', value: '2' }] }, enableServiceLinks: false,
            affinity: { nodeAffinity },
          },
        },
      },
    })
  })

  test('an injected tarsnode comes by init container and a shared folder', () => {
    const server = tarsServer({ release: { id: 'v1', image: 'registry.test/demo.hello:v1', secret: 'pull', nodeImage: 'registry.test/tars.tarsnode:v9', nodeSecret: 'node-pull' }, k8s: { launcherType: 'foreground' } })
    const spec = desiredStatefulSet(server)?.spec?.template.spec
    expect(spec?.initContainers).toEqual([{
      name: 'tarsnode', image: 'registry.test/tars.tarsnode:v9', imagePullPolicy: 'Always', volumeMounts: [workDirMount],
      env: [...supervisorEnv, { name: 'LauncherType', value: 'foreground' }],
    }])
    expect(spec?.containers).toEqual([{
      name: 'demo-hello', image: 'registry.test/demo.hello:v1', imagePullPolicy: 'Always', resources: {}, volumeMounts: [timezoneMount, workDirMount],
      env: [...supervisorEnv, { name: 'LauncherType', value: 'foreground' }], ...probes, lifecycle: { preStop: { httpGet: { path: '/prestop', port: 19387, scheme: 'HTTP' } } },
    }])
    expect(spec?.volumes).toEqual([timezoneVolume, workDirVolume])
    expect(spec?.imagePullSecrets).toEqual([{ name: 'pull' }, { name: 'node-pull' }])
  })

  test("the framework's node image counts when the release names none", () => {
    const framework = completeFramework({ name: 'tars-framework' }, { imageUpload: { registry: 'registry.test/tars' }, nodeImage: { image: 'registry.test/tars.tarsnode:v2', secret: 'fw' } })
    const spec = desiredStatefulSet(tarsServer(), framework)?.spec?.template.spec
    expect(spec?.initContainers?.map(({ image }) => image)).toEqual(['registry.test/tars.tarsnode:v2'])
    expect(spec?.imagePullSecrets).toEqual([{ name: 'fw' }])
    expect(desiredStatefulSet(normalServer(), framework)?.spec?.template.spec?.initContainers).toBeUndefined()
  })

  const framework = (nodeImage: object) => completeFramework({ name: 'tars-framework' }, { imageUpload: { registry: 'registry.test/tars' }, nodeImage: { image: 'registry.test/tars.tarsnode:v2', ...nodeImage } })

  test('an injected tarsnode can be a mounted image, over the baked one, with no init container', () => {
    const { spec } = desiredStatefulSet(tarsServer(), framework({ injection: 'imageVolume', secret: 'fw' }))?.spec?.template ?? {}
    expect(spec?.initContainers).toBeUndefined()
    expect(spec?.containers).toEqual([{
      name: 'demo-hello', image: 'registry.test/demo.hello:v1', imagePullPolicy: 'Always', command: ['/tarsnode/bin/tarsk8s', 'node'], env: supervisorEnv, resources: {},
      volumeMounts: [timezoneMount, workDirMount, { name: 'tarsnode-image', mountPath: '/tarsnode', subPath: 'tarsnode', readOnly: true }], ...probes,
    }])
    expect(spec?.volumes).toEqual([timezoneVolume, workDirVolume, { name: 'tarsnode-image', image: { reference: 'registry.test/tars.tarsnode:v2' } }])
    expect(spec?.imagePullSecrets).toEqual([{ name: 'fw' }])
    expect(spec?.terminationGracePeriodSeconds).toBe(180)
  })

  test("the release's node image goes the framework's way", () => {
    const server = tarsServer({ release: { id: 'v1', image: 'x', nodeImage: 'mine', nodeSecret: 'own' } })
    const spec = desiredStatefulSet(server, framework({ injection: 'imageVolume', secret: 'fw' }))?.spec?.template.spec
    expect(spec?.volumes?.at(-1)).toEqual({ name: 'tarsnode-image', image: { reference: 'mine' } })
    expect(spec?.imagePullSecrets).toEqual([{ name: 'own' }])
  })

  test('a node image of K8SFramework gets no probes, the baked tarsnode keeps them', () => {
    const injected = desiredStatefulSet(tarsServer(), framework({ probes: false }))?.spec?.template.spec?.containers[0]
    expect({ ...noProbes, ...injected }).toMatchObject(noProbes)
    const baked = desiredStatefulSet(tarsServer(), framework({ image: '', probes: false }))?.spec?.template.spec?.containers[0]
    expect(baked).toMatchObject(probes)
  })

  test("the user's command stays, in every way, and nothing is asked of what it runs", () => {
    for (const injection of ['copy', 'imageVolume']) {
      const container = desiredStatefulSet(tarsServer({ k8s: { command: ['/bin/own', 'start'], args: ['-v'] } }), framework({ injection }))?.spec?.template.spec?.containers[0]
      expect({ ...noProbes, ...container }).toMatchObject({ command: ['/bin/own', 'start'], args: ['-v'], env: supervisorEnv, ...noProbes })
    }
  })

  test.each(frameworkRoles)("the framework's %s has neither tarsnode nor its probes, whatever the node image, and no rights", (role) => {
    const server = frameworkServer(role, { namespace: 'ns', release: { id: 'v1', image: 'tarsk8s:local' }, time: '2024-01-01T00:00:00Z' })
    const spec = desiredStatefulSet(server, framework({ injection: 'imageVolume' }))?.spec?.template.spec
    expect(spec?.initContainers).toBeUndefined()
    expect(spec?.volumes).toEqual([])
    expect(spec?.readinessGates).toEqual(role === 'registry' ? [{ conditionType: 'tars.io/active' }] : undefined)
    expect(spec?.securityContext).toMatchObject({ runAsNonRoot: true, sysctls: [{ name: 'net.ipv4.ip_unprivileged_port_start', value: '0' }] })
    const port = [...(server.spec.tars?.servants ?? []), ...(server.spec.normal?.ports ?? [])][0]?.port
    expect({ ...noProbes, ...spec?.containers[0] }).toMatchObject({
      command: ['tarsk8s', role], volumeMounts: [], ...noProbes, readinessProbe: { tcpSocket: { port } },
      securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
    })
  })

  test('nothing of the host where the framework says so', () => {
    const settings = completeFramework({ name: 'tars-framework', namespace: 'ns' }, { imageUpload: { registry: 'r' }, hostTimezone: false })
    const spec = desiredStatefulSet(tarsServer(), settings)?.spec?.template.spec
    expect(spec?.volumes).toEqual([workDirVolume])
    expect(spec?.containers[0]?.volumeMounts).toEqual([workDirMount])
  })

  test("a folder of the user's own keeps what tarsnode learned, without a second one", () => {
    const mounts = [{ name: 'kept', mountPath: '/usr/local/app/tars/tarsnode', source: { hostPath: { path: '/kept', type: 'DirectoryOrCreate' as const } } }]
    const spec = desiredStatefulSet(tarsServer({ k8s: { mounts } }))?.spec?.template.spec
    expect(spec?.volumes?.map(({ name }) => name)).toEqual(['kept', 'host-timezone'])
    expect(spec?.containers[0]?.volumeMounts?.map(({ name }) => name)).toEqual(['kept', 'host-timezone'])
  })

  test('four user volumes make six of a tars pod with injected tarsnode and five of a normal one', () => {
    const mounts = ['a', 'b', 'c', 'd'].map((name) => ({ name, mountPath: `/${name}`, source: { emptyDir: {} } }))
    const injected = tarsServer({ release: { id: 'v1', image: 'x', nodeImage: 'n' }, k8s: { mounts } })
    expect(desiredStatefulSet(injected)?.spec?.template.spec?.volumes).toHaveLength(6)
    expect(desiredStatefulSet(normalServer({ k8s: { mounts } }))?.spec?.template.spec?.volumes).toHaveLength(5)
  })

  test('what the user sets in the environment wins, and tarsnode keeps the rest', () => {
    const env = [{ name: 'PodName', value: 'mine' }, { name: 'COLOUR', value: 'red' }]
    expect(desiredStatefulSet(tarsServer({ k8s: { env } }))?.spec?.template.spec?.containers[0]?.env).toEqual([...supervisorEnv.filter(({ name }) => name !== 'PodName'), ...env])
  })

  test('a host port lists its servant, pins the pod and keeps pods apart', () => {
    const server = tarsServer({
      tars: { template: 'tars.default', servants: [{ name: 'HelloObj', port: 8000 }, { name: 'QuietObj', port: 8001 }], ports: [{ name: 'web', port: 80 }] },
      k8s: { hostPorts: [{ nameRef: 'helloobj', port: 30000 }, { nameRef: 'WEB', port: 30080 }], notStacked: true },
    })
    const spec = desiredStatefulSet(server)?.spec
    expect(spec?.template.spec?.containers[0]?.ports).toEqual([
      { name: 'p30000-8000', containerPort: 8000, hostPort: 30000, protocol: 'TCP' },
      { name: 'web', containerPort: 80, hostPort: 30080, protocol: 'TCP' },
    ])
    expect(spec?.volumeClaimTemplates?.map(({ metadata: { name } = {} }) => name)).toEqual(['delay-bind'])
    expect(spec?.template.spec?.affinity?.podAntiAffinity).toEqual({
      requiredDuringSchedulingIgnoredDuringExecution: [{ labelSelector: { matchLabels: labels }, namespaces: ['ns'], topologyKey: 'kubernetes.io/hostname' }],
    })
  })

  test("host ports mean nothing with the node's own network", () => {
    const server = tarsServer({ k8s: { hostNetwork: true, hostPorts: [{ nameRef: 'HelloObj', port: 30000 }] } })
    const spec = desiredStatefulSet(server)?.spec?.template.spec
    expect(spec).toMatchObject({ hostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet' })
    expect(spec?.containers[0]?.ports).toBeUndefined()
  })

  test('local volumes and claim templates become claims of each pod', () => {
    const server = tarsServer({
      k8s: {
        mounts: [
          { name: 'data', mountPath: '/data', source: { tLocalVolume: {} } },
          { name: 'disk', mountPath: '/disk', source: { persistentVolumeClaimTemplate: { spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '2Gi' } } } } } },
        ],
      },
    })
    const spec = desiredStatefulSet(server)?.spec
    const volumeLabels = { ...labels, 'tars.io/LocalVolume': 'data', 'tars.io/LocalVolumeNamespace': 'ns' }
    expect(spec?.volumeClaimTemplates).toEqual([
      {
        apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'data', namespace: 'ns', labels: volumeLabels, ownerReferences: [owner] },
        spec: { accessModes: ['ReadWriteOnce'], selector: { matchLabels: volumeLabels }, resources: { requests: { storage: '1G' } }, storageClassName: 'tars-storage-class', volumeMode: 'Filesystem' },
      },
      { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'disk' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '2Gi' } } } },
    ])
    expect(spec?.template.spec?.containers[0]?.volumeMounts?.map(({ name }) => name)).toEqual(['data', 'disk', 'host-timezone', 'tarsnode-work-dir'])
    expect(spec?.template.spec?.volumes).toEqual([timezoneVolume, workDirVolume])
  })

  test.each([
    ['AppRequired', ['tars.io/node.ns', 'tars.io/ability.ns.Demo'], 0],
    ['ServerRequired', ['tars.io/node.ns', 'tars.io/ability.ns.Demo-Hello'], 0],
    ['AppOrServerPreferred', ['tars.io/node.ns'], 2],
    ['None', ['tars.io/node.ns'], 0],
  ] as const)('affinity %s', (abilityAffinity, keys, preferences) => {
    const server = tarsServer({ k8s: { abilityAffinity, nodeSelector: [{ key: 'disk', operator: 'In', values: ['ssd'] }] } })
    const affinity = desiredStatefulSet(server)?.spec?.template.spec?.affinity?.nodeAffinity
    const [term] = affinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []
    expect(term?.matchExpressions).toEqual([{ key: 'disk', operator: 'In', values: ['ssd'] }, ...keys.map((key) => ({ key, operator: 'Exists' }))])
    expect(affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).toHaveLength(preferences)
  })

  test('a label that no node can have is preferred by nobody', () => {
    const server = tarsServer({}, { namespace: 'n'.repeat(45) })
    const preferences = desiredStatefulSet(server)?.spec?.template.spec?.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution
    expect(preferences).toEqual([preferred(30, `tars.io/ability.${'n'.repeat(45)}.Demo`)])
  })

  test('an unreleased server starts nothing, whatever replicas says', () => {
    const spec = desiredStatefulSet(unreleased(tarsServer({ k8s: { replicas: 5 } })))?.spec
    expect(spec?.replicas).toBe(0)
    expect(spec?.template.spec?.containers[0]?.image).toBe(' ')
    expect(spec?.template.metadata?.labels).toEqual({ ...labels, 'tars.io/TServer': 'demo-hello' })
  })

  test.each([[5, '1', '3', 3], [0, '2', '3', 2], [2, '1', '3', 2], [99, undefined, undefined, 99]])('replicas %i within [%s, %s] are %i', (replicas, min, max, expected) => {
    const annotations = { ...(min === undefined ? {} : { 'tars.io/MinReplicas': min }), ...(max === undefined ? {} : { 'tars.io/MaxReplicas': max }) }
    expect(desiredStatefulSet(tarsServer({ k8s: { replicas } }, { annotations }))?.spec?.replicas).toBe(expected)
  })

  test('OnDelete goes without rollingUpdate, which Kubernetes would refuse', () => {
    expect(desiredStatefulSet(tarsServer({ k8s: { updateStrategy: { type: 'OnDelete' } } }))?.spec?.updateStrategy).toEqual({ type: 'OnDelete' })
  })

  test('equal servers give equal text', () => {
    const build = (): string => JSON.stringify(desiredStatefulSet(tarsServer({ k8s: { hostPorts: [{ nameRef: 'HelloObj', port: 30000 }] } })))
    expect(build()).toBe(build())
  })
})

describe('daemon set (control-plane spec C.3)', () => {
  test('has no abilities, no anti-affinity and replaces at least one pod at a time', () => {
    const set = desiredDaemonSet(tarsServer({ k8s: { daemonSet: true, notStacked: true, abilityAffinity: 'AppRequired' } }))
    expect(set?.spec).toMatchObject({ minReadySeconds: 3, revisionHistoryLimit: 1, updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1 } } })
    expect(set?.spec?.template.spec?.affinity).toEqual({
      nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'tars.io/node.ns', operator: 'Exists' }] }] } },
    })
    expect(desiredDaemonSet(tarsServer())).toBeUndefined()
  })

  test('an unreleased one fits no node', () => {
    const set = desiredDaemonSet(unreleased(tarsServer({ k8s: { daemonSet: true } })))
    expect(set?.spec?.template.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms).toEqual([
      { matchExpressions: [{ key: 'tars.io/node.ns', operator: 'Exists' }, { key: 'tars.io/node.ns', operator: 'DoesNotExist' }] },
    ])
  })
})
