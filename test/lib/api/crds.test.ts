import { Ajv } from 'ajv'
import { describe, expect, test } from 'vitest'
import { customResourceDefinitions } from '#api/crds.ts'
import { applyDefaults, completeServer } from '#api/default.ts'
import { patterns } from '#api/schema/patterns.ts'
import type { JsonSchema } from '#api/schema/builder.ts'
import { frameworkObjects } from '#api/seed.ts'

interface Crd {
  metadata: { name: string; annotations: Record<string, string> }
  spec: {
    names: Record<string, unknown>
    conversion: { strategy: string }
    versions: { name: string; served: boolean; storage: boolean; deprecated?: boolean; deprecationWarning?: string; schema: { openAPIV3Schema: JsonSchema }; subresources?: object; additionalPrinterColumns?: { name: string }[] }[]
  }
}

const crds = customResourceDefinitions() as unknown as Crd[]
const crd = (plural: string): Crd => crds.find(({ metadata }) => metadata.name === `${plural}.k8s.tars.io`) ?? expect.fail(plural)
const schema = (plural: string, version = 'v1beta3'): JsonSchema => crd(plural).spec.versions.find(({ name }) => name === version)?.schema.openAPIV3Schema ?? expect.fail(version)

test('kinds, plurals, short names and conversion (control-plane spec A)', () => {
  expect(crds.map(({ spec }) => [spec.names['kind'], spec.names['plural'], spec.names['shortNames'], spec.conversion.strategy])).toEqual([
    ['TServer', 'tservers', ['ts'], 'Webhook'],
    ['TEndpoint', 'tendpoints', ['te'], 'None'],
    ['TTemplate', 'ttemplates', ['tt'], 'None'],
    ['TTree', 'ttrees', undefined, 'None'],
    ['TConfig', 'tconfigs', ['tc'], 'None'],
    ['TImage', 'timages', ['ti'], 'None'],
    ['TExitedRecord', 'texitedrecords', undefined, 'None'],
    ['TFrameworkConfig', 'tframeworkconfigs', ['tfc'], 'Webhook'],
    ['TAccount', 'taccounts', ['ta'], 'None'],
    ['TFrameworkKey', 'tframeworkkey', ['tfk'], 'None'],
    ['TPlugin', 'tplugins', ['tp'], 'None'],
  ])
})

test('v1beta2 and v1beta3 are served, v1beta3 is stored, older ones warn', () => {
  for (const { spec } of crds) {
    const facts = spec.versions.map(({ name, served, storage, deprecated = false }) => `${name} ${served} ${storage} ${deprecated}`)
    const all = ['v1beta1 false false true', 'v1beta2 true false true', 'v1beta3 true true false']
    expect(facts).toEqual(['TFrameworkConfig', 'TFrameworkKey'].includes(spec.names['kind'] as string) ? all.slice(1) : all)
    expect(spec.versions[0]?.deprecationWarning).toBe('migrate to v1beta3')
  }
  const older = customResourceDefinitions({ served: ['v1beta1'], storage: 'v1beta1' }) as unknown as Crd[]
  expect(older.map(({ spec }) => spec.versions.find(({ storage }) => storage)?.name)).toEqual([...Array.from({ length: 7 }, () => 'v1beta1'), 'v1beta3', 'v1beta1', 'v1beta3', 'v1beta1'])
})

test('TServer has scale and status, and its columns by version', () => {
  const [first, , third] = crd('tservers').spec.versions
  expect(third?.subresources).toEqual({ status: {}, scale: { specReplicasPath: '.spec.k8s.replicas', statusReplicasPath: '.status.currentReplicas', labelSelectorPath: '.status.selector' } })
  expect(first?.additionalPrinterColumns?.map(({ name }) => name)).toEqual(['App', 'Server', 'SubType', 'Replicas', 'Ready'])
  expect(third?.additionalPrinterColumns?.map(({ name }) => name)).toEqual(['App', 'Server', 'SubType', 'ReleaseImage', 'NodeImage', 'Template', 'Replicas', 'Ready'])
})

const walk = (node: JsonSchema, path: string, visit: (node: JsonSchema, path: string) => void): void => {
  visit(node, path)
  for (const [name, child] of Object.entries(node.properties ?? {})) walk(child, `${path}.${name}`, visit)
  if (node.items !== undefined) walk(node.items, `${path}[]`, visit)
  if (node.additionalProperties !== undefined) walk(node.additionalProperties, `${path}{}`, visit)
}

const every = crds.flatMap(({ metadata, spec }) => spec.versions.map((version) => [`${metadata.name}/${version.name}`, version.schema.openAPIV3Schema] as const))

describe.each(every)('schema %s', (_name, root) => {
  test('is structural: every node has a type, oneOf holds only required (apiextensions v1)', () => {
    walk(root, '', (node, path) => {
      if (node['x-kubernetes-int-or-string'] === undefined) expect(node.type, path).toBeDefined()
      for (const alternative of node.oneOf ?? []) expect(Object.keys(alternative), path).toEqual(['required'])
      for (const name of node.required ?? []) expect(node.properties, path).toHaveProperty(name)
    })
  })

  test('defaults satisfy their own schemas', () => {
    const ajv = new Ajv({ strict: false, unicodeRegExp: true, validateFormats: false })
    walk(root, '', (node, path) => {
      if (node.default === undefined) return
      expect(ajv.validate(portable(node), applyDefaults(node, node.default)), `${path}: ${ajv.errorsText()}`).toBe(true)
    })
  })

  test('every field is explained', () => {
    walk(root, '', (node, path) => {
      if (!['', '.apiVersion', '.kind', '.metadata'].includes(path)) expect(node.description, path).not.toBe('')
    })
  })
})

/** Go's `\p{Han}` is `\p{Script=Han}` in ECMAScript. */
function portable(node: JsonSchema): object {
  return JSON.parse(JSON.stringify(node).replaceAll('p{Han}', 'p{Script=Han}')) as object
}

test('the objects of a new framework satisfy their schemas', () => {
  const ajv = new Ajv({ strict: false, validateFormats: false })
  const plurals: Record<string, string> = { TTree: 'ttrees', TFrameworkConfig: 'tframeworkconfigs', TTemplate: 'ttemplates', TServer: 'tservers' }
  for (const object of frameworkObjects({ namespace: 'tars', registry: 'r:1/tars', release: { id: 'v1', image: 'r:1/tars/tarsk8s:v1' }, time: '2024-01-01T00:00:00Z' })) {
    expect(ajv.validate(portable(schema(plurals[object.kind] ?? '')), object), `${object.metadata.name}: ${ajv.errorsText()}`).toBe(true)
  }
})

describe('what is refused and what is not (control-plane spec A.1)', () => {
  const ajv = new Ajv({ strict: false, validateFormats: false })
  const spec = (change: object): boolean => ajv.validate(portable(schema('tservers')), { ...completeServer({ name: 'x' }, { app: 'A', server: 'B', subType: 'tars', tars: { template: 't', servants: [] } }), ...change })
  const base = { app: 'A', server: 'B', subType: 'tars', k8s: {} }

  test.each([
    ['subType tars with normal', { spec: { ...base, normal: { ports: [] } } }, true],
    ['tars and normal', { spec: { ...base, tars: { template: 't', servants: [] }, normal: { ports: [] } } }, false],
    ['neither', { spec: base }, false],
    ['a digest with upper case', { spec: { ...base, normal: { ports: [] }, release: { id: 'v1', image: 'R.io/A_b@sha256:0af' } } }, true],
    ['an image with a blank', { spec: { ...base, normal: { ports: [] }, release: { id: 'v1', image: 'a b' } } }, false],
    ['a hyphen in the server', { spec: { ...base, server: 'Cache-1', normal: { ports: [] } } }, true],
    ['a hyphen in the application', { spec: { ...base, app: 'A-b', normal: { ports: [] } } }, false],
    ['100 replicas', { spec: { ...base, k8s: { replicas: 100 }, normal: { ports: [] } } }, false],
    ['a GPU', { spec: { ...base, k8s: { resources: { limits: { 'nvidia.com/gpu': 1, cpu: '500m' } } }, normal: { ports: [] } } }, true],
    ['a mount from two sources', { spec: { ...base, k8s: { mounts: [{ name: 'v', mountPath: '/v', source: { emptyDir: {}, hostPath: { path: '/', type: '' } } }] }, normal: { ports: [] } } }, false],
    ['a variable from any key that a Secret may have', { spec: { ...base, k8s: { env: ['db_password', 'tls.crt'].map((key) => ({ name: 'A', valueFrom: { secretKeyRef: { name: 's', key, optional: true } } })) }, normal: { ports: [] } } }, true],
    ['a variable from a key that none can have', { spec: { ...base, k8s: { env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 's', key: 'a/b', optional: true } } }] }, normal: { ports: [] } } }, false],
    ['a variable without value', { spec: { ...base, k8s: { env: [{ name: 'A' }] }, normal: { ports: [] } } }, false],
  ])('%s', (_what, change, expected) => {
    expect(spec(change)).toBe(expected)
  })
})

test('a node image of K8SFramework means what it did: it is copied; another way than the known ones is refused', () => {
  for (const version of ['v1beta2', 'v1beta3']) {
    const nodeImage = schema('tframeworkconfigs', version).properties?.['nodeImage'] ?? expect.fail(version)
    expect(applyDefaults(nodeImage, { image: 'n' })).toEqual({ image: 'n', injection: 'copy', probes: true })
    const ajv = new Ajv({ strict: false })
    expect(['copy', 'imageVolume', 'volume'].map((injection) => ajv.validate(nodeImage, { image: 'n', injection }))).toEqual([true, true, false])
  }
})

test('patterns compile, and image references of the reference stay legal', () => {
  for (const pattern of Object.values(patterns)) expect(() => new RegExp(pattern.replaceAll('p{Han}', 'p{Script=Han}'), 'u')).not.toThrow()
  expect('registry.test:5000/tars/a.b-c:v1').toMatch(new RegExp(patterns.image))
})
