// Groups, stations, sets, weights and traffic: the tables of framework-services 1.2 to 1.6, row by row.
import { describe, expect, test } from 'vitest'
import { completeFramework, type Sparse } from '#api/default.ts'
import { groupId } from '#api/topology.ts'
import type { TEndpoint, TFrameworkConfig } from '#api/types.ts'
import { Directory, type Caller } from '../../framework/registry/model/directory.ts'
import type { PodObject } from '../../framework/registry/model/pod-state.ts'
import type { ServantView } from '../../framework/registry/model/views.ts'

type Tars = Sparse<NonNullable<TEndpoint['spec']['tars']>>
interface Facts {
  readonly instances?: Tars['instances']
  readonly servant?: object
  readonly framework?: Sparse<Omit<TFrameworkConfig, 'apiVersion' | 'kind' | 'metadata'>>
  /** Ordinals of pods that are not active. */
  readonly down?: readonly number[]
  /** Ordinals of pods on machines that Kubernetes hears nothing of. */
  readonly lost?: readonly number[]
  readonly pods?: number
  readonly variant?: boolean
}

/** Node of each pod: two pods a zone, zones a and b in region north, c in south; the seventh pod is nowhere. */
const zones = ['a', 'a', 'b', 'b', 'c', 'c']
const regions: Readonly<Record<string, string>> = { a: 'north', b: 'north', c: 'south' }

function endpointOf(name: string, variant: string | undefined, tars: object): TEndpoint {
  return { apiVersion: 'x', kind: 'TEndpoint', metadata: { name }, spec: { app: 'A', server: 'B', subType: 'tars', ...(variant === undefined ? {} : { variant }), tars } } as unknown as TEndpoint
}

function podOf(owner: string, ordinal: number, active: boolean, more: Partial<PodObject['metadata']> = {}): PodObject {
  const variant = owner === 'a-b' ? {} : { 'tars.io/ServerVariant': owner.slice('a-b-'.length) }
  return {
    metadata: { name: `${owner}-${ordinal}`, labels: { 'tars.io/ServerApp': 'A', 'tars.io/ServerName': 'B', ...variant }, ...more },
    spec: { nodeName: `node-${zones[ordinal] ?? 'none'}` },
    status: { phase: 'Running', podIP: `10.0.${owner === 'a-b' ? 0 : 1}.${ordinal}`, conditions: [{ type: 'tars.io/active', status: active ? 'True' : 'False', reason: `Active/${active ? 'Active' : 'Inactive'}/1` }] },
  }
}

/** As the node lifecycle controller of Kubernetes leaves it. */
const lostPod = (pod: PodObject): PodObject => ({ ...pod, status: { ...pod.status, conditions: [...(pod.status?.conditions ?? []), { type: 'Ready', status: 'False' }] } })

function directoryOf({ instances = [], servant = {}, framework = {}, down = [], lost = [], pods = 6, variant = false }: Facts): Directory<ServantView> {
  const directory = new Directory<ServantView>({ hostForm: 'dns', prepare: (view) => view })
  directory.setFrameworkConfig(completeFramework({ name: 'tars-framework' }, { imageUpload: { registry: 'r' }, ...framework }))
  for (const zone of ['a', 'b', 'c', 'd']) {
    directory.setNode({ metadata: { name: `node-${zone}`, labels: { 'topology.kubernetes.io/zone': zone, 'topology.kubernetes.io/region': regions[zone] ?? '' } }, status: { addresses: [{ type: 'InternalIP', address: `192.168.0.${zone.charCodeAt(0)}` }] } })
  }
  const servants = [{ name: 'Obj', port: 9, isTcp: true, timeout: 1, ...servant }]
  directory.setEndpoint(endpointOf('a-b', undefined, { servants, instances }))
  if (variant) directory.setEndpoint(endpointOf('a-b-far', 'far', { servants: [{ ...servants[0], port: 10 }], instances: [{ set: 'x.y.far' }] }))
  for (let ordinal = 0; ordinal < pods; ordinal++) directory.setPod(lost.includes(ordinal) ? lostPod(podOf('a-b', ordinal, !down.includes(ordinal))) : podOf('a-b', ordinal, !down.includes(ordinal)))
  if (variant) directory.setPod(podOf('a-b-far', 0, true))
  return directory
}

/** `0 2 | 1`: ordinals of the active ones, then of the others; a variant's with a sign. */
function shown(view: ServantView | undefined): string | undefined {
  if (view === undefined) return undefined
  const names = (list: ServantView['active']): string => list.map(({ host }) => host.split('.')[0]?.replace('a-b-far-', '+').replace('a-b-', '') ?? '').join(' ')
  return `${names(view.active)} | ${names(view.inactive)}`.trim()
}

const everyone = { enableGroup: true } as const
const at = (ordinal: number): Caller => ({ name: `a-b-${ordinal}.a-b`, address: '' })
const from = (address: string): Caller => ({ name: address, address })
const enabled = { topology: everyone } as const

describe('findObjectByIdInSameGroup and findObjectById4All', () => {
  const rows: readonly (readonly [section: string, what: string, facts: Facts, caller: Caller, expected: string])[] = [
    ['1.3', 'groups off: all, for whoever asks', {}, at(0), '0 1 2 3 4 5 |'],
    ['1.3 (1)', 'the own group, by the zone of the caller\'s node', { framework: enabled }, at(2), '2 3 |'],
    ['1.3 (1)', 'its inactive ones are of the same choice', { framework: enabled, down: [3, 5] }, at(2), '2 | 3'],
    ['1.3 (2)', 'none active there: the zones of the same region', { framework: enabled, down: [2, 3] }, at(2), '0 1 | 2 3'],
    ['1.3 (2)', 'configured priorities count before regions', { framework: { topology: { ...everyone, priorities: [{ groups: ['b', 'c'] }] } }, down: [2, 3] }, at(2), '4 5 | 2 3'],
    ['1.3 (2)', 'of several rows the first with something active', { framework: { topology: { ...everyone, priorities: [{ groups: ['b', 'd'] }, { groups: ['b', 'c'] }] } }, down: [2, 3] }, at(2), '4 5 | 2 3'],
    ['1.3 (3)', 'then those that take part in no group', { framework: enabled, instances: [{ pods: '4', enableGroup: false }], down: [0, 1, 2, 3] }, at(2), '4 |'],
    ['1.3 (4)', 'then all', { framework: enabled, down: [0, 1, 2, 3] }, at(2), '4 5 | 0 1 2 3'],
    ['1.3 (4)', 'also when none at all is active', { framework: enabled, down: [0, 1, 2, 3, 4, 5] }, at(2), '| 0 1 2 3 4 5'],
    ['1.3', 'a caller of no group gets all', { framework: enabled }, from('8.8.8.8'), '0 1 2 3 4 5 |'],
    ['0.2', 'a caller without a name, by the address of its pod', { framework: enabled }, from('10.0.0.4'), '4 5 |'],
    ['0.2', 'a caller that names an address, as native\'s do, by that, wherever its calls come from', { framework: enabled }, { name: '10.0.0.4', address: '8.8.8.8' }, '4 5 |'],
    ['0.2', 'the same through a proxy, which is a pod', { framework: { topology: { ...everyone, groups: [{ name: 'c', addresses: ['172.16.0.*'] }] } } }, { name: '172.16.0.9', address: '10.0.0.0' }, '4 5 |'],
    ['0.2', 'a caller whose name says nothing, by where it calls from', { framework: enabled }, { name: '172.16.0.9', address: '10.0.0.4' }, '4 5 |'],
    ['1.3', 'a caller on a node\'s own network, by the address of the node', { framework: enabled }, from('192.168.0.97'), '0 1 |'],
    ['1.3', 'a caller in a zone where none is: nothing stands in for it', { framework: enabled }, from('192.168.0.100'), '0 1 2 3 4 5 |'],
    ['1.3', 'groups by address, exact before a.b.c.*, before labels', { framework: { topology: { ...everyone, groups: [{ name: 'own', addresses: ['10.0.0.5'] }, { name: 'rest', addresses: ['10.0.0.*'] }] } } }, from('10.0.0.5'), '5 |'],
    ['1.3', 'groups by address: a.b.c.*', { framework: { topology: { ...everyone, groups: [{ name: 'own', addresses: ['10.0.0.5'] }, { name: 'rest', addresses: ['10.0.0.*'] }] } } }, from('10.0.0.77'), '0 1 2 3 4 |'],
    ['1.3', 'groups by the address of the node', { framework: { topology: { ...everyone, groups: [{ name: 'own', addresses: ['192.168.0.97'] }] } } }, at(1), '0 1 |'],
    ['1.3', 'a group by name (ip_group_name) whatever the node', { framework: enabled, instances: [{ pods: '5', group: 'a' }] }, at(0), '0 1 5 |'],
    ['1.3', 'groups by IPv6 address, however it is written', { framework: { topology: { ...everyone, groups: [{ name: 'c', addresses: ['FD00:0:0::000A'] }] } } }, from('fd00::a'), '4 5 |'],
    ['1.3', 'switched on for one server alone', { instances: [{ enableGroup: true }] }, at(4), '4 5 |'],
    ['1.3', 'a pod on an unknown node is in no group', { framework: enabled, pods: 7, down: [0, 1, 2, 3] }, at(2), '6 |'],
    ['1.4', 'who asks without a set sees what is in one', { instances: [{ pods: '0', set: 'x.y.1' }], pods: 2 }, at(0), '0 1 |'],
  ]
  test.each(rows)('%s %s', (_section, _what, facts, caller, expected) => {
    expect(shown(directoryOf(facts).findNear('A.B.Obj', caller))).toBe(expected)
  })
})

describe('findObjectByIdInSameStation', () => {
  const rows: readonly (readonly [section: string, what: string, facts: Facts, station: string, expected: string | undefined])[] = [
    ['1.3', 'the region of nodes', {}, 'north', '0 1 2 3 |'],
    ['1.3', 'by the real group, also with groups off', { down: [0] }, 'north', '1 2 3 | 0'],
    ['1.3', 'no fallback when none there is active', { down: [4, 5] }, 'south', '| 4 5'],
    ['1.1', 'an unknown station', {}, 'east', undefined],
    ['1.3', 'configured', { framework: { topology: { priorities: [{ groups: ['a', 'c'], station: 'sz' }] } } }, 'sz', '0 1 4 5 |'],
    ['1.3', 'of two rows of a station the first counts', { framework: { topology: { priorities: [{ groups: ['a'], station: 'north' }] } } }, 'north', '0 1 |'],
  ]
  test.each(rows)('%s %s', (_section, _what, facts, station, expected) => {
    expect(shown(directoryOf(facts).findInStation('A.B.Obj', station))).toBe(expected)
  })

  test('1.1 an unknown object of a known station: 0 and nothing', () => {
    expect(shown(directoryOf({}).findInStation('No.Such.Obj', 'north'))).toBe('|')
  })
})

describe('findObjectByIdInSameSet', () => {
  const sets = [{ pods: '0-1', set: 'x.y.1' }, { pods: '2', set: 'x.y.2' }, { pods: '3', set: 'x.y.*' }, { pods: '4', set: 'x.z.1' }]
  const rows: readonly (readonly [section: string, what: string, facts: Facts, set: string, expected: string | undefined])[] = [
    ['1.4', 'exact', { instances: sets }, 'x.y.1', '0 1 |'],
    ['1.4', 'exact, only inactive ones: no wildcard instead', { instances: sets, down: [0, 1] }, 'x.y.1', '| 0 1'],
    ['1.4', 'a group that is not there: those that serve all groups', { instances: sets }, 'x.y.9', '3 |'],
    ['1.4', 'a group that is not there, and none that serves all: -1', { instances: sets }, 'x.z.9', undefined],
    ['1.4', 'all groups of an area, the wildcard among them', { instances: sets, down: [2] }, 'x.y.*', '0 1 3 | 2'],
    ['1.4', 'all groups of an area that is not there: -1', { instances: sets }, 'x.q.*', undefined],
    ['1.4', 'an area that is not there: -1', { instances: sets }, 'x.q.1', undefined],
    ['1.4', 'nothing by this name of a set: as if without a set', { instances: sets }, 'w.y.1', '0 1 2 3 4 5 |'],
    ['1.4', 'no set at all: as if without a set', {}, 'x.y.1', '0 1 2 3 4 5 |'],
    ['1.4', 'a name of a set in which nothing runs now: -1, and not what is in no set', { instances: [{ pods: '5', set: 'x.y.1' }], pods: 2 }, 'x.y.1', undefined],
    ['1.4', 'another area of it: -1', { instances: [{ pods: '5', set: 'x.y.1' }], pods: 2 }, 'x.z.1', undefined],
    ['1.4', 'all groups of its area: -1', { instances: [{ pods: '5', set: 'x.y.1' }], pods: 2 }, 'x.y.*', undefined],
    ['1.4', 'another name: as if without a set', { instances: [{ pods: '5', set: 'x.y.1' }], pods: 2 }, 'w.y.1', '0 1 |'],
    ['1.4', 'a backup is in no set: as if without a set', { instances: [{ pods: '0', set: 'x.y.1', backup: true }], pods: 2 }, 'x.y.1', '1 |'],
    ['1.4', 'as if without a set is by group', { framework: enabled }, 'x.y.1', '0 1 |'],
    ['1.4', 'a server all of one set', { instances: [{ set: 'x.y.1' }] }, 'x.y.1', '0 1 2 3 4 5 |'],
    ['1.4', 'two parts: -1', { instances: sets }, 'x.y', undefined],
    ['1.4', 'four parts: -1', { instances: sets }, 'x.y.1.2', undefined],
    ['1.4', 'an empty part: -1', { instances: sets }, 'x..1', undefined],
    ['1.4', 'a wildcard as the name: -1', { instances: sets }, '*.y.1', undefined],
    ['1.4', 'a wildcard as the area: -1', { instances: sets }, 'x.*.1', undefined],
    ['12', 'a second TServer of the server with a set of its own', { instances: sets, variant: true }, 'x.y.far', '+0 |'],
    ['12', 'all groups over both TServers', { instances: sets, variant: true }, 'x.y.*', '0 1 2 3 +0 |'],
  ]
  test.each(rows)('%s %s', (_section, _what, facts, set, expected) => {
    expect(shown(directoryOf(facts).findInSet('A.B.Obj', set, at(0)))).toBe(expected)
  })
})

describe('the fields of an endpoint', () => {
  const rows: readonly (readonly [section: string, what: string, facts: Facts, expected: object])[] = [
    ['1.2', 'no weight: -1 and 0', {}, { weight: -1, weightType: 0 }],
    ['1.2', 'static without a number: 100', { servant: { weightType: 'static' } }, { weight: 100, weightType: 1 }],
    ['1.2', 'static', { servant: { weightType: 'static', weight: 30 } }, { weight: 30, weightType: 1 }],
    ['1.2', 'a number alone is static', { servant: { weight: 30 } }, { weight: 30, weightType: 1 }],
    ['1.2', 'of one pod', { servant: { weight: 30 }, instances: [{ pods: '0', weight: 7 }] }, { weight: 7, weightType: 1 }],
    ['1.2', 'loop says that weights do not count', { servant: { weightType: 'loop', weight: 30 } }, { weight: -1, weightType: 0 }],
    ['1.5', 'dynamic without data: in turn', { servant: { weightType: 'dynamic', weight: 30 } }, { weight: -1, weightType: 0 }],
    ['0.3', 'TLS', { servant: { isSsl: true } }, { istcp: 2 }],
    ['0.3', 'UDP', { servant: { isTcp: false } }, { istcp: 0 }],
    ['1.2', 'UDP knows no TLS', { servant: { isTcp: false, isSsl: true } }, { istcp: 0 }],
    ['0.3', 'authentication and quality of service', { servant: { auth: true, qos: 8 } }, { authType: 1, qos: 8 }],
    ['1.2', 'set', { instances: [{ pods: '0', set: 'x.y.1' }] }, { setId: 'x.y.1' }],
    ['1.2', 'groups off: the real one is told all the same', {}, { groupworkid: -1, grouprealid: groupId('a') }],
    ['1.2', 'groups on', { framework: enabled }, { groupworkid: groupId('a'), grouprealid: groupId('a') }],
    ['0.3', 'the name of its node', {}, { nodeName: 'a-b-0.a-b', bakFlag: 0, grid: 0 }],
    ['F.3', 'by address, for the namespace', { framework: { endpointHost: 'ip' } }, { host: '10.0.0.0' }],
  ]
  test.each(rows)('%s %s', (_section, _what, facts, expected) => {
    expect(directoryOf(facts).find('A.B.Obj').active[0]).toMatchObject(expected)
  })

  test('1.5 dynamic with data: a static weight as it was made, also above 100; 0 is none', () => {
    const directory = directoryOf({ servant: { weightType: 'dynamic' }, pods: 4 })
    directory.setLoads(new Map([['a-b-0', 40], ['a-b-1', 0], ['a-b-3', 225]]))
    expect(directory.find('A.B.Obj').active.map(({ weight, weightType }) => [weight, weightType])).toEqual([[40, 1], [-1, 0], [-1, 0], [225, 1]])
  })

  test('F.3 by address, for one server alone', () => {
    const directory = directoryOf({ pods: 1 })
    directory.setEndpoint(endpointOf('a-b', undefined, { servants: [{ name: 'Obj', port: 9, isTcp: true, timeout: 1 }], endpointHost: 'ip' }))
    expect(directory.find('A.B.Obj').active[0]?.host).toBe('10.0.0.0')
  })
})

describe('traffic', () => {
  test.each([
    ['1.2', 'flow inactive, by number', { instances: [{ pods: '1', flow: 'inactive' }], pods: 3 }, '0 2 | 1'],
    ['1.2', 'flow active again', { instances: [{ flow: 'inactive' }, { pods: '1', flow: 'active' }], pods: 3 }, '1 | 0 2'],
    ['1.2, F.3', 'on a machine that was lost, whatever its node said before', { lost: [1], pods: 3 }, '0 2 | 1'],
    ['1.2, F.3', 'on machines that were lost, when nothing else is active: it may be Kubernetes that is cut off', { lost: [0, 1], down: [1, 2], pods: 3 }, '0 | 1 2'],
    ['1.2', 'a backup is in neither list', { instances: [{ pods: '1', backup: true }], pods: 3, down: [2] }, '0 | 2'],
  ] satisfies [string, string, Facts, string][])('%s %s', (_section, _what, facts, expected) => {
    expect(shown(directoryOf(facts).find('A.B.Obj'))).toBe(expected)
  })

  test('1.2 flow inactive, by the annotation of a pod', () => {
    const directory = directoryOf({ pods: 2 })
    directory.setPod(podOf('a-b', 0, true, { annotations: { 'tars.io/Flow': 'inactive' } }))
    expect(shown(directory.find('A.B.Obj'))).toBe('1 | 0')
    directory.setPod(podOf('a-b', 0, true))
    expect(shown(directory.find('A.B.Obj'))).toBe('0 1 |')
  })

  test.each([[true, '1 |'], [false, '0 1 2 |']])('1.1 slaves of a master, hidden %s', (hidesSlaves, expected) => {
    const directory = directoryOf({ pods: 3 })
    directory.setMaster('A', 'B', { podName: 'a-b-1', hidesSlaves })
    expect(shown(directory.find('A.B.Obj'))).toBe(expected)
    directory.setMaster('A', 'B', undefined)
    expect(shown(directory.find('A.B.Obj'))).toBe('0 1 2 |')
  })
})

test('1.2 registries are in no group: callers know them all, and can turn to another one', () => {
  const directory = directoryOf({ framework: enabled, pods: 3 })
  for (const ordinal of [0, 2]) directory.setPod({ ...podOf('a-b', ordinal, true), metadata: { name: `tars-tarsregistry-${ordinal}`, labels: { 'tars.io/ServerApp': 'tars', 'tars.io/ServerName': 'tarsregistry' } } })
  const found = directory.findNear('tars.tarsregistry.QueryObj', at(0)).active
  expect(found.map(({ host, groupworkid, grouprealid }) => [host.split('.')[0], groupworkid, grouprealid])).toEqual([['tars-tarsregistry-0', -1, groupId('a')], ['tars-tarsregistry-2', -1, groupId('b')]])
})

test('F.4 ports of a server that is no tars server are found by App.Server.port, where Kubernetes calls the pod ready', () => {
  const directory = directoryOf({ pods: 0, framework: { upChain: { default: [{ host: 'any', port: 1 }] } } })
  directory.setEndpoint({ metadata: { name: 'shop-web' }, spec: { app: 'Shop', server: 'Web', subType: 'normal', normal: { ports: [{ name: 'http', port: 80, isTcp: true }, { name: 'dns', port: 53, isTcp: false }] } } } as unknown as TEndpoint)
  for (const [ordinal, status] of [[0, 'True'], [1, 'False']] as const) {
    const pod = podOf('shop-web', ordinal, true)
    directory.setPod({ ...pod, metadata: { name: `shop-web-${ordinal}`, labels: { 'tars.io/ServerApp': 'Shop', 'tars.io/ServerName': 'Web' } }, status: { podIP: `10.0.9.${ordinal}`, conditions: [{ type: 'ContainersReady', status }, { type: 'Ready', status, reason: 'Kubelet' }] } })
  }
  const found = (id: string) => {
    const { active, inactive } = directory.find(id)
    return [active, inactive].map((list) => list.map(({ host, port, istcp, timeout }) => [host, port, istcp, timeout]))
  }
  expect(found('Shop.Web.http')).toEqual([[['shop-web-0.shop-web', 80, 1, 60_000]], [['shop-web-1.shop-web', 80, 1, 60_000]]])
  expect(found('Shop.Web.dns')).toEqual([[['shop-web-0.shop-web', 53, 0, 60_000]], [['shop-web-1.shop-web', 53, 0, 60_000]]])
  expect(found('Shop.Web.Http')).toEqual([[], []])
})

test('0.1 AdminRegObj has its former name, too, as long as it is there', () => {
  const directory = directoryOf({ pods: 0 })
  const endpoint = { metadata: { name: 'tars-tarsadminregistry' }, spec: { app: 'tars', server: 'tarsAdminRegistry', tars: { servants: [{ name: 'AdminRegObj', port: 19111, isTcp: true, timeout: 1 }] } } } as unknown as TEndpoint
  directory.setEndpoint(endpoint)
  directory.setPod({ ...podOf('a-b', 0, true), metadata: { name: 'tars-tarsadminregistry-0', labels: { 'tars.io/ServerApp': 'tars', 'tars.io/ServerName': 'tarsAdminRegistry' } } })
  const former = () => directory.find('tars.tarsregistry.AdminRegObj').active.map(({ host, port }) => `${host}:${port}`)
  expect(former()).toEqual(['tars-tarsadminregistry-0.tars-tarsadminregistry:19111'])
  directory.removeEndpoint(endpoint)
  expect(former()).toEqual([])
})

describe('what is not here (1.6)', () => {
  const framework = {
    upChain: { 'Far.Away.Obj': [{ host: 'exact', port: 1 }], 'Far.Away': [{ host: 'server', port: 1 }], Far: [{ host: 'app', port: 1 }], default: [{ host: 'any', port: 1 }], 'Both.X.Y': [{ host: 'fixed', port: 1 }] },
    upstream: { 'Ask.It': 'one', Ask: 'two', 'Both.X.Y': 'three', 'Far.There.Obj': 'four' },
  }
  test.each([
    ['exact', 'Far.Away.Obj', 'exact'], ['App.Server', 'Far.Away.Other', 'server'], ['App', 'Far.Else.Obj', 'app'], ['default', 'None.Of.Them', 'any'],
    ['a server that is here has its own answer, also for an object that it has not', 'A.B.Nothing', undefined],
    ['no object at all', 'None.Of', undefined],
    ['endpoints before a registry', 'Both.X.Y', 'fixed'],
  ])('endpoints: %s', (_what, id, expected) => {
    const directory = directoryOf({ framework })
    expect(directory.find(id).active[0]?.host).toBe(expected)
    expect(directory.upstreamOf(id)).toBeUndefined()
    expect(directory.find(id).inactive).toEqual([])
  })

  test.each([['App.Server', 'Ask.It.Obj', 'one'], ['App', 'Ask.Me.Obj', 'two'], ['the nearer key, whatever it says', 'Far.There.Obj', 'four'], ['one that is here', 'A.B.Obj', undefined]])('a registry to ask: %s', (_what, id, expected) => {
    expect(directoryOf({ framework }).upstreamOf(id)).toBe(expected)
  })
})

describe('several TServers of a server (12)', () => {
  test('stand in one list, each with its own port and Service name', () => {
    const view = directoryOf({ variant: true, pods: 1 }).find('A.B.Obj')
    expect(view.active.map(({ host, port, setId }) => [host, port, setId])).toEqual([['a-b-0.a-b', 9, ''], ['a-b-far-0.a-b-far', 10, 'x.y.far']])
  })

  test('a pod has the descriptor of its own', () => {
    const directory = directoryOf({ variant: true })
    expect(directory.endpointOf('A', 'B', 'a-b-far')?.metadata.name).toBe('a-b-far')
    expect(directory.endpointOf('A', 'B', 'a-b')?.metadata.name).toBe('a-b')
    expect(directory.endpointOf('A', 'B')?.metadata.name).toBe('a-b')
    // One that is not known yet may have another set and other ports.
    expect(directory.endpointOf('A', 'B', 'a-b-none')).toBeUndefined()
  })

  test('a pod whose own is not there is none of the other one', () => {
    const directory = directoryOf({ pods: 2 })
    directory.removeEndpoint(endpointOf('a-b', undefined, {}))
    directory.setEndpoint(endpointOf('a-b-far', 'far', { servants: [{ name: 'Obj', port: 10, isTcp: true, timeout: 1 }], instances: [{ set: 'x.y.far' }] }))
    expect(shown(directory.find('A.B.Obj'))).toBe('|')
    directory.setPod(podOf('a-b-far', 0, true))
    expect(shown(directory.find('A.B.Obj'))).toBe('+0 |')
  })

  test('the first one may go before the other', () => {
    const directory = directoryOf({ variant: true, pods: 1 })
    directory.removeEndpoint(endpointOf('a-b', undefined, {}))
    expect(shown(directory.find('A.B.Obj'))).toBe('+0 |')
    directory.removeEndpoint(endpointOf('a-b-far', 'far', {}))
    expect(shown(directory.find('A.B.Obj'))).toBe('|')
  })
})
