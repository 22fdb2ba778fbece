// Rollouts with the real API server and pod runner. Pods run roles inside the test process, which makes them start at once.
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Role } from '#base/lifecycle.ts'
import { nodes, persistentVolumeClaims, services } from '#kube/resources.ts'
import type { Draft } from '#kube/types.ts'
import { endpointsResource, podResource } from '../../../framework/local/pods/kinds.ts'
import type { Pod } from '../../../framework/local/pods/kinds.ts'
import { daemonSetResource, revisionResource, statefulSetResource } from '../../../framework/local/workloads/kinds.ts'
import type { StatefulSet, StatefulSetSpec } from '../../../framework/local/workloads/kinds.ts'
import { isReadyPod, namespace, nodeName, startRig } from '../pods/rig.ts'
import type { Rig } from '../pods/rig.ts'

let rig: Rig
/** Pod names in the order of their starts and stops. */
const history: string[] = []

const steady: Role = ({ env }) => {
  history.push(`+${env['PodName'] ?? ''}`)
  const done = Promise.withResolvers<void>()
  const stop = async (): Promise<void> => {
    history.push(`-${env['PodName'] ?? ''}`)
    done.resolve()
  }
  return Promise.resolve({ stop, done: done.promise })
}
const broken: Role = () => Promise.reject(new Error('it cannot start'))

beforeAll(async () => {
  rig = await startRig({ inProcess: { steady, broken } })
})
afterAll(() => rig?.stop())

function setOf(name: string, spec: Partial<StatefulSetSpec>, role = 'steady', version = '1'): StatefulSet {
  const labels = { app: name }
  const template = { metadata: { labels: { ...labels, version } }, spec: { containers: [{ name: 'main', image: 'x', command: ['tarsk8s', role] }], terminationGracePeriodSeconds: 2 } }
  return { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name, namespace }, spec: { selector: { matchLabels: labels }, serviceName: name, podManagementPolicy: 'Parallel', template, ...spec } }
}

async function setWhen(name: string, wanted: (set: StatefulSet) => boolean): Promise<StatefulSet> {
  for (;;) {
    const set = await rig.client.get(statefulSetResource, { namespace, name })
    if (wanted(set)) return set
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

const podsOf = async (name: string): Promise<Pod[]> => (await rig.client.list(podResource, { namespace, labelSelector: `app=${name}` })).items.toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
const versions = async (name: string): Promise<string[]> => (await podsOf(name)).map(({ metadata }) => `${metadata.name}:${metadata.labels?.['version'] ?? ''}`)
const rolled = (replicas: number) => ({ status }: StatefulSet): boolean => status?.readyReplicas === replicas && status.updatedReplicas === replicas && status.replicas === replicas
const patch = (name: string, spec: object) => rig.client.patch(statefulSetResource, { namespace, name }, { spec })
const remove = async (name: string) => {
  await rig.client.delete(statefulSetResource, { namespace, name })
  while ((await podsOf(name)).length > 0) await new Promise((resolve) => setTimeout(resolve, 20))
}

test('the node is there, with the labels that Tars servers ask for', async () => {
  const node = await rig.client.get(nodes, { name: nodeName })
  expect(node.metadata.labels).toMatchObject({ 'tars.io/node': '', 'tars.io/node.tars': '', 'kubernetes.io/hostname': nodeName })
  expect(node['status'].conditions[0]).toMatchObject({ type: 'Ready', status: 'True' })
})

test('OrderedReady: one after the other up and down', async () => {
  await rig.client.create(statefulSetResource, setOf('ordered', { replicas: 3, podManagementPolicy: 'OrderedReady' }))
  await setWhen('ordered', rolled(3))
  expect(history.filter((line) => line.includes('ordered'))).toEqual(['+ordered-0', '+ordered-1', '+ordered-2'])
  await patch('ordered', { replicas: 1 })
  await setWhen('ordered', ({ status }) => status?.replicas === 1)
  expect(history.filter((line) => line.includes('ordered')).slice(3)).toEqual(['-ordered-2', '-ordered-1'])
  await remove('ordered')
})

test('OrderedReady waits for a pod that does not become ready; a corrected template gets through', async () => {
  await rig.client.create(statefulSetResource, setOf('stuck', { replicas: 2, podManagementPolicy: 'OrderedReady' }, 'broken'))
  for (let pods = await podsOf('stuck'); (pods[0]?.status?.containerStatuses?.[0]?.restartCount ?? 0) < 1; pods = await podsOf('stuck')) expect(pods.length).toBeLessThanOrEqual(1)
  const [pod] = await podsOf('stuck')
  expect(pod?.status?.containerStatuses?.[0]?.lastState.terminated?.message).toContain('it cannot start')
  await patch('stuck', { template: { spec: { containers: [{ name: 'main', image: 'x', command: ['tarsk8s', 'steady'] }] } } })
  await setWhen('stuck', rolled(2))
  await remove('stuck')
})

test('a rollout with a partition, then to the end; the set scales through its scale subresource', async () => {
  await rig.client.create(statefulSetResource, setOf('rolling', { replicas: 3 }))
  await setWhen('rolling', rolled(3))
  const first = await setWhen('rolling', ({ status }) => status?.currentRevision === status?.updateRevision)
  await patch('rolling', { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 2 } }, template: { metadata: { labels: { app: 'rolling', version: '2' } } } })
  const half = await setWhen('rolling', ({ status }) => status?.updatedReplicas === 1 && status.readyReplicas === 3)
  expect(await versions('rolling')).toEqual(['rolling-0:1', 'rolling-1:1', 'rolling-2:2'])
  expect(half.status?.currentRevision).toBe(first.status?.currentRevision)
  expect(half.status?.updateRevision).not.toBe(first.status?.updateRevision)
  const uid = async (): Promise<string | undefined> => (await podsOf('rolling'))[0]?.metadata.uid
  const deleted = await uid()
  await rig.client.delete(podResource, { namespace, name: 'rolling-0' })
  // The set may be whole again before anybody looks.
  for (let now = await uid(); now === deleted || (await podsOf('rolling')).length < 3; now = await uid());
  await setWhen('rolling', ({ status }) => status?.readyReplicas === 3)
  expect((await versions('rolling'))[0]).toBe('rolling-0:1')
  await patch('rolling', { updateStrategy: { rollingUpdate: { partition: 0 } } })
  const done = await setWhen('rolling', rolled(3))
  expect(await versions('rolling')).toEqual(['rolling-0:2', 'rolling-1:2', 'rolling-2:2'])
  await setWhen('rolling', ({ status }) => status?.currentRevision === done.status?.updateRevision)
  await rig.client.patch(statefulSetResource, { namespace, name: 'rolling' }, { spec: { replicas: 1 } }, { subresource: 'scale' })
  await setWhen('rolling', ({ status }) => status?.replicas === 1)
  expect(await versions('rolling')).toEqual(['rolling-0:2'])
  expect((await rig.client.list(revisionResource, { namespace, labelSelector: 'app=rolling' })).items.length).toBeGreaterThanOrEqual(1)
  await remove('rolling')
})

test('OnDelete: pods change when they are deleted', async () => {
  await rig.client.create(statefulSetResource, setOf('manual', { replicas: 2, updateStrategy: { type: 'OnDelete' } }))
  await setWhen('manual', rolled(2))
  await patch('manual', { template: { metadata: { labels: { app: 'manual', version: '2' } } } })
  await setWhen('manual', ({ status }) => status?.updatedReplicas === 0)
  expect(await versions('manual')).toEqual(['manual-0:1', 'manual-1:1'])
  await rig.client.delete(podResource, { namespace, name: 'manual-1' })
  await setWhen('manual', ({ status }) => status?.updatedReplicas === 1 && status.readyReplicas === 2)
  expect(await versions('manual')).toEqual(['manual-0:1', 'manual-1:2'])
  await remove('manual')
})

test('claims of templates are made and bound, and stay when the set scales down', async () => {
  const volumeClaimTemplates = [{ metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } }]
  await rig.client.create(statefulSetResource, setOf('claiming', { replicas: 2, volumeClaimTemplates }))
  await setWhen('claiming', rolled(2))
  await patch('claiming', { replicas: 0 })
  await setWhen('claiming', ({ status }) => status?.replicas === 0)
  for (;;) {
    const { items } = await rig.client.list(persistentVolumeClaims, { namespace })
    expect(items.map(({ metadata }) => metadata.name).toSorted()).toEqual(['data-claiming-0', 'data-claiming-1'])
    if (items.every((item) => item['status']?.phase === 'Bound')) break
  }
  await remove('claiming')
})

test('a set that was deleted without its pods takes them on again', async () => {
  await rig.client.create(statefulSetResource, setOf('adopted', { replicas: 1 }))
  await setWhen('adopted', rolled(1))
  const [before] = await podsOf('adopted')
  await rig.client.delete(statefulSetResource, { namespace, name: 'adopted' }, { propagation: 'Orphan' })
  for (;;) if ((await rig.client.list(statefulSetResource, { namespace })).items.length === 0) break
  await rig.client.create(statefulSetResource, setOf('adopted', { replicas: 1 }))
  await setWhen('adopted', rolled(1))
  const [after] = await podsOf('adopted')
  expect(after?.metadata.uid).toBe(before?.metadata.uid)
  expect(after?.metadata.ownerReferences).toHaveLength(1)
  await remove('adopted')
})

test('a headless service has the addresses of its ready pods', async () => {
  const service = { metadata: { name: 'web', namespace }, spec: { clusterIP: 'None', selector: { app: 'web' }, ports: [{ name: 'obj', port: 9000 }] } }
  await rig.client.create(services, service as Draft)
  await rig.client.create(statefulSetResource, setOf('web', { replicas: 2 }))
  await setWhen('web', rolled(2))
  for (;;) {
    const { subsets = [] } = await rig.client.get(endpointsResource, { namespace, name: 'web' })
    if (subsets[0]?.addresses?.length !== 2) continue
    expect(subsets[0]).toMatchObject({ addresses: [{ hostname: 'web-0', targetRef: { name: 'web-0' } }, { hostname: 'web-1' }], ports: [{ name: 'obj', port: 9000, protocol: 'TCP' }] })
    break
  }
  await remove('web')
  await rig.client.delete(services, { namespace, name: 'web' })
})

test('a DaemonSet runs one pod, replaced when its template changes', async () => {
  const { spec } = setOf('daemon', {})
  const { selector, template } = spec
  await rig.client.create(daemonSetResource, { metadata: { name: 'daemon', namespace }, spec: { selector, template } } as Draft)
  const ready = async (version: string): Promise<void> => {
    for (;;) {
      const [pod, ...others] = await podsOf('daemon')
      if (others.length === 0 && pod !== undefined && isReadyPod(pod) && pod.metadata.labels?.['version'] === version) return
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
  await ready('1')
  await rig.client.patch(daemonSetResource, { namespace, name: 'daemon' }, { spec: { template: { metadata: { labels: { version: '2' } } } } })
  await ready('2')
  for (;;) if ((await rig.client.get(daemonSetResource, { namespace, name: 'daemon' })).status?.updatedNumberScheduled === 1) break
  await rig.client.delete(daemonSetResource, { namespace, name: 'daemon' })
  while ((await podsOf('daemon')).length > 0) await new Promise((resolve) => setTimeout(resolve, 20))
})

test('a pod that fits nowhere is Pending and says why; it runs once the node is labelled', async () => {
  const affinity = { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'gpu', operator: 'Exists' }] }] } } }
  const base = setOf('picky', { replicas: 1 })
  await rig.client.create(statefulSetResource, { ...base, spec: { ...base.spec, template: { ...base.spec.template, spec: { ...base.spec.template.spec, affinity } } } })
  for (;;) {
    const [pod] = await podsOf('picky')
    const condition = pod?.status?.conditions?.find(({ type }) => type === 'PodScheduled')
    if (condition === undefined) continue
    expect(condition).toMatchObject({ status: 'False', reason: 'Unschedulable', message: "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector." })
    expect(pod?.status?.phase).toBe('Pending')
    break
  }
  await rig.client.patch(nodes, { name: nodeName }, { metadata: { labels: { gpu: 'yes' } } })
  await setWhen('picky', rolled(1))
  await remove('picky')
})
