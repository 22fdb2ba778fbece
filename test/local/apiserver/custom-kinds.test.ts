// CustomResourceDefinitions: schema, columns, subresources, life and death.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { customResourceDefinitions } from '#kube/resources.ts'
import type { AnyObject } from '#kube/types.ts'
import { behaviourCluster, eventually, installDefinition, widgetDefinition, widgets } from '../../rig/kube.ts'
import type { TestCluster } from '../../rig/kube.ts'

let cluster: TestCluster
let namespace: string
beforeAll(async () => {
  cluster = await behaviourCluster()
  await installDefinition(cluster.client, widgetDefinition())
  namespace = await cluster.namespace()
})
afterAll(async () => {
  await cluster.client.delete(customResourceDefinitions, { name: 'widgets.test.tarsk8s.io' }).catch(() => {})
  await cluster.stop()
})

const widget = (name: string, spec: object): AnyObject => ({ apiVersion: 'test.tarsk8s.io/v1', kind: 'Widget', metadata: { name, namespace }, spec })

describe('schema', () => {
  it('defaults, prunes, and keeps what it is told to keep', async () => {
    const made = await cluster.client.create(widgets, widget('shape', { size: 1, unknown: 1, free: { any: { thing: 1 } }, labels: { a: 'b' }, ports: [{ name: 'x', extra: 1 }] }))
    expect(made['spec']).toEqual({ size: 1, color: 'red', free: { any: { thing: 1 } }, labels: { a: 'b' }, ports: [{ name: 'x', isTcp: true }] })
    expect(made.metadata.generation).toBe(1)
  })
  it.each<[string, object, string, string]>([
    ['a missing field', {}, 'spec.size', 'Required value'],
    ['a wrong type', { size: 'big' }, 'spec.size', 'Invalid value: "string": spec.size in body must be of type integer: "string"'],
    ['too small', { size: 0 }, 'spec.size', 'Invalid value: 0: spec.size in body should be greater than or equal to 1'],
    ['too large', { size: 11 }, 'spec.size', 'Invalid value: 11: spec.size in body should be less than or equal to 10'],
    ['not in the enum', { size: 1, color: 'blue' }, 'spec.color', 'Unsupported value: "blue": supported values: "red", "green"'],
    ['a pattern', { size: 1, name: 'A' }, 'spec.name', 'Invalid value: "A": spec.name in body should match \'^[a-z]+$\''],
    ['too long', { size: 1, name: 'abcdefghi' }, 'spec.name', 'Too long: may not be more than 8 bytes'],
    ['none of oneOf', { size: 1, source: {} }, '<nil>', '"spec.source" must validate one and only one schema (oneOf). Found none valid'],
    ['none of oneOf', { size: 1, source: {} }, 'spec.source.a', 'Required value'],
    ['two of oneOf', { size: 1, source: { a: '', b: '' } }, '<nil>', '"spec.source" must validate one and only one schema (oneOf). Found 2 valid alternatives'],
    ['neither integer nor string', { size: 1, mode: true }, 'spec.mode', 'must be of type integer,string'],
    ['a field of an item', { size: 1, ports: [{ name: 'a' }, {}] }, 'spec.ports[1].name', 'Required value'],
    ['a duplicate item', { size: 1, ports: [{ name: 'a' }, { name: 'a' }] }, 'spec.ports[1]', 'Duplicate value: {"name":"a"}'],
  ])('refuses %s with its path', async (_what, spec, field, message) => {
    const error = await cluster.client.create(widgets, widget('bad', spec)).catch((caught: unknown) => caught)
    expect(error).toMatchObject({ status: 422, reason: 'Invalid', details: { kind: 'Widget', group: 'test.tarsk8s.io' } })
    const causes = (error as { details: { causes: { field: string; message: string }[] } }).details.causes
    expect(causes.find((cause) => cause.field === field)?.message).toContain(message)
    expect((error as Error).message).toContain('Widget.test.tarsk8s.io "bad" is invalid')
  })
  it('names unknown fields when asked to be strict, and warns otherwise', async () => {
    const path = `/apis/test.tarsk8s.io/v1/namespaces/${namespace}/widgets`
    await expect(cluster.client.raw('POST', `${path}?fieldValidation=Strict`, widget('strict', { size: 1, sise: 2 }))).rejects.toMatchObject({ status: 400, message: expect.stringContaining('unknown field "spec.sise"') as string })
  })
  it('needs a resourceVersion for PUT, as every custom kind', async () => {
    const made = await cluster.client.create(widgets, widget('put', { size: 1 }))
    const { resourceVersion: _gone, ...metadata } = made.metadata
    await expect(cluster.client.update(widgets, { ...made, metadata })).rejects.toMatchObject({ message: expect.stringContaining('must be specified for an update') as string })
  })
})

describe('subresources', () => {
  it('takes status through its own door only', async () => {
    const made = await cluster.client.create(widgets, { ...widget('stat', { size: 2 }), status: { ready: 9 } })
    expect(made).not.toHaveProperty('status')
    const reported = await cluster.client.replaceStatus(widgets, { ...made, spec: { size: 5 }, status: { ready: 2 } })
    expect(reported).toMatchObject({ spec: { size: 2 }, status: { ready: 2 }, metadata: { generation: 1 } })
    const changed = await cluster.client.update(widgets, { ...reported, spec: { size: 3 }, status: { ready: 7 } })
    expect(changed).toMatchObject({ spec: { size: 3 }, status: { ready: 2 }, metadata: { generation: 2 } })
  })
  it('scales by the paths of the definition', async () => {
    await cluster.client.create(widgets, widget('scaled', { size: 2 }))
    await cluster.client.patch(widgets, { namespace, name: 'scaled' }, { status: { ready: 1, selector: 'a=b' } }, { subresource: 'status' })
    const scale = await cluster.client.get(widgets, { namespace, name: 'scaled' }, { subresource: 'scale' })
    expect(scale).toMatchObject({ kind: 'Scale', apiVersion: 'autoscaling/v1', spec: { replicas: 2 }, status: { replicas: 1, selector: 'a=b' } })
    await cluster.client.patch(widgets, { namespace, name: 'scaled' }, { spec: { replicas: 4 } }, { subresource: 'scale' })
    expect(await cluster.client.get(widgets, { namespace, name: 'scaled' })).toMatchObject({ spec: { size: 4 } })
    await expect(cluster.client.patch(widgets, { namespace, name: 'scaled' }, { spec: { replicas: 40 } }, { subresource: 'scale' })).rejects.toMatchObject({ status: 422 })
  })
})

describe('definition', () => {
  it.each<[string, (crd: AnyObject) => void, string]>([
    ['a name that is not plural.group', (crd) => (crd.metadata.name = 'other.test.tarsk8s.io'), 'metadata.name'],
    ['no storage version', (crd) => (crd['spec'].versions[0].storage = false), 'spec.versions'],
    ['a schema without type', (crd) => delete crd['spec'].versions[0].schema.openAPIV3Schema.type, 'openAPIV3Schema.type'],
    ['an unknown scope', (crd) => (crd['spec'].scope = 'Global'), 'spec.scope'],
    ['an unknown way to convert', (crd) => (crd['spec'].conversion = { strategy: 'Magic' }), 'spec.conversion.strategy: Unsupported value: "Magic": supported values: "None", "Webhook"'],
    ['a conversion by nobody', (crd) => (crd['spec'].conversion = { strategy: 'Webhook', webhook: { conversionReviewVersions: ['v1'] } }), 'spec.conversion.webhookClientConfig: Required value'],
    ['a conversion by two', (crd) => (crd['spec'].conversion = { strategy: 'Webhook', webhook: { conversionReviewVersions: ['v1'], clientConfig: { url: 'https://hook.test/', service: { name: 's', namespace: 'n' } } } }), 'spec.conversion.webhookClientConfig: Required value: exactly one of url or service is required'],
    ['a conversion in no version', (crd) => (crd['spec'].conversion = { strategy: 'Webhook', webhook: { clientConfig: { url: 'https://hook.test/' } } }), 'spec.conversion.conversionReviewVersions'],
  ])('refuses %s', async (_what, spoil, field) => {
    const crd = widgetDefinition()
    crd.metadata.name = 'gadgets.test.tarsk8s.io'
    crd['spec'].names = { plural: 'gadgets', kind: 'Gadget' }
    spoil(crd)
    await expect(cluster.client.create(customResourceDefinitions, crd)).rejects.toMatchObject({ status: 422, message: expect.stringContaining(field) as string })
  })
  it('serves changes of the schema, and stops serving after deletion, when all objects are gone', async () => {
    const crd = widgetDefinition({ group: 'gone.tarsk8s.io', names: { plural: 'gadgets', kind: 'Gadget', shortNames: ['gdg'] } })
    crd.metadata.name = 'gadgets.gone.tarsk8s.io'
    await installDefinition(cluster.client, crd)
    const gadgets = { ...widgets, group: 'gone.tarsk8s.io', plural: 'gadgets', kind: 'Gadget' }
    const target = { namespace, name: 'g1' }
    await eventually(() => cluster.client.create(gadgets, { metadata: { ...target, finalizers: ['test.tarsk8s.io/hold'] }, spec: { size: 1 } } as never).catch(() => undefined), 'the kind is served')
    await cluster.client.patch(customResourceDefinitions, { name: crd.metadata.name }, [{ op: 'replace', path: '/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/size/maximum', value: 99 }], { type: 'json' })
    await eventually(() => cluster.client.patch(gadgets, target, { spec: { size: 50 } }).catch(() => undefined), 'the new maximum holds')
    await cluster.client.delete(customResourceDefinitions, { name: crd.metadata.name })
    await eventually(async () => (await cluster.client.get(gadgets, target)).metadata.deletionTimestamp, 'objects are being deleted')
    expect((await cluster.client.get(customResourceDefinitions, { name: crd.metadata.name })).metadata.deletionTimestamp).toBeDefined()
    await cluster.client.patch(gadgets, target, { metadata: { finalizers: null } })
    await eventually(() => cluster.client.get(customResourceDefinitions, { name: crd.metadata.name }).then(() => false, (error: { status: number }) => error.status === 404), 'the definition is gone')
    await expect(cluster.client.list(gadgets)).rejects.toMatchObject({ status: 404 })
  })
})
