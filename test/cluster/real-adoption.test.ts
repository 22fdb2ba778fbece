// Pods that K8SFramework 1.4 started, on a real kubelet: our controller comes, and they do not notice.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { inVersion, resources } from '#api/resources.ts'
import type { Version } from '#api/names.ts'
import { controllerRevisions, daemonSets, nodes, persistentVolumeClaims, persistentVolumes, pods, statefulSets, storageClasses } from '#kube/resources.ts'
import type { AnyObject, Resource } from '#kube/types.ts'
import type { Controller } from '../../framework/controller/controller.ts'
import { startOciRegistry, type OciRegistry } from '../../framework/local/oci/server.ts'
import { clientAs, controllerOf, eventually, installTars, type TestCluster } from '../controller/cluster.ts'
import * as old from '../controller/k8sframework.ts'
import { clusterOf } from '../rig/kube.ts'
import { ControlPlane, nodeName } from '../rig/kubernetes/control-plane.ts'
import { pushProgram, startNode, type WorkerNode } from '../rig/kubernetes/node.ts'

let dir: string
let plane: ControlPlane
let node: WorkerNode
let registry: OciRegistry
let cluster: TestCluster
let controller: Controller | undefined
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tarsk8s-adoption-'))
  plane = await ControlPlane.start({ controllers: 'all', scheduler: true })
  registry = await startOciRegistry({ dir, host: plane.machine.hostAddress })
  ;[node, cluster] = await Promise.all([startNode(plane, registry.address), installTars(clusterOf(plane))])
})
afterAll(async () => {
  await controller?.stop()
  await (cluster ?? plane)?.stop()
  await node?.clean()
  await registry?.stop()
  await rm(dir, { recursive: true, force: true })
})

const ns = 'ns'
const kind = (plural: keyof typeof resources): Resource => resources[plural] as unknown as Resource
const servers = ['demo-first', 'demo-web', 'demo-everywhere'] as const

/** Its manifests, with images that there are and folders of the machine. */
async function manifests(): Promise<AnyObject[]> {
  const [service, nodeImage] = await Promise.all([
    pushProgram(`${registry.address}/demo/service:v1`, '#include <unistd.h>\nint main(void) { for (;;) pause(); }\n'),
    pushProgram(`${registry.address}/tars/node:v1`, 'int main(void) { return 0; }\n'),
  ])
  const text = JSON.stringify(old.manifests(ns)).replaceAll(/registry\.test\/demo\.\w+:v1/g, service).replaceAll(old.nodeImage, nodeImage)
    .replaceAll('"path":"/usr/local/app/tars/app_log"', '"path":"/run/app_log"').replaceAll('"command":["/bin/run"]', '"command":["/program"]').replaceAll(',"serviceAccount":"web"', '')
  return JSON.parse(text) as AnyObject[]
}

interface Found { readonly name: string; readonly uid: string | undefined; readonly revision: string | undefined; readonly containers: unknown }

async function running(): Promise<Found[]> {
  const { items } = await cluster.client.list(pods, { namespace: ns })
  return items.map(({ metadata, status }) => ({
    name: metadata.name, uid: metadata.uid, revision: metadata.labels?.['controller-revision-hash'],
    containers: (status.containerStatuses as { containerID: string; restartCount: number }[] | undefined)?.map(({ containerID, restartCount }) => ({ containerID, restartCount })),
  })).toSorted((one, other) => (one.name < other.name ? -1 : 1))
}
const isRunning = async (name: string): Promise<boolean> => (await cluster.client.get(pods, { namespace: ns, name }).then(({ status }) => status.phase === 'Running', () => false))
const bound = async (): Promise<unknown> => (await cluster.client.list(persistentVolumeClaims, { namespace: ns })).items.map(({ metadata, spec, status }) => [metadata.name, metadata.uid, spec.volumeName, status.phase])

/** As its agent made it for the claim of a pod. */
async function localVolume(volume: string): Promise<void> {
  const path = `/run/host-mount/${volume}`
  await plane.machine.write(`${path}/kept`, volume)
  await cluster.client.create(persistentVolumes, {
    metadata: { name: `ns-${volume}-demo-first-1`, labels: { 'tars.io/ServerApp': 'Demo', 'tars.io/ServerName': 'First', 'tars.io/LocalVolume': volume }, annotations: { 'pv.kubernetes.io/provisioned-by': 'tars-local-volume-provisioner' } },
    spec: { capacity: { storage: '1G' }, accessModes: ['ReadWriteOnce'], storageClassName: 'tars-storage-class', persistentVolumeReclaimPolicy: 'Delete', volumeMode: 'Filesystem', local: { path }, nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [nodeName] }] }] } } },
  } as never)
}

describe('in order', () => {
  let before: Found[]
  let claims: unknown

  test('its servers run', async () => {
    const { client } = cluster
    await client.create(storageClasses, { metadata: { name: 'tars-storage-class' }, provisioner: 'kubernetes.io/no-provisioner', volumeBindingMode: 'WaitForFirstConsumer', reclaimPolicy: 'Delete' } as never)
    for (const volume of ['data', 'delay-bind']) await localVolume(volume)
    await client.patch(nodes, { name: nodeName }, { metadata: { labels: { 'tars.io/node': '', 'tars.io/node.ns': '', 'tars.io/ability.ns.Demo': '', disk: 'ssd' } } })
    for (const manifest of (await manifests()).filter(({ kind: of, metadata }) => of !== 'TServer' || servers.some((name) => name === metadata.name))) {
      await client.create(inVersion(kind(old.pluralOf(manifest.kind)) as never, manifest.apiVersion.split('/')[1] as Version) as Resource, manifest)
    }
    const predecessor = clientAs(cluster, 'system:serviceaccount:tars-system:tars-controller')
    for (const name of servers) for (const [resource, child] of old.children(await client.get(kind('tservers'), { namespace: ns, name }))) await predecessor.create(resource, child as never, { fieldManager: 'tarscontroller' })
    predecessor.close()
    await plane.machine.until('the pods run', async () => {
      const all = await running()
      return all.length === 4 && (await Promise.all(all.map(({ name }) => isRunning(name)))).every(Boolean)
    })
    before = await running()
    claims = await bound()
    expect(claims).toHaveLength(2)
  })

  test('our controller takes them over, and no pod is restarted', async () => {
    const revisions = async (): Promise<string[]> => (await cluster.client.list(controllerRevisions, { namespace: ns })).items.map(({ metadata }) => metadata.name).toSorted()
    const had = await revisions()
    controller = await controllerOf(cluster)
    for (const [resource, name] of [[statefulSets, 'demo-first'], [statefulSets, 'demo-web'], [daemonSets, 'demo-everywhere']] as const) {
      await eventually(async () => (await cluster.client.get(resource, { namespace: ns, name })).metadata.annotations?.['tars.io/Applied'])
    }
    await eventually(async () => (controller?.idle === true ? true : undefined))
    // Kubernetes' controllers have seen what there is to see: they count one more pod.
    await cluster.client.patch(kind('tservers'), { namespace: ns, name: 'demo-web' }, { spec: { replicas: 3 } }, { subresource: 'scale' })
    await plane.machine.until('a third pod runs', () => isRunning('demo-web-2'))
    const { status, metadata } = await cluster.client.get(daemonSets, { namespace: ns, name: 'demo-everywhere' })
    expect(status.observedGeneration).toBe(metadata.generation)
    expect((await running()).filter(({ name }) => name !== 'demo-web-2')).toEqual(before)
    expect(await revisions()).toEqual(had)
    expect(await bound()).toEqual(claims)
    const endpoint = await cluster.client.get(kind('tendpoints'), { namespace: ns, name: 'demo-web' })
    expect((endpoint['status'].pods as { name: string }[]).map(({ name }) => name)).toEqual(['demo-web-0', 'demo-web-1', 'demo-web-2'])
  })

  test('the next release replaces the pod in its set, with its volumes', async () => {
    const set = await cluster.client.get(statefulSets, { namespace: ns, name: 'demo-first' })
    // Its registry has heard of the service: a set whose pods go in order goes on only from a pod that is ready.
    await cluster.client.patch(pods, { namespace: ns, name: 'demo-first-0' }, { status: { conditions: [{ type: 'tars.io/active', status: 'True', reason: 'Active/Active/1' }] } }, { type: 'strategic', subresource: 'status' })
    const server = await cluster.client.get(kind('tservers'), { namespace: ns, name: 'demo-first' })
    await cluster.client.patch(kind('tservers'), { namespace: ns, name: 'demo-first' }, { spec: { release: { ...server['spec'].release, id: 'v2' } } })
    const anew = await plane.machine.until('there is a pod of the new release', async () => {
      const pod = await cluster.client.get(pods, { namespace: ns, name: 'demo-first-0' }).catch(() => undefined)
      return pod?.metadata.labels?.['tars.io/ServerID'] === 'v2' && pod.status.phase === 'Running' && pod
    })
    expect(anew.metadata.uid).not.toBe(before.find(({ name }) => name === 'demo-first-0')?.uid)
    expect((await cluster.client.get(statefulSets, { namespace: ns, name: 'demo-first' })).metadata.uid).toBe(set.metadata.uid)
    expect(await bound()).toEqual(claims)
    expect(anew['spec'].terminationGracePeriodSeconds).toBe(180)
  })
})
