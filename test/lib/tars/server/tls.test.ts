// TLS at a servant: beside plain callers or alone, with another certificate while it serves, and with hands that shake wrongly.
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as tlsConnect } from 'node:tls'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { Communicator } from '#tars/client.ts'
import { CertificateFolder, tlsEnv } from '#tars/tls.ts'
import { describe as describeError } from '#base/errors.ts'
import { silentLogger } from '#base/log.ts'
import { Echo, objectName, startEcho, type EchoProxy, type EchoServer } from './echo.ts'
import { echoRequest, rawPeer } from './raw-peer.ts'

const openssl = (...args: readonly string[]) => promisify(execFile)('openssl', args)

let folder: string
const authority = (name: string) => readFile(join(folder, `${name}.crt`), 'utf8')

/** An authority in `<name>.crt`. */
async function makeAuthority(name: string): Promise<void> {
  await openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', `/CN=${name}`, '-keyout', join(folder, `${name}.key`), '-out', join(folder, `${name}.crt`))
}

/** A certificate by an authority, where a server looks for it. */
async function issue(by: string, to: string, names = 'DNS:tars-tarsregistry,IP:127.0.0.1'): Promise<void> {
  await mkdir(to, { recursive: true })
  const [request, extensions] = [join(to, 'csr'), join(to, 'ext')]
  await writeFile(extensions, `subjectAltName=${names}\n`)
  await openssl('req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=framework', '-keyout', join(to, 'tls.key'), '-out', request)
  await openssl('x509', '-req', '-in', request, '-CA', join(folder, `${by}.crt`), '-CAkey', join(folder, `${by}.key`), '-CAcreateserial', '-days', '2', '-extfile', extensions, '-out', join(to, 'tls.crt'))
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tarsk8s-tls-'))
  await Promise.all([makeAuthority('one'), makeAuthority('other')])
  await issue('one', join(folder, 'server'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function setUp(required: boolean, adapter: Parameters<typeof startEcho>[0] = {}, more: Parameters<typeof startEcho>[1] = {}): Promise<EchoServer> {
  const server = await startEcho(adapter, { tls: { folder: join(folder, 'server'), required }, ...more })
  cleanups.push(() => server.drain(200))
  return server
}

/** Why a call fails. */
const why = (call: Promise<unknown>): Promise<string> => call.then(() => 'it does not', describeError)

/** A caller by TLS that trusts an authority, or plain. */
function caller(server: EchoServer, protocol: 'ssl' | 'tcp', ca?: string, name?: string): EchoProxy {
  const communicator = new Communicator({ timeoutMs: 60_000, ...(ca === undefined ? {} : { tls: { ca: () => ca, ...(name === undefined ? {} : { name }) } }) })
  cleanups.push(() => communicator.close())
  return communicator.proxy<EchoProxy>(Echo, `${objectName}@${protocol} -h 127.0.0.1 -p ${server.port()} -t 3000`)
}

describe.each([[false, 'beside plain callers'], [true, 'alone']] as const)('required: %s (%s)', (required, _how) => {
  test('a caller that trusts the authority is served; large answers and many come whole', async () => {
    const server = await setUp(required)
    const echo = caller(server, 'ssl', await authority('one'))
    expect(await echo.text('hello')).toBe('hello')
    const large = 'x'.repeat(3 << 20)
    expect(await echo.text(large)).toBe(large)
    expect(await Promise.all(Array.from({ length: 200 }, (_, index) => echo.text(`n${index}`)))).toEqual(Array.from({ length: 200 }, (_, index) => `n${index}`))
  })

  test('one that does not trust it, or wants another name, does not speak', async () => {
    const server = await setUp(required)
    expect(await why(caller(server, 'ssl', await authority('other')).text('x'))).toMatch(/certificate/)
    expect(await why(caller(server, 'ssl', await authority('one'), 'elsewhere').text('x'))).toMatch(/elsewhere/)
    expect(await caller(server, 'ssl', await authority('one'), 'tars-tarsregistry').text('x')).toBe('x')
  })

  test('plain callers', async () => {
    const refused: string[] = []
    const server = await setUp(required, {}, { metrics: { onRefused: (_, code) => refused.push(code) } })
    if (required) {
      await expect(caller(server, 'tcp').text('x')).rejects.toThrow()
      expect(refused).toContain('TARS_TLS_REQUIRED')
    } else {
      expect(await caller(server, 'tcp').text('x')).toBe('x')
      // Also cut within its first bytes, and many in one.
      const peer = await rawPeer(server.port())
      cleanups.push(() => peer.destroy())
      for (const byte of echoRequest(1, 'text', ['slowly'])) await peer.write(Buffer.from([byte]))
      await peer.write(Buffer.concat([echoRequest(2, 'text', ['a']), echoRequest(3, 'text', ['b'])]))
      expect((await peer.until(3)).map(({ ret }) => ret)).toEqual([0, 0, 0])
    }
    expect(await caller(server, 'ssl', await authority('one')).text('x')).toBe('x')
  })

  test('another certificate is taken while connections go on', async () => {
    const to = join(folder, `live-${required}`)
    await issue('one', to)
    const server = await startEcho({}, { tls: { folder: to, required } })
    cleanups.push(() => server.drain(200))
    const before = caller(server, 'ssl', await authority('one'))
    await before.text('x')
    await issue('other', to)
    const other = await authority('other')
    await expect.poll(() => caller(server, 'ssl', other).text('new').catch(() => ''), { interval: 200 }).toBe('new')
    expect(await before.text('still')).toBe('still')
    expect(await why(caller(server, 'ssl', await authority('one')).text('x'))).toMatch(/certificate/)
  })

  test('hands that shake wrongly, or not at all, harm nobody', async () => {
    const refused: string[] = []
    const server = await setUp(required, { idleTimeoutMs: 2000 }, { metrics: { onRefused: (_, code) => refused.push(code) } })
    const garbage = connect(server.port(), '127.0.0.1')
    garbage.on('error', () => {}).resume()
    garbage.write(Buffer.concat([Buffer.from([0x16, 3, 1, 0, 5]), Buffer.alloc(2000, 0xff)]))
    await once(garbage, 'close')
    expect(refused).toContain('TARS_TLS')
    const silent = connect(server.port(), '127.0.0.1')
    silent.on('error', () => {}).resume()
    await once(silent, 'close')
    const old = tlsConnect({ port: server.port(), host: '127.0.0.1', rejectUnauthorized: false, maxVersion: 'TLSv1.1', minVersion: 'TLSv1' })
    await once(old, 'error')
    // Half of it, and the rest never: the end of the server does not wait for it.
    const half = connect(server.port(), '127.0.0.1')
    half.on('error', () => {})
    half.write(Buffer.from([0x16]))
    expect(await caller(server, 'ssl', await authority('one')).text('x')).toBe('x')
    await server.drain(100)
  })
})

describe('an ssl endpoint', () => {
  test('is TLS only, and needs a certificate', async () => {
    const server = await setUp(false, { endpoint: 'ssl -h 127.0.0.1 -p 0 -t 3000' })
    expect(await caller(server, 'ssl', await authority('one')).text('x')).toBe('x')
    await expect(caller(server, 'tcp').text('x')).rejects.toThrow()
    await expect(startEcho({ endpoint: 'ssl -h 127.0.0.1 -p 0 -t 3000' })).rejects.toThrow('there is no certificate')
  })
})

describe('the folder', () => {
  test('one that is missing or torn is named; one that turns bad leaves the last good one', async () => {
    await expect(startEcho({}, { tls: { folder: join(folder, 'nothing'), required: true } })).rejects.toThrow(/no certificate with its key in .*nothing/)
    const torn = join(folder, 'torn')
    await issue('one', torn)
    const certificates = new CertificateFolder(torn, silentLogger)
    cleanups.push(() => certificates.stop())
    const good = certificates.current
    await writeFile(join(torn, 'tls.key'), await readFile(join(folder, 'other.key'), 'utf8'))
    certificates.look()
    expect(certificates.current).toBe(good)
    expect(() => new CertificateFolder(torn, silentLogger)).toThrow('no certificate with its key')
  })

  test('is named by the environment', () => {
    expect(tlsEnv({})).toBeUndefined()
    expect(tlsEnv({ TARS_TLS: '/tls' })).toEqual({ folder: '/tls', required: false })
    expect(tlsEnv({ TARS_TLS: '/tls', TARS_TLS_REQUIRED: 'true' })).toEqual({ folder: '/tls', required: true })
  })
})
