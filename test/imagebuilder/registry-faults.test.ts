// Registries that are away, refuse, or are cut off: the error says which, and what can be repaired is repaired.
import { readFileSync } from 'node:fs'
import { once as emitted } from 'node:events'
import { createServer, request as forward } from 'node:http'
import { createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net'
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { describe as tell, Failure } from '#base/errors.ts'
import type { BuildOptions } from '../../imagebuilder/build.ts'
import { composeImage } from '../../imagebuilder/compose.ts'
import { layerFromFiles } from '../../imagebuilder/layer.ts'
import { parseDockerConfig } from '../../imagebuilder/oci/auth.ts'
import { digestOf } from '../../imagebuilder/oci/digest.ts'
import { parseLocation } from '../../imagebuilder/oci/location.ts'
import { attachedContent } from '../../imagebuilder/oci/referrers.ts'
import { openRepository } from '../../imagebuilder/oci/registry.ts'
import { faultProxy, type FaultProxy } from '../rig/fault-proxy.ts'
import { faultyRegistry } from '../rig/faulty-registry.ts'
import { distributionRegistry } from '../rig/registry.ts'
import { debianTool } from '../rig/tools.ts'
import { elf, tgz, write } from './rig/archives.ts'
import { platform, runCrane, startOciRegistry, workbench, type Workbench } from './rig/image.ts'

let bench: Workbench
let file: string
let big: string
beforeAll(async () => {
  bench = await workbench()
  const server = { name: 'HelloServer', mode: 0o755, content: elf() }
  file = await write(bench.path('release.tgz'), tgz([server]))
  big = await write(bench.path('big.tgz'), tgz([server, { name: 'data', content: randomBytes(40 << 20) }]))
})
afterAll(() => bench.clean())

async function refusal(work: Promise<unknown>): Promise<Failure> {
  const error: unknown = await work.then(() => undefined, (thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(Failure)
  return error as Failure
}

const once = { attempts: 1 }

describe('a registry that cannot be used', () => {
  test('refused port', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = `127.0.0.1:${(server.address() as AddressInfo).port}`
    await new Promise((resolve) => server.close(resolve))
    const failure = await refusal(bench.build(address, { package: file, access: once }))
    expect(failure.code).toBe('REGISTRY_UNREACHABLE')
    expect(tell(failure)).toMatch(/registry 127\.0\.0\.1:\d+ is unreachable while reading manifest .*ECONNREFUSED.*check its address/)
  })

  test('unknown host', async () => {
    const failure = await refusal(bench.build('registry.invalid', { package: file, access: once }))
    expect(failure.code).toBe('REGISTRY_UNREACHABLE')
  })

  test('missing base image', async () => {
    const registry = await startOciRegistry({ dir: bench.path('empty') })
    const failure = await refusal(bench.build(registry.address, { package: file }))
    await registry.stop()
    expect(failure.code).toBe('IMAGE_NOT_FOUND')
    expect(failure.message).toContain('/tars/base:amd64 does not exist')
  })

  test('plain HTTP where TLS was meant', async () => {
    const registry = await startOciRegistry({ dir: bench.path('plain') })
    const failure = await refusal(bench.build(registry.address, { package: file, access: { ...once, trust: () => ({ plainHttp: false }) } }))
    await registry.stop()
    expect(failure.code).toBe('REGISTRY_TLS')
    expect(failure.remedy).toMatch(/insecure/)
  })

  test('not a registry', async () => {
    const server = createServer((_request, response) => response.writeHead(418).end('I am a teapot'))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const failure = await refusal(bench.build(`127.0.0.1:${(server.address() as AddressInfo).port}`, { package: file, access: once }))
    server.close()
    expect(failure.code).toBe('REGISTRY_REFUSED')
    expect(failure.message).toMatch(/HTTP 418 .*teapot/)
  })
})

test('a configuration, or what is attached to an image, without end is not read to it', async () => {
  let sent = 0
  const digest = `sha256:${'0'.repeat(64)}`
  const manifest = JSON.stringify({ schemaVersion: 2, config: { digest, size: 2 }, layers: [{ digest, size: 2 }] })
  const server = createServer(({ url = '' }, response) => {
    if (url.includes('/manifests/')) return void response.end(manifest)
    if (url.includes('/referrers/')) return void response.end(JSON.stringify({ manifests: [{ digest: digestOf(manifest), artifactType: 'bill' }] }))
    const chunk = Buffer.alloc(1 << 20)
    Readable.from((function* () {
      for (; ; sent++) yield chunk
    })()).pipe(response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const failure = await refusal(bench.build(address, { package: file, access: once }))
  expect([failure.code, failure.message]).toEqual(['IMAGE_INVALID', expect.stringContaining('its configuration has more than 8388608 bytes')])
  expect(sent).toBeLessThan(32)
  const { repository, close } = openRepository(address, 'tars/base', 'pull', { trust: () => ({ plainHttp: true }) })
  const attached = await refusal(attachedContent(repository, digest, 'bill'))
  close()
  server.close()
  expect([attached.code, attached.message]).toEqual(['IMAGE_INVALID', expect.stringContaining('more than 67108864 bytes')])
})

describe('credentials', () => {
  const config = (address: string, auth: object): string => JSON.stringify({ auths: { [address]: auth } })
  const basic = Buffer.from('tars:secret').toString('base64')

  test.each(['ours', 'docker-registry'])('Basic, %s', async (kind) => {
    const dir = bench.path(`auth-${kind}`)
    await mkdir(dir, { recursive: true })
    const { stdout } = await promisify(execFile)(await debianTool('htpasswd', 'apache2-utils'), ['-Bbn', 'tars', 'secret'])
    await writeFile(bench.path('htpasswd'), stdout)
    const registry = kind === 'ours' ? await startOciRegistry({ dir, auth: { username: 'tars', password: 'secret' } }) : await distributionRegistry(dir, { htpasswd: bench.path('htpasswd') })
    try {
      await runCrane('auth', 'login', registry.address, '-u', 'tars', '-p', 'secret')
      await runCrane('append', '-f', bench.path('base.tar.gz'), '-t', `${registry.address}/tars/base:amd64`, '--platform', 'linux/amd64')
      await runCrane('mutate', `${registry.address}/tars/base:amd64`, '--set-platform', 'linux/amd64', '-t', `${registry.address}/tars/base:amd64`)
      const none = await refusal(bench.build(registry.address, { package: file, access: once }))
      expect(none.code).toBe('REGISTRY_DENIED')
      const wrong = parseDockerConfig(config(registry.address, { username: 'tars', password: 'wrong' }), 'test')
      const denied = await refusal(bench.build(registry.address, { package: file, access: { ...once, credentials: wrong } }))
      expect(denied.code).toBe('REGISTRY_DENIED')
      expect(tell(denied)).toMatch(/refused the credentials .*HTTP 401.*check the user, the password/)
      for (const auth of [{ auth: basic }, { username: 'tars', password: 'secret' }]) {
        const credentials = parseDockerConfig(config(registry.address, auth), 'test')
        expect((await bench.build(registry.address, { package: file, access: { credentials } })).digest).toMatch(/^sha256:/)
      }
    } finally {
      await registry.stop()
      await runCrane('auth', 'logout', registry.address)
    }
  })

  test('of several for parts of a registry, those of the longest name that fits', async () => {
    const auth = { username: 'tars', password: 'secret' }
    const registry = await startOciRegistry({ dir: bench.path('parts'), auth })
    const wrong = { username: 'others', password: 'wrong' }
    const { address } = registry
    await bench.base(address, 'amd64', { credentials: () => auth })
    for (const auths of [{ [`https://${address}/tars/`]: auth, [address]: wrong, [`${address}/tar`]: wrong }, { [`${address}/v2/`]: auth, [`${address}/tars/other`]: wrong }]) {
      const credentials = parseDockerConfig(JSON.stringify({ auths }), 'test')
      expect((await bench.build(address, { package: file, access: { credentials } })).digest).toMatch(/^sha256:/)
    }
    await registry.stop()
  })

  test('Bearer: a token service with scopes', async () => {
    const registry = await startOciRegistry({ dir: bench.path('bearer') })
    await bench.base(registry.address)
    const scopes: string[] = []
    const gate = createServer((request, response) => {
      const url = new URL(request.url ?? '', 'http://gate')
      if (url.pathname === '/token') {
        const right = request.headers.authorization === `Basic ${basic}`
        scopes.push(...url.searchParams.getAll('scope'))
        response.writeHead(right ? 200 : 401, { 'content-type': 'application/json' }).end(JSON.stringify(right ? { token: `for ${url.searchParams.get('service')}` } : {}))
      } else if (request.headers.authorization === 'Bearer for vault') response.writeHead(307, { location: `http://${registry.address}${request.url}` }).end()
      else response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${request.headers.host}/token",service="vault",scope="repository:tars/base:pull"` }).end()
    })
    await new Promise<void>((resolve) => gate.listen(0, '127.0.0.1', resolve))
    const address = `127.0.0.1:${(gate.address() as AddressInfo).port}`
    const credentials = parseDockerConfig(JSON.stringify({ [address]: { auth: basic } }), 'legacy dockercfg')
    const built = await bench.build(registry.address, { package: file, base: parseLocation(`${address}/tars/base:amd64`), access: { credentials } })
    gate.close()
    await registry.stop()
    expect(built.digest).toMatch(/^sha256:/)
    expect(scopes).toContain('repository:tars/base:pull')
  })
})

describe.each(['ours', 'docker-registry'])('cut off mid-upload, %s', (kind) => {
  let registry: { readonly address: string; stop(): Promise<void> }
  let proxy: FaultProxy
  beforeAll(async () => {
    registry = kind === 'ours' ? await startOciRegistry({ dir: bench.path(`cut-${kind}`) }) : await distributionRegistry(bench.path(`cut-${kind}`))
    await bench.base(registry.address)
    proxy = await faultProxy(registry.address)
  })
  afterEach(() => proxy.refuse(false))
  afterAll(async () => {
    await proxy.stop()
    await registry.stop()
  })

  test('the image is whole all the same', async () => {
    // distribution 2 forgets an upload whose chunk was cut; then the layer is sent anew.
    const cuts = kind === 'ours' ? [1 << 20, 5 << 20, 3 << 20] : [1 << 20, 5 << 20]
    for (const bytes of cuts) proxy.cutAfter(bytes)
    const built = await bench.build(registry.address, { package: big, destination: parseLocation(`${proxy.address}/tars/cut:v1`) })
    expect(proxy.cuts).toBe(cuts.length)
    expect(await runCrane('validate', '--remote', `${registry.address}/tars/cut:v1`)).toMatch(/^PASS/)
    const straight = await bench.build(registry.address, { package: big, destination: parseLocation(`${registry.address}/tars/straight:v1`) })
    expect(built.digest).toBe(straight.digest)
  })

  test('a registry that stays away is named, and nothing is published', async () => {
    const work = refusal(bench.build(registry.address, { package: big, destination: parseLocation(`${proxy.address}/tars/away:v1`), onProgress: ({ phase, pushed }) => void (phase === 'package' && pushed > 0 && proxy.refuse(true)) }))
    const failure = await work
    expect(failure.code).toBe('REGISTRY_CUT')
    // Several blobs are under way side by side, and the first that meets the cut is named.
    expect(tell(failure)).toMatch(/cut while (uploading|looking for blob)/)
    await expect(runCrane('manifest', `${registry.address}/tars/away:v1`)).rejects.toThrow()
  })
})

describe.each(['ours', 'docker-registry'])('an upload that the registry begins when nobody waits for it any more, %s', (kind) => {
  const dir = (): string => bench.path(`late-${kind}`)
  /** A file each; distribution keeps some of those that have ended, too. */
  const unfinished = async (): Promise<string[]> => {
    const names = await readdir(join(dir(), kind === 'ours' ? 'uploads' : 'docker/registry/v2/repositories/tars/late/_uploads'), { recursive: true }).catch(() => [])
    return kind === 'ours' ? names : names.filter((name) => name.endsWith('/startedat'))
  }

  test('is given up when it is heard of', async () => {
    const registry = kind === 'ours' ? await startOciRegistry({ dir: dir() }) : await distributionRegistry(dir())
    const faulty = await faultyRegistry(registry.address)
    try {
      await bench.base(registry.address)
      const late = faulty.plan('tars/late', 'start', 'late', Infinity)
      const failure = await refusal(bench.build(registry.address, { package: file, destination: parseLocation(`${faulty.address}/tars/late:v1`), access: { ...once, silenceMs: 500 } }))
      expect([failure.code, tell(failure)]).toEqual(['REGISTRY_CUT', expect.stringMatching(/silent for 0\.5 s while uploading/)])
      await expect.poll(unfinished).not.toEqual([])
      late.lift()
      await expect.poll(unfinished).toEqual([])
    } finally {
      await faulty.stop()
      await registry.stop()
    }
  })
})

describe.each(['ours', 'docker-registry'])('a download that is cut, %s', (kind) => {
  let registry: { readonly address: string; stop(): Promise<void> }
  let target: { readonly address: string; stop(): Promise<void> }
  const layerBytes = 3 << 20
  /** Cuts each answer with the base layer behind its first so many bytes, as long as there are some. */
  const cuts: number[] = []
  const ranges: (string | undefined)[] = []
  /** The registry ignores ranges, as it may. */
  let whole = false
  const server = createServer(({ url = '', headers }, response) => {
    const { range, ...rest } = headers
    if (url.includes('/blobs/')) ranges.push(range)
    const [host = '', port = ''] = registry.address.split(':')
    forward({ host, port: Number(port), path: url, headers: whole ? rest : headers, agent: false }, async (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      const cut = Number(answer.headers['content-length']) > 100_000 ? cuts.shift() : undefined
      let sent = 0
      for await (const piece of answer as AsyncIterable<Buffer>) {
        const part = piece.subarray(0, (cut ?? Infinity) - sent)
        sent += part.length
        await new Promise((resolve) => response.write(part, resolve))
        if (sent === cut) return void response.socket?.resetAndDestroy()
      }
      response.end()
    }).end()
  })

  beforeAll(async () => {
    registry = kind === 'ours' ? await startOciRegistry({ dir: bench.path(`down-${kind}`) }) : await distributionRegistry(bench.path(`down-${kind}`))
    target = await startOciRegistry({ dir: bench.path(`to-${kind}`) })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const layer = await layerFromFiles([{ path: '/data', content: randomBytes(layerBytes) }], bench.path('heavy.tar.gz'))
    await composeImage({ layers: [layer], destination: parseLocation(`${registry.address}/tars/base:amd64`), platform })
  })
  beforeEach(() => void ranges.splice(0))
  afterAll(async () => {
    server.closeAllConnections()
    server.close()
    await Promise.all([registry.stop(), target.stop()])
  })
  const base = (): Partial<BuildOptions> => ({ base: parseLocation(`127.0.0.1:${(server.address() as AddressInfo).port}/tars/base:amd64`) })

  test.each([false, true])('goes on where it was cut; the whole blob again: %s', async (again) => {
    whole = again
    cuts.push(1_000_000, again ? 2_000_000 : 500_000)
    const name = `${target.address}/tars/cut${Number(again)}:1`
    await bench.build(target.address, { package: file, destination: parseLocation(name), ...base() })
    expect(cuts).toEqual([])
    // What a reset overtakes is lost.
    const [first = NaN, second = NaN, ...others] = ranges.filter((range) => range !== undefined).map((range) => Number(/^bytes=(\d+)-$/.exec(range)?.[1]))
    expect([first <= 1_000_000, second >= first, second <= 2_000_000, others]).toEqual([true, true, true, []])
    expect(await runCrane('validate', '--remote', name)).toMatch(/^PASS/)
  })

  test('at the same place always: the build fails with the reason', async () => {
    whole = true
    cuts.push(...Array.from({ length: 20 }, () => 1000))
    const failure = await refusal(bench.build(target.address, { package: file, destination: parseLocation(`${target.address}/tars/never:1`), ...base(), access: { attempts: 3 } }))
    expect([failure.code, tell(failure)]).toEqual(['REGISTRY_CUT', expect.stringMatching(/was cut while reading blob sha256:/)])
    cuts.splice(0)
  })
})

test('the host of a registry may be spelled in upper case: who it is, is told it all the same', async () => {
  const auth = { username: 'tars', password: 'secret' }
  const registry = await startOciRegistry({ dir: bench.path('spelled'), auth })
  const spelled = registry.address.replace('127.0.0.1', 'LocalHost')
  const access = { credentials: parseDockerConfig(JSON.stringify({ auths: { [spelled]: auth } }), 'test'), trust: () => ({ plainHttp: true }) }
  await bench.base(spelled, 'amd64', access)
  expect((await bench.build(spelled, { package: file, access })).digest).toMatch(/^sha256:/)
  await registry.stop()
})

describe('an answer before all was sent', () => {
  /** Answers a PATCH as soon as it begins, and reads no more of it. */
  async function hasty(answer: string): Promise<{ readonly port: number; readonly sockets: Set<Socket>; close(): void }> {
    const sockets = new Set<Socket>()
    const answers: Readonly<Record<string, string>> = { POST: '202 Accepted\r\nLocation: /v2/x/blobs/uploads/1', GET: '204 No Content\r\nLocation: /v2/x/blobs/uploads/1\r\nRange: 0-0', DELETE: '202 Accepted', PATCH: answer }
    const server = createTcpServer((socket) => {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('data', (bytes) => {
        const [method = ''] = bytes.toString('latin1', 0, 10).split(' ')
        if (answers[method] === undefined) return
        if (method === 'PATCH') socket.pause()
        socket.write(`HTTP/1.1 ${answers[method]}\r\nContent-Length: ${method === 'PATCH' ? 4 : 0}\r\n\r\n${method === 'PATCH' ? 'full' : ''}`)
      })
    }).listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const close = (): void => {
      for (const socket of sockets) socket.destroy()
      server.close()
    }
    return { port: (server.address() as AddressInfo).port, sockets, close }
  }

  /** Connections to a port that have bytes to send and are not closed (proc_pid_net(5)). */
  function sending(port: number): number {
    const rows = readFileSync('/proc/net/tcp', 'utf8').trim().split('\n').slice(1).map((line) => line.trim().split(/\s+/))
    return rows.filter(([, , remote = '', state, queues = '']) => remote.endsWith(`:${port.toString(16).toUpperCase().padStart(4, '0')}`) && state === '01' && !queues.startsWith('00000000:')).length
  }

  test('is heard, and nothing goes on being sent from memory that is given back', async () => {
    const registry = await hasty('400 Bad Request')
    const { repository, close } = openRepository(`127.0.0.1:${registry.port}`, 'x', 'pull,push', once)
    try {
      const upload = repository.startUpload('pushing')
      const failure = await refusal((async () => {
        await upload.write(Buffer.alloc(14 << 20, 1))
        await upload.commit(`sha256:${'0'.repeat(64)}`)
      })())
      expect(failure.message).toMatch(/answered HTTP 400 while pushing: full/)
      await upload.abort()
      expect(sending(registry.port)).toBe(0)
    } finally {
      close()
      registry.close()
    }
  })
})

test('a registry that still takes in what a cut connection carried is asked again how far it got', async () => {
  const content = randomBytes(1_000_000)
  const told: string[] = []
  let [taken, late]: [Buffer, Buffer] = [Buffer.alloc(0), Buffer.alloc(0)]
  const server = createServer(async (asked, response) => {
    if (asked.method === 'PATCH' && taken.length === 0) {
      const [part] = (await emitted(asked, 'data')) as [Buffer]
      ;[taken, late] = [part.subarray(0, part.length >> 1), part.subarray(part.length >> 1)]
      return asked.socket.resetAndDestroy()
    }
    const body = Buffer.concat(await asked.toArray())
    const start = Number(/^\d+/.exec(asked.headers['content-range'] ?? '')?.[0] ?? taken.length)
    const status = { POST: 202, GET: 204, PATCH: start === taken.length ? 202 : 416, PUT: 201 }[asked.method ?? ''] ?? 404
    response.writeHead(status, { location: '/upload', range: `0-${taken.length - 1}` }).end()
    told.push(`${asked.method} ${status}`)
    if (asked.method === 'GET') [taken, late] = [Buffer.concat([taken, late]), Buffer.alloc(0)]
    else if (status === 202) taken = Buffer.concat([taken, body])
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { repository, close } = openRepository(`127.0.0.1:${(server.address() as AddressInfo).port}`, 'x', 'pull,push')
  try {
    const upload = repository.startUpload('pushing')
    await upload.write(content)
    await upload.commit(`sha256:${'0'.repeat(64)}`)
    expect(told).toEqual(['POST 202', 'GET 204', 'PATCH 416', 'GET 204', 'PATCH 202', 'PUT 201'])
    expect(taken.equals(content)).toBe(true)
  } finally {
    close()
    server.close()
  }
})
