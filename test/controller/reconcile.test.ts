// The whole controller against a real API server over HTTP.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { resources } from '#api/resources.ts'
import type { TEndpoint, TServer, TTree } from '#api/types.ts'
import { daemonSets, events, nodes, podDisruptionBudgets, persistentVolumeClaims, pods, services, statefulSets } from '#kube/resources.ts'
import type { KubeClient } from '#kube/client.ts'
import type { AnyObject, KubeObject, Resource } from '#kube/types.ts'
import type { Controller } from '../../framework/controller/controller.ts'
import { clientAs, controllerOf, eventually, peek, startCluster, type TestCluster } from './cluster.ts'
import { tarsServer } from './fixtures.ts'

let cluster: TestCluster
let controller: Controller
/** A user whose changes no webhook holds up, as if it were down. */
let kubernetes: KubeClient
beforeAll(async () => {
  cluster = await startCluster({ roles: ['registry'] })
  kubernetes = clientAs(cluster, 'system:serviceaccount:kube-system:somebody')
  controller = await controllerOf(cluster)
})
afterAll(async () => {
  kubernetes?.close()
  await controller?.stop()
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
    expect(status).toMatchObject({ replicas: 1, readyReplicas: 0, currentReplicas: 0, selector: 'tars.io/ServerApp=Demo,tars.io/ServerName=Full' })
    await cluster.client.delete(tservers, { namespace: ns, name })
    for (const resource of [services, statefulSets, resources.tendpoints, resources.texitedrecords]) await gone(resource, name)
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

test('a node bears the label of tarsagent as long as it is labelled for some framework', async () => {
  const { client } = cluster
  const labelOf = async (): Promise<string | undefined> => (await client.get(nodes, { name: 'mine' })).metadata.labels?.['tars.io/node']
  const label = (labels: object): Promise<unknown> => client.patch(nodes, { name: 'mine' }, { metadata: { labels } })
  await client.create(nodes, { metadata: { name: 'mine' } } as never)
  await label({ 'tars.io/node.red': '', 'tars.io/node.blue': '' })
  await eventually(async () => ((await labelOf()) === '' ? true : undefined))
  await label({ 'tars.io/node.red': null })
  await settled()
  expect(await labelOf()).toBe('')
  await label({ 'tars.io/node.blue': null })
  await eventually(async () => ((await labelOf()) === undefined ? true : undefined))
  await client.delete(nodes, { name: 'mine' })
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

  test('with other claims are made anew, under pods that stay', async () => {
    const name = await create('Claim')
    const { metadata: { uid } } = await there(statefulSets, name)
    await cluster.client.create(pods, podOf(name, 'Claim', `${name}-0`, { ownerReferences: [{ apiVersion: 'apps/v1', kind: 'StatefulSet', name, uid: uid ?? '', controller: true }] }))
    await cluster.client.patch(tservers, { namespace: ns, name }, { spec: { k8s: { mounts: [{ name: 'data', mountPath: '/data', source: { tLocalVolume: {} } }] } } })
    const anew = await eventually(async () => { const found = await get(statefulSets as Resource<never>, name); return found !== undefined && found.metadata.uid !== uid ? found : undefined })
    expect(anew['spec'].volumeClaimTemplates.map(({ metadata }: KubeObject) => metadata.name)).toEqual(['data'])
    expect(await get(pods as Resource<never>, `${name}-0`)).toBeDefined()
  })

  test('pods without a claim of their set go one at a time, from the first on', async () => {
    const name = await create('Lacking', { k8s: { replicas: 2, mounts: [{ name: 'data', mountPath: '/data', source: { tLocalVolume: {} } }] } })
    const { metadata: { uid = '' } } = await there(statefulSets, name)
    const ownerReferences = [{ apiVersion: 'apps/v1', kind: 'StatefulSet', name, uid, controller: true }]
    const make = (ordinal: number, volumes: readonly object[]): Promise<unknown> => {
      const pod: AnyObject = podOf(name, 'Lacking', `${name}-${ordinal}`, { ownerReferences })
      return cluster.client.create(pods, { ...pod, spec: { ...pod['spec'], volumes } })
    }
    const ready = (ordinal: number): Promise<unknown> => cluster.client.patch(pods, { namespace: ns, name: `${name}-${ordinal}` }, { status: { conditions: [{ type: 'Ready', status: 'True' }] } }, { subresource: 'status' })
    const claimed = [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }]
    await make(0, [])
    // One that is missing is waited for.
    await settled()
    expect(await get(pods as Resource<never>, `${name}-0`)).toBeDefined()
    await make(1, [])
    await ready(0)
    await settled()
    expect(await get(pods as Resource<never>, `${name}-0`)).toBeDefined()
    await ready(1)
    await gone(pods, `${name}-0`)
    await make(0, claimed)
    await settled()
    expect(await get(pods as Resource<never>, `${name}-1`)).toBeDefined()
    await ready(0)
    await gone(pods, `${name}-1`)
    await make(1, claimed)
    await ready(1)
    await settled()
    expect((await cluster.client.list(pods, { namespace: ns, labelSelector: 'tars.io/ServerName=Lacking' })).items).toHaveLength(2)
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

  test('that belong to somebody else are left alone, and an event says so', async () => {
    await kubernetes.create(services, { metadata: { name: 'demo-taken', namespace: ns, labels: { 'tars.io/ServerApp': 'Demo', 'tars.io/ServerName': 'Taken' } }, spec: { clusterIP: 'None' } } as never)
    const name = await create('Taken')
    const event = await eventually(async () => (await cluster.client.list({ group: '', version: 'v1', plural: 'events', kind: 'Event', namespaced: true }, { namespace: ns })).items.find((item) => item['reason'] === 'OutControl'))
    expect(event).toMatchObject({ type: 'Warning', involvedObject: { kind: 'TServer', name } })
    expect((await get(services as Resource<never>, name))?.metadata.ownerReferences).toBeUndefined()
    await cluster.client.delete(services, { namespace: ns, name })
    await eventually(async () => (await get(services as Resource<never>, name))?.metadata.ownerReferences)
  })
})

test('what the API server refuses is told to the operator by an event', async () => {
  const name = await create('Forbidden')
  const event = await eventually(async () => (await cluster.client.list({ group: '', version: 'v1', plural: 'events', kind: 'Event', namespaced: true }, { namespace: ns })).items.find((item) => item['reason'] === 'Refused'))
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
  const kinds = [tservers, services, statefulSets, daemonSets, podDisruptionBudgets, resources.tendpoints, resources.texitedrecords, resources.ttrees, resources.tconfigs] as unknown as Resource[]
  const lists = await Promise.all(kinds.map((resource) => cluster.client.list(resource, { namespace: ns })))
  return Object.fromEntries(lists.flatMap(({ items }) => items.map(({ kind, metadata }) => [`${kind}/${metadata.name}`, metadata.resourceVersion])))
}
