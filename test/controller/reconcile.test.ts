// The whole controller against a real API server over HTTP.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { resources } from '#api/resources.ts'
import type { TEndpoint, TServer, TTree } from '#api/types.ts'
import { daemonSets, events, horizontalPodAutoscalers, podDisruptionBudgets, persistentVolumeClaims, pods, services, statefulSets } from '#kube/resources.ts'
import { isConflict } from '#kube/errors.ts'
import type { KubeClient } from '#kube/client.ts'
import type { AnyObject, KubeObject, Resource } from '#kube/types.ts'
import type { Controller } from '../../framework/controller/controller.ts'
import { isLeftOver, isOrphan } from '../../framework/controller/reconcile/owner.ts'
import { clientAs, controllerOf, eventually, peek, startCluster, type TestCluster } from './cluster.ts'
import { startFaultProxy, type FaultProxy } from '../lib/kube/fault-proxy.ts'
import { tarsServer } from './fixtures.ts'
import { embedded } from '../rig/kube.ts'

let cluster: TestCluster
let controller: Controller
/** What the controller asks of the API server goes through it. */
let proxy: FaultProxy
/** A user whose changes no webhook holds up, as if it were down. */
let kubernetes: KubeClient
beforeAll(async () => {
  cluster = await startCluster({ roles: ['registry'] })
  kubernetes = clientAs(cluster, 'system:serviceaccount:kube-system:somebody')
  proxy = await startFaultProxy(cluster.config)
  controller = await controllerOf({ ...cluster, config: proxy.config })
})
afterAll(async () => {
  kubernetes?.close()
  await controller?.stop()
  await proxy?.stop()
  await cluster?.stop()
})

const ns = 'ns'
const tservers = resources.tservers as Resource<TServer>
const get = (resource: Resource<never>, name: string): Promise<AnyObject | undefined> => peek(cluster.client, resource as unknown as Resource, ns, name)
const there = (resource: object, name: string) => eventually(() => get(resource as Resource<never>, name))
const gone = (resource: object, name: string) => eventually(async () => ((await get(resource as Resource<never>, name)) === undefined ? true : undefined))
const settled = () => eventually(async () => (controller.idle ? true : undefined))

/** A new Demo.<name> with one servant. */
async function create(name: string, change: Parameters<typeof tarsServer>[0] = {}): Promise<string> {
  const { metadata: { uid: _, ...metadata }, ...server } = tarsServer({ server: name, ...change }, { name: `demo-${name.toLowerCase()}` })
  const created = await cluster.client.create(tservers, { ...server, metadata })
  return created.metadata.name
}

describe('a TServer', () => {
  test('brings its children, and takes them along', async () => {
    const name = await create('Full')
    const owner = (await there(resources.tservers, name)).metadata.uid
    for (const resource of [services, statefulSets, resources.tendpoints, resources.texitedrecords]) {
      const child = await there(resource, name)
      expect(child.metadata.ownerReferences?.map(({ uid }) => uid), resource.plural).toEqual([owner])
      expect(child.metadata.labels).toMatchObject({ 'tars.io/ServerApp': 'Demo', 'tars.io/ServerName': 'Full' })
    }
    expect(await get(daemonSets as Resource<never>, name)).toBeUndefined()
    const status = await eventually(async () => (await get(resources.tservers as Resource<never>, name))?.['status'])
    expect(status).toMatchObject({ replicas: 1, readyReplicas: 0, currentReplicas: 0, selector: 'tars.io/ServerApp=Demo,tars.io/ServerName=Full,!tars.io/ServerVariant' })
    await cluster.client.delete(tservers, { namespace: ns, name })
    for (const resource of [services, statefulSets, resources.tendpoints, resources.texitedrecords]) await gone(resource, name)
  })

  test('and a variant of it have children and pods of their own', async () => {
    const name = await create('Twin', { k8s: { replicas: 2 } })
    const { metadata: { uid: _, ...metadata }, ...server } = tarsServer({ server: 'Twin', variant: 'far', k8s: { replicas: 2 } }, { name: 'demo-twin-far' })
    await cluster.client.create(tservers, { ...server, metadata })
    for (const [owner, child] of [[name, await there(statefulSets, name)], ['demo-twin-far', await there(statefulSets, 'demo-twin-far')]] as const) {
      expect(child.metadata.ownerReferences?.map(({ uid }) => uid)).toEqual([(await there(tservers, owner)).metadata.uid])
      expect(child['spec'].serviceName).toBe(owner)
    }
    // A pod that two budgets select cannot be evicted.
    expect((await there(podDisruptionBudgets, name))['spec'].selector.matchExpressions).toEqual([{ key: 'tars.io/ServerVariant', operator: 'DoesNotExist' }])
    expect((await there(podDisruptionBudgets, 'demo-twin-far'))['spec'].selector).toEqual({ matchLabels: { 'tars.io/ServerApp': 'Demo', 'tars.io/ServerName': 'Twin', 'tars.io/ServerVariant': 'far' } })
    const selectorOf = async (service: string): Promise<unknown> => (await there(services, service))['spec'].selector
    // A Service leads to the pods of its own TServer.
    const both = { 'tars.io/ServerApp': 'Demo', 'tars.io/ServerName': 'Twin' }
    expect([await selectorOf(name), await selectorOf('demo-twin-far')]).toEqual([{ ...both, 'tars.io/TServer': name }, { ...both, 'tars.io/ServerVariant': 'far' }])
    for (const [set, own] of [[name, await selectorOf(name)], ['demo-twin-far', await selectorOf('demo-twin-far')]] as const) {
      expect((await there(statefulSets, set))['spec'].template.metadata.labels).toMatchObject(own as object)
      expect((await there(statefulSets, set === name ? 'demo-twin-far' : name))['spec'].template.metadata.labels).not.toMatchObject(own as object)
    }
    const pod = (set: string) => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name: `${set}-0`, namespace: ns, labels: { ...both, 'tars.io/TServer': set, ...(set === name ? {} : { 'tars.io/ServerVariant': 'far' }) } }, spec: { containers: [{ name: 'c', image: 'x' }] } })
    for (const set of [name, 'demo-twin-far']) await kubernetes.create(pods, pod(set))
    for (const set of [name, 'demo-twin-far']) {
      await eventually(async () => ((await get(resources.tendpoints as Resource<never>, set)) as unknown as TEndpoint | undefined)?.status?.pods.some((one) => one.name === `${set}-0`) || undefined)
      expect(((await get(resources.tendpoints as Resource<never>, set)) as unknown as TEndpoint).status?.pods.map((one) => one.name)).toEqual([`${set}-0`])
    }
    expect(((await get(resources.tendpoints as Resource<never>, 'demo-twin-far')) as unknown as TEndpoint).spec.variant).toBe('far')
  })

  test('has each of its children written once', async () => {
    const name = await create('Once', { k8s: { replicas: 2 } })
    for (const resource of [resources.tservers, resources.tendpoints]) await eventually(async () => (await get(resource as Resource<never>, name))?.['status'])
    for (const resource of [podDisruptionBudgets, services, resources.texitedrecords]) await there(resource, name)
    await settled()
    const paths = proxy.requests.filter((request) => !request.startsWith('GET ') && request.includes(`/${name}`)).map((request) => request.replace(/\?.*/, '').replace(/^(\S+) .*\/ns\//, '$1 '))
    expect(paths.toSorted()).toEqual(['poddisruptionbudgets/demo-once', 'services/demo-once', 'statefulsets/demo-once', 'tendpoints/demo-once', 'tendpoints/demo-once/status', 'tservers/demo-once/status'].map((path) => `PATCH ${path}`))
  })

  test('that was made again takes away what the first one left, also what it has no use for itself', async () => {
    const name = 'demo-heir'
    // Of a version that is not served: no garbage collector can tell whether the owner is there.
    const owner = { apiVersion: 'k8s.tars.io/v0', kind: 'TServer', name, uid: 'the-first', controller: true }
    const metadata = { namespace: ns, name, labels: { 'tars.io/ServerApp': 'Demo', 'tars.io/ServerName': 'Heir' }, ownerReferences: [owner] }
    await kubernetes.create(podDisruptionBudgets, { metadata, spec: { maxUnavailable: 1, selector: { matchLabels: metadata.labels } } } as never)
    await kubernetes.create(resources.texitedrecords as unknown as Resource, { metadata, app: 'Demo', server: 'Heir', pods: [{ uid: 'u', name: 'old-0' }] } as never)
    await create('Heir')
    await gone(podDisruptionBudgets, name)
    const { uid } = (await there(resources.tservers, name)).metadata
    const record = await eventually(async () => { const found = await get(resources.texitedrecords as Resource<never>, name); return found?.metadata.ownerReferences?.[0]?.uid === uid ? found : undefined })
    expect(record['pods']).toEqual([])
  })

  test('that is there is not held for gone, however little is known of it', async () => {
    const name = await create('Known')
    const child = await there(statefulSets, name)
    expect([isLeftOver(child, undefined), await isOrphan(cluster.client, child)]).toEqual([true, false])
    for (const owner of child.metadata.ownerReferences ?? []) owner.uid = 'another'
    expect(await isOrphan(cluster.client, child)).toBe(true)
  })

  test('made again at once gets children of its own', async () => {
    const name = await create('Again')
    const old = (await there(statefulSets, name)).metadata.uid
    await cluster.client.delete(tservers, { namespace: ns, name })
    await gone(resources.tservers, name)
    await create('Again')
    for (const resource of [statefulSets, services, resources.tendpoints]) {
      await eventually(async () => { const [child, owner] = [await get(resource as Resource<never>, name), await get(tservers as Resource<never>, name)]; return child?.metadata.ownerReferences?.[0]?.uid === owner?.metadata.uid ? true : undefined })
    }
    expect((await there(statefulSets, name)).metadata.uid).not.toBe(old)
  })

  test('is in the tree by its application', async () => {
    await create('Leaf')
    const tree = await eventually(async () => {
      const found = (await get(resources.ttrees as Resource<never>, 'tars-tree')) as unknown as TTree
      return found.apps.some(({ name }) => name === 'Demo') ? found : undefined
    })
    expect(tree.apps.map(({ name }) => name)).toEqual(['tars', 'base', 'Demo'])
  })

  test('becomes a DaemonSet and back', async () => {
    const name = await create('Both')
    await there(statefulSets, name)
    await cluster.client.patch(tservers, { namespace: ns, name }, { spec: { k8s: { daemonSet: true } } })
    await there(daemonSets, name)
    await gone(statefulSets, name)
    await gone(services, name)
    await cluster.client.patch(tservers, { namespace: ns, name }, { spec: { k8s: { daemonSet: false } } })
    await there(statefulSets, name)
    await there(services, name)
    await gone(daemonSets, name)
  })

  test('scaled past its bounds runs within them; unreleased runs nothing', async () => {
    const name = await create('Bound')
    await cluster.client.patch(tservers, { namespace: ns, name }, { metadata: { annotations: { 'tars.io/MaxReplicas': '3' } } })
    await cluster.client.patch(tservers, { namespace: ns, name }, { spec: { replicas: 7 } }, { subresource: 'scale' })
    await eventually(async () => ((await get(statefulSets as Resource<never>, name))?.['spec'].replicas === 3 ? true : undefined))
    await cluster.client.patch(tservers, { namespace: ns, name }, { spec: { release: null } })
    await eventually(async () => ((await get(statefulSets as Resource<never>, name))?.['spec'].replicas === 0 ? true : undefined))
  })
})

test('pods of a server of several go one at a time when nodes are drained', async () => {
  const name = await create('Drained', { k8s: { replicas: 3 } })
  const budget = await there(podDisruptionBudgets, name)
  expect(budget['spec']).toMatchObject({ maxUnavailable: 1, selector: { matchLabels: { 'tars.io/ServerApp': 'Demo', 'tars.io/ServerName': 'Drained' } } })
  await cluster.client.patch(tservers, { namespace: ns, name }, { spec: { k8s: { replicas: 1 } } })
  await gone(podDisruptionBudgets, name)
  await cluster.client.patch(tservers, { namespace: ns, name }, { spec: { k8s: { replicas: 2 } } })
  await there(podDisruptionBudgets, name)
  await cluster.client.delete(tservers, { namespace: ns, name })
  await gone(podDisruptionBudgets, name)
})

describe('a server that is scaled by load', () => {
  const autoscaling = { minReplicas: 2, maxReplicas: 5, cpu: 60 }
  const requests_ = { requests: { cpu: '100m', memory: '64Mi' } }
  const replicas = async (name: string) => [(await get(tservers as Resource<never>, name))?.['spec'].k8s.replicas, (await get(statefulSets as Resource<never>, name))?.['spec'].replicas]

  test('has an autoscaler of its TServer, within the bounds of both, and a budget throughout', async () => {
    const name = await create('Load', { k8s: { autoscaling: { ...autoscaling, memory: 80, metrics: [{ type: 'Pods', pods: { metric: { name: 'calls' }, target: { type: 'AverageValue', averageValue: '100' } } }], behavior: { scaleDown: { stabilizationWindowSeconds: 60 } } }, resources: requests_ } })
    const scaler = await there(horizontalPodAutoscalers, name)
    expect(scaler['spec']).toMatchObject({
      scaleTargetRef: { apiVersion: 'k8s.tars.io/v1beta3', kind: 'TServer', name }, minReplicas: 2, maxReplicas: 5, behavior: { scaleDown: { stabilizationWindowSeconds: 60 } },
      metrics: [
        { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 60 } } },
        { type: 'Resource', resource: { name: 'memory', target: { type: 'Utilization', averageUtilization: 80 } } },
        { type: 'Pods', pods: { metric: { name: 'calls' }, target: { type: 'AverageValue', averageValue: '100' } } },
      ],
    })
    await there(podDisruptionBudgets, name)
    await cluster.client.patch(tservers, { namespace: ns, name }, { metadata: { annotations: { 'tars.io/MaxReplicas': '3' } } })
    await eventually(async () => ((await get(horizontalPodAutoscalers as Resource<never>, name))?.['spec'].maxReplicas === 3 ? true : undefined))
    await cluster.client.patch(tservers, { namespace: ns, name }, { spec: { k8s: { autoscaling: null } } })
    await gone(horizontalPodAutoscalers, name)
  })
  test('keeps the replicas that it was scaled to, whoever writes it without them', async () => {
    const name = await create('Kept', { k8s: { autoscaling, resources: requests_ } })
    await there(statefulSets, name)
    await cluster.client.patch(tservers, { namespace: ns, name }, { spec: { replicas: 4 } }, { subresource: 'scale' })
    await eventually(async () => ((await get(statefulSets as Resource<never>, name))?.['spec'].replicas === 4 ? true : undefined))
    // Its status may be written in between.
    await eventually(async () => {
      const now = await cluster.client.get(tservers, { namespace: ns, name })
      const { replicas: _, ...k8s } = now.spec.k8s
      return cluster.client.update(tservers, { ...now, spec: { ...now.spec, important: 9, k8s } } as TServer).catch((error: unknown) => (isConflict(error) ? undefined : Promise.reject(error)))
    })
    await settled()
    expect(await replicas(name)).toEqual([4, 4])
  })
  test('begins with the least of its pods when it is first released: an autoscaler leaves none alone', async () => {
    const { metadata: { uid: _, ...metadata }, spec: { release, ...spec }, ...rest } = tarsServer({ server: 'First', k8s: { autoscaling, resources: requests_ } }, { name: 'demo-first' })
    await cluster.client.create(tservers, { ...rest, metadata, spec })
    await eventually(async () => ((await get(statefulSets as Resource<never>, 'demo-first'))?.['spec'].replicas === 0 ? true : undefined))
    await cluster.client.patch(tservers, { namespace: ns, name: 'demo-first' }, { spec: { release } })
    await eventually(async () => ((await get(statefulSets as Resource<never>, 'demo-first'))?.['spec'].replicas === 2 ? true : undefined))
  })
  // The embedded cluster has no autoscaler.
  if (!embedded) test("is scaled by Kubernetes' own autoscaler", async () => {
    const name = await create('Real', { k8s: { replicas: 1, autoscaling, resources: requests_ } })
    await there(horizontalPodAutoscalers, name)
    // Without metrics it knows the bounds alone.
    await eventually(async () => ((await get(statefulSets as Resource<never>, name))?.['spec'].replicas === 2 ? true : undefined))
    expect(await replicas(name)).toEqual([2, 2])
  })
  test.each<[string, object, string]>([
    ['bounds that cross', { autoscaling: { minReplicas: 3, maxReplicas: 2, cpu: 50 } }, 'minReplicas is 3, more than maxReplicas, which is 2'],
    ['no metric', { autoscaling: { maxReplicas: 2 } }, 'by at least one metric'],
    ['a percentage of nothing', { autoscaling: { maxReplicas: 2, cpu: 50 }, resources: {} }, 'spec.k8s.resources.requests.cpu, which is not set'],
    ['a DaemonSet', { autoscaling, daemonSet: true }, 'can not use .autoscaling when .daemonSet value is true'],
  ])('is refused with %s', async (_what, k8s, text) => {
    await expect(create('Wrong', { k8s: { resources: requests_, ...k8s } })).rejects.toThrow(text)
  })
})

describe('children', () => {
  test('that were changed or deleted are put right', async () => {
    const name = await create('Drift')
    await there(statefulSets, name)
    await expect(cluster.client.patch(statefulSets, { namespace: ns, name }, { spec: { replicas: 9 } })).rejects.toThrow('resource should be modified through tserver')
    await kubernetes.patch(statefulSets, { namespace: ns, name }, { spec: { replicas: 9 } })
    await eventually(async () => ((await get(statefulSets as Resource<never>, name))?.['spec'].replicas === 1 ? true : undefined))
    const { metadata: { uid } } = await there(services, name)
    await cluster.client.delete(services, { namespace: ns, name })
    await eventually(async () => { const found = await get(services as Resource<never>, name); return found !== undefined && found.metadata.uid !== uid ? true : undefined })
  })

  test('that are TEndpoints are put right, too', async () => {
    const name = await create('Copy')
    await there(resources.tendpoints, name)
    await cluster.client.patch(resources.tendpoints as Resource, { namespace: ns, name }, { spec: { important: 20, tars: { servants: [] } } })
    await eventually(async () => { const found = (await get(resources.tendpoints as Resource<never>, name)) as unknown as TEndpoint; return found.spec.important === 3 && found.spec.tars?.servants.length === 1 ? true : undefined })
    const { metadata: { uid } } = await there(resources.tendpoints, name)
    await cluster.client.patch(resources.tendpoints as Resource, { namespace: ns, name }, { metadata: { ownerReferences: null } })
    await eventually(async () => { const found = await get(resources.tendpoints as Resource<never>, name); return found !== undefined && found.metadata.uid !== uid ? true : undefined })
  })

  test('keep what others added', async () => {
    const name = await create('Guest')
    await there(statefulSets, name)
    const sidecar = { name: 'guest', image: 'registry.test/guest:1' }
    await cluster.client.patch(statefulSets, { namespace: ns, name }, { metadata: { annotations: { theirs: 'yes' } }, spec: { template: { spec: { containers: [sidecar] } } } }, { type: 'strategic' })
    await cluster.client.patch(tservers, { namespace: ns, name }, { spec: { release: { id: 'v2', image: 'registry.test/demo.hello:v2' } } })
    const set = await eventually(async () => { const found = await get(statefulSets as Resource<never>, name); return found?.['spec'].template.spec.containers.some(({ image }: { image: string }) => image.endsWith(':v2')) ? found : undefined })
    expect(set['spec'].template.spec.containers.map((container: { name: string }) => container.name).toSorted()).toEqual([name, 'guest'])
    expect(set.metadata.annotations).toMatchObject({ theirs: 'yes' })
  })

  test('lose what the server no longer asks for', async () => {
    const name = await create('Less', { k8s: { env: [{ name: 'A', value: '1' }, { name: 'B', value: '2' }] } })
    await there(statefulSets, name)
    await cluster.client.patch(tservers, { namespace: ns, name }, { spec: { k8s: { env: [{ name: 'B', value: '2' }] } } })
    await eventually(async () => {
      const env: { name: string }[] = (await get(statefulSets as Resource<never>, name))?.['spec'].template.spec.containers[0].env
      return env.some((variable) => variable.name === 'A') ? undefined : env.some((variable) => variable.name === 'B') || undefined
    })
  })

  test('lose it with all that Kubernetes filled in for it', async () => {
    const name = await create('Filled', {
      subType: 'normal', normal: { ports: [{ name: 'http', port: 8080 }] },
      k8s: {
        serviceAccount: 'trusted',
        env: [{ name: 'WHERE', valueFrom: { fieldRef: { fieldPath: 'status.hostIP' } } }],
        probes: { startup: { grpc: { port: 8080 } }, liveness: { httpGet: { path: '/', port: 8080 } }, readiness: { tcpSocket: { port: 8080 } } },
        sidecars: [{ name: 'side', image: 'registry.test/side:1', env: [{ name: 'CPU', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } }], lifecycle: { preStop: { httpGet: { path: '/', port: 81 } } } }],
      },
    })
    await there(statefulSets, name)
    await cluster.client.patch(tservers, { namespace: ns, name }, { spec: { k8s: {
      serviceAccount: null,
      env: [{ name: 'WHERE', value: 'here' }],
      probes: { startup: { grpc: null, tcpSocket: { port: 8080 } }, liveness: { httpGet: null, exec: { command: ['true'] } }, readiness: null },
      sidecars: [{ name: 'side', image: 'registry.test/side:2', env: [{ name: 'CPU', value: '1' }], lifecycle: { preStop: { exec: { command: ['true'] } } } }],
    } } })
    const template = await eventually(async () => {
      const spec = (await get(statefulSets as Resource<never>, name))?.['spec'].template.spec
      return spec.containers[1].image.endsWith(':2') ? spec : undefined
    })
    expect([template.serviceAccountName, template.serviceAccount]).toEqual([undefined, undefined])
    const [own, side] = template.containers
    expect(own.env).toEqual([{ name: 'WHERE', value: 'here' }])
    expect(own.livenessProbe).toMatchObject({ exec: { command: ['true'] } })
    expect([own.livenessProbe.httpGet, own.startupProbe.grpc, own.readinessProbe]).toEqual([undefined, undefined, undefined])
    expect([side.env, side.lifecycle]).toEqual([[{ name: 'CPU', value: '1' }], { preStop: { exec: { command: ['true'] } } }])
  })

  test('have of variables that are named twice the last, as containers do', async () => {
    const name = await create('Twice', { k8s: { env: [{ name: 'A', value: '1' }, { name: 'B', value: '2' }, { name: 'A', value: '$(A):3' }] } })
    const [container] = (await there(statefulSets, name))['spec'].template.spec.containers
    expect(container.env.filter((variable: { name: string }) => /^[AB]$/.test(variable.name))).toEqual([{ name: 'A', value: '1:3' }, { name: 'B', value: '2' }])
  })

  test('stay when Kubernetes writes their quantities in its own way', async () => {
    const claim = (storage: string) => ({ name: `s${storage.replaceAll(/\W/g, '').toLowerCase()}`, mountPath: `/${storage}`, source: { persistentVolumeClaimTemplate: { spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage } } } } } }) as const
    const name = await create('Amounts', { k8s: { mounts: ['.5Gi', '1e+9', '2.', '1000000000m'].map(claim) } })
    const { metadata: { uid } } = await there(statefulSets, name)
    await settled()
    await cluster.client.patch(tservers, { namespace: ns, name }, { spec: { release: { id: 'v2', image: 'registry.test/demo.hello:v2' } } })
    const set = await eventually(async () => { const found = await get(statefulSets as Resource<never>, name); return found?.['spec'].template.spec.containers[0].image.endsWith(':v2') === true ? found : undefined })
    expect(set.metadata.uid).toBe(uid)
  })

  test('with other claims are made anew, under pods that stay', async () => {
    const name = await create('Claim')
    const { metadata: { uid } } = await there(statefulSets, name)
    await cluster.client.create(pods, podOf(name, 'Claim', `${name}-0`, { ownerReferences: [{ apiVersion: 'apps/v1', kind: 'StatefulSet', name, uid: uid ?? '', controller: true }] }))
    await cluster.client.patch(tservers, { namespace: ns, name }, { spec: { k8s: { mounts: [{ name: 'data', mountPath: '/data', source: { tLocalVolume: {} } }] } } })
    const anew = await eventually(async () => { const found = await get(statefulSets as Resource<never>, name); return found !== undefined && found.metadata.uid !== uid ? found : undefined })
    expect(anew['spec'].volumeClaimTemplates.map(({ metadata }: KubeObject) => metadata.name)).toEqual(['data'])
    expect(await get(pods as Resource<never>, `${name}-0`)).toBeDefined()
  })

  test('that take over pods without their claims have them replaced, lowest number first, each ready before the next', async () => {
    const name = await create('Claimless', { k8s: { replicas: 2, mounts: [{ name: 'data', mountPath: '/data', source: { tLocalVolume: {} } }] } })
    const { metadata: { uid } } = await there(statefulSets, name)
    const owner = { ownerReferences: [{ apiVersion: 'apps/v1', kind: 'StatefulSet', name, uid: uid ?? '', controller: true }] }
    const ready = (pod: string) => cluster.client.patch(pods, { namespace: ns, name: pod }, { status: { conditions: [{ type: 'Ready', status: 'True' }] } }, { subresource: 'status' })
    const [first, second] = [`${name}-0`, `${name}-1`]
    for (const pod of [second, first]) {
      await cluster.client.create(pods, podOf(name, 'Claimless', pod, owner))
      await ready(pod)
    }
    await gone(pods, first)
    const made = podOf(name, 'Claimless', first, owner) as AnyObject
    await cluster.client.create(pods, { ...made, spec: { ...made['spec'], volumes: [{ name: 'data', persistentVolumeClaim: { claimName: `data-${first}` } }] } })
    await settled()
    expect(await get(pods as Resource<never>, second)).toBeDefined()
    await ready(first)
    await gone(pods, second)
    await settled()
    expect(await get(pods as Resource<never>, first)).toBeDefined()
  })

  test('that people replace themselves stand still without new claims: the status and an event say whom to delete', async () => {
    const name = await create('Byhand', { k8s: { replicas: 2, updateStrategy: { type: 'OnDelete' }, mounts: [{ name: 'data', mountPath: '/data', source: { tLocalVolume: {} } }] } })
    const { metadata: { uid } } = await there(statefulSets, name)
    const owner = { ownerReferences: [{ apiVersion: 'apps/v1', kind: 'StatefulSet', name, uid: uid ?? '', controller: true }] }
    const [first, second] = [`${name}-0`, `${name}-1`]
    for (const pod of [first, second]) await cluster.client.create(pods, podOf(name, 'Byhand', pod, owner))
    const degraded = (reason: string, message?: RegExp) => eventually(async () => (await cluster.client.get(tservers, { namespace: ns, name })).status?.conditions?.some((one) => one.type === 'Degraded' && one.reason === reason && (message?.test(one.message) ?? true)) || undefined)
    await degraded('VolumesMissing', new RegExp(`2 of 2 .*volume data .*kubectl -n ns delete pod ${first} ${second}$`))
    await eventually(async () => (await cluster.client.list(events, { namespace: ns })).items.some((event) => event['reason'] === 'VolumesMissing' && event['type'] === 'Warning' && event['involvedObject'].name === name) || undefined)
    await settled()
    for (const pod of [first, second]) {
      expect(await get(pods as Resource<never>, pod)).toBeDefined()
      await kubernetes.delete(pods, { namespace: ns, name: pod }, { gracePeriodSeconds: 0 })
      await gone(pods, pod)
      const made = podOf(name, 'Byhand', pod, owner) as AnyObject
      await cluster.client.create(pods, { ...made, spec: { ...made['spec'], volumes: [{ name: 'data', persistentVolumeClaim: { claimName: `data-${pod}` } }] } })
    }
    await degraded('AsExpected')
  })

  test('claims of local volumes say who owns the folder, as the server says it now', async () => {
    const name = await create('Owned')
    const mounts = (owner: object): object => ({ spec: { k8s: { mounts: [{ name: 'data', mountPath: '/data', source: { tLocalVolume: owner } }] } } })
    await cluster.client.patch(tservers, { namespace: ns, name }, mounts({ uid: '1000', gid: '1001', mode: '750' }))
    // As the StatefulSet controller makes it from the template.
    const set = await eventually(async () => { const found = await get(statefulSets as Resource<never>, name); return found?.['spec'].volumeClaimTemplates === undefined ? undefined : found })
    const [template] = set['spec'].volumeClaimTemplates
    const claim = `data-${name}-0`
    await kubernetes.create(persistentVolumeClaims, { metadata: { name: claim, namespace: ns, labels: template.metadata.labels }, spec: template.spec })
    const owner = (...values: string[]) => async () => {
      const { [`tars.io/LocalVolumeUID`]: uid, [`tars.io/LocalVolumeGID`]: gid, [`tars.io/LocalVolumeMode`]: mode } = (await get(persistentVolumeClaims as Resource<never>, claim))?.metadata.annotations ?? {}
      return [uid, gid, mode].join() === values.join() || undefined
    }
    await eventually(owner('1000', '1001', '750'))
    await cluster.client.patch(tservers, { namespace: ns, name }, mounts({ uid: '7', gid: '1001', mode: '700' }))
    await eventually(owner('7', '1001', '700'))
    await cluster.client.patch(persistentVolumeClaims, { namespace: ns, name: claim }, { metadata: { annotations: { 'tars.io/LocalVolumeUID': '0' } } })
    await eventually(owner('7', '1001', '700'))
    await cluster.client.delete(persistentVolumeClaims, { namespace: ns, name: claim })
  })

  test.each([['Taken', { 'tars.io/ServerApp': 'Demo', 'tars.io/ServerName': 'Taken' }], ['Strange', undefined]])('that belong to somebody else are left alone, and an event says so (%s)', async (server, labels) => {
    await kubernetes.create(services, { metadata: { name: `demo-${server.toLowerCase()}`, namespace: ns, labels }, spec: { clusterIP: 'None' } } as never)
    const name = await create(server)
    const event = await eventually(async () => (await cluster.client.list({ group: '', version: 'v1', plural: 'events', kind: 'Event', namespaced: true }, { namespace: ns })).items.find((item) => item['reason'] === 'OutControl' && item['involvedObject'].name === name))
    expect(event).toMatchObject({ type: 'Warning', involvedObject: { kind: 'TServer', name } })
    expect((await get(services as Resource<never>, name))?.metadata.ownerReferences).toBeUndefined()
    await cluster.client.delete(services, { namespace: ns, name })
    const made = await eventually(async () => ((await get(services as Resource<never>, name))?.metadata.ownerReferences === undefined ? undefined : there(services, name)))
    // Its own that lost their labels get them back.
    await kubernetes.patch(services, { namespace: ns, name }, { metadata: { labels: { 'tars.io/ServerApp': null, 'tars.io/ServerName': null } } })
    await eventually(async () => ((await there(services, name)).metadata.labels?.['tars.io/ServerName'] === server ? true : undefined))
    expect((await there(services, name)).metadata.uid).toBe(made.metadata.uid)
  })
})

test('what the API server refuses is told to the operator by an event', async () => {
  const name = await create('Forbidden')
  const event = await eventually(async () => (await cluster.client.list({ group: '', version: 'v1', plural: 'events', kind: 'Event', namespaced: true }, { namespace: ns })).items.find((item) => item['reason'] === 'Refused' && item['involvedObject'].name === name))
  expect(event).toMatchObject({ type: 'Warning', involvedObject: { kind: 'TServer', name }, message: `StatefulSet ${name} was refused by the API server: admission webhook "policy.test.io" denied the request: too many pods` })
  await cluster.client.delete(tservers, { namespace: ns, name })
})

const podOf = (name: string, server: string, pod: string, metadata: object = {}) => ({
  metadata: { name: pod, namespace: ns, labels: { 'tars.io/ServerApp': 'Demo', 'tars.io/ServerName': server, 'tars.io/ServerID': 'v1' }, ...metadata },
  spec: { containers: [{ name, image: 'i' }], readinessGates: [{ conditionType: 'tars.io/active' }] },
}) as never

describe('a pod', () => {
  const endpoint = async (name: string) => (await get(resources.tendpoints as Resource<never>, name)) as unknown as TEndpoint | undefined

  test('shows in the TEndpoint with its state, and in the exited record when it ends', async () => {
    const name = await create('Pod')
    await there(resources.tendpoints, name)
    const pod = await cluster.client.create(pods, podOf(name, 'Pod', `${name}-0`))
    const now = new Date().toISOString().replace(/\.\d+Z/, 'Z')
    const conditions = ['PodScheduled', 'Initialized', 'ContainersReady', 'Ready'].map((type) => ({ type, status: 'True', lastTransitionTime: now }))
    await cluster.client.patch(pods, { namespace: ns, name: `${name}-0` }, { status: { podIP: '127.9.9.9', hostIP: '127.0.0.1', conditions: [...conditions, { type: 'tars.io/active', status: 'True', reason: 'Active/Active/77' }] } }, { subresource: 'status' })
    const active = await eventually(async () => (await endpoint(name))?.status?.pods.find(({ presentState }) => presentState === 'Active'))
    expect(active).toMatchObject({ name: `${name}-0`, id: 'v1', pid: '77', podIP: '127.9.9.9', hostIP: '127.0.0.1', settingState: 'Active' })
    await eventually(async () => ((await get(resources.tservers as Resource<never>, name))?.['status']?.readyReplicas === 1 ? true : undefined))
    await cluster.client.delete(pods, { namespace: ns, name: `${name}-0` }, { gracePeriodSeconds: 0 })
    const record = await eventually(async () => { const found = await get(resources.texitedrecords as Resource<never>, name); return found?.['pods'].length === 1 ? found : undefined })
    expect(record['pods'][0]).toMatchObject({ uid: pod.metadata.uid, name: `${name}-0`, id: 'v1', podIP: '127.9.9.9' })
    await eventually(async () => ((await endpoint(name))?.status?.pods.length === 0 ? true : undefined))
  })

  test('that ends while no controller runs is in the exited record before the TEndpoint forgets it', async () => {
    const name = await create('Unseen')
    await there(resources.tendpoints, name)
    const pod = await cluster.client.create(pods, podOf(name, 'Unseen', `${name}-0`))
    await eventually(async () => ((await endpoint(name))?.status?.pods.length === 1 ? true : undefined))
    await there(resources.texitedrecords, name)
    await controller.stop()
    await cluster.client.delete(pods, { namespace: ns, name: `${name}-0` }, { gracePeriodSeconds: 0 })
    await gone(pods, `${name}-0`)
    controller = await controllerOf(cluster)
    await eventually(async () => ((await endpoint(name))?.status?.pods.length === 0 ? true : undefined))
    expect((await there(resources.texitedrecords, name))['pods']).toMatchObject([{ uid: pod.metadata.uid, name: `${name}-0`, id: 'v1' }])
  })
})

test('a server that comes into trouble, out of it and into service is told by events', async () => {
  const name = await create('Told')
  await there(statefulSets, name)
  const pod = { namespace: ns, name: `${name}-0` }
  await cluster.client.create(pods, podOf(name, 'Told', pod.name))
  const status = (conditions: object[], state: object) => cluster.client.patch(pods, pod, { status: { conditions, containerStatuses: [{ name, image: 'i', imageID: '', ready: false, restartCount: 3, state }] } }, { subresource: 'status' })
  const told = async (): Promise<string[]> => (await cluster.client.list(events, { namespace: ns })).items.filter(({ involvedObject }) => involvedObject.name === name).map(({ type, reason, message }) => `${type} ${reason}: ${message}`)
  const hears = (text: string) => eventually(async () => ((await told()).some((line) => line.startsWith(text)) ? true : undefined))
  await status([{ type: 'ContainersReady', status: 'False', reason: 'ContainersNotReady' }], { waiting: { reason: 'CrashLoopBackOff' } })
  await hears(`Warning PodsInTrouble: 1 of 1 pods are in trouble; ${pod.name}: `)
  await status([{ type: 'Ready', status: 'True' }], { running: {} })
  await hears('Normal AsExpected: no pod is in trouble')
  await hears('Normal PodsReady: 1 of 1 pods are ready')
  const { status: known, metadata } = await cluster.client.get(tservers as unknown as Resource, { namespace: ns, name })
  expect(known['observedGeneration']).toBe(metadata.generation)
})

test('with nothing to do nothing is written, by this controller or by the next', async () => {
  const name = await create('Still', { k8s: { replicas: 2, resources: { limits: { cpu: '1000m', memory: '1024Mi' } }, mounts: [{ name: 'm', mountPath: '/m', source: { emptyDir: {} } }], hostPorts: [{ nameRef: 'HelloObj', port: 30000 }] } })
  for (const resource of [services, statefulSets, resources.tendpoints, resources.texitedrecords]) await there(resource, name)
  const before = await eventually(async () => {
    await settled()
    const [first, second] = [await versions(), await versions()]
    return controller.idle && JSON.stringify(first) === JSON.stringify(second) ? second : undefined
  })
  await controller.stop()
  controller = await controllerOf(cluster)
  await settled()
  expect(await versions()).toEqual(before)
})

/** resourceVersion of every object that the controller may write. */
async function versions(): Promise<Record<string, string | undefined>> {
  const kinds = [tservers, services, statefulSets, daemonSets, podDisruptionBudgets, horizontalPodAutoscalers, resources.tendpoints, resources.texitedrecords, resources.ttrees, resources.tconfigs] as unknown as Resource[]
  const lists = await Promise.all(kinds.map((resource) => cluster.client.list(resource, { namespace: ns })))
  return Object.fromEntries(lists.flatMap(({ items }) => items.map(({ kind, metadata }) => [`${kind}/${metadata.name}`, metadata.resourceVersion])))
}
