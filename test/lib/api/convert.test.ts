import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { convertObject } from '#api/convert.ts'
import { applyDefaults } from '#api/default.ts'
import { schemaOf } from '#api/crds.ts'
import type { ApiObject } from '#api/types.ts'
import type { Version } from '#api/names.ts'

const optional = <T>(values: Record<string, fc.Arbitrary<T>>) => fc.record(values, { requiredKeys: [] })
const word = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/)
const words = fc.array(word, { minLength: 1, maxLength: 3 })

const release = fc.record({ id: word, image: word, secret: word, time: fc.constant('2024-01-01T00:00:00Z'), nodeImage: word, nodeSecret: word }, { requiredKeys: ['id', 'image'] })
const k8s = optional<unknown>({
  replicas: fc.integer({ min: 0, max: 99 }), command: words, args: words, readinessGates: fc.uniqueArray(word, { minLength: 1, maxLength: 4 }),
  tolerations: fc.array(fc.record({ key: fc.string(), operator: fc.constant('Exists') }), { minLength: 1, maxLength: 2 }),
  topologySpreadConstraints: fc.array(fc.record({ topologyKey: fc.string(), maxSkew: fc.integer({ min: 1, max: 3 }), whenUnsatisfiable: fc.constant('DoNotSchedule'), minDomains: fc.integer({ min: 1, max: 3 }) }), { minLength: 1, maxLength: 2 }),
  priorityClassName: fc.string(),
  podSecurityContext: fc.record({ fsGroup: fc.nat() }),
  securityContext: fc.record({ runAsUser: fc.nat() }),
  probes: fc.record({ readiness: fc.record({ tcpSocket: fc.record({ port: fc.nat() }) }) }),
  sidecars: fc.array(fc.record({ name: fc.string(), image: fc.string() }), { minLength: 1, maxLength: 2 }),
  autoscaling: fc.record({ minReplicas: fc.integer({ min: 1, max: 9 }), maxReplicas: fc.integer({ min: 1, max: 9 }), cpu: fc.integer({ min: 1, max: 100 }) }),
  imagePullPolicy: fc.constantFrom('Always', 'Never', 'IfNotPresent'), launcherType: fc.constantFrom('foreground', 'background'),
  updateStrategy: fc.record({ type: fc.constantFrom('RollingUpdate', 'OnDelete'), rollingUpdate: fc.record({ partition: fc.nat(9) }) }),
  hostNetwork: fc.boolean(), env: fc.array(fc.record({ name: word, value: word }), { minLength: 1, maxLength: 2 }),
})
const tars = fc.record({ template: word, profile: fc.string(), servants: fc.array(fc.record({ name: word, port: fc.integer({ min: 1, max: 65535 }), weight: fc.nat(100) }, { requiredKeys: ['name', 'port'] })), instances: fc.array(fc.record({ pods: fc.constant('0-1'), set: fc.constant('a.b.c') }, { requiredKeys: [] })) }, { requiredKeys: ['template', 'servants'] })
const kind = fc.oneof(fc.record({ subType: fc.constant('tars'), tars }), fc.record({ subType: fc.constant('normal'), normal: fc.record({ ports: fc.array(fc.record({ name: word, port: fc.nat(65535) })) }) }))
const annotations = fc.option(fc.dictionary(word, word, { minKeys: 1, maxKeys: 2 }), { nil: undefined })

const server = fc.record({ variant: fc.option(word, { nil: undefined }), kind, k8s, release: fc.option(release, { nil: undefined }), annotations }).map((parts) => complete('v1beta3', {
  apiVersion: 'k8s.tars.io/v1beta3', kind: 'TServer', metadata: { name: 'a-b', ...(parts.annotations === undefined ? {} : { annotations: parts.annotations }) },
  spec: { app: 'A', server: 'B', ...(parts.variant === undefined ? {} : { variant: parts.variant }), ...parts.kind, k8s: parts.k8s, ...(parts.release === undefined ? {} : { release: parts.release }) },
}))

function complete(version: Version, object: object): ApiObject {
  return applyDefaults(schemaOf('TServer', version) ?? {}, object) as ApiObject
}

function through(object: ApiObject, ...versions: Version[]): ApiObject {
  return versions.reduce((current, version) => convertObject(current, version) ?? expect.fail(version), object)
}

describe('TServer goes down and up again unchanged (control-plane spec A.11)', () => {
  test.each([['v1beta2'], ['v1beta1']] as const)('by %s', (version) => {
    fc.assert(fc.property(server, (original) => {
      const there = through(original, version)
      // What a client of that version sends back has its defaults filled in.
      expect(through(complete(version, there), 'v1beta3')).toEqual(original)
    }))
  })

  test('by v1beta2 and v1beta1', () => {
    fc.assert(fc.property(server, (original) => {
      expect(through(original, 'v1beta2', 'v1beta1', 'v1beta2', 'v1beta3')).toEqual(original)
    }))
  })

  // Where v1beta1 is stored, each client writes and reads another version by it.
  test('whichever version wrote it and whichever reads it', () => {
    fc.assert(fc.property(server, (original) => {
      expect(through(original, 'v1beta1', 'v1beta2', 'v1beta1', 'v1beta3')).toEqual(original)
      expect(through(original, 'v1beta1', 'v1beta2')).toEqual(through(original, 'v1beta2'))
      expect(through(original, 'v1beta1', 'v1beta3', 'v1beta2')).toEqual(through(original, 'v1beta2'))
    }))
  })

  test('and what v1beta2 gives up stays so, whatever an older annotation says', () => {
    const hub = complete('v1beta3', { apiVersion: 'k8s.tars.io/v1beta3', kind: 'TServer', metadata: { name: 'a-b' }, spec: { app: 'A', server: 'B', subType: 'normal', normal: { ports: [] }, k8s: { launcherType: 'foreground', command: ['run'] } } })
    const middle = through(hub, 'v1beta1', 'v1beta2') as ApiObject & { spec: { k8s: object } }
    const changed = { ...middle, spec: { ...middle.spec, k8s: { ...middle.spec.k8s, launcherType: 'background' } } }
    expect(through(changed, 'v1beta1', 'v1beta3')).toMatchObject({ spec: { k8s: { launcherType: 'background', command: ['run'] } } })
  })

  // The API server fills defaults in before it converts what it has stored, and not after.
  test.each(['v1beta1', 'v1beta2'] as const)('and of %s comes up with all that a newer version would have been given', (version) => {
    for (const kindOf of [{ subType: 'normal', normal: {} }, { subType: 'tars', tars: { template: 't' } }]) {
      const old = complete(version, { apiVersion: `k8s.tars.io/${version}`, kind: 'TServer', metadata: { name: 'a-b' }, spec: { app: 'A', server: 'B', ...kindOf, k8s: {} } })
      expect(through(old, 'v1beta3')).toEqual(complete('v1beta3', through(old, 'v1beta3')))
    }
  })

  test('and what only v1beta1 has comes back, too', () => {
    const old = { apiVersion: 'k8s.tars.io/v1beta1', kind: 'TServer', metadata: { name: 'a-b' }, spec: { app: 'A', server: 'B', subType: 'normal', normal: { ports: [] }, k8s: { replicas: 1, readinessGate: 'x', resources: {} }, release: { id: 'v1', image: 'i', source: 's' } } }
    expect(through(old, 'v1beta3', 'v1beta1')).toEqual({ ...old, metadata: { name: 'a-b', annotations: expect.anything() } })
    expect(through(through(old, 'v1beta3', 'v1beta1'), 'v1beta3')).toEqual(through(old, 'v1beta3'))
  })
})

describe('what becomes of fields', () => {
  const hub = complete('v1beta3', { apiVersion: 'k8s.tars.io/v1beta3', kind: 'TServer', metadata: { name: 'a-b' }, spec: { app: 'A', server: 'B', subType: 'tars', tars: { template: 't', servants: [], ports: [] }, k8s: { command: ['run'], readinessGates: ['one', 'two'] } } })

  test('the first gate becomes readinessGate, the rest waits in the annotation', () => {
    const down = through(hub, 'v1beta2') as ApiObject & { spec: { k8s: object } }
    expect(down.spec.k8s).toMatchObject({ readinessGate: 'one' })
    expect(down.spec.k8s).not.toHaveProperty('command')
    expect(JSON.parse(down.metadata.annotations?.['tars.io/Conversion.1b21b3'] ?? '')).toEqual({ append: { command: ['run'], readinessGates: ['two'] }, drop: {} })
  })

  test('empty tars.ports are left out, empty normal.ports stay', () => {
    expect(through(hub, 'v1beta2')).not.toHaveProperty('spec.tars.ports')
    const normal = { apiVersion: 'k8s.tars.io/v1beta1', kind: 'TServer', metadata: { name: 'a-b' }, spec: { normal: {}, k8s: {} } }
    expect(through(normal, 'v1beta3')).toHaveProperty('spec.normal.ports', [])
  })

  test('a spoilt annotation counts as none, and goes', () => {
    const up = through({ apiVersion: 'k8s.tars.io/v1beta2', kind: 'TServer', metadata: { name: 'a-b', annotations: { 'tars.io/Conversion.1b21b3': '{' } }, spec: { k8s: { readinessGate: 'x' } } } as ApiObject, 'v1beta3')
    expect(up).toMatchObject({ apiVersion: 'k8s.tars.io/v1beta3', spec: { k8s: { readinessGates: ['x'] } } })
    expect(up.metadata.annotations).toBeUndefined()
  })
})

describe('what K8SFramework kept in annotations comes back (its TServerConversion1b21b3, TServerConversion1b11b3 and TFCConversion1b21b3)', () => {
  const spec = { app: 'A', server: 'B', subType: 'normal', normal: { ports: [] }, k8s: { readinessGate: 'one' }, release: { id: 'v1', image: 'i' } }
  const kept = (pair: string, append: object) => ({ annotations: { [`tars.io/Conversion.${pair}`]: JSON.stringify({ append, drop: {} }) } })
  const server = (version: Version, metadata: object): ApiObject => complete(version, { apiVersion: `k8s.tars.io/${version}`, kind: 'TServer', metadata: { name: 'a-b', ...metadata }, spec })

  test('of v1beta2', () => {
    expect(through(server('v1beta2', kept('1b21b3', { command: ['run'], args: ['a'], readinessGates: ['two'] })), 'v1beta3')).toMatchObject({ spec: { k8s: { command: ['run'], args: ['a'], readinessGates: ['one', 'two'] } } })
    // Lists that are not there are null in it.
    const plain = through(server('v1beta2', kept('1b21b3', { command: null, args: null, readinessGates: null })), 'v1beta3')
    expect(plain).toEqual(through(server('v1beta2', {}), 'v1beta3'))
  })

  test('of v1beta1', () => {
    const newer = { updateStrategy: { type: 'OnDelete' }, imagePullPolicy: 'Never', launcherType: 'foreground' }
    const node = { nodeImage: 'n', nodeSecret: 's' }
    const append = { ...newer, ...node, command: ['run'], args: null, readinessGates: ['two'] }
    expect(through(server('v1beta1', kept('1b11b3', append)), 'v1beta3')).toMatchObject({ spec: { k8s: { ...newer, command: ['run'], readinessGates: ['one', 'two'] }, release: { id: 'v1', ...node } } })
    expect(through(server('v1beta1', kept('1b11b2', { ...newer, ...node })), 'v1beta2')).toMatchObject({ spec: { k8s: { ...newer, readinessGate: 'one' }, release: node } })
  })

  test('of TFrameworkConfigs', () => {
    const settings = { apiVersion: 'k8s.tars.io/v1beta2', kind: 'TFrameworkConfig', metadata: { name: 'tars-framework', ...kept('1b21b3', { executor: { image: 'x', secret: '' } }) }, imageBuild: { maxBuildTime: 300, idFormat: '' }, imageRegistry: { registry: 'r' } } as ApiObject
    expect(through(settings, 'v1beta3')).toMatchObject({ imageBuild: { executor: { image: 'x', secret: '' } }, imageUpload: { registry: 'r' } })
  })

  test('and what TarsK8S kept by parts of the object, too', () => {
    expect(through(server('v1beta1', kept('1b11b3', { k8s: { command: ['run'] }, release: { nodeImage: 'n' } })), 'v1beta3')).toMatchObject({ spec: { k8s: { command: ['run'] }, release: { nodeImage: 'n' } } })
  })
})

test('TFrameworkConfig keeps idFormat and its own apiVersion', () => {
  const hub = { apiVersion: 'k8s.tars.io/v1beta3', kind: 'TFrameworkConfig', metadata: { name: 'tars-framework' }, imageBuild: { maxBuildTime: 300, idFormat: 'v-%s', executor: { image: 'x' } }, imageUpload: { registry: 'r' }, nodeImage: { image: 'n', injection: 'imageVolume', probes: false }, expand: { a: 'b' } } as ApiObject
  expect(through(hub, 'v1beta2')).toMatchObject({ apiVersion: 'k8s.tars.io/v1beta2', imageRegistry: { registry: 'r' }, imageBuild: { idFormat: 'v-%s' } })
  expect(through(hub, 'v1beta2', 'v1beta3')).toEqual(hub)
  const fromClient = applyDefaults(schemaOf('TFrameworkConfig', 'v1beta2') ?? {}, through(hub, 'v1beta2')) as ApiObject
  expect(through(fromClient, 'v1beta3')).toMatchObject({ nodeImage: { image: 'n', injection: 'imageVolume', probes: false } })
})

test('unknown kinds and versions are not converted', () => {
  expect(convertObject({ apiVersion: 'k8s.tars.io/v1beta3', kind: 'TTree', metadata: { name: 'x' } }, 'v1beta2')).toBeUndefined()
  expect(convertObject({ apiVersion: 'v1', kind: 'TServer', metadata: { name: 'x' } }, 'v1beta2')).toBeUndefined()
  expect(convertObject({ apiVersion: 'k8s.tars.io/v1beta3', kind: 'TFrameworkConfig', metadata: { name: 'x' } }, 'v1beta1')).toBeUndefined()
})
