import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { services, statefulSets } from '#kube/resources.ts'
import type { AnyObject } from '#kube/types.ts'
import { disturbances } from './control-plane/disturbances.ts'
import { ControlPlaneField } from './control-plane/field.ts'
import { operations } from './control-plane/operations.ts'
import { changesBetween, type Snapshot } from './control-plane/snapshot.ts'
import type { Space } from './control-plane/space.ts'
import { faultsOf } from './control-plane/truth.ts'
import chaos, { settled } from './control-plane.chaos.ts'
import { healed } from './heal.ts'
import { planOf } from './plan.ts'

const { signal } = new AbortController()

it('is a function of its seed, and draws every kind', () => {
  for (const kinds of [disturbances, operations]) {
    const planned = (seed: number) => planOf(kinds, { seed, seconds: 600, targets: 3 })
    expect(planned(7)).toEqual(planned(7))
    expect(planned(8)).not.toEqual(planned(7))
    expect(new Set(planned(7).map(({ kind }) => kind))).toEqual(new Set(Object.keys(kinds)))
  }
})

it('leaves a disturbed cluster as its operator asked for it', { timeout: 900_000 }, async () => {
  const lines: string[] = []
  expect(await chaos({ seed: 11, seconds: 30, note: (line) => lines.push(line), signal }), lines.join('\n')).toEqual([])
  expect(lines.some((line) => line.includes('create-server'))).toBe(true)
})

describe('the judge', () => {
  let field: ControlPlaneField
  let space: Space
  let good: Snapshot
  beforeAll(async () => {
    field = await ControlPlaneField.start(signal)
    const [first] = field.spaces
    if (first === undefined) throw new Error('there is no space')
    space = first
    // One server of each sort, and one of each other kind.
    for (const choice of [0, 1, 2, 3, 4, 5]) await operations['create-server']?.run(space, choice)
    for (const kind of ['new-config', 'new-config', 'change-template', 'change-account', 'change-image', 'change-framework']) await operations[kind]?.run(space, 0)
    const lines: string[] = []
    // What was changed last may not have come to the controllers when all looks well for the first time.
    expect(await settled(field, { note: (line) => lines.push(line), signal }), lines.join('\n')).toEqual([])
    for (const replica of field.replicas) await replica.takeDown()
    good = await field.snapshot()
  })
  afterAll(() => field?.stop())

  const judged = (found: Snapshot, observer: Parameters<typeof faultsOf>[2] = field.observer): readonly string[] => faultsOf(space, found, observer)
  const ours = ({ metadata }: AnyObject): boolean => metadata.namespace === space.namespace
  type Change = (object: AnyObject) => void
  /** The first object of a kind, changed. */
  const changed = (kind: keyof Snapshot, change: Change): Snapshot => {
    const found = structuredClone(good)
    const [object] = found[kind].filter(ours)
    if (object === undefined) throw new Error(`there are no ${kind}`)
    change(object)
    return found
  }

  it('finds nothing when all is well', () => expect(judged(good)).toEqual([]))

  it.each<readonly [string, keyof Snapshot, Change, RegExp]>([
    ['a write of the operator is lost', 'servers', ({ spec }) => { spec.release.id = 'old' }, /TServer demo-s\d+: spec.release.id is "old" instead of "r\d+"/],
    ['a child is not as it should be', 'services', ({ spec }) => { spec.selector = {} }, /Service demo-s\d+: spec.selector/],
    ['a child belongs to an earlier TServer', 'endpoints', ({ metadata }) => { for (const owner of metadata.ownerReferences ?? []) owner.uid = 'gone' }, /TEndpoint demo-s\d+: is not controlled by its TServer/],
    ['a child does not go', 'budgets', ({ metadata }) => { metadata.deletionTimestamp = '2024-01-01T00:00:00Z' }, /PodDisruptionBudget demo-s\d+ is being deleted/],
    ['a pod is of an older template', 'statefulSets', ({ status }) => { status.updateRevision = 'next' }, /Pod demo-s\d+-0 is of an older template/],
    ['callers are told of a pod that is no more', 'pods', ({ metadata }) => { metadata.uid = 'other' }, /TEndpoint demo-s\d+ tells of other pods/],
    ['a status is not true', 'servers', ({ status }) => { status.readyReplicas = 50 }, /the status of TServer demo-s\d+ is not true/],
    ['two versions of a file are in force', 'configs', (config) => { config['activated'] = !(config['activated'] as boolean) }, /of f0.conf the versions .* are in force/],
    ['a version of a file is lost', 'configs', (config) => { config.metadata.name = 'other' }, /TConfig demo-conf-\d+ of f0.conf is lost/],
    ['a template is the old one', 'templates', (template) => { if (template.metadata.name.startsWith('demo.')) template['spec'].content = '' }, /TTemplate demo.t\d+: has another content/],
    ['a password is in clear', 'accounts', ({ spec }) => { spec.authentication = { password: 'secret' } }, /TAccount .* has no hash/],
    ['an application is not in the tree', 'trees', (tree) => { tree['apps'] = [] }, /application Demo is not in the tree/],
  ])('says when %s', (_what, kind, change, fault) => {
    expect(judged(changed(kind, change)).join('\n')).toMatch(fault)
  })

  it('says when one thing is told without end', () => {
    const event = { apiVersion: 'v1', kind: 'Event', metadata: { name: 'e', namespace: space.namespace }, source: { component: 'tarscontroller' }, involvedObject: { name: 'demo-s1' }, message: 'again', count: 1000 }
    expect(judged({ ...good, events: [event] })).toEqual([`${space.namespace}: demo-s1 was told 1000 times: again`])
  })

  it('says when an ended pod is not on record, and when a StatefulSet was made anew for nothing', () => {
    const faults = judged(good, { endedOf: () => [{ uid: 'u', name: 'lost-0' }], setsOf: () => 9 }).join('\n')
    expect(faults).toMatch(/TExitedRecord demo-s\d+ knows nothing of lost-0/)
    expect(faults).toMatch(/TServer demo-s\d+ has had 9 StatefulSets, and reasons for \d/)
  })

  it('says what was deleted, duplicated, or changed to and fro by hand', async () => {
    const { client } = field.plane
    const [set] = good.statefulSets.filter(ours)
    const { namespace, name } = set?.metadata ?? {}
    await client.delete(services, { namespace, name: name ?? '' })
    const { metadata: { labels, ownerReferences }, spec } = set as AnyObject
    await client.create(statefulSets, { metadata: { namespace, name: `${name}-copy`, labels, ownerReferences }, spec: { ...spec, replicas: 0 } } as never)
    for (const text of ['1', null]) await client.patch(statefulSets, { namespace, name: name ?? '' }, { spec: { template: { metadata: { annotations: { foreign: text } } } } })
    const found = await field.snapshot()
    const faults = await healed(async () => (field.observer.faults.length > 0 ? [] : ['the change to and fro was not seen']), 180_000, signal)
    expect(judged(found)).toEqual(expect.arrayContaining([`${namespace}: Service ${name} is missing`, `${namespace}: StatefulSet ${name}-copy should not be there`]))
    expect([...faults, ...field.observer.faults]).toEqual([`StatefulSet ${namespace}/${name} went back to a pod template that it had left`])
    expect(changesBetween(good, found)).toContain(`StatefulSet ${namespace}/${name}`)
    expect((await field.faults()).join('\n')).toMatch(/the lease is held by .*, and nobody leads/)
  })
})
