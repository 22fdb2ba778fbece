// Whatever a pod sends to the servants of the framework: its process lives, its memory stays in bounds, others are served, and what is kept of
// other applications is as it was.
import { once } from 'node:events'
import { readFile, readdir } from 'node:fs/promises'
import http from 'node:http'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { resources } from '#api/resources.ts'
import type { TConfig } from '#api/types.ts'
import { Communicator } from '#tars/client.ts'
import { Config, type ConfigProxy } from '#tars/protocol/ConfigF.ts'
import { Log, type LogProxy } from '#tars/protocol/LogF.ts'
import { Notify, type NotifyProxy } from '#tars/protocol/NotifyF.ts'
import { QueryF, type QueryFProxy } from '#tars/protocol/QueryF.ts'
import { createStatMicMsgBody, createStatMicMsgHead, StatF, type StatFProxy } from '#tars/protocol/StatF.ts'
import { createEndpoint, createPod, createTemplate, namespace, until } from '../registry/cluster.ts'
import { json, sweep } from './bytes.ts'
import { httpPorts, servants, startRoles, textPorts, type Roles } from './rig.ts'

/** Pods of two applications: one has something to lose, the other sends. */
const [shop, evil] = ['127.9.9.1', '127.9.9.2']
const shopCommunicator = new Communicator({ timeoutMs: 60_000, localAddress: shop })
const secret = '<mall>\nkey=1\n</mall>\n'

let roles: Roles
let idle: number
beforeAll(async () => {
  roles = await startRoles(async ({ client }) => {
    await createTemplate(client, 'tars.default', 'tars.default', '<tars>\n</tars>\n')
    for (const [app, server] of [['Mall', 'Shop'], ['Demo', 'Evil']] as const) await createEndpoint(client, app, server, [{ name: 'Obj', port: 9000 }])
    await createPod(client, { app: 'Mall', server: 'Shop', name: 'mall-shop-0', ip: shop, state: 'Active/Active/7' })
    await createPod(client, { app: 'Demo', server: 'Evil', name: 'demo-evil-0', ip: evil, state: 'Active/Active/7' })
    await client.create(resources.tconfigs, { apiVersion: 'k8s.tars.io/v1beta3', kind: 'TConfig', metadata: { name: 'mall-shop-conf', namespace }, app: 'Mall', server: 'Shop', configName: 'shop.conf', configContent: secret, podSeq: 'm', activated: true, version: 'v' } as TConfig)
  })
  const { address } = roles
  await proxy<LogProxy>(Log, 'tars.tarslog.LogObj', 12111).logger('Mall', 'Shop', '', '%Y', ['sold\n'])
  await proxy<NotifyProxy>(Notify, 'tars.tarsnotify.NotifyObj', 13111).reportServer('Mall.Shop', '1', 'open')
  await proxy<StatFProxy>(StatF, 'tars.tarsstat.StatObj', 17000).reportMicMsg(new Map([[createStatMicMsgHead({ masterName: 'Mall.Shop', slaveName: 'Mall.Store' }), createStatMicMsgBody({ count: 3, totalRspTime: 3n })]]), true)
  await kept()
  idle = roles.memory()
  expect(address).not.toBe('')
})
afterAll(async () => {
  await shopCommunicator.close()
  await roles?.stop()
})

const proxy = <P>(definition: Parameters<Communicator['proxy']>[0], object: string, port: number) => shopCommunicator.proxy<P & object>(definition, `${object}@tcp -h ${roles.address} -p ${port}`) as P

/** What Mall.Shop sees of itself, as it must be at any time. */
async function kept(): Promise<void> {
  roles.alive()
  const { config } = await proxy<ConfigProxy>(Config, 'tars.tarsconfig.ConfigObj', 11111).loadConfig('Mall', 'Shop', 'shop.conf')
  const { activeEp } = await proxy<QueryFProxy>(QueryF, 'tars.tarsregistry.QueryObj', 17890).findObjectByIdInSameGroup('Mall.Shop.Obj')
  const { stInfo } = await proxy<NotifyProxy>(Notify, 'tars.tarsnotify.NotifyObj', 13111).getNotifyInfo({ name: 'Mall.Shop', ip: '', page: 0 })
  const folder = join(roles.logs, 'Mall', 'Shop')
  const logs = await Promise.all((await readdir(folder)).map((file) => readFile(join(folder, file), 'utf8')))
  expect({
    config, hosts: activeEp.map(({ host }) => host), notes: stInfo.notifyItems.map(({ sMessage }) => sMessage), logs,
  }).toEqual({ config: secret, hosts: ['mall-shop-0.mall-shop'], notes: ['open'], logs: [`${shop}|sold\n`] })
}

describe.each(servants)('%s', (object, port, definition) => {
  test('whatever the body is, it answers or hangs up, and serves on', async () => {
    await sweep({ host: roles.address, port, object, definition, from: evil, alive: roles.alive })
    await kept()
    expect(roles.memory() - idle).toBeLessThan(300)
  })
})

describe.each([...httpPorts])('HTTP at %i', (port) => {
  const targets = ['//', '/%', '/%00', 'http://[', '*', '/metrics?x=%', '/../../etc/passwd', `/${'x'.repeat(8000)}`, '/store/find', '/store/totals', '/store/last', '/store/__proto__', '/api/v1/servers/__proto__', '/api/v1/pods/..%2f..%2fx/logs', '/api/v1/host-ports?port=-1']
  const payloads = ['', '[', '['.repeat(100_000), '{"from":"20260101","to":"99999999","where":[],"groupBy":["__proto__"],"measures":[{"field":"x\'--","by":"sum"}]}', '{"from":{},"to":[]}', `{"from":"${'9'.repeat(100_000)}"}`]

  /** Bytes as they are, and the end of the connection awaited. */
  async function raw(text: string): Promise<void> {
    await sendAll(await rawSocket(port), text)
  }

  test('whatever is asked, it answers or hangs up, and serves on', async () => {
    for (const target of targets) {
      await raw(`GET ${target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`)
      for (const payload of payloads) await raw(`POST ${target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(payload)}\r\n\r\n${payload}`)
    }
    for (const text of ['\r\n\r\n', 'GET', `GET / HTTP/1.1\r\n${'a: b\r\n'.repeat(5000)}\r\n`, 'GET / HTTP/9.9\r\n\r\n', 'POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\ncontent-length: 5\r\n\r\nzz\r\n', '\u0016\u0003\u0001']) await raw(text)
    roles.alive()
    await kept()
    expect(roles.memory() - idle).toBeLessThan(300)
    const answer = await new Promise<http.IncomingMessage>((resolve, reject) => http.get({ host: roles.address, port, path: '/healthz', agent: false }, resolve).on('error', reject))
    answer.resume()
    expect(answer.statusCode).toBe(200)
  })
})

describe.each([...textPorts])('the text protocol at %i', (port) => {
  test('whatever is asked, it answers or hangs up, and serves on', async () => {
    for (const text of [...Object.values(json), '}'.repeat(70_000), `{"method":"query","filter":["${'x'.repeat(60_000)}"]}`, '{"method":"query","filter":[1,null,{}],"groupby":"__proto__","indexs":{}}', '\u0000']) {
      const socket = await rawSocket(port)
      await sendAll(socket, text)
      roles.alive()
    }
    await kept()
  })
})

test.each([...httpPorts, ...textPorts])('at %i who holds connections, and says nothing by them, holds few, and keeps nobody out', async (port) => {
  const held: Socket[] = []
  const before = roles.files()
  try {
    while (held.length < 1100) held.push(...await Promise.all(Array.from({ length: 100 }, () => rawSocket(port))))
    const socket = connect({ host: roles.address, port, localAddress: shop })
    socket.end(textPorts.includes(port as never) ? '{"method":"timecheck"}' : 'GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')
    expect(await text(socket)).toMatch(/^HTTP\/1.1 200|^Ret:-1\nno active db\nendline\n$/)
    expect(roles.files() - before).toBeLessThan(port === 8080 ? 1030 : 262)
  } finally {
    for (const socket of held) socket.destroy()
  }
})

/** A connection for any bytes. */
async function rawSocket(port: number): Promise<Socket> {
  const socket = connect({ host: roles.address, port, localAddress: evil })
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

/** Resolves when the connection is over, in whatever way. */
async function sendAll(socket: Socket, text: string): Promise<void> {
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  socket.end(text)
  socket.resume()
  await closed
}

test('no file is outside of its folder, and few are open', async () => {
  expect(await readdir(roles.folder)).toEqual(['kubeconfig', 'logs', 'store'])
  await until(() => roles.files() < 64 + 200)
})
