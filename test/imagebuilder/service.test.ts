// tarsimage as a role: the old multipart call against the embedded API server and a registry.
import { generateKeyPairSync } from 'node:crypto'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { resources } from '#api/resources.ts'
import type { TImage, TImageBuildState } from '#api/types.ts'
import { secrets } from '#kube/resources.ts'
import type { ImageService } from '../../imagebuilder/service/service.ts'
import { namespace } from '../registry/cluster.ts'
import { elf, tgz } from './rig/archives.ts'
import { listing, runCrane } from './rig/image.ts'
import { serviceBench, type ServiceBench } from './rig/service.ts'

const server = { name: 'Top/HelloServer', mode: 0o755, content: elf() }

let rig: ServiceBench
let cluster: ServiceBench['cluster']
let bench: ServiceBench['bench']
/** host:port of the registry, as the service knows it. */
let registry: string
let service: ImageService

beforeAll(async () => {
  rig = await serviceBench({ TARSIMAGE_MAX_UPLOAD: '5000000', TARSIMAGE_BUILDS: '1', TARSIMAGE_QUEUE: '1' }, { credentials: { username: 'tars', password: 'secret' } })
  ;({ cluster, bench, service } = rig)
  registry = rig.faulty.address
})
afterAll(() => rig.stop())

beforeEach(async () => {
  await cluster.client.delete(resources.timages, { namespace, name: 'demo-helloserver' }).catch(() => {})
  await rig.timage('demo-helloserver')
})

const timage = (): Promise<TImage> => rig.read('demo-helloserver')

interface Answer {
  readonly code: number
  readonly body: { status: number; message: string; handler: string; result?: { id: string; image: string; secret: string; source: string } }
}

/** The call as TarsWeb makes it: names in lower case, the file among the fields. */
async function post(file: Buffer, fields: Record<string, string> = {}, query = 'wait=true'): Promise<Answer> {
  const form = new FormData()
  for (const [name, value] of Object.entries({ ServerApp: 'demo', ServerName: 'helloserver', ServerType: 'cpp', ServerTag: '', ...fields })) form.set(name, value)
  form.set('ServerFile', new Blob([new Uint8Array(file)]), 'HelloServer.tgz')
  for (const [name, value] of Object.entries({ Secret: '', BaseImage: 'cppbase', CreatePerson: 'me', Mark: 'first\nrelease', ...fields })) form.set(name, value)
  const answer = await fetch(`${service.url}/api/v1beta2/timage/demo-helloserver/building?${query}`, { method: 'POST', body: form })
  return { code: answer.status, body: (await answer.json()) as Answer['body'] }
}

describe('the building call', () => {
  test('waits, answers 200, and leaves a release', async () => {
    const { code, body } = await post(tgz([server]))
    expect([code, body.status, body.message, body.handler]).toEqual([200, 200, 'OK', 'tars-tarsimage-0'])
    expect(body.result).toEqual({ id: expect.stringMatching(/^v\d{14}-[0-9a-f]{1,8}-[0-9a-f]{4}$/), image: `${registry}/tars/demo.helloserver:${body.result?.id}`, secret: '', source: 'demo-helloserver' })
    const { releases, build } = await timage()
    expect(releases).toEqual([{ id: body.result?.id, image: body.result?.image, secret: 'push', createPerson: 'me', mark: 'first\r\nrelease', createTime: expect.stringMatching(/Z$/) }])
    expect(build?.running).toBeUndefined()
    expect(build?.last).toMatchObject({ id: body.result?.id, phase: 'Done', message: 'Success', handler: 'tars-tarsimage-0', baseImage: `${registry}/tars/base:amd64`, serverType: 'cpp' })
    await runCrane('auth', 'login', registry, '-u', 'tars', '-p', 'secret')
    expect(await runCrane('validate', '--remote', body.result?.image ?? '')).toMatch(/^PASS/)
    expect(await listing(body.result?.image ?? '', bench.dir)).toContain('-rwxr-xr-x 0/0 64 1970-01-01 00:00:00 usr/local/server/bin/HelloServer')
    await runCrane('auth', 'logout', registry)
    expect(await readdir(bench.path('workspace/upload/tars-tarsimage-0'))).toEqual([])
  })

  test('without waiting answers 201 and goes through the phases', async () => {
    const phases: (string | undefined)[] = []
    const abort = new AbortController()
    const opened = Promise.withResolvers<void>()
    const watching = (async () => {
      for await (const event of cluster.client.watch<TImage>(resources.timages, { namespace, fieldSelector: 'metadata.name=demo-helloserver', signal: abort.signal, onOpen: opened.resolve })) {
        const { running, last } = (event.object as TImage).build ?? {}
        const phase = (running ?? last)?.phase
        if (phase !== undefined && phase !== phases.at(-1)) phases.push(phase)
        if (phase === 'Done' || phase === 'Failed') return
      }
    })()
    await opened.promise
    // A phase that is over before the one before it is written is not written.
    const first = rig.faulty.plan('tars/demo.helloserver', 'commit', 'late', 1)
    const { code, body } = await post(tgz([server]), { ServerTag: 'v-1700000000' }, '')
    expect([code, body.message, body.result?.image]).toEqual([201, 'Created', `${registry}/tars/demo.helloserver:v-1700000000`])
    await expect.poll(() => phases.at(-1)).toBe('Building')
    const second = rig.faulty.plan('tars/demo.helloserver', 'publish', 'late', 1)
    first.lift()
    await expect.poll(() => phases.at(-1)).toBe('Pushing')
    second.lift()
    await watching
    abort.abort()
    expect(phases).toEqual(['Pending', 'Preparing', 'Submitting', 'Building', 'Pushing', 'Done'])
  })

  test('the base image may be a reference with its own secret, or be chosen by type', async () => {
    expect((await post(tgz([server]), { BaseImage: `${registry}/tars/base:amd64`, BaseImageSecret: 'push' })).code).toBe(200)
    expect((await post(tgz([server]), { BaseImage: '' })).code).toBe(200)
    expect((await timage()).releases).toHaveLength(2)
  })

  test('a script that starts the server may be named by the call, and by the profile of its TServer', async () => {
    const image = { ServerType: 'php', BaseImage: `${registry}/tars/base:amd64`, BaseImageSecret: 'push' }
    const file = tgz([{ name: 'web/run.php', content: '<?php' }])
    expect((await post(file, image)).body.message).toMatch(/lacks src\/index\.php; .*where the key entrance of the server's profile names another script, say it by --entrance, or the form field Entrance\)$/)
    expect((await post(file, { ...image, Entrance: 'web/run.php' })).code).toBe(200)
    await cluster.client.create(resources.tservers, { apiVersion: 'k8s.tars.io/v1beta3', kind: 'TServer', metadata: { name: 'demo-helloserver', namespace }, spec: { app: 'Demo', server: 'HelloServer', subType: 'tars', tars: { template: 'tars.php', profile: '<tars>\n<application>\n<server>\n  entrance = web/run.php\r\n</server>\n</application>\n</tars>\n', servants: [] }, k8s: {} } } as never)
    expect((await post(file, image)).code).toBe(200)
    await cluster.client.delete(resources.tservers, { namespace, name: 'demo-helloserver' })
  })

  test('releases are kept to the limit, newest first, and none that others write is lost', async () => {
    const old = Array.from({ length: 10 }, (_, index) => ({ id: `old-${index}`, image: `r/x:${index}` }))
    await cluster.client.patch(resources.timages, { namespace, name: 'demo-helloserver' }, { releases: old })
    const { body } = await post(tgz([server]))
    const { releases = [] } = await timage()
    expect(releases.map((release) => release.id)).toEqual([body.result?.id, ...old.slice(0, 9).map((release) => release.id)])
  })

  test.each<[string, Buffer, Record<string, string>, number, RegExp]>([
    ['no archive', Buffer.from('text'), {}, 400, /^package HelloServer\.tgz is not an archive \(pack the release/],
    ['a bad type', tgz([server]), { ServerType: 'cobol' }, 400, /ServerType "cobol" is not a server type .*cpp, go/],
    ['a bad name', tgz([server]), { ServerApp: '../x' }, 400, /ServerApp "\.\.\/x" is not/],
    ['the package of another server', tgz([server]), { ServerApp: 'Other' }, 400, /ServerName says Other\.helloserver, whose TImage is other-helloserver and not demo-helloserver/],
    ['the package of another server of the application', tgz([server]), { ServerName: 'hello' }, 400, /ServerName says demo\.hello, .* \(send the package to TImage demo-hello, or correct/],
    ['a bad tag', tgz([server]), { ServerTag: 'a b' }, 400, /ServerTag "a b" is not an image tag/],
    ['a missing field', tgz([server]), { ServerName: '' }, 400, /ServerName is missing/],
    ['a newline in BaseImage', tgz([server]), { BaseImage: 'a\nb' }, 400, /BaseImage has control characters/],
    ['a base image in a folder of the builder', tgz([server]), { BaseImage: 'oci:/etc' }, 400, /"oci:\/etc" is not an image reference/],
    ['a base image in a file of the builder', tgz([server]), { BaseImage: 'docker-archive:/etc/passwd' }, 400, /"docker-archive:\/etc\/passwd" is not an image reference/],
    ['too much', Buffer.alloc(7_000_000), {}, 413, /larger than 5000000 bytes/],
    ['a base of another type', tgz([server]), { ServerType: 'php' }, 500, /carries cpp, go, and not php/],
    ['a cut package', tgz([server, { name: 'x', content: 'y'.repeat(5000) }]).subarray(0, 120), {}, 500, /^package HelloServer\.tgz is damaged or cut short/],
    ['an unknown base', tgz([server]), { BaseImage: 'nobase' }, 500, /neither an image reference nor a TImage/],
    ['an unknown secret', tgz([server]), { Secret: 'nosuch' }, 500, /no Secret nosuch in namespace tars/],
    ['a package without its executable', tgz([{ name: 'readme', content: 'x' }]), {}, 500, /no executable "HelloServer"/],
    ['a malicious package', tgz([server, { name: '../x', content: 'x' }]), {}, 500, /leaves the package by "\.\."/],
  ])('%s is refused', async (_name, file, fields, status, says) => {
    const { code, body } = await post(file, fields)
    expect([code, body.status]).toEqual([status, status])
    expect(body.message).toMatch(says)
    const { releases, build } = await timage()
    expect(releases ?? []).toEqual([])
    expect(build?.running).toBeUndefined()
    if (build?.last !== undefined) expect(build.last).toMatchObject({ phase: 'Failed', message: expect.stringMatching(says) })
    expect(await readdir(bench.path('workspace/upload/tars-tarsimage-0'))).toEqual([])
  })

  test('a form without its boundary is told as such', async () => {
    const answer = await fetch(`${service.url}/api/v1/timage/demo-helloserver/building`, { method: 'POST', headers: { 'content-type': 'multipart/form-data' }, body: 'x' })
    expect([answer.status, ((await answer.json()) as { message: string }).message]).toEqual([400, expect.stringMatching(/^Content-Type multipart\/form-data has no boundary/)])
  })

  test('an upload without a length is stopped at the limit', async () => {
    const head = '--b\r\nContent-Disposition: form-data; name="ServerFile"; filename="x.tgz"\r\n\r\n'
    const socket = connect(Number(new URL(service.url).port), '127.0.0.1')
    const ended = new Promise<string>((resolve) => {
      let reply = ''
      socket.on('data', (part) => (reply += part.toString()))
      socket.on('error', () => {})
      socket.on('close', () => resolve(reply))
    })
    const chunk = (data: Buffer): Buffer => Buffer.concat([Buffer.from(`${data.length.toString(16)}\r\n`), data, Buffer.from('\r\n')])
    socket.write('POST /api/v1/timage/demo-helloserver/building HTTP/1.1\r\nhost: x\r\ncontent-type: multipart/form-data; boundary=b\r\ntransfer-encoding: chunked\r\n\r\n')
    socket.write(chunk(Buffer.from(head)))
    const more = (): void => {
      while (!socket.destroyed && socket.write(chunk(Buffer.alloc(100_000))));
    }
    socket.on('drain', more)
    more()
    expect(await ended).toMatch(/^HTTP\/1\.1 413 /)
    await expect.poll(() => readdir(bench.path('workspace/upload/tars-tarsimage-0'))).toEqual([])
  })

  test('one build a TImage at a time; a build that is removed is given up', async () => {
    const running: TImageBuildState = { id: 'v1', image: 'r/x:1', baseImage: 'r/b:1', serverType: 'cpp', phase: 'Building', handler: 'another-pod' }
    await cluster.client.patch(resources.timages, { namespace, name: 'demo-helloserver' }, { build: { running } })
    const { code, body } = await post(tgz([server]))
    expect([code, body.message]).toEqual([500, expect.stringMatching(/another task is running: TImage demo-helloserver, build v1/)])
  })

  test('unknown TImage, wrong type, other methods and paths', async () => {
    const call = (path: string, method = 'POST'): Promise<Response> => fetch(`${service.url}${path}`, { method, ...(method === 'POST' ? { body: form() } : {}) })
    const form = (): FormData => {
      const data = new FormData()
      for (const [name, value] of Object.entries({ ServerApp: 'Demo', ServerName: 'Nosuch', ServerType: 'cpp', BaseImage: 'cppbase' })) data.set(name, value)
      data.set('ServerFile', new Blob([new Uint8Array(tgz([server]))]), 'x.tgz')
      return data
    }
    const missing = await call('/api/v1beta3/timage/demo-nosuch/building')
    expect([missing.status, ((await missing.json()) as { message: string }).message]).toEqual([500, expect.stringMatching(/no TImage demo-nosuch/)])
    await cluster.client.create(resources.timages, { apiVersion: 'k8s.tars.io/v1beta3', kind: 'TImage', metadata: { name: 'demo-nosuch', namespace }, imageType: 'base', supportedType: ['cpp'] })
    const base = await call('/api/v1beta3/timage/demo-nosuch/building')
    expect([base.status, ((await base.json()) as { message: string }).message]).toEqual([500, expect.stringMatching(/TImage demo-nosuch is of type base/)])
    const get = await call('/api/v1beta3/timage/x/building', 'GET')
    expect([get.status, await get.text()]).toEqual([405, ''])
    expect((await call('/api/other', 'GET')).status).toBe(404)
    expect(await (await call('/healthz', 'GET')).json()).toEqual({ status: 'ok' })
  })
})

test('a builder that starts fails what it left running, and removes its uploads', async () => {
  await mkdir(bench.path('workspace/upload/pod-1'), { recursive: true })
  await writeFile(bench.path('workspace/upload/pod-1/left'), 'x')
  const running: TImageBuildState = { id: 'v7', image: 'r/x:1', baseImage: 'r/b:1', serverType: 'cpp', phase: 'Building', handler: 'pod-1' }
  await cluster.client.patch(resources.timages, { namespace, name: 'demo-helloserver' }, { build: { running } })
  const other = await rig.start({ PodName: 'pod-1' })
  expect(await readdir(bench.path('workspace/upload/pod-1'))).toEqual([])
  expect((await timage()).build).toMatchObject({ last: { id: 'v7', phase: 'Failed', message: expect.stringMatching(/restarted during the build/) } })
  expect((await timage()).build?.running).toBeUndefined()
  await other.stop()
})

test('every image is signed and has its bill of materials where the service is told so', async () => {
  const strict = await rig.start({ PodName: 'strict-0', TARSIMAGE_SBOM: 'true', TARSIMAGE_SIGN_SECRET: 'signing' })
  const usual = service
  service = strict
  try {
    expect((await post(tgz([server]), { ServerTag: 'unsigned' })).body.message).toMatch(/there is no Secret signing with cosign\.key/)
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256', privateKeyEncoding: { type: 'pkcs8', format: 'pem' }, publicKeyEncoding: { type: 'spki', format: 'pem' } })
    await cluster.client.create(secrets, { metadata: { name: 'signing', namespace }, data: { 'cosign.key': Buffer.from(privateKey).toString('base64') } })
    expect((await post(tgz([server]), { ServerTag: 'signed' })).code).toBe(200)
    const ask = (path: string): Promise<Response> => fetch(`http://${registry}/v2/tars/demo.helloserver/${path}`, { headers: { authorization: `Basic ${Buffer.from('tars:secret').toString('base64')}`, accept: 'application/vnd.oci.image.manifest.v1+json' } })
    const digest = (await ask('manifests/signed')).headers.get('docker-content-digest') ?? ''
    expect(await (await ask(`manifests/${digest.replace(':', '-')}.sig`)).text()).toContain('dev.cosignproject.cosign/signature')
    expect(await (await ask(`referrers/${digest}`)).json()).toMatchObject({ manifests: [{ artifactType: 'application/vnd.cyclonedx+json' }] })
  } finally {
    service = usual
    await strict.stop()
  }
})
