// Whatever a pod sends to the servants of the framework: its process lives, its memory stays in bounds, others are served, and what is kept of
// other applications is as it was.
import { once } from 'node:events'
import { readFile, readdir } from 'node:fs/promises'
import http from 'node:http'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { resources } from '#api/resources.ts'
import type { TConfig } from '#api/types.ts'
import { Communicator } from '#tars/client.ts'
import { Writer } from '#tars/codec/writer.ts'
import { Config, type ConfigProxy } from '#tars/protocol/ConfigF.ts'
import { Log, type LogProxy } from '#tars/protocol/LogF.ts'
import { Notify, type NotifyProxy } from '#tars/protocol/NotifyF.ts'
import { QueryF, type QueryFProxy } from '#tars/protocol/QueryF.ts'
import { createStatMicMsgBody, createStatMicMsgHead, StatF, type StatFProxy } from '#tars/protocol/StatF.ts'
import { createEndpoint, createPod, createTemplate, namespace, until } from '../registry/cluster.ts'
import { httpPorts, request, servants, startRoles, textPorts, wireTo, type Roles } from './rig.ts'

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

const repeat = (bytes: readonly number[], count: number): Buffer => Buffer.concat(Array.from({ length: count }, () => Buffer.from(bytes)))
function written(write: (w: Writer) => void): Buffer {
  const w = new Writer()
  write(w)
  return w.take(0)
}
const everyTag = (write: (w: Writer, tag: number) => void): Buffer => written((w) => {
  for (let tag = 1; tag <= 8; tag++) write(w, tag)
})
const names = ['../../../../etc/passwd', '/etc/shadow', '..', '.', 'a/b\\c', 'x\n[fake] line\r\n', '\u0000', '\u001b[2J', 'a'.repeat(300), '${app}', '%s%n%n', "'; DROP TABLE x; --", '__proto__', 'constructor', '*', '%', '\ud800', '', ' ', '<script>', '$(id)']
/** Long, and not worth less: what parses them sees as many parts. */
const dots = 'a.'.repeat(10_000)

const bodies: Readonly<Record<string, Buffer>> = {
  empty: Buffer.alloc(0),
  noise: repeat([0xab, 0x13, 0x7f], 400),
  'a cut field': Buffer.from([0x11, 0x01]),
  'structs in structs': repeat([0x1a], 200_000),
  'lists in lists': Buffer.concat([Buffer.from([0x19, 0x00, 0x01]), repeat([0x09, 0x00, 0x01], 60_000)]),
  'maps in maps': Buffer.concat([Buffer.from([0x18, 0x00, 0x01]), repeat([0x08, 0x00, 0x01], 60_000)]),
  'a list of two thousand million': everyTag((w, tag) => w.writeRaw(Buffer.from([(tag << 4) | 9, 2, 0x7f, 0xff, 0xff, 0xff]))),
  'a list of minus one': everyTag((w, tag) => w.writeRaw(Buffer.from([(tag << 4) | 9, 2, 0xff, 0xff, 0xff, 0xff]))),
  'a map of two thousand million': everyTag((w, tag) => w.writeRaw(Buffer.from([(tag << 4) | 8, 2, 0x7f, 0xff, 0xff, 0xff]))),
  'bytes without end': everyTag((w, tag) => w.writeRaw(Buffer.from([(tag << 4) | 13, 0, 2, 0x7f, 0xff, 0xff, 0xff]))),
  'a text of four gigabytes': Buffer.from([0x17, 0xff, 0xff, 0xff, 0xff, 1, 2, 3]),
  'structs for all': everyTag((w, tag) => {
    w.beginStruct(tag)
    w.endStruct()
  }),
  'numbers for all': everyTag((w, tag) => w.writeLong(tag, -(1n << 63n))),
  'floats for all': everyTag((w, tag) => w.writeDouble(tag, Number.NaN)),
  'long texts for all': everyTag((w, tag) => w.writeString(tag, 'x'.repeat(60_000))),
  'many dots for all': everyTag((w, tag) => w.writeString(tag, dots)),
  'texts that are none': everyTag((w, tag) => w.writeBytes(tag, Buffer.from([0xff, 0xfe, 0x00]))),
  'maps of many': everyTag((w, tag) => {
    w.beginMap(tag, 5000)
    for (let i = 0; i < 5000; i++) {
      w.writeString(0, `k${i}`)
      w.writeString(1, '../x')
    }
  }),
  'lists of many': everyTag((w, tag) => {
    w.beginList(tag, 5000)
    for (let i = 0; i < 5000; i++) w.writeString(0, '\n')
  }),
  ...Object.fromEntries(names.map((name, index) => [`names ${index}`, everyTag((w, tag) => w.writeString(tag, name))])),
}
const json: Readonly<Record<string, string>> = {
  'JSON lists in lists': '['.repeat(100_000), 'JSON objects in objects': '{"a":'.repeat(50_000), 'JSON of prototypes': '{"__proto__":{"x":1},"constructor":{"prototype":{"y":2}}}',
  'JSON null': 'null', 'JSON number': '1e999', 'a JSON text': '"x"', 'no JSON': '{', 'JSON lists for all': `{${['app', 'server', 'id', 'info', 'msg', 'statmsg', 'buffer', 'req', 'filename', 'podName'].map((name) => `"${name}":[[1],{}]`).join()}}`,
}

describe.each(servants)('%s', (object, port, definition) => {
  test('whatever the body is, it answers or hangs up, and serves on', async () => {
    const { address } = roles
    let wire = await wireTo(address, port, evil)
    let id = 1
    let sent: Promise<void>[] = []
    const send = (bytes: (requestId: number) => Buffer): void => {
      const requestId = ++id
      sent.push(wire.settled(requestId))
      wire.socket.write(bytes(requestId))
    }
    /** Waits until all that was sent is answered, or the connection is closed; then there is another one. */
    const settle = async (): Promise<void> => {
      await Promise.all(sent)
      sent = []
      wire.socket.destroy()
      wire = await wireTo(address, port, evil)
      roles.alive()
    }
    const functions = [...Object.keys(definition.functions), 'nothing', '__proto__', 'constructor', 'toString', '', 'x'.repeat(50_000), 'a\nb']
    for (const func of functions) {
      for (const body of Object.values(bodies)) {
        send((requestId) => request(object, func, body, { requestId }))
        wire.socket.write(request(object, func, body, { requestId: ++id, packetType: 1 }))
      }
      for (const text of Object.values(json)) send((requestId) => request(object, func, Buffer.from(text), { requestId, version: 5 }))
      for (const version of [3, 2, 0, -1]) send((requestId) => request(object, func, bodies['maps of many'] as Buffer, { requestId, version }))
      await settle()
    }
    // Heads: of whoever it is said to come from, and for whatever.
    const many = new Map(Array.from({ length: 20_000 }, (_, index) => [`k${index}`, 'v']))
    const [func = ''] = functions
    for (const name of [...names, dots, 'mall-shop-0', 'mall-shop-0.mall-shop', 'x'.repeat(100_000)]) {
      send((requestId) => request(object, func, Buffer.alloc(0), { requestId, context: new Map([['node_name', name], ['PID', name], ['Message', name]]), status: new Map([[name, name]]) }))
      send((requestId) => request(name, func, Buffer.alloc(0), { requestId }))
    }
    send((requestId) => request(object, func, Buffer.alloc(0), { requestId, context: many, status: many, timeoutMs: -5 }))
    send((requestId) => request(object, func, Buffer.alloc(0), { requestId, timeoutMs: 0x7fffffff }))
    send((requestId) => request(object, 'tars_ping', Buffer.alloc(0), { requestId }))
    await settle()
    wire.socket.destroy()
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
