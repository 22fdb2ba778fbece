// The resource API of tarsimage, by a tus client that nobody here wrote and by plain HTTP, against the embedded API server.
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readdir, writeFile } from 'node:fs/promises'
import { connect, createServer, type AddressInfo } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { Upload } from 'tus-js-client'
import { resources } from '#api/resources.ts'
import type { TImage, TImageBuildState } from '#api/types.ts'
import { silentLogger } from '#base/log.ts'
import { createKubeClient } from '#kube/client.ts'
import { leases } from '#kube/resources.ts'
import { composeImage } from '../../imagebuilder/compose.ts'
import { layerFromFiles } from '../../imagebuilder/layer.ts'
import { parseLocation } from '../../imagebuilder/oci/location.ts'
import { watchOrphans } from '../../imagebuilder/service/orphans.ts'
import type { ImageService } from '../../imagebuilder/service/service.ts'
import { TImageStore } from '../../imagebuilder/service/timage.ts'
import { namespace } from '../registry/cluster.ts'
import { faultProxy } from '../rig/fault-proxy.ts'
import { elf, tgz } from './rig/archives.ts'
import { runCrane } from './rig/image.ts'
import { serviceBench, type ServiceBench } from './rig/service.ts'

const file = tgz([{ name: 'HelloServer', mode: 0o755, content: elf() }, { name: 'data', content: randomBytes(300_000) }])
const sha256 = createHash('sha256').update(file).digest('hex')

let rig: ServiceBench
let cluster: ServiceBench['cluster']
let bench: ServiceBench['bench']
let faulty: ServiceBench['faulty']
let service: ImageService

beforeAll(async () => {
  rig = await serviceBench({ TARSIMAGE_MAX_UPLOAD: '5000000', TARSIMAGE_BUILDS: '1', TARSIMAGE_QUEUE: '2', TARSIMAGE_SILENCE: '30' })
  ;({ cluster, bench, faulty, service } = rig)
})
afterAll(() => rig.stop())

const start = (podName: string, more: Record<string, string> = {}): Promise<ImageService> => rig.start({ PodName: podName, ...more })

const timages = ['demo-helloserver', 'demo-other', 'second-helloserver']
beforeEach(async () => {
  for (const name of timages) {
    await cluster.client.delete(resources.timages, { namespace, name }).catch(() => {})
    await rig.timage(name)
  }
})

const timage = (name = 'demo-helloserver'): Promise<TImage> => rig.read(name)

interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Record<string, string | number | undefined> & { readonly builds?: readonly Record<string, string>[] }
}

async function call(method: string, path: string, body?: object, url = service.url): Promise<Answer> {
  const answer = await fetch(url + path, { method, ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }) })
  return { status: answer.status, headers: answer.headers, body: (await answer.json()) as Answer['body'] }
}

/** Uploads by tus. @returns the id */
function upload(content: Buffer, options: { readonly metadata?: Record<string, string>; readonly chunkSize?: number; readonly onChunk?: (upload: Upload) => void } = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const one = new Upload(content, {
      endpoint: `${service.url}/v1/uploads`, metadata: { filename: 'HelloServer.tgz', ...options.metadata }, chunkSize: options.chunkSize ?? Infinity, retryDelays: null,
      onError: reject, onSuccess: () => resolve(one.url?.split('/').at(-1) ?? ''), ...(options.onChunk && { onChunkComplete: () => options.onChunk?.(one) }),
    })
    one.start()
  })
}

const build = (id: string, more: object = {}): Promise<Answer> => call('POST', '/v1/builds', { upload: id, app: 'Demo', server: 'HelloServer', serverType: 'cpp', baseImage: 'cppbase', ...more })

interface ServerEvent {
  readonly id: number
  readonly event: string
  readonly data: Record<string, string | number>
}

/** The events of a build until the stream ends, or until one that `stop` wants. */
async function events(id: string, { after = 0, stop = (): boolean => false, url = service.url }: { after?: number; stop?: (event: ServerEvent) => boolean; url?: string } = {}): Promise<ServerEvent[]> {
  const answer = await fetch(`${url}/v1/builds/${id}/events`, { headers: after === 0 ? {} : { 'last-event-id': String(after) } })
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/event-stream'])
  const heard: ServerEvent[] = []
  let text = ''
  for await (const part of answer.body ?? []) {
    text += Buffer.from(part).toString()
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const fields = new Map(text.slice(0, end).split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]))
      text = text.slice(end + 2)
      if (!fields.has('event')) continue
      const event = { id: Number(fields.get('id')), event: fields.get('event') ?? '', data: JSON.parse(fields.get('data') ?? '') as ServerEvent['data'] }
      heard.push(event)
      if (stop(event)) return heard
    }
  }
  return heard
}

const ended = async (id: unknown): Promise<Answer['body']> => {
  await events(String(id))
  return (await call('GET', `/v1/builds/${String(id)}`)).body
}

/** A build that stands still because its registry does not answer. */
async function held(repository: string, more: object = {}): Promise<{ readonly id: string; lift(): void }> {
  const plan = faulty.plan(repository, 'publish', 'slow', Infinity)
  const { body } = await build(await upload(file), more)
  await plan.first
  return { id: String(body['id']), lift: plan.lift }
}

describe('uploads and builds', () => {
  test('a package in chunks, with its checksum, becomes a release', async () => {
    let chunks = 0
    const id = await upload(file, { metadata: { sha256 }, chunkSize: 100_000, onChunk: () => chunks++ })
    expect(chunks).toBe(Math.ceil(file.length / 100_000))
    const accepted = await build(id, { tag: 'v7', createPerson: 'me', mark: 'by the API', sha256 })
    expect(accepted).toMatchObject({ status: 202, body: { timage: 'demo-helloserver', image: `${faulty.address}/tars/demo.helloserver:v7`, upload: id, handler: 'tars-tarsimage-0' } })
    expect(accepted.headers.get('location')).toBe(`/v1/builds/${accepted.body['id']}`)
    const done = await ended(accepted.body['id'])
    expect(done).toMatchObject({ phase: 'Done', message: 'Success', digest: expect.stringMatching(/^sha256:/) })
    expect((await runCrane('digest', `${faulty.address}/tars/demo.helloserver:v7`)).trim()).toBe(done['digest'])
    expect((await timage()).releases).toMatchObject([{ id: accepted.body['id'], createPerson: 'me', mark: 'by the API' }])
    expect(await readdir(bench.path('workspace/resumable/tars-tarsimage-0'))).toEqual([])
  })

  test('an upload that was cut is resumed, even by another life of the builder', async () => {
    const mine = await start('tars-tarsimage-cut')
    const created = await fetch(`${mine.url}/v1/uploads`, { method: 'POST', headers: { 'tus-resumable': '1.0.0', 'upload-length': String(file.length), 'upload-metadata': `filename ${Buffer.from('HelloServer.tgz').toString('base64')}` } })
    const path = created.headers.get('location') ?? ''
    const patch = (url: string, offset: number, part: Buffer): Promise<Response> => fetch(url + path, { method: 'PATCH', body: new Uint8Array(part), headers: { 'tus-resumable': '1.0.0', 'upload-offset': String(offset), 'content-type': 'application/offset+octet-stream' } })
    expect((await patch(mine.url, 0, file.subarray(0, 1000))).headers.get('upload-offset')).toBe('1000')
    const early = await call('POST', '/v1/builds', { upload: path.split('/').at(-1), app: 'Demo', server: 'HelloServer', serverType: 'cpp' }, mine.url)
    expect(early).toMatchObject({ status: 409, body: { code: 'UPLOAD_UNFINISHED', title: expect.stringContaining(`has 1000 of ${file.length} bytes`), remedy: 'send the rest by PATCH' } })
    await mine.stop()
    const again = await start('tars-tarsimage-cut')
    const head = await fetch(again.url + path, { method: 'HEAD', headers: { 'tus-resumable': '1.0.0' } })
    expect([head.status, head.headers.get('upload-offset')]).toEqual([200, '1000'])
    expect((await patch(again.url, 500, file.subarray(500))).status).toBe(409)
    expect((await patch(again.url, 1000, file.subarray(1000))).status).toBe(204)
    const { body } = await call('POST', '/v1/builds', { upload: path.split('/').at(-1), app: 'Demo', server: 'HelloServer', serverType: 'cpp', sha256 }, again.url)
    expect((await events(String(body['id']), { url: again.url })).at(-1)).toMatchObject({ event: 'phase', data: { phase: 'Done', message: 'Success' } })
    await again.stop()
  })

  test('a checksum that is not met, at the upload and at the build', async () => {
    await expect(upload(file, { metadata: { sha256: '0'.repeat(64) } })).rejects.toThrow(/460[^]*does not have the announced sha256/)
    const id = await upload(file)
    expect(await build(id, { sha256: '1'.repeat(64) })).toMatchObject({ status: 422, body: { code: 'CHECKSUM_MISMATCH', title: expect.stringContaining(sha256) } })
    expect((await build(id, { sha256 })).status).toBe(202)
  })

  test('an upload above the limit is refused before it begins', async () => {
    await expect(upload(Buffer.alloc(5_000_001))).rejects.toThrow(/413/)
  })

  test('a question above the limit of questions is refused, however large packages may be', async () => {
    expect(await build('0'.repeat(2 << 20))).toMatchObject({ status: 413, body: { code: 'REQUEST_INVALID' } })
  })

  test('what a build has cannot be taken or changed', async () => {
    const plan = faulty.plan('tars/demo.helloserver', 'publish', 'slow', Infinity)
    const id = await upload(file)
    const first = await build(id)
    await plan.first
    expect(await build(id, { app: 'Second' })).toMatchObject({ status: 409, body: { code: 'UPLOAD_IN_USE' } })
    expect(await call('POST', `/v1/builds/${first.body['id']}/retry`)).toMatchObject({ status: 409, body: { code: 'BUILD_NOT_ENDED' } })
    const gone = await fetch(`${service.url}/v1/uploads/${id}`, { method: 'DELETE', headers: { 'tus-resumable': '1.0.0' } })
    expect(gone.status).toBe(409)
    await call('POST', `/v1/builds/${first.body['id']}/cancel`)
    plan.lift()
    expect((await fetch(`${service.url}/v1/uploads/${id}`, { method: 'DELETE', headers: { 'tus-resumable': '1.0.0' } })).status).toBe(204)
  })
})

describe('what a build tells', () => {
  test('phases, notes and progress, in order, from the beginning or from an event on', async () => {
    const { body } = await build(await upload(file))
    const all = await events(String(body['id']))
    const phases = all.filter(({ event }) => event === 'phase').map(({ data }) => data['phase'])
    expect(phases.filter((phase, index) => phase !== phases[index - 1])).toEqual(['Pending', 'Preparing', 'Submitting', 'Building', 'Pushing', 'Done'])
    const notes = all.filter(({ event }) => event === 'note').map(({ data }) => String(data['message']))
    expect(notes).toEqual(expect.arrayContaining([expect.stringMatching(/^base image .*\/tars\/base:amd64 for linux\/amd64 is sha256:/), expect.stringMatching(/^the supervisor layer (present|mounted|copied)$/), expect.stringMatching(/^package: 2 files, \d+ bytes, \d+ compressed$/), expect.stringMatching(/^image .* is sha256:/)]))
    expect(all.filter(({ event }) => event === 'progress').at(-1)?.data).toMatchObject({ read: file.length, size: file.length })
    const ids = all.map(({ id }) => id)
    expect(ids).toEqual(ids.toSorted((a, b) => a - b))
    // Of reports of progress, only the latest are kept.
    const middle = all.find(({ data }) => data['phase'] === 'Building')?.id ?? 0
    const lasting = (heard: readonly ServerEvent[]): number[] => heard.filter(({ event, id }) => event !== 'progress' && id > middle).map(({ id }) => id)
    expect(lasting(await events(String(body['id']), { after: middle }))).toEqual(lasting(all))
  })

  test('live: a build that stands still is heard standing, and its end is heard', async () => {
    const { id, lift } = await held('tars/demo.helloserver')
    const until = await events(id, { stop: ({ data }) => data['phase'] === 'Pushing' })
    const rest = events(id, { after: until.at(-1)?.id ?? 0 })
    lift()
    await call('POST', `/v1/builds/${id}/cancel`, { person: 'me' })
    expect((await rest).map(({ data }) => [data['phase'], data['message']])).toEqual([['Failed', 'cancelled by me (build again)']])
  })

  test('a build of another pod: its phases', async () => {
    const other = await start('tars-tarsimage-1')
    const { id, lift } = await held('tars/demo.helloserver')
    const heard = events(id, { url: other.url })
    await expect.poll(async () => (await call('GET', `/v1/builds/${id}`, undefined, other.url)).body).toMatchObject({ id, phase: 'Pushing', handler: 'tars-tarsimage-0' })
    lift()
    await call('POST', `/v1/builds/${id}/cancel`)
    const last = (await heard).at(-1)
    expect([last?.event, last?.data]).toEqual(['phase', { phase: 'Failed', message: 'cancelled (build again)' }])
    await other.stop()
  })
})

describe('cancel, retry, list', () => {
  test('a build that waits has a place, and is cancelled without a turn', async () => {
    const { id, lift } = await held('tars/demo.helloserver')
    const waiting = await build(await upload(file), { server: 'Other' })
    const third = await build(await upload(file), { app: 'Second' })
    expect([waiting.body['position'], third.body['position']]).toEqual([0, 0])
    // Second has had no turn yet, Demo runs one: so it comes first.
    expect((await call('GET', `/v1/builds/${waiting.body['id']}`)).body).toMatchObject({ phase: 'Pending', position: 1 })
    const full = await build(await upload(file), { app: 'Second' })
    expect([full.status, full.body['code'], Number(full.headers.get('retry-after')) > 0]).toEqual([429, 'QUEUE_FULL', true])
    expect(await call('POST', `/v1/builds/${waiting.body['id']}/cancel`, { person: 'me' })).toMatchObject({ status: 202, body: { phase: 'Failed', message: expect.stringContaining('cancelled by me') } })
    expect((await timage('demo-other')).build).toMatchObject({ last: { phase: 'Failed', message: expect.stringContaining('cancelled by me') } })
    expect(await call('POST', `/v1/builds/${waiting.body['id']}/cancel`)).toMatchObject({ status: 409, body: { code: 'BUILD_ENDED' } })
    await call('POST', `/v1/builds/${id}/cancel`)
    lift()
    expect(await ended(third.body['id'])).toMatchObject({ phase: 'Done', message: 'Success' })
  })

  test('another pod cancels, too: the builder gives up', async () => {
    const other = await start('tars-tarsimage-2')
    const plan = faulty.plan('tars/demo.helloserver', 'commit', 'slow', Infinity)
    const { body } = await build(await upload(file))
    await plan.first
    expect(await call('POST', `/v1/builds/${body['id']}/cancel`, { person: 'you' }, other.url)).toMatchObject({ status: 202, body: { phase: 'Failed', message: 'cancelled by you (build again)' } })
    await other.stop()
    expect(await ended(body['id'])).toMatchObject({ phase: 'Failed', message: expect.stringContaining('was ended from outside') })
    plan.lift()
    expect((await timage()).releases ?? []).toEqual([])
    expect((await timage()).build?.last?.message).toBe('cancelled by you (build again)')
  })

  test('a build that failed is tried again from its upload', async () => {
    const plan = faulty.plan('tars/demo.helloserver', 'publish', '401', Infinity)
    const { body } = await build(await upload(file), { tag: 'again' })
    expect(await ended(body['id'])).toMatchObject({ phase: 'Failed', message: expect.stringContaining('refused the credentials') })
    plan.lift()
    const second = await call('POST', `/v1/builds/${body['id']}/retry`)
    expect(second.status).toBe(202)
    expect(second.body['id']).not.toBe(body['id'])
    expect(await ended(second.body['id'])).toMatchObject({ phase: 'Done', message: 'Success', image: `${faulty.address}/tars/demo.helloserver:again` })
    expect(await call('POST', `/v1/builds/${second.body['id']}/retry`)).toMatchObject({ status: 409 })
    expect(await call('POST', `/v1/builds/${body['id']}/retry`)).toMatchObject({ status: 404, body: { code: 'UPLOAD_NOT_FOUND' } })
  })

  test('the list has the latest of each TImage, newest first', async () => {
    const first = await build(await upload(file))
    await ended(first.body['id'])
    const second = await build(await upload(file), { app: 'Second' })
    await ended(second.body['id'])
    const ids = async (query: string): Promise<unknown[]> => ((await call('GET', `/v1/builds${query}`)).body.builds ?? []).map(({ id }) => id)
    expect(await ids('')).toEqual([second.body['id'], first.body['id']])
    expect(await ids('?limit=1')).toEqual([second.body['id']])
    expect(await ids('?timage=demo-helloserver')).toEqual([first.body['id']])
    expect(await ids('?phase=Failed')).toEqual([])
    expect(await call('GET', '/v1/builds?timage=none')).toMatchObject({ status: 404, body: { code: 'TIMAGE_MISSING' } })
  })
})

describe('rebases', () => {
  test('the releases of servers get a new base, and those that cannot are named', async () => {
    for (const more of [{}, { app: 'Second' }]) await ended((await build(await upload(file), more)).body['id'])
    const layer = await layerFromFiles([{ path: '/etc/mended', content: 'CVE' }], bench.path('mended.tar.gz'))
    const { image: to } = await composeImage({ layers: [layer], destination: parseLocation(`${faulty.address}/tars/base:mended`), platform: { os: 'linux', architecture: 'amd64' } })
    const before = await timage()
    const { status, body } = await call('POST', '/v1/rebases', { timages: ['demo-helloserver', 'demo-other', 'cppbase', 'none', 'second-helloserver'], baseImage: to, createPerson: 'me' })
    const { rebases } = body as unknown as { rebases: { timage: string; release?: string; image?: string; from?: string; digest?: string; code?: string }[] }
    expect([status, rebases.map(({ timage: name, code, from }) => [name, code ?? from])]).toEqual([200, [['demo-helloserver', before.releases?.[0]?.id], ['demo-other', 'RELEASE_MISSING'], ['cppbase', 'TIMAGE_TYPE'], ['none', 'TIMAGE_MISSING'], ['second-helloserver', expect.stringMatching(/^v/)]]])
    const after = await timage()
    expect(after.releases).toMatchObject([{ id: rebases[0]?.release, image: rebases[0]?.image, createPerson: 'me', mark: `rebased from ${before.releases?.[0]?.id}` }, before.releases?.[0] ?? {}])
    expect((await runCrane('digest', rebases[0]?.image ?? '')).trim()).toBe(rebases[0]?.digest)
    expect(await runCrane('validate', '--remote', rebases[0]?.image ?? '')).toMatch(/^PASS/)
    expect((await call('POST', '/v1/rebases', { timages: ['demo-helloserver'], baseImage: to })).body).toMatchObject({ rebases: [{ unchanged: true }] })
  })

  test('the release that the server runs, and the newest supervisor under it', async () => {
    for (const tag of ['first', 'second']) await ended((await build(await upload(file), { tag })).body['id'])
    const [second, first] = (await timage()).releases ?? []
    await cluster.client.create(resources.tservers, { apiVersion: 'k8s.tars.io/v1beta3', kind: 'TServer', metadata: { name: 'demo-helloserver', namespace }, spec: { app: 'Demo', server: 'HelloServer', subType: 'normal', normal: { ports: [] }, k8s: {}, release: { id: first?.id, image: first?.image } } } as never)
    const newer = await layerFromFiles([{ path: '/tarsnode/tarsnode.mjs', content: '// newer' }], bench.path('newer.tar.gz'))
    await writeFile(bench.path('newer.json'), JSON.stringify({ ...bench.supervisor, ...newer }))
    const other = await start('tars-tarsimage-newer', { TARSIMAGE_SUPERVISOR: bench.path('newer.json') })
    const { body } = await call('POST', '/v1/rebases', { timages: ['demo-helloserver'], supervisor: true }, other.url)
    await other.stop()
    await cluster.client.delete(resources.tservers, { namespace, name: 'demo-helloserver' })
    expect(second?.id).not.toBe(first?.id)
    expect(body).toMatchObject({ rebases: [{ timage: 'demo-helloserver', from: first?.id, release: expect.stringMatching(/^v/) }] })
  })

  test('nothing to do, and a base that is not there', async () => {
    expect(await call('POST', '/v1/rebases', { timages: ['demo-helloserver'] })).toMatchObject({ status: 400, body: { code: 'FORM_INVALID', remedy: 'send baseImage, supervisor, or both' } })
    expect(await call('POST', '/v1/rebases', { timages: ['demo-helloserver'], baseImage: 'nobase' })).toMatchObject({ status: 400, body: { code: 'BASE_IMAGE_MISSING' } })
  })
})

describe('bad input', () => {
  test.each<[string, object, number, string]>([
    ['no upload', { upload: 'abc' }, 404, 'UPLOAD_NOT_FOUND'],
    ['a path for an upload', { upload: '../../etc' }, 404, 'UPLOAD_NOT_FOUND'],
    ['a type that is none', { serverType: 'cobol' }, 400, 'REQUEST_INVALID'],
    ['a name that is none', { app: '1x' }, 400, 'NAME_INVALID'],
    ['an unknown TImage', { app: 'Unknown' }, 404, 'TIMAGE_MISSING'],
    ['a base for another type', { serverType: 'nodejs' }, 400, 'BASE_IMAGE_TYPE'],
  ])('%s', async (_name, more, status, code) => {
    expect(await build(await upload(file), more)).toMatchObject({ status, body: { status, code } })
  })

  test('a file that is no package, and fields that are missing', async () => {
    expect(await build(await upload(randomBytes(1000)))).toMatchObject({ status: 400, body: { code: 'PACKAGE_FORMAT', title: expect.stringContaining('HelloServer.tgz') } })
    expect(await call('POST', '/v1/builds', { upload: 'a' })).toMatchObject({ status: 400, body: { title: expect.stringContaining("required property 'app'") } })
    expect(await call('GET', '/v1/builds/none')).toMatchObject({ status: 404, body: { code: 'BUILD_NOT_FOUND' } })
  })
})

test('the OpenAPI document describes the routes', async () => {
  const { status, body } = await call('GET', '/v1/openapi.json')
  const { openapi, paths } = body as unknown as { openapi: string; paths: Record<string, object> }
  expect([status, openapi]).toEqual([200, '3.1.0'])
  expect(Object.keys(paths)).toEqual(expect.arrayContaining(['/v1/uploads', '/v1/uploads/{id}', '/v1/builds', '/v1/builds/{id}', '/v1/builds/{id}/events', '/v1/builds/{id}/cancel', '/v1/builds/{id}/retry', '/v1/rebases']))
})

const buildOf = (handler: string, id: string): TImageBuildState => ({ id, image: 'a/b:c', secret: '', baseImage: 'a/b:c', baseImageSecret: '', serverType: 'cpp', createPerson: '', createTime: new Date().toISOString(), mark: '', phase: 'Building', message: 'building image', handler })

test('a build whose builder is gone is failed by another; one whose builder lives is not', async () => {
  const store = new TImageStore(cluster.client, namespace)
  const quick = { client: cluster.client, namespace, timages: store, log: silentLogger, patienceMs: 4500, lookMs: 50 }
  const alive = await watchOrphans({ ...quick, podName: 'alive' })
  const dead = await watchOrphans({ ...quick, podName: 'dead' })
  await store.begin('demo-helloserver', buildOf('alive', 'kept'))
  await store.begin('demo-other', buildOf('dead', 'orphan'))
  await store.begin('second-helloserver', buildOf('never-was', 'ghost'))
  const watcher = await watchOrphans({ ...quick, podName: 'watcher' })
  // Its lease is given back, and is renewed no more.
  await dead.stop()
  for (const [name, handler] of [['demo-other', 'dead'], ['second-helloserver', 'never-was']] as const) {
    await expect.poll(async () => (await timage(name)).build?.last).toMatchObject({ phase: 'Failed', message: `the builder ${handler} is gone; build again` })
  }
  expect((await timage()).build?.running?.id).toBe('kept')
  await Promise.all([alive.stop(), watcher.stop()])
})

test('an end that the API server does not take for a while is written when it does', async () => {
  const { server } = cluster.api.config
  const { hostname, port } = new URL(server)
  // More than a build is reported with.
  let refused = 0
  const way = createServer((socket) => {
    if (refused++ < 10) return socket.resetAndDestroy()
    const onward = connect(Number(port), hostname)
    pipeline(socket, onward, socket).catch(() => {})
  }).listen(0, '127.0.0.1')
  await once(way, 'listening')
  const client = createKubeClient({ ...cluster.api.config, server: server.replace(new URL(server).host, `127.0.0.1:${(way.address() as AddressInfo).port}`) })
  try {
    await new TImageStore(cluster.client, namespace).begin('demo-helloserver', buildOf('far', 'b1'))
    await new TImageStore(client, namespace).succeed('demo-helloserver', 'b1', { id: 'b1', image: 'a/b:c', secret: '', createPerson: '', createTime: new Date().toISOString(), mark: '' }, 10)
    expect(refused).toBeGreaterThan(10)
    expect(await timage()).toMatchObject({ build: { last: { id: 'b1', phase: 'Done' } }, releases: [{ id: 'b1' }] })
  } finally {
    client.close()
    way.close()
  }
})

test('while the API server is away no builder is gone', async () => {
  const { server } = cluster.api.config
  const way = await faultProxy(new URL(server).host)
  const client = createKubeClient({ ...cluster.api.config, server: server.replace(new URL(server).host, way.address) })
  const store = new TImageStore(cluster.client, namespace)
  const patienceMs = 4500
  const quick = { client, namespace, timages: new TImageStore(client, namespace), log: silentLogger, patienceMs, lookMs: 50 }
  const lease = async (): Promise<string | undefined> => ((await cluster.client.get(leases, { namespace, name: 'tarsimage-far' }).catch(() => undefined))?.['spec'] as { renewTime?: string } | undefined)?.renewTime
  const far = await watchOrphans({ ...quick, podName: 'far' })
  await store.begin('demo-helloserver', buildOf('far', 'kept'))
  const watcher = await watchOrphans({ ...quick, podName: 'watcher' })
  try {
    const first = await lease()
    await expect.poll(lease).not.toBe(first)
    way.refuse(true)
    await delay(1.5 * patienceMs)
    const last = await lease()
    way.refuse(false)
    await expect.poll(lease).not.toBe(last)
    expect((await timage()).build?.running?.id).toBe('kept')
  } finally {
    await Promise.all([far.stop(), watcher.stop()])
    client.close()
    await way.stop()
  }
})
