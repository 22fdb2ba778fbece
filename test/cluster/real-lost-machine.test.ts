// What a real Kubernetes says of the pods on a machine that it hears nothing of any more.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { nodes, pods } from '#kube/resources.ts'
import { isActivePod, isLostPod, type PodObject } from '../../framework/registry/model/pod-state.ts'
import { eventually } from '../rig/eventually.ts'
import { ControlPlane } from '../rig/kubernetes/control-plane.ts'

let control: ControlPlane
beforeAll(async () => {
  control = await ControlPlane.start({ controllers: 'all' })
}, 120_000)
afterAll(() => control?.stop())

test('that they are not ready, with no reason: their containers and what their nodes said are as before', { timeout: 180_000 }, async () => {
  const { client } = control
  const at = { namespace: 'default', name: 'demo-hello-0' }
  const [heard, said] = [new Date().toISOString().replace(/\.\d+/, ''), (types: readonly string[]) => types.map((type) => ({ type, status: 'True' }))]
  await client.create(nodes, { metadata: { name: 'machine' } } as never)
  await client.patch(nodes, { name: 'machine' }, { status: { conditions: [{ type: 'Ready', status: 'True', reason: 'KubeletReady', lastHeartbeatTime: heard, lastTransitionTime: heard }] } }, { subresource: 'status' })
  await eventually(() => client.create(pods, { metadata: at, spec: { nodeName: 'machine', containers: [{ name: 'hello', image: 'i' }], tolerations: [{ operator: 'Exists' }] } } as never).catch(() => undefined))
  await client.patch(pods, at, { status: { phase: 'Running', conditions: [...said(['PodScheduled', 'Initialized', 'ContainersReady', 'Ready']), { type: 'tars.io/active', status: 'True', reason: 'Active/Active/7' }] } }, { subresource: 'status' })
  const pod = async (): Promise<PodObject> => (await client.get(pods, at)) as unknown as PodObject
  expect(isLostPod(await pod())).toBe(false)
  const lost = await eventually(async () => pod().then((one) => (isLostPod(one) ? one : undefined)), 'its machine is given up', 150_000)
  expect(isActivePod(lost)).toBe(true)
})
