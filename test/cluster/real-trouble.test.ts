// What an operator has forgotten or got wrong, on a real Kubernetes: the TServer says what, in a condition and an event.
import { mkdtemp, rm } from 'node:fs/promises'
import http from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { resources } from '#api/resources.ts'
import type { TServer } from '#api/types.ts'
import { events, nodes, persistentVolumes, secrets, storageClasses } from '#kube/resources.ts'
import type { AnyObject, Resource } from '#kube/types.ts'
import type { Controller } from '../../framework/controller/controller.ts'
import { startOciRegistry, type OciRegistry } from '../../framework/local/oci/server.ts'
import { controllerOf, installTars, seedFramework, type TestCluster } from '../controller/cluster.ts'
import { normalServer } from '../controller/fixtures.ts'
import { clusterOf } from '../rig/kube.ts'
import { ControlPlane, nodeName } from '../rig/kubernetes/control-plane.ts'
import { pushProgram, startNode, type WorkerNode } from '../rig/kubernetes/node.ts'

let dir: string
let plane: ControlPlane
let node: WorkerNode
let registry: OciRegistry
/** A registry that lets nobody in. */
let closed: http.Server
let closedAddress: string
let service: string
let cluster: TestCluster
let controller: Controller
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tarsk8s-trouble-'))
  plane = await ControlPlane.start({ controllers: 'all', scheduler: true })
  const { hostAddress } = plane.machine
  registry = await startOciRegistry({ dir, host: hostAddress })
  closed = http.createServer((_request, response) => response.writeHead(401, { 'www-authenticate': 'Basic realm="closed"', 'content-type': 'application/json' }).end('{"errors":[{"code":"UNAUTHORIZED","message":"wrong password"}]}')).listen(0, hostAddress)
  await once(closed, 'listening')
  closedAddress = `${hostAddress}:${(closed.address() as AddressInfo).port}`
  await plane.machine.write(`/run/containerd/registries/${closedAddress}/hosts.toml`, `server = "http://${closedAddress}"\n[host."http://${closedAddress}"]\n  capabilities = ["pull", "resolve"]\n`)
  ;[node, cluster] = await Promise.all([startNode(plane, registry.address), installTars(clusterOf(plane))])
  service = await pushProgram(`${registry.address}/demo/service:v1`, '#include <unistd.h>\nint main(void) { for (;;) pause(); }\n')
  await seedFramework(cluster, { roles: [] })
  controller = await controllerOf(cluster)
})
afterAll(async () => {
  await controller?.stop()
  await (cluster ?? plane)?.stop()
  await node?.clean()
  closed?.close()
  await registry?.stop()
  await rm(dir, { recursive: true, force: true })
})

const ns = 'ns'
const tservers = resources.tservers as unknown as Resource

async function create(name: string, spec: Parameters<typeof normalServer>[0] = {}): Promise<string> {
  const { metadata: { uid: _, ...metadata }, ...server } = normalServer({ server: name, release: { id: 'v1', image: service }, ...spec }, { name: `demo-${name.toLowerCase()}` })
  await cluster.client.create(tservers, { ...server, metadata } as never)
  return metadata.name
}

const conditionOf = async (name: string, type: string): Promise<{ status: string; reason: string; message: string } | undefined> =>
  ((await cluster.client.get(tservers, { namespace: ns, name })) as unknown as TServer).status?.conditions?.find((condition) => condition.type === type)
const available = (name: string): Promise<unknown> => plane.machine.until(`${name} is available`, async () => (await conditionOf(name, 'Available'))?.status === 'True')

/** Waits for the condition Degraded with this reason, and an event of the same words. */
async function degraded(name: string, reason: string): Promise<string> {
  const { message } = await plane.machine.until(`${name} is degraded by ${reason}`, async () => {
    const condition = await conditionOf(name, 'Degraded')
    return condition?.status === 'True' && condition.reason === reason && condition
  })
  const event = await plane.machine.until(`an event says ${reason}`, async () => (await cluster.client.list(events, { namespace: ns })).items.find((item: AnyObject) => item['reason'] === reason && item['involvedObject'].name === name))
  expect(event).toMatchObject({ type: 'Warning', involvedObject: { kind: 'TServer' } })
  expect(event['message']).toMatch(/pods are in trouble; /)
  return message
}

test('a node without labels', async () => {
  const name = await create('Homeless')
  expect(await degraded(name, 'NodeLabelMissing')).toContain(`no node has the label tars.io/node.ns: kubectl label node <node> tars.io/node.ns=`)
  await cluster.client.patch(nodes, { name: nodeName }, { metadata: { labels: { 'tars.io/node.ns': '' } } })
  await available(name)
  expect((await conditionOf(name, 'Degraded'))?.status).toBe('False')
})

test('a storage class that is not there', async () => {
  const name = await create('Full', { k8s: { mounts: [{ name: 'data', mountPath: '/data', source: { persistentVolumeClaimTemplate: { spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'fast', resources: { requests: { storage: '1Gi' } } } } } }] } })
  expect(await degraded(name, 'StorageClassMissing')).toContain('there is no StorageClass fast, which volume data asks for: create it, or name another one in spec.k8s.mounts')
  await cluster.client.create(persistentVolumes, { metadata: { name: 'one' }, spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], storageClassName: 'fast', hostPath: { path: '/run/one', type: 'DirectoryOrCreate' } } } as never)
  await cluster.client.create(storageClasses, { metadata: { name: 'fast' }, provisioner: 'kubernetes.io/no-provisioner', volumeBindingMode: 'Immediate' } as never)
  await available(name)
})

test('a local volume that no node offers', async () => {
  await cluster.client.create(storageClasses, { metadata: { name: 'tars-storage-class' }, provisioner: 'kubernetes.io/no-provisioner', volumeBindingMode: 'WaitForFirstConsumer' } as never)
  const name = await create('Local', { k8s: { mounts: [{ name: 'data', mountPath: '/data', source: { tLocalVolume: {} } }] } })
  expect(await degraded(name, 'NodeLabelMissing')).toContain('no node with tars.io/node.ns has the label tars.io/SupportLocalVolume: kubectl label node <node> tars.io/SupportLocalVolume=')
})

test.each([
  ['Wrong', 'push', 'Secret push (spec.release.secret)'],
  ['Absent', 'nowhere', 'Secret nowhere (spec.release.secret): see that it exists'],
  ['None', undefined, 'with no Secret of the server: name one in spec.release.secret'],
] as const)('a registry that asks for another secret: %s', async (server, secret, text) => {
  if (secret === 'push') await cluster.client.create(secrets, { metadata: { name: 'push', namespace: ns }, type: 'kubernetes.io/dockerconfigjson', stringData: { '.dockerconfigjson': JSON.stringify({ auths: { [closedAddress]: { username: 'u', password: 'wrong', auth: Buffer.from('u:wrong').toString('base64') } } }) } } as never)
  const image = `${closedAddress}/demo/service:v1`
  const name = await create(server, { release: { id: 'v1', image, ...(secret === undefined ? {} : { secret }) } })
  const message = await degraded(name, 'ImagePullFailed')
  expect(message).toContain(text)
  expect(message).toContain(image)
})
