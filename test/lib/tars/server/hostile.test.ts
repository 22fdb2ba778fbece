import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, describe, expect, it } from 'vitest'
import { Communicator } from '#tars/client.ts'
import { Echo, echoServant, objectName, startEcho, type EchoProxy, type EchoServer } from './echo.ts'
import { echoRequest, rawPeer, type RawPeer } from './raw-peer.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function setUp(...options: Parameters<typeof startEcho>): Promise<EchoServer> {
  const server = await startEcho(...options)
  cleanups.push(() => server.drain(100))
  return server
}

async function peerOf(server: EchoServer, read = true, localAddress = '127.0.0.1'): Promise<RawPeer> {
  const peer = await rawPeer(server.port(), read, localAddress)
  cleanups.push(() => peer.destroy())
  return peer
}

/** A well-behaved neighbour that must not notice anything. */
function neighbour(server: EchoServer): EchoProxy {
  const communicator = new Communicator({ timeoutMs: 60_000 })
  cleanups.push(() => communicator.close())
  return communicator.proxy<EchoProxy>(Echo, server.object())
}

const header = (size: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(size)
  return bytes
}

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const megabytes = (): number => {
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return (heapUsed + external) / (1 << 20)
}

describe('bytes that are no packet', () => {
  const refused: string[] = []
  const cases: [string, Buffer, string][] = [
    ['a length of 0', header(0), 'TARS_PACKET_LENGTH'],
    ['a length of 3', header(3), 'TARS_PACKET_LENGTH'],
    ['a packet without content', header(4), 'TARS_PACKET_LENGTH'],
    ['a header of 1 GiB', header(1 << 30), 'TARS_PACKET_LENGTH'],
    ['a negative length', Buffer.from([0xff, 0xff, 0xff, 0xff]), 'TARS_PACKET_LENGTH'],
    ['one byte more than allowed', header((10 << 20) + 1), 'TARS_PACKET_LENGTH'],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'), 'TARS_PACKET_LENGTH'],
    ['TLS', Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc]), 'TARS_PACKET_LENGTH'],
    ['a packet of noise', Buffer.concat([header(104), Buffer.alloc(100, 0xab)]), 'TARS_DECODE'],
    ['a string longer than the packet', Buffer.concat([header(20), Buffer.from([0x10, 1, 0x2c, 0x3c, 0x40, 1, 0x57, 0, 0x10, 0, 0, 1, 2, 3, 4, 5])]), 'TARS_DECODE'],
  ]
  it.each(cases)('%s closes the connection, and only that', async (_, bytes, code) => {
    refused.length = 0
    const server = await setUp({}, { metrics: { onRefused: (_adapter, why) => refused.push(why) } })
    const proxy = neighbour(server)
    await proxy.text('before')
    const peer = await peerOf(server)
    await peer.write(bytes)
    await peer.closed
    expect(refused).toEqual([code])
    expect(peer.responses).toEqual([])
    expect(await proxy.text('after')).toBe('after')
  })

  it('answers what came whole before the garbage', async () => {
    const server = await setUp()
    const peer = await peerOf(server)
    await peer.write(Buffer.concat([echoRequest(1, 'text', ['x']), header(2)]))
    await peer.closed
    expect(server.pending).toBe(0)
  })

  it('10,000 malformed packets take no memory', async () => {
    const server = await setUp({ maxConnections: 100 })
    const proxy = neighbour(server)
    const good = echoRequest(1, 'items', [[]])
    const round = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i += 50) {
        await Promise.all(Array.from({ length: 50 }, async (_, index) => {
          const bytes = Buffer.from(good)
          bytes[4 + ((i * 7 + index) % (bytes.length - 4))] = (i + index * 13) & 0xff
          const peer = await rawPeer(server.port())
          await peer.write(bytes)
          peer.destroy()
          await peer.closed
        }))
      }
    }
    await round(1000)
    const before = megabytes()
    await round(9000)
    expect(megabytes() - before).toBeLessThan(24)
    expect(await proxy.text('after')).toBe('after')
  })
})

describe('slow and endless peers', () => {
  it('a request may come byte by byte', async () => {
    const server = await setUp()
    const peer = await peerOf(server)
    peer.socket.setNoDelay(true)
    for (const byte of echoRequest(1, 'text', ['slowly'])) await peer.write(Buffer.from([byte]))
    expect(await peer.until(1)).toMatchObject([{ requestId: 1, ret: 0 }])
  })

  it('1,000 requests in one segment are all answered, in order', async () => {
    const server = await setUp()
    const peer = await peerOf(server)
    await peer.write(Buffer.concat(Array.from({ length: 1000 }, (_, index) => echoRequest(index + 1, 'text', [`call ${index}`]))))
    const responses = await peer.until(1000)
    expect(responses.map((response) => response.requestId)).toEqual(Array.from({ length: 1000 }, (_, index) => index + 1))
  })

  it('a packet cut at every place is put together', async () => {
    const server = await setUp()
    const peer = await peerOf(server)
    const two = Buffer.concat([echoRequest(1, 'text', ['first']), echoRequest(2, 'text', ['second'])])
    for (let cut = 1; cut < two.length; cut += 3) {
      await peer.write(two.subarray(0, cut))
      await peer.write(two.subarray(cut))
    }
    const rounds = Math.ceil((two.length - 1) / 3)
    expect((await peer.until(2 * rounds)).filter((response) => response.ret === 0)).toHaveLength(2 * rounds)
  })

  it('a packet that never ends is cut off, however steadily it drips', async () => {
    const server = await setUp({}, { partialPacketMs: 150 })
    const proxy = neighbour(server)
    const peer = await peerOf(server)
    await peer.write(header(5000))
    const drip = setInterval(() => peer.socket.write('x'), 10)
    await peer.closed
    clearInterval(drip)
    expect(await proxy.text('after')).toBe('after')
  })

  it('a claimed size takes no memory, only what arrived does', async () => {
    const server = await setUp({}, { maxPartialBytes: 64 << 20 })
    const before = megabytes()
    const peers = await Promise.all(Array.from({ length: 100 }, () => peerOf(server)))
    await Promise.all(peers.map((peer) => peer.write(Buffer.concat([header(10 << 20), Buffer.alloc(100)]))))
    await neighbour(server).text('x')
    expect(megabytes() - before).toBeLessThan(16)
  })

  it('the memory of incomplete packets is bounded for all connections together', async () => {
    const refused: string[] = []
    const server = await setUp({}, { maxPartialBytes: 8 << 20, metrics: { onRefused: (_, why) => refused.push(why) } })
    const proxy = neighbour(server)
    const peers = await Promise.all(Array.from({ length: 4 }, () => peerOf(server)))
    const closed = Promise.race(peers.map((peer) => peer.closed))
    for (const peer of peers) peer.socket.write(Buffer.concat([header(10 << 20), Buffer.alloc(6 << 20)]))
    await closed
    expect(refused).toContain('TARS_PARTIAL_MEMORY')
    expect(await proxy.text('after')).toBe('after')
  })

  it('a half-closed peer still gets its answers', async () => {
    const server = await setUp()
    const peer = await peerOf(server)
    peer.socket.end(Buffer.concat([echoRequest(1, 'slow', ['late', 50]), echoRequest(2, 'text', ['soon'])]))
    expect((await peer.until(2)).map((response) => response.requestId)).toEqual([2, 1])
    await peer.closed
  })

  it('an idle connection is asked to leave and closed', async () => {
    const server = await setUp({ idleTimeoutMs: 1000 })
    const [silent, peer] = [await peerOf(server), await peerOf(server)]
    await peer.write(echoRequest(1, 'text', ['x'], { status: new Map([['STATUS_RECONNECT', '1']]) }))
    expect((await peer.until(2))[1]).toMatchObject({ requestId: 0, description: '_reconnect_' })
    await Promise.all([peer.closed, silent.closed])
  })

  it('a connection with a call under way is not idle', async () => {
    const server = await setUp({ idleTimeoutMs: 500 })
    const peer = await peerOf(server)
    await peer.write(echoRequest(1, 'slow', ['late', 1200]))
    expect((await peer.until(1))[0]).toMatchObject({ requestId: 1, ret: 0 })
  })
})

describe('peers that do not read', () => {
  const big = { ...echoServant(), text: () => 'x'.repeat(200_000) }

  it('are not read from while their answers pile up, and go on when they read', async () => {
    let handled = 0
    const server = await setUp({ servants: { [objectName]: { interface: Echo, servant: { ...big, text: () => { handled++; return 'x'.repeat(200_000) } } } } })
    const peer = await peerOf(server)
    peer.socket.pause()
    for (let i = 1; i <= 200; i++) peer.socket.write(echoRequest(i, 'text', ['y'.repeat(20_000)]))
    await neighbour(server).slow('x', 300)
    expect(handled).toBeLessThan(150)
    peer.socket.resume()
    expect(await peer.until(200)).toHaveLength(200)
  })

  it('are dropped when they never take anything', async () => {
    const refused: string[] = []
    const server = await setUp({ servants: { [objectName]: { interface: Echo, servant: big } } }, { writeStallMs: 200, metrics: { onRefused: (_, why) => refused.push(why) } })
    const proxy = neighbour(server)
    const peer = await peerOf(server, false)
    for (let i = 1; i <= 100; i++) await peer.write(echoRequest(i, 'text', ['x']))
    await expect.poll(() => refused).toEqual(['TARS_PEER_STALLED'])
    expect(await proxy.slow('after', 0)).toBe('after')
  })

  it('are dropped when more is unsent than allowed', async () => {
    const refused: string[] = []
    const server = await setUp({ servants: { [objectName]: { interface: Echo, servant: big } } }, { maxWriteBytes: 10 << 20, metrics: { onRefused: (_, why) => refused.push(why) } })
    const peer = await peerOf(server, false)
    await peer.write(Buffer.concat(Array.from({ length: 500 }, (_, index) => echoRequest(index + 1, 'text', ['x']))))
    await expect.poll(() => refused).toEqual(['TARS_PEER_UNREAD'])
    await expect.poll(() => server.pending).toBe(0)
  })

  it('are dropped when together they leave more unsent than allowed: those of the peer that has most', async () => {
    const refused: string[] = []
    const server = await setUp({ servants: { [objectName]: { interface: Echo, servant: big } } }, { maxUnsentBytes: 30 << 20, metrics: { onRefused: (_, why) => refused.push(why) } })
    const requests = (count: number) => Buffer.concat(Array.from({ length: count }, (_, index) => echoRequest(index + 1, 'text', ['x'])))
    const slow = await peerOf(server, true, '127.0.0.2')
    slow.socket.pause()
    await slow.write(requests(50))
    const greedy = await Promise.all(Array.from({ length: 20 }, () => peerOf(server, false)))
    for (const peer of greedy) await peer.write(requests(60))
    await expect.poll(() => refused.length).toBeGreaterThan(5)
    expect(new Set(refused)).toEqual(new Set(['TARS_UNSENT_MEMORY']))
    slow.socket.resume()
    expect(await slow.until(50)).toHaveLength(50)
  })
})

describe('too many connections', () => {
  it('the ones over the limit are refused; those within go on', async () => {
    const refused: string[] = []
    const server = await setUp({ maxConnections: 10 }, { metrics: { onRefused: (_, why) => refused.push(why) } })
    const peers = await Promise.all(Array.from({ length: 10 }, () => peerOf(server)))
    for (const peer of peers) {
      await peer.write(echoRequest(1, 'text', ['x']))
      await peer.until(1)
    }
    const extra = await Promise.all(Array.from({ length: 200 }, () => peerOf(server).catch(() => undefined)))
    await Promise.all(extra.flatMap((peer) => (peer === undefined ? [] : [peer.closed])))
    await expect.poll(() => refused.length).toBe(200)
    for (const peer of peers) await peer.write(echoRequest(2, 'text', ['y']))
    for (const peer of peers) expect(await peer.until(2)).toHaveLength(2)
    peers[0]?.destroy()
    await peers[0]?.closed
    await expect.poll(async () => (await (await peerOf(server)).write(echoRequest(1, 'text', ['z'])), true)).toBe(true)
  })

  it('one peer that has them all gives one up for another that has none', async () => {
    const refused: string[] = []
    const server = await setUp({ maxConnections: 10 }, { metrics: { onRefused: (_, why) => refused.push(why) } })
    const greedy = await Promise.all(Array.from({ length: 10 }, () => peerOf(server)))
    for (const peer of greedy) {
      await peer.write(echoRequest(1, 'text', ['x']))
      await peer.until(1)
    }
    for (const [index, localAddress] of ['127.0.0.2', '127.0.0.3', '127.0.0.2'].entries()) {
      const communicator = new Communicator({ timeoutMs: 60_000, localAddress })
      cleanups.push(() => communicator.close())
      expect(await communicator.proxy<EchoProxy>(Echo, server.object()).text(localAddress)).toBe(localAddress)
      expect(refused.filter((why) => why === 'TARS_CONNECTION_SHARE')).toHaveLength(index + 1)
    }
    // The first that it made, which is silent for longest; and it gets no other one.
    await greedy[0]?.closed
    const more = await peerOf(server)
    await more.closed
    expect(refused.at(-1)).toBe('TARS_CONNECTION_LIMIT')
    await greedy[9]?.write(echoRequest(2, 'text', ['y']))
    expect(await greedy[9]?.until(2)).toHaveLength(2)
  })

  it('the memory of incomplete packets is taken from who holds most', async () => {
    const server = await setUp({}, { maxPartialBytes: 8 << 20 })
    const hog = await peerOf(server)
    await hog.write(Buffer.concat([header(10 << 20), Buffer.alloc(7 << 20)]))
    const small = await peerOf(server)
    const whole = echoRequest(1, 'text', ['x'.repeat(2 << 20)])
    await small.write(whole.subarray(0, whole.length - 5))
    await hog.closed
    await small.write(whole.subarray(whole.length - 5))
    expect((await small.until(1))[0]).toMatchObject({ requestId: 1, ret: 0 })
  })
})
