// The queue of builds: who sends many delays his own, and what is too much is told to come again.
import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { completeFramework } from '#api/default.ts'
import { names } from '#api/names.ts'
import { resources } from '#api/resources.ts'
import type { TImage } from '#api/types.ts'
import { silentLogger } from '#base/log.ts'
import { imageEnv } from '../../imagebuilder/env.ts'
import { FairQueue } from '../../imagebuilder/service/fair-queue.ts'
import { startImageService, type ImageService } from '../../imagebuilder/service/service.ts'
import { namespace, startCluster, type TestCluster } from '../registry/cluster.ts'
import { faultyRegistry, type FaultyRegistry } from '../rig/faulty-registry.ts'
import type { OciRegistry } from '../../framework/local/oci/server.ts'
import { startOciRegistry, workbench, type Workbench } from './rig/image.ts'
import { packageOf } from './rig/packages.ts'

let cluster: TestCluster
let bench: Workbench
let registry: OciRegistry
let faulty: FaultyRegistry
let service: ImageService
let base: string

beforeAll(async () => {
  ;[cluster, bench] = await Promise.all([startCluster(), workbench()])
  registry = await startOciRegistry({ dir: bench.path('registry') })
  base = await bench.base(registry.address)
  faulty = await faultyRegistry(registry.address)
  await writeFile(bench.path('supervisor.json'), JSON.stringify(bench.supervisor))
  await cluster.client.create(resources.tframeworkconfigs, completeFramework({ name: names.framework, namespace }, { imageBuild: { maxBuildTime: 300 }, imageUpload: { registry: `${faulty.address}/tars`, secret: '' }, recordLimit: { timageRelease: 10, texitedPod: 10, tconfigHistory: 10 } }))
  service = await startImageService(imageEnv({ Namespace: namespace, PodName: 'tars-tarsimage-0', PodIP: '127.0.0.1', TARSIMAGE_PORT: '0', TARSIMAGE_WORKSPACE: bench.path('workspace'), TARSIMAGE_SUPERVISOR: bench.path('supervisor.json'), TARSIMAGE_BUILDS: '1', TARSIMAGE_QUEUE: '3', TARSIMAGE_SILENCE: '1' }), cluster.client, silentLogger)
}, 60_000)
afterAll(async () => {
  await service.stop()
  await faulty.stop()
  await registry.stop()
  await cluster.stop()
  await bench.clean()
})

const { serverType, file } = packageOf('tgz', randomBytes(1000))

async function build(app: string, server: string, wait: boolean): Promise<Response> {
  await cluster.client.create(resources.timages, { apiVersion: 'k8s.tars.io/v1beta3', kind: 'TImage', metadata: { name: `${app}-${server}`, namespace }, imageType: 'server' })
  const form = new FormData()
  for (const [name, value] of Object.entries({ ServerApp: app, ServerName: server, ServerType: serverType, ServerTag: 'v1', Secret: '', BaseImage: base, CreatePerson: 'me', Mark: '' })) form.set(name, value)
  form.set('ServerFile', new Blob([new Uint8Array(file)]), 'x.tgz')
  return fetch(`${service.url}/api/v1beta3/timage/${app}-${server}/building?wait=${wait}`, { method: 'POST', body: form })
}

test('one application does not stand before all others, and a full queue says when to come again', { timeout: 60_000 }, async () => {
  const held = faulty.plan('tars/many.s0', 'publish', 'slow', Infinity)
  const first = build('many', 's0', true)
  await held.first
  const order: string[] = []
  const watch = new AbortController()
  const watching = (async () => {
    for await (const { object } of cluster.client.watch<TImage>(resources.timages, { namespace, signal: watch.signal })) {
      const { metadata, build: state } = object as TImage
      if (state?.last?.phase === 'Done' && !order.includes(metadata.name)) order.push(metadata.name)
      if (order.length === 4) return
    }
  })()
  for (const [app, server] of [['many', 's1'], ['many', 's2'], ['one', 's0']] as const) expect((await build(app, server, false)).status).toBe(201)

  const refused = await build('late', 's0', true)
  expect([refused.status, ((await refused.json()) as { message: string }).message]).toEqual([429, expect.stringMatching(/^1 builds run and 3 wait; this would be number 4 in the queue \(try again in \d+ s\)$/)])
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
  expect((await cluster.client.get<TImage>(resources.timages, { namespace, name: 'late-s0' })).build).toBeUndefined()

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
