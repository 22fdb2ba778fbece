// tarsnotify on real sockets and a real store, told by our own client and by @tars/notify.
import { once } from 'node:events'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import http from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { silentLogger } from '#base/log.ts'
import { pods } from '#kube/resources.ts'
import { mostRows } from '#store/dataset.ts'
import { notifyDataset } from '#store/datasets.ts'
import { openSqliteStore } from '#store/sqlite/store.ts'
import { Communicator } from '#tars/client.ts'
import { createReportInfo, Notify, type NotifyProxy, type ReportInfo } from '#tars/protocol/NotifyF.ts'
import { rowOf } from '../../framework/notify/model/notify-row.ts'
import { recordOfProgram } from '../../framework/notify/model/record.ts'
import { startNotify, type NotifyOptions, type RunningNotify } from '../../framework/notify/notify.ts'
import { createPod, namespace, startCluster, until, type TestCluster } from '../registry/cluster.ts'
import { startSearchNode } from '../rig/search-node/search-node.ts'

let cluster: TestCluster
let folder: string
let running: RunningNotify
let notify: NotifyProxy
const communicator = new Communicator({ timeoutMs: 60_000 })

const storeIn = (data: string): NotifyOptions['store'] => ({ data, days: 3, bytes: 1 << 30, spoolBytes: 16 << 20 })
const start = (more: Partial<NotifyOptions> = {}) =>
  startNotify({ client: cluster.client, namespace, address: '127.0.0.1', port: 0, httpPort: 0, limit: { windowMs: 300_000, count: 300 }, store: storeIn(folder), log: silentLogger, ...more })
const proxyOf = ({ port }: RunningNotify) => communicator.proxy<NotifyProxy>(Notify, `tars.tarsnotify.NotifyObj@tcp -h 127.0.0.1 -p ${port}`)
const read = async (name: string, { page = 0, ip = '' } = {}, from = notify) => (await from.getNotifyInfo({ name, ip, page })).stInfo
/** A page once it has so many: what was told is there a moment later, which reading waits for, and not for ever. */
const readAll = (name: string, count: number, ...more: [where?: { readonly page?: number; readonly ip?: string }, from?: NotifyProxy]) =>
  until(async () => {
    const page = await read(name, ...more)
    return page.notifyItems.length === count && page
  })

beforeAll(async () => {
  cluster = await startCluster()
  folder = await mkdtemp(join(tmpdir(), 'tarsk8s-notify-'))
  running = await start()
  notify = proxyOf(running)
})

afterAll(async () => {
  await communicator.close()
  await running?.stop()
  await cluster?.stop()
  await rm(folder, { recursive: true, force: true })
})

describe('levels (framework-services 3.2)', () => {
  const info = (given: Partial<ReportInfo>) => createReportInfo({ sApp: 'Level', sServer: 'Info', sNodeName: 'n', ...given })
  const cases: readonly [what: string, server: string, send: () => Promise<unknown>, level: number][] = [
    ['reportServer: alarm in the text', 'Level.A1', () => notify.reportServer('Level.A1', '-1', '[alarm] down'), 2],
    ['reportServer: error in the text', 'Level.A2', () => notify.reportServer('Level.A2', '-1', 'x [error] y'), 2],
    ['reportServer: fail in the text', 'Level.A3', () => notify.reportServer('Level.A3', '-1', '[fail]'), 2],
    ['reportServer: warn in the text', 'Level.A4', () => notify.reportServer('Level.A4', '-1', '[warn]'), 1],
    ['reportServer: none', 'Level.A5', () => notify.reportServer('Level.A5', '-1', 'restart'), 0],
    ['notifyServer: the level given, whatever the text', 'Level.B1', () => notify.notifyServer('Level.B1', 1, '[alarm]'), 1],
    ['reportNotifyInfo NOTIFY: eLevel', 'Level.C1', () => notify.reportNotifyInfo(info({ eType: 1, eLevel: 2, sServer: 'C1' })), 2],
    ['reportNotifyInfo REPORT: the text', 'Level.C2', () => notify.reportNotifyInfo(info({ eType: 0, sMessage: '[error]', sServer: 'C2' })), 2],
    ['reportNotifyInfo REPORT: TarsGo, the level in eLevel', 'Level.C3', () => notify.reportNotifyInfo(info({ eType: 0, eLevel: 1, sServer: 'C3' })), 1],
    ['reportNotifyInfo: TarsJava, App.Server in sServer (3.3)', 'Level.C4', () => notify.reportNotifyInfo(info({ sApp: '', sServer: 'Level.C4', sMessage: '[warn]' })), 1],
  ]
  test.each(cases)('%s', async (_what, server, send, level) => {
    await send()
    const { notifyItems } = await readAll(server, 1)
    expect(notifyItems.map(({ iLevel }) => iLevel)).toEqual([level])
    expect(notifyItems[0]?.sTimeStamp).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/)
  })

  test('an empty server name harms nothing (3.3)', async () => {
    await notify.reportServer('', '', 'whose?')
    await readAll('', 1)
  })
})

test('pages go from the newest to the oldest, and end with next page 0 (3.1)', async () => {
  for (let index = 0; index < 25; index++) await notify.reportServer('Page.Server', '-1', `m${index}`)
  await readAll('Page.Server', 5, { page: 2 })
  const pages: string[][] = []
  let page = 0
  do {
    const { nextpage, notifyItems } = await read('Page.Server', { page })
    pages.push(notifyItems.map(({ sMessage }) => sMessage))
    page = nextpage
  } while (page !== 0)
  expect(pages.map((one) => one.length)).toEqual([10, 10, 5])
  expect(pages.flat()).toEqual(Array.from({ length: 25 }, (_, index) => `m${24 - index}`))
})

test('beyond the last page that the store looks at there is none', async () => {
  const own = await mkdtemp(join(tmpdir(), 'tarsk8s-notify-'))
  const store = openSqliteStore(join(own, 'rows'))
  const now = Date.now()
  const rows = Array.from({ length: mostRows + 1 }, (_, index) => rowOf(recordOfProgram({ name: 'Many.Server', node: 'n', message: `m${index}` }, now + index), String(index)))
  await store.write(notifyDataset, rows)
  await store.close()
  const one = await start({ store: storeIn(own) })
  onTestFinished(async () => {
    await one.stop()
    await rm(own, { recursive: true })
  })
  const pageOf = async (page: number) => {
    const { nextpage, notifyItems } = await read('Many.Server', { page }, proxyOf(one))
    return [notifyItems.length, notifyItems[0]?.sMessage, nextpage]
  }
  expect(await pageOf(997)).toEqual([10, 'm30', 998])
  expect(await pageOf(998)).toEqual([10, 'm20', 0])
  expect(await pageOf(1_000_000)).toEqual([10, 'm20', 0])
})

test('who speaks: sNodeName, node_name, the pod at the address, the address (0.2, 3.3)', async () => {
  await notify.reportServer('Who.Server', '', 'address')
  await createPod(cluster.client, { app: 'Who', server: 'Server', name: 'who-server-0', ip: '127.0.0.1' })
  await until(async () => {
    await notify.reportServer('Wait.Server', '', 'x')
    return (await read('Wait.Server')).notifyItems[0]?.sServerId === 'Wait.Server_who-server-0.who-server'
  })
  await notify.reportServer('Who.Server', '', 'pod')
  await notify.reportServer('Who.Server', '', 'context', { context: { node_name: 'named-0.who' } })
  for (const sNodeName of ['given', 'who-server-0', 'who-server-0.who-server.ns.svc']) await notify.reportNotifyInfo(createReportInfo({ sApp: 'Who', sServer: 'Server', sNodeName }))
  const pod = 'Who.Server_who-server-0.who-server'
  const told = (await readAll('Who.Server', 6)).notifyItems.map(({ sServerId }) => sServerId).toReversed()
  expect(told).toEqual(['Who.Server_127.0.0.1', pod, 'Who.Server_named-0.who', 'Who.Server_given', pod, pod])
  expect((await read('Who.Server', { ip: 'given' })).notifyItems).toHaveLength(1)
  for (const ip of ['127.0.0.1', 'who-server-0', 'who-server-0.who-server']) expect((await read('Who.Server', { ip })).notifyItems).toHaveLength(3)
  await cluster.client.delete(pods, { namespace, name: 'who-server-0' })
})

test('too many of one server are dropped, of others not; what is kept survives a restart, and goes after its days', async () => {
  const own = await mkdtemp(join(tmpdir(), 'tarsk8s-notify-'))
  try {
    const first = await start({ store: storeIn(own), limit: { windowMs: 3_600_000, count: 15 } })
    const proxy = proxyOf(first)
    for (let index = 0; index < 30; index++) await proxy.reportServer('Loud.Server', '', `m${index}`)
    await proxy.reportServer('Quiet.Server', '', 'here')
    await readAll('Loud.Server', 5, { page: 1 }, proxy)
    await first.stop()
    const second = await start({ store: storeIn(own) })
    expect((await readAll('Loud.Server', 5, { page: 1 }, proxyOf(second))).notifyItems.map(({ sMessage }) => sMessage)).toEqual(['m4', 'm3', 'm2', 'm1', 'm0'])
    await readAll('Quiet.Server', 1, {}, proxyOf(second))
    await second.stop()
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    const later = await start({ store: storeIn(own), clock: { now: () => Date.now() + 5 * 86_400_000, monotonic: () => performance.now() } })
    expect((await read('Quiet.Server', {}, proxyOf(later))).notifyItems).toEqual([])
    // A clock is believed after some hours.
    vi.advanceTimersByTime(5 * 3_600_000)
    await until(async () => ((await readdir(join(own, 'rows', 'notify'))).length === 0 ? true : undefined))
    await later.stop()
  } finally {
    vi.useRealTimers()
    await rm(own, { recursive: true, force: true })
  }
})

test('what a filter names is dropped, from the moment that its file says so (3.2)', async () => {
  const own = await mkdtemp(join(tmpdir(), 'tarsk8s-notify-'))
  const conf = join(own, 'notify.conf')
  await writeFile(conf, '<tars>\n<filter>\nFilter.Server=noise\n</filter>\n</tars>')
  const one = await start({ store: storeIn(own), conf })
  onTestFinished(async () => {
    await one.stop()
    await rm(own, { recursive: true })
  })
  for (const message of ['noise', 'signal']) await proxyOf(one).reportServer('Filter.Server', '', message)
  expect((await readAll('Filter.Server', 1, {}, proxyOf(one))).notifyItems.map(({ sMessage }) => sMessage)).toEqual(['signal'])
})

test('grave ones are told to a webhook, each once, again when it fails', async () => {
  const bodies: { labels: { server: string; severity: string }; annotations: { message: string } }[][] = []
  const statuses = [500]
  const receiver = http.createServer((request, response) => {
    let text = ''
    request.setEncoding('utf8').on('data', (chunk: string) => (text += chunk)).on('end', () => {
      const status = statuses.shift() ?? 200
      if (status === 200) bodies.push(JSON.parse(text) as (typeof bodies)[number])
      response.writeHead(status).end()
    })
  })
  receiver.listen(0, '127.0.0.1')
  await once(receiver, 'listening')
  const own = await mkdtemp(join(tmpdir(), 'tarsk8s-notify-'))
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/api/v2/alerts`
  const one = await start({ store: storeIn(own), alerts: { url, form: 'alertmanager', level: '[error]', repeatMs: 60_000 } })
  onTestFinished(async () => {
    await one.stop()
    receiver.close()
    await rm(own, { recursive: true })
  })
  const proxy = proxyOf(one)
  for (const message of ['fine', '[warn] hm', '[error] bad', '[error] bad', '[alarm] worse']) await proxy.reportServer('Alert.Server', '', message)
  const told = await until(() => (bodies.flat().length >= 2 ? bodies.flat() : undefined))
  expect(told.map(({ labels, annotations }) => [labels.server, labels.severity, annotations.message])).toEqual([['Server', 'error', '[error] bad'], ['Server', 'alarm', '[alarm] worse']])
  await until(async () => /^tarsnotify_alerts_total 2$/m.test(await (await fetch(`http://127.0.0.1:${one.httpPort}/metrics`)).text()))
})

/** One that tells a webhook of errors, and what it has told. */
async function alertingTo(answer: (response: http.ServerResponse) => void) {
  const contents: string[] = []
  const receiver = http.createServer((request, response) => {
    let text = ''
    request.setEncoding('utf8').on('data', (chunk: string) => (text += chunk)).on('end', () => {
      contents.push((JSON.parse(text) as { text: { content: string } }).text.content)
      answer(response)
    })
  })
  receiver.listen(0, '127.0.0.1')
  await once(receiver, 'listening')
  const own = await mkdtemp(join(tmpdir(), 'tarsk8s-notify-'))
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`
  const one = await start({ store: storeIn(own), alerts: { url, form: 'msgtype', level: '[error]', repeatMs: 60_000 } })
  onTestFinished(async () => {
    await one.stop()
    receiver.close()
    await rm(own, { recursive: true })
  })
  return { one, contents }
}

test('a webhook that answers 200 and says in it that it did not take them is asked again, or they are lost', async () => {
  const answers = ['{"errcode":45009,"errmsg":"api freq out of limit"}', '{"errcode":0,"errmsg":"ok"}', '{"errcode":93000,"errmsg":"invalid webhook url"}']
  const { one, contents } = await alertingTo((response) => void response.end(answers.shift()))
  const metrics = async () => (await fetch(`http://127.0.0.1:${one.httpPort}/metrics`)).text()
  await proxyOf(one).reportServer('Alert.Server', '', '[error] bad')
  await until(async () => /^tarsnotify_alerts_total 1$/m.test(await metrics()))
  await proxyOf(one).reportServer('Alert.Server', '', '[error] worse')
  await until(async () => /^tarsnotify_alerts_lost_total 1$/m.test(await metrics()))
  expect(contents.map((content) => content.replace(/.*: /, ''))).toEqual(['[error] bad', '[error] bad', '[error] worse'])
})

test('what waited for a webhook is told in messages that it takes, many in each', async () => {
  const gate = Promise.withResolvers<void>()
  const { one, contents } = await alertingTo((response) => void gate.promise.then(() => response.end('{"errcode":0,"errmsg":"ok"}')))
  await Promise.all(Array.from({ length: 61 }, (_, index) => proxyOf(one).reportServer('Alert.Server', '', `[error] ${index} ${'日'.repeat(30)}`)))
  gate.resolve()
  await until(async () => /^tarsnotify_alerts_total 61$/m.test(await (await fetch(`http://127.0.0.1:${one.httpPort}/metrics`)).text()))
  expect(contents.flatMap((content) => content.split('\n'))).toHaveLength(61)
  // One is alone; of the others, of about 140 bytes, 14 are in each.
  expect(contents.length).toBeLessThan(8)
  expect(Math.max(...contents.map((content) => Buffer.byteLength(content)))).toBeLessThanOrEqual(2048)
})

test('a folder that cannot be written to is refused by name', async () => {
  const file = join(folder, 'file')
  await writeFile(file, '')
  await expect(start({ store: storeIn(join(file, 'below')) })).rejects.toThrow(/file\/below/)
})

test('@tars/notify is understood', async () => {
  const require = createRequire(import.meta.url)
  const client = require('@tars/notify')
  const { Config } = require('@tars/utils')
  const config = new Config()
  config.parseText(`<tars>\n<application>\n<server>\napp=Foreign\nserver=Server\nnotify=tars.tarsnotify.NotifyObj@tcp -h 127.0.0.1 -p ${running.port} -t 60000\n</server>\n</application>\n</tars>`)
  client.init(config)
  client.report('[error] from afar')
  client.notify('careful', client.LEVEL.NOTIFYWARN)
  const { notifyItems } = await until(async () => {
    const found = await read('Foreign.Server')
    return found.notifyItems.length > 1 ? found : undefined
  })
  expect(new Map(notifyItems.map(({ sMessage, iLevel }) => [sMessage, iLevel]))).toEqual(new Map([['[error] from afar', 2], ['careful', 1]]))
})

test('in OpenSearch documents are as webs read them (3.3), and pages are the same', async () => {
  const node = await startSearchNode('opensearch')
  const own = await mkdtemp(join(tmpdir(), 'tarsk8s-notify-'))
  const kept = await start({ store: { ...storeIn(own), elastic: { urls: [node.url], prefix: 'tars_', user: undefined, password: undefined } } })
  try {
    const proxy = proxyOf(kept)
    expect((await read('Shop.Cart', {}, proxy)).notifyItems).toEqual([])
    for (let index = 0; index < 12; index++) await proxy.reportServer('Shop.Cart', 't1', `[error] "${index}"`, { context: { node_name: 'shop-cart-0.shop-cart' } })
    await proxy.reportServer('Shop.Pay', '', 'other')
    // While its index is being made, the store cannot answer.
    const pages = await until(async () => {
      await fetch(`${node.url}/_refresh`, { method: 'POST' })
      const lengths = await Promise.all([0, 1].map(async (page) => (await read('Shop.Cart', { page }, proxy)).notifyItems.length)).catch((): number[] => [])
      return lengths[0] === 10 && lengths[1] !== 0 && lengths[1] !== 1 ? lengths : undefined
    })
    expect(pages).toEqual([10, 2])
    const answer = (await (await fetch(`${node.url}/tars_notify_/_search?q=app:Shop+AND+server:Cart&sort=notifyTime:desc`)).json()) as { hits: { hits: { _source: Record<string, string> }[] } }
    const document = answer.hits.hits[0]?._source
    expect(document).toMatchObject({ app: 'Shop', server: 'Cart', podName: 'shop-cart-0.shop-cart', impThread: 't1', level: '[error]', source: 'program' })
    expect(document?.['notifyTime']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4}$/)
    const metrics = await (await fetch(`http://127.0.0.1:${kept.httpPort}/metrics`)).text()
    expect(metrics).toContain('tarsnotify_notifications_total 13\n')
  } finally {
    await kept.stop()
    await node.remove()
    await rm(own, { recursive: true, force: true })
  }
})
