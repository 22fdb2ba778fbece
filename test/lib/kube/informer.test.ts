// The informer against every way a watch can fail, through a real proxy that makes it fail.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { silentLogger } from '#base/log.ts'
import type { Logger } from '#base/log.ts'
import { createKubeClient } from '#kube/client.ts'
import type { KubeClient } from '#kube/client.ts'
import { Informer } from '#kube/informer.ts'
import type { InformerOptions } from '#kube/informer.ts'
import { configMaps } from '#kube/resources.ts'
import { behaviourCluster, eventually } from '../../rig/kube.ts'
import type { TestCluster } from '../../rig/kube.ts'
import { isList, isWatch, startFaultProxy } from './fault-proxy.ts'
import type { Fault, FaultProxy } from './fault-proxy.ts'

let cluster: TestCluster
let proxy: FaultProxy
let client: KubeClient
let namespace: string
let informer: Informer
const running: Informer[] = []

beforeAll(async () => {
  cluster = await behaviourCluster()
})
afterAll(() => cluster.stop())
beforeEach(async () => {
  namespace = await cluster.namespace()
  proxy = await startFaultProxy(cluster.config)
  client = createKubeClient(proxy.config)
})
afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.stop()))
  client.close()
  await proxy.stop()
})

async function follow(options: Partial<InformerOptions> = {}): Promise<Informer> {
  informer = new Informer({ client, resource: configMaps, namespace, log: silentLogger, backoffMs: 5, ...options })
  running.push(informer)
  informer.start()
  await informer.synced()
  return informer
}

const put = (name: string) => cluster.client.create(configMaps, { metadata: { name, namespace } })
const knows = (name: string) => eventually(() => informer.get(namespace, name), `the informer knows ${name}`)
const watching = () => eventually(() => proxy.requests.some((request) => request.includes('watch=1')), 'a watch is open')

describe('faults', () => {
  const faults: [string, Fault][] = [
    ['a TCP reset', { kind: 'reset' }],
    ['500', { kind: 'status', code: 500 }],
    ['503 that is no Status', { kind: 'status', code: 503, body: '<html>' }],
    ['429 with Retry-After', { kind: 'status', code: 429, headers: { 'retry-after': '0' } }],
    ['410 as an event', { kind: 'watch-error', code: 410, reason: 'Expired' }],
    ['410 as an answer', { kind: 'status', code: 410 }],
    ['500 as an event', { kind: 'watch-error', code: 500, reason: 'InternalError' }],
    ['403 that passes', { kind: 'status', code: 403 }],
    ['a truncated line', { kind: 'truncate-next-event' }],
  ]
  it.each(faults)('goes on after %s of the watch', async (_what, fault) => {
    proxy.inject(isWatch, fault, fault, fault)
    await follow()
    await put('during')
    await knows('during')
    await put('after')
    await knows('after')
  })
  it.each(faults.filter(([, fault]) => fault.kind === 'reset' || fault.kind === 'status'))('goes on after %s of the list', async (_what, fault) => {
    proxy.inject(isList, fault, fault, fault)
    await put('there')
    await follow()
    expect(informer.get(namespace, 'there')).toBeDefined()
  })
  it('does not say synced while the server fails', async () => {
    proxy.inject(isList, ...Array.from({ length: 3 }, (): Fault => ({ kind: 'status', code: 500 })))
    informer = new Informer({ client, resource: configMaps, namespace, log: silentLogger, backoffMs: 5 })
    running.push(informer)
    informer.start()
    expect(informer.hasSynced).toBe(false)
    expect(informer.ageMs()).toBe(Number.POSITIVE_INFINITY)
    await informer.synced()
    expect(proxy.requests.filter((request) => !request.includes('watch=1'))).toHaveLength(4)
  })
  it('goes on when open watches are reset in the middle, losing nothing', async () => {
    await follow()
    for (let round = 0; round < 5; round++) {
      await put(`before-${round}`)
      await eventually(() => proxy.resetWatches() > 0, 'a watch was reset')
      await put(`after-${round}`)
    }
    await eventually(() => informer.list().filter(({ metadata }) => /^(before|after)-/.test(metadata.name)).length === 10, 'all ten are known')
  })
  it('takes a silent watch for dead', async () => {
    proxy.inject(isWatch, { kind: 'stall' })
    await follow({ stallMs: 300 })
    await put('unheard')
    await knows('unheard')
  })
  it('after 410 tells the deletions that happened while it was away', async () => {
    await put('stays')
    await put('goes')
    const events: string[] = []
    await follow()
    informer.onChange((type, object) => events.push(`${type} ${object.metadata.name}`))
    await watching()
    // The watch that comes after the reset finds its history gone.
    proxy.inject(isWatch, { kind: 'status', code: 503 }, { kind: 'status', code: 503 }, { kind: 'watch-error', code: 410, reason: 'Expired' })
    proxy.resetWatches()
    await cluster.client.delete(configMaps, { namespace, name: 'goes' })
    await eventually(() => events.includes('deleted goes'), 'the deletion is told')
    expect(events.filter((event) => event.endsWith('stays'))).toEqual(['added stays'])
  })
})

describe('handlers', () => {
  it('are told what is known, then every change in order', async () => {
    await put('first')
    await follow()
    const events: string[] = []
    informer.onChange((type, object, old) => events.push(`${type} ${object.metadata.name} ${String(old?.['data']?.n)}>${String(object['data']?.n)}`))
    await cluster.client.patch(configMaps, { namespace, name: 'first' }, { data: { n: '1' } })
    await cluster.client.patch(configMaps, { namespace, name: 'first' }, { data: { n: '2' } })
    await cluster.client.delete(configMaps, { namespace, name: 'first' })
    await eventually(() => events.some((event) => event.startsWith('deleted')), 'the deletion is told')
    expect(events.filter((event) => event.includes('first'))).toEqual(['added first undefined>undefined', 'updated first undefined>1', 'updated first 1>2', 'deleted first undefined>2'])
  })
  it('that throw or reject harm nobody else', async () => {
    const errors: unknown[] = []
    const log: Logger = { ...silentLogger, error: (_message, fields) => void errors.push(fields?.['error']) }
    await follow({ log })
    const heard: string[] = []
    informer.onChange(() => {
      throw new Error('thrown')
    })
    informer.onChange(() => Promise.reject(new Error('rejected')))
    informer.onChange((_type, object) => heard.push(object.metadata.name))
    await put('loud')
    await eventually(() => heard.includes('loud') && errors.length >= 2, 'all handlers ran')
    expect(errors.map((error) => (error as Error).message).sort()).toEqual(expect.arrayContaining(['rejected', 'thrown']))
  })
  it('can leave', async () => {
    await follow()
    const heard: string[] = []
    informer.onChange((_type, object) => heard.push(object.metadata.name))()
    await put('unheard')
    await knows('unheard')
    expect(heard.filter((name) => name === 'unheard')).toEqual([])
  })
})

describe('knowledge', () => {
  it('follows a selector and keeps what transform leaves', async () => {
    await cluster.client.create(configMaps, { metadata: { name: 'yes', namespace, labels: { pick: 'yes' } }, data: { big: 'x' } } as never)
    await put('no')
    await follow({ labelSelector: 'pick=yes', transform: ({ data: _data, ...rest }) => rest as never })
    expect(informer.list().map(({ metadata }) => metadata.name)).toEqual(['yes'])
    expect(informer.get(namespace, 'yes')).not.toHaveProperty('data')
    await cluster.client.patch(configMaps, { namespace, name: 'yes' }, { metadata: { labels: { pick: 'no' } } })
    await eventually(() => informer.size === 0, 'the object went out of sight')
  })
  it('says how old it is, and asks for bookmarks', async () => {
    await follow()
    expect(informer.ageMs()).toBeLessThan(60_000)
    await watching()
    expect(proxy.requests.find((request) => request.includes('watch=1'))).toContain('allowWatchBookmarks=true')
  })
  it('has what was written before the watch brings it, and no news from before', async () => {
    await follow()
    await watching()
    const events: string[] = []
    informer.onChange((type, object) => object.metadata.name === 'mine' && events.push(`${type} ${String(object['data']?.n)}`))
    const change = (n: string) => cluster.client.patch(configMaps, { namespace, name: 'mine' }, { data: { n } })
    await cluster.client.create(configMaps, { metadata: { name: 'mine', namespace }, data: { n: '1' } } as never)
    await change('2')
    informer.learn(await change('3'))
    expect(informer.get(namespace, 'mine')).toMatchObject({ data: { n: '3' } })
    await change('4')
    await eventually(() => events.includes('updated 4'), 'the watch goes on')
    // Which of them the watch had brought before is chance; that time never goes back is not.
    const numbers = events.map((event) => Number(event.split(' ')[1]))
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b))
    await cluster.client.delete(configMaps, { namespace, name: 'mine' })
    await eventually(() => events.at(-1) === 'deleted 4', 'its end is told')
  })
  it('forgets what it learned when it has gone, however late the answer was', async () => {
    await follow()
    const written = await put('brief')
    await knows('brief')
    await cluster.client.delete(configMaps, { namespace, name: 'brief' })
    await eventually(() => informer.get(namespace, 'brief') === undefined, 'its end is told')
    informer.learn(written)
    expect(informer.get(namespace, 'brief')).toBeUndefined()
    informer.learn(await put('ahead'))
    await cluster.client.delete(configMaps, { namespace, name: 'ahead' })
    await eventually(() => informer.get(namespace, 'ahead') === undefined, 'what was learned ends, too')
  })
  it('keeps no managed fields, of lists of several pages neither', async () => {
    const fill = (name: string) => cluster.client.create(configMaps, { metadata: { name, namespace }, data: { n: '1' } } as never)
    for (const name of ['a', 'b', 'c']) await fill(name)
    const { items } = await client.list(configMaps, { namespace, limit: 1, each: ({ metadata, ...rest }) => ({ ...rest, metadata: { ...metadata, labels: { seen: 'yes' } } }) })
    expect(items.map(({ metadata }) => metadata.labels?.['seen'])).toEqual(items.map(() => 'yes'))
    expect(items.length).toBeGreaterThanOrEqual(3)
    expect((await cluster.client.get(configMaps, { namespace, name: 'a' })).metadata.managedFields).toBeDefined()
    await follow()
    await fill('d')
    await knows('d')
    for (const name of ['a', 'd']) expect(informer.get(namespace, name)?.metadata).not.toHaveProperty('managedFields')
  })
  it('stops at once, and synced rejects when stopped before', async () => {
    proxy.inject(isList, ...Array.from({ length: 50 }, (): Fault => ({ kind: 'status', code: 500 })))
    const lost = new Informer({ client, resource: configMaps, namespace, log: silentLogger })
    lost.start()
    await lost.stop()
    await expect(lost.synced()).rejects.toThrow('stopped before it was synced')
  })
})
