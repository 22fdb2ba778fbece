// A real Elasticsearch 8 as it is by default: TLS with an authority of its own, and a user or an API key. Its security plugin is not to be
// had as a library, so a door before it does that part.
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import http from 'node:http'
import https from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { silentLogger } from '#base/log.ts'
import { createAuthority, issueCertificate } from '#kube/x509.ts'
import { steadyTime } from '#store/dataset.ts'
import type { ElasticOptions } from '#store/elastic/http.ts'
import { openElasticStore, type ElasticStoreOptions } from '#store/elastic/store.ts'
import { elasticEnv } from '#store/open.ts'
import { startSearchNode, type SearchNode } from '../../rig/search-node/search-node.ts'
import { dataset, row } from './rig.ts'

const authorities = ['first', 'second'].map((commonName) => createAuthority({ commonName, validDays: 1 }))
const certificateOf = (index: number, hosts: readonly string[] = ['127.0.0.1']) => issueCertificate(authorities[index] as { cert: string; key: string }, { commonName: 'door', hosts, validDays: 1 })

let node: SearchNode
let door: https.Server
let folder: string
let caFile: string
/** Who may come in. */
let expected: string | undefined
/** Requests that a connection lives for. */
let mostOfConnection = Infinity
/** The first request is not answered, and those after it when it has gone. */
let held: { begun: boolean; readonly first: PromiseWithResolvers<void>; readonly second: PromiseWithResolvers<void>; readonly gone: PromiseWithResolvers<void> } | undefined
const served = new WeakMap<Socket, number>()

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tarsk8s-elastic-tls-'))
  caFile = join(folder, 'ca.crt')
  node = await startSearchNode('elasticsearch8')
  door = https.createServer(certificateOf(0), async (request, response) => {
    const count = (served.get(request.socket) ?? 0) + 1
    served.set(request.socket, count)
    // As one that had just let an idle connection go.
    if (count > mostOfConnection) return void request.socket.destroy()
    if (request.headers.authorization !== expected) return void response.writeHead(401, { 'www-authenticate': 'Basic realm="security"', 'content-type': 'application/json' }).end('{"error":"missing authentication credentials"}')
    if (held?.begun === false) {
      held.begun = true
      response.on('close', held.gone.resolve)
      return held.first.resolve()
    }
    held?.second.resolve()
    await held?.gone.promise
    const { host: _, authorization: _given, ...headers } = request.headers
    const onward = http.request(`${node.url}${request.url?.replace(/^\/below/, '')}`, { method: request.method, headers }, (answer) => answer.pipe(response.writeHead(answer.statusCode ?? 500, answer.headers)))
    onward.on('error', () => response.destroy())
    request.pipe(onward)
  })
  door.listen(0, '127.0.0.1')
  await once(door, 'listening')
})
beforeEach(async () => {
  expected = undefined
  mostOfConnection = Infinity
  door.setSecureContext(certificateOf(0))
  door.closeIdleConnections()
  await writeFile(caFile, authorities[0]?.cert ?? '')
})
afterAll(async () => {
  door?.closeAllConnections()
  door?.close()
  await node?.remove()
  await rm(folder, { recursive: true, force: true })
})

const port = (): number => (door.address() as AddressInfo).port
const url = (): string => `https://127.0.0.1:${port()}`
const open = (options: Partial<ElasticStoreOptions> = {}) => openElasticStore({ urls: [url()], caFile, prefix: 'tls_', log: silentLogger, ...options })
const one = (name: string) => [row(name, { f_date: '20260101', name, count: 1 })]
const ask = (store: ReturnType<typeof open>) => store.totals(dataset, { from: '20260101', to: '20260101', where: [], groupBy: ['name'], measures: [{ field: 'count', by: 'sum' }] })

test('rows are written and asked for, below a path too', async () => {
  const store = open({ urls: [`${url()}/below`] })
  expect(await store.write(dataset, one('kept'))).toBe(0)
  await fetch(`${node.url}/_refresh`, { method: 'POST' })
  expect(await ask(store)).toEqual([{ keys: ['kept'], values: [1] }])
  expect(((await (await fetch(`${node.url}/_cat/indices/tls_*?format=json`)).json()) as unknown[]).length).toBe(1)
  await store.close()
})

describe('who one is', () => {
  test.each<[string, Partial<ElasticOptions>, string]>([
    ['user and password', { user: 'tars', password: 's3cret:é' }, `Basic ${Buffer.from('tars:s3cret:é').toString('base64')}`],
    ['an API key', { apiKey: 'VnVhQ2ZHY0JDZGJrUW0tZTVhT3g6dWkybHAyYXhUTm1zeWFrdzl0dk5udw==' }, 'ApiKey VnVhQ2ZHY0JDZGJrUW0tZTVhT3g6dWkybHAyYXhUTm1zeWFrdzl0dk5udw=='],
  ])('%s', async (_what, who, header) => {
    expected = header
    expect(await open(who).write(dataset, one('who'))).toBe(0)
    await expect(open().write(dataset, one('who'))).rejects.toMatchObject({ code: 'STORE_AWAY', temporary: true, message: expect.stringContaining('lets nobody in as a stranger (401)') as string })
    expected = 'something else'
    await expect(open(who).write(dataset, one('who'))).rejects.toMatchObject({ temporary: true, message: expect.stringMatching(/lets nobody in as ("tars"|the holder of this API key) \(401\)/) as string, remedy: expect.stringContaining('API key') as string })
  })
})

describe('whom to trust', () => {
  test.each<[string, () => Partial<ElasticOptions>, RegExp]>([
    ['nobody vouches for it', () => ({ caFile: undefined }), /in TARSSTORE_CA$/],
    ['the file is not there', () => ({ caFile: join(folder, 'none') }), /file of TARSSTORE_CA can be read$/],
    ['another name', () => ({ urls: [`https://localhost:${port()}`] }), /as its certificate does$/],
    ['it speaks TLS, and is asked without', () => ({ urls: [`http://127.0.0.1:${port()}`] }), /its node is then https:\/\/$/],
    ['it speaks no TLS', () => ({ urls: [node.url.replace('http:', 'https:')] }), /its node may be http:\/\/$/],
  ])('%s: told with what to do, and tried again later', async (_what, options, remedy) => {
    await expect(open(options()).write(dataset, one('x'))).rejects.toMatchObject({ code: 'STORE_AWAY', temporary: true, remedy: expect.stringMatching(remedy) as string })
  })

  test('a new authority is trusted once its certificate is in the file', async () => {
    const store = open()
    expect(await store.write(dataset, one('before'))).toBe(0)
    door.setSecureContext(certificateOf(1))
    door.closeAllConnections()
    await expect(async () => { for (;;) await store.write(dataset, one('between')) }).rejects.toMatchObject({ remedy: expect.stringContaining('TARSSTORE_CA') as string })
    await writeFile(caFile, authorities[1]?.cert ?? '')
    expect(await store.write(dataset, one('after'))).toBe(0)
    await store.close()
  })
})

test('a kept connection that the other side has let go costs nothing', async () => {
  const store = open()
  mostOfConnection = 1
  for (const name of ['a', 'b', 'c']) expect(await store.write(dataset, one(`kept-${name}`))).toBe(0)
  await store.close()
})

test('an answer that takes too long for one does not cost the others theirs', async () => {
  const store = open({ prefix: 'held_' })
  await store.write(dataset, one('x'))
  await fetch(`${node.url}/_refresh`, { method: 'POST' })
  held = { begun: false, first: Promise.withResolvers(), second: Promise.withResolvers(), gone: Promise.withResolvers() }
  const late = expect(store.totals(dataset, { from: '20260101', to: '20260101', where: [], groupBy: [], measures: [], until: steadyTime() + 500 })).rejects.toMatchObject({ code: 'STORE_QUESTION' })
  await held.first.promise
  const other = ask(store)
  await held.second.promise
  await late
  expect(await other).toEqual([{ keys: ['x'], values: [1] }])
  held = undefined
  await store.close()
})

describe('settings', () => {
  const base = { Namespace: 'prod' }
  test.each<[string, Record<string, string>, unknown]>([
    ['host and port', { TARSSTORE_NODES: 'es-0:9200, es-1:9200' }, { urls: ['http://es-0:9200', 'http://es-1:9200'], prefix: 'prod_' }],
    ['the protocol of all', { TARSSTORE_NODES: 'es:9200', TARSSTORE_PROTOCOL: 'https' }, { urls: ['https://es:9200'], prefix: 'prod_' }],
    ['an address each', { TARSSTORE_NODES: 'https://es-http.elastic.svc:9200/,https://cloud.test/es,[::1]:9200,http://[::1]:9201' }, { urls: ['https://es-http.elastic.svc:9200', 'https://cloud.test/es', 'http://[::1]:9200', 'http://[::1]:9201'], prefix: 'prod_' }],
    ['a user', { TARSSTORE_NODES: 'es:9200', TARSSTORE_USER: 'u', TARSSTORE_PASSWORD: 'p', TARSSTORE_CA: '/ca.crt' }, { urls: ['http://es:9200'], prefix: 'prod_', user: 'u', password: 'p', caFile: '/ca.crt' }],
    ['a key', { TARSSTORE_NODES: 'es:9200', TARSSTORE_API_KEY: 'k' }, { urls: ['http://es:9200'], prefix: 'prod_', apiKey: 'k' }],
  ])('%s', (_what, env, settings) => {
    expect(JSON.parse(JSON.stringify(elasticEnv({ ...base, ...env })))).toEqual(settings)
  })

  test('a user and a key are refused', () => {
    expect(() => elasticEnv({ ...base, TARSSTORE_NODES: 'es:9200', TARSSTORE_USER: 'u', TARSSTORE_API_KEY: 'k' })).toThrow(/TARSSTORE_USER and TARSSTORE_API_KEY are both set/)
  })
})
