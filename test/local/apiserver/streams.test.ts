// Answers that go on: pod logs, bookmarks; and what bounds the disk.
import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { configMaps, events, pods } from '#kube/resources.ts'
import type { PodLogRequest } from '../../../framework/local/apiserver/server.ts'
import { eventually, startTestCluster } from '../../rig/kube.ts'
import type { TestCluster } from '../../rig/kube.ts'

let cluster: TestCluster
let asked: PodLogRequest[]
const namespace = 'default'

/** A log of ten lines, which goes on for ever when followed. */
async function* lines({ tailLines = 10, follow, container, signal }: PodLogRequest): AsyncGenerator<string> {
  for (let index = 10 - tailLines; index < 10; index++) yield `${container} line ${index}\n`
  while (follow === true && !signal.aborted) {
    yield `${container} more\n`
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

beforeAll(async () => {
  asked = []
  cluster = await startTestCluster({
    bookmarkMs: 30, eventTtlMs: 500,
    podLogs(request) {
      asked.push(request)
      return Readable.from(lines(request))
    },
  })
  const container = (name: string) => ({ name, image: 'x' })
  await cluster.client.create(pods, { metadata: { name: 'one', namespace }, spec: { containers: [container('main')] } } as never)
  await cluster.client.create(pods, { metadata: { name: 'two', namespace }, spec: { containers: [container('a'), container('b')] } } as never)
})
afterAll(() => cluster.stop())

describe('kubectl logs', () => {
  it('shows the log, or its tail, of the only or the named container', async () => {
    expect((await cluster.kubectl(['logs', 'one'])).stdout.split('\n')).toHaveLength(11)
    expect((await cluster.kubectl(['logs', 'one', '--tail=2'])).stdout).toBe('main line 8\nmain line 9\n')
    expect((await cluster.kubectl(['logs', 'two', '-c', 'b', '--tail=1', '--previous', '--timestamps', '--since=5m'])).stdout).toBe('b line 9\n')
    expect(asked.at(-1)).toMatchObject({ namespace, name: 'two', container: 'b', previous: true, timestamps: true, sinceSeconds: 300, follow: false })
  })
  it('follows until the client goes, which the source hears of', async () => {
    const following = cluster.kubectlProcess(['logs', '-f', 'one', '--tail=1'])
    let text = ''
    following.stdout?.on('data', (chunk: Buffer) => (text += chunk.toString()))
    await eventually(() => text.split('more').length > 3, 'the log goes on')
    following.kill()
    await eventually(() => asked.at(-1)?.signal.aborted, 'the source was told')
  })
  it('refuses what it cannot show', async () => {
    await expect(cluster.client.raw('GET', `/api/v1/namespaces/${namespace}/pods/two/log`)).rejects.toMatchObject({ status: 400, message: 'a container name must be specified for pod two, choose one of: [a b]' })
    await expect(cluster.client.raw('GET', `/api/v1/namespaces/${namespace}/pods/two/log?container=c`)).rejects.toMatchObject({ status: 400 })
    await expect(cluster.client.raw('GET', `/api/v1/namespaces/${namespace}/pods/none/log`)).rejects.toMatchObject({ status: 404 })
    await expect(cluster.client.raw('GET', `/api/v1/namespaces/${namespace}/pods/one/log?tailLines=x`)).rejects.toMatchObject({ status: 400 })
  })
})

describe('bookmarks', () => {
  it('carry the version that a quiet watch has reached', async () => {
    const { metadata } = await cluster.client.list(configMaps, { namespace })
    const watch = cluster.client.watch(configMaps, { namespace, labelSelector: 'none=none', resourceVersion: metadata.resourceVersion })
    const made = await cluster.client.create(configMaps, { metadata: { name: 'elsewhere', namespace } })
    for await (const event of watch) {
      expect(event.type).toBe('BOOKMARK')
      if (Number(event.object.metadata.resourceVersion) >= Number(made.metadata.resourceVersion)) break
    }
  })
})

describe('bounds', () => {
  it('expire events that nothing is added to', async () => {
    await cluster.client.create(events, { metadata: { name: 'old', namespace }, involvedObject: { kind: 'Pod', name: 'one', namespace }, reason: 'Old' } as never)
    await eventually(async () => (await cluster.client.list(events, { namespace })).items.length === 0, 'the event is gone')
  })
  it('refuse bodies that are too large', async () => {
    const data = { big: 'x'.repeat(3 * 1024 * 1024) }
    await expect(cluster.client.create(configMaps, { metadata: { name: 'big', namespace }, data } as never)).rejects.toSatisfy((error) => [0, 413].includes((error as { status: number }).status))
    await expect(cluster.client.list(configMaps)).resolves.toBeDefined()
  })
})
