// Watches: order, selectors, resumption, bookmarks, and completeness over random histories.
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { configMaps } from '#kube/resources.ts'
import type { WatchEvent } from '#kube/types.ts'
import { behaviourCluster, embedded, startTestCluster } from '../../rig/kube.ts'
import type { TestCluster } from '../../rig/kube.ts'

let cluster: TestCluster
let namespace: string
beforeAll(async () => {
  cluster = await behaviourCluster()
  namespace = await cluster.namespace()
})
afterAll(() => cluster.stop())

/** Takes events until `enough`, then ends the watch. */
async function take(events: AsyncGenerator<WatchEvent>, enough: (seen: readonly WatchEvent[]) => boolean): Promise<WatchEvent[]> {
  const seen: WatchEvent[] = []
  for await (const event of events) {
    if (event.type !== 'BOOKMARK') seen.push(event)
    if (enough(seen)) break
  }
  return seen
}

const short = ({ type, object }: WatchEvent) => `${type} ${object.metadata.name}`
const put = (name: string, labels: Record<string, string> = {}) => cluster.client.create(configMaps, { metadata: { name, namespace, labels } })

describe('watch', () => {
  it('goes on after a resourceVersion, in order', async () => {
    const start = await cluster.client.list(configMaps, { namespace })
    await put('w1')
    await cluster.client.patch(configMaps, { namespace, name: 'w1' }, { data: { a: 'b' } })
    await cluster.client.delete(configMaps, { namespace, name: 'w1' })
    const events = await take(cluster.client.watch(configMaps, { namespace, resourceVersion: start.metadata.resourceVersion }), (seen) => seen.length === 3)
    expect(events.map(short)).toEqual(['ADDED w1', 'MODIFIED w1', 'DELETED w1'])
    const versions = events.map(({ object }) => Number(object.metadata.resourceVersion))
    expect(versions).toEqual([...versions].sort((left, right) => left - right))
    expect(new Set(versions).size).toBe(3)
  })
  it('starts with what is there when it is given no version', async () => {
    await put('there', { initial: 'yes' })
    const events = await take(cluster.client.watch(configMaps, { namespace, labelSelector: 'initial=yes' }), (seen) => seen.length === 1)
    expect(events.map(short)).toEqual(['ADDED there'])
  })
  it('tells when an object comes into or goes out of a selector', async () => {
    const { metadata } = await cluster.client.list(configMaps, { namespace })
    await put('in-out', { sight: 'no' })
    for (const sight of ['yes', 'yes2', 'no']) await cluster.client.patch(configMaps, { namespace, name: 'in-out' }, { metadata: { labels: { sight } } })
    const events = await take(cluster.client.watch(configMaps, { namespace, labelSelector: 'sight in (yes,yes2)', resourceVersion: metadata.resourceVersion }), (seen) => seen.length === 3)
    expect(events.map(short)).toEqual(['ADDED in-out', 'MODIFIED in-out', 'DELETED in-out'])
  })
  it('ends in good order after timeoutSeconds', async () => {
    expect(await take(cluster.client.watch(configMaps, { namespace, labelSelector: 'none=none', timeoutSeconds: 1 }), () => false)).toEqual([])
  })
  it('loses nothing to a watcher that reconnects at random over random histories', async () => {
    const names = ['a', 'b', 'c', 'd']
    const step = fc.record({ name: fc.constantFrom(...names), action: fc.constantFrom('put', 'put', 'delete', 'reconnect') })
    await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
      const prefix = `h${Math.random().toString(36).slice(2, 8)}`
      const selector = { namespace, labelSelector: `history=${prefix}` }
      const start = await cluster.client.list(configMaps, selector)
      const breaks: AbortController[] = []
      const seen = new Map<string, string>()
      const follow = async (): Promise<void> => {
        let resourceVersion = start.metadata.resourceVersion
        for (;;) {
          const abort = new AbortController()
          breaks.push(abort)
          try {
            for await (const { type, object } of cluster.client.watch(configMaps, { ...selector, resourceVersion, signal: abort.signal })) {
              resourceVersion = object.metadata.resourceVersion
              if (type === 'DELETED') seen.delete(object.metadata.name)
              else if (type !== 'BOOKMARK') seen.set(object.metadata.name, String(object['data']?.n))
              if (object.metadata.name === `${prefix}-end`) return
            }
          } catch {
            // broken off on purpose
          }
        }
      }
      const watching = follow()
      const expected = new Map<string, string>()
      for (const [index, { name, action }] of steps.entries()) {
        const target = { namespace, name: `${prefix}-${name}` }
        if (action === 'reconnect') breaks.at(-1)?.abort()
        else if (action === 'delete') {
          if (expected.delete(target.name)) await cluster.client.delete(configMaps, target)
        } else {
          const data = { n: String(index) }
          if (expected.has(target.name)) await cluster.client.patch(configMaps, target, { data })
          else await cluster.client.create(configMaps, { metadata: { ...target, labels: { history: prefix } }, data } as never)
          expected.set(target.name, data.n)
        }
      }
      await cluster.client.create(configMaps, { metadata: { name: `${prefix}-end`, namespace, labels: { history: prefix } } })
      await watching
      seen.delete(`${prefix}-end`)
      expect(Object.fromEntries(seen)).toEqual(Object.fromEntries(expected))
    }), { numRuns: 15 })
  })
})

if (embedded) describe('history', () => {
  it('answers 410 Expired for what is compacted away, and stays bounded', async () => {
    const small = await startTestCluster({ historyLimit: 20 })
    try {
      const first = await small.client.create(configMaps, { metadata: { name: 'x', namespace: 'default' }, data: {} } as never)
      for (let index = 0; index < 60; index++) await small.client.patch(configMaps, { namespace: 'default', name: 'x' }, { data: { n: String(index) } })
      const stale = small.client.watch(configMaps, { namespace: 'default', resourceVersion: first.metadata.resourceVersion })
      await expect(take(stale, () => false)).rejects.toMatchObject({ status: 410, reason: 'Expired' })
      const page = await small.client.raw('GET', `/api/v1/configmaps?resourceVersion=${first.metadata.resourceVersion}&resourceVersionMatch=Exact`).catch((error: unknown) => error)
      expect(page).toMatchObject({ status: 410 })
    } finally {
      await small.stop()
    }
  })
})
