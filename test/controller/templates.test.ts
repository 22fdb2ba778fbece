// Children whose templates change, or must not, against a real API server over HTTP.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { resources } from '#api/resources.ts'
import type { TServer } from '#api/types.ts'
import type { KubeClient } from '#kube/client.ts'
import { isConflict } from '#kube/errors.ts'
import type { Informer } from '#kube/informer.ts'
import { pods, services, statefulSets } from '#kube/resources.ts'
import type { AnyObject, Resource } from '#kube/types.ts'
import type { Controller } from '../../framework/controller/controller.ts'
import { desiredStatefulSet } from '../../framework/controller/desired/stateful-set.ts'
import { ensureApplied, type Applicable } from '../../framework/controller/reconcile/apply.ts'
import { clientAs, controllerOf, eventually, peek, startCluster, type TestCluster } from './cluster.ts'
import { tarsServer } from './fixtures.ts'

let cluster: TestCluster
let controller: Controller
/** A user whose changes no webhook holds up, as if it were down. */
let kubernetes: KubeClient
beforeAll(async () => {
  cluster = await startCluster({ roles: [] })
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
const there = (resource: object, name: string): Promise<AnyObject> => eventually(() => peek(cluster.client, resource as Resource, ns, name))
const settled = (): Promise<unknown> => eventually(async () => (controller.idle ? true : undefined))

/** A new Demo.<name> with one servant. */
async function create(name: string, change: Parameters<typeof tarsServer>[0] = {}): Promise<string> {
  const { metadata: { uid: _, ...metadata }, ...server } = tarsServer({ server: name, ...change }, { name: `demo-${name.toLowerCase()}` })
  const created = await cluster.client.create(tservers, { ...server, metadata })
  return created.metadata.name
}

test('a server whose pods do not say whose they are yet keeps them, and its Service waits for the next ones', async () => {
  const name = await create('Elder')
  const both = { 'tars.io/ServerApp': 'Demo', 'tars.io/ServerName': 'Elder' }
  await there(services, name)
  await settled()
  const { metadata: { uid } } = await there(statefulSets, name)
  await controller.stop()
  // As a version of before left them.
  await kubernetes.patch(statefulSets, { namespace: ns, name }, [{ op: 'remove', path: '/spec/template/metadata/labels/tars.io~1TServer' }], { type: 'json' })
  await kubernetes.patch(services, { namespace: ns, name }, { spec: { selector: { 'tars.io/TServer': null } } })
  await kubernetes.create(pods, { metadata: { name: `${name}-0`, namespace: ns, labels: both }, spec: { containers: [{ name: 'c', image: 'x' }] } })
  const { metadata: { generation } } = await there(statefulSets, name)
  controller = await controllerOf(cluster)
  await settled()
  expect(await there(statefulSets, name)).toMatchObject({ metadata: { uid, generation } })
  expect((await there(services, name))['spec'].selector).toEqual(both)
  await cluster.client.patch(tservers, { namespace: ns, name }, { spec: { release: { id: 'v2', image: 'registry.test/demo.hello:v2' } } })
  await eventually(async () => (await there(statefulSets, name))['spec'].template.metadata.labels['tars.io/TServer'] === name || undefined)
  await settled()
  expect((await there(services, name))['spec'].selector).toEqual(both)
  await kubernetes.delete(pods, { namespace: ns, name: `${name}-0` }, { gracePeriodSeconds: 0 })
  await eventually(async () => (await there(services, name))['spec'].selector['tars.io/TServer'] === name || undefined)
  // One that comes back as it was, as below the partition of a roll-out, has its name in DNS all the same.
  await kubernetes.create(pods, { metadata: { name: `${name}-0`, namespace: ns, labels: both }, spec: { containers: [{ name: 'c', image: 'x' }] } })
  await eventually(async () => (await there(services, name))['spec'].selector['tars.io/TServer'] === undefined || undefined)
})

test("a server says of its pods in Kubernetes' own words what it will", async () => {
  const sidecar = { name: 'proxy', image: 'registry.test/proxy:1', volumeMounts: [{ name: 'scratch', mountPath: '/scratch' }], ports: [{ containerPort: 15001 }] }
  const words = {
    mounts: [{ name: 'scratch', mountPath: '/scratch', source: { emptyDir: {} } }],
    tolerations: [{ key: 'gpu', operator: 'Exists', effect: 'NoSchedule' }],
    topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable: 'ScheduleAnyway' }],
    priorityClassName: 'system-cluster-critical',
    podSecurityContext: { fsGroup: 2000, runAsNonRoot: true }, securityContext: { runAsUser: 2000, allowPrivilegeEscalation: false },
    probes: { readiness: { httpGet: { path: '/ready', port: 8000 }, periodSeconds: 3 } },
    sidecars: [sidecar, { name: 'first', image: 'registry.test/first:1', restartPolicy: 'Always' }],
    resources: { limits: { cpu: '1', 'example.test/gpu': 1 } },
  } as const
  const name = await create('Wordy', { k8s: words as never })
  const { template } = (await there(statefulSets, name))['spec']
  const { priorityClassName, podSecurityContext: securityContext, tolerations, topologySpreadConstraints: [spread] } = words
  expect(template.spec).toMatchObject({
    priorityClassName, securityContext, tolerations,
    topologySpreadConstraints: [{ ...spread, labelSelector: { matchLabels: { 'tars.io/TServer': name } } }],
    initContainers: [{ name: 'first', restartPolicy: 'Always' }],
    containers: [{ name, securityContext: words.securityContext, readinessProbe: words.probes.readiness, livenessProbe: { httpGet: { path: '/healthz' } }, resources: { limits: { cpu: '1', 'example.test/gpu': '1' } } }, sidecar],
  })
  await settled()
  const { metadata: { generation } } = await there(statefulSets, name)
  await cluster.client.patch(tservers, { namespace: ns, name }, { metadata: { annotations: { touched: 'yes' } } })
  await settled()
  expect((await there(statefulSets, name)).metadata.generation).toBe(generation)
  await cluster.client.patch(tservers, { namespace: ns, name }, { spec: { k8s: { sidecars: null, tolerations: null, probes: null, topologySpreadConstraints: null } } })
  const { spec } = await eventually(async () => { const now = (await there(statefulSets, name))['spec'].template; return now.spec.containers.length === 1 ? now : undefined })
  expect([spec.initContainers, spec.tolerations, spec.topologySpreadConstraints]).toEqual([undefined, undefined, undefined])
  expect(spec.containers[0].readinessProbe).toMatchObject({ httpGet: { path: '/readyz' } })
})

test('children are not written by who decided on what was before', async () => {
  const name = await create('Fenced')
  const seen = await there(statefulSets, name)
  const learned: AnyObject[] = []
  const sets: Applicable = { resource: statefulSets, store: { learn: (object: AnyObject) => void learned.push(object) } as unknown as Informer }
  const late = tarsServer({ server: 'Fenced', release: { id: 'v0', image: 'registry.test/demo.hello:v0' } }, { name, uid: seen.metadata.ownerReferences?.[0]?.uid ?? '' })
  await settled()
  const before = await kubernetes.patch(statefulSets, { namespace: ns, name }, { metadata: { annotations: { theirs: 'newer' } } })
  for (const known of [seen, undefined]) await expect(ensureApplied(kubernetes, sets, desiredStatefulSet(late) ?? {}, known)).rejects.toSatisfy(isConflict)
  const now = await there(statefulSets, name)
  expect(now['spec']).toEqual(before['spec'])
  expect(now.metadata.annotations).toMatchObject({ theirs: 'newer' })
  expect(learned).toEqual([])
  // Known to be gone, it is made; known as it is, it is changed.
  const fresh = tarsServer({ server: 'Fresh' }, { name: 'demo-fresh', uid: 'u' })
  const made = await ensureApplied(kubernetes, sets, { ...desiredStatefulSet(fresh), metadata: { name: 'demo-fresh', namespace: ns } }, undefined)
  const changed = await ensureApplied(kubernetes, sets, { ...desiredStatefulSet(tarsServer({ server: 'Fresh', k8s: { replicas: 4 } }, { name: 'demo-fresh', uid: 'u' })), metadata: { name: 'demo-fresh', namespace: ns } }, made)
  expect([made['spec'].replicas, changed['spec'].replicas]).toEqual([1, 4])
  await kubernetes.delete(statefulSets, { namespace: ns, name: 'demo-fresh' })
})
