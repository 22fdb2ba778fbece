// Every refusal of the webhooks: its known text, the field, the rule and the remedy. Sections are of the control-plane spec.
import { describe, expect, test } from 'vitest'
import { frameworkTemplates } from '#api/seed/templates.ts'
import { mutateConfig } from '#api/mutate/tconfig.ts'
import type { ApiObject, TConfig, TFrameworkConfig, TServer, TServerSpec, TTemplate, TTree } from '#api/types.ts'
import { completeFramework, type Sparse } from '#api/default.ts'
import type { AdmissionRequest } from '#kube/admission.ts'
import { validate } from '../../framework/controller/webhook/admit.ts'
import { memoryReaders } from './memory-readers.ts'
import { normalServer, tarsServer } from './fixtures.ts'

const now = Date.parse('2024-06-01T12:00:00Z')
const templates = frameworkTemplates('ns', [])
const human = 'alice'
const controller = 'system:serviceaccount:tars-system:tars-controller'
const plurals: Record<string, string> = { TServer: 'tservers', TConfig: 'tconfigs', TTemplate: 'ttemplates', TTree: 'ttrees', StatefulSet: 'statefulsets', Service: 'services', TFrameworkConfig: 'tframeworkconfigs' }

interface Attempt { object?: ApiObject; old?: ApiObject; world?: readonly ApiObject[]; user?: string }

async function verdict({ object, old, world = [], user = human }: Attempt) {
  const subject = object ?? old
  if (subject === undefined) throw new Error('nothing to judge')
  const [group = '', version = ''] = subject.apiVersion.includes('/') ? subject.apiVersion.split('/') : ['', subject.apiVersion]
  const request = {
    uid: 'r', kind: { group, version, kind: subject.kind }, resource: { group, version, resource: plurals[subject.kind] ?? '' }, name: subject.metadata.name, namespace: 'ns',
    operation: object === undefined ? 'DELETE' : old === undefined ? 'CREATE' : 'UPDATE', userInfo: { username: user }, object: object ?? null, oldObject: old ?? null,
  } satisfies AdmissionRequest
  const { allowed, status } = await validate(request, memoryReaders([...templates, ...world]), { now: () => now })
  return allowed ? 'allowed' : (status?.message ?? '')
}

const servants = (...list: [string, number][]) => list.map(([name, port]) => ({ name, port }))
const withServants = (...list: [string, number][]): TServer => tarsServer({ tars: { template: 'tars.default', servants: servants(...list) } })
const withK8S = (k8s: Sparse<TServerSpec>['k8s']): TServer => tarsServer({ k8s: k8s as NonNullable<typeof k8s> })
const renamed = (server: TServer, name: string): TServer => ({ ...server, metadata: { ...server.metadata, name } })
const emptyDir = { emptyDir: {} }

describe('TServer (B.2)', () => {
  test.each<[string, TServer, string, string]>([
    ['another name', renamed(tarsServer(), 'hello'), 'tserver resource is invalid : unexpected resource name', 'metadata.name'],
    ['a name of 59 characters', tarsServer({ app: 'A'.repeat(30), server: 'B'.repeat(28) }, { name: `${'a'.repeat(30)}-${'b'.repeat(28)}` }), 'the length of resource name should be less than 59', 'metadata.name'],
    ['a name too long for a StatefulSet', tarsServer({ app: 'A'.repeat(30), server: 'B'.repeat(22) }, { name: `${'a'.repeat(30)}-${'b'.repeat(22)}` }), 'the length of resource name should be at most 52', 'metadata.name'],
    ['a label of nodes that none can have', tarsServer({ app: 'A'.repeat(25), server: 'B'.repeat(26), k8s: { abilityAffinity: 'ServerRequired' } }, { name: `${'a'.repeat(25)}-${'b'.repeat(26)}`, namespace: 'ns1' }), `no node can have the label tars.io/ability.ns1.${'A'.repeat(25)}-${'B'.repeat(26)}`, 'spec.k8s.abilityAffinity'],
    ['servant port 19385', withServants(['A', 19385]), 'servants port value should not equal 19385', 'spec.tars.servants[0].port'],
    ['servant port 1000', withServants(['A', 1000]), 'servants port value should not equal 1000', 'spec.tars.servants[0].port'],
    ['servant port 19386', withServants(['A', 19386]), 'servants port value should not equal 19386', 'spec.tars.servants[0].port'],
    ['servant port 19387', withServants(['A', 19387]), 'servants port value should not equal 19387', 'spec.tars.servants[0].port'],
    ['port 19385', tarsServer({ tars: { template: 'tars.default', servants: [], ports: [{ name: 'x', port: 19385 }] } }), 'port value should not equal 19385', 'spec.tars.ports[0].port'],
    ['two servants of one name', withServants(['Obj', 1], ['oBJ', 2]), 'duplicate servant name value oBJ', 'spec.tars.servants[1].name'],
    ['two servants on one port', withServants(['A', 8000], ['B', 8000]), 'duplicate port value 8000', 'spec.tars.servants[1].port'],
    ['a port named like a servant', tarsServer({ tars: { template: 'tars.default', servants: servants(['A', 1]), ports: [{ name: 'a', port: 2 }] } }), 'duplicate port name value a', 'spec.tars.ports[0].name'],
    ['two ports on one number', normalServer({ normal: { ports: [{ name: 'a', port: 1 }, { name: 'b', port: 1 }] } }), 'duplicate port value 1', 'spec.normal.ports[1].port'],
    ['an unknown template', tarsServer({ tars: { template: 'nowhere', servants: [] } }), 'ttemplate ns/nowhere not exists', 'spec.tars.template'],
    ['a host port to nowhere', withK8S({ hostPorts: [{ nameRef: 'x', port: 1 }] }), 'port name x not exist', 'spec.k8s.hostPorts[0].nameRef'],
    ['two host ports for one servant', withK8S({ hostPorts: [{ nameRef: 'HelloObj', port: 1 }, { nameRef: 'helloobj', port: 2 }] }), 'duplicate nameRef value helloobj', 'spec.k8s.hostPorts[1].nameRef'],
    ['one volume name twice', withK8S({ mounts: [{ name: 'v', mountPath: '/a', source: emptyDir }, { name: 'v', mountPath: '/b', source: emptyDir }] }), 'duplicate .mounts.name value v', 'spec.k8s.mounts[1].name'],
    ['a local volume in a DaemonSet', withK8S({ daemonSet: true, mounts: [{ name: 'v', mountPath: '/a', source: { tLocalVolume: {} } }] }), 'can not use TLocalVolume when .daemonSet value is true', 'spec.k8s.mounts[0].source.tLocalVolume'],
    ['a sidecar named like the server', withK8S({ sidecars: [{ name: 'demo-hello', image: 'x' }] }), 'sidecar name is taken', 'spec.k8s.sidecars[0].name'],
    ['two sidecars of one name', withK8S({ sidecars: [{ name: 'a', image: 'x' }, { name: 'a', image: 'y' }] }), 'duplicate sidecar name value a', 'spec.k8s.sidecars[1].name'],
    ['a replica bound in words', tarsServer({}, { annotations: { 'tars.io/MinReplicas': 'two' } }), 'unexpected annotation format', 'metadata.annotations["tars.io/MinReplicas"]'],
    ['replica bounds that cross', tarsServer({}, { annotations: { 'tars.io/MinReplicas': '3', 'tars.io/MaxReplicas': '2' } }), 'unexpected annotation value', 'metadata.annotations["tars.io/MinReplicas"]'],
  ])('%s', async (_what, object, text, field) => {
    const message = await verdict({ object })
    expect(message).toContain(text)
    expect(message).toMatch(new RegExp(`; field ${field.replaceAll(/[[\].]/g, '\\$&')}: .+; remedy: .+`))
  })

  test.each<[string, TServer, string]>([
    ['app', tarsServer({ app: 'Other' }), '.spec.app'],
    ['server', tarsServer({ server: 'HELLO' }), '.spec.server'],
    ['subType', tarsServer({ subType: 'normal' }), '.spec.subType'],
    ['kind', normalServer({ app: 'Demo', server: 'Hello', subType: 'tars' }, { name: 'demo-hello' }), '.spec.normal'],
  ])('%s cannot change', async (_what, object, field) => {
    expect(await verdict({ object, old: tarsServer() })).toContain(`tserver resource filed "${field}" is immutable`)
  })

  test.each<[string, TServer]>([
    ['a DaemonSet of a long name', tarsServer({ app: 'A'.repeat(30), server: 'B'.repeat(27), k8s: { daemonSet: true } }, { name: `${'a'.repeat(30)}-${'b'.repeat(27)}` })],
    ['the longest name of a StatefulSet', tarsServer({ app: 'A'.repeat(25), server: 'B'.repeat(26) }, { name: `${'a'.repeat(25)}-${'b'.repeat(26)}` })],
    ['the longest label that nodes can have', tarsServer({ app: 'A'.repeat(25), server: 'B'.repeat(26), k8s: { abilityAffinity: 'ServerRequired' } }, { name: `${'a'.repeat(25)}-${'b'.repeat(26)}` })],
  ])('%s is fine', async (_what, object) => {
    expect(await verdict({ object })).toBe('allowed')
  })

  test('what it had before is not held against another change; what it gets now is', async () => {
    const old = withServants(['A', 19386])
    expect(await verdict({ object: { ...old, metadata: { ...old.metadata, annotations: { a: 'b' } } }, old, world: templates })).toBe('allowed')
    expect(await verdict({ object: withServants(['A', 19386], ['B', 19387]), old, world: templates })).toMatch(/^[^\n]*servants port value should not equal 19387[^\n]*$/)
  })

  test('several problems are told at once', async () => {
    expect((await verdict({ object: renamed(withServants(['A', 19385], ['A', 19385]), 'x') })).split('\n')).toHaveLength(5)
  })

  test.each<[string, TServer]>([
    ['a good one', tarsServer()],
    ['servant nodeobj (since 1.2.5)', withServants(['nodeobj', 8000])],
    ['port 19385 and nodeobj of a normal server', normalServer({ normal: { ports: [{ name: 'nodeobj', port: 19385 }] } })],
    ['subType tars with normal', normalServer({ subType: 'tars' })],
  ])('%s is accepted', async (_what, object) => {
    expect(await verdict({ object })).toBe('allowed')
  })

  test('one that is being deleted may lose its finalizers although its template is gone', async () => {
    const old = tarsServer({ tars: { template: 'gone', servants: [] } }, { deletionTimestamp: '2024-01-01T00:00:00Z' })
    expect(await verdict({ object: old, old })).toBe('allowed')
  })
})

const config = (fields: Partial<TConfig> = {}, metadata: Partial<TConfig['metadata']> = {}): TConfig => mutateConfig({
  apiVersion: 'k8s.tars.io/v1beta3', kind: 'TConfig', metadata: { name: 'c1', namespace: 'ns', creationTimestamp: '2024-06-01T11:00:00Z', ...metadata },
  app: 'Demo', server: 'Hello', configName: 'a.conf', configContent: 'x', podSeq: 'm', activated: true, ...fields,
}, new Date(now - 3_600_000))

describe('TConfig (B.3)', () => {
  const master = config()
  const slave = config({ podSeq: '1' }, { name: 's1' })
  const newer = mutateConfig({ ...config({}, { name: 'c2' }) }, new Date(now))

  test.each<[string, Attempt, string]>([
    ['transient label', { object: { ...master, metadata: { ...master.metadata, labels: { 'tars.io/Deleting': 'Deleting' } } } as ApiObject }, 'unexpected label tars.io/Deleting'],
    ['slave of an application file', { object: config({ server: '', podSeq: '1' }) }, 'app level tconfig does not support master/slave'],
    ['slave without master', { object: slave }, 'no activated master tconfig found'],
    ['other content', { object: { ...master, configContent: 'y' } as ApiObject, old: master }, 'tconfig resource filed ".configContent" is immutable'],
    ['deactivation by hand', { object: { ...master, activated: false } as ApiObject, old: master, world: [master] }, 'tconfig resource filed ".activated" is immutable'],
    ['deletion within the guard time', { old: config({}, { creationTimestamp: '2024-06-01T11:59:30Z' }) }, 'tconfig during deletion guard time(48s)'],
    ['deletion of a master with slaves', { old: master, world: [master, slave] }, 'referenced by another tconfig'],
  ])('%s', async (_what, attempt, text) => {
    expect(await verdict(attempt)).toContain(text)
  })

  test.each<[string, Attempt]>([
    ['a master', { object: master }],
    ['a slave of a master', { object: slave, world: [master] }],
    ['activation of an older version', { object: master, old: { ...master, activated: false } as ApiObject }],
    ['deactivation of a replaced version', { object: { ...master, activated: false } as ApiObject, old: master, world: [master, newer] }],
    ['deletion of an inactive version', { old: config({ activated: false }, { creationTimestamp: '2024-06-01T11:59:59Z' }) }],
    ['deletion of a lone master', { old: master, world: [master] }],
    ['deletion by the namespace controller', { old: master, world: [master, slave], user: 'system:serviceaccount:kube-system:namespace-controller' }],
  ])('%s is accepted', async (_what, attempt) => {
    expect(await verdict(attempt)).toBe('allowed')
  })
})

const template = (name: string, parent: string): TTemplate => ({ apiVersion: 'k8s.tars.io/v1beta3', kind: 'TTemplate', metadata: { name, namespace: 'ns' }, spec: { content: '', parent } })

describe('TTemplate (B.4)', () => {
  test.each<[string, Attempt, string]>([
    ['no parent', { object: template('a', '') }, 'value of .spec.parent should not be empty'],
    ['an unknown parent', { object: template('a', 'b') }, 'ttemplate ns/b not exists'],
    ['a cycle', { object: template('a', 'c'), old: template('a', 'a'), world: [template('b', 'a'), template('c', 'b')] }, 'a -> c -> b -> a would never reach a root'],
    ['deletion of a parent', { old: templates[0] as ApiObject }, 'cannot delete ttemplate ns/tars.default, because it is reference by some ttemplate'],
    ['deletion of a used one', { old: template('t', 'tars.default'), world: [{ ...tarsServer({}, { labels: { 'tars.io/Template': 't' } }) }] }, 'reference by some tserver'],
  ])('%s', async (_what, attempt, text) => {
    expect(await verdict(attempt)).toContain(text)
  })

  test.each<[string, Attempt]>([
    ['a root', { object: template('a', 'a') }],
    ['a child', { object: template('a', 'tars.default') }],
    ['deletion of an unused one', { old: template('a', 'tars.default') }],
  ])('%s is accepted', async (_what, attempt) => {
    expect(await verdict(attempt)).toBe('allowed')
  })
})

describe('configuration text', () => {
  const withProfile = (profile: string): TServer => tarsServer({ tars: { template: 'tars.default', servants: [], profile } })
  const withContent = (content: string, parent = 'a'): TTemplate => ({ ...template('a', 'a'), spec: { content, parent } })
  const broken: [string, string, string][] = [
    ['a domain that is not closed', '<tars>\n<unclosed>', 'line 2: the domain is never closed: <unclosed>; remedy: add a line </unclosed>'],
    ['a line of another domain', '<tars>\n</rats>', 'line 2: </rats> does not close the open domain <tars>'],
    ['a value that cannot be written again', '# <\n<tars>\n  x=a<b\n</tars>', 'line 3: "a<b" holds "<" or ">"'],
  ]

  test.each(broken)('%s is refused in a profile and in a template', async (_what, text, why) => {
    for (const [object, old, field] of [[withProfile(text), withProfile('<tars>\n</tars>'), 'spec.tars.profile'], [withContent(text), withContent(''), 'spec.content']] as const) {
      expect(await verdict({ object })).toContain(`value is not configuration text; field ${field}: ${why}`)
      expect(await verdict({ object, old })).toContain(`value is not configuration text; field ${field}: ${why}`)
    }
  })

  test.each(broken)('%s that was stored before does not stop other changes', async (_what, text) => {
    expect(await verdict({ object: { ...withProfile(text), metadata: { ...withProfile(text).metadata, annotations: { a: 'b' } } }, old: withProfile(text) })).toBe('allowed')
    expect(await verdict({ object: withContent(text, 'tars.default'), old: withContent(text) })).toBe('allowed')
    expect(await verdict({ object: withProfile('<tars>\n  x=1\n</tars>'), old: withProfile(text) })).toBe('allowed')
  })

  test('the templates of the framework are configuration text', async () => {
    for (const object of templates) expect(await verdict({ object })).toBe('allowed')
  })
})

const tree = (apps: [string, string][], businesses: string[], name = 'tars-tree'): TTree => ({
  apiVersion: 'k8s.tars.io/v1beta3', kind: 'TTree', metadata: { name, namespace: 'ns' },
  apps: apps.map(([app, businessRef]) => ({ name: app, businessRef })), businesses: businesses.map((business) => ({ name: business, show: business, weight: 3 })),
})

describe('TTree (B.5)', () => {
  const server = tarsServer({}, { labels: { 'tars.io/ServerApp': 'Demo' } })
  test.each<[string, Attempt, string]>([
    ['another name', { object: tree([], [], 'forest') }, 'create ttree operation is defined'],
    ['a second tree', { object: tree([], []), world: [tree([], [])] }, 'create ttree operation is defined'],
    ['one business twice', { object: tree([], ['a1', 'a1']) }, 'duplicate business name'],
    ['one application twice', { object: tree([['Demo', ''], ['Demo', '']], []) }, 'duplicate app name'],
    ['an unknown business', { object: tree([['Demo', 'x1']], []) }, 'business/x1 not exist'],
    ['loss of a used application', { object: tree([], []), old: tree([['Demo', '']], []), world: [server] }, 'still referenced by some tserver'],
    ['deletion', { old: tree([], []) }, 'delete ttree operation is defined'],
  ])('%s', async (_what, attempt, text) => {
    expect(await verdict(attempt)).toContain(text)
  })

  test('an unused application may go', async () => {
    expect(await verdict({ object: tree([], []), old: tree([['Demo', '']], []) })).toBe('allowed')
  })
})

describe('TFrameworkConfig', () => {
  const settings = (nodeImage: Sparse<TFrameworkConfig>['nodeImage']): TFrameworkConfig => completeFramework({ name: 'tars-framework', namespace: 'ns' }, { imageUpload: { registry: 'r' }, ...(nodeImage === undefined ? {} : { nodeImage }) })

  test('an image volume needs an image', async () => {
    for (const old of [undefined, settings(undefined)]) {
      expect(await verdict({ object: settings({ image: '', injection: 'imageVolume' }), ...(old === undefined ? {} : { old }) })).toContain('tframeworkconfig resource is invalid : unexpected image value; field nodeImage.image: injection imageVolume mounts an image, and none is named; remedy: name the image')
    }
    expect(await verdict({ object: settings({ image: 'r/node:1', injection: 'imageVolume' }) })).toBe('allowed')
  })

  test('without an image to copy the baked tarsnode runs, as ever', async () => {
    expect(await verdict({ object: settings({ image: '' }) })).toBe('allowed')
    expect(await verdict({ object: settings(undefined) })).toBe('allowed')
  })
})

describe('workloads (B.8)', () => {
  const service = (port: number): ApiObject => ({
    apiVersion: 'v1', kind: 'Service', metadata: { name: 'demo-hello', namespace: 'ns', labels: { 'tars.io/ServerApp': 'Demo', 'tars.io/ServerName': 'Hello' } },
    spec: { type: 'ClusterIP', clusterIP: 'None', sessionAffinity: 'None', publishNotReadyAddresses: true, selector: { 'tars.io/ServerApp': 'Demo', 'tars.io/ServerName': 'Hello' }, ports: [{ name: 'helloobj', port, targetPort: port, protocol: 'TCP' }] },
  }) as ApiObject

  test('only the controller creates them', async () => {
    expect(await verdict({ object: service(8000) })).toContain('only use authorized account can create service')
    expect(await verdict({ object: service(8000), user: controller })).toBe('allowed')
  })

  test('a change that the TServer contradicts is refused, any other is not', async () => {
    expect(await verdict({ object: service(9), old: service(8000), world: [tarsServer()] })).toContain('resource should be modified through tserver')
    expect(await verdict({ object: service(8000), old: service(8000), world: [tarsServer()] })).toBe('allowed')
  })
})
