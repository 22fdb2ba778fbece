// Garbage collection by owner references.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { configMaps, secrets } from '#kube/resources.ts'
import type { AnyObject, Resource } from '#kube/types.ts'
import { behaviourCluster, eventually } from '../../rig/kube.ts'
import type { TestCluster } from '../../rig/kube.ts'

let cluster: TestCluster
let namespace: string
beforeAll(async () => {
  cluster = await behaviourCluster()
  namespace = await cluster.namespace()
})
afterAll(() => cluster.stop())

const make = (resource: Resource, name: string, owners: readonly AnyObject[] = [], extra: object = {}) =>
  cluster.client.create(resource, {
    metadata: {
      name, namespace,
      ownerReferences: owners.map(({ apiVersion, kind, metadata }) => ({ apiVersion, kind, name: metadata.name, uid: metadata.uid ?? '', blockOwnerDeletion: true })),
      ...extra,
    },
  })
const find = (resource: Resource, name: string) => cluster.client.get(resource, { namespace, name }).catch(() => undefined)
const gone = (resource: Resource, name: string) => eventually(async () => (await find(resource, name)) === undefined, `${name} is gone`)

describe('owner references', () => {
  it('take dependents along in the background, through generations', async () => {
    const owner = await make(configMaps, 'grandparent')
    const child = await make(secrets, 'parent', [owner])
    await make(configMaps, 'child', [child])
    await cluster.client.delete(configMaps, { namespace, name: 'grandparent' })
    await gone(secrets, 'parent')
    await gone(configMaps, 'child')
  })
  it('keep the owner in the foreground until the blocking dependents are gone', async () => {
    const owner = await make(configMaps, 'front')
    await make(secrets, 'front-child', [owner], { finalizers: ['test.tarsk8s.io/hold'] })
    await cluster.client.delete(configMaps, { namespace, name: 'front' }, { propagation: 'Foreground' })
    await eventually(async () => (await find(secrets, 'front-child'))?.metadata.deletionTimestamp, 'the dependent is being deleted')
    expect((await find(configMaps, 'front'))?.metadata).toMatchObject({ finalizers: ['foregroundDeletion'] })
    await cluster.client.patch(secrets, { namespace, name: 'front-child' }, { metadata: { finalizers: null } })
    await gone(secrets, 'front-child')
    await gone(configMaps, 'front')
  })
  it('are cut when the deletion orphans', async () => {
    const owner = await make(configMaps, 'left')
    await make(secrets, 'left-child', [owner])
    await cluster.client.delete(configMaps, { namespace, name: 'left' }, { propagation: 'Orphan' })
    await gone(configMaps, 'left')
    expect((await find(secrets, 'left-child'))?.metadata.ownerReferences ?? []).toEqual([])
  })
  it('keep a dependent that has another owner, and forget the one that is gone', async () => {
    const [one, two] = [await make(configMaps, 'owner-1'), await make(configMaps, 'owner-2')]
    await make(secrets, 'shared', [one, two])
    await cluster.client.delete(configMaps, { namespace, name: 'owner-1' })
    await eventually(async () => (await find(secrets, 'shared'))?.metadata.ownerReferences?.length === 1, 'one owner is left')
    await cluster.client.delete(configMaps, { namespace, name: 'owner-2' })
    await gone(secrets, 'shared')
  })
  it('to an owner that never was, or was another, delete the dependent', async () => {
    const owner = await make(configMaps, 'reborn')
    await make(secrets, 'late', [{ ...owner, metadata: { ...owner.metadata, uid: '00000000-0000-0000-0000-000000000000' } }])
    await gone(secrets, 'late')
    expect(await find(configMaps, 'reborn')).toBeDefined()
  })
})
