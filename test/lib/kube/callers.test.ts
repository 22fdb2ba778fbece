// Who is at an address: pods come and go, and addresses are used again.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { silentLogger } from '#base/log.ts'
import { watchCallers, type Callers } from '#kube/callers.ts'
import { watchPodAddresses, type PodAddresses } from '#kube/pod-addresses.ts'
import { pods } from '#kube/resources.ts'
import { createPod, namespace, setPodStatus, startCluster, until, type TestCluster } from '../../registry/cluster.ts'

let cluster: TestCluster
let callers: Callers
let addresses: PodAddresses
beforeAll(async () => {
  cluster = await startCluster()
  callers = watchCallers({ client: cluster.client, namespace, ownerLabels: ['tars.io/ServerApp', 'tars.io/ServerName'], log: silentLogger })
  addresses = watchPodAddresses({ client: cluster.client, namespace, log: silentLogger })
  await Promise.all([callers.known(), addresses.synced()])
})
afterAll(async () => {
  await callers?.stop()
  await addresses?.stop()
  await cluster?.stop()
})

const pod = (name: string, server: string, more: object = {}) => createPod(cluster.client, { app: 'Shop', server, name, ...more })
const remove = (name: string) => cluster.client.delete(pods, { namespace, name })

test('a pod is known by its address, by name and by its server, until it goes', async () => {
  await pod('shop-cart-0', 'Cart', { ip: '10.0.0.1' })
  await pod('shop-cart-1', 'Cart', { ip: '10.0.0.2' })
  await until(() => callers.at('10.0.0.2'))
  expect([callers.isApp('Shop'), callers.isApp('Sho'), callers.isApp('Cart')]).toEqual([true, false, false])
  expect(callers.at('::ffff:10.0.0.1')).toEqual({ pod: 'shop-cart-0', owner: 'Shop.Cart' })
  expect([callers.isPod('shop-cart-0'), callers.isPod('shop-cart-9'), callers.isOwner('Shop.Cart'), callers.isOwner('Shop.Pay')]).toEqual([true, false, true, false])
  await remove('shop-cart-0')
  await until(() => callers.at('10.0.0.1') === undefined)
  expect([callers.isPod('shop-cart-0'), callers.isOwner('Shop.Cart')]).toEqual([false, true])
  await remove('shop-cart-1')
  await until(() => !callers.isOwner('Shop.Cart'))
})

test("the host's network is nobody's address, and its pods are known by name", async () => {
  await pod('shop-host-0', 'Host', { ip: '10.0.1.1', hostNetwork: true })
  await until(() => callers.isPod('shop-host-0'))
  expect([callers.at('10.0.1.1'), addresses.find('10.0.1.1')]).toEqual([undefined, undefined])
})

test("an address that is used again is the new pod's, whatever is said of the one that ended", async () => {
  const ended = await pod('shop-job-0', 'Job', { ip: '10.0.2.1' })
  await until(() => callers.at('10.0.2.1'))
  await cluster.client.patch(pods, { namespace, name: 'shop-job-0' }, { status: { phase: 'Failed' } }, { type: 'merge', subresource: 'status' })
  await until(() => callers.at('10.0.2.1') === undefined && addresses.find('10.0.2.1') === undefined)
  await pod('shop-new-0', 'New', { ip: '10.0.2.1' })
  await until(() => callers.at('10.0.2.1')?.pod === 'shop-new-0')
  await cluster.client.patch(pods, { namespace, name: ended.metadata.name }, { metadata: { annotations: { a: 'b' } } }, { type: 'merge' })
  await pod('shop-mark-0', 'Mark', { ip: '10.0.2.9' })
  await until(() => callers.at('10.0.2.9') !== undefined && addresses.find('10.0.2.9') !== undefined)
  expect([callers.at('10.0.2.1'), addresses.find('10.0.2.1')]).toEqual([{ pod: 'shop-new-0', owner: 'Shop.New' }, 'shop-new-0'])
  await remove('shop-job-0')
  await until(() => !callers.isPod('shop-job-0'))
  expect(callers.at('10.0.2.1')?.pod).toBe('shop-new-0')
})

test('nor is it that of one that goes, and has left it already', async () => {
  const at = { namespace, name: 'shop-old-0' }
  await pod('shop-old-0', 'Old', { ip: '10.0.4.1' })
  await cluster.client.patch(pods, at, { metadata: { finalizers: ['test/stays'] } }, { type: 'merge' })
  await remove('shop-old-0')
  await pod('shop-next-0', 'Next', { ip: '10.0.4.1' })
  await until(() => callers.at('10.0.4.1')?.pod === 'shop-next-0')
  await cluster.client.patch(pods, at, { metadata: { annotations: { a: 'b' } } }, { type: 'merge' })
  await pod('shop-mark-1', 'Mark', { ip: '10.0.4.9' })
  await until(() => callers.at('10.0.4.9') !== undefined)
  expect(callers.at('10.0.4.1')?.pod).toBe('shop-next-0')
  await callers.learn('10.0.4.1')
  expect(callers.at('10.0.4.1')?.pod).toBe('shop-next-0')
  await cluster.client.patch(pods, at, { metadata: { finalizers: null } }, { type: 'merge' })
  await until(() => !callers.isPod('shop-old-0'))
  expect(callers.at('10.0.4.1')?.pod).toBe('shop-next-0')
})

test('a pod that gets another address is no longer at the first', async () => {
  const moved = await pod('shop-moved-0', 'Moved', { ip: '10.0.3.1' })
  await until(() => callers.at('10.0.3.1') !== undefined && addresses.find('10.0.3.1') !== undefined)
  const { version } = callers
  await setPodStatus(cluster.client, moved, { ip: '10.0.3.2' })
  await until(() => callers.at('10.0.3.2') !== undefined && addresses.find('10.0.3.2') !== undefined)
  expect([callers.at('10.0.3.1'), addresses.find('10.0.3.1')]).toEqual([undefined, undefined])
  expect(callers.version).toBeGreaterThan(version)
})
