// What the CRDs refuse by themselves, on an API server without any webhook; and that it is what the webhooks refuse.
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { customResourceDefinitions } from '#api/crds.ts'
import { completeServer } from '#api/default.ts'
import { group } from '#api/names.ts'
import { inVersion, resources } from '#api/resources.ts'
import type { JsonSchema } from '#api/schema/builder.ts'
import { tserverSpec } from '#api/schema/tserver.ts'
import type { TServer } from '#api/types.ts'
import { validateServer } from '#api/validate/tserver.ts'
import { customResourceDefinitions as definitions } from '#kube/resources.ts'
import type { AnyObject, Resource } from '#kube/types.ts'
import { SchemaRules } from '../../../framework/local/apiserver/crd/rules.ts'
import { behaviourCluster, embedded, eventually, installDefinition, remove, type TestCluster } from '../../rig/kube.ts'

let cluster: TestCluster
let namespace: string
const crds = customResourceDefinitions({ served: ['v1beta1', 'v1beta2', 'v1beta3'] }) as unknown as AnyObject[]
beforeAll(async () => {
  cluster = await behaviourCluster()
  for (const crd of crds) await installDefinition(cluster.client, crd)
  namespace = await cluster.namespace()
  for (const resource of Object.values(resources)) await eventually(() => cluster.client.list(resource as never).catch(() => undefined), `${resource.plural} are served`)
})
afterAll(async () => {
  if (cluster !== undefined && !cluster.isOwn) await remove(cluster.client, definitions, ({ metadata }) => metadata.name.endsWith(`.${group}`))
  await cluster?.stop()
})

type Fields = Record<string, unknown>
const server = (spec: Fields = {}, name = 'demo-hello'): Fields => ({ metadata: { name }, spec: { app: 'Demo', server: 'Hello', subType: 'tars', k8s: {}, ...('normal' in spec ? {} : { tars: { template: 't', servants: [] } }), ...spec } })
const servants = (...list: [string, number][]): Fields => ({ tars: { template: 't', servants: list.map(([name, port]) => ({ name, port })) } })
const ports = (servant: [string, number], ...list: [string, number][]): Fields => ({ tars: { template: 't', servants: [{ name: servant[0], port: servant[1] }], ports: list.map(([name, port]) => ({ name, port })) } })
const normal = (...list: [string, number][]): Fields => ({ subType: 'normal', normal: { ports: list.map(([name, port]) => ({ name, port })) } })
const mount = (name: string, source: object = { emptyDir: {} }): object => ({ name, mountPath: `/${name}`, source })
const claim = { persistentVolumeClaimTemplate: { spec: { accessModes: ['ReadWriteOnce'], resources: {} } } }
const config = (fields: Fields = {}, name = 'c'): Fields => ({ metadata: { name }, app: 'Demo', server: 'Hello', configName: 'a.conf', configContent: 'x', version: 'v1', updateTime: '2024-01-01T00:00:00Z', updatePerson: 'me', updateReason: 'why', ...fields })
const account = (username = 'alice'): Fields => ({ metadata: { name: 'a' }, spec: { username, authentication: { bcryptPassword: 'x'.repeat(60) }, authorization: [] } })
const image = (...ids: string[]): Fields => ({ metadata: { name: 'i' }, imageType: 'server', releases: ids.map((id) => ({ id, image: `r/${id}` })) })
const tree = (name: string): Fields => ({ metadata: { name }, apps: [], businesses: [] })

const told = new Set<string>()

async function refusal(resource: Resource, write: () => Promise<unknown>): Promise<string> {
  const error = await write().then(() => undefined, (caught: unknown) => caught)
  expect(error, `${resource.kind} was accepted`).toMatchObject({ status: 422, reason: 'Invalid' })
  for (const { message } of (error as { details: { causes: { message: string }[] } }).details.causes) told.add(message.replace(/^Invalid value: "\w+": /, ''))
  return (error as Error).message
}

const create = (resource: Resource, object: Fields, dryRun = false): Promise<AnyObject> => cluster.client.create(resource, { ...object, metadata: { ...(object['metadata'] as object), namespace } } as never, { dryRun })
const of = (resource: unknown): Resource => resource as Resource

describe('on creation', () => {
  test.each<[string, Resource, Fields, string]>([
    ['a TServer of another name', of(resources.tservers), server({}, 'hello'), 'unexpected resource name'],
    ['a TServer whose name lacks its variant', of(resources.tservers), server({ variant: 'set2' }), 'unexpected resource name'],
    ['a TServer of too long a name', of(resources.tservers), server({ app: 'A'.repeat(30), server: 'B'.repeat(28) }, `${'a'.repeat(30)}-${'b'.repeat(28)}`), 'the length of resource name should be less than 59'],
    ['two servants of one name', of(resources.tservers), server(servants(['Obj', 1], ['oBJ', 2])), 'duplicate servant name value'],
    ['two servants on one port', of(resources.tservers), server(servants(['A', 1], ['B', 1])), 'duplicate port value'],
    ["a servant on tarsnode's port", of(resources.tservers), server(servants(['A', 19385])), 'servants port value should not equal 19385'],
    ["a port that is tarsnode's", of(resources.tservers), server(ports(['A', 1], ['b', 19385])), 'port value should not equal 19385'],
    ['a port named like a servant', of(resources.tservers), server(ports(['A', 1], ['a', 2])), 'duplicate port name value'],
    ['a port that is a servant\'s', of(resources.tservers), server(ports(['A', 1], ['b', 1])), 'duplicate port value'],
    ['two ports of one name', of(resources.tservers), server(ports(['A', 1], ['b', 2], ['b', 3])), 'duplicate port name value'],
    ['two ports on one number', of(resources.tservers), server(ports(['A', 1], ['b', 2], ['c', 2])), 'duplicate port value'],
    ['two ports of a normal server of one name', of(resources.tservers), server(normal(['b', 2], ['b', 3])), 'duplicate port name value'],
    ['two ports of a normal server on one number', of(resources.tservers), server(normal(['b', 2], ['c', 2])), 'duplicate port value'],
    ['a host port to nowhere', of(resources.tservers), server({ ...servants(['A', 1]), k8s: { hostPorts: [{ nameRef: 'B', port: 1 }] } }), 'port name not exist'],
    ['two host ports for one servant', of(resources.tservers), server({ ...servants(['A', 1]), k8s: { hostPorts: [{ nameRef: 'A', port: 1 }, { nameRef: 'a', port: 2 }] } }), 'duplicate nameRef value'],
    ['one host port twice', of(resources.tservers), server({ ...servants(['A', 1], ['B', 2]), k8s: { hostPorts: [{ nameRef: 'A', port: 1 }, { nameRef: 'b', port: 1 }] } }), 'duplicate port value'],
    ['one volume name twice', of(resources.tservers), server({ k8s: { mounts: [mount('v'), mount('v')] } }), 'duplicate .mounts.name value'],
    ['a local volume in a DaemonSet', of(resources.tservers), server({ k8s: { daemonSet: true, mounts: [mount('v', { tLocalVolume: {} })] } }), 'can not use TLocalVolume when .daemonSet value is true'],
    ['a claim in a DaemonSet', of(resources.tservers), server({ k8s: { daemonSet: true, mounts: [mount('v', claim)] } }), 'can not use PersistentVolumeClaimTemplate when .daemonSet value is true'],
    ['a DaemonSet that is scaled', of(resources.tservers), server({ k8s: { daemonSet: true, autoscaling: { maxReplicas: 2, cpu: 50 } } }), 'can not use .autoscaling when .daemonSet value is true'],
    ['an autoscaler whose bounds cross', of(resources.tservers), server({ k8s: { autoscaling: { minReplicas: 3, maxReplicas: 2, cpu: 50 } } }), 'minReplicas is more than maxReplicas'],
    ['an autoscaler without a metric', of(resources.tservers), server({ k8s: { autoscaling: { maxReplicas: 2, metrics: [] } } }), 'no metric'],
    ["a sidecar named like tarsnode's", of(resources.tservers), server({ k8s: { sidecars: [{ name: 'tarsnode', image: 'x' }] } }), 'sidecar name is taken'],
    ['two sidecars of one name', of(resources.tservers), server({ k8s: { sidecars: [{ name: 'a', image: 'x' }, { name: 'a', image: 'y' }] } }), 'duplicate sidecar name value'],
    ['129 servants', of(resources.tservers), server(servants(...Array.from({ length: 129 }, (_, index): [string, number] => [`A${index}`, index + 1]))), 'must have at most 128 items'],
    ['a file of an application for one pod', of(resources.tconfigs), config({ server: '', podSeq: '1' }), 'app level tconfig does not support master/slave'],
    ['a TTree of another name', of(resources.ttrees), tree('forest'), 'create ttree operation is defined'],
    ['a TImage with one release twice', of(resources.timages), image('v1', 'v2', 'v1'), 'duplicate release id'],
  ])('%s is refused', async (_what, resource, object, text) => {
    expect(await refusal(resource, () => create(resource, object))).toContain(text)
  })

  test.each<[string, Resource, Fields]>([
    ['servants, ports and host ports that differ', of(resources.tservers), server({ ...ports(['Obj', 1], ['web', 2]), k8s: { hostPorts: [{ nameRef: 'obj', port: 3 }, { nameRef: 'WEB', port: 2 }], mounts: [mount('a'), mount('b', { tLocalVolume: {} })] } })],
    ['128 servants, each on a host port', of(resources.tservers), server({ ...servants(...Array.from({ length: 128 }, (_, index): [string, number] => [`A${index}${'x'.repeat(55)}`, index + 1])), k8s: { hostPorts: Array.from({ length: 128 }, (_, index) => ({ nameRef: `a${index}${'X'.repeat(55)}`, port: index + 1 })) } })],
    ["a normal server on tarsnode's port, with a host port", of(resources.tservers), server({ ...normal(['nodeobj', 19385]), k8s: { daemonSet: true, hostPorts: [{ nameRef: 'nodeObj', port: 1 }] } })],
    ['a server with sidecars', of(resources.tservers), server({ k8s: { sidecars: [{ name: 'a', image: 'x', volumeMounts: [{ name: 'v', mountPath: '/v' }] }, { name: 'b', image: 'x', restartPolicy: 'Always' }] } })],
    ['a server that is scaled by load', of(resources.tservers), server({ k8s: { autoscaling: { maxReplicas: 1, metrics: [{ type: 'Pods' }], behavior: { scaleUp: {} } } } })],
    ['a hyphen in the server', of(resources.tservers), server({ app: 'DCache', server: 'TestKVCacheServer1-1' }, 'dcache-testkvcacheserver1-1')],
    ['a further TServer of a server', of(resources.tservers), server({ variant: 'set2' }, 'demo-hello-set2')],
    ['subType tars with normal', of(resources.tservers), server({ ...normal(), subType: 'tars' })],
    ['a file of an application', of(resources.tconfigs), config({ server: '' })],
    ['120 releases', of(resources.timages), image(...Array.from({ length: 120 }, (_, index) => `v${index}`))],
    ['the tree', of(resources.ttrees), tree('tars-tree')],
  ])('%s is accepted', async (_what, resource, object) => {
    await create(resource, object, true)
  })

  test.each(['v1beta1', 'v1beta2'] as const)('the rules are those of %s, too', async (version) => {
    const old = inVersion(resources.tservers, version) as unknown as Resource
    expect(await refusal(old, () => create(old, server({ ...servants(['A', 1], ['a', 19385]), k8s: { hostPorts: [{ nameRef: 'B', port: 1 }] } }, 'hello')))).toMatch(/unexpected resource name.*port name not exist.*duplicate servant name.*19385/)
  })
})

describe('on change', () => {
  const patch = (resource: Resource, name: string, change: Fields): Promise<AnyObject> => cluster.client.patch(resource, { namespace, name }, change)
  beforeAll(async () => {
    await create(of(resources.tservers), server())
    await create(of(resources.tconfigs), config())
    await create(of(resources.taccounts), account())
  })

  test.each<[string, Fields, string]>([
    ['application', { spec: { app: 'DEMO' } }, 'tserver resource filed ".spec.app" is immutable'],
    ['server', { spec: { server: 'HELLO' } }, 'tserver resource filed ".spec.server" is immutable'],
    ['subType', { spec: { subType: 'normal' } }, 'tserver resource filed ".spec.subType" is immutable'],
    ['variant', { spec: { variant: 'set2' } }, 'tserver resource filed ".spec.variant" is immutable'],
    ['kind', { spec: { tars: null, normal: { ports: [] } } }, 'tserver resource filed ".spec.normal" is immutable'],
  ])('the %s of a TServer stays', async (_what, change, text) => {
    expect(await refusal(of(resources.tservers), () => patch(of(resources.tservers), 'demo-hello', change))).toContain(text)
  })
  test('a normal TServer stays one', async () => {
    await create(of(resources.tservers), server({ ...normal(), server: 'Plain' }, 'demo-plain'))
    expect(await refusal(of(resources.tservers), () => patch(of(resources.tservers), 'demo-plain', { spec: { normal: null, tars: { template: 't', servants: [] } } }))).toContain('tserver resource filed ".spec.tars" is immutable')
  })
  test.each<[string, unknown]>([
    ['app', 'Other'], ['server', 'Other'], ['set', 'a.b.c'], ['references', ['common.conf']], ['podSeq', '1'], ['configName', 'b.conf'], ['configContent', 'y'], ['version', 'v2'], ['version', null], ['updateTime', '2024-01-02T00:00:00Z'], ['updatePerson', 'you'], ['updateReason', null],
  ])('%s of a TConfig does not become %s', async (field, value) => {
    expect(await refusal(of(resources.tconfigs), () => patch(of(resources.tconfigs), 'c', { [field]: value }))).toContain(`tconfig resource filed ".${field}" is immutable`)
  })
  test('a TAccount stays that of its user', async () => {
    expect(await refusal(of(resources.taccounts), () => patch(of(resources.taccounts), 'a', { spec: { username: 'bobby' } }))).toContain('taccount resource filed ".spec.username" is immutable')
  })
  test('all else may change', async () => {
    await patch(of(resources.tservers), 'demo-hello', { metadata: { labels: { a: 'b' } }, spec: { important: 4, tars: { servants: [{ name: 'A', port: 1 }] }, k8s: { replicas: 2 } } })
    await patch(of(resources.tconfigs), 'c', { activated: false })
    await patch(of(resources.taccounts), 'a', { spec: { authentication: { activated: true } } })
  })
})

test('every rule of the CRDs was broken above', () => {
  const messages = (schema: JsonSchema): string[] => [...(schema['x-kubernetes-validations'] ?? []).map(({ message }) => message), ...Object.values(schema.properties ?? {}).flatMap(messages), ...(schema.items === undefined ? [] : messages(schema.items))]
  const rules = new Set(crds.flatMap((crd) => (crd['spec'].versions as { schema: { openAPIV3Schema: JsonSchema } }[]).flatMap(({ schema }) => messages(schema.openAPIV3Schema))))
  expect([...rules].filter((message) => !told.has(message))).toEqual([])
})

// Needs no API server at all.
if (embedded) describe('rules and webhooks', () => {
  const rules = new SchemaRules(tserverSpec.json as object)
  const item = fc.record({ name: fc.constantFrom('a', 'A', 'b', 'c'), port: fc.constantFrom(1, 2, 3, 19385) })
  const some = fc.record({
    servants: fc.array(item, { maxLength: 3 }), ports: fc.option(fc.array(item, { maxLength: 3 }), { nil: undefined }), isNormal: fc.boolean(), daemonSet: fc.boolean(),
    hostPorts: fc.array(fc.record({ nameRef: fc.constantFrom('a', 'A', 'B', 'x'), port: fc.constantFrom(1, 2) }), { maxLength: 3 }),
    mounts: fc.array(fc.record({ name: fc.constantFrom('v', 'w', 'V'), source: fc.constantFrom<object>({ emptyDir: {} }, { tLocalVolume: { uid: '0', gid: '0', mode: '755' } }, claim) }), { maxLength: 3 }),
  }).map(({ servants: list, ports: more, isNormal, ...k8s }): TServer => completeServer({ name: 'demo-hello', namespace: 'ns' }, {
    app: 'Demo', server: 'Hello', subType: isNormal ? 'normal' : 'tars', k8s: { ...k8s, mounts: k8s.mounts.map((entry) => ({ ...entry, mountPath: '/v' })) },
    ...(isNormal ? { normal: { ports: more ?? [] } } : { tars: { template: 't', servants: list, ...(more === undefined ? {} : { ports: more }) } }),
  } as never))
  /** What is wrong, without the value that is. */
  const reasons = (texts: readonly string[]): string[] => [...new Set(texts.map((text) => (/ : (.+?); field/.exec(text)?.[1] ?? text).replace(/ value \S+$/, ' value').replace(/^port name \S+ not exist$/, 'port name not exist')))].toSorted()

  test('say the same of any TServer', () => {
    const kinds = new Set<string>()
    fc.assert(fc.property(some, (object) => {
      const problems = validateServer(object)
      const broken = rules.check(object.spec, undefined, () => {})
      const [expected, found] = [reasons(problems.map(({ message, field }) => `${message}; field ${field}`)), reasons(broken.map(({ message }) => message))]
      expect(found).toEqual(expected)
      for (const reason of found) kinds.add(reason)
    }), { numRuns: 3000 })
    expect(kinds.size).toBeGreaterThanOrEqual(9)
  })
})
