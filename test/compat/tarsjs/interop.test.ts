// Both directions against @tars/rpc: its client calls our server, our client calls its server.
import type { FunctionCodec } from '#tars/idl/interface.ts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Communicator, type Pingable } from '#tars/client.ts'
import { Echo, sampleEvery, sampleItem, startEcho, type EchoProxy, type EchoServer, type Every, type Item } from '../../lib/tars/server/echo.ts'
import { startTarsJs, tarsJs, type TarsJsServer } from './rig.ts'

const { Stream, rpc } = tarsJs

/** What @tars/stream can hold: integers within 2^53, map keys that are not of Object.prototype. */
const item = (id: number): Item => ({ ...sampleItem(id), big: 2n ** 52n + BigInt(id) })
const every = (): Every => ({ ...sampleEvery(), l: -(2n ** 52n), counts: new Map([['one', 1], ['zwei ü', -2]]), item: item(1), items: [item(2), item(3)], byId: new Map([[7, item(7)], [-8, item(8)]]) })

/** Their forms of our values. */
function theirList(type: unknown, values: readonly unknown[]): unknown {
  const list = new Stream.List(type)
  for (const value of values) list.push(value)
  return list
}

function theirMap(key: unknown, type: unknown, values: ReadonlyMap<unknown, unknown>): unknown {
  const map = new Stream.Map(key, type)
  for (const [one, value] of values) map.insert(one, value)
  return map
}

const theirItem = (value: Item): unknown => Object.assign(new tarsJs.Item(), value, { big: Number(value.big), tags: theirList(Stream.String, value.tags) })

function theirEvery(value: Every): unknown {
  return Object.assign(new tarsJs.Every(), value, {
    l: Number(value.l),
    bytes: new Stream.BinBuffer(value.bytes),
    numbers: theirList(Stream.Int32, value.numbers),
    counts: theirMap(Stream.String, Stream.Int32, value.counts),
    item: theirItem(value.item),
    items: theirList(tarsJs.Item, value.items.map(theirItem)),
    byId: theirMap(Stream.Int32, tarsJs.Item, new Map([...value.byId].map(([key, one]) => [key, theirItem(one)]))),
    grid: theirList(Stream.List(Stream.String), value.grid.map((row) => theirList(Stream.String, row))),
  })
}

interface TheirItem extends Omit<Item, 'big' | 'tags'> {
  big: number
  tags: { value: string[] }
}

const ourItem = ({ id, name, on, small, big, rate, part, tiny, tags }: TheirItem): Item => ({ id, name, on, small, big: BigInt(big), rate, part, tiny, tags: tags.value })

// oxlint-disable-next-line typescript/no-explicit-any
function ourEvery(value: any): Every {
  const { flag, b, s, i, ub, us, ui, f, d, text, color, note, far } = value
  return {
    flag, b, s, i, l: BigInt(value.l), ub, us, ui, f, d, text, bytes: value.bytes.toNodeBuffer(), numbers: value.numbers.value,
    counts: new Map(Object.entries(value.counts.value as Record<string, number>)), item: ourItem(value.item), items: value.items.value.map(ourItem),
    byId: new Map(Object.entries(value.byId.value as Record<string, TheirItem>).map(([key, one]) => [Number(key), ourItem(one)])),
    color, note, grid: value.grid.value.map((row: { value: string[] }) => row.value), far,
  }
}

describe.each([1, 3] as const)('a @tars/rpc client calls our server, version %i', (version) => {
  let server: EchoServer
  // oxlint-disable-next-line typescript/no-explicit-any
  let proxy: any
  const communicator = rpc.Communicator.New()
  beforeAll(async () => {
    server = await startEcho()
    proxy = communicator.stringToProxy(tarsJs.EchoProxy, server.object())
    proxy.setVersion(version)
    proxy.setTimeout(60_000)
  })
  afterAll(async () => {
    communicator.disconnect()
    await server.drain(500)
  })

  it('gets every type back', async () => {
    const [ret, back] = await proxy.every(theirEvery(every()))
    expect(ret).toBe(every().i)
    expect(ourEvery(back)).toEqual(every())
  })

  it('gets values, lists, out parameters and nothing', async () => {
    expect([...(await proxy.text('hällo '.repeat(100)))]).toEqual(['hällo '.repeat(100)])
    const [items] = await proxy.items(theirList(tarsJs.Item, [item(1), item(2)].map(theirItem)))
    expect(items.value.map(ourItem)).toEqual([item(1), item(2)])
    expect([...(await proxy.divide(17, 5))]).toEqual([3, 2])
    expect([...(await proxy.nothing())]).toEqual([])
    expect([...(await proxy.tars_ping())]).toEqual([])
  })

  it('gets codes and their reasons', async () => {
    await expect(proxy.divide(1, 0)).rejects.toMatchObject({ ret: 17 })
    await expect(proxy.fail(0, 'broken')).rejects.toMatchObject({ ret: -99 })
    const stranger = rpc.Communicator.New().stringToProxy(tarsJs.EchoProxy, server.object().replace('EchoObj', 'OtherObj'))
    stranger.setVersion(version)
    await expect(stranger.text('x')).rejects.toMatchObject({ ret: -4 })
    stranger._worker.communicator.disconnect()
  })

  it('keeps many calls apart on one connection', async () => {
    const answers = await Promise.all(Array.from({ length: 300 }, (_, index) => proxy.slow(`call ${index}`, index % 10)))
    expect(answers.map(([text]) => text)).toEqual(Array.from({ length: 300 }, (_, index) => `call ${index}`))
  })

  it('carries context there, and in version 1 back', async () => {
    const answer = await proxy.text('x', { context: { 'echo-a': '1' } })
    if (version === 1) expect(answer.context.value).toEqual({ 'echo-a': '1' })
  })

  it('sends one-way calls', async () => {
    await proxy.remember(`from version ${version}`, { packetType: 1 }).catch(() => {}) // it rejects those on purpose
    await proxy.nothing()
    expect(server.servant.remembered).toEqual([`from version ${version}`])
  })
})

describe.each([1, 3] as const)('a @tars/rpc client of version %i', (version) => {
  it('survives being asked to leave, and comes back', async () => {
    const server = await startEcho()
    const communicator = rpc.Communicator.New()
    const proxy = communicator.stringToProxy(tarsJs.EchoProxy, server.object())
    proxy.setVersion(version)
    const call = proxy.slow('last', 100)
    await expect.poll(() => server.pending).toBe(1)
    const drained = server.drain(5000)
    expect([...(await call)]).toEqual(['last'])
    await drained
    communicator.disconnect()
  })
})

describe('a @tars/rpc client over UDP', () => {
  it('calls our server', async () => {
    const server = await startEcho({ endpoint: 'udp -h 127.0.0.1 -p 0' })
    const communicator = rpc.Communicator.New()
    const proxy = communicator.stringToProxy(tarsJs.EchoProxy, server.object())
    expect([...(await proxy.text('datagram'))]).toEqual(['datagram'])
    communicator.disconnect()
    await server.drain(500)
  })
})

describe.each(['tcp', 'udp'] as const)('our client calls a @tars/rpc server over %s', (protocol) => {
  let peer: TarsJsServer
  let proxy: EchoProxy & Pingable
  const communicator = new Communicator({ timeoutMs: 60_000 })
  beforeAll(async () => {
    peer = await startTarsJs(protocol)
    proxy = communicator.proxy<EchoProxy>(Echo, peer.object)
  })
  afterAll(async () => {
    await communicator.close()
    await peer.stop()
  })

  it.each([1, 3] as const)('in version %i: every type', async (version) => {
    expect(await proxy.every(every(), { version })).toEqual({ return: every().i, back: every() })
  })

  it.each([1, 3] as const)('in version %i: values, out parameters, nothing, ping', async (version) => {
    expect(await proxy.text('hällo', { version })).toBe('hällo')
    expect(await proxy.items([item(1), item(2)], { version })).toEqual([item(1), item(2)])
    expect(await proxy.divide(17, 5, { version })).toEqual({ return: 3, rest: 2 })
    expect(await proxy.nothing({ version })).toBeUndefined()
    await proxy.tars_ping({ version })
  })

  it('gets its codes', async () => {
    for (const version of [1, 3] as const) await expect(proxy.divide(1, 0, { version })).rejects.toMatchObject({ ret: 17, message: expect.stringContaining('division by zero') })
    await expect(communicator.invoke(peer.object, { ...(Echo.functions['text'] as FunctionCodec), name: 'absent' }, ['x'])).rejects.toMatchObject({ ret: -3 })
  })

  it('gets its context, and keeps calls apart', async () => {
    const seen: unknown[] = []
    await proxy.text('x', { context: { 'echo-a': 'ü' }, onResponse: ({ context }) => seen.push(context) })
    expect(seen).toEqual([new Map([['echo-a', 'ü']])])
    const texts = Array.from({ length: 100 }, (_, index) => `call ${index}`)
    expect(await Promise.all(texts.map((text, index) => proxy.slow(text, index % 10)))).toEqual(texts)
  })
})

