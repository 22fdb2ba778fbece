// Functions of AdminRegObj where others write in between, and in another zone of time.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { resources } from '#api/resources.ts'
import { silentLogger } from '#base/log.ts'
import type { KubeClient } from '#kube/client.ts'
import type { AnyObject, Resource } from '#kube/types.ts'
import { plainTime } from '../../framework/admin/adminreg/outcome.ts'
import { releaseFunctions } from '../../framework/admin/adminreg/releases.ts'
import type { World } from '../../framework/admin/adminreg/world.ts'
import { startView, type View } from '../../framework/admin/model/view.ts'
import { startCluster, type TestCluster } from '../controller/cluster.ts'

let cluster: TestCluster
let view: View

beforeAll(async () => {
  cluster = await startCluster()
  const { client, namespace } = cluster
  await client.create(resources.tservers as Resource, { metadata: { namespace, name: 'demo-many' }, spec: { app: 'Demo', server: 'Many', subType: 'tars', tars: { template: 'tars.cpp', servants: [] }, k8s: {} } } as never)
  await client.create(resources.timages as Resource, { metadata: { namespace, name: 'demo-many' }, imageType: 'server', releases: ['m3', 'm2', 'm1'].map((id) => ({ id, image: `r/demo.many:${id}` })) } as never)
  view = startView({ client, namespace, log: silentLogger })
  await view.synced()
})
afterAll(async () => {
  await view?.stop()
  await cluster?.stop()
})

test('a release is deleted, though somebody else deletes another one meanwhile', async () => {
  const { client, namespace } = cluster
  const remove = (by: KubeClient, id: string) => releaseFunctions({ client: by, namespace, view } as World).deletePatchFile('Demo', 'Many', id, undefined as never)
  let others = 0
  const hindered = new Proxy(client, {
    get: (target, key) => async (...args: Parameters<KubeClient['patch']>) => {
      if (key === 'patch' && others++ === 0) expect(await remove(client, 'm1')).toBe(0)
      return (Reflect.get(target, key) as (...of: unknown[]) => unknown).apply(target, args)
    },
  })
  expect(await remove(hindered, 'm2')).toBe(0)
  expect(others).toBe(2)
  expect((await client.get(resources.timages as Resource, { namespace, name: 'demo-many' }) as AnyObject)['releases']).toMatchObject([{ id: 'm3' }])
})

test('times are those of the clock on the wall, as tarsnotify has them', () => {
  const zone = process.env['TZ']
  process.env['TZ'] = 'Asia/Shanghai'
  try {
    expect(plainTime('2025-12-31T23:00:00Z')).toBe('2026-01-01 07:00:00')
  } finally {
    if (zone === undefined) delete process.env['TZ']
    else process.env['TZ'] = zone
  }
})
