// Every function of the framework's services, asked by clients of other make in every version of the protocol that they speak
// (framework-services 0.2). Tags and names are those of the spec, not of our .tars files. Each client sends each row, so what is missing
// is a function without a row; the holes that peers have are named, with the proof that they are theirs.
import { createRequire } from 'node:module'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { plain, rawClient, tarsJsClient, type Call, type Client } from './clients.ts'
import { startJavaClient, type JavaClient, type JavaProxy } from './java-client.ts'
import { own, textArgs, type Row, type Struct } from './row.ts'
import { rows as adminRows } from './rows/admin.ts'
import { configs, rows as configRows } from './rows/config.ts'
import { logs, rows as logRows } from './rows/log.ts'
import { properties, rows as monitorRows, stats } from './rows/monitor.ts'
import { notifies, rows as notifyRows } from './rows/notify.ts'
import { query, registers, rows as registryRows } from './rows/registry.ts'
import { servants, startServices, type Services } from './services.ts'
import { readBody } from './spec-codec.ts'
import { until } from '../../registry/cluster.ts'

let services: Services
let java: JavaClient

beforeAll(async () => {
  services = await startServices()
  java = await startJavaClient()
})

afterAll(async () => {
  await java?.stop()
  await services?.stop()
})

const versions = { v1: 1, TUP: 3, JSON: 5 } as const
type Version = (typeof versions)[keyof typeof versions]
const inAll = (make: string, client: (version: Version) => Client): Record<string, Client> => Object.fromEntries(Object.entries(versions).map(([name, version]) => [`${make}, ${name}`, client(version)]))

/** Each sends every row. @tars/rpc has no JSON: see below. */
const clients: Readonly<Record<string, Client>> = { ...inAll('bytes', rawClient), '@tars/rpc, v1': tarsJsClient(1), '@tars/rpc, TUP': tarsJsClient(3), ...inAll('ours', ours) }

/** Our own client, with arguments as JSON has them. */
function ours(version: Version): Client {
  return async ({ servant, port }, call) => {
    const codec = servants[servant]?.functions[call.func]
    if (codec === undefined) throw new Error(`no function ${call.func}`)
    const answer = await services.communicator.invoke(`${servant}@tcp -h 127.0.0.1 -p ${port}`, codec, codec.argsFromJson(jsonOf(call)), { version })
    return Object.keys(call.results).length === 1 && call.results[0] === 'return' ? { return: answer } : ((answer ?? {}) as Struct)
  }
}

const jsonOf = (call: Call): Readonly<Record<string, unknown>> => call.json ?? Object.fromEntries(call.args.map(([, name, value]) => [name, value]))

/** The row with texts of its own. */
function fresh<T>(value: T, text: string): T {
  if (typeof value === 'string') return (value === own ? text : value) as T
  if (Array.isArray(value)) return value.map((one: unknown) => fresh(one, text)) as T
  return typeof value === 'object' && value !== null ? (Object.fromEntries(Object.entries(value).map(([key, one]) => [key, fresh(one as unknown, text)])) as T) : value
}

function callOf({ func, args, json, results }: Row): Call {
  const text = randomUUID()
  return { func, args: fresh(args, text), results, ...(json === undefined ? {} : { json: fresh(json, text) }) }
}

const rows: readonly Row[] = [...registryRows, ...configRows, ...notifyRows, ...logRows, ...monitorRows, ...adminRows]
const titled = (some: readonly Row[]): (readonly [string, string, Row])[] => some.map((row) => [row.section, row.func, row])

describe.each(Object.entries(clients))('%s', (_name, client) => {
  test.each(titled(rows))('%s %s', async (_section, _func, row) => {
    expect(row.see(await client(services.target(row.servant), callOf(row)))).toEqual(row.expected)
  })
})

describe('TarsJava', () => {
  const proxies: Readonly<Record<string, JavaProxy>> = { [query]: 'query', [configs]: 'config', [notifies]: 'notify', [logs]: 'log', [stats]: 'stat', [properties]: 'property' }
  /** Functions of these servants that its proxies have not (tars-core 1.7.3); of other servants it has no proxy. */
  const later = ['findObjectNodeName', 'registerChange', 'registerQuery', 'getLocker', 'ListAllConfigByInfo']
  const known = rows.filter(({ servant, func }) => proxies[servant] !== undefined && !later.includes(func))
  /** JSON has no form for a struct as the key of a map: Gson writes the name of its class and its address. */
  const keyed = ['reportMicMsg', 'reportPropMsg']

  describe.each(Object.entries(versions))('%s', (_name, version) => {
    test.each(titled(known.filter(({ func }) => version !== 5 || !keyed.includes(func))))('%s %s', async (_section, _func, row) => {
      const { servant, port } = services.target(row.servant)
      const call = callOf(row)
      const json = jsonOf(call)
      const outs = Object.entries(row.results).filter(([tag]) => tag !== '0').map(([, name]) => name)
      const names = call.args.map(([, name]) => name)
      const answer = await java.call({ prx: proxies[servant] as JavaProxy, object: `${servant}@tcp -h 127.0.0.1 -p ${port} -t 60000`, func: row.func, version, names, outs, args: names.map((name) => pairs(json[name])) })
      expect(row.see({ return: answer.return, ...Object.fromEntries(outs.map((name, index) => [name, answer.out[index]])) })).toEqual(row.expected)
    })
  })

  /** Gson's form of a map whose keys are structs. */
  function pairs(value: unknown): unknown {
    return Array.isArray(value) ? value.map((one: unknown) => (typeof one === 'object' && one !== null && 'key' in one && 'value' in one ? [one.key, one.value] : one)) : value
  }

  test('has proxies of these servants, with these functions, and of no other', async () => {
    const brought = await java.proxies()
    const functionsOf = (servant: string): string[] => [...new Set(known.filter((row) => row.servant === servant).map(({ func }) => func))].toSorted()
    expect(brought).toEqual({
      QueryFPrx: functionsOf(query), ConfigPrx: functionsOf(configs), NotifyPrx: functionsOf(notifies), LogPrx: functionsOf(logs), StatFPrx: functionsOf(stats), PropertyFPrx: functionsOf(properties),
      // Of tarsnode, which speaks to one service: test/node.
      ServerFPrx: brought['ServerFPrx'],
    })
  })

  test('its client writes the body of v1 whatever the version, so that TUP and JSON are by its codec', async () => {
    const [v1, ...others] = (await java.bodies()).map((packet) => readBody(packet.subarray(4)))
    expect(readBody(v1?.[7] as Buffer)).toEqual({ 1: 'Test.Hello.Obj' })
    for (const other of others) expect(other[7]).toEqual(v1?.[7])
  })
})

test('@tars/rpc writes v1 when it is asked for JSON', () => {
  const load = createRequire(import.meta.url)
  const { BinBuffer } = load('@tars/stream') as { BinBuffer: new (bytes: Buffer) => object }
  const Stream = load('@tars/rpc/core/rpc-tars/tars-client.js') as new () => { compose(message: object): Buffer }
  const composed = (iVersion: number): unknown => readBody(new Stream().compose({ property: { iVersion }, iRequestId: 7, sServantName: 'x', sFuncName: 'f', appBuffer: new BinBuffer(Buffer.alloc(0)) }).subarray(4))[1]
  expect([1, 3, 5].map(composed)).toEqual([1n, 3n, 1n])
})

describe('nothing is left out', () => {
  const folder = join(import.meta.dirname, '../../../framework/lib/tars/protocol')

  test.each(Object.entries(servants))('%s', (servant, { functions }) => {
    expect([...new Set(rows.filter((row) => row.servant === servant).map(({ func }) => func))].toSorted()).toEqual(Object.keys(functions).toSorted())
  })

  test('no interface but those of tarsnode, which test/node asks, and of services', async () => {
    const files = (await readdir(folder)).filter((name) => name.endsWith('.tars'))
    const declared = await Promise.all(files.map(async (name) => [...(await readFile(join(folder, name), 'utf8')).matchAll(/^\s*interface\s+(\w+)/gm)].map(([, found]) => found)))
    expect(new Set(declared.flat())).toEqual(new Set([...Object.values(servants).map(({ name }) => name), 'Node', 'ServerF', 'AdminF']))
  })

  test('each row says where it is from', () => {
    for (const { section, func } of rows) expect([func, section]).toEqual([func, expect.stringMatching(/^\d+(\.\d+)?(, \d+(\.\d+)?)*$/)])
  })
})

test('every field of an endpoint is under its tag (0.3)', async () => {
  const answer = await rawClient(1)(services.target(query), { func: 'findObjectById', args: [[1, 'id', 'Test.Hello.Obj']], results: { 0: 'return' } })
  expect(plain((answer['return'] as unknown[])[1])).toEqual({ 0: 'test-hello-1.test-hello', 1: 9000, 2: 60_000, 3: 1, 4: 0, 5: -1, 6: -1, 7: 'a.b.c', 8: 0, 9: 0, 11: -1, 12: 0, 13: 0, 14: 'test-hello-1.test-hello' })
})

test('every field of a descriptor is under its tag (0.3)', async () => {
  const answer = await rawClient(1)(services.target(registers), { func: 'getServerDescriptor', args: textArgs(['serverApp', 'Test'], ['serverName', 'Hello']), results: { 3: 'descriptor' } })
  expect(plain((answer['descriptor'] as Struct)[2])).toEqual([['Test.Hello.ObjAdapter', { 0: 'Test.Hello.ObjAdapter', 1: 'tcp -h ${localip} -p 9000 -t 60000', 2: 3, 3: 10_000, 4: '', 5: 'Test.Hello.Obj', 6: 10_000, 7: 60_000, 8: 'tars' }]])
})

test('what all of them reported and wrote is there', async () => {
  const speakers = Object.keys(clients).length + Object.keys(versions).length
  const page = async (number: number) => (await rawClient(1)(services.target(notifies), { func: 'getNotifyInfo', args: [[1, 'stKey', { struct: { 1: 'Test.Hello', 2: '', 3: number } }]], results: { 2: 'stInfo' } }))['stInfo'] as Struct
  await until(async () => {
    let count = 0
    for (let number = 0; ; number = Number((await page(number))[1])) {
      count += ((await page(number))[2] as unknown[]).length
      if (Number((await page(number))[1]) === 0) break
    }
    return count === 3 * speakers
  })
  for (const name of ['plain', 'info']) await expect.poll(() => readFile(join(services.folder, `Test/Hello/Test.Hello_${name}_${new Date().getFullYear()}.log`), 'utf8').catch(() => '')).toBe('127.0.0.1|a line\n'.repeat(speakers))
})
