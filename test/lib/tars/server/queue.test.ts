import { afterEach, describe, expect, it } from 'vitest'
import { Communicator } from '#tars/client.ts'
import { Echo, echoServant, objectName, startEcho, type EchoProxy } from './echo.ts'
import { echoRequest, rawPeer } from './raw-peer.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** A server whose method `text` returns when it is told to. */
async function setUp(adapter: Parameters<typeof startEcho>[0], options: Parameters<typeof startEcho>[1] = {}) {
  const waiting: ((value: string) => void)[] = []
  const servant = { ...echoServant(), text: () => new Promise((resolve) => waiting.push(resolve)) }
  const server = await startEcho({ servants: { [objectName]: { interface: Echo, servant } }, ...adapter }, options)
  const communicator = new Communicator({ timeoutMs: 60_000 })
  cleanups.push(() => communicator.close(), () => server.drain(0))
  const release = (): void => {
    for (const resolve of waiting.splice(0)) resolve('done')
  }
  cleanups.push(release)
  return { server, release, waiting, proxy: communicator.proxy<EchoProxy>(Echo, server.object()) }
}

describe('the queue of an adapter', () => {
  it('starts waiting calls in order as others end', async () => {
    const { proxy, waiting, server } = await setUp({ concurrency: 2 })
    const calls = Array.from({ length: 6 }, (_, index) => proxy.text(String(index)))
    await expect.poll(() => server.pending).toBe(6)
    expect(waiting).toHaveLength(2)
    for (let i = 0; i < 6; i++) {
      await expect.poll(() => waiting.length).toBeGreaterThan(0)
      waiting.shift()?.(`answer ${i}`)
    }
    expect(await Promise.all(calls)).toEqual(Array.from({ length: 6 }, (_, index) => `answer ${index}`))
    expect(server.pending).toBe(0)
  })

  it('starts waiting calls of each peer in turn', async () => {
    const { proxy, waiting, server } = await setUp({ concurrency: 1 })
    const other = new Communicator({ timeoutMs: 60_000, localAddress: '127.0.0.2' })
    cleanups.push(() => other.close())
    const calls = Array.from({ length: 6 }, () => proxy.text('much'))
    await expect.poll(() => server.pending).toBe(6)
    const little = Array.from({ length: 2 }, () => other.proxy<EchoProxy>(Echo, server.object()).text('little'))
    await expect.poll(() => server.pending).toBe(8)
    for (let i = 0; i < 8; i++) {
      await expect.poll(() => waiting.length).toBeGreaterThan(0)
      waiting.shift()?.(String(i))
    }
    expect([await Promise.all(calls), await Promise.all(little)]).toEqual([['0', '1', '3', '5', '6', '7'], ['2', '4']])
    expect(server.pending).toBe(0)
  })

  it('answers -9 beyond its capacity', async () => {
    const { proxy, release } = await setUp({ concurrency: 1, queueCapacity: 3 })
    const calls = Array.from({ length: 10 }, () => proxy.text('x').catch((error: { ret: number }) => error.ret))
    expect(await Promise.all(calls.slice(4))).toEqual([-9, -9, -9, -9, -9, -9])
    const ending = setInterval(release, 5)
    expect(await Promise.all(calls)).toEqual(['done', 'done', 'done', 'done', -9, -9, -9, -9, -9, -9])
    clearInterval(ending)
  })

  it('answers each of very many calls at once, those beyond its capacity with -9, and lets none wait that could be served', async () => {
    const { server, proxy, release, waiting } = await setUp({ concurrency: 4, queueCapacity: 100 })
    const ending = setInterval(release, 1)
    cleanups.push(() => clearInterval(ending))
    const peers = await Promise.all(Array.from({ length: 8 }, () => rawPeer(server.port())))
    const each = 5000
    const codes = (await Promise.all(peers.map(async (peer) => {
      cleanups.push(() => peer.destroy())
      void peer.write(Buffer.concat(Array.from({ length: each }, (_, index) => echoRequest(index + 1, 'text', ['x']))))
      // It sends no more, and reads on.
      peer.socket.end()
      return (await peer.until(each)).map(({ ret }) => ret)
    }))).flat()
    expect(codes).toHaveLength(8 * each)
    expect(new Set(codes)).toEqual(new Set([0, -9]))
    expect(codes.filter((code) => code === 0).length).toBeGreaterThan(100)
    expect([server.pending, waiting.length]).toEqual([0, 0])
    expect(await proxy.text('x')).toBe('done')
  })

  it('answers -9 beyond its bytes', async () => {
    const { proxy, release } = await setUp({ concurrency: 1 }, { maxQueueBytes: 100_000 })
    const first = proxy.text('x')
    const second = proxy.text('y'.repeat(60_000))
    await expect(proxy.text('z'.repeat(60_000))).rejects.toMatchObject({ ret: -9 })
    const ending = setInterval(release, 5)
    expect(await Promise.all([first, second])).toEqual(['done', 'done'])
    clearInterval(ending)
  })

  it('answers -6 to a call that waited too long, also when no method ever returns', async () => {
    const { proxy, release } = await setUp({ concurrency: 1, queueTimeoutMs: 50 })
    const stuck = proxy.text('x')
    await expect(proxy.text('y')).rejects.toMatchObject({ ret: -6 })
    release()
    expect(await stuck).toBe('done')
  })

  it('does not start a call whose caller has given up', async () => {
    const { server, waiting, release } = await setUp({ concurrency: 1 })
    const peer = await rawPeer(server.port())
    cleanups.push(() => peer.destroy())
    await peer.write(Buffer.concat([echoRequest(1, 'text', ['x']), echoRequest(2, 'text', ['y'], { timeoutMs: 30 })]))
    expect(await peer.until(1)).toMatchObject([{ requestId: 2, ret: -6 }])
    expect(waiting).toHaveLength(1)
    release()
    await peer.until(2)
  })

  it('does not start calls of a caller that is gone, except one-way ones', async () => {
    const counts: number[] = []
    const remembered: string[] = []
    const held: (() => void)[] = []
    const servant = { ...echoServant(), text: () => new Promise<string>((resolve) => held.push(() => resolve('done'))), remember: (value: string) => (remembered.push(value), value) }
    const { server } = await setUp({ concurrency: 1, servants: { [objectName]: { interface: Echo, servant } } }, { metrics: { onConnections: (_, count) => counts.push(count) } })
    const peer = await rawPeer(server.port())
    await peer.write(Buffer.concat([echoRequest(1, 'text', ['x']), echoRequest(2, 'remember', ['waited for']), echoRequest(3, 'remember', ['one-way'], { packetType: 1 })]))
    await expect.poll(() => server.pending).toBe(3)
    peer.socket.resetAndDestroy() // a plain close is a half-close, whose peer may still read
    await expect.poll(() => counts.at(-1)).toBe(0)
    held[0]?.()
    await expect.poll(() => server.pending).toBe(0)
    expect(remembered).toEqual(['one-way'])
  })

  /** Calls over many connections at once, which take a server without other work so many milliseconds each. @returns codes, how many were carried out, and how long it took, milliseconds */
  async function flood(count: number, each: number, ms: number, head: Parameters<typeof echoRequest>[3] = {}) {
    let done = 0
    const burn = (): string => {
      for (const until = performance.now() + ms; performance.now() < until;);
      return String(++done)
    }
    const { server } = await setUp({ servants: { [objectName]: { interface: Echo, servant: { ...echoServant(), remember: burn } } } })
    const peers = await Promise.all(Array.from({ length: count }, () => rawPeer(server.port())))
    cleanups.push(() => peers.forEach((peer) => peer.destroy()))
    // Answered once, they are accepted.
    await Promise.all(peers.map((peer) => peer.write(echoRequest(1, 'nothing', [])).then(() => peer.until(1))))
    const began = performance.now()
    for (const peer of peers) void peer.write(Buffer.concat(Array.from({ length: each }, (_, index) => echoRequest(index + 2, 'remember', ['x'], head))))
    const codes = (await Promise.all(peers.map((peer) => peer.until(1 + each)))).flatMap((responses) => responses.slice(1).map(({ ret }) => ret))
    return { codes: new Set(codes), done, good: codes.filter((code) => code === 0).length, tookMs: performance.now() - began }
  }

  it('refuses a part of what it cannot keep up with, though its queue is not full', async () => {
    const { codes, done, good } = await flood(16, 3000, 0.05)
    expect(codes).toEqual(new Set([0, -9]))
    expect(good).toBe(done)
    // In half a second, before which none is refused, it can carry out 10,000, and goes on with them for most of its time.
    expect(good).toBeGreaterThan(17_000)
  })

  it('refuses none of what is over in a moment', async () => {
    // One in which the machine stood still was none: what was unread for half a second may be refused.
    let flooded = await flood(16, 500, 0.01)
    while (flooded.tookMs > 500) flooded = await flood(16, 500, 0.01)
    expect(flooded).toMatchObject({ codes: new Set([0]), done: 8000, good: 8000 })
  })

  it('answers -6 to what was unread for too long', async () => {
    const { codes, done, good } = await flood(200, 1, 5, { timeoutMs: 200 })
    expect(codes).toContain(-6)
    expect(good).toBe(done)
  })

  it('lets other connections in while one sends work without end', async () => {
    const burn = (): string => {
      const until = performance.now() + 2
      while (performance.now() < until);
      return 'burnt'
    }
    const { server, proxy } = await setUp({ servants: { [objectName]: { interface: Echo, servant: { ...echoServant(), remember: burn } } } })
    const peer = await rawPeer(server.port())
    cleanups.push(() => peer.destroy())
    await proxy.text('connect')
    await peer.write(Buffer.concat(Array.from({ length: 300 }, (_, index) => echoRequest(index + 1, 'remember', ['x']))))
    await peer.until(1)
    await proxy.tars_ping()
    expect(peer.responses.length).toBeLessThan(300)
    await peer.until(300)
  })

  describe.each(['connections of one peer', 'calls at one port'])('%s, however many,', (what) => {
    it('keep no other waiting', async () => {
      const [others, each] = [100, 300]
      let handled = 0
      const burn = (): string => {
        for (const until = performance.now() + 0.05; performance.now() < until;);
        return ''
      }
      const servants = { [objectName]: { interface: Echo, servant: { ...echoServant(), remember: burn } } }
      const server = await startEcho({}, { adapters: [0, 1].map(() => ({ endpoint: 'tcp -h 127.0.0.1 -p 0', servants })), metrics: { onResponse: () => void handled++ } })
      const communicator = new Communicator({ timeoutMs: 60_000, localAddress: '127.0.0.2' })
      const proxy = communicator.proxy<EchoProxy>(Echo, server.object(what.startsWith('calls') ? 1 : 0))
      const peers = await Promise.all(Array.from({ length: others }, () => rawPeer(server.port())))
      cleanups.push(() => server.drain(0), () => communicator.close(), () => peers.forEach((peer) => peer.destroy()))
      await Promise.all([proxy.tars_ping(), ...peers.map((peer) => peer.write(echoRequest(1, 'nothing', [])).then(() => peer.until(1)))])
      for (const peer of peers) void peer.write(Buffer.concat(Array.from({ length: each }, (_, index) => echoRequest(index + 2, 'remember', ['x']))))
      await Promise.race(peers.map((peer) => peer.until(2)))
      const before = handled
      await proxy.tars_ping()
      // Those of a few turns, of the 30,000.
      expect(handled - before).toBeLessThan(5000)
      expect(others * each - before).toBeGreaterThan(20_000)
      await Promise.all(peers.map((peer) => peer.until(1 + each)))
    })
  })
})
