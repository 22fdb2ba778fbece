// The queue of builds: who sends many delays his own, and what is too much is told to come again.
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { resources } from '#api/resources.ts'
import type { TImage } from '#api/types.ts'
import { FairQueue } from '../../imagebuilder/service/fair-queue.ts'
import { namespace } from '../registry/cluster.ts'
import { packageOf } from './rig/packages.ts'
import { serviceBench, type ServiceBench } from './rig/service.ts'

let bench: ServiceBench

beforeAll(async () => {
  bench = await serviceBench({ TARSIMAGE_BUILDS: '1', TARSIMAGE_QUEUE: '3', TARSIMAGE_SILENCE: '5' })
})
afterAll(() => bench.stop())

const { serverType, file } = packageOf('tgz', randomBytes(1000))

async function build(app: string, server: string, wait: boolean): Promise<Response> {
  await bench.timage(`${app}-${server}`)
  return bench.build(`${app}-${server}`, { ServerApp: app, ServerName: server, ServerType: serverType }, file, `wait=${wait}`)
}

test('one application does not stand before all others, and a full queue says when to come again', async () => {
  const held = bench.faulty.plan('tars/many.s0', 'publish', 'slow', Infinity)
  const first = build('many', 's0', true)
  await held.first
  const order: string[] = []
  const watch = new AbortController()
  const watching = (async () => {
    for await (const { object } of bench.cluster.client.watch<TImage>(resources.timages, { namespace, signal: watch.signal })) {
      const { metadata, build: state } = object as TImage
      if (state?.last?.phase === 'Done' && !order.includes(metadata.name)) order.push(metadata.name)
      if (order.length === 4) return
    }
  })()
  for (const [app, server] of [['many', 's1'], ['many', 's2'], ['one', 's0']] as const) expect((await build(app, server, false)).status).toBe(201)

  const refused = await build('late', 's0', true)
  expect([refused.status, ((await refused.json()) as { message: string }).message]).toEqual([429, expect.stringMatching(/^1 builds run and 3 wait; this would be number 4 in the queue \(try again in \d+ s\)$/)])
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
  expect((await bench.read('late-s0')).build).toBeUndefined()

  held.lift()
  expect((await first).status).toBe(200)
  await watching
  watch.abort()
  expect(order).toEqual(['many-s0', 'one-s0', 'many-s1', 'many-s2'])
})

test('the turn goes to the owner of whom the fewest run, and of these to whose last turn is longest ago', async () => {
  const queue = new FairQueue(2, 100)
  const order: string[] = []
  const ends = new Map<string, () => void>()
  const send = (owner: string, name: string): Promise<void> => queue.run(owner, () => (order.push(name), new Promise<void>((resolve) => ends.set(name, resolve))), new AbortController().signal)
  const all = [send('a', 'a1'), send('a', 'a2'), send('a', 'a3'), send('b', 'b1'), send('c', 'c1'), send('b', 'b2')]
  for (const name of ['a1', 'a2', 'b1', 'c1', 'a3', 'b2']) {
    await expect.poll(() => ends.has(name)).toBe(true)
    ends.get(name)?.()
  }
  await Promise.all(all)
  expect(order).toEqual(['a1', 'a2', 'b1', 'c1', 'a3', 'b2'])
})
