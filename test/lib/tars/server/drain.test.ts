import { once } from 'node:events'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { afterEach, describe, expect, it } from 'vitest'
import { Communicator } from '#tars/client.ts'
import { createServer } from '#tars/server.ts'
import { Echo, echoServant, objectName, startEcho, type EchoProxy } from './echo.ts'
import { echoRequest, rawPeer } from './raw-peer.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

describe('draining', () => {
  it('loses no call: 40 callers go on while one of two servers is drained', async () => {
    const leaving = await startEcho()
    const staying = await startEcho()
    const communicator = new Communicator({ timeoutMs: 60_000 })
    cleanups.push(() => staying.stop(), () => communicator.close())
    const proxy = communicator.proxy<EchoProxy>(Echo, `${objectName}@tcp -h 127.0.0.1 -p ${leaving.port()}:tcp -h 127.0.0.1 -p ${staying.port()}`)
    let going = true
    let done = 0
    const callers = Array.from({ length: 40 }, async (_, caller) => {
      for (let i = 0; going; i++) {
        expect(await proxy.slow(`${caller}.${i}`, i % 7)).toBe(`${caller}.${i}`)
        done++
      }
    })
    await expect.poll(() => done).toBeGreaterThan(500)
    await leaving.drain(60_000)
    const atDrain = done
    await expect.poll(() => done).toBeGreaterThan(atDrain + 500)
    going = false
    await Promise.all(callers)
    expect(leaving.pending).toBe(0)
  })

  it('answers a client that knows nothing of draining, then closes', async () => {
    const held = Promise.withResolvers<string>()
    const server = await startEcho({ servants: { [objectName]: { interface: Echo, servant: { ...echoServant(), slow: () => held.promise } } } })
    const peer = await rawPeer(server.port())
    await peer.write(Buffer.concat(Array.from({ length: 50 }, (_, index) => echoRequest(index + 1, 'slow', ['x', 0]))))
    await expect.poll(() => server.pending).toBe(50)
    const drained = server.drain(60_000)
    await peer.write(echoRequest(51, 'text', ['sent while draining']))
    await peer.until(1)
    held.resolve('x')
    const responses = await peer.until(51)
    await drained
    await peer.closed
    expect(responses.filter((response) => response.requestId > 0 && response.ret === 0)).toHaveLength(51)
  })

  it('asks a client that understands it to leave, in its version', async () => {
    for (const version of [1, 3, 5]) {
      const server = await startEcho()
      const peer = await rawPeer(server.port())
      await peer.write(echoRequest(1, 'tars_ping', [], { version, status: new Map([['STATUS_RECONNECT', '1']]) }))
      await peer.until(1)
      const drained = server.drain(60_000)
      expect((await peer.until(2))[1]).toMatchObject({ version, requestId: 0, description: '_reconnect_' })
      await drained
    }
  })

  it('answers all it read from a client that never stops sending, then closes', async () => {
    const server = await startEcho()
    const peer = await rawPeer(server.port())
    let sent = 0
    const sending = setInterval(() => peer.socket.write(echoRequest(++sent, 'slow', ['x', 20])), 2)
    await peer.until(20)
    await server.drain(4000)
    await peer.closed
    clearInterval(sending)
    expect(server.pending).toBe(0)
    expect(peer.responses.map((response) => response.ret).every((ret) => ret === 0)).toBe(true)
  })

  it('serves whoever was connected when it began, accepted or not', async () => {
    const server = await startEcho()
    const callers = 30
    const connected = new Int32Array(new SharedArrayBuffer(4))
    const requests = Array.from({ length: callers }, (_, index) => echoRequest(index + 1, 'remember', [String(index)], { packetType: 1 }))
    const peers = new Worker(join(import.meta.dirname, 'waiting-peers.ts'), { workerData: { port: server.port(), requests, connected } })
    // The server's thread stands still, so that nothing is accepted before the drain begins.
    await once(peers, 'online')
    Atomics.wait(connected, 0, 0)
    await server.drain(60_000)
    await peers.terminate()
    expect(server.servant.remembered.map(Number).sort((a, b) => a - b)).toEqual(Array.from({ length: callers }, (_, index) => index))
  })

  it('accepts no new connection', async () => {
    const held = Promise.withResolvers<string>()
    const server = await startEcho({ servants: { [objectName]: { interface: Echo, servant: { ...echoServant(), slow: () => held.promise } } } })
    const peer = await rawPeer(server.port())
    await peer.write(echoRequest(1, 'slow', ['x', 0]))
    await expect.poll(() => server.pending).toBe(1)
    const drained = server.drain(60_000)
    await expect.poll(() => rawPeer(server.port()).then((late) => late.destroy(), (error: { readonly code?: string }) => error.code)).toBe('ECONNREFUSED')
    held.resolve('x')
    await peer.until(1)
    await drained
  })

  it('answers what came while the process stood still', async () => {
    const server = await startEcho()
    const peer = await rawPeer(server.port())
    await peer.write(echoRequest(1, 'text', ['before']))
    await peer.until(1)
    const drained = server.drain(60_000)
    await expect.poll(() => rawPeer(server.port()).then((late) => late.destroy(), (error: { readonly code?: string }) => error.code)).toBe('ECONNREFUSED')
    await peer.write(echoRequest(2, 'text', ['meanwhile']))
    // Longer than a connection may be silent, and no turn of the loop in between.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500)
    expect((await peer.until(2))[1]).toMatchObject({ requestId: 2, ret: 0 })
    await drained
  })

  it('cuts off at the deadline what never ends', async () => {
    const servant = { ...echoServant(), text: () => new Promise(() => {}) }
    const server = createServer({ adapters: [{ endpoint: 'tcp -h 127.0.0.1 -p 0', concurrency: 1, servants: { [objectName]: { interface: Echo, servant } } }] })
    await server.start()
    const peer = await rawPeer(server.endpoints[0]?.port ?? 0)
    await peer.write(Buffer.concat([echoRequest(1, 'text', ['x']), echoRequest(2, 'text', ['y'])]))
    await expect.poll(() => server.pending).toBe(2)
    await server.drain(50)
    await peer.closed
    await server.done
  })

  it('does not wait long for a peer that never closes its end', async () => {
    const server = await startEcho()
    const peer = await rawPeer(server.port(), false)
    await peer.write(echoRequest(1, 'text', ['x']))
    await expect.poll(() => peer.socket.bytesWritten > 0 && server.pending === 0).toBe(true)
    await server.drain(600_000)
    peer.destroy()
  })

  it('stop is the same twice, and done resolves', async () => {
    const server = await startEcho()
    await Promise.all([server.stop(), server.stop()])
    await server.done
  })
})
