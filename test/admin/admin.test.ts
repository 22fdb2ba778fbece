// tarsadmin over real HTTP, fed by the embedded API server.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { resources } from '#api/resources.ts'
import { silentLogger } from '#base/log.ts'
import { pods } from '#kube/resources.ts'
import { Communicator } from '#tars/client.ts'
import { Notify, type NotifyProxy } from '#tars/protocol/NotifyF.ts'
import { startAdmin, type RunningAdmin } from '../../framework/admin/admin.ts'
import type { CommandAnswer, ErrorBody, NotificationPage, PodList, ServerList, ServerRow } from '../../framework/admin/contract.ts'
import { startNotify, type RunningNotify } from '../../framework/notify/notify.ts'
import { createPod, namespace, startCluster, until, type TestCluster } from '../registry/cluster.ts'
import { ownAddress } from '../rig/own-address.ts'
import { createTserver, setPods, startNode, type TestNode } from './rig.ts'

let cluster: TestCluster
let admin: RunningAdmin
let notify: RunningNotify
let folder: string
let nodes: TestNode[]
let followed: PassThrough
const [first, second, silent] = [ownAddress(), ownAddress(), ownAddress()]

beforeAll(async () => {
  cluster = await startCluster({
    podLogs: ({ name, follow, tailLines, container }) => {
      if (follow) return (followed = new PassThrough())
      const log = new PassThrough()
      log.end(`${name} ${container} ${tailLines}\n`)
      return log
    },
  })
  const { client } = cluster
  folder = await mkdtemp(join(tmpdir(), 'tarsk8s-admin-'))
  notify = await startNotify({ client, namespace, address: '127.0.0.1', port: 0, httpPort: 0, limit: { windowMs: 1000, count: 300 }, store: { data: folder, days: 3, bytes: 1 << 30, spoolBytes: 16 << 20 }, log: silentLogger })
  nodes = [await startNode(first), await startNode(second, -1)]
  for (const [index, ip] of [first, second, silent].entries()) await createPod(client, { app: 'Test', server: 'Hello', name: `test-hello-${index}`, ip, state: 'Active/Active/7' })
  await client.patch(pods, { namespace, name: 'test-hello-1' }, { status: { conditions: [{ type: 'tars.io/restarts', status: 'True', reason: '4' }] } }, { type: 'strategic', subresource: 'status' })
  await createTserver(client, 'Test', 'Hello', { replicas: 3, servants: [{ name: 'HelloObj', port: 18000 }, { name: 'UdpObj', port: 18001, isTcp: false }] })
  await setPods(client, 'Test', 'Hello', [
    { name: 'test-hello-2', podIP: silent },
    { name: 'test-hello-1', podIP: second, presentState: 'Inactive', pid: '', presentMessage: 'exit code 3, next start in 30 s' },
    { name: 'test-hello-0', podIP: first, pid: '7' },
  ])
  await createTserver(client, 'Test', 'Crash')
  const waiting = { name: 'c', image: 'i', imageID: '', ready: false, restartCount: 5, state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 40s' } }, lastState: { terminated: { exitCode: 137, signal: 9, reason: 'OOMKilled' } } }
  await setPods(client, 'Test', 'Crash', [{ name: 'test-crash-0', presentState: 'ContainersNotReady', containerStatuses: [waiting] }])
  await createTserver(client, 'Test', 'New', { release: '' })
  await createTserver(client, 'Test', 'Zero', { replicas: 0 })
  await createTserver(client, 'Test', 'Off')
  await setPods(client, 'Test', 'Off', [{ name: 'test-off-0', settingState: 'Inactive', presentState: 'Inactive' }])
  await createTserver(client, 'Other', 'Young')
  await createTserver(client, 'Test', 'Scaled', { replicas: 2 })
  await client.patch(resources.tservers, { namespace, name: 'test-scaled' }, { metadata: { annotations: { 'tars.io/MinReplicas': '2' } } }, { type: 'merge' })
  await setPods(client, 'Test', 'Scaled', [{ name: 'test-scaled-0' }])
  await createTserver(client, 'tars', 'tarsnotify', { servants: [{ name: 'NotifyObj', port: notify.port }] })
  await setPods(client, 'tars', 'tarsnotify', [{ name: 'tars-tarsnotify-0', podIP: '127.0.0.1' }])
  admin = await startAdmin({ client, namespace, address: '127.0.0.1', port: 0, agentPort: 8000, log: silentLogger, signal: new AbortController().signal })
})

afterAll(async () => {
  await admin?.stop()
  await notify?.stop()
  for (const node of nodes ?? []) await node.stop()
  await cluster?.stop()
  if (folder !== undefined) await rm(folder, { recursive: true, force: true })
})

const get = async <T>(path: string): Promise<T> => (await (await fetch(`${admin.url}${path}`)).json()) as T
const post = (path: string, headers: Record<string, string> = {}) => fetch(`${admin.url}/api/v1${path}`, { method: 'POST', headers })

describe('rows', () => {
  test('a server has its servants, its pods in order, and how it is', async () => {
    const row = await get<ServerRow>('/api/v1/servers/test-hello')
    expect(row).toMatchObject({ app: 'Test', server: 'Hello', subType: 'tars', type: 'tars.default', release: { id: 'v1', image: 'registry/v1' }, replicas: 3, ready: 2, state: 'Degraded', message: 'exit code 3, next start in 30 s' })
    expect(row.servants).toEqual([
      { name: 'HelloObj', obj: 'Test.Hello.HelloObj', port: 18000, isTcp: true, isTars: true },
      { name: 'UdpObj', obj: 'Test.Hello.UdpObj', port: 18001, isTcp: false, isTars: true },
    ])
    expect(row.pods.map(({ name }) => name)).toEqual(['test-hello-0', 'test-hello-1', 'test-hello-2'])
    expect(row.pods[0]).toEqual({ name: 'test-hello-0', ip: first, hostIP: '', pid: '7', settingState: 'Active', presentState: 'Active', message: '', restarts: 0, releaseId: 'v1', startTime: '2026-01-01T00:00:00Z' })
    expect(row.pods[1]).toMatchObject({ presentState: 'Inactive', restarts: 4 })
    expect(await get('/api/v1/servers/Test.Hello')).toEqual(row)
  })

  test.each([
    ['test-crash', 'Failing', 'back-off 40s; the container ended with signal 9: OOMKilled'],
    ['test-new', 'Unreleased', 'nothing was released yet'],
    ['test-zero', 'Stopped', ''],
    ['test-off', 'Stopped', 'stopped by command'],
    ['other-young', 'Starting', ''],
    ['tars-tarsnotify', 'Active', ''],
  ])('%s is %s', async (name, state, message) => {
    expect(await get<ServerRow>(`/api/v1/servers/${name}`)).toMatchObject({ state, message })
  })

  test('a server has as many pods as its bounds leave, whatever it was scaled to', async () => {
    await cluster.client.patch(resources.tservers, { namespace, name: 'test-scaled' }, { spec: { replicas: 0 } }, { type: 'merge', subresource: 'scale' })
    await until(async () => (await get<ServerRow>('/api/v1/servers/test-scaled')).replicas === 2)
    expect(await get<ServerRow>('/api/v1/servers/test-scaled')).toMatchObject({ ready: 1, state: 'Degraded' })
  })

  test('rows follow their server, its pods, and what the controller says of them', async () => {
    const { client } = cluster
    const is = (facts: object) => until(async () => {
      const [row, [inList]] = [await get<ServerRow>('/api/v1/servers/other-young'), (await get<ServerList>('/api/v1/servers?app=Other')).servers]
      return Object.entries(facts).every(([key, value]) => JSON.stringify(row[key as keyof ServerRow]) === JSON.stringify(value)) && JSON.stringify(row) === JSON.stringify(inList)
    })
    await is({ state: 'Starting' })
    await createPod(client, { app: 'Other', server: 'Young', name: 'other-young-0' })
    await setPods(client, 'Other', 'Young', [{ name: 'other-young-0', presentState: 'Activating' }])
    await is({ state: 'Starting', ready: 0 })
    await setPods(client, 'Other', 'Young', [{ name: 'other-young-0' }])
    await is({ state: 'Active', ready: 1 })
    await client.patch(pods, { namespace, name: 'other-young-0' }, { status: { conditions: [{ type: 'tars.io/restarts', status: 'True', reason: '7' }] } }, { type: 'strategic', subresource: 'status' })
    await until(async () => (await get<ServerRow>('/api/v1/servers/other-young')).pods[0]?.restarts === 7)
    await client.patch(resources.tservers, { namespace, name: 'other-young' }, { spec: { k8s: { replicas: 2 } } }, { type: 'merge' })
    await is({ state: 'Degraded', replicas: 2 })
  })

  test('a crash loop shows its reason and its restarts', async () => {
    const { pods: rows } = await get<PodList>('/api/v1/pods?server=test-crash')
    expect(rows).toMatchObject([{ server: 'test-crash', presentState: 'CrashLoopBackOff', restarts: 5 }])
  })

  test('lists can be narrowed', async () => {
    const names = async (query: string) => (await get<ServerList>(`/api/v1/servers${query}`)).servers.map(({ name }) => name)
    expect(await names('')).toEqual(['other-young', 'tars-tarsnotify', 'test-crash', 'test-hello', 'test-new', 'test-off', 'test-scaled', 'test-zero'])
    expect(await names('?app=Other')).toEqual(['other-young'])
    expect(await names('?app=Test&server=Zero')).toEqual(['test-zero'])
    expect(await names('?app=Nobody')).toEqual([])
    expect((await get<PodList>('/api/v1/pods')).pods).toHaveLength(8)
    expect(await get('/healthz')).toMatchObject({ status: 'ok' })
  })
})

describe('commands', () => {
  test('each pod answers for itself: done, refused, not reached', async () => {
    const answer = (await (await post('/servers/test-hello/restart')).json()) as CommandAnswer
    expect(answer.results).toMatchObject([
      { pod: 'test-hello-0', ok: true, message: 'Success' },
      { pod: 'test-hello-1', ok: false, message: 'not mine' },
      { pod: 'test-hello-2', ok: false, message: expect.stringContaining(silent) },
    ])
    expect(nodes[0]?.calls).toEqual(['restart Test.Hello'])
  })

  test('one pod only', async () => {
    const answer = (await (await post('/servers/test-hello/stop?pod=test-hello-0')).json()) as CommandAnswer
    expect(answer.results).toHaveLength(1)
    expect(nodes[0]?.calls.at(-1)).toBe('stop Test.Hello')
  })

  test('what no node runs, as the framework\'s own services, takes none', async () => {
    await cluster.client.patch(resources.tservers, { namespace, name: 'test-new' }, { spec: { k8s: { command: ['tarsk8s', 'config'] } } }, { type: 'merge' })
    await until(async () => !(await get<ServerRow>('/api/v1/servers/test-new')).hasNode)
    const answer = await post('/servers/test-new/restart')
    expect([answer.status, ((await answer.json()) as ErrorBody).code]).toEqual([409, 'SERVER_HAS_NO_NODE'])
  })

  test('a page of another site is refused', async () => {
    const answer = await post('/servers/test-hello/start', { origin: 'http://elsewhere.example' })
    expect([answer.status, ((await answer.json()) as ErrorBody).code]).toEqual([403, 'ORIGIN_REFUSED'])
    expect((await post('/servers/test-hello/start?pod=test-hello-0', { origin: admin.url })).status).toBe(200)
  })
})

describe('refusals say what to do', () => {
  test.each([
    ['GET', '/servers/nobody', 404, 'SERVER_UNKNOWN'],
    ['POST', '/servers/nobody/stop', 404, 'SERVER_UNKNOWN'],
    ['POST', '/servers/test-hello/stop?pod=nobody', 404, 'POD_UNKNOWN'],
    ['POST', '/servers/test-hello/stop?pot=test-hello-0', 400, 'QUERY_INVALID'],
    ['GET', '/servers?ap=Test', 400, 'QUERY_INVALID'],
    ['GET', '/pods/nobody/logs', 404, 'POD_UNKNOWN'],
    ['GET', '/pods/test-hello-0/logs?tail=-1', 400, 'QUERY_INVALID'],
    ['GET', '/pods/test-hello-0/logs?follow=yes', 400, 'QUERY_INVALID'],
    ['GET', '/nothing', 404, 'ROUTE_UNKNOWN'],
    ['PUT', '/servers', 404, 'ROUTE_UNKNOWN'],
    ['POST', '/servers/test-hello/explode', 404, 'ROUTE_UNKNOWN'],
  ])('%s %s → %i %s', async (method, path, status, code) => {
    const answer = await fetch(`${admin.url}/api/v1${path}`, { method })
    const body = (await answer.json()) as ErrorBody
    expect([answer.status, body.code]).toEqual([status, code])
    expect(body.message).not.toBe('')
  })
})

describe('logs', () => {
  test('come from the Kubernetes API, of the container of the server', async () => {
    expect(await (await fetch(`${admin.url}/api/v1/pods/test-hello-0/logs?tail=5`)).text()).toBe('test-hello-0 test-hello 5\n')
  })

  test('are followed as they come, and let go when the reader goes', async () => {
    const reader = new AbortController()
    const { body } = await fetch(`${admin.url}/api/v1/pods/test-hello-0/logs?follow=true`, { signal: reader.signal })
    const chunks = body?.[Symbol.asyncIterator]()
    followed.write('one\n')
    expect(Buffer.from((await chunks?.next())?.value ?? []).toString()).toBe('one\n')
    followed.write('two\n')
    expect(Buffer.from((await chunks?.next())?.value ?? []).toString()).toBe('two\n')
    reader.abort()
    await until(() => followed.destroyed)
  })
})

test('notifications come from tarsnotify, page by page', async () => {
  const communicator = new Communicator({ timeoutMs: 60_000 })
  const proxy = communicator.proxy<NotifyProxy>(Notify, `tars.tarsnotify.NotifyObj@tcp -h 127.0.0.1 -p ${notify.port}`)
  for (let index = 0; index < 12; index++) await proxy.reportServer('Test.Hello', '', `[warn] m${index}`)
  await communicator.close()
  const page = await get<NotificationPage>('/api/v1/servers/test-hello/notifications')
  expect(page.notifications).toHaveLength(10)
  expect(page.notifications[0]).toMatchObject({ level: 'warn', message: '[warn] m11' })
  expect(page.nextPage).toBe(1)
  const last = await get<NotificationPage>('/api/v1/servers/test-hello/notifications?page=1')
  expect([last.notifications.length, last.nextPage]).toEqual([2, undefined])
})
