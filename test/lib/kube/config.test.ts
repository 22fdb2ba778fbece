import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { X509Certificate } from 'node:crypto'
import https from 'node:https'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { createKubeClient, kubeClientFrom } from '#kube/client.ts'
import { configFromEnv, parseKubeconfig, readKubeconfig } from '#kube/config.ts'
import { KubeError, isConflict, isNotFound } from '#kube/errors.ts'
import { configMaps } from '#kube/resources.ts'
import { createAuthority, issueCertificate, remainingMs } from '#kube/x509.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tarsk8s-config-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const base64 = (text: string) => Buffer.from(text).toString('base64')
function kubeconfig(cluster: object, user: object, context: object = {}): string {
  return stringify({
    apiVersion: 'v1', kind: 'Config', 'current-context': 'here', clusters: [{ name: 'c', cluster }], users: [{ name: 'u', user }],
    contexts: [{ name: 'other', context: { cluster: 'x', user: 'y' } }, { name: 'here', context: { cluster: 'c', user: 'u', ...context } }],
  })
}

describe('kubeconfig', () => {
  it('reads server, authority, token, certificates and namespace of the current context', () => {
    const text = kubeconfig({ server: 'https://h:1', 'certificate-authority-data': base64('CA') }, { token: 't', 'client-certificate-data': base64('CERT'), 'client-key-data': base64('KEY') }, { namespace: 'ns' })
    expect(parseKubeconfig(text)).toMatchObject({ server: 'https://h:1', ca: 'CA', token: 't', cert: 'CERT', key: 'KEY', namespace: 'ns' })
  })
  it('finds files beside it', () => {
    writeFileSync(join(folder, 'ca.crt'), 'CA-FILE')
    writeFileSync(join(folder, 'config'), kubeconfig({ server: 'https://h', 'certificate-authority': 'ca.crt' }, { tokenFile: 'token' }))
    expect(readKubeconfig(join(folder, 'config'))).toMatchObject({ ca: 'CA-FILE', tokenFile: join(folder, 'token') })
  })
  it.each<[string, string, RegExp]>([
    ['no YAML', 'a: [', /is not YAML/],
    ['no current context', stringify({ 'current-context': 'nope', contexts: [] }), /contexts has no entry named "nope"/],
    ['no server', kubeconfig({}, {}), /clusters\[\]\.cluster\.server must be a URL/],
    ['a plugin', kubeconfig({ server: 'https://h' }, { exec: { command: 'x' } }), /users\[u\]\.user\.exec is not supported/],
  ])('refuses %s, naming the field', (_what, text, message) => {
    expect(() => parseKubeconfig(text)).toThrow(expect.objectContaining({ code: 'KUBE_CONFIG_INVALID', message: expect.stringMatching(message) as string }))
  })
  it('says what to set when there is no way to a cluster', () => {
    expect(() => configFromEnv({})).toThrow(expect.objectContaining({ code: 'KUBE_CONFIG_MISSING', remedy: expect.stringContaining('KUBECONFIG') as string }))
    expect(() => configFromEnv({ KUBECONFIG: join(folder, 'absent') })).toThrow(/absent/)
    writeFileSync(join(folder, 'found'), kubeconfig({ server: 'https://h' }, {}))
    expect(kubeClientFrom({ KUBECONFIG: `${join(folder, 'absent')}:${join(folder, 'found')}` }).server).toBe('https://h')
  })
})

describe('certificates', () => {
  const authority = createAuthority({ commonName: 'test authority', validDays: 10 })
  const issued = issueCertificate(authority, { commonName: 'server', hosts: ['127.0.0.1', '::1', 'name.test'], validDays: 5 })

  it('verify against their authority and name their hosts', () => {
    const certificate = new X509Certificate(issued.cert)
    const ca = new X509Certificate(authority.cert)
    expect(ca.ca).toBe(true)
    expect(certificate.ca).toBe(false)
    expect(certificate.verify(ca.publicKey)).toBe(true)
    expect(certificate.checkIssued(ca)).toBe(true)
    expect(certificate.checkIP('127.0.0.1')).toBe('127.0.0.1')
    expect(certificate.checkIP('::1')).toBeDefined()
    expect(certificate.checkHost('name.test')).toBe('name.test')
    expect(certificate.checkHost('other.test')).toBeUndefined()
    expect(remainingMs(issued.cert)).toBeGreaterThan(4 * 86_400_000)
  })
  it('serve TLS to a client that trusts the authority only; the token file is read', async () => {
    const seen: (string | undefined)[] = []
    const server = https.createServer(issued, (request, response) => {
      seen.push(request.headers.authorization)
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"ok":true}')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const url = `https://127.0.0.1:${(server.address() as { port: number }).port}`
    const tokenFile = join(folder, 'token')
    writeFileSync(tokenFile, 'from-file\n')
    const trusting = createKubeClient({ server: url, ca: authority.cert, tokenFile })
    const stranger = createKubeClient({ server: url })
    try {
      expect(await trusting.raw('GET', '/')).toEqual({ ok: true })
      expect(seen).toEqual(['Bearer from-file'])
      await expect(stranger.raw('GET', '/')).rejects.toMatchObject({ status: 0, reason: 'NetworkError' })
    } finally {
      trusting.close()
      stranger.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
  })
})

describe('errors', () => {
  it('are temporary for 429, 5xx and networks only', () => {
    const temporary = (status: number) => new KubeError('x', { status, reason: 'Y' }).temporary
    expect([0, 429, 500, 503, 504].map(temporary)).toEqual([true, true, true, true, true])
    expect([400, 401, 403, 404, 409, 410, 422].map(temporary)).toEqual(Array(7).fill(false))
    expect(isNotFound(new KubeError('x', { status: 404, reason: 'NotFound' }))).toBe(true)
    expect(isConflict(new KubeError('x', { status: 409, reason: 'AlreadyExists' }))).toBe(false)
  })
  it('name the call when nobody answers, and refuse objects without a name', async () => {
    const client = createKubeClient({ server: 'http://127.0.0.1:9' })
    await expect(client.list(configMaps)).rejects.toMatchObject({ code: 'KUBE_NETWORK_ERROR', temporary: true, message: 'GET http://127.0.0.1:9/api/v1/configmaps got no answer' })
    expect(() => client.get(configMaps, { namespace: 'x', name: '' })).toThrow(/cannot be named ""/)
    client.close()
  })
})
