import type { FunctionCodec } from '#tars/idl/interface.ts'
import { AsyncLocalStorage } from 'node:async_hooks'
import { afterEach, describe, expect, it } from 'vitest'
import { Writer } from '#tars/codec/writer.ts'
import { Communicator } from '#tars/client.ts'
import { createServer, encoded, type Current } from '#tars/server.ts'
import { Echo, echoServant, objectName, sampleEvery, sampleItem, startEcho, type EchoProxy } from './echo.ts'
import { echoRequest, rawPeer } from './raw-peer.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function setUp(...options: Parameters<typeof startEcho>) {
  const server = await startEcho(...options)
  const communicator = new Communicator({ timeoutMs: 60_000 })
  cleanups.push(() => server.stop(), () => communicator.close())
  return { server, communicator, proxy: communicator.proxy<EchoProxy>(Echo, server.object()) }
}

describe.each([1, 3, 5] as const)('calls of version %i', (version) => {
  it('carries every type there and back', async () => {
    const { proxy } = await setUp()
    const value = sampleEvery()
    expect(await proxy.every(value, { version })).toEqual({ return: value.i, back: value })
  })

  it('returns values, out parameters and nothing', async () => {
    const { proxy } = await setUp()
    expect(await proxy.text('hällo', { version })).toBe('hällo')
    expect(await proxy.items([sampleItem(1), sampleItem(2)], { version })).toEqual([sampleItem(1), sampleItem(2)])
    expect(await proxy.divide(17, 5, { version })).toEqual({ return: 3, rest: 2 })
    expect(await proxy.nothing({ version })).toBeUndefined()
  })

  it('carries context and status both ways', async () => {
    const { proxy } = await setUp()
    const seen: unknown[] = []
    await proxy.text('x', { version, context: { 'echo-a': '1', other: '2' }, status: { S: 't' }, onResponse: (response) => seen.push(response) })
    expect(seen).toEqual([{ ret: 0, context: new Map([['echo-a', '1']]), status: new Map([['S', 't']]) }])
  })

  it('answers the codes of spec 0.2', async () => {
    const { proxy, communicator, server } = await setUp()
    const text = Echo.functions['text'] as FunctionCodec
    await expect(proxy.divide(1, 0, { version })).rejects.toMatchObject({ ret: 17, message: expect.stringContaining('division by zero') })
    await expect(proxy.fail(0, 'rejected', { version })).rejects.toMatchObject({ ret: -99, message: expect.stringContaining('rejected') })
    await expect(communicator.invoke(server.object(), { ...text, name: 'absent' }, ['x'], { version })).rejects.toMatchObject({ ret: -3 })
    await expect(communicator.ping(server.object().replace('EchoObj', 'OtherObj'), { version })).rejects.toMatchObject({ ret: -4 })
    await expect(communicator.invoke(server.object(), { ...text, name: 'divide' }, ['x'], { version })).rejects.toMatchObject({ ret: -1 })
    await proxy.tars_ping({ version })
  })
})

describe('a server', () => {
  it('serves several objects on several ports', async () => {
    const one = echoServant()
    const servants = { 'A.B.One': { interface: Echo, servant: one }, 'A.B.Two': { interface: Echo, servant: { ...echoServant(), text: () => 'two' } } }
    const server = createServer({ adapters: [{ endpoint: 'tcp -h 127.0.0.1 -p 0', servants }, { endpoint: 'tcp -h 127.0.0.1 -p 0', servants: { 'A.B.Three': { interface: Echo, servant: { ...echoServant(), text: () => 'three' } } } }] })
    await server.start()
    const communicator = new Communicator({ timeoutMs: 60_000 })
    cleanups.push(() => server.stop(), () => communicator.close())
    const [first, second] = server.endpoints.map((endpoint) => `tcp -h 127.0.0.1 -p ${endpoint.port}`)
    const text = (object: string) => communicator.proxy<EchoProxy>(Echo, object).text('one')
    expect(await Promise.all([text(`A.B.One@${first}`), text(`A.B.Two@${first}`), text(`A.B.Three@${second}`)])).toEqual(['one', 'two', 'three'])
    await expect(text(`A.B.One@${second}`)).rejects.toMatchObject({ ret: -4 })
  })

  it('carries nearly 10 MiB both ways, and answers -2 when the response would be larger', async () => {
    const { proxy, communicator, server } = await setUp({ servants: { [objectName]: { interface: Echo, servant: { ...echoServant(), remember: (value: string) => value.repeat(2) } } } })
    const large = 'x'.repeat(10_000_000)
    expect(await proxy.text(large, { timeoutMs: 60_000 }) === large).toBe(true)
    await expect(proxy.remember(large, { timeoutMs: 60_000 })).rejects.toMatchObject({ ret: -2, message: expect.stringContaining('at most 10485760') })
    await communicator.ping(server.object())
  })

  it('says which versions it serves, in the layout of the version asked', async () => {
    const { server } = await setUp()
    const peer = await rawPeer(server.port())
    cleanups.push(() => peer.destroy())
    await peer.write(Buffer.concat([echoRequest(1, 'text', ['x'], { version: 2 }), echoRequest(2, 'text', ['x'], { version: 9 })]))
    expect(await peer.until(2)).toMatchObject([{ version: 2, requestId: 1, ret: -1, description: expect.stringContaining('use 1 (Tars), 3 (TUP) or 5 (JSON)') }, { version: 9, requestId: 2, ret: -1 }])
  })

  it('tells a method who calls, by node name or address', async () => {
    const servant = { ...echoServant(), text: (_: string, current: Current) => JSON.stringify([current.caller, current.servant, current.function, current.version, current.oneWay, current.timeoutMs]) }
    const { proxy } = await setUp({ servants: { [objectName]: { interface: Echo, servant } } })
    expect(JSON.parse(await proxy.text('x', { timeoutMs: 45_000 }))).toEqual(['127.0.0.1', objectName, 'text', 1, false, 45_000])
    expect(JSON.parse(await proxy.text('x', { version: 3, context: { node_name: 'pod-0.app' } }))).toEqual(['pod-0.app', objectName, 'text', 3, false, 60_000])
  })

  it('sends a ready-encoded result, in every version', async () => {
    const body = new Writer()
    Echo.functions['divide']?.writeResult(body, { return: 9, rest: 1 })
    const ready = encoded(body.bytes())
    const server = createServer({ adapters: [{ endpoint: 'tcp -h 127.0.0.1 -p 0', servants: { [objectName]: { interface: Echo, servant: { ...echoServant(), divide: async () => ready } } } }] })
    await server.start()
    const communicator = new Communicator({ timeoutMs: 60_000 })
    cleanups.push(() => server.stop(), () => communicator.close())
    const proxy = communicator.proxy<EchoProxy>(Echo, `${objectName}@tcp -h 127.0.0.1 -p ${server.endpoints[0]?.port}`)
    for (const version of [1, 3, 5] as const) expect(await proxy.divide(1, 1, { version })).toEqual({ return: 9, rest: 1 })
  })

  it('answers -2 for a result that does not fit the interface', async () => {
    const bad = { ...echoServant(), text: () => 42, items: async () => 'no list', divide: () => 7 }
    const { proxy } = await setUp({ servants: { [objectName]: { interface: Echo, servant: bad } } })
    await expect(proxy.text('x')).rejects.toMatchObject({ ret: -2 })
    await expect(proxy.items([])).rejects.toMatchObject({ ret: -2 })
    await expect(proxy.divide(1, 1)).rejects.toMatchObject({ ret: -2 })
    expect(await proxy.slow('still here', 0)).toBe('still here')
  })

  it('survives whatever a method throws', async () => {
    // oxlint-disable-next-line unicorn/no-thenable -- that is what is tested
    const thrown: unknown[] = [undefined, null, 'text', Object.create(null), new Error('x'.repeat(1 << 20)), { then: 1 }]
    const hostile = {
      ...echoServant(),
      text: (index: string) => { throw thrown[Number(index)] },
      remember: (_: string, current: { responseContext: Map<string, unknown> }) => {
        current.responseContext.set('not a string', 5)
        throw new Error('after a bad context')
      },
      // oxlint-disable-next-line unicorn/no-thenable -- that is what is tested
      nothing: () => ({ then(ok: (value: unknown) => void, no: (error: unknown) => void) { ok(undefined); ok(undefined); no(new Error('twice')) } }),
    }
    const { proxy, server } = await setUp({ servants: { [objectName]: { interface: Echo, servant: hostile } } })
    for (const index of thrown.keys()) await expect(proxy.text(String(index))).rejects.toMatchObject({ ret: -99 })
    await expect(proxy.remember('x')).rejects.toMatchObject({ ret: -99 })
    await proxy.nothing()
    expect(server.pending).toBe(0)
  })

  it('runs one-way calls and answers nothing', async () => {
    const { server, proxy } = await setUp()
    const peer = await rawPeer(server.port())
    cleanups.push(() => peer.destroy())
    await peer.write(Buffer.concat([echoRequest(1, 'remember', ['one'], { packetType: 1 }), echoRequest(2, 'absent', [], { packetType: 1 }), echoRequest(3, 'text', ['last'])]))
    expect((await peer.until(1)).map((response) => response.requestId)).toEqual([3])
    expect(await proxy.remember('two', { oneWay: true })).toBeUndefined()
    await proxy.text('behind it')
    expect(server.servant.remembered).toEqual(['one', 'two'])
  })

  it('keeps asynchronous contexts apart', async () => {
    const storage = new AsyncLocalStorage<string>()
    const servant = { ...echoServant(), slow: (value: string, ms: number) => storage.run(value, () => new Promise((resolve) => setTimeout(() => resolve(storage.getStore()), ms))) }
    const { proxy } = await setUp({ servants: { [objectName]: { interface: Echo, servant } } })
    const names = Array.from({ length: 200 }, (_, index) => `call ${index}`)
    const seen = await Promise.all(names.map((name, index) => storage.run(`client ${name}`, async () => [await proxy.slow(name, index % 5), storage.getStore()])))
    expect(seen).toEqual(names.map((name) => [name, `client ${name}`]))
  })

  it('rejects start with the endpoint when the port is taken, and listens nowhere then', async () => {
    const { server } = await setUp()
    const servants = { [objectName]: { interface: Echo, servant: echoServant() } }
    const second = createServer({ adapters: [{ endpoint: 'tcp -h 127.0.0.1 -p 0', servants }, { endpoint: `tcp -h 127.0.0.1 -p ${server.port()}`, servants }] })
    await expect(second.start()).rejects.toMatchObject({ code: 'TARS_LISTEN', message: expect.stringContaining(`-p ${server.port()}`), remedy: expect.stringContaining('another port') })
    expect(second.endpoints).toEqual([])
  })

  it('refuses a servant that lacks a method', () => {
    expect(() => createServer({ adapters: [{ endpoint: 'tcp -h 127.0.0.1 -p 0', servants: { [objectName]: { interface: Echo, servant: {} } } }] })).toThrow(/no method text/)
  })

  it('counts requests for the hooks, which cannot break it', async () => {
    const records: unknown[] = []
    const counts: number[] = []
    const { proxy, communicator } = await setUp({ name: 'EchoAdapter' }, { metrics: { onResponse: (record) => { records.push(record); throw new Error('hook') }, onConnections: (_, count) => counts.push(count) } })
    await proxy.text('x')
    await proxy.divide(1, 0).catch(() => {})
    await communicator.close()
    expect(records).toMatchObject([{ adapter: 'EchoAdapter', servant: objectName, function: 'text', ret: 0, peer: '127.0.0.1', oneWay: false }, { function: 'divide', ret: 17 }])
    expect(counts[0]).toBe(1)
  })
})

describe('UDP', () => {
  it('answers calls in one datagram each', async () => {
    const { proxy } = await setUp({ endpoint: 'udp -h 127.0.0.1 -p 0' })
    for (const version of [1, 3, 5] as const) expect(await proxy.text('x'.repeat(30_000), { version })).toHaveLength(30_000)
    await proxy.tars_ping()
  })

  it('answers -2 when the result does not fit a datagram', async () => {
    const servant = { ...echoServant(), text: () => 'x'.repeat(70_000) }
    const { proxy } = await setUp({ endpoint: 'udp -h 127.0.0.1 -p 0', servants: { [objectName]: { interface: Echo, servant } } })
    await expect(proxy.text('x')).rejects.toMatchObject({ ret: -2 })
  })
})
