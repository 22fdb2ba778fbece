// What K8SFramework 1.4 left in a cluster, written as control-plane spec A to C says: accepted as it is, and taken over in its place.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { inVersion, resources } from '#api/resources.ts'
import type { Version } from '#api/names.ts'
import { daemonSets, persistentVolumeClaims, services, statefulSets } from '#kube/resources.ts'
import type { KubeClient } from '#kube/client.ts'
import type { AnyObject, Resource } from '#kube/types.ts'
import type { Controller } from '../../framework/controller/controller.ts'
import { clientAs, controllerOf, eventually, peek, startBare, type TestCluster } from './cluster.ts'
import * as old from './k8sframework.ts'

let cluster: TestCluster
let predecessor: KubeClient
let controller: Controller | undefined
beforeAll(async () => {
  cluster = await startBare()
  for (const resource of Object.values(resources)) await eventually(() => cluster.client.list(resource as never).catch(() => undefined))
  // Its controller had the name that ours has.
  predecessor = clientAs(cluster, 'system:serviceaccount:tars-system:tars-controller')
})
afterAll(async () => {
  await controller?.stop()
  predecessor?.close()
  await cluster?.stop()
})

const ns = 'ns'
const kind = (plural: keyof typeof resources): Resource => resources[plural] as unknown as Resource
const get = async (resource: Resource, name: string): Promise<AnyObject> => (await peek(cluster.client, resource, ns, name)) ?? expect.fail(`${resource.kind} ${name} is gone`)

test('its manifests are accepted unchanged', async () => {
  for (const manifest of old.manifests(ns)) {
    const resource = inVersion(kind(old.pluralOf(manifest.kind)) as never, manifest.apiVersion.split('/')[1] as Version) as Resource
    const created = await cluster.client.create(resource, manifest)
    // What was said is said still; labels of its own came with its webhooks, too.
    expect(created, `${manifest.kind} ${manifest.metadata.name}`).toMatchObject(manifest.kind === 'TAccount' ? { metadata: { name: manifest.metadata.name } } : manifest)
  }
})

interface Found { readonly resource: Resource; readonly name: string; readonly object: AnyObject }
let found: readonly Found[]
const names = ['demo-first', 'demo-second', 'demo-web', 'demo-everywhere'] as const

describe('the children of its servers', () => {
  test('are what its controller made', async () => {
    const made: [Resource, string][] = []
    for (const name of names) {
      const server = await get(kind('tservers'), name)
      for (const [resource, object] of old.children(server)) {
        await predecessor.create(resource, object as never, { fieldManager: 'tarscontroller' })
        made.push([resource, name])
      }
    }
    // A pod of the StatefulSet has claimed its volumes.
    const { volumeClaimTemplates } = (await get(statefulSets, 'demo-first'))['spec'] as { volumeClaimTemplates: AnyObject[] }
    for (const { metadata, spec } of volumeClaimTemplates) {
      const claim = `${metadata.name}-demo-first-0`
      await predecessor.create(persistentVolumeClaims, { metadata: { name: claim, namespace: ns, labels: metadata.labels, ownerReferences: metadata.ownerReferences }, spec } as never)
      made.push([persistentVolumeClaims, claim])
    }
    // Somebody's sidecar, which its controller kept.
    await predecessor.patch(statefulSets, { namespace: ns, name: 'demo-second' }, { spec: { template: { spec: { containers: [{ name: 'guest', image: 'registry.test/guest:1' }] } } } }, { type: 'strategic', fieldManager: 'kubectl-edit' })
    found = await Promise.all(made.map(async ([resource, name]) => ({ resource, name, object: await get(resource, name) })))
    expect(found.map(({ resource }) => resource.kind)).toEqual(expect.arrayContaining(['StatefulSet', 'DaemonSet', 'Service', 'TEndpoint', 'TExitedRecord', 'PersistentVolumeClaim']))
  })

  test('are the same objects after our controller came, with the same specs, and no other is made', async () => {
    controller = await controllerOf(cluster)
    const marked = ['StatefulSet', 'DaemonSet', 'Service', 'TEndpoint']
    for (const { resource, name } of found.filter(({ object }) => marked.includes(object.kind))) await eventually(async () => (await get(resource, name)).metadata.annotations?.['tars.io/Applied'])
    await eventually(async () => (controller?.idle === true ? true : undefined))
    for (const { resource, name, object } of found) {
      const now = await get(resource, name)
      const what = `${resource.kind} ${name}`
      expect(now.metadata.uid, what).toBe(object.metadata.uid)
      expect(now.metadata.ownerReferences, what).toEqual(object.metadata.ownerReferences)
      // Names of pods whose ports all speak Tars are known before they are ready; nothing restarts for it.
      expect(now['spec'], what).toEqual(what === 'Service demo-second' ? { ...object['spec'], publishNotReadyAddresses: true } : object['spec'])
      // What Kubernetes' controllers would act on.
      if (object.kind !== 'PersistentVolumeClaim') expect(now.metadata.generation, what).toBe(object.metadata.generation)
    }
    for (const resource of [statefulSets, daemonSets, services]) {
      const present = (await cluster.client.list(resource, { namespace: ns, labelSelector: 'tars.io/ServerApp=Demo' })).items.map(({ metadata }) => metadata.name)
      expect(present.toSorted(), resource.kind).toEqual(found.filter(({ object }) => object.kind === resource.kind).map(({ name }) => name).toSorted())
    }
    expect((await get(kind('ttrees'), 'tars-tree'))['apps'].map(({ name }: { name: string }) => name)).toContain('Demo')
    expect(await get(kind('tservers'), 'demo-first')).toMatchObject({ metadata: { finalizers: ['example.test/kept'], annotations: { 'tars.io/MinReplicas': '1' } }, status: { conditions: expect.anything() as object } })
  })

  test('keep their pods when only their number changes', async () => {
    const before = await get(statefulSets, 'demo-second')
    await cluster.client.patch(kind('tservers'), { namespace: ns, name: 'demo-second' }, { spec: { replicas: 5 } }, { subresource: 'scale' })
    const after = await eventually(async () => { const set = await get(statefulSets, 'demo-second'); return set['spec'].replicas === 5 ? set : undefined })
    expect(after['spec'].template).toEqual(before['spec'].template)
  })

  test('get the template of today with the next release, in their place; of the old one nothing stays but what others added', async () => {
    const before = await get(statefulSets, 'demo-second')
    await cluster.client.patch(kind('tframeworkconfigs'), { namespace: ns, name: 'tars-framework' }, { nodeImage: null })
    await cluster.client.patch(kind('tservers'), { namespace: ns, name: 'demo-second' }, { spec: { release: { id: 'v2', image: 'registry.test/demo.second:v2', nodeImage: null, nodeSecret: null } } })
    const after = await eventually(async () => { const set = await get(statefulSets, 'demo-second'); return (set['spec'].template.spec.containers as { image: string }[]).some(({ image }) => image.endsWith(':v2')) ? set : undefined })
    expect(after.metadata.uid).toBe(before.metadata.uid)
    const { spec } = after['spec'].template as { spec: { initContainers?: object[]; containers: { name: string; env?: { name: string }[] }[]; terminationGracePeriodSeconds: number; imagePullSecrets: { name: string }[] } }
    expect(spec.initContainers).toBeUndefined()
    expect(spec.terminationGracePeriodSeconds).toBe(180)
    expect(spec.imagePullSecrets).toEqual([{ name: 'pull' }])
    expect(spec.containers.map(({ name }) => name).toSorted()).toEqual(['demo-second', 'guest'])
    expect(after['spec'].updateStrategy).toEqual({ type: 'RollingUpdate', rollingUpdate: { partition: 2 } })
  })

  test('keep their local volumes with it', async () => {
    const before = await get(statefulSets, 'demo-first')
    await cluster.client.patch(kind('tservers'), { namespace: ns, name: 'demo-first' }, { spec: { release: { id: 'v2', image: 'registry.test/demo.first:v2' } } })
    const after = await eventually(async () => { const set = await get(statefulSets, 'demo-first'); return (set['spec'].template.spec.containers as { image: string }[]).some(({ image }) => image.endsWith(':v2')) ? set : undefined })
    expect(after.metadata.uid).toBe(before.metadata.uid)
    expect(after['spec'].volumeClaimTemplates).toEqual(before['spec'].volumeClaimTemplates)
    for (const { name, object } of found.filter((one) => one.object.kind === 'PersistentVolumeClaim')) expect((await get(persistentVolumeClaims, name)).metadata.uid).toBe(object.metadata.uid)
  })

  test('lose ports that their server gives up', async () => {
    await cluster.client.patch(kind('tservers'), { namespace: ns, name: 'demo-web' }, { spec: { normal: { ports: [{ name: 'http', port: 80 }] } } })
    await eventually(async () => ((await get(services, 'demo-web'))['spec'].ports.length === 1 ? true : undefined))
    const set = await eventually(async () => { const now = await get(statefulSets, 'demo-web'); return now['spec'].template.spec.containers[0].ports.length === 1 ? now : undefined })
    expect(set['spec'].template.spec.containers[0].ports).toMatchObject([{ name: 'http', containerPort: 80 }])
  })

  test('go when their server goes', async () => {
    await cluster.client.delete(kind('tservers'), { namespace: ns, name: 'demo-everywhere' })
    for (const resource of [daemonSets, kind('tendpoints'), kind('texitedrecords')]) await eventually(async () => ((await peek(cluster.client, resource, ns, 'demo-everywhere')) === undefined ? true : undefined))
  })
})
