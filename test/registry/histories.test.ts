// The registry's read model after any history of servers, pods, sets, weights, nodes, masters and settings answers what the
// specification says of how things stand. TARSK8S_SEED replays a failure, TARSK8S_HISTORIES says how many there are.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { completeFramework } from '#api/default.ts'
import { groupId } from '#api/topology.ts'
import type { TEndpoint } from '#api/types.ts'
import type { EndpointF } from '#tars/protocol/QueryF.ts'
import { Directory } from '../../framework/registry/model/directory.ts'
import type { PodObject } from '../../framework/registry/model/pod-state.ts'
import type { ServantView } from '../../framework/registry/model/views.ts'
import { Reference, type Place, type Places, type World } from './reference.ts'

const histories = Number(process.env['TARSK8S_HISTORIES'] ?? 10_000)
const zones = ['a', 'b', 'c'] as const
const sets = ['x.y.1', 'x.y.2', 'x.y.*', 'x.z.1', 'w.y.1'] as const
const serverOf = (name: string): string => (name === 'tars' ? 'tarsregistry' : 'Srv')
/** A server and which of its TServers. */
const tserver = fc.constantFrom({ app: 'Aa', variant: undefined }, { app: 'Aa', variant: 'far' }, { app: 'Bb', variant: undefined }, { app: 'tars', variant: undefined }, { app: 'tars', variant: 'far' })
const ordinals = fc.constantFrom('0', '1', '0-1', '2-9', '0,2-3', undefined)
/** Without what is undefined. */
const said = <T extends object>(fields: T): Partial<T> => Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<T>
const instance = fc.record({
  pods: ordinals, set: fc.constantFrom(undefined, ...sets), weight: fc.constantFrom(undefined, 5, 0), flow: fc.constantFrom(undefined, 'inactive', 'active'), backup: fc.constantFrom(undefined, undefined, true),
  enableGroup: fc.constantFrom(undefined, true, false), group: fc.constantFrom(undefined, 'c'),
}).map(said)
const servant = fc.record({ name: fc.constantFrom('O1', 'O2', 'QueryObj'), weight: fc.constantFrom(undefined, 30, 100), weightType: fc.constantFrom(undefined, 'loop', 'static', 'dynamic', 'dynamic') }).map(said)
const podName = fc.tuple(tserver, fc.nat(2)).map(([owner, ordinal]) => ({ ...owner, ordinal }))
const state = fc.constantFrom('Active', 'Activating', 'Inactive')

const event = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('endpoint' as const), owner: tserver, servants: fc.uniqueArray(servant, { maxLength: 2, selector: ({ name }) => name }), instances: fc.array(instance, { maxLength: 3 }), endpointHost: fc.constantFrom(undefined, 'ip') }) },
  fc.record({ kind: fc.constant('endpointGone' as const), owner: tserver }),
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('pod' as const), pod: podName, state, node: fc.constantFrom('n0', 'n1', 'n2', ''), moved: fc.boolean(), leaving: fc.boolean(), paused: fc.boolean(), lost: fc.boolean() }) },
  fc.record({ kind: fc.constant('podGone' as const), pod: podName }),
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('report' as const), pod: podName, state: fc.option(state, { nil: undefined }), setting: fc.constantFrom('Active', 'Active', 'Inactive') }) },
  fc.record({ kind: fc.constant('node' as const), node: fc.constantFrom('n0', 'n1', 'n2'), zone: fc.constantFrom(...zones, ''), region: fc.constantFrom('north', 'south', '') }),
  fc.record({ kind: fc.constant('nodeGone' as const), node: fc.constantFrom('n0', 'n1', 'n2') }),
  fc.record({
    kind: fc.constant('config' as const), enableGroup: fc.boolean(), endpointHost: fc.constantFrom(undefined, 'dns', 'ip'),
    priorities: fc.array(fc.record({ groups: fc.uniqueArray(fc.constantFrom(...zones), { minLength: 1 }), station: fc.constantFrom('sz', 'gz', 'north') }), { maxLength: 2 }),
    groups: fc.uniqueArray(fc.record({ name: fc.constantFrom(...zones), addresses: fc.uniqueArray(fc.constantFrom('10.1.0.1', '10.1.0.*', '10.2.1.*', '8.8.8.8'), { minLength: 1, maxLength: 2 }) }), { maxLength: 2, selector: ({ name }) => name }),
    upChain: fc.uniqueArray(fc.constantFrom('default', 'Aa', 'Bb.Srv', 'Bb.Srv.O1'), { maxLength: 2 }),
  }),
  fc.record({ kind: fc.constant('master' as const), owner: tserver, ordinal: fc.nat(2), hidesSlaves: fc.boolean(), gone: fc.boolean() }),
  fc.record({ kind: fc.constant('loads' as const), weights: fc.array(fc.tuple(podName, fc.constantFrom(0, 1, 40, 225)), { maxLength: 8 }) }),
  fc.record({ kind: fc.constant('hold' as const) }),
  fc.record({ kind: fc.constant('release' as const) }),
)
type Event = typeof event extends fc.Arbitrary<infer E> ? E : never

const ownerOf = (name: string, which: string | undefined): string => `${name}-${serverOf(name)}${which === undefined ? '' : `-${which}`}`.toLowerCase()
const nameOf = (pod: { readonly app: string; readonly variant: string | undefined; readonly ordinal: number }): string => `${ownerOf(pod.app, pod.variant)}-${pod.ordinal}`

function endpointOf(one: Extract<Event, { kind: 'endpoint' }>): TEndpoint {
  const { app, variant } = one.owner
  const servants = one.servants.map((fields, index) => ({ port: index + 1, isTcp: true, timeout: 1, ...fields }))
  const tars = { servants, instances: one.instances, ...(one.endpointHost === undefined ? {} : { endpointHost: one.endpointHost }) }
  return { metadata: { name: ownerOf(app, variant) }, spec: { app, server: serverOf(app), ...said({ variant }), tars } } as unknown as TEndpoint
}

/** Each pod has two addresses of its own. */
function podOf({ pod, state: now, node, moved, leaving, paused, lost }: Extract<Event, { kind: 'pod' }>): PodObject {
  const net = ['Aa', 'Bb', 'tars'].indexOf(pod.app) * 2 + Number(pod.variant === 'far')
  return {
    metadata: {
      name: nameOf(pod), labels: { 'tars.io/ServerApp': pod.app, 'tars.io/ServerName': serverOf(pod.app), ...(pod.variant === undefined ? {} : { 'tars.io/ServerVariant': pod.variant }) },
      ...(leaving ? { deletionTimestamp: 'x' } : {}), ...(paused ? { annotations: { 'tars.io/Flow': 'inactive' } } : {}),
    },
    spec: { nodeName: node },
    status: { podIP: `10.${net}.${Number(moved)}.${pod.ordinal}`, conditions: [{ type: 'tars.io/active', status: now === 'Active' ? 'True' : 'False', reason: `Active/${now}/1` }, ...(lost ? [{ type: 'Ready', status: 'False' }] : [])] },
  }
}

type Steps = { readonly [K in Event['kind']]: (step: Extract<Event, { kind: K }>, world: World, directory: Directory<ServantView>) => void }

/** Each kind of step, for the directory and for the last word. */
const steps: Steps = {
  endpoint(step, { endpoints }, directory) {
    const endpoint = endpointOf(step)
    endpoints.set(endpoint.metadata.name, endpoint)
    directory.setEndpoint(endpoint)
  },
  endpointGone(step, { endpoints }, directory) {
    const endpoint = endpointOf({ ...step, kind: 'endpoint', servants: [], instances: [], endpointHost: undefined })
    endpoints.delete(endpoint.metadata.name)
    directory.removeEndpoint(endpoint)
  },
  pod(step, { pods }, directory) {
    const pod = podOf(step)
    pods.set(pod.metadata.name, pod)
    directory.setPod(pod)
  },
  podGone(step, { pods, reports }, directory) {
    pods.delete(nameOf(step.pod))
    reports.delete(nameOf(step.pod))
    directory.removePod({ metadata: { name: nameOf(step.pod) } })
  },
  report(step, { reports }, directory) {
    const reported = step.state && { setting: step.setting, present: step.state, pid: '1', message: '' }
    if (reported === undefined) reports.delete(nameOf(step.pod))
    else reports.set(nameOf(step.pod), reported)
    directory.setReport(nameOf(step.pod), reported)
  },
  node(step, { nodes }, directory) {
    const node = { metadata: { name: step.node, labels: { 'topology.kubernetes.io/zone': step.zone, 'topology.kubernetes.io/region': step.region } }, status: { addresses: [] } }
    nodes.set(step.node, node)
    directory.setNode(node)
  },
  nodeGone(step, { nodes }, directory) {
    nodes.delete(step.node)
    directory.removeNode({ metadata: { name: step.node } })
  },
  config(step, world, directory) {
    world.config = completeFramework({ name: 'tars-framework' }, {
      imageUpload: { registry: 'r' }, topology: { enableGroup: step.enableGroup, priorities: step.priorities, groups: step.groups }, ...(step.endpointHost === undefined ? {} : { endpointHost: step.endpointHost as 'dns' | 'ip' }),
      upChain: Object.fromEntries(step.upChain.map((key) => [key, [{ host: key, port: 1 }]])),
    })
    directory.setFrameworkConfig(world.config)
  },
  master(step, { masters }, directory) {
    const master = { podName: nameOf({ ...step.owner, ordinal: step.ordinal }), hidesSlaves: step.hidesSlaves }
    if (step.gone) masters.delete(step.owner.app)
    else masters.set(step.owner.app, { app: step.owner.app, ...master })
    directory.setMaster(step.owner.app, serverOf(step.owner.app), step.gone ? undefined : master)
  },
  loads(step, { loads }, directory) {
    loads.clear()
    for (const [pod, weight] of step.weights) loads.set(nameOf(pod), weight)
    directory.setLoads(new Map(loads))
  },
  hold: (_step, _world, directory) => directory.hold(),
  release: (_step, _world, directory) => directory.release(),
}

function after(history: readonly Event[]): { readonly world: World; readonly directory: Directory<ServantView> } {
  const world: World = { endpoints: new Map(), pods: new Map(), reports: new Map(), nodes: new Map(), masters: new Map(), loads: new Map(), config: undefined }
  const directory = new Directory<ServantView>({ hostForm: 'dns', prepare: (view) => view })
  for (const step of history) (steps[step.kind] as Steps['hold'])(step as never, world, directory)
  directory.release()
  return { world, directory }
}

/** An endpoint as it is on the wire, in one line. */
const lineOf = ({ host, port, weight, weightType, setId, grouprealid, groupworkid }: EndpointF): string => [host, port, weight, weightType, setId, grouprealid, groupworkid].join(' ')
const shownView = (view: ServantView | undefined): unknown => view && [view.active.map(lineOf), view.inactive.map(lineOf)]

function lineOfPlace({ host, port, weight, set, group, takesPart }: Place): string {
  return [host, port, weight, weight < 0 ? 0 : 1, set, groupId(group), takesPart ? groupId(group) : -1].join(' ')
}
const shownPlaces = (places: Places): unknown => places && [places.filter(({ active }) => active).map(lineOfPlace), places.filter(({ active }) => !active).map(lineOfPlace)]

const ids = ['Aa.Srv.O1', 'Aa.Srv.O2', 'Bb.Srv.O1', 'aa.srv.O1', 'Aa.Srv.o1', 'No.Such.Obj', 'tars.tarsregistry.QueryObj', 'tars.tarsregistry.O1', 'Aa.Srv', 'Aa.Srv.O1.x', '']
const stations = ['north', 'sz', 'gz', 'none']
const askedSets = [...sets, 'x.y.9', 'x.q.*', 'x.q.1', 'q.y.1', 'bad', '*.y.1', 'x.*.1', 'x.y.1.2']

test(`after any of ${histories} histories it answers as the specification says`, { timeout: 600_000 }, () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), (history) => {
      const { world, directory } = after(history)
      const reference = new Reference(world)
      const names = [...world.pods.keys()].toSorted()
      const callers = [...names.slice(0, 3).map((name) => ({ name: `${name}.x`, address: '' })), { name: 'x', address: world.pods.get(names[0] ?? '')?.status?.podIP ?? '' }, { name: 'x', address: '10.1.0.1' }, { name: 'x', address: '8.8.8.8' }, { name: '10.1.0.1', address: '8.8.8.8' }]
      const [first = { name: '', address: '' }] = callers
      const same = (found: ServantView | undefined, expected: Places, question: string): void => {
        const [a, b] = [shownView(found), shownPlaces(expected)]
        if (JSON.stringify(a) !== JSON.stringify(b)) expect(a, question).toEqual(b)
      }
      for (const id of ids) {
        same(directory.find(id), reference.find(id), `find ${id}`)
        for (const caller of callers) same(directory.findNear(id, caller), reference.findNear(id, caller), `near ${id} for ${caller.name} ${caller.address}`)
        for (const station of stations) same(directory.findInStation(id, station), reference.findInStation(id, station), `${id} in station ${station}`)
        for (const set of askedSets) same(directory.findInSet(id, set, first), reference.findInSet(id, set, first), `${id} in set ${set}`)
      }
    }),
    { numRuns: histories },
  )
})
