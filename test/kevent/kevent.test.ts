// tarskevent on the embedded API server, with SQLite and with a real OpenSearch.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { Lifetime } from '#base/lifecycle.ts'
import { silentLogger } from '#base/log.ts'
import { events } from '#kube/resources.ts'
import type { AnyObject } from '#kube/types.ts'
import { dayOf, type Found } from '#store/dataset.ts'
import { keventDataset } from '#store/datasets.ts'
import { openStoreWithSpool } from '#store/open.ts'
import { Outbox } from '#store/outbox.ts'
import { Feed } from '../../framework/kevent/feed.ts'
import { startKevent, type KeventOptions, type RunningKevent } from '../../framework/kevent/kevent.ts'
import { rowOf } from '../../framework/kevent/model/event-row.ts'
import { startCluster, until, type TestCluster } from '../registry/cluster.ts'
import { startSearchNode, type SearchNode } from '../rig/search-node/search-node.ts'

let cluster: TestCluster
let node: SearchNode
beforeAll(async () => {
  cluster = await startCluster()
  node = await startSearchNode('opensearch')
})
afterAll(async () => {
  await cluster?.stop()
  await node?.remove()
})

let folder: string
let running: RunningKevent[]
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tarsk8s-kevent-'))
  running = []
})
afterEach(async () => {
  for (const one of running) await one.stop()
  await rm(folder, { recursive: true, force: true })
  for (const namespace of ['tars', 'default']) for (const { metadata } of (await cluster.client.list(events, { namespace })).items) await cluster.client.delete(events, metadata)
})

async function start(name: string, more: Partial<KeventOptions> = {}): Promise<RunningKevent> {
  const started = await startKevent({
    client: cluster.client, namespace: 'tars', identity: name, address: '127.0.0.1', httpPort: 0, log: silentLogger, election: { leaseMs: 2000, renewDeadlineMs: 1500, retryMs: 50 },
    store: { data: join(folder, name), days: 3, bytes: 1 << 30, spoolBytes: 16 << 20 }, ...more,
  })
  running.push(started)
  return started
}

const now = new Date().toISOString().replace(/\.\d+Z$/, 'Z')
const event = (name: string, more: object = {}, namespace = 'tars') => ({ apiVersion: 'v1', kind: 'Event', metadata: { namespace, name }, involvedObject: { kind: 'Pod', name: 'a-0', namespace: 'tars' }, reason: 'Pulled', type: 'Normal', message: 'm', count: 1, lastTimestamp: now, ...more }) as unknown as AnyObject
const create = (name: string, more: object = {}, namespace = 'tars') => cluster.client.create(events, event(name, more, namespace))
const again = (name: string, more: object) => cluster.client.patch(events, { namespace: 'tars', name }, more, { type: 'merge' })

async function find(of: RunningKevent, question: object = {}): Promise<Found[]> {
  const today = dayOf(Date.now())
  const response = await fetch(`http://127.0.0.1:${of.httpPort}/store/find`, { method: 'POST', body: JSON.stringify({ from: dayOf(Date.now() - 86_400_000), to: today, ...question }) })
  const answer = (await response.json()) as Found[]
  if (!response.ok) throw new Error(JSON.stringify(answer))
  return answer
}

/** Resolves when there are so many; while an index is being made, OpenSearch cannot answer. */
const kept = (of: RunningKevent, count: number) => until(async () => (await find(of).catch(() => [])).length === count)

const reasons = async (of: RunningKevent, question = {}): Promise<string[]> => (await find(of, question)).map(({ fields }) => `${fields['name']} ${fields['reason']}`).toSorted()

describe.each(['SQLite', 'OpenSearch'] as const)('%s', (kind) => {
  let prefix: string
  beforeEach(() => {
    prefix = `t${Math.random().toString(36).slice(2, 10)}_`
  })
  const store = (name: string): Partial<KeventOptions> =>
    ({ store: { data: join(folder, name), days: 3, bytes: 1 << 30, spoolBytes: 16 << 20, ...(kind === 'SQLite' ? {} : { elastic: { urls: [node.url], prefix, user: undefined, password: undefined } }) } })

  test('events of the namespace and of the cluster are kept, not those of others in default', async () => {
    await create('before', { involvedObject: { kind: 'Pod', name: 'before-0', namespace: 'tars' } })
    const one = await start('a', store('a'))
    await create('after', { reason: 'Killing', involvedObject: { kind: 'Pod', name: 'after-0', namespace: 'tars' } })
    await create('node', { reason: 'NodeReady', involvedObject: { kind: 'Node', name: 'n1' } }, 'default')
    await create('foreign', { reason: 'Foreign', involvedObject: { kind: 'Pod', name: 'x', namespace: 'default' } }, 'default')
    await kept(one, 3)
    expect(await reasons(one)).toEqual(['after-0 Killing', 'before-0 Pulled', 'n1 NodeReady'])
    expect(await reasons(one, { where: [{ field: 'kind', op: 'eq', value: 'Node' }] })).toEqual(['n1 NodeReady'])
    expect(await reasons(one, { where: [{ field: 'name', op: 'like', value: 'after%' }] })).toEqual(['after-0 Killing'])
  })

  test('each version is kept once, however often it is seen: restarts, and another pod that takes over', async () => {
    const first = await start('a', store('a'))
    await create('e')
    await kept(first, 1)
    await again('e', { count: 2, reason: 'PulledAgain' })
    await kept(first, 2)
    await running.pop()?.stop()
    // A new part of the stream would take an id that an older part has.
    if (kind === 'OpenSearch') {
      await fetch(`${node.url}/_refresh`, { method: 'POST' })
      expect((await fetch(`${node.url}/${prefix}kevent_/_rollover`, { method: 'POST' })).status).toBe(200)
    }
    const second = await start('a', store('a'))
    await create('last', { reason: 'Last' })
    await until(async () => (await reasons(second).catch((): string[] => [])).includes('a-0 Last'))
    expect(await reasons(second)).toEqual(['a-0 Last', 'a-0 Pulled', 'a-0 PulledAgain'])
    expect(await find(second, { newestOf: 'name' })).toHaveLength(1)
  })

  test('one of two follows; the other goes on when it is gone', async () => {
    const [one, two] = [await start('a', store('shared')), await start('b', store(kind === 'SQLite' ? 'b' : 'shared-b'))]
    await until(() => one.isLeader || two.isLeader)
    expect(one.isLeader && two.isLeader).toBe(false)
    const leader = one.isLeader ? one : two
    const other = one.isLeader ? two : one
    await create('e1')
    await kept(leader, 1)
    expect(kind === 'SQLite' ? await find(other) : []).toEqual([])
    await leader.stop()
    running = [other]
    await until(() => other.isLeader)
    await create('e2', { reason: 'Second' })
    await until(async () => (await reasons(other).catch((): string[] => [])).includes('a-0 Second'))
    expect(await reasons(other)).toEqual(['a-0 Pulled', 'a-0 Second'])
    expect(await (await fetch(`http://127.0.0.1:${other.httpPort}/metrics`)).text()).toContain('tarskevent_leader 1\n')
  })
})

test('a list of more events than an outbox holds is kept whole, each in its newest version', async () => {
  const lifetime = new Lifetime()
  const { spool } = openStoreWithSpool({ settings: { data: folder, days: 3, bytes: 1 << 30, spoolBytes: 256 << 20 }, dataset: keventDataset, lifetime, log: silentLogger, now: Date.now })
  const outbox = new Outbox({ spool, log: silentLogger, gatherMs: 1000 })
  const feed = new Feed(outbox)
  const many = 25_000
  const listed = (index: number, version: string) => ({ ...event(`e${index}`), metadata: { name: `e${index}`, uid: `u${index}`, resourceVersion: version } }) as AnyObject
  for (let index = 0; index < many; index++) feed.add(listed(index, '1'))
  feed.add(listed(0, '2'))
  await feed.stop()
  await outbox.stop()
  expect(outbox.counts).toEqual({ handedOn: many, lost: 0 })
  await lifetime.stop()
})

describe('documents (framework-services 9)', () => {
  const meta = { name: 'e', uid: 'u', resourceVersion: '7', creationTimestamp: '2026-01-05T10:00:00Z' }
  const base = { apiVersion: 'v1', kind: 'Event', metadata: meta, involvedObject: { kind: 'Pod', name: 'a-0', namespace: 'tars', fieldPath: 'spec' }, reason: 'R', type: 'Normal', message: 'm' } as unknown as AnyObject

  test('are the event without metadata, with a time that Elasticsearch knows', () => {
    expect(rowOf({ ...base, lastTimestamp: '2026-01-05T10:00:01Z', source: { component: 'kubelet' } } as AnyObject)).toEqual({
      id: 'u:7', day: '20260105', fields: { time: Date.parse('2026-01-05T10:00:01Z'), kind: 'Pod', name: 'a-0', namespace: 'tars', type: 'Normal', reason: 'R' },
      document: { involvedObject: base['involvedObject'], reason: 'R', type: 'Normal', message: 'm', lastTimestamp: '2026-01-05T10:00:01Z', '@timestamp': '2026-01-05T10:00:01.000Z', source: { component: 'kubelet' } },
    })
  })

  test.each([
    ['a series', { series: { count: 3, lastObservedTime: '2026-01-05T11:00:00.123456Z' }, eventTime: '2026-01-05T10:30:00.000000Z', lastTimestamp: null }, '2026-01-05T11:00:00.123Z'],
    ['the newer kind', { eventTime: '2026-01-05T10:30:00.000000Z', lastTimestamp: null, firstTimestamp: null }, '2026-01-05T10:30:00.000Z'],
    ['no time but that of its making', { lastTimestamp: null }, '2026-01-05T10:00:00.000Z'],
    ['a time that is none', { lastTimestamp: 'soon' }, '2026-01-05T10:00:00.000Z'],
  ])('of %s', (_what, more, stamp) => {
    const { document, fields } = rowOf({ ...base, ...more } as AnyObject)
    expect([(document as Record<string, unknown>)['@timestamp'], fields['time']]).toEqual([stamp, Date.parse(stamp)])
    expect(Date.parse(String((document as Record<string, unknown>)['lastTimestamp'] ?? '')) || more.lastTimestamp).toBeTruthy()
  })

  test('that are far too long keep what matters', () => {
    const { document } = rowOf({ ...base, message: 'x'.repeat(100_000), related: { name: 'y'.repeat(500_000) } } as AnyObject)
    expect(JSON.stringify(document).length).toBeLessThan(20_000)
    expect(document).toMatchObject({ reason: 'R', involvedObject: { kind: 'Pod', name: 'a-0', namespace: 'tars' }, '@timestamp': '2026-01-05T10:00:00.000Z' })
    const ofNode = rowOf({ ...base, involvedObject: { kind: 'Node', name: 'n1' }, related: { name: 'y'.repeat(500_000) } } as AnyObject).document as { readonly involvedObject: object }
    expect(ofNode.involvedObject).toEqual({ kind: 'Node', name: 'n1' })
  })
})
