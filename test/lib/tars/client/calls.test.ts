import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Worker } from 'node:worker_threads'
import { afterEach, describe, expect, it } from 'vitest'
import { Communicator } from '#tars/client.ts'
import { encodeResponse } from '#tars/packet.ts'
import { Echo, echoServant, objectName, sampleItem, startEcho, type EchoProxy } from '../server/echo.ts'
import { fakeServer } from './fake-server.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

function client(options: ConstructorParameters<typeof Communicator>[0] = {}): Communicator {
  const communicator = new Communicator({ timeoutMs: 60_000, ...options })
  cleanups.push(() => communicator.close())
  return communicator
}

async function echo(...options: Parameters<typeof startEcho>): ReturnType<typeof startEcho> {
  const server = await startEcho(...options)
  cleanups.push(() => server.drain(100))
  return server
}

const at = (port: number, host = '127.0.0.1'): string => `${objectName}@tcp -h ${host} -p ${port}`

/** A port that nobody listens on, and that the kernel gives to nobody who asks for any. */
const closedPort = 1

describe('a call', () => {
  it('shares one connection with all others', async () => {
    const counts: number[] = []
    const server = await echo({}, { metrics: { onConnections: (_, count) => counts.push(count) } })
    const proxy = client().proxy<EchoProxy>(Echo, server.object())
    const texts = Array.from({ length: 500 }, (_, index) => `call ${index}`)
    expect(await Promise.all(texts.map((text, index) => proxy.slow(text, index % 10)))).toEqual(texts)
    expect(counts).toEqual([1])
  })

  it('sends the context of communicator and call', async () => {
    const server = await fakeServer((request, socket) => socket.write(encodeResponse({ version: 1, requestId: request.requestId })))
    cleanups.push(() => server.close())
    const communicator = client({ context: { node_name: 'pod-0', kept: '1' } })
    await communicator.ping(at(server.port), { context: { kept: '2' }, timeoutMs: 54_321 })
    expect(server.requests[0]).toMatchObject({ servant: objectName, func: 'tars_ping', timeoutMs: 54_321, context: new Map([['node_name', 'pod-0'], ['kept', '2']]) })
  })

  it('times out by itself and leaves the connection to the others', async () => {
    const late = Promise.withResolvers<void>()
    const servant = { ...echoServant(), slow: (value: string) => late.promise.then(() => value) }
    const server = await echo({ servants: { [objectName]: { interface: Echo, servant } } })
    const proxy = client().proxy<EchoProxy>(Echo, server.object())
    const slow = proxy.slow('slow', 0)
    await expect(proxy.slow('late', 0, { timeoutMs: 40 })).rejects.toMatchObject({ code: 'TARS_TIMEOUT', temporary: true, message: expect.stringContaining('slow was not answered within 40 ms') })
    late.resolve()
    expect(await slow).toBe('slow')
  })

  it('has the answer that came while the process stood still', async () => {
    const answered = new Int32Array(new SharedArrayBuffer(4))
    const peer = new Worker(join(import.meta.dirname, 'answering-worker.ts'), { workerData: { answered } })
    cleanups.push(() => peer.terminate())
    const [port] = (await once(peer, 'message')) as [number]
    const proxy = client().proxy<EchoProxy>(Echo, at(port))
    await proxy.tars_ping()
    const call = proxy.nothing({ timeoutMs: 1500 })
    await turn()
    Atomics.wait(answered, 0, 0)
    Atomics.wait(answered, 0, 1, 1600)
    expect(await call).toBeUndefined()
  })

  it('may wait without end, or a fraction of a millisecond', async () => {
    const server = await echo()
    const proxy = client().proxy<EchoProxy>(Echo, server.object())
    expect(await proxy.slow('x', 20, { timeoutMs: Infinity })).toBe('x')
    const silent = await fakeServer(() => {})
    cleanups.push(() => silent.close())
    await expect(client().ping(at(silent.port), { timeoutMs: 0.5 })).rejects.toMatchObject({ code: 'TARS_TIMEOUT' })
  })

  it('is aborted by its signal, before and while', async () => {
    const server = await echo()
    const proxy = client().proxy<EchoProxy>(Echo, server.object())
    await expect(proxy.text('x', { signal: AbortSignal.abort('never') })).rejects.toBe('never')
    const controller = new AbortController()
    const call = proxy.slow('x', 5000, { signal: controller.signal })
    await proxy.text('meanwhile')
    controller.abort(new Error('changed my mind'))
    await expect(call).rejects.toThrow('changed my mind')
  })

  it('fails at once with the argument that does not fit', async () => {
    const server = await echo()
    const proxy = client().proxy<EchoProxy>(Echo, server.object())
    await proxy.text('connect')
    await expect(proxy.text(5 as never)).rejects.toMatchObject({ code: 'TARS_ENCODE' })
    await expect(proxy.items([{ ...sampleItem(1), small: 1e6 }])).rejects.toMatchObject({ code: 'TARS_ENCODE', message: expect.stringContaining('not a short') })
    expect(await proxy.text('fine')).toBe('fine')
  })

  it('fails at once when too many are under way', async () => {
    const server = await echo()
    const proxy = client({ maxInFlight: 5 }).proxy<EchoProxy>(Echo, server.object())
    await proxy.text('connect')
    const calls = Array.from({ length: 8 }, () => proxy.slow('x', 100).catch((error: { code: string }) => error.code))
    expect(await Promise.all(calls)).toEqual(['x', 'x', 'x', 'x', 'x', 'TARS_OVERLOAD', 'TARS_OVERLOAD', 'TARS_OVERLOAD'])
  })

  it('passes a throwing onResponse to the caller', async () => {
    const server = await echo()
    const proxy = client().proxy<EchoProxy>(Echo, server.object())
    await expect(proxy.text('x', { onResponse: () => { throw new Error('mine') } })).rejects.toThrow('mine')
    expect(await proxy.text('fine')).toBe('fine')
  })

  it('resolves host names by the hook', async () => {
    const server = await echo()
    const asked: string[] = []
    const communicator = client({ resolve: async (host) => { asked.push(host); return '127.0.0.1' } })
    await communicator.ping(at(server.port(), 'echo.test.svc'))
    expect(asked).toEqual(['echo.test.svc'])
    const failing = client({ resolve: () => Promise.reject(new Error('no such name')) })
    await expect(failing.ping(at(server.port(), 'nowhere'))).rejects.toMatchObject({ code: 'TARS_CONNECT', message: expect.stringContaining('nowhere') })
  })
})

describe('a server that fails', () => {
  it('refused connections fail at once, naming the endpoint', async () => {
    const port = closedPort
    const started = performance.now()
    await expect(client({ timeoutMs: 60_000 }).ping(at(port))).rejects.toMatchObject({ code: 'TARS_CONNECT', message: expect.stringContaining(`-p ${port}`), temporary: true })
    expect(performance.now() - started).toBeLessThan(30_000)
  })

  it('a connection closed mid-call fails its calls at once; the next call connects anew', async () => {
    const server = await fakeServer((request, socket) => {
      if (server.requests.length < 4) return void (server.requests.length === 3 && socket.destroy())
      socket.write(encodeResponse({ version: 1, requestId: request.requestId }))
    })
    cleanups.push(() => server.close())
    const communicator = client({ timeoutMs: 60_000 })
    const calls = await Promise.allSettled([1, 2, 3].map(() => communicator.ping(at(server.port))))
    expect(calls.map((call) => call.status === 'rejected' && (call.reason as { code: string }).code)).toEqual(['TARS_CLOSED', 'TARS_CLOSED', 'TARS_CLOSED'])
    await communicator.ping(at(server.port))
    expect(server.sockets).toHaveLength(2)
  })

  it.each([
    ['a length that cannot be', Buffer.from([0xff, 0xff, 0xff, 0xff])],
    ['noise', Buffer.concat([Buffer.from([0, 0, 0, 24]), Buffer.alloc(20, 0xab)])],
    ['HTTP', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
  ])('a reply of %s drops the connection and fails its calls', async (_, bytes) => {
    const server = await fakeServer((request, socket) => (request.func === 'tars_ping' ? socket.write(encodeResponse({ version: 1, requestId: request.requestId })) : socket.write(bytes)))
    cleanups.push(() => server.close())
    const communicator = client({ timeoutMs: 60_000 })
    const proxy = communicator.proxy<EchoProxy>(Echo, at(server.port))
    const calls = await Promise.allSettled([proxy.text('x'), proxy.nothing()])
    expect(calls.map((call) => call.status === 'rejected' && (call.reason as { code: string }).code)).toEqual(['TARS_BAD_REPLY', 'TARS_BAD_REPLY'])
    await proxy.tars_ping()
  })

  it('a result that cannot be read fails its own call only', async () => {
    const server = await fakeServer((request, socket) => socket.write(encodeResponse({ version: 1, requestId: request.requestId, body: Buffer.from([0x0a, 0xff]) })))
    cleanups.push(() => server.close())
    const communicator = client()
    await expect(communicator.proxy<EchoProxy>(Echo, at(server.port)).text('x')).rejects.toMatchObject({ code: 'TARS_BAD_RESULT' })
    await communicator.ping(at(server.port))
    expect(server.sockets).toHaveLength(1)
  })

  it('responses that nobody waits for are ignored', async () => {
    const server = await fakeServer((request, socket) => socket.write(Buffer.concat([encodeResponse({ version: 1, requestId: 999 }), encodeResponse({ version: 3, requestId: -1 }), encodeResponse({ version: 1, requestId: request.requestId }), encodeResponse({ version: 1, requestId: request.requestId })])))
    cleanups.push(() => server.close())
    const communicator = client()
    for (let i = 0; i < 3; i++) await communicator.ping(at(server.port))
    expect(server.sockets).toHaveLength(1)
  })

  it('a server that asks to leave gets no more calls on that connection', async () => {
    const server = await fakeServer((request, socket) => socket.write(Buffer.concat([encodeResponse({ version: 1, requestId: 0, description: '_reconnect_' }), encodeResponse({ version: 1, requestId: request.requestId })])))
    cleanups.push(() => server.close())
    const communicator = client()
    for (let i = 0; i < 3; i++) await communicator.ping(at(server.port))
    expect(server.sockets).toHaveLength(3)
    await expect.poll(() => server.sockets.every((socket) => socket.readableEnded || socket.destroyed)).toBe(true)
  })
})

describe('several endpoints', () => {
  it('take turns, and a dead one is left out', async () => {
    const servants = (name: string) => ({ [objectName]: { interface: Echo, servant: { ...echoServant(), text: () => name } } })
    const [a, b] = [await echo({ servants: servants('a') }), await echo({ servants: servants('b') })]
    const dead = closedPort
    const proxy = client().proxy<EchoProxy>(Echo, `${at(a.port())}:tcp -h 127.0.0.1 -p ${dead}:tcp -h 127.0.0.1 -p ${b.port()}`)
    const answers: string[] = []
    for (let i = 0; i < 20; i++) answers.push(await proxy.text('x'))
    expect(answers.filter((answer) => answer === 'a').length).toBeGreaterThan(5)
    expect(answers.filter((answer) => answer === 'b').length).toBeGreaterThan(5)
  })

  it('a call that was sent is not sent again', async () => {
    const server = await fakeServer((_, socket) => socket.destroy())
    const other = await fakeServer((_, socket) => socket.destroy())
    cleanups.push(() => server.close(), () => other.close())
    const object = `${at(server.port)}:tcp -h 127.0.0.1 -p ${other.port}`
    await expect(client().ping(object)).rejects.toMatchObject({ code: 'TARS_CLOSED' })
    expect(server.requests.length + other.requests.length).toBe(1)
  })
})

describe('closing', () => {
  it('lets calls under way end and refuses later ones', async () => {
    const server = await echo()
    const communicator = new Communicator()
    const proxy = communicator.proxy<EchoProxy>(Echo, server.object())
    await proxy.text('connect')
    const call = proxy.slow('last', 100)
    const closed = communicator.close()
    await expect(proxy.text('late')).rejects.toMatchObject({ code: 'TARS_STOPPED' })
    expect(await call).toBe('last')
    await closed
  })

  it('is not needed for the process to end', async () => {
    const server = await echo()
    const script = `
      import { Communicator } from '#tars/client.ts'
      const communicator = new Communicator({ timeoutMs: 600000 })
      await communicator.ping(${JSON.stringify(server.object())})
      console.log('pinged')`
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module-typescript', '-e', script], { cwd: join(import.meta.dirname, '../../../..'), timeout: 120_000 })
    expect(stdout).toBe('pinged\n')
  })
})

describe('UDP', () => {
  it('a silent port fails the call, at the latest when its time is up', async () => {
    const server = await startEcho({ endpoint: 'udp -h 127.0.0.1 -p 0' })
    await server.stop()
    await expect(client({ timeoutMs: 500 }).ping(server.object())).rejects.toMatchObject({ code: expect.stringMatching(/TARS_(CLOSED|TIMEOUT)/) })
  })

  it('carries one-way calls', async () => {
    const server = await echo({ endpoint: 'udp -h 127.0.0.1 -p 0' })
    const proxy = client().proxy<EchoProxy>(Echo, server.object())
    await proxy.remember('x', { oneWay: true })
    await expect.poll(() => server.servant.remembered).toEqual(['x'])
  })
})
