// Admission and conversion through hooks in the process.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { AdmissionRequest, AdmissionResponse } from '#kube/admission.ts'
import { configMaps, customResourceDefinitions } from '#kube/resources.ts'
import type { AnyObject } from '#kube/types.ts'
import type { AdmissionHook } from '../../../framework/local/apiserver/server.ts'
import { installDefinition, startTestCluster, widgetDefinition, widgets } from '../../rig/kube.ts'
import type { TestCluster } from '../../rig/kube.ts'

type Review = (request: AdmissionRequest) => AdmissionResponse | Promise<AdmissionResponse>

const allow: Review = ({ uid }) => ({ uid, allowed: true })
const patchWith = (...steps: object[]): Review => ({ uid }) => ({ uid, allowed: true, patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(steps)).toString('base64') })
const rules = [{ apiGroups: ['test.tarsk8s.io'], apiVersions: ['v1'], resources: ['widgets'], operations: ['CREATE', 'UPDATE', 'DELETE'] }]

let cluster: TestCluster
let mutate: Review
let validate: Review
let seen: AdmissionRequest[]
const namespace = 'default'

beforeAll(async () => {
  const hook = (phase: AdmissionHook['phase'], review: (request: AdmissionRequest) => ReturnType<Review>): AdmissionHook => ({
    name: `${phase}.test.tarsk8s.io`, phase, rules,
    async review(request) {
      seen.push(request)
      return review(request)
    },
  })
  cluster = await startTestCluster({
    admission: [hook('validating', (request) => validate(request)), hook('mutating', (request) => mutate(request))],
    convert: (objects, apiVersion) => Promise.resolve(objects.map((object) => convert(object, apiVersion))),
  })
  await installDefinition(cluster.client, widgetDefinition())
})
afterAll(() => cluster.stop())
beforeEach(() => {
  mutate = allow
  validate = allow
  seen = []
})

const create = (name: string, size = 1) => cluster.client.create(widgets, { metadata: { name, namespace }, spec: { size } } as never)

describe('admission', () => {
  it('mutates first, prunes and defaults the result, then validates it', async () => {
    mutate = patchWith({ op: 'add', path: '/spec/color', value: 'green' }, { op: 'add', path: '/spec/unknown', value: 1 }, { op: 'add', path: '/metadata/labels', value: { made: 'yes' } })
    const made = await create('mutated')
    expect(made).toMatchObject({ metadata: { labels: { made: 'yes' } }, spec: { size: 1, color: 'green' } })
    expect(made['spec']).not.toHaveProperty('unknown')
    expect(seen.map(({ operation, object }) => [operation, object?.['spec'].color])).toEqual([['CREATE', 'red'], ['CREATE', 'green']])
    expect(seen[0]).toMatchObject({
      kind: { group: 'test.tarsk8s.io', version: 'v1', kind: 'Widget' }, resource: { group: 'test.tarsk8s.io', version: 'v1', resource: 'widgets' },
      name: 'mutated', namespace, oldObject: null, userInfo: { username: 'kubernetes-admin' }, dryRun: false,
    })
  })
  it('checks the schema after mutation', async () => {
    mutate = patchWith({ op: 'replace', path: '/spec/size', value: 99 })
    await expect(create('too-large')).rejects.toMatchObject({ status: 422 })
  })
  it('refuses in the words of the hook', async () => {
    validate = ({ uid }) => ({ uid, allowed: false, status: { message: 'spec.size is odd' } })
    await expect(create('refused')).rejects.toMatchObject({ status: 400, message: 'admission webhook "validating.test.tarsk8s.io" denied the request: spec.size is odd' })
    await expect(cluster.client.get(widgets, { namespace, name: 'refused' })).rejects.toMatchObject({ status: 404 })
    const denied = await cluster.kubectl(['apply', '-f', '-'], { input: '{"apiVersion":"test.tarsk8s.io/v1","kind":"Widget","metadata":{"name":"refused"},"spec":{"size":1}}' })
    expect(denied.stderr).toContain('admission webhook "validating.test.tarsk8s.io" denied the request: spec.size is odd')
  })
  it('is asked about updates with both objects, and about deletions with the old one', async () => {
    await create('life', 2)
    seen = []
    await cluster.client.patch(widgets, { namespace, name: 'life' }, { spec: { size: 3 } })
    await cluster.client.delete(widgets, { namespace, name: 'life' })
    expect(seen.filter((_, index) => index % 2 === 1).map(({ operation, object, oldObject }) => [operation, object?.['spec'].size, oldObject?.['spec'].size])).toEqual([['UPDATE', 3, 2], ['DELETE', undefined, 3]])
  })
  it('can refuse a deletion', async () => {
    await create('kept')
    validate = ({ uid, operation }) => ({ uid, allowed: operation !== 'DELETE', status: { message: 'still needed' } })
    await expect(cluster.client.delete(widgets, { namespace, name: 'kept' })).rejects.toMatchObject({ status: 400, message: expect.stringContaining('still needed') as string })
    expect(await cluster.client.get(widgets, { namespace, name: 'kept' })).toBeDefined()
  })
  it('leaves subresources and other kinds alone', async () => {
    await create('sub')
    seen = []
    await cluster.client.patch(widgets, { namespace, name: 'sub' }, { status: { ready: 1 } }, { subresource: 'status' })
    await cluster.client.patch(widgets, { namespace, name: 'sub' }, { spec: { replicas: 4 } }, { subresource: 'scale' })
    await cluster.client.create(configMaps, { metadata: { name: 'other', namespace } })
    expect(seen).toEqual([])
  })
  it('tells dry runs, and fails closed when a hook breaks', async () => {
    await cluster.client.create(widgets, { metadata: { name: 'dry', namespace }, spec: { size: 1 } } as never, { dryRun: true })
    expect(seen.every(({ dryRun }) => dryRun)).toBe(true)
    validate = () => Promise.reject(new Error('hook is down'))
    await expect(create('closed')).rejects.toMatchObject({ status: 500, message: expect.stringContaining('failed calling webhook "validating.test.tarsk8s.io": hook is down') as string })
  })
  it('is asked anew when another writer comes between', async () => {
    await create('race', 1)
    mutate = async (request) => {
      if (seen.filter(({ name }) => name === 'race').length === 1) await cluster.client.patch(widgets, { namespace, name: 'race' }, { metadata: { annotations: { other: 'writer' } } })
      return allow(request)
    }
    seen = []
    expect(await cluster.client.patch(widgets, { namespace, name: 'race' }, { spec: { size: 5 } })).toMatchObject({ spec: { size: 5 }, metadata: { annotations: { other: 'writer' } } })
  })
})

/** v1 has `size`, v2 has `width` and `height`; v2 is stored. */
function convert(object: AnyObject, apiVersion: string): AnyObject {
  const spec = object['spec'] as Record<string, unknown>
  const up = apiVersion.endsWith('v2')
  const converted = up ? { width: spec['size'], height: Number(object.metadata.annotations?.['height'] ?? 0) } : { size: spec['width'] }
  const annotations = up ? {} : { height: String(spec['height']) }
  return { ...object, apiVersion, metadata: { ...object.metadata, annotations }, spec: converted }
}

describe('conversion', () => {
  const boxes = { group: 'conv.tarsk8s.io', version: 'v1', plural: 'boxes', kind: 'Box', namespaced: true }
  const boxes2 = { ...boxes, version: 'v2' }
  const version = (name: string, storage: boolean, properties: object) => ({
    name, served: true, storage, ...(storage ? {} : { deprecated: true }),
    schema: { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties } } } },
  })
  const integer = { type: 'integer' }

  beforeAll(async () => {
    const definition = {
      apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata: { name: 'boxes.conv.tarsk8s.io' },
      spec: {
        group: 'conv.tarsk8s.io', scope: 'Namespaced', names: { plural: 'boxes', kind: 'Box' },
        conversion: { strategy: 'Webhook', webhook: { conversionReviewVersions: ['v1'], clientConfig: { url: 'https://in-process.invalid/' } } },
        versions: [version('v1', false, { size: integer }), version('v2', true, { width: integer, height: { ...integer, default: 7 } })],
      },
    }
    await installDefinition(cluster.client, definition)
  })

  it('stores one version and serves both, in get, list, watch, patch and table', async () => {
    const target = { namespace, name: 'box' }
    await cluster.client.create(boxes, { metadata: target, spec: { size: 3 } } as never)
    expect(await cluster.client.get(boxes2, target)).toMatchObject({ apiVersion: 'conv.tarsk8s.io/v2', spec: { width: 3, height: 0 } })
    await cluster.client.patch(boxes2, target, { spec: { height: 9 } })
    expect(await cluster.client.get(boxes, target)).toMatchObject({ apiVersion: 'conv.tarsk8s.io/v1', spec: { size: 3 }, metadata: { annotations: { height: '9' } } })
    await cluster.client.patch(boxes, target, { spec: { size: 4 } })
    expect(await cluster.client.get(boxes2, target)).toMatchObject({ spec: { width: 4, height: 9 } })
    expect((await cluster.client.list(boxes, { namespace })).items[0]).toMatchObject({ apiVersion: 'conv.tarsk8s.io/v1', spec: { size: 4 } })
    for await (const event of cluster.client.watch(boxes, { namespace })) {
      expect(event.object).toMatchObject({ apiVersion: 'conv.tarsk8s.io/v1', spec: { size: 4 } })
      break
    }
    expect((await cluster.client.get(customResourceDefinitions, { name: 'boxes.conv.tarsk8s.io' }))['status'].storedVersions).toEqual(['v2'])
  })
  it('warns of a deprecated version', async () => {
    const { stderr, stdout } = await cluster.kubectl(['get', 'boxes.v1.conv.tarsk8s.io'])
    expect(stderr).toContain('Warning: conv.tarsk8s.io/v1 Box is deprecated')
    expect(stdout).toContain('box')
  })
})
