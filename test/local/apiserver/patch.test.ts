// JSON, merge and strategic merge patches, and server-side apply.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { configMaps, pods, services } from '#kube/resources.ts'
import type { AnyObject } from '#kube/types.ts'
import { behaviourCluster, installDefinition, widgetDefinition, widgets } from '../../rig/kube.ts'
import type { TestCluster } from '../../rig/kube.ts'

let cluster: TestCluster
let namespace: string
beforeAll(async () => {
  cluster = await behaviourCluster()
  await installDefinition(cluster.client, widgetDefinition())
  namespace = await cluster.namespace()
})
afterAll(() => cluster.stop())

const pod = (name: string): AnyObject => ({
  apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace, labels: { a: '1', b: '2' } },
  spec: { containers: [{ name: 'one', image: 'x:1', env: [{ name: 'A', value: '1' }, { name: 'B', value: '2' }] }, { name: 'two', image: 'y:1' }], tolerations: [{ key: 'k', operator: 'Exists' }] },
})

describe('json patch', () => {
  it('applies, tests, and refuses what does not hold', async () => {
    const target = { namespace, name: 'json' }
    await cluster.client.create(configMaps, { metadata: target, data: { a: '1', b: '2' } } as never)
    const patch = [{ op: 'test', path: '/data/a', value: '1' }, { op: 'replace', path: '/data/a', value: '3' }, { op: 'remove', path: '/data/b' }]
    expect((await cluster.client.patch(configMaps, target, patch, { type: 'json' }))['data']).toEqual({ a: '3' })
    await expect(cluster.client.patch(configMaps, target, patch, { type: 'json' })).rejects.toMatchObject({ status: 422 })
    await expect(cluster.client.patch(configMaps, target, [{ op: 'fly', path: '/data/a' }], { type: 'json' })).rejects.toSatisfy((error) => [400, 422].includes((error as { status: number }).status))
    await expect(cluster.client.patch(configMaps, target, { not: 'an array' }, { type: 'json' })).rejects.toMatchObject({ status: 400 })
  })
})

describe('merge patch', () => {
  it('removes by null, merges objects, replaces lists', async () => {
    const target = { namespace, name: 'merge' }
    await cluster.client.create(pods, { ...pod('merge') })
    const patched = await cluster.client.patch(pods, target, { metadata: { labels: { a: null, c: '3' } } })
    expect(patched.metadata.labels).toEqual({ b: '2', c: '3' })
  })
  it('holds a resourceVersion given in it', async () => {
    const target = { namespace, name: 'merge-version' }
    await cluster.client.create(configMaps, { metadata: target })
    await expect(cluster.client.patch(configMaps, target, { metadata: { resourceVersion: '1' }, data: { a: 'b' } })).rejects.toMatchObject({ status: 409 })
  })
})

describe('strategic merge patch', () => {
  it('merges lists by their keys, deletes by directive, keeps the order asked for', async () => {
    const target = { namespace, name: 'strategic' }
    await cluster.client.create(services, { metadata: target, spec: { clusterIP: 'None', ports: [{ name: 'a', port: 1 }, { name: 'b', port: 2 }] } } as never)
    const patched = await cluster.client.patch(services, target, { spec: { ports: [{ port: 3, name: 'c' }, { port: 1, $patch: 'delete' }], '$setElementOrder/ports': [{ port: 3 }, { port: 2 }] } }, { type: 'strategic' })
    expect(patched['spec'].ports.map(({ name }: { name: string }) => name)).toEqual(['c', 'b'])
  })
  it('patches one condition of a pod and keeps the others', async () => {
    const target = { namespace, name: 'conditions' }
    await cluster.client.create(pods, pod('conditions'))
    const set = (type: string, status: string) => cluster.client.patch(pods, target, { status: { conditions: [{ type, status }] } }, { type: 'strategic', subresource: 'status' })
    await set('Ready', 'False')
    await set('tars.io/active', 'False')
    const patched = await set('tars.io/active', 'True')
    expect(patched['status'].conditions.map(({ type, status }: { type: string; status: string }) => [type, status])).toEqual(expect.arrayContaining([['Ready', 'False'], ['tars.io/active', 'True']]))
  })
  it('changes one image of a pod', async () => {
    const target = { namespace, name: 'image' }
    await cluster.client.create(pods, pod('image'))
    const patched = await cluster.client.patch(pods, target, { spec: { containers: [{ name: 'two', image: 'y:2' }] } }, { type: 'strategic' })
    expect(patched['spec'].containers.map(({ image }: { image: string }) => image)).toEqual(['x:1', 'y:2'])
  })
  it('is refused for custom kinds', async () => {
    await cluster.client.create(widgets, { metadata: { namespace, name: 'no-strategy' }, spec: { size: 1 } } as never)
    await expect(cluster.client.patch(widgets, { namespace, name: 'no-strategy' }, {}, { type: 'strategic' })).rejects.toMatchObject({ status: 415 })
  })
})

describe('server-side apply', () => {
  const apply = (name: string, spec: object, fieldManager: string, force = false): Promise<AnyObject> =>
    cluster.client.apply(widgets, { metadata: { namespace, name }, spec } as never, { fieldManager, force })

  it('creates, changes, and removes what its manager leaves out', async () => {
    const first = await apply('ssa', { size: 1, color: 'green', labels: { a: '1', b: '2' } }, 'one')
    expect(first.metadata.managedFields).toMatchObject([{ manager: 'one', operation: 'Apply', fieldsV1: { 'f:spec': { 'f:size': {}, 'f:labels': { 'f:a': {} } } } }])
    const second = await apply('ssa', { size: 2, labels: { a: '1' } }, 'one')
    expect(second['spec']).toEqual({ size: 2, color: 'red', labels: { a: '1' } })
  })
  it('writes nothing when nothing changes', async () => {
    const first = await apply('still', { size: 1, ports: [{ name: 'a', port: 1 }] }, 'one')
    const second = await apply('still', { size: 1, ports: [{ name: 'a', port: 1 }] }, 'one')
    expect(second.metadata.resourceVersion).toBe(first.metadata.resourceVersion)
  })
  it('refuses to overwrite another manager, naming it and the field, and can be forced', async () => {
    await apply('fight', { size: 1 }, 'one')
    const error = await apply('fight', { size: 2 }, 'two').catch((caught: unknown) => caught)
    expect(error).toMatchObject({
      status: 409, message: 'Apply failed with 1 conflict: conflict with "one": .spec.size',
      details: { causes: [{ reason: 'FieldManagerConflict', message: 'conflict with "one"', field: '.spec.size' }] },
    })
    const forced = await apply('fight', { size: 2 }, 'two', true)
    expect(forced).toMatchObject({ spec: { size: 2 } })
    expect(forced.metadata.managedFields?.find(({ manager }) => manager === 'one')?.fieldsV1['f:spec']).toBeUndefined()
    await expect(apply('fight', { size: 3 }, 'one')).rejects.toMatchObject({ status: 409 })
  })
  it('shares a field that two managers want alike, and keeps it for the one that stays', async () => {
    await apply('shared', { size: 1, labels: { a: '1' } }, 'one')
    await apply('shared', { size: 1, labels: { a: '1', b: '2' } }, 'two')
    expect((await apply('shared', { size: 1 }, 'one'))['spec'].labels).toEqual({ a: '1', b: '2' })
    expect((await apply('shared', { size: 1, labels: { b: '2' } }, 'two'))['spec'].labels).toEqual({ b: '2' })
  })
  it('merges lists with keys item by item', async () => {
    await apply('items', { size: 1, ports: [{ name: 'a', port: 1 }] }, 'one')
    await apply('items', { size: 1, ports: [{ name: 'b', port: 2 }] }, 'two')
    const both = await cluster.client.get(widgets, { namespace, name: 'items' })
    expect(both['spec'].ports).toEqual([{ name: 'a', port: 1, isTcp: true }, { name: 'b', port: 2, isTcp: true }])
    expect((await apply('items', { size: 1, ports: [] }, 'two'))['spec'].ports).toEqual([{ name: 'a', port: 1, isTcp: true }])
  })
  it('sees an update of another client as an owner too', async () => {
    await apply('updated', { size: 1 }, 'one')
    await cluster.client.patch(widgets, { namespace, name: 'updated' }, { spec: { size: 5 } }, { fieldManager: 'editor' })
    await expect(apply('updated', { size: 1 }, 'one')).rejects.toMatchObject({ status: 409, message: expect.stringContaining('conflict with "editor" using test.tarsk8s.io/v1: .spec.size') as string })
  })
  it('keeps status out of the main door and applies it at its own', async () => {
    await apply('status', { size: 1 }, 'one')
    const body = { apiVersion: 'test.tarsk8s.io/v1', kind: 'Widget', metadata: { name: 'status', namespace }, status: { ready: 3 } }
    const reported = await cluster.client.patch(widgets, { namespace, name: 'status' }, body, { type: 'apply', subresource: 'status', fieldManager: 'reporter' })
    expect(reported).toMatchObject({ status: { ready: 3 }, spec: { size: 1 } })
    expect(reported.metadata.managedFields?.find(({ manager }) => manager === 'reporter')).toMatchObject({ subresource: 'status', operation: 'Apply' })
    expect(await apply('status', { size: 2 }, 'one')).toMatchObject({ status: { ready: 3 }, spec: { size: 2 } })
  })
  it('corrects drift of a built-in workload and leaves foreign containers alone', async () => {
    const target = { namespace, name: 'ssa-pod' }
    const config = { metadata: { ...target, labels: { app: 'x' } }, spec: { containers: [{ name: 'main', image: 'x:1' }] } } as never
    await cluster.client.apply(pods, config, { fieldManager: 'controller', force: true })
    await cluster.client.patch(pods, target, { spec: { containers: [{ name: 'main', image: 'x:drift' }] } }, { type: 'strategic', fieldManager: 'human' })
    const corrected = await cluster.client.apply(pods, config, { fieldManager: 'controller', force: true })
    expect(corrected['spec'].containers.map(({ image }: { image: string }) => image)).toEqual(['x:1'])
  })
  it('needs a field manager', async () => {
    const body = { apiVersion: 'test.tarsk8s.io/v1', kind: 'Widget', metadata: { name: 'anon', namespace }, spec: { size: 1 } }
    await expect(cluster.client.patch(widgets, { namespace, name: 'anon' }, body, { type: 'apply' })).rejects.toMatchObject({ message: expect.stringContaining('fieldManager: Required value') as string })
  })
})
