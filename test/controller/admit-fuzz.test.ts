// Objects reach the mutating webhook before the API server has judged them: whatever is in them, the answer is an answer.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { convertObject } from '#api/convert.ts'
import { frameworkTemplates } from '#api/seed/templates.ts'
import { resources } from '#api/resources.ts'
import { versions } from '#api/names.ts'
import type { ApiObject } from '#api/types.ts'
import type { AdmissionRequest } from '#kube/admission.ts'
import { admit, mutate } from '../../framework/controller/webhook/admit.ts'
import { memoryReaders } from './memory-readers.ts'
import { normalServer, tarsServer } from './fixtures.ts'

const readers = memoryReaders(frameworkTemplates('ns', []))
const apiVersion = 'k8s.tars.io/v1beta3'
const samples: readonly ApiObject[] = [
  tarsServer({ k8s: { hostPorts: [{ nameRef: 'HelloObj', port: 1 }], mounts: [{ name: 'v', mountPath: '/v', source: { emptyDir: {} } }] } }, { annotations: { 'tars.io/MinReplicas': '1', 'tars.io/AutoRelease': 'true' } }),
  normalServer(),
  { apiVersion, kind: 'TConfig', metadata: { name: 'c', namespace: 'ns' }, app: 'Demo', server: 'Hello', configName: 'a', configContent: '', podSeq: '1', activated: true } as ApiObject,
  { apiVersion, kind: 'TTree', metadata: { name: 'tars-tree', namespace: 'ns' }, apps: [{ name: 'Demo', businessRef: '' }], businesses: [{ name: 'b1', show: 'b', weight: 3 }] } as ApiObject,
  { apiVersion, kind: 'TTemplate', metadata: { name: 't', namespace: 'ns' }, spec: { content: '', parent: 'tars.default' } } as ApiObject,
  { apiVersion, kind: 'TImage', metadata: { name: 'i', namespace: 'ns' }, imageType: 'base', supportedType: ['cpp'], releases: [{ id: 'a', image: 'i' }], build: { running: { id: 'b', baseImage: 'x', image: 'y' } } } as ApiObject,
  { apiVersion, kind: 'TAccount', metadata: { name: 'a', namespace: 'ns' }, spec: { username: 'alice', extra: ['x'], authentication: { password: 'secret-1', tokens: [{ name: 'ci' }] }, authorization: [{ role: 'admin' }] } } as ApiObject,
  { apiVersion, kind: 'TPlugin', metadata: { name: 'p', namespace: 'ns' }, spec: { name: 'x', type: 1 } } as ApiObject,
]

/** Every path into the object. */
function paths(value: unknown, path: readonly string[] = []): string[][] {
  if (typeof value !== 'object' || value === null) return [[...path]]
  return [[...path], ...Object.entries(value).flatMap(([name, item]) => paths(item, [...path, name]))]
}

function replaced(value: unknown, [first, ...rest]: readonly string[], by: unknown): unknown {
  if (first === undefined) return by
  const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<string, unknown>
  copy[first] = replaced(copy[first], rest, by)
  return copy
}

const spoilt = fc.constantFrom(...samples).chain((sample) => fc.record({
  path: fc.constantFrom(...paths(sample).filter(([first]) => first !== undefined && !['apiVersion', 'kind', 'metadata'].includes(first))),
  junk: fc.oneof(fc.jsonValue(), fc.constantFrom(undefined, '', 0, -1, [], {}, 'x'.repeat(300))),
}).map(({ path, junk }) => replaced(sample, path, junk) as ApiObject))

function requestFor(object: ApiObject, old: ApiObject | null, version: string): AdmissionRequest {
  const resource = Object.values(resources).find(({ kind }) => kind === object.kind)?.plural ?? ''
  const named = (one: ApiObject | null) => (one === null ? null : { ...one, apiVersion: `k8s.tars.io/${version}` })
  return {
    uid: 'u', kind: { group: 'k8s.tars.io', version, kind: object.kind }, resource: { group: 'k8s.tars.io', version, resource }, name: object.metadata.name, namespace: 'ns',
    operation: old === null ? 'CREATE' : 'UPDATE', userInfo: { username: 'alice' }, object: named(object), oldObject: named(old),
  }
}

describe('whatever is sent', () => {
  test('gets an answer', async () => {
    await fc.assert(fc.asyncProperty(spoilt, fc.boolean(), fc.constantFrom(...versions), async (object, update, version) => {
      const old = update ? (samples.find(({ metadata, kind }) => kind === object.kind && metadata.name === object.metadata.name) ?? null) : null
      const { allowed, status } = await admit(requestFor(object, old, version), readers)
      if (!allowed) expect(status?.message).toMatch(/; field .+; remedy: /)
    }), { numRuns: 2000 })
  })
})

test('whatever is to be converted is converted', () => {
  const saved = fc.option(fc.record({ append: fc.oneof(fc.jsonValue(), fc.record({ k8s: fc.jsonValue(), release: fc.jsonValue() }), fc.constant({ k8s: { readinessGates: 5 } })) }).map((value) => JSON.stringify(value)), { nil: '{' })
  fc.assert(fc.property(spoilt, fc.constantFrom(...versions), fc.constantFrom(...versions), saved, (object, from, to, text) => {
    const annotations = Object.fromEntries(['1b11b2', '1b11b3', '1b21b3', '1b1'].map((pair) => [`tars.io/Conversion.${pair}`, text]))
    expect(() => convertObject({ ...object, metadata: { ...object.metadata, annotations }, apiVersion: `k8s.tars.io/${from}` }, to)).not.toThrow()
  }), { numRuns: 3000 })
})

test.each(samples.map((sample) => [`${sample.kind} ${sample.metadata.name}`, sample] as const))('mutating %s twice changes nothing more', async (_name, sample) => {
  const options = { now: () => 0 }
  const first = await mutate(requestFor(sample, null, 'v1beta3'), readers, options)
  const object = apply(sample, first.patch)
  const again = await mutate(requestFor(object, object, 'v1beta3'), readers, options)
  expect(again.patch === undefined ? [] : JSON.parse(Buffer.from(again.patch, 'base64').toString())).toEqual([])
})

function apply(object: ApiObject, patch: string | undefined): ApiObject {
  const operations = patch === undefined ? [] : (JSON.parse(Buffer.from(patch, 'base64').toString()) as { path: string; op: string; value?: unknown }[])
  return operations.reduce<unknown>((current, { path, value }) => replaced(current, path.split('/').slice(1).map((part) => part.replaceAll('~1', '/')), value), object) as ApiObject
}
