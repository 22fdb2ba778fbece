import { afterAll, beforeAll, expect, test } from 'vitest'
import { KubeError } from '#kube/errors.ts'
import type { AnyObject } from '#kube/types.ts'
import { applyAround, fieldManager } from '../../framework/seed/apply.ts'
import { behaviourCluster, eventually, installDefinition, widgetDefinition, widgets, type TestCluster } from '../rig/kube.ts'

let cluster: TestCluster
let namespace: string
beforeAll(async () => {
  cluster = await behaviourCluster()
  await installDefinition(cluster.client, widgetDefinition())
  await eventually(() => cluster.client.list(widgets).then(() => true, () => false), 'widgets are served')
  namespace = await cluster.namespace()
})
afterAll(() => cluster?.stop())

const widget = (name: string, spec: object, metadata: object = {}): AnyObject => ({ apiVersion: 'test.tarsk8s.io/v1', kind: 'Widget', metadata: { namespace, name, ...metadata }, spec })
const apply = (object: AnyObject): Promise<readonly string[]> => applyAround(cluster.client, widgets, object)
const live = async (name: string): Promise<AnyObject> => cluster.client.get(widgets, { namespace, name })
const edit = (name: string, body: object, manager = 'kubectl-edit'): Promise<unknown> => cluster.client.patch(widgets, { namespace, name }, body, { fieldManager: manager })

test('what nobody changed becomes what is wanted, and what is wanted no more goes', async () => {
  expect(await apply(widget('plain', { size: 1, name: 'a', color: 'green' }))).toEqual([])
  expect(await apply(widget('plain', { size: 2, color: 'green' }))).toEqual([])
  expect((await live('plain'))['spec']).toEqual({ size: 2, color: 'green' })
})

test('what others changed stays, field by field', async () => {
  const labels = { 'tars.io/one': 'a', 'tars.io/two': 'a' }
  await apply(widget('edited', { size: 1, name: 'a', labels: { x: '1' } }, { labels }))
  await edit('edited', { metadata: { labels: { 'tars.io/one': 'mine' } }, spec: { name: 'mine', color: 'green', labels: { x: '9' } } })
  const left = await apply(widget('edited', { size: 2, name: 'b', labels: { x: '2', y: '3' } }, { labels: { 'tars.io/one': 'b', 'tars.io/two': 'b' } }))
  expect(left.toSorted()).toEqual(['.metadata.labels.tars.io/one', '.spec.labels.x', '.spec.name'])
  expect(await live('edited')).toMatchObject({ metadata: { labels: { 'tars.io/one': 'mine', 'tars.io/two': 'b' } }, spec: { size: 2, name: 'mine', color: 'green', labels: { x: '9', y: '3' } } })
  // And the next time, too.
  expect((await apply(widget('edited', { size: 3, name: 'c' }))).toSorted()).toEqual(['.spec.name'])
  expect((await live('edited'))['spec']).toMatchObject({ size: 3, name: 'mine' })
})

test('somebody who wants the same is in nobody\'s way', async () => {
  await apply(widget('agreed', { size: 1 }))
  await edit('agreed', { spec: { size: 2 } })
  expect(await apply(widget('agreed', { size: 2 }))).toEqual([])
})

test('what an older chart left is taken over', async () => {
  await cluster.client.create(widgets, widget('old', { size: 1, name: 'a', color: 'red' }), { fieldManager: 'helm' })
  await edit('old', { spec: { name: 'mine' } })
  expect(await apply(widget('old', { size: 5, name: 'b', color: 'green' }))).toEqual(['.spec.name'])
  const { spec, metadata } = await live('old')
  expect(spec).toEqual({ size: 5, name: 'mine', color: 'green' })
  expect(metadata.managedFields?.map(({ manager }) => manager)).toContain(fieldManager)
})

test('other refusals are told', async () => {
  await expect(apply(widget('wrong', { size: 11 }))).rejects.toBeInstanceOf(KubeError)
})
