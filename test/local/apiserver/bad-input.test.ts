// Bodies, patches and queries of the wrong shape: always a Status with a 4xx, never a 500, and nothing stored.
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { KubeError } from '#kube/errors.ts'
import { configMaps, customResourceDefinitions, pods, services, statefulSets } from '#kube/resources.ts'
import type { Resource } from '#kube/types.ts'
import { behaviourCluster, embedded, installDefinition, widgetDefinition, widgets } from '../../rig/kube.ts'
import type { TestCluster } from '../../rig/kube.ts'

let cluster: TestCluster
let namespace: string
beforeAll(async () => {
  cluster = await behaviourCluster()
  await installDefinition(cluster.client, widgetDefinition())
  namespace = await cluster.namespace()
})
afterAll(() => cluster.stop())

const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'x', env: [{ name: 'A', value: '1' }], ports: [{ containerPort: 80 }] }], volumes: [{ name: 'v', emptyDir: {} }] } }
const meta = { labels: { a: 'b' }, annotations: { c: 'd' }, finalizers: ['x.test/y'], ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'o', uid: 'u' }] }
const valid: readonly [Resource, object][] = [
  [configMaps, { data: { a: 'b' } }],
  [pods, { spec: template.spec }],
  [services, { spec: { clusterIP: 'None', ports: [{ name: 'a', port: 1 }], selector: { a: 'b' } } }],
  [statefulSets, { spec: { serviceName: 's', selector: { matchLabels: { a: 'b' } }, template, volumeClaimTemplates: [{ metadata: { name: 'v' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } }] } }],
  [widgets, { spec: { size: 1, ports: [{ name: 'a', port: 1 }], labels: { a: 'b' }, source: { a: 'x' } } }],
  [customResourceDefinitions, { spec: widgetDefinition()['spec'] as object }],
]

const junk = fc.oneof(fc.constant(null), fc.boolean(), fc.integer(), fc.string({ maxLength: 5 }), fc.constant([]), fc.constant({}), fc.constant([null]), fc.constant([[]]), fc.constant([{}]), fc.constant({ '': 1 }), fc.constant({ __proto: 1 }))

/** Paths of all values in an object. */
function paths(value: unknown, prefix: readonly string[] = []): string[][] {
  if (typeof value !== 'object' || value === null) return [[...prefix]]
  return [[...prefix], ...Object.entries(value).flatMap(([key, child]) => paths(child, [...prefix, key]))]
}

function replaced(value: unknown, [key, ...rest]: readonly string[], by: unknown): unknown {
  if (key === undefined) return by
  const copy = (Array.isArray(value) ? [...(value as unknown[])] : { ...(value as object) }) as Record<string, unknown>
  copy[key] = replaced(copy[key], rest, by)
  return copy
}

const collection = ({ group, version, plural, namespaced }: Resource) => `${group === '' ? `/api/${version}` : `/apis/${group}/${version}`}${namespaced ? `/namespaces/${namespace}` : ''}/${plural}`

async function answer(call: Promise<unknown>): Promise<number> {
  const error = await call.then(() => undefined, (caught: unknown) => caught)
  if (error === undefined) return 200
  expect(error).toBeInstanceOf(KubeError)
  expect((error as KubeError).message).not.toBe('')
  return (error as KubeError).status
}

const arbitrary = fc.constantFrom(...valid).chain(([resource, body]) => {
  const whole = { metadata: { name: 'fuzz', ...meta }, ...body }
  return fc.record({ resource: fc.constant(resource), whole: fc.constant(whole), path: fc.constantFrom(...paths(whole)), by: junk })
})

describe('bad input', () => {
  it('as a body is refused by a 4xx, or taken when it is valid all the same', async () => {
    await fc.assert(fc.asyncProperty(arbitrary, async ({ resource, whole, path, by }) => {
      const status = await answer(cluster.client.raw('POST', `${collection(resource)}?dryRun=All`, JSON.stringify(replaced(whole, path, by))))
      expect(status, JSON.stringify({ path, by })).toBeLessThan(500)
      expect(status).toBeGreaterThan(0)
    }), { numRuns: 800 })
  })
  it('as a patch of any type leaves the object readable', async () => {
    for (const [resource, body] of valid.slice(0, 5)) await cluster.client.create(resource, { metadata: { name: 'patched', namespace, labels: { a: 'b' } }, ...body } as never)
    const type = fc.constantFrom('application/merge-patch+json', 'application/strategic-merge-patch+json', 'application/apply-patch+yaml', 'application/json-patch+json')
    await fc.assert(fc.asyncProperty(arbitrary, type, fc.boolean(), async ({ resource, whole, path, by }, contentType, status) => {
      if (resource === customResourceDefinitions) return
      const config = { apiVersion: resource.group === '' ? resource.version : `${resource.group}/${resource.version}`, kind: resource.kind, ...whole, metadata: { name: 'patched' } }
      const value = replaced(config, path, by)
      const patch = contentType === 'application/json-patch+json' ? [{ op: 'add', path: `/${path.join('/')}`, value: by }] : value
      const code = await answer(cluster.client.raw('PATCH', `${collection(resource)}/patched${status && resource !== configMaps ? '/status' : ''}?dryRun=All&fieldManager=fuzz&force=true`, JSON.stringify(patch), { contentType }))
      // Kubernetes itself has no better answer to some applied objects of the wrong type.
      expect(code, JSON.stringify({ contentType, path, by })).toBeLessThan(embedded ? 500 : 501)
      expect(code).toBeGreaterThan(0)
    }), { numRuns: 800 })
    for (const [resource] of valid.slice(0, 5)) expect((await cluster.client.get(resource, { namespace, name: 'patched' })).metadata.name).toBe('patched')
  })
  it('as a query or path is refused', async () => {
    const keys = fc.constantFrom('labelSelector', 'fieldSelector', 'limit', 'continue', 'resourceVersion', 'timeoutSeconds', 'includeObject', 'resourceVersionMatch')
    await fc.assert(fc.asyncProperty(keys, fc.string({ maxLength: 12, unit: 'binary' }), async (key, value) => {
      expect(await answer(cluster.client.raw('GET', `${collection(configMaps)}?${key}=${encodeURIComponent(value)}`))).toBeLessThan(500)
    }), { numRuns: 200 })
    await fc.assert(fc.asyncProperty(fc.array(fc.webSegment(), { maxLength: 6 }), async (segments) => {
      expect(await answer(cluster.client.raw('GET', `/${['apis', ...segments].join('/')}`))).toBeLessThan(500)
    }), { numRuns: 200 })
  })
})
