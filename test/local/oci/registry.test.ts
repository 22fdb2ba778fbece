// Our registry under crane, and under requests that crane does not make.
import { createHash, randomBytes } from 'node:crypto'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startOciRegistry, type OciRegistry } from '../../../framework/local/oci/server.ts'
import { layerFromFiles } from '../../../imagebuilder/layer.ts'
import { runCrane } from '../../imagebuilder/rig/image.ts'

let dir: string
let registry: OciRegistry
let layer: string

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tarsk8s-oci-'))
  layer = (await layerFromFiles([{ path: '/data', content: randomBytes(100_000) }], join(dir, 'layer.tar.gz'))).path
  registry = await startOciRegistry({ dir: join(dir, 'data') })
})
afterAll(async () => {
  await registry.stop()
  await rm(dir, { recursive: true, force: true })
})

const digestOf = (content: Buffer): string => `sha256:${createHash('sha256').update(content).digest('hex')}`

function ask(path: string, init: RequestInit & { readonly duplex?: 'half' } = {}): Promise<Response> {
  return fetch(`http://${registry.address}${path}`, init)
}

describe('crane', () => {
  test('pushes, validates, pulls, copies, lists, deletes', async () => {
    const image = `${registry.address}/demo/app:v1`
    await runCrane('append', '-f', layer, '-t', image)
    expect(await runCrane('validate', '--remote', image)).toMatch(/^PASS/)
    await runCrane('pull', image, join(dir, 'pulled.tar'))
    await runCrane('push', join(dir, 'pulled.tar'), `${registry.address}/demo/again:v1`)
    await runCrane('copy', image, `${registry.address}/deep/er/name:v2`)
    await runCrane('tag', image, 'latest')
    expect((await runCrane('catalog', registry.address)).trim().split('\n')).toEqual(['deep/er/name', 'demo/again', 'demo/app'])
    expect((await runCrane('ls', `${registry.address}/demo/app`)).trim().split('\n')).toEqual(['latest', 'v1'])
    const digest = (await runCrane('digest', image)).trim()
    await runCrane('delete', `${registry.address}/demo/app@${digest}`)
    await expect(runCrane('manifest', image)).rejects.toThrow(/MANIFEST_UNKNOWN/)
    expect(await runCrane('validate', '--remote', `${registry.address}/deep/er/name:v2`)).toMatch(/^PASS/)
  })

  test('an index of two platforms', async () => {
    for (const arch of ['amd64', 'arm64']) {
      await runCrane('append', '-f', layer, '-t', `${registry.address}/multi/${arch}:1`)
      await runCrane('mutate', `${registry.address}/multi/${arch}:1`, '--set-platform', `linux/${arch}`, '-t', `${registry.address}/multi/${arch}:1`)
    }
    await runCrane('index', 'append', '-m', `${registry.address}/multi/amd64:1`, '-m', `${registry.address}/multi/arm64:1`, '-t', `${registry.address}/multi/all:1`)
    expect(await runCrane('validate', '--remote', `${registry.address}/multi/all:1`)).toMatch(/^PASS/)
    expect(JSON.parse(await runCrane('config', '--platform', 'linux/arm64', `${registry.address}/multi/all:1`))).toMatchObject({ architecture: 'arm64' })
  })

  test('Basic authentication', async () => {
    const closed = await startOciRegistry({ dir: join(dir, 'closed'), auth: { username: 'u', password: 'p' } })
    await expect(runCrane('catalog', closed.address)).rejects.toThrow(/UNAUTHORIZED/)
    await runCrane('auth', 'login', closed.address, '-u', 'u', '-p', 'p')
    await runCrane('append', '-f', layer, '-t', `${closed.address}/x:1`)
    await runCrane('auth', 'logout', closed.address)
    await closed.stop()
  })
})

describe('blobs', () => {
  const content = randomBytes(300_000)
  const digest = digestOf(content)

  test('chunked, with status and wrong offsets', async () => {
    const started = await ask('/v2/blobs/chunked/blobs/uploads/', { method: 'POST' })
    expect(started.status).toBe(202)
    const location = started.headers.get('location') ?? ''
    const first = await ask(location, { method: 'PATCH', body: content.subarray(0, 100_000), headers: { 'content-range': '0-99999' } })
    expect([first.status, first.headers.get('range')]).toEqual([202, '0-99999'])
    const wrong = await ask(location, { method: 'PATCH', body: content.subarray(0, 10), headers: { 'content-range': '5-14' } })
    expect([wrong.status, ((await wrong.json()) as { errors: { code: string }[] }).errors[0]?.code]).toEqual([416, 'RANGE_INVALID'])
    expect((await ask(location)).headers.get('range')).toBe('0-99999')
    const done = await ask(`${location}?digest=${digest}`, { method: 'PUT', body: content.subarray(100_000) })
    expect([done.status, done.headers.get('docker-content-digest')]).toEqual([201, digest])
    expect(Buffer.from(await (await ask(`/v2/blobs/chunked/blobs/${digest}`)).arrayBuffer()).equals(content)).toBe(true)
    expect((await ask(location)).status).toBe(404)
  })

  test('in one request, mounted, ranged, deleted', async () => {
    expect((await ask(`/v2/blobs/one/blobs/uploads/?digest=${digest}`, { method: 'POST', body: content })).status).toBe(201)
    expect((await ask(`/v2/blobs/two/blobs/${digest}`, { method: 'HEAD' })).status).toBe(404)
    expect((await ask(`/v2/blobs/two/blobs/uploads/?mount=${digest}&from=blobs/one`, { method: 'POST' })).status).toBe(201)
    expect((await ask(`/v2/blobs/two/blobs/uploads/?mount=${digestOf(Buffer.from('x'))}&from=blobs/one`, { method: 'POST' })).status).toBe(202)
    const part = await ask(`/v2/blobs/two/blobs/${digest}`, { headers: { range: 'bytes=10-19' } })
    expect([part.status, part.headers.get('content-range')]).toEqual([206, `bytes 10-19/${content.length}`])
    expect(Buffer.from(await part.arrayBuffer())).toEqual(content.subarray(10, 20))
    expect((await ask(`/v2/blobs/one/blobs/${digest}`, { method: 'DELETE' })).status).toBe(202)
    expect((await ask(`/v2/blobs/one/blobs/${digest}`)).status).toBe(404)
    expect((await ask(`/v2/blobs/two/blobs/${digest}`, { method: 'HEAD' })).headers.get('content-length')).toBe(String(content.length))
  })

  test('a wrong digest is refused and forgotten', async () => {
    const wrong = digestOf(Buffer.from('other'))
    const answer = await ask(`/v2/blobs/wrong/blobs/uploads/?digest=${wrong}`, { method: 'POST', body: content })
    expect([answer.status, ((await answer.json()) as { errors: { code: string }[] }).errors[0]?.code]).toEqual([400, 'DIGEST_INVALID'])
    expect((await ask(`/v2/blobs/wrong/blobs/${wrong}`)).status).toBe(404)
  })
})

describe('manifests', () => {
  const put = (path: string, document: object, type = 'application/vnd.oci.image.manifest.v1+json'): Promise<Response> => ask(path, { method: 'PUT', body: JSON.stringify(document), headers: { 'content-type': type } })
  const config = { mediaType: 'application/vnd.oci.empty.v1+json', digest: digestOf(Buffer.from('{}')), size: 2 }

  beforeAll(async () => {
    await ask(`/v2/refs/blobs/uploads/?digest=${config.digest}`, { method: 'POST', body: '{}' })
  })

  test('one whose blobs are missing is refused, naming them', async () => {
    const missing = digestOf(Buffer.from('missing'))
    const answer = await put('/v2/refs/manifests/v1', { schemaVersion: 2, config, layers: [{ ...config, digest: missing }] })
    expect(answer.status).toBe(404)
    expect(await answer.text()).toContain(missing)
  })

  test('referrers, with their filter', async () => {
    const base = await put('/v2/refs/manifests/base', { schemaVersion: 2, config, layers: [] })
    const subject = { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest: base.headers.get('docker-content-digest') ?? '', size: 1 }
    for (const artifactType of ['application/sbom', 'application/signature']) {
      const answer = await put(`/v2/refs/manifests/${artifactType.slice(12)}`, { schemaVersion: 2, artifactType, config, layers: [], subject, annotations: { of: artifactType } })
      expect(answer.headers.get('oci-subject')).toBe(subject.digest)
    }
    const all = (await (await ask(`/v2/refs/referrers/${subject.digest}`)).json()) as { manifests: { artifactType: string }[] }
    expect(all.manifests.map((one) => one.artifactType).sort()).toEqual(['application/sbom', 'application/signature'])
    const filtered = await ask(`/v2/refs/referrers/${subject.digest}?artifactType=application/sbom`)
    expect(filtered.headers.get('oci-filters-applied')).toBe('artifactType')
    expect(((await filtered.json()) as { manifests: unknown[] }).manifests).toHaveLength(1)
  })

  test('tags in pages', async () => {
    for (const tag of ['a', 'b', 'c']) await put(`/v2/refs/manifests/page-${tag}`, { schemaVersion: 2, config, layers: [] })
    const first = await ask('/v2/refs/tags/list?n=1&last=page-a')
    expect(await first.json()).toEqual({ name: 'refs', tags: ['page-b'] })
    expect(first.headers.get('link')).toBe('</v2/refs/tags/list?n=1&last=page-b>; rel="next"')
  })

  test.each([
    ['/v2/UPPER/manifests/v1', 400, 'NAME_INVALID'],
    ['/v2/refs/../../etc/manifests/v1', 404, 'NAME_UNKNOWN'],
    ['/v2/a/%2e%2e/b/manifests/v1', 404, 'MANIFEST_UNKNOWN'],
    ['/v2/%zz/manifests/v1', 400, 'NAME_INVALID'],
    ['/v2/a%2f..%2fb/manifests/v1', 400, 'NAME_INVALID'],
    ['/v2/refs/manifests/none', 404, 'MANIFEST_UNKNOWN'],
    ['/v2/none/tags/list', 404, 'NAME_UNKNOWN'],
    ['/v2/refs/blobs/sha256:short', 400, 'DIGEST_INVALID'],
    ['/v2/refs/blobs/uploads/..%2f..%2fx', 404, 'NAME_UNKNOWN'],
  ])('%s is answered %i %s', async (path, status, code) => {
    // fetch would resolve the dots itself.
    const sent = request({ host: registry.address.split(':')[0], port: registry.address.split(':')[1], path }).end()
    const [answer] = (await once(sent, 'response')) as [IncomingMessage]
    const parts: Buffer[] = []
    for await (const part of answer) parts.push(part as Buffer)
    const found = JSON.parse(Buffer.concat(parts).toString()) as { errors: { code: string }[] }
    expect([answer.statusCode, found.errors[0]?.code]).toEqual([status, code])
  })
})

describe('kill -9', () => {
  /** Starts the registry process on a folder; resolves with its address. */
  async function start(folder: string): Promise<{ address: string; kill(): Promise<void> }> {
    const child = spawn(process.execPath, [join(import.meta.dirname, 'registry-process.ts'), folder], { stdio: ['ignore', 'pipe', 'inherit'] })
    const [line] = (await once(child.stdout, 'data')) as [Buffer]
    return {
      address: line.toString().trim(),
      kill: async () => {
        child.kill('SIGKILL')
        await once(child, 'exit')
      },
    }
  }

  test('an upload goes on after it, and what was pushed is there', async () => {
    const folder = join(dir, 'killed')
    const content = randomBytes(5 << 20)
    const before = await start(folder)
    await runCrane('append', '-f', layer, '-t', `${before.address}/kept:1`)
    const started = await fetch(`http://${before.address}/v2/kept/blobs/uploads/`, { method: 'POST' })
    const location = started.headers.get('location') ?? ''
    await fetch(`http://${before.address}${location}`, { method: 'PATCH', body: content.subarray(0, 2 << 20) })
    // The kill comes in the middle of a second request.
    const [host = '', port = ''] = before.address.split(':')
    const cut = request({ host, port, path: location, method: 'PATCH', headers: { 'content-length': 3 << 20 } })
    cut.on('error', () => {})
    cut.write(content.subarray(2 << 20, 3 << 20))
    await expect.poll(async () => (await fetch(`http://${before.address}${location}`)).headers.get('range')).not.toBe(`0-${(2 << 20) - 1}`)
    await before.kill()

    const after = await start(folder)
    try {
      expect(await runCrane('validate', '--remote', `${after.address}/kept:1`)).toMatch(/^PASS/)
      const received = Number(/-(\d+)$/.exec((await fetch(`http://${after.address}${location}`)).headers.get('range') ?? '')?.[1]) + 1
      expect(received).toBeGreaterThan(2 << 20)
      const rest = await fetch(`http://${after.address}${location}?digest=${digestOf(content)}`, { method: 'PUT', body: content.subarray(received) })
      expect(rest.status).toBe(201)
    } finally {
      await after.kill()
    }
  })

  test('drafts of an earlier life are removed', async () => {
    const folder = join(dir, 'drafts')
    await (await start(folder)).kill()
    await writeFile(join(folder, 'tmp', 'draft'), 'x')
    const again = await startOciRegistry({ dir: folder })
    await again.stop()
    await expect(import('node:fs/promises').then(({ readdir }) => readdir(join(folder, 'tmp')))).resolves.toEqual([])
  })
})
